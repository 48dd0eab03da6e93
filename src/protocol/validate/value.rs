//! Canonicalises one attribute's value by its definition (RFC 7643 §2.3 to §2.5). Values are moved, not copied; a name
//! is allocated only where the client's letter case differs.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::protocol::compare;
use crate::protocol::error::ScimError;
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Attribute, Kind, Mutability};

/// Canonicalises one value of an attribute: names of sub-attributes, boolean strings, types and limits. For a
/// multi-valued attribute the value is the whole array or one element of it, and the answer has the same shape.
/// `None` is unassigned: `null`, `[]`, an empty object and, by policy, `""`. An element whose `value` is given and
/// empty is unassigned as a whole: what would be left is a label for nothing.
///
/// # Errors
/// 400 `invalidValue` (wrong type, limits, U+0000, two primary values), 400 `invalidSyntax` (a name twice in other
/// letter case).
pub fn canonical_value(attr: &Attribute, value: Value, policy: &Policy) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Array(elements) if attr.multi_valued => array(attr, elements, policy),
        value => single(attr, None, value, policy),
    }
}

/// Names met so far in one object, so that a name twice in other letter case is found even where one is unassigned.
#[derive(Default)]
pub(super) struct Seen<'a>(Vec<&'a Attribute>);

impl<'a> Seen<'a> {
    pub(super) fn once(&mut self, attr: &'a Attribute) -> Result<(), ScimError> {
        if self.0.iter().any(|a| std::ptr::eq(*a, attr)) {
            return Err(ScimError::invalid_syntax(format!("`{}` stands twice in one object", attr.name)));
        }
        self.0.push(attr);
        Ok(())
    }
}

/// The canonical name, in the client's own allocation where the letter case agrees.
pub(super) fn canonical_name(sent: String, attr: &Attribute) -> String {
    if *sent == *attr.name { sent } else { attr.name.to_string() }
}

fn array(attr: &Attribute, elements: Vec<Value>, policy: &Policy) -> Result<Option<Value>, ScimError> {
    let most = policy.limits.attribute_values;
    if elements.len() > most {
        return Err(ScimError::invalid_value(format!("`{}` has more than {most} values", attr.name)));
    }
    let mut kept = Vec::with_capacity(elements.len());
    for element in elements {
        kept.extend(single(attr, None, element, policy)?);
    }
    fold_duplicates(attr, &mut kept);
    check_primary(attr, &kept)?;
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// Refuses a second `primary: true` (RFC 7643 §2.4).
pub(super) fn check_primary(attr: &Attribute, elements: &[Value]) -> Result<(), ScimError> {
    if elements.iter().filter(|e| is_primary(e)).count() > 1 {
        return Err(ScimError::invalid_value(format!("`{}` has more than one value with `primary` true", attr.name)));
    }
    Ok(())
}

fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Keeps the first of elements with the same (type, value) (RFC 7643 §2.4); it becomes primary when a folded one was.
fn fold_duplicates(attr: &Attribute, elements: &mut Vec<Value>) {
    let Some(value_attr) = attr.sub("value").filter(|_| elements.len() > 1) else { return };
    let key = |element: &Value| -> Option<(String, String)> {
        let value = element.get("value")?.as_str()?;
        let label = element.get("type").and_then(Value::as_str).unwrap_or_default();
        Some((compare::fold(label).into_owned(), compare::key(value, value_attr.case_exact).into_owned()))
    };
    let mut seen = HashSet::with_capacity(elements.len());
    let mut primaries = HashSet::new();
    let keys: Vec<_> = elements.iter().map(key).collect();
    let mut remaining = keys.iter();
    elements.retain(|element| match remaining.next() {
        Some(Some(key)) => {
            let first = seen.insert(key);
            if !first && is_primary(element) {
                primaries.insert(key);
            }
            first
        }
        _ => true,
    });
    if primaries.is_empty() {
        return;
    }
    for element in elements {
        if key(element).is_some_and(|k| primaries.contains(&k))
            && let Some(object) = element.as_object_mut()
        {
            object.insert("primary".into(), Value::Bool(true));
        }
    }
}

fn single(
    attr: &Attribute,
    parent: Option<&Attribute>,
    value: Value,
    policy: &Policy,
) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Null => return Ok(None),
        Value::Array(elements) if elements.is_empty() => return Ok(None),
        // A required attribute is then missing, which is judged where the whole resource is seen.
        Value::String(text) if text.is_empty() && (policy.repairs.empty_string_clears || attr.required) => {
            return Ok(None);
        }
        _ => {}
    }
    if attr.kind == Kind::Complex {
        return complex(attr, value, policy);
    }
    if attr.kind == Kind::Boolean {
        return boolean(attr, parent, value, policy).map(Some);
    }
    let expected = match (&value, attr.kind) {
        (Value::String(text), Kind::String | Kind::Reference | Kind::DateTime | Kind::Binary) => {
            check_text(attr, parent, text, policy)?;
            return Ok(Some(value));
        }
        (Value::Number(n), Kind::Integer) if n.is_i64() || n.is_u64() => return Ok(Some(value)),
        (Value::Number(_), Kind::Decimal) => return Ok(Some(value)),
        (_, Kind::Integer) => "an integer",
        (_, Kind::Decimal) => "a number",
        _ => "a string",
    };
    Err(wrong_type(attr, parent, expected))
}

fn boolean(attr: &Attribute, parent: Option<&Attribute>, value: Value, policy: &Policy) -> Result<Value, ScimError> {
    match &value {
        Value::Bool(_) => return Ok(value),
        Value::String(text) if policy.repairs.boolean_strings => {
            if text.eq_ignore_ascii_case("true") {
                return Ok(Value::Bool(true));
            }
            if text.eq_ignore_ascii_case("false") {
                return Ok(Value::Bool(false));
            }
        }
        _ => {}
    }
    Err(wrong_type(attr, parent, "true or false"))
}

fn complex(attr: &Attribute, value: Value, policy: &Policy) -> Result<Option<Value>, ScimError> {
    let Value::Object(members) = mend_shape(attr, value, policy) else {
        return Err(wrong_type(attr, None, "an object"));
    };
    let mut out = Map::with_capacity(members.len());
    let mut seen = Seen::default();
    let mut value_is_empty = false;
    for (name, value) in members {
        let Some(sub) = attr.sub(&name) else { continue };
        seen.once(sub)?;
        if sub.mutability == Mutability::ReadOnly {
            continue;
        }
        match single(sub, Some(attr), value, policy)? {
            Some(value) => _ = out.insert(canonical_name(name, sub), value),
            None => value_is_empty |= &*sub.name == "value",
        }
    }
    Ok((!value_is_empty && !out.is_empty()).then_some(Value::Object(out)))
}

/// R13: a singular attribute that refers to something by `value` (manager) may come as the bare value or in an array.
fn mend_shape(attr: &Attribute, value: Value, policy: &Policy) -> Value {
    if attr.multi_valued || !policy.repairs.manager_shapes || attr.sub("value").is_none() {
        return value;
    }
    let value = match value {
        Value::Array(mut elements) if elements.len() == 1 => elements.pop().unwrap_or_default(),
        other => other,
    };
    match value {
        Value::String(_) | Value::Null => Value::Object(Map::from_iter([("value".to_owned(), value)])),
        other => other,
    }
}

fn check_text(attr: &Attribute, parent: Option<&Attribute>, text: &str, policy: &Policy) -> Result<(), ScimError> {
    let most = policy.limits.string_bytes;
    if text.len() > most {
        return Err(refused(attr, parent, &format!("is longer than {most} bytes")));
    }
    if text.as_bytes().contains(&0) {
        return Err(refused(attr, parent, "holds U+0000"));
    }
    match attr.kind {
        Kind::DateTime if compare::instant(text).is_none() => {
            Err(wrong_type(attr, parent, "a date-time (xsd:dateTime)"))
        }
        Kind::Binary if !is_base64(text) => Err(wrong_type(attr, parent, "base64")),
        // A URI by RFC 3986 would be narrower, but a cosmetic link must not stop a person's synchronisation.
        Kind::Reference if text.chars().any(char::is_control) => Err(wrong_type(attr, parent, "a URI")),
        _ => Ok(()),
    }
}

/// RFC 4648 §4 or §5, padding optional (RFC 7643 §2.3.6), nothing decoded.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let url_safe = plain || digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    url_safe && digits.len() % 4 != 1 && (padding == 0 || (padding <= 2 && text.len().is_multiple_of(4)))
}

pub(super) fn wrong_type(attr: &Attribute, parent: Option<&Attribute>, expected: &str) -> ScimError {
    refused(attr, parent, &format!("must be {expected}"))
}

fn refused(attr: &Attribute, parent: Option<&Attribute>, why: &str) -> ScimError {
    let path: Cow<'_, str> = match parent {
        Some(parent) => format!("{}.{}", parent.name, attr.name).into(),
        None => Cow::Borrowed(&attr.name),
    };
    ScimError::invalid_value(format!("`{path}` {why}"))
}
