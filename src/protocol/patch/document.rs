//! Places in a resource's attribute map: core attributes at the top, an extension's in its object. A place that ends up
//! empty goes, and so does the object around it (RFC 7643 §2.5: unassigned is absent).

use std::mem;

use serde_json::{Map, Value};

use crate::protocol::error::ScimError;
use crate::protocol::schema::Resolved;

/// What stands at the place.
pub(super) fn get<'a>(document: &'a Map<String, Value>, attr: &Resolved) -> Option<&'a Value> {
    let holder = match &attr.extension {
        None => document,
        Some(urn) if attr.name.is_empty() => return document.get(&**urn),
        Some(urn) => document.get(&**urn)?.as_object()?,
    };
    let top = holder.get(&*attr.name)?;
    match &attr.sub {
        None => Some(top),
        Some(sub) => top.get(&**sub),
    }
}

/// Writes a single-valued attribute, or a sub-attribute of one.
pub(super) fn set(document: &mut Map<String, Value>, attr: &Resolved, value: Value) {
    let holder = match &attr.extension {
        None => Some(document),
        Some(urn) => object(document, urn),
    };
    let Some(holder) = holder else { return };
    let Some(sub) = &attr.sub else {
        holder.insert(attr.name.to_string(), value);
        return;
    };
    let Some(complex) = object(holder, &attr.name) else { return };
    if complex.get(&**sub) != Some(&value) {
        forget_reference(complex, sub);
    }
    complex.insert(sub.to_string(), value);
}

/// Makes a place unassigned.
pub(super) fn clear(document: &mut Map<String, Value>, attr: &Resolved) {
    match &attr.extension {
        None => clear_in(document, attr),
        Some(urn) if attr.name.is_empty() => drop(document.shift_remove(&**urn)),
        Some(urn) => {
            let Some(extension) = document.get_mut(&**urn).and_then(Value::as_object_mut) else { return };
            clear_in(extension, attr);
            if extension.is_empty() {
                document.shift_remove(&**urn);
            }
        }
    }
}

fn clear_in(holder: &mut Map<String, Value>, attr: &Resolved) {
    let Some(sub) = &attr.sub else {
        holder.shift_remove(&*attr.name);
        return;
    };
    let Some(complex) = holder.get_mut(&*attr.name).and_then(Value::as_object_mut) else { return };
    if complex.shift_remove(&**sub).is_some() {
        forget_reference(complex, sub);
    }
    if complex.is_empty() {
        holder.shift_remove(&*attr.name);
    }
}

/// Lets `edit` change the elements of an attribute; a single value is its own only element.
pub(super) fn edit(
    document: &mut Map<String, Value>,
    attr: &Resolved,
    edit: impl FnOnce(&mut Vec<Value>) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    let mut values = match slot(document, attr).map(mem::take) {
        Some(Value::Array(values)) => values,
        Some(single) => vec![single],
        None => Vec::new(),
    };
    edit(&mut values)?;
    let new = if attr.multi_valued && !values.is_empty() { Some(Value::Array(values)) } else { values.pop() };
    match (slot(document, attr), new) {
        (Some(slot), Some(new)) => *slot = new,
        (None, Some(new)) => set(document, attr, new),
        (Some(_), None) => clear(document, attr),
        (None, None) => {}
    }
    Ok(())
}

fn slot<'a>(document: &'a mut Map<String, Value>, attr: &Resolved) -> Option<&'a mut Value> {
    match &attr.extension {
        None => document.get_mut(&*attr.name),
        Some(urn) => document.get_mut(&**urn)?.get_mut(&*attr.name),
    }
}

/// `$ref` says where `value` is: it does not outlive it.
fn forget_reference(complex: &mut Map<String, Value>, changed: &str) {
    if changed == "value" {
        complex.shift_remove("$ref");
    }
}

/// The object at the key, made where there is none.
fn object<'a>(holder: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    if !holder.get(key).is_some_and(Value::is_object) {
        holder.insert(key.to_owned(), Value::Object(Map::new()));
    }
    holder.get_mut(key)?.as_object_mut()
}
