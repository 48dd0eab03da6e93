//! Makes an entry of a request. Bodies are kept of writes only, as JSON without secrets; what cannot be read as JSON is not
//! kept, since nobody could tell what is secret in it. A request that succeeded is read no further than it has to be: its
//! bodies are stored as they came where nothing in them looks like a secret, and what they say is told when it is asked for.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entry::name;
use super::verdict::{Judged, reads, target_of};
use super::{LogEntryId, Seen};
use crate::domain::changes::shortened;
use crate::domain::ids::ResourceId;
use crate::domain::provisioning::{
    Outcome, REDACTED, may_hold_secret, may_quote_secret, redact, redact_text, redacted,
};
use crate::storage::{LogBodies, LogRecord, NewLogRecord};

/// Characters of a target that are kept.
const MOST_TARGET: usize = 1_000;
/// Parameters of a search that are kept; no other parameter of a request says anything.
const PARAMETERS: [&str; 7] =
    ["filter", "sortby", "sortorder", "startindex", "count", "attributes", "excludedattributes"];

/// What a document says of whom it is about. Values of any type, since a refused document may have any.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    user_name: Value,
    display_name: Value,
    external_id: Value,
    emails: Value,
}

/// Both sides of an event's detail.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sides {
    after: Document,
    before: Document,
}

/// What a refusal says.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Refusal {
    scim_type: Value,
    detail: Value,
}

/// The entry of a request, under an id. It has no subject where no document that went to and fro names one.
pub(super) fn of(seen: Seen, id: LogEntryId) -> NewLogRecord {
    let (resource_type, in_path) = target_of(&seen.target);
    let is_refused = seen.status >= 400 || seen.rejected.is_some();
    let request = seen.request_body.and_then(text_of);
    let response = seen.response_body.and_then(text_of);
    let happened = seen.happened.as_ref();
    let changed = happened.is_some_and(|happened| happened.changed);
    // What changed something is told by that.
    let body: Option<Value> = request.as_deref().filter(|_| !changed).and_then(|text| serde_json::from_str(text).ok());
    let refusal: Option<Refusal> = response.as_deref().filter(|_| is_refused).and_then(document);
    let about = match resource_type {
        Some(kind) => {
            // A group may be long, and its name is found once for all of its entries.
            let answer = response.as_deref().filter(|_| !is_refused && kind != "Group");
            let detail = happened.map(|happened| happened.detail.as_str());
            About::of(kind == "Group", answer, detail, request.as_deref())
        }
        None => About::default(),
    };
    let scim_type = refusal.as_ref().and_then(|refusal| text(&refusal.scim_type));
    let refused = refusal.as_ref().and_then(|refusal| text(&refusal.detail));
    let judged = Judged {
        method: &seen.method,
        target: &seen.target,
        body: body.as_ref(),
        status: seen.status,
        scim_type: scim_type.as_deref(),
        detail: refused.as_deref(),
        happened,
        subject: about.subject.as_deref(),
        rejected: seen.rejected.as_ref().map(|(_, why)| *why),
    };
    let (operation, outcome) = (judged.operation(), judged.outcome());
    let is_done = matches!(outcome, Outcome::Applied | Outcome::Held);
    let explanation = is_refused.then(|| redact_text(&judged.verdict().explanation));
    let resource = happened.map(|happened| happened.resource).or_else(|| in_path.and_then(ResourceId::parse));
    let ids = resource.iter().map(ToString::to_string);
    let names = ids.chain(about.subject.as_deref().map(name)).collect();
    let writes = !reads(&seen.method, &seen.target);
    // The surface has read what it did not refuse, and printed the answer.
    let request = request
        .filter(|_| writes)
        .and_then(|text| if !is_refused && !may_hold_secret(&text) { Some(text) } else { without_secrets(&text) });
    let printed = |text: String| if may_quote_secret(&text) { without_secrets(&text) } else { Some(text) };
    let response =
        response.filter(|_| writes).and_then(|text| if is_refused { without_secrets(&text) } else { printed(text) });
    let record = LogRecord {
        id,
        at: seen.at,
        connection: seen.scope.connection.0,
        token: Some(seen.token.0),
        fingerprint: seen.rejected.map(|(fingerprint, _)| fingerprint),
        method: redact_text(&clean(&seen.method)),
        path: target(&seen.target),
        resource: resource.map(|id| id.0),
        external_id: about.external_id,
        subject: about.subject,
        operation: operation.as_str().to_owned(),
        status: seen.status,
        outcome: outcome.as_str().to_owned(),
        scim_type,
        explanation,
        duration_us: i64::try_from(seen.duration.as_micros()).unwrap_or(i64::MAX),
        request_id: seen.request_id.to_string(),
        ip: seen.ip.map(|ip| ip.to_string()),
        // Of what was not done, nothing is told.
        detail: seen.happened.filter(|_| is_done).and_then(|happened| printed(shortened(happened.detail))),
    };
    let bodies = LogBodies { request, response };
    NewLogRecord { organization: seen.scope.organization, record, bodies, names }
}

fn text_of(body: Bytes) -> Option<String> {
    String::from_utf8(body.into()).ok()
}

/// A JSON text without secrets; `None` where it is none.
fn without_secrets(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    redact(&mut value);
    Some(value.to_string())
}

/// PostgreSQL stores no NUL, and nobody calls anything so.
fn clean(text: &str) -> String {
    text.replace('\0', "")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(clean)
}

/// A document of a known shape. Of a member that comes twice the last one counts, where the first look finds it wrong.
fn document<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).or_else(|_| serde_json::from_value(serde_json::from_str(text)?)).ok()
}

/// Whom or what a request was about.
#[derive(Default)]
struct About {
    subject: Option<String>,
    external_id: Option<String>,
}

impl About {
    /// Each as the first document says that tells it: the answer, what changed, the request.
    fn of(is_group: bool, answer: Option<&str>, detail: Option<&str>, request: Option<&str>) -> Self {
        let mut about = About::default();
        about.read(is_group, answer.and_then(document));
        if about.is_open()
            && let Some(sides) = detail.and_then(document::<Sides>)
        {
            about.read(is_group, Some(sides.after));
            about.read(is_group, Some(sides.before));
        }
        if about.is_open() {
            about.read(is_group, request.and_then(document));
        }
        about
    }

    fn is_open(&self) -> bool {
        self.subject.is_none() || self.external_id.is_none()
    }

    fn read(&mut self, is_group: bool, document: Option<Document>) {
        let Some(document) = document else { return };
        let told = |text: String| redact_text(&text);
        self.subject = self.subject.take().or_else(|| subject(&document, is_group).map(told));
        self.external_id = self.external_id.take().or_else(|| text(&document.external_id).map(told));
    }
}

/// What people call a user or group: an e-mail address where there is one.
fn subject(document: &Document, is_group: bool) -> Option<String> {
    let text = |value: &Value| text(value).filter(|text| !text.is_empty());
    if is_group {
        return text(&document.display_name);
    }
    let user_name = text(&document.user_name);
    if user_name.as_ref().is_some_and(|name| name.contains('@')) {
        return user_name;
    }
    let emails = document.emails.as_array().map(Vec::as_slice).unwrap_or_default();
    let email = emails.iter().find(|email| email.get("primary") == Some(&Value::Bool(true))).or(emails.first());
    email.and_then(|email| text(email.get("value")?)).or(user_name)
}

/// A query without its escapes, in lower case; what cannot be read stays.
pub(super) fn plain(query: &str) -> Vec<u8> {
    let mut plain = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| *first == b'%');
        let code = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        plain.push(code.unwrap_or(*first).to_ascii_lowercase());
        rest = behind.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    plain
}

/// Whether a query asks for a password in any spelling.
fn names_password(query: &str) -> bool {
    plain(query).windows("password".len()).any(|part| part == b"password")
}

/// Whether a text holds a secret of this service behind escapes.
fn hides_secret(text: &str) -> bool {
    matches!(redacted(&String::from_utf8_lossy(&plain(text))), Cow::Owned(_))
}

/// The path with the parameters of a search, whose filter asks for no password and hides no secret.
fn target(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut out = redact_text(&clean(path));
    if hides_secret(&out) {
        // What is left tells what kind of thing was asked for.
        let kind = out.trim_start_matches('/').split('/').next().unwrap_or_default();
        out = if hides_secret(kind) { format!("/{REDACTED}") } else { format!("/{kind}/{REDACTED}") };
    }
    if !names_password(query) && !hides_secret(&redact_text(query)) {
        let known = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            PARAMETERS.contains(&name.as_str())
        });
        let known: Vec<&str> = known.collect();
        if !known.is_empty() {
            out.push('?');
            out.push_str(&clean(&known.join("&")));
        }
    }
    let out = redact_text(&out);
    out.char_indices()
        .nth(MOST_TARGET)
        .map_or_else(|| out.clone(), |(cut, _)| out.get(..cut).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::domain::event::EventKind;
    use crate::domain::ids::Scope;
    use crate::domain::provisioning::Happened;
    use crate::domain::token::SecretKind;
    use crate::service::ids;
    use crate::service::provisioning_log::WholeLogEntry;

    fn seen(method: &str, target: &str, status: u16) -> Seen {
        Seen {
            scope: Scope { organization: ids::organization(), connection: ids::connection() },
            token: ids::token(),
            rejected: None,
            at: 1_700_000_000_000_000,
            method: method.to_owned(),
            target: target.to_owned(),
            status,
            duration: Duration::from_micros(250),
            request_id: "r".into(),
            ip: None,
            request_body: None,
            response_body: None,
            happened: None,
        }
    }

    fn entry(seen: Seen) -> WholeLogEntry {
        let id = LogEntryId::at(seen.at, 1);
        let new = of(seen, id);
        WholeLogEntry::of(new.record, new.bodies)
    }

    #[test]
    fn a_create_is_told_by_its_answer_and_event() {
        let resource = ids::resource();
        let document =
            json!({"userName": "ben", "externalId": "e1", "emails": [{"value": "b@x.org", "primary": true}]});
        let seen = Seen {
            request_body: Some(json!({"userName": "ben", "password": "hunter2"}).to_string().into()),
            response_body: Some(document.to_string().into()),
            happened: Some(Happened {
                resource,
                kind: EventKind::UserCreated,
                changed: true,
                detail: json!({ "after": document }).to_string(),
            }),
            ..seen("POST", "/Users", 201)
        };
        let WholeLogEntry { entry, bodies: LogBodies { request: request_body, response: response_body } } = entry(seen);
        assert_eq!(
            (&*entry.record.operation, &*entry.record.outcome, entry.record.resource),
            ("create", "applied", Some(resource.0))
        );
        assert_eq!(
            (entry.record.subject.as_deref(), entry.record.external_id.as_deref()),
            (Some("b@x.org"), Some("e1"))
        );
        assert_eq!(entry.explanation, "Created b@x.org.");
        assert!(
            entry.changes.contains(&json!({"field": "externalId", "from": null, "to": "e1"})),
            "{:?}",
            entry.changes
        );
        assert_eq!(request_body.as_deref(), Some(r#"{"userName":"ben","password":"[redacted]"}"#));
        assert_eq!(response_body, Some(document.to_string()));
    }

    #[test]
    fn a_body_that_is_no_json_is_not_kept() {
        let body = Some(Bytes::from_static(b"{\"password\": \"hunter2\""));
        let answer = json!({"detail": "The body is not one JSON document", "scimType": "invalidSyntax"});
        let seen =
            Seen { request_body: body, response_body: Some(answer.to_string().into()), ..seen("POST", "/Users", 400) };
        let WholeLogEntry { entry, bodies: LogBodies { request: request_body, .. } } = entry(seen);
        assert_eq!(
            (request_body, &*entry.record.outcome, entry.record.scim_type.as_deref()),
            (None, "refused", Some("invalidSyntax"))
        );
    }

    #[test]
    fn a_refused_body_says_whom_it_is_about_whatever_its_form() {
        let answer = json!({"detail": "The body names userName twice", "scimType": "invalidSyntax"}).to_string();
        for body in [r#"{"userName": "a@x.org", "userName": "ben@x.org"}"#, r#"{"emails": 7, "userName": "ben@x.org"}"#]
        {
            let asked = Seen {
                request_body: Some(Bytes::from_static(body.as_bytes())),
                response_body: Some(answer.clone().into()),
                ..seen("POST", "/Users", 400)
            };
            assert_eq!(entry(asked).entry.record.subject.as_deref(), Some("ben@x.org"), "{body}");
        }
    }

    #[test]
    fn names_are_looked_for_in_each_document_and_nothing_is_told_of_what_was_not_done() {
        let happened = |changed| Happened {
            resource: ids::resource(),
            kind: EventKind::UserChanged,
            changed,
            detail: json!({"changed": ["title"], "before": {"title": "a"}, "after": {"title": "b"}}).to_string(),
        };
        let asked = |status, changed| Seen {
            request_body: Some(json!({"userName": "x@x.org", "externalId": "e1"}).to_string().into()),
            response_body: Some(json!({"userName": "ben@x.org"}).to_string().into()),
            happened: Some(happened(changed)),
            ..seen("PUT", "/Users/7", status)
        };
        let told = entry(asked(200, true)).entry;
        let LogRecord { subject, external_id, .. } = &told.record;
        assert_eq!(
            (subject.as_deref(), external_id.as_deref(), told.changes.len()),
            (Some("ben@x.org"), Some("e1"), 1)
        );
        assert_eq!(entry(asked(200, false)).entry.changes.len(), 0);
        assert_eq!(entry(asked(503, true)).entry.changes.len(), 0);
    }

    #[test]
    fn a_read_keeps_what_it_searched_but_no_body() {
        let seen = Seen {
            response_body: Some(Bytes::from_static(b"{}")),
            ..seen("GET", "/Users?filter=userName%20eq%20%22ben%22&access_token=x&count=1", 200)
        };
        let WholeLogEntry { entry, bodies: LogBodies { request: request_body, response: response_body } } = entry(seen);
        assert_eq!(entry.record.path, "/Users?filter=userName%20eq%20%22ben%22&count=1");
        assert_eq!((&*entry.record.operation, &*entry.record.outcome), ("read", "no_change"));
        assert_eq!((request_body, response_body), (None, None));
        for filter in ["passWord eq \"x\"", "pass%77ord%20eq%20%22x%22", "%70%41ssword", "%zzpassword%"] {
            assert_eq!(target(&format!("/Users?filter={filter}")), "/Users", "{filter}");
        }
        assert_eq!(target("/Users?filter=title%20eq%20%22%"), "/Users?filter=title%20eq%20%22%");
    }

    #[test]
    fn a_target_tells_no_secret_of_this_service_in_any_spelling() {
        let token = crate::domain::token::format(SecretKind::ScimToken, &[7; 32]);
        let (bare, escaped) = (token.trim_start_matches("rc_st_"), token.replace('_', "%5f"));
        for (asked, expected) in [
            (
                format!("/Users?filter=externalId%20eq%20%22{token}%22"),
                "/Users?filter=externalId%20eq%20%22[redacted]%22",
            ),
            (format!("/Users?filter=externalId%20eq%20%22{escaped}%22&count=1"), "/Users"),
            (format!("/Users/{token}?count=1"), "/Users/[redacted]?count=1"),
            (format!("/Users/{escaped}/x"), "/Users/[redacted]"),
            (format!("/{escaped}"), "/[redacted]"),
        ] {
            let kept = target(&asked);
            assert!(kept == expected && !kept.contains(bare), "{asked}: {kept}");
        }
    }
}
