//! The reference meaning of a bound filter over a whole resource (with `id`, `meta`, `groups`, `members`), and of the
//! filter of a value path over one element. Equality of ASCII strings allocates nothing.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::{BoundFilter, CompareOp, Operand};
use crate::protocol::compare;
use crate::protocol::schema::Resolved;

/// Whether the resource fulfils the filter. Never undefined: an absent attribute compares false, `ne` true.
pub fn evaluate(filter: &BoundFilter, resource: &Map<String, Value>) -> bool {
    holds(filter, Subject::Resource(resource), &Keys::default())
}

/// Whether one element of a multi-valued attribute fulfils the filter of a value path on that attribute.
pub fn evaluate_element(filter: &BoundFilter, element: &Value) -> bool {
    holds(filter, Subject::Element(element), &Keys::default())
}

/// Whether the comparison keys of a stored string and of a key are the same. `key` comes from `compare::key`.
pub(in crate::protocol) fn same_text(value: &str, key: &str, case_exact: bool) -> bool {
    match (case_exact, value.is_ascii()) {
        (true, _) => value == key,
        (false, true) => value.eq_ignore_ascii_case(key),
        (false, false) => compare::fold(value) == key,
    }
}

/// Keys of long texts that one evaluation has folded, by where the text stands: a filter of many terms folds each once.
#[derive(Default)]
struct Keys(RefCell<HashMap<(usize, usize), Rc<str>>>);

impl Keys {
    /// Bytes from which keeping is cheaper than folding again.
    const LONG: usize = 64;

    /// Runs `test` on the key of `text`, which is not caseExact.
    fn with(&self, text: &str, test: impl FnOnce(&str) -> bool) -> bool {
        if text.len() < Self::LONG {
            return test(&compare::fold(text));
        }
        let place = (text.as_ptr() as usize, text.len());
        let kept = self.0.borrow().get(&place).cloned();
        let key = kept.unwrap_or_else(|| {
            let key: Rc<str> = compare::fold(text).into();
            self.0.borrow_mut().insert(place, Rc::clone(&key));
            key
        });
        test(&key)
    }
}

#[derive(Clone, Copy)]
enum Subject<'a> {
    Resource(&'a Map<String, Value>),
    Element(&'a Value),
}

fn holds(filter: &BoundFilter, subject: Subject<'_>, keys: &Keys) -> bool {
    match filter {
        BoundFilter::And(all) => all.iter().all(|inner| holds(inner, subject, keys)),
        BoundFilter::Or(any) => any.iter().any(|inner| holds(inner, subject, keys)),
        BoundFilter::Not(inner) => !holds(inner, subject, keys),
        BoundFilter::Present(attr) => subject.any_value(attr, &present),
        BoundFilter::Compare(attr, CompareOp::Ne, operand) => {
            !subject.any_value(attr, &|value| compares(value, CompareOp::Eq, operand, attr.case_exact, keys))
        }
        BoundFilter::Compare(attr, op, operand) => {
            subject.any_value(attr, &|value| compares(value, *op, operand, attr.case_exact, keys))
        }
        BoundFilter::Element(attr, inner) => subject.any_element(attr, &|element| {
            let element = Subject::Element(element);
            holds(inner, element, keys)
        }),
    }
}

impl<'a> Subject<'a> {
    /// Whether any value that the path names passes.
    fn any_value(self, attr: &Resolved, test: &dyn Fn(&Value) -> bool) -> bool {
        match &attr.sub {
            None => self.any_element(attr, test),
            Some(sub) => {
                self.any_element(attr, &|element| element.get(&**sub).is_some_and(|value| any_of(value, test)))
            }
        }
    }

    /// Whether any element of the top attribute passes; a single value is its own only element.
    fn any_element(self, attr: &Resolved, test: &dyn Fn(&Value) -> bool) -> bool {
        match self {
            Subject::Element(element) => test(element),
            Subject::Resource(resource) => top(resource, attr).is_some_and(|value| any_of(value, test)),
        }
    }
}

fn any_of(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(test),
        single => test(single),
    }
}

fn top<'a>(resource: &'a Map<String, Value>, attr: &Resolved) -> Option<&'a Value> {
    match &attr.extension {
        None => resource.get(&*attr.name),
        Some(urn) => {
            let extension = resource.get(&**urn)?;
            if attr.name.is_empty() { Some(extension) } else { extension.get(&*attr.name) }
        }
    }
}

/// `pr`: not null, `""` or empty; a complex value needs a sub-attribute that is so.
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(present),
        Value::Object(members) => members.values().any(present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(value: &Value, op: CompareOp, operand: &Operand, case_exact: bool, keys: &Keys) -> bool {
    match (value, operand) {
        (Value::Bool(value), Operand::Bool(operand)) => ordered(op, value.cmp(operand)),
        (Value::Number(value), Operand::Number(operand)) => {
            value.as_f64().and_then(|value| value.partial_cmp(operand)).is_some_and(|ordering| ordered(op, ordering))
        }
        (Value::String(value), Operand::Instant(operand)) => {
            compare::instant(value).is_some_and(|value| ordered(op, value.cmp(operand)))
        }
        (Value::String(value), Operand::Text { key, .. }) => text_compares(value, op, key, case_exact, keys),
        _ => false,
    }
}

fn ordered(op: CompareOp, ordering: Ordering) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

fn text_compares(value: &str, op: CompareOp, key: &str, case_exact: bool, keys: &Keys) -> bool {
    if op == CompareOp::Eq && (case_exact || value.is_ascii()) {
        return same_text(value, key, case_exact);
    }
    let test = |value: &str| match op {
        CompareOp::Co => value.contains(key),
        CompareOp::Sw => value.starts_with(key),
        CompareOp::Ew => value.ends_with(key),
        // Byte order of UTF-8 is code point order.
        _ => ordered(op, value.cmp(key)),
    };
    if case_exact { test(value) } else { keys.with(value, test) }
}
