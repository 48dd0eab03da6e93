//! Elements of a multi-valued attribute: (type, value) is an element's identity, so that adding one again changes nothing
//! and storage can key its rows by it. Elements without `value` (addresses) are the same when all of them is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;

use serde_json::{Map, Value};

use super::primary;
use super::step::{Change, Selection};
use crate::protocol::compare;
use crate::protocol::error::ScimError;
use crate::protocol::filter::evaluate::evaluate_element;
use crate::protocol::schema::{Attribute, Resolved};

/// How the elements of one attribute compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cases {
    value_exact: bool,
    type_exact: bool,
}

impl Cases {
    /// By the attribute's definition; a simple attribute compares its values themselves.
    pub(super) fn of(definition: Option<&Attribute>) -> Self {
        let exact = |sub: &str| definition.and_then(|attr| attr.sub(sub)).map(|sub| sub.case_exact);
        let own = definition.is_some_and(|attr| attr.case_exact);
        Cases { value_exact: exact("value").unwrap_or(own), type_exact: exact("type").unwrap_or(false) }
    }

    fn identity<'a>(self, element: &'a Value) -> Identity<'a> {
        let (value, kind) = match element {
            Value::Object(members) => (members.get("value"), members.get("type").and_then(Value::as_str)),
            simple => (Some(simple), None),
        };
        match value {
            Some(Value::String(text)) => Identity::Text(
                compare::key(text, self.value_exact),
                kind.map(|kind| compare::key(kind, self.type_exact)).unwrap_or_default(),
            ),
            _ => Identity::Whole(sorted_text(element)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity<'a> {
    Text(Cow<'a, str>, Cow<'a, str>),
    Whole(String),
}

/// Elements are the same whatever the order of their members.
fn sorted_text(element: &Value) -> String {
    let Value::Object(members) = element else { return element.to_string() };
    let mut parts: Vec<String> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    parts.sort();
    parts.join(",")
}

/// Adds elements; one that is there already takes over what the new one says. Gives the places of all added ones.
pub(super) fn add(values: &mut Vec<Value>, added: &[Value], cases: Cases) -> Vec<usize> {
    let present = values.len();
    values.extend_from_slice(added);
    fold(values, cases).split_off(present)
}

/// Makes one of elements that are the same: the first one's place, the last one's word. Gives each element's new place.
fn fold(values: &mut Vec<Value>, cases: Cases) -> Vec<usize> {
    let before = mem::take(values);
    let mut places = Vec::with_capacity(before.len());
    // Keys borrow from the elements, so that looking at a list of plain lower-case values copies none of them.
    let mut known = HashMap::with_capacity(before.len());
    for element in &before {
        let next = known.len();
        places.push(*known.entry(cases.identity(element)).or_insert(next));
    }
    drop(known);
    for (element, &place) in before.into_iter().zip(&places) {
        match values.get_mut(place) {
            Some(present) => merge(present, &element),
            None => values.push(element),
        }
    }
    places
}

fn merge(present: &mut Value, new: &Value) {
    match (present, new) {
        (Value::Object(present), Value::Object(new)) => merge_members(present, new),
        (present, new) => *present = new.clone(),
    }
}

fn merge_members(present: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (key, value) in new {
        if key == "value" && present.get(key) != Some(value) {
            present.shift_remove("$ref");
        }
        present.insert(key.clone(), value.clone());
    }
}

/// Takes listed elements out (R9): those of the same `value`, and of the same `type` where the list names one.
pub(super) fn discard(values: &mut Vec<Value>, listed: &[Value], cases: Cases) {
    let same = |element: &Value, listed: &Value| match (element, listed) {
        (Value::Object(element), Value::Object(listed)) => {
            let mut keys = listed.iter().filter(|(key, _)| !listed.contains_key("value") || is_identity(key));
            keys.all(|(key, value)| element.get(key).is_some_and(|own| same_value(own, value, key, cases)))
        }
        (element, Value::Object(listed)) => listed.get("value").is_some_and(|v| same_value(element, v, "value", cases)),
        (element, listed) => same_value(element, listed, "value", cases),
    };
    values.retain(|element| !listed.iter().any(|listed| same(element, listed)));
}

fn is_identity(key: &str) -> bool {
    matches!(key, "value" | "type")
}

fn same_value(own: &Value, other: &Value, key: &str, cases: Cases) -> bool {
    let exact = match key {
        "value" => cases.value_exact,
        "type" => cases.type_exact,
        _ => false,
    };
    match (own, other) {
        (Value::String(own), Value::String(other)) => compare::key(own, exact) == compare::key(other, exact),
        (own, other) => own == other,
    }
}

/// Changes the selected elements.
pub(super) fn change(
    values: &mut Vec<Value>,
    attr: &Resolved,
    selection: &Selection,
    change: &Change,
    cases: Cases,
) -> Result<(), ScimError> {
    let selected = |element: &Value| selection.filter.as_ref().is_none_or(|filter| evaluate_element(filter, element));
    match change {
        Change::Remove => values.retain(|element| !selected(element)),
        Change::ClearSub(sub) => values.retain_mut(|element| !selected(element) || keeps_content(element, sub)),
        Change::Replace(members) | Change::Merge(members) => {
            let mut touched: Vec<usize> =
                values.iter().enumerate().filter(|(_, element)| selected(element)).map(|(at, _)| at).collect();
            if touched.is_empty() {
                touched.push(values.len());
                values.push(Value::Object(selection.seed.clone().ok_or_else(|| no_target(attr))?));
                touched.iter().for_each(|&at| write(values, at, &Change::Merge(members.clone())));
            } else {
                touched.iter().for_each(|&at| write(values, at, change));
            }
            return settle(values, &touched, members, cases);
        }
    }
    Ok(())
}

fn write(values: &mut [Value], at: usize, change: &Change) {
    match (values.get_mut(at), change) {
        (Some(element), Change::Replace(members)) => *element = Value::Object(members.clone()),
        (Some(Value::Object(element)), Change::Merge(members)) => merge_members(element, members),
        _ => {}
    }
}

/// Folds elements that a change made the same, then sees to `primary` where the change speaks of it.
fn settle(
    values: &mut Vec<Value>,
    touched: &[usize],
    members: &Map<String, Value>,
    cases: Cases,
) -> Result<(), ScimError> {
    let places = fold(values, cases);
    let touched: Vec<usize> = touched.iter().filter_map(|&at| places.get(at).copied()).collect();
    match members.get("primary") {
        Some(Value::Bool(true)) => primary::settle(values, &touched),
        _ => Ok(()),
    }
}

/// Takes a sub-attribute away; whether anything but labels (`type`, `primary`) remains.
fn keeps_content(element: &mut Value, sub: &str) -> bool {
    let Value::Object(members) = element else { return true };
    let removed = members.shift_remove(sub).is_some();
    !removed || members.keys().any(|key| !matches!(key.as_str(), "type" | "primary" | "$ref"))
}

fn no_target(attr: &Resolved) -> ScimError {
    ScimError::no_target(format!("No value of '{}' is selected by the path", attr.path()))
}
