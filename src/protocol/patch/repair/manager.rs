//! R13: `manager` as bare string, as `{"value"}`, as one-element array; `""`, `null` and `{"value":""}` clear it; and
//! `manager[value eq "ID"]` for `remove`, although the attribute has one value only.

use serde_json::{Map, Value};

use crate::protocol::policy::Policy;
use crate::protocol::schema::{Attribute, Resolved};

/// Whether the path names such an attribute as a whole: single-valued, referring to something by `value`.
pub(in crate::protocol::patch) fn applies(attr: &Resolved, definition: &Attribute, policy: &Policy) -> bool {
    policy.repairs.manager_shapes && attr.sub.is_none() && !attr.multi_valued && definition.sub("value").is_some()
}

/// The value as a complex attribute has it, or null.
pub(in crate::protocol::patch) fn value(sent: Value) -> Value {
    match sent {
        Value::Array(mut values) if values.len() <= 1 => values.pop().map_or(Value::Null, value),
        Value::String(id) if id.is_empty() => Value::Null,
        Value::String(id) => Value::Object(Map::from_iter([("value".to_owned(), Value::String(id))])),
        Value::Object(members) if names_nobody(&members) => Value::Null,
        other => other,
    }
}

fn names_nobody(members: &Map<String, Value>) -> bool {
    let id = members.iter().find(|(key, _)| key.eq_ignore_ascii_case("value")).map(|(_, value)| value);
    id.is_some_and(|id| id.is_null() || id.as_str() == Some(""))
}
