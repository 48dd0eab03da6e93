//! Comparison keys and typed values: one function for uniqueness, filter and sort. Strings that are not caseExact
//! compare by NFKC, full case folding, NFKC (PRECIS UsernameCaseMapped of RFC 8265, with inner blanks allowed).

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::schema::{Kind, Resolved};

/// Bytes up to which a string is normalised. NFKC lengthens text eighteenfold and takes 100 ns a byte, and nobody's name is
/// that long; longer ones compare by their case folding alone.
const NORMALISED: usize = 4096;

/// The key of a string that is not caseExact.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    if text.len() > NORMALISED {
        return Cow::Owned(caseless::default_case_fold_str(text));
    }
    let once: String = text.nfkc().collect();
    let folded = caseless::default_case_fold_str(&once);
    Cow::Owned(folded.nfkc().collect())
}

/// The key of a string by its attribute's `caseExact`.
pub fn key(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { fold(text) }
}

/// Microseconds since 1970 UTC of an `xsd:dateTime` (RFC 7643 §2.3.5), any precision; without an offset it is UTC.
pub fn instant(text: &str) -> Option<i64> {
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let with_offset = chrono::DateTime::parse_from_rfc3339(text).map(|t| t.timestamp_micros());
    with_offset
        .or_else(|_| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|t| t.and_utc().timestamp_micros())
        })
        .ok()
}

/// What a resource is sorted by: a total order within an attribute, a missing value last (RFC 7644 §3.4.2.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// `false` before `true`.
    Bool(bool),
    /// Integers and decimals.
    Number(Number),
    /// Microseconds since 1970 UTC.
    Instant(i64),
    /// The comparison key; its bytes order as its code points do.
    Text(String),
    /// No value.
    Absent,
}

/// A number of JSON with a total order.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Number {}

/// The sort key of a whole resource by an attribute: of many values the primary one's, else the first one's.
/// The descending order is this one reversed, so a missing value comes first there.
pub fn sort_key(by: &Resolved, resource: &Map<String, Value>) -> SortKey {
    let holder = match &by.extension {
        Some(urn) => resource.get(&**urn).and_then(Value::as_object),
        None => Some(resource),
    };
    let value = holder.and_then(|h| h.get(&*by.name)).and_then(leading);
    let value = match &by.sub {
        Some(sub) => value.and_then(|v| v.get(&**sub)),
        None => value,
    };
    value.map_or(SortKey::Absent, |value| typed(by, value))
}

fn leading(value: &Value) -> Option<&Value> {
    let Value::Array(elements) = value else { return Some(value) };
    let primary = elements.iter().find(|e| e.get("primary") == Some(&Value::Bool(true)));
    primary.or_else(|| elements.first())
}

fn typed(by: &Resolved, value: &Value) -> SortKey {
    match value {
        Value::Bool(b) => SortKey::Bool(*b),
        Value::Number(n) => n.as_f64().map_or(SortKey::Absent, |n| SortKey::Number(Number(n))),
        Value::String(text) if text.is_empty() => SortKey::Absent,
        Value::String(text) if by.kind == Kind::DateTime => instant(text).map_or(SortKey::Absent, SortKey::Instant),
        Value::String(text) => SortKey::Text(key(text, by.case_exact).into_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => SortKey::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::schema::Registry;
    use serde_json::json;

    #[test]
    fn keys_of_equal_names_are_equal() {
        let cases = [
            ("Bjensen@Example.COM", "bjensen@example.com"),
            ("ＡＢＣ", "abc"),
            ("e\u{301}ric", "Éric"),
            ("STRASSE", "straße"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ﬁn", "FIN"),
            ("Ⅸ", "ix"),
            ("K", "k"),
        ];
        for (a, b) in cases {
            assert_eq!(fold(a), fold(b), "{a} {b}");
            assert_ne!(key(a, true), key(b, true), "{a} {b}");
        }
    }

    #[test]
    fn folding_a_key_again_changes_nothing() {
        for text in ["ΐ", "ﬃ", "İ", "ẞ", "Å", "ᾳ", "a\u{345}\u{301}", "ｱﾞ"] {
            let once = fold(text).into_owned();
            assert_eq!(fold(&once), once, "{text}");
        }
    }

    #[test]
    fn instants_of_one_moment_are_equal_whatever_their_offset_and_precision() {
        let moment = 1_305_261_754_000_000;
        let cases: &[(&str, Option<i64>)] = &[
            ("2011-05-13T04:42:34Z", Some(moment)),
            ("2011-05-13T04:42:34.000Z", Some(moment)),
            ("2011-05-13T06:42:34+02:00", Some(moment)),
            ("2011-05-13T04:42:34", Some(moment)),
            ("2011-05-13T04:42:34.000001Z", Some(moment + 1)),
            ("2011-05-13T04:42:34.0000019Z", Some(moment + 1)),
            ("2011-05-13 04:42:34Z", None),
            ("2011-05-13", None),
            ("2011-02-30T00:00:00Z", None),
            ("", None),
            ("yesterday at noon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(instant(text), *expected, "{text}");
        }
    }

    #[test]
    fn a_resource_sorts_by_its_primary_value_or_its_first() {
        let by = |name, sub| Registry::builtin().user.resolve(None, name, sub).unwrap();
        let resource = json!({
            "userName": "Babs", "externalId": "Babs", "active": true, "nickName": "",
            "emails": [{ "value": "A@x" }, { "value": "B@x", "primary": true }],
            "phoneNumbers": [{ "value": "1" }, { "value": "2" }],
            "meta": { "created": "1970-01-01T00:00:01Z" },
        });
        let text = |t: &str| SortKey::Text(t.into());
        let cases = [
            (by("userName", None), text("babs")),
            (by("externalId", None), text("Babs")),
            (by("active", None), SortKey::Bool(true)),
            (by("emails", Some("value")), text("b@x")),
            (by("phoneNumbers", Some("value")), text("1")),
            (by("emails", Some("type")), SortKey::Absent),
            (by("meta", Some("created")), SortKey::Instant(1_000_000)),
            (by("nickName", None), SortKey::Absent),
            (by("title", None), SortKey::Absent),
        ];
        for (by, expected) in cases {
            assert_eq!(sort_key(&by, resource.as_object().unwrap()), expected, "{}", by.path());
        }
    }

    #[test]
    fn keys_order_by_value_with_the_missing_one_last() {
        let order = [
            vec![SortKey::Text("a".into()), SortKey::Text("b".into()), SortKey::Text("é".into()), SortKey::Absent],
            vec![SortKey::Bool(false), SortKey::Bool(true), SortKey::Absent],
            vec![SortKey::Number(Number(-1.5)), SortKey::Number(Number(2.0)), SortKey::Absent],
            vec![SortKey::Instant(-1), SortKey::Instant(1), SortKey::Absent],
        ];
        for keys in order {
            assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        }
    }
}
