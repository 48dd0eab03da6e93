//! What a PATCH came to: `schemas` follows the extensions that have data (RFC 7644 §3.5.2), and the paths that differ.

use serde_json::{Map, Value};

use crate::protocol::schema::ResourceType;
use crate::protocol::validate::list_schemas;

/// Lists extensions that got data (R15), drops those that lost theirs.
pub(super) fn settle_schemas(after: &mut Map<String, Value>, before: &Map<String, Value>, rt: &ResourceType) {
    let moved = |urn: &str| after.contains_key(urn) != before.contains_key(urn);
    if rt.extensions.iter().any(|extension| moved(&extension.id)) {
        list_schemas(after, rt);
    }
}

/// Canonical paths of what differs: sub-attributes of single complex values, attributes otherwise. `schemas` only ever
/// follows an extension, which is listed itself.
pub(super) fn changed(before: &Map<String, Value>, after: &Map<String, Value>, rt: &ResourceType) -> Vec<String> {
    let mut paths = Vec::new();
    differing(before, after, |key, old, new| match rt.extension(key) {
        _ if key == "schemas" => {}
        None => attribute(key.to_owned(), old, new, &mut paths),
        Some(_) => differing(object(old), object(new), |name, old, new| {
            attribute(format!("{key}:{name}"), old, new, &mut paths);
        }),
    });
    paths
}

fn attribute(path: String, old: Option<&Value>, new: Option<&Value>, paths: &mut Vec<String>) {
    let complex = |value: Option<&Value>| value.is_some_and(Value::is_object);
    if complex(old) || complex(new) {
        differing(object(old), object(new), |sub, _, _| paths.push(format!("{path}.{sub}")));
    } else {
        paths.push(path);
    }
}

/// Calls for each key whose values differ, new ones first in their order, then those that went.
fn differing<'a>(
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
    mut call: impl FnMut(&str, Option<&'a Value>, Option<&'a Value>),
) {
    for (key, new) in after {
        let old = before.get(key);
        if old != Some(new) {
            call(key, old, Some(new));
        }
    }
    for (key, old) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        call(key, Some(old), None);
    }
}

static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

fn object(value: Option<&Value>) -> &Map<String, Value> {
    value.and_then(Value::as_object).unwrap_or(&EMPTY)
}
