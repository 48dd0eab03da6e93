//! Canonicalises and judges a body per request kind (RFC 7643 §2, RFC 7644 §3.3, §3.5.1): names to canonical spelling,
//! unknown and readOnly attributes dropped, types checked, required present, `null` and `[]` unassigned.
//! `json` reads the bytes, `value` one attribute's value, `user_name` holds the rules of `userName`.
//! It does not know whether a member exists or a name is taken.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::ScimError;
use super::policy::Policy;
use super::resource::Resource;
use super::schema::{Attribute, Kind, Mutability, ResourceKind, ResourceType};
use value::{Seen, canonical_name};

mod json;
#[cfg(test)]
mod tests;
mod user_name;
mod value;

pub use json::parse_json;
pub use value::canonical_value;

/// A body that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The writable attributes.
    pub resource: Resource,
    /// Ids of `members` in order, each once; `None` where the body has none (or the type has no members).
    pub members: Option<Vec<String>>,
}

/// Judges a POST body. `active` absent becomes `true` on a User.
///
/// # Errors
/// 400 `invalidSyntax` (not an object, `schemas` wrong, a name twice) or `invalidValue`. Nesting and the number of
/// an object's members are judged by `parse_json`.
pub fn create(body: Value, rt: &ResourceType, policy: &Policy) -> Result<Validated, ScimError> {
    let mut validated = read(body, rt, policy)?;
    let attributes = &mut validated.resource.attributes;
    if rt.kind == ResourceKind::User && !attributes.contains_key("active") {
        attributes.insert("active".to_owned(), Value::Bool(true));
    }
    check_required(&validated.resource, rt)?;
    check_user_name(&validated.resource, rt, policy)?;
    Ok(validated)
}

/// Judges a PUT body against the stored resource: absent attributes are cleared, except `active`.
///
/// # Errors
/// As `create`, and 400 `mutability` for a changed immutable attribute.
pub fn replace(body: Value, rt: &ResourceType, current: &Resource, policy: &Policy) -> Result<Validated, ScimError> {
    let mut validated = read(body, rt, policy)?;
    let attributes = &mut validated.resource.attributes;
    // A profile PUT that leaves `active` out must not let a leaver in again.
    if rt.kind == ResourceKind::User
        && !attributes.contains_key("active")
        && let Some(active) = current.attributes.get("active")
    {
        attributes.insert("active".to_owned(), active.clone());
    }
    keep_immutable(&rt.core.attributes, attributes, &current.attributes)?;
    for schema in &rt.extensions {
        let (Some(Value::Object(old)), Some(Value::Object(new))) =
            (current.attributes.get(&*schema.id), attributes.get_mut(&*schema.id))
        else {
            continue;
        };
        keep_immutable(&schema.attributes, new, old)?;
    }
    check_required(&validated.resource, rt)?;
    check_user_name(&validated.resource, rt, policy)?;
    Ok(validated)
}

/// Judges a resource that PATCH made of canonical values.
///
/// # Errors
/// 400 `invalidValue` (required attribute missing, too many values, two primary values, `userName`).
pub fn check(resource: &Resource, rt: &ResourceType, policy: &Policy) -> Result<(), ScimError> {
    check_values(&rt.core.attributes, &resource.attributes, policy)?;
    for schema in &rt.extensions {
        if let Some(Value::Object(held)) = resource.attributes.get(&*schema.id) {
            check_values(&schema.attributes, held, policy)?;
        }
    }
    check_required(resource, rt)?;
    check_user_name(resource, rt, policy)
}

/// Refuses a resource that many requests made larger than one may be.
///
/// # Errors
/// 413.
pub fn check_size(document: &str, policy: &Policy) -> Result<(), ScimError> {
    let most = policy.limits.resource_bytes;
    if document.len() > most {
        let text = format!("The resource would be {} bytes long; at most {most} are stored", document.len());
        return Err(ScimError::new(413, None, text));
    }
    Ok(())
}

/// Makes `schemas` the type's own URN and those of the extensions that hold data, and drops extensions without any.
pub fn list_schemas(attributes: &mut Map<String, Value>, rt: &ResourceType) {
    let mut urns = vec![Value::from(&*rt.core.id)];
    for schema in &rt.extensions {
        match attributes.get(&*schema.id) {
            Some(Value::Object(held)) if !held.is_empty() => urns.push(Value::from(&*schema.id)),
            Some(_) => _ = attributes.shift_remove(&*schema.id),
            None => {}
        }
    }
    // An existing key keeps its place; a new one belongs in front.
    if let Some(schemas) = attributes.get_mut("schemas") {
        *schemas = Value::Array(urns);
    } else {
        attributes.shift_insert(0, "schemas".to_owned(), Value::Array(urns));
    }
}

fn read(body: Value, rt: &ResourceType, policy: &Policy) -> Result<Validated, ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::invalid_syntax("The body must be a JSON object"));
    };
    let mut out = Map::with_capacity(body.len() + 2);
    out.insert("schemas".to_owned(), Value::Null);
    let mut seen = Seen::default();
    let mut extensions_seen = HashSet::new();
    let mut members = None;
    let mut has_schemas = false;
    for (name, value) in body {
        if let Some(attr) = rt.attribute(&name) {
            seen.once(attr)?;
            match &*attr.name {
                "schemas" => {
                    check_schemas(&value, rt)?;
                    has_schemas = true;
                }
                "members" => members = read_members(attr, value, policy)?,
                _ => put(&mut out, attr, name, value, policy)?,
            }
        } else if let Some(schema) = rt.extension(&name) {
            if !extensions_seen.insert(schema.id.clone()) {
                return Err(ScimError::invalid_syntax(format!("`{}` stands twice in the body", schema.id)));
            }
            if let Some(held) = read_extension(&schema.attributes, &schema.id, value, policy)? {
                out.insert(schema.id.to_string(), Value::Object(held));
            }
        }
    }
    if !has_schemas {
        return Err(missing_schema(rt));
    }
    list_schemas(&mut out, rt);
    Ok(Validated { resource: Resource { attributes: out }, members })
}

fn read_extension(
    attributes: &[Attribute],
    urn: &str,
    value: Value,
    policy: &Policy,
) -> Result<Option<Map<String, Value>>, ScimError> {
    let body = match value {
        Value::Null => return Ok(None),
        Value::Object(body) => body,
        _ => return Err(ScimError::invalid_value(format!("`{urn}` must be an object"))),
    };
    let mut out = Map::with_capacity(body.len());
    let mut seen = Seen::default();
    for (name, value) in body {
        if let Some(attr) = attributes.iter().find(|a| a.name.eq_ignore_ascii_case(&name)) {
            seen.once(attr)?;
            put(&mut out, attr, name, value, policy)?;
        }
    }
    Ok((!out.is_empty()).then_some(out))
}

/// Stores one attribute under its canonical name; readOnly ones are ignored, `password` is judged and forgotten.
fn put(
    out: &mut Map<String, Value>,
    attr: &Attribute,
    name: String,
    value: Value,
    policy: &Policy,
) -> Result<(), ScimError> {
    if attr.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let is_element = !matches!(&value, Value::Array(_) | Value::Null) && value != "";
    if attr.multi_valued && is_element {
        return Err(value::wrong_type(attr, None, "an array"));
    }
    if let Some(value) = canonical_value(attr, value, policy)?
        && attr.mutability != Mutability::WriteOnly
    {
        out.insert(canonical_name(name, attr), value);
    }
    Ok(())
}

fn check_schemas(value: &Value, rt: &ResourceType) -> Result<(), ScimError> {
    let urns = value.as_array().ok_or_else(|| ScimError::invalid_syntax("`schemas` must be an array of URNs"))?;
    if !urns.iter().all(Value::is_string) {
        return Err(ScimError::invalid_syntax("`schemas` must hold strings only"));
    }
    if urns.iter().filter_map(Value::as_str).any(|urn| rt.core.id.eq_ignore_ascii_case(urn)) {
        return Ok(());
    }
    Err(missing_schema(rt))
}

fn missing_schema(rt: &ResourceType) -> ScimError {
    ScimError::invalid_syntax(format!("`schemas` must hold \"{}\"", rt.core.id))
}

/// The ids in `members`; `display`, `type` and `$ref` are derived, so what the client sends there is not read (R20).
fn read_members(attr: &Attribute, value: Value, policy: &Policy) -> Result<Option<Vec<String>>, ScimError> {
    let elements = match value {
        Value::Null => return Ok(None),
        Value::Array(elements) => elements,
        _ => return Err(value::wrong_type(attr, None, "an array")),
    };
    let most = policy.limits.group_members;
    if elements.len() > most {
        return Err(ScimError::invalid_value(format!("`members` has more than {most} values in one request")));
    }
    let mut ids = Vec::with_capacity(elements.len());
    for element in elements {
        if !element.is_null() {
            ids.push(member_id(element)?);
        }
    }
    let mut seen = HashSet::with_capacity(ids.len());
    let first: Vec<bool> = ids.iter().map(|id| seen.insert(id.as_str())).collect();
    let mut first = first.into_iter();
    ids.retain(|_| first.next().unwrap_or_default());
    Ok(Some(ids))
}

/// The `value` of one element of `members`.
///
/// # Errors
/// 400 `invalidValue` where there is no non-empty string, 400 `invalidSyntax` where `value` stands twice.
pub fn member_id(element: Value) -> Result<String, ScimError> {
    let Value::Object(object) = element else {
        return Err(ScimError::invalid_value("An element of `members` must be an object with `value`"));
    };
    let mut id = None;
    for (name, value) in object {
        if name.eq_ignore_ascii_case("value") && id.replace(value).is_some() {
            return Err(ScimError::invalid_syntax("`value` stands twice in an element of `members`"));
        }
    }
    match id {
        Some(Value::String(id)) if !id.is_empty() && !id.contains('\0') => Ok(id),
        _ => Err(ScimError::invalid_value("`members.value` must be the id of a user or group")),
    }
}

fn keep_immutable(
    attributes: &[Attribute],
    new: &mut Map<String, Value>,
    old: &Map<String, Value>,
) -> Result<(), ScimError> {
    for attr in attributes.iter().filter(|a| a.mutability == Mutability::Immutable) {
        let Some(stored) = old.get(&*attr.name) else { continue };
        match new.get(&*attr.name) {
            Some(sent) if sent != stored => {
                return Err(ScimError::mutability(format!("`{}` is immutable and has another value", attr.name)));
            }
            Some(_) => {}
            None => _ = new.insert(attr.name.to_string(), stored.clone()),
        }
    }
    Ok(())
}

fn check_values(attributes: &[Attribute], held: &Map<String, Value>, policy: &Policy) -> Result<(), ScimError> {
    for attr in attributes.iter().filter(|a| a.multi_valued) {
        let Some(Value::Array(elements)) = held.get(&*attr.name) else { continue };
        let most = policy.limits.attribute_values;
        if elements.len() > most {
            return Err(ScimError::invalid_value(format!("`{}` has more than {most} values", attr.name)));
        }
        value::check_primary(attr, elements)?;
    }
    Ok(())
}

fn check_required(resource: &Resource, rt: &ResourceType) -> Result<(), ScimError> {
    require(&rt.core.attributes, &resource.attributes)?;
    for schema in &rt.extensions {
        if let Some(Value::Object(held)) = resource.attributes.get(&*schema.id) {
            require(&schema.attributes, held)?;
        }
    }
    Ok(())
}

fn require(attributes: &[Attribute], held: &Map<String, Value>) -> Result<(), ScimError> {
    for attr in attributes.iter().filter(|a| a.required && a.mutability != Mutability::ReadOnly) {
        let blank = |v: &Value| attr.kind == Kind::String && v.as_str().is_some_and(|text| text.trim().is_empty());
        if held.get(&*attr.name).is_none_or(blank) {
            return Err(ScimError::invalid_value(format!("`{}` is required and must not be blank", attr.name)));
        }
    }
    Ok(())
}

fn check_user_name(resource: &Resource, rt: &ResourceType, policy: &Policy) -> Result<(), ScimError> {
    match resource.user_name() {
        Some(name) if rt.kind == ResourceKind::User => user_name::check_user_name(name, &policy.limits),
        _ => Ok(()),
    }
}
