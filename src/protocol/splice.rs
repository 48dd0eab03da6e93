//! Answers are spliced, not rebuilt: a stored document becomes a SCIM resource by writing `id` behind its `schemas` and
//! groups or members and meta at its end, without parsing it.
//!
//! `members` of a group without any is `[]`, so that clients that expect an array find one; it is absent only where it
//! was not loaded. A user's `groups` is absent when empty. `list` wraps resources in a ListResponse (RFC 7644 §3.4.2).

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Timelike as _};
use uuid::Uuid;

use super::schema::ResourceKind;
use super::urn;

/// What a resource has beside its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// `id`
    pub id: Uuid,
    /// `meta.version`
    pub version: i64,
    /// `meta.created`, µs since 1970
    pub created: i64,
    /// `meta.lastModified`, µs since 1970
    pub modified: i64,
}

/// An element of `groups` or `members`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `value`
    pub id: Uuid,
    /// `display`; absent where the target has none
    pub display: Option<String>,
    /// Whether the target is a group.
    pub is_group: bool,
}

/// Appends a whole User. `base` is `{public_url}/scim/v2`; `document` is `{…}` and not empty.
pub fn user(out: &mut String, base: &str, document: &str, head: &Head, groups: &[Reference]) {
    out.reserve(document.len() + 2 * base.len() + 300 + groups.len() * (base.len() + 160));
    body(out, document, head.id);
    if !groups.is_empty() {
        references(out, ",\"groups\":[", base, groups, |_| "direct");
    }
    meta(out, base, head, ResourceKind::User);
}

/// Appends a whole Group; `members` is `None` where they were not loaded.
pub fn group(out: &mut String, base: &str, document: &str, head: &Head, members: Option<&[Reference]>) {
    let count = members.map_or(0, <[_]>::len);
    out.reserve(document.len() + 2 * base.len() + 300 + count * (base.len() + 160));
    body(out, document, head.id);
    if let Some(members) = members {
        references(out, ",\"members\":[", base, members, |member| kind(member).name());
    }
    meta(out, base, head, ResourceKind::Group);
}

/// Appends a ListResponse around the page's resources, each written by `write`; `itemsPerPage` is how many there are.
pub fn list<I: ExactSizeIterator>(
    out: &mut String,
    total: u64,
    start_index: u64,
    page: I,
    mut write: impl FnMut(&mut String, I::Item),
) {
    let shown = page.len();
    // Writing to a String cannot fail.
    _ = write!(
        out,
        "{{\"schemas\":[\"{}\"],\"totalResults\":{total},\"startIndex\":{start_index},\"itemsPerPage\":{shown},\"Resources\":[",
        urn::LIST_RESPONSE
    );
    for (index, item) in page.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push_str("]}");
}

/// The address of a resource: `meta.location`, `Location`, `$ref`.
pub fn location(base: &str, kind: ResourceKind, id: Uuid) -> String {
    let mut out = String::with_capacity(base.len() + 48);
    push_location(&mut out, base, kind, id);
    out
}

/// RFC 3339 in UTC of microseconds since 1970: milliseconds, or microseconds where the time has them.
pub fn date_time(micros: i64) -> String {
    let mut out = String::with_capacity(27);
    push_date_time(&mut out, micros);
    out
}

/// The document up to its closing brace, with `id` behind `schemas`, or first where the document has no `schemas`.
fn body(out: &mut String, document: &str, id: Uuid) {
    let inner = document.strip_suffix('}').unwrap_or(document);
    // The array holds URNs of the registry, so its first bracket closes it.
    let schemas_end = inner.starts_with("{\"schemas\":[").then(|| inner.find(']')).flatten();
    let (before, after, open, close) = match schemas_end.and_then(|end| inner.split_at_checked(end + 1)) {
        Some((before, after)) => (before, after, ",\"id\":\"", "\""),
        None => ("{", inner.strip_prefix('{').unwrap_or(inner), "\"id\":\"", "\","),
    };
    out.push_str(before);
    out.push_str(open);
    push_id(out, id);
    out.push_str(close);
    out.push_str(after);
}

fn meta(out: &mut String, base: &str, head: &Head, kind: ResourceKind) {
    out.push_str(",\"meta\":{\"resourceType\":\"");
    out.push_str(kind.name());
    out.push_str("\",\"created\":\"");
    push_date_time(out, head.created);
    out.push_str("\",\"lastModified\":\"");
    push_date_time(out, head.modified);
    out.push_str("\",\"location\":\"");
    push_location(out, base, kind, head.id);
    out.push_str("\",\"version\":\"W/\\\"");
    _ = write!(out, "{}", head.version);
    out.push_str("\\\"\"}}");
}

fn references(
    out: &mut String,
    open: &str,
    base: &str,
    references: &[Reference],
    label: impl Fn(&Reference) -> &'static str,
) {
    out.push_str(open);
    for (index, reference) in references.iter().enumerate() {
        out.push_str(if index == 0 { "{\"value\":\"" } else { ",{\"value\":\"" });
        push_id(out, reference.id);
        out.push_str("\",\"$ref\":\"");
        push_location(out, base, kind(reference), reference.id);
        if let Some(display) = &reference.display {
            out.push_str("\",\"display\":\"");
            push_escaped(out, display);
        }
        out.push_str("\",\"type\":\"");
        out.push_str(label(reference));
        out.push_str("\"}");
    }
    out.push(']');
}

fn kind(reference: &Reference) -> ResourceKind {
    if reference.is_group { ResourceKind::Group } else { ResourceKind::User }
}

fn push_id(out: &mut String, id: Uuid) {
    out.push_str(id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

fn push_location(out: &mut String, base: &str, kind: ResourceKind, id: Uuid) {
    out.push_str(base);
    out.push_str(kind.endpoint());
    out.push('/');
    push_id(out, id);
}

fn push_date_time(out: &mut String, micros: i64) {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    push_digits(out, time.year().unsigned_abs(), 4);
    for (separator, part) in
        [('-', time.month()), ('-', time.day()), ('T', time.hour()), (':', time.minute()), (':', time.second())]
    {
        out.push(separator);
        push_digits(out, part, 2);
    }
    out.push('.');
    let fraction = time.timestamp_subsec_micros();
    if fraction.is_multiple_of(1000) {
        push_digits(out, fraction / 1000, 3)
    } else {
        push_digits(out, fraction, 6)
    }
    out.push('Z');
}

fn push_digits(out: &mut String, value: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// The inside of a JSON string (RFC 8259 §7).
fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = from.chars();
        match characters.next() {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => _ = write!(out, "\\u{:04x}", u32::from(c)),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const BASE: &str = "https://rollcall.example/scim/v2";
    const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    const OTHER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
    const HEAD: Head = Head { id: ID, version: 7, created: 1_305_261_754_000_000, modified: 1_305_261_754_000_001 };

    fn meta_of(kind: &str) -> Value {
        json!({
            "resourceType": kind, "created": "2011-05-13T04:42:34.000Z", "lastModified": "2011-05-13T04:42:34.000001Z",
            "location": format!("{BASE}/{kind}s/{ID}"), "version": "W/\"7\"",
        })
    }

    fn spliced(write: impl FnOnce(&mut String)) -> Value {
        let mut out = String::new();
        write(&mut out);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
    }

    #[test]
    fn a_user_is_its_document_with_id_meta_and_groups() {
        let document = r#"{"schemas":["urn:a","urn:b"],"userName":"b]}","active":true}"#;
        let groups = [
            Reference { id: OTHER, display: Some("Tour \"Guides\"\\\n\u{1}é]".into()), is_group: true },
            Reference { id: ID, display: None, is_group: true },
        ];
        let expected = json!({
            "schemas": ["urn:a", "urn:b"], "id": ID.to_string(), "userName": "b]}", "active": true,
            "groups": [
                { "value": OTHER.to_string(), "$ref": format!("{BASE}/Groups/{OTHER}"), "display": "Tour \"Guides\"\\\n\u{1}é]", "type": "direct" },
                { "value": ID.to_string(), "$ref": format!("{BASE}/Groups/{ID}"), "type": "direct" },
            ],
            "meta": meta_of("User"),
        });
        assert_eq!(spliced(|out| user(out, BASE, document, &HEAD, &groups)), expected);
        let alone = spliced(|out| user(out, BASE, document, &HEAD, &[]));
        assert_eq!(alone.get("groups"), None);
        let mut text = String::new();
        user(&mut text, BASE, document, &HEAD, &[]);
        assert!(
            text.starts_with(r#"{"schemas":["urn:a","urn:b"],"id":"01900000-0000-7000-8000-000000000001","userName":"#)
        );
    }

    #[test]
    fn members_are_typed_by_their_kind_and_absent_only_when_not_loaded() {
        let document = r#"{"displayName":"G","schemas":["urn:g"]}"#;
        let members = [
            Reference { id: ID, display: Some("Babs".into()), is_group: false },
            Reference { id: OTHER, display: Some("Inner".into()), is_group: true },
        ];
        let whole = spliced(|out| group(out, BASE, document, &HEAD, Some(&members)));
        let expected = json!({
            "id": ID.to_string(), "displayName": "G", "schemas": ["urn:g"],
            "members": [
                { "value": ID.to_string(), "$ref": format!("{BASE}/Users/{ID}"), "display": "Babs", "type": "User" },
                { "value": OTHER.to_string(), "$ref": format!("{BASE}/Groups/{OTHER}"), "display": "Inner", "type": "Group" },
            ],
            "meta": meta_of("Group"),
        });
        assert_eq!(whole, expected);
        assert_eq!(spliced(|out| group(out, BASE, document, &HEAD, Some(&[])))["members"], json!([]));
        assert_eq!(spliced(|out| group(out, BASE, document, &HEAD, None)).get("members"), None);
    }

    #[test]
    fn a_list_counts_what_it_shows() {
        let page = |total, start, items: Vec<u8>| {
            spliced(|out| list(out, total, start, items.into_iter(), |out, n| out.push_str(&n.to_string())))
        };
        let answer = |total: u64, start: u64, items: Value| {
            let shown = items.as_array().unwrap().len();
            json!({ "schemas": [urn::LIST_RESPONSE], "totalResults": total, "startIndex": start, "itemsPerPage": shown, "Resources": items })
        };
        assert_eq!(page(0, 1, vec![]), answer(0, 1, json!([])));
        assert_eq!(page(100, 11, vec![1, 2, 3]), answer(100, 11, json!([1, 2, 3])));
    }

    #[test]
    fn times_keep_what_is_stored() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_120_000, "2000-02-29T00:00:00.120Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ];
        for (micros, expected) in cases {
            assert_eq!(date_time(micros), expected);
            assert_eq!(crate::protocol::compare::instant(expected), Some(micros));
        }
    }
}
