//! Judges answers: status, content type and the parts of the body that tell a right answer from a wrong one.
//!
//! Each check reads the body once, borrowed, and gives back what the run needs to know (ids, versions). Pure; a
//! refusal names its kind, under which it is counted. RFC 7644 sections 3.3 to 3.6 say what is expected.

use std::borrow::Cow;
use std::collections::HashSet;

use hyper::header;
use serde::Deserialize;

use crate::client::Answer;
use crate::model::{GroupAnswer, LIST, ListAnswer, Text, USER, User, UserAnswer};

/// A wrong answer: `kind` is counted, `detail` shown once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) detail: String,
}

pub(crate) type Verdict<T> = Result<T, Wrong>;

fn wrong<T>(kind: &'static str, detail: impl Into<String>) -> Verdict<T> {
    Err(Wrong { kind: Cow::Borrowed(kind), detail: detail.into() })
}

/// Wrong unless `is` equals `should`.
fn same(kind: &'static str, is: Option<&str>, should: &str) -> Verdict<()> {
    if is == Some(should) { Ok(()) } else { wrong(kind, format!("{should:?} expected, {is:?} answered")) }
}

/// The status is one of `allowed`.
pub(crate) fn status(answer: &Answer, allowed: &[u16]) -> Verdict<u16> {
    let status = answer.status.as_u16();
    if allowed.contains(&status) {
        return Ok(status);
    }
    Err(Wrong { kind: Cow::Owned(format!("status {status}")), detail: format!("{allowed:?} expected") })
}

/// The body, read as `T`, if the content type is one of SCIM's two.
fn body<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Verdict<T> {
    let content_type = answer.header(header::CONTENT_TYPE).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if !["application/scim+json", "application/json"].iter().any(|known| media_type.eq_ignore_ascii_case(known)) {
        return wrong("content type", format!("{content_type:?}"));
    }
    serde_json::from_slice(&answer.body).or_else(|error| wrong("body unreadable", error.to_string()))
}

/// A user as `expected` has it; gives its version.
fn user_is(user: &UserAnswer<'_>, expected: &User) -> Verdict<Option<String>> {
    if !user.schemas.iter().any(|urn| urn.as_ref() == USER) {
        return wrong("schemas", "the User URN is missing");
    }
    if !expected.id.is_empty() {
        same("id", Some(user.id.as_ref()), &expected.id)?;
    } else if user.id.as_ref().is_empty() {
        return wrong("id", "empty");
    }
    same("userName", Some(user.user_name.as_ref()), &expected.user_name)?;
    if let Some(name) = &expected.display_name {
        same("displayName", user.display_name.as_ref().map(AsRef::as_ref), name)?;
    }
    if expected.active.is_some() && user.active != expected.active {
        return wrong("active", format!("{:?} expected, {:?} answered", expected.active, user.active));
    }
    let meta = user.meta.as_ref();
    same("meta.resourceType", meta.and_then(|meta| meta.resource_type.as_ref()).map(AsRef::as_ref), "User")?;
    Ok(meta.and_then(|meta| meta.version.as_ref()).map(|version| version.as_ref().to_owned()))
}

/// `ETag` and `meta.version` are one thing (RFC 7644 section 3.14).
fn etag_is(answer: &Answer, version: Option<&str>) -> Verdict<()> {
    match (answer.header(header::ETAG), version) {
        (Some(etag), Some(version)) => same("ETag", Some(etag), version),
        _ => Ok(()),
    }
}

/// A user read by id; `groups` are the ids of all its groups, `None` where they are not known.
pub(crate) fn read(answer: &Answer, expected: &User, groups: Option<&[String]>) -> Verdict<()> {
    status(answer, &[200])?;
    let user: UserAnswer<'_> = body(answer)?;
    let version = user_is(&user, expected)?;
    etag_is(answer, version.as_deref())?;
    let Some(groups) = groups else { return Ok(()) };
    let answered = user.groups.unwrap_or_default();
    let all = answered.len() == groups.len() && answered.iter().all(|g| groups.iter().any(|id| id == g.value.as_ref()));
    if all { Ok(()) } else { wrong("groups", format!("{} expected, {} answered", groups.len(), answered.len())) }
}

/// A user just created; gives its id and version.
pub(crate) fn created(answer: &Answer, expected: &User) -> Verdict<(String, Option<String>)> {
    status(answer, &[201])?;
    let user: UserAnswer<'_> = body(answer)?;
    let version = user_is(&user, expected)?;
    etag_is(answer, version.as_deref())?;
    let id = user.id.as_ref().to_owned();
    located(answer, &format!("/Users/{id}"))?;
    Ok((id, version))
}

fn located(answer: &Answer, end: &str) -> Verdict<()> {
    match answer.header(header::LOCATION) {
        Some(location) if location.ends_with(end) => Ok(()),
        other => wrong("Location", format!("…{end} expected, {other:?} answered")),
    }
}

/// A user that a PATCH or PUT changed to `expected`, whose version was `expected.version` before; gives the new one.
pub(crate) fn changed(answer: &Answer, expected: &User, allowed: &[u16]) -> Verdict<Option<String>> {
    if status(answer, allowed)? == 204 {
        return Ok(answer.header(header::ETAG).map(str::to_owned));
    }
    let user: UserAnswer<'_> = body(answer)?;
    let version = user_is(&user, expected)?;
    etag_is(answer, version.as_deref())?;
    if version.is_some() && version == expected.version {
        return wrong("version unchanged", format!("{version:?}"));
    }
    Ok(version)
}

/// A list that answers a lookup: exactly `expected`, or nobody.
pub(crate) fn found(answer: &Answer, expected: Option<&User>) -> Verdict<()> {
    let list = list(answer)?;
    if list.total_results != u64::from(expected.is_some()) {
        return wrong("totalResults", format!("{} answered", list.total_results));
    }
    match (list.resources.as_slice(), expected) {
        ([], None) => Ok(()),
        ([user], Some(expected)) => user_is(user, expected).map(|_| ()),
        (users, _) => wrong("Resources", format!("{} users answered", users.len())),
    }
}

/// Any list of users.
pub(crate) fn list(answer: &Answer) -> Verdict<ListAnswer<'_>> {
    status(answer, &[200])?;
    let list: ListAnswer<'_> = body(answer)?;
    if !list.schemas.iter().any(|urn| urn.as_ref() == LIST) {
        return wrong("schemas", "the ListResponse URN is missing");
    }
    if list.items_per_page.is_some_and(|items| usize::try_from(items) != Ok(list.resources.len())) {
        return wrong("itemsPerPage", format!("{:?} with {} users", list.items_per_page, list.resources.len()));
    }
    Ok(list)
}

/// What a page has to be.
pub(crate) struct Page {
    /// 1-based; `None` when asked by cursor.
    pub(crate) start: Option<u64>,
    pub(crate) users: u64,
    pub(crate) total: u64,
}

/// One page, no user of which is twice on it; gives the list.
pub(crate) fn page<'a>(answer: &'a Answer, expected: &Page) -> Verdict<ListAnswer<'a>> {
    let list = list(answer)?;
    if list.total_results != expected.total {
        return wrong("totalResults", format!("{} expected, {} answered", expected.total, list.total_results));
    }
    if expected.start.is_some() && list.start_index != expected.start {
        return wrong("startIndex", format!("{:?} expected, {:?} answered", expected.start, list.start_index));
    }
    if u64::try_from(list.resources.len()) != Ok(expected.users) {
        return wrong("Resources", format!("{} expected, {} answered", expected.users, list.resources.len()));
    }
    let ids: HashSet<&str> = list.resources.iter().map(|user| user.id.as_ref()).collect();
    if ids.len() != list.resources.len() || list.resources.iter().any(|user| user.user_name.as_ref().is_empty()) {
        return wrong("Resources", "a user twice or without userName");
    }
    Ok(list)
}

/// A group just created; gives its id.
pub(crate) fn group_created(answer: &Answer) -> Verdict<String> {
    status(answer, &[201])?;
    let group: GroupAnswer<'_> = body(answer)?;
    let id = group.id.as_ref().to_owned();
    located(answer, &format!("/Groups/{id}"))?;
    Ok(id)
}

/// The answer to adding (`present`) or removing `member`; a body that shows members has to show the change.
pub(crate) fn membership(answer: &Answer, group: &str, member: &str, present: bool) -> Verdict<()> {
    if status(answer, &[200, 204])? == 204 {
        return Ok(());
    }
    let body: GroupAnswer<'_> = body(answer)?;
    same("id", Some(body.id.as_ref()), group)?;
    let Some(members) = body.members else { return Ok(()) };
    if members.iter().any(|entry| entry.value.as_ref() == member) == present {
        return Ok(());
    }
    wrong("members", format!("{member} {}", if present { "is missing" } else { "is still there" }))
}

/// A group read whole has exactly `expected` members, each once.
pub(crate) fn members(answer: &Answer, group: &str, expected: &HashSet<&str>) -> Verdict<()> {
    status(answer, &[200])?;
    let body: GroupAnswer<'_> = body(answer)?;
    same("id", Some(body.id.as_ref()), group)?;
    let members = body.members.unwrap_or_default();
    let known = members.iter().map(|entry| &entry.value).filter(|Text(id)| expected.contains(id.as_ref())).count();
    if known == expected.len() && members.len() == expected.len() {
        return Ok(());
    }
    wrong("members", format!("{} expected, {} answered, {known} of them right", expected.len(), members.len()))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
