//! Random users, groups and filters for the tests of searching, and what the reference evaluator says of them.

use std::collections::BTreeSet;

use rollcall::domain::ids::{ResourceId, Scope};
use rollcall::protocol::compare;
use rollcall::protocol::filter::BoundFilter;
use rollcall::protocol::filter::bind::bind;
use rollcall::protocol::filter::evaluate::evaluate;
use rollcall::protocol::filter::parse::parse;
use rollcall::protocol::list::Sort;
use rollcall::protocol::policy::Policy;
use rollcall::protocol::resource::Resource;
use rollcall::protocol::schema::{Registry, ResourceKind};
use rollcall::protocol::splice::{self, Head};
use rollcall::storage::write::{Action, UnknownMembers};
use rollcall::storage::{References, Search, keys};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::helpers::*;

/// Random numbers that are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap_or(0)
    }
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub(crate) fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const PIECES: [&str; 24] = [
    "a",
    "B",
    "ab",
    "Anna",
    "anna",
    "STRASSE",
    "straße",
    "é",
    "e\u{301}",
    "İ",
    "𝒳",
    "\u{d7ff}",
    "\u{e000}",
    "\u{10ffff}",
    "%",
    "_",
    "\\",
    "'",
    "\"",
    "*",
    " ",
    "@x.org",
    "?",
    "ﬁ",
];

/// A short text of awkward pieces; now and then one that is longer than a key.
pub(crate) fn text(r: &mut Random, long: bool) -> String {
    let mut out: String = (0..=r.below(3)).map(|_| r.of(&PIECES)).collect();
    if long && r.one_in(12) {
        out.insert_str(0, &"xy".repeat(120 + r.below(20)));
        out.push_str(r.of(&["anna", "é", "1"]));
    }
    out
}

fn elements(r: &mut Random, long: bool) -> Value {
    let mut out: Vec<Value> = Vec::new();
    let mut seen = BTreeSet::new();
    for _ in 0..=r.below(3) {
        let mut element = Map::new();
        if !r.one_in(8) {
            element.insert("value".into(), text(r, long).into());
        }
        if !r.one_in(3) {
            element.insert("type".into(), r.of(&["work", "Work", "home", "straße"]).into());
        }
        if r.one_in(3) {
            element.insert("primary".into(), r.one_in(2).into());
        }
        if r.one_in(4) {
            element.insert("display".into(), text(r, false).into());
        }
        // The engine leaves no empty element, and folds those of equal value and type.
        let key = |name| element.get(name).and_then(Value::as_str).map(|t| compare::fold(t).into_owned());
        if !element.is_empty() && seen.insert((key("value"), key("type"))) {
            out.push(Value::Object(element));
        }
    }
    Value::Array(out)
}

/// A user's document; `number` keeps names apart.
pub(crate) fn user(r: &mut Random, number: usize, long: bool) -> Resource {
    let mut map = Map::new();
    map.insert("schemas".into(), json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
    map.insert("userName".into(), format!("{}{number}", text(r, long)).into());
    for (name, one_in) in [("displayName", 4), ("externalId", 4), ("title", 3), ("nickName", 2)] {
        if !r.one_in(one_in) {
            map.insert(name.into(), text(r, long).into());
        }
    }
    if !r.one_in(4) {
        map.insert("active".into(), r.one_in(2).into());
    }
    if r.one_in(2) {
        map.insert("name".into(), json!({ "familyName": text(r, false), "givenName": r.of(&["Anna", "Ben"]) }));
    }
    for name in ["emails", "phoneNumbers"] {
        if r.one_in(2) {
            map.insert(name.into(), elements(r, long));
        }
    }
    if r.one_in(2) {
        map.insert(ENTERPRISE.into(), json!({ "department": text(r, false) }));
    }
    map.retain(|_, value| value.as_array().is_none_or(|all| !all.is_empty()));
    Resource { attributes: map }
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub(crate) fn insert(id: ResourceId, user: &Resource) -> Action {
    let (columns, values) = keys::user_columns(user, true);
    Action::InsertUser { id, columns, values }
}

pub(crate) fn insert_named_group(r: &mut Random, id: ResourceId, number: usize, members: Vec<ResourceId>) -> Action {
    let mut map = Map::new();
    map.insert("schemas".into(), json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]));
    map.insert("displayName".into(), format!("{}{number}", text(r, false)).into());
    if r.one_in(2) {
        map.insert("externalId".into(), text(r, false).into());
    }
    let columns = keys::group_columns(&Resource { attributes: map }, true);
    Action::InsertGroup { id, columns, members, unknown_members: UnknownMembers::Refuse }
}

/// A whole resource as a client sees it.
pub(crate) type Whole = (Uuid, Map<String, Value>);

/// All resources of a scope, read one by one.
pub(crate) async fn all(t: &TestDatabase, scope: Scope, kind: ResourceKind, ids: &[ResourceId]) -> Vec<Whole> {
    let mut out = Vec::new();
    for id in ids {
        let mut text = String::new();
        match kind {
            ResourceKind::User => {
                let Some(u) = t.db.find_user(scope, *id, References::All).await.expect("answers") else { continue };
                let head = Head { id: id.0, version: u.version, created: u.created, modified: u.modified };
                splice::user(&mut text, "", &u.document, &head, &u.groups);
            }
            ResourceKind::Group => {
                let Some(g) = t.db.find_group(scope, *id, References::All).await.expect("answers") else { continue };
                let head = Head { id: id.0, version: g.version, created: g.created, modified: g.modified };
                splice::group(&mut text, "", &g.document, &head, g.members.as_deref());
            }
        }
        out.push((id.0, serde_json::from_str(&text).expect("JSON")));
    }
    out.sort_by_key(|(id, _)| *id);
    out
}

pub(crate) fn bound(kind: ResourceKind, filter: &str) -> BoundFilter {
    let policy = Policy::default();
    let parsed = parse(filter, &policy.limits).unwrap_or_else(|e| panic!("{filter}: {e}"));
    bind(&parsed, Registry::builtin().resource_type(kind), &policy).unwrap_or_else(|e| panic!("{filter}: {e}"))
}

pub(crate) fn sorted_by(kind: ResourceKind, path: &str, descending: bool) -> Sort {
    let (urn, rest) = match path.rsplit_once(':') {
        Some((urn, rest)) => (Some(urn), rest),
        None => (None, path),
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let by = Registry::builtin().resource_type(kind).resolve(urn, name, sub).expect("an attribute");
    Sort { by, descending }
}

pub(crate) fn search(filter: Option<(&str, BoundFilter)>, start_index: u64, count: u64) -> Search {
    Search {
        filter_text: filter.as_ref().map(|(text, _)| (*text).to_owned()),
        filter: filter.map(|(_, bound)| bound),
        sort: None,
        start_index,
        count,
        references: References::Skip,
    }
}

/// Total and ids of a page.
pub(crate) async fn ids(t: &TestDatabase, scope: Scope, kind: ResourceKind, search: &Search) -> (u64, Vec<Uuid>) {
    match kind {
        ResourceKind::User => {
            let found = t.db.search_users(scope, search).await.expect("answers");
            (found.total, found.records.iter().map(|u| u.id.0).collect())
        }
        ResourceKind::Group => {
            let found = t.db.search_groups(scope, search).await.expect("answers");
            (found.total, found.records.iter().map(|g| g.id.0).collect())
        }
    }
}

/// Compares one filter with the reference, on whole resources sorted by id.
pub(crate) async fn check(t: &TestDatabase, scope: Scope, kind: ResourceKind, whole: &[Whole], filter: &str) {
    let bound = bound(kind, filter);
    let wanted: Vec<Uuid> = whole.iter().filter(|(_, w)| evaluate(&bound, w)).map(|(id, _)| *id).collect();
    let (total, found) = ids(t, scope, kind, &search(Some((filter, bound.clone())), 1, 1_000)).await;
    assert_eq!((found, total), (wanted.clone(), wanted.len() as u64), "{filter}");
    let (total, page) = ids(t, scope, kind, &search(Some((filter, bound.clone())), 2, 2)).await;
    let of_page: Vec<Uuid> = wanted.iter().skip(1).take(2).copied().collect();
    assert_eq!((page, total), (of_page, wanted.len() as u64), "page of {filter}");
    let (total, none) = ids(t, scope, kind, &search(Some((filter, bound)), 1, 0)).await;
    assert_eq!((none, total), (vec![], wanted.len() as u64), "total of {filter}");
}

const USER_TEXTS: [&str; 13] = [
    "userName",
    "displayName",
    "externalId",
    "title",
    "name.familyName",
    "emails.value",
    "emails",
    "emails.type",
    "emails.display",
    "phoneNumbers.value",
    "groups.display",
    "meta.version",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
];
const GROUP_TEXTS: [&str; 5] = ["displayName", "externalId", "members.display", "members.type", "meta.version"];
const TEXT_OPS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
const ORDER_OPS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A literal: a text of the data or part of one, or a new text.
fn literal(r: &mut Random, whole: &[Whole], path: &str) -> String {
    let (_, resource) = &whole[r.below(whole.len())];
    let name = path.rsplit(':').next().unwrap_or(path);
    let (name, sub) = name.split_once('.').unwrap_or((name, "value"));
    let value = resource.get(name).or_else(|| resource.get(ENTERPRISE)?.get(name));
    let value = value.and_then(|v| if let Value::Array(all) = v { all.first() } else { Some(v) });
    let value = value.and_then(|v| v.get(sub).or(Some(v))).and_then(Value::as_str);
    let Some(value) = value.filter(|_| !r.one_in(4)) else { return text(r, true) };
    let chars: Vec<char> = value.chars().collect();
    let (from, len) = (r.below(chars.len() + 1), r.below(6));
    match r.below(4) {
        0 | 1 => value.to_owned(),
        2 => chars.iter().skip(from).take(len).collect(),
        _ => chars.iter().rev().take(len).rev().collect(),
    }
}

/// One comparison.
fn term(r: &mut Random, kind: ResourceKind, whole: &[Whole], pool: &[Uuid]) -> String {
    let user = kind == ResourceKind::User;
    let some_id = pool[r.below(pool.len())].to_string();
    match r.below(12) {
        0 if user => format!("active {} {}", r.of(&["eq", "ne"]), r.one_in(2)),
        0 | 1 => format!("{} pr", if user { r.of(&USER_TEXTS) } else { r.of(&GROUP_TEXTS) }),
        2 => format!("id {} {}", r.of(&TEXT_OPS), quoted(&if r.one_in(3) { text(r, false) } else { some_id })),
        3 => {
            let path = if user { "groups.value" } else { "members.value" };
            format!("{path} {} {}", r.of(&["eq", "ne", "eq", "sw"]), quoted(&some_id))
        }
        4 => format!(
            "{} {} \"2023-11-14T22:13:2{}Z\"",
            r.of(&["meta.created", "meta.lastModified"]),
            r.of(&ORDER_OPS),
            r.below(4)
        ),
        5 => format!(
            "{} pr",
            if user { r.of(&["active", "groups", "name", "emails.primary", "meta"]) } else { "members" }
        ),
        6 => format!("meta.resourceType {} {}", r.of(&TEXT_OPS), quoted(r.of(&["User", "Group", "group"]))),
        7 if user => {
            format!("{} {} {}", r.of(&["emails.primary", "phoneNumbers.primary"]), r.of(&["eq", "ne"]), r.one_in(2))
        }
        7 => format!("members.type {} {}", r.of(&TEXT_OPS), quoted(r.of(&["User", "GROUP", "r"]))),
        _ => {
            let path = if user { r.of(&USER_TEXTS) } else { r.of(&GROUP_TEXTS) };
            format!("{path} {} {}", r.of(&TEXT_OPS), quoted(&literal(r, whole, path)))
        }
    }
}

fn inner(r: &mut Random, kind: ResourceKind, whole: &[Whole], pool: &[Uuid], depth: usize) -> String {
    if depth > 0 && r.one_in(2) {
        let by = r.of(&["and", "and", "or"]);
        let (a, b) = (inner(r, kind, whole, pool, depth - 1), inner(r, kind, whole, pool, depth - 1));
        return if r.one_in(4) { format!("not ({a}) {by} {b}") } else { format!("{a} {by} ({b})") };
    }
    if kind == ResourceKind::Group {
        return match r.below(3) {
            0 => format!("value {} {}", r.of(&["eq", "ne"]), quoted(&pool[r.below(pool.len())].to_string())),
            1 => format!("type {} \"User\"", r.of(&["eq", "ne"])),
            _ => format!("display {} {}", r.of(&TEXT_OPS), quoted(&text(r, false))),
        };
    }
    match r.below(6) {
        0 => format!("primary {} {}", r.of(&["eq", "ne"]), r.one_in(2)),
        1 => format!("type {} {}", r.of(&TEXT_OPS), quoted(r.of(&["work", "HOME", "strasse", "o"]))),
        2 => format!("{} pr", r.of(&["value", "type", "primary", "display"])),
        3 => format!("display {} {}", r.of(&TEXT_OPS), quoted(&text(r, false))),
        _ => format!("value {} {}", r.of(&TEXT_OPS), quoted(&literal(r, whole, "emails.value"))),
    }
}

/// A filter of any shape.
pub(crate) fn filter(r: &mut Random, kind: ResourceKind, whole: &[Whole], pool: &[Uuid], depth: usize) -> String {
    if depth > 0 && r.one_in(2) {
        let by = r.of(&["and", "or"]);
        let (a, b) = (filter(r, kind, whole, pool, depth - 1), filter(r, kind, whole, pool, depth - 1));
        return if r.one_in(4) { format!("not ({a}) {by} {b}") } else { format!("({a}) {by} {b}") };
    }
    if r.one_in(4) {
        let path = if kind == ResourceKind::User { r.of(&["emails", "phoneNumbers"]) } else { "members" };
        return format!("{path}[{}]", inner(r, kind, whole, pool, 2));
    }
    term(r, kind, whole, pool)
}
