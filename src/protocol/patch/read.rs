//! Turns operations into steps: targets resolved, values canonical, what the schema forbids refused. A path-less value
//! becomes a step for each of its keys, a complex value one for each sub-attribute, so that both merge (R4).

use serde_json::{Map, Value};

use super::envelope::{Operation, Verb};
use super::step::{Change, Selection, Step};
use super::target::{self, Target};
use super::{members, primary, repair};
use crate::protocol::error::ScimError;
use crate::protocol::filter::bind::bind_selection;
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Attribute, Kind, Mutability, Resolved, ResourceType};
use crate::protocol::validate::canonical_value;

/// The steps of all operations, in order.
pub(super) fn steps(operations: Vec<Operation>, rt: &ResourceType, policy: &Policy) -> Result<Vec<Step>, ScimError> {
    let mut reader = Reader { rt, policy, steps: Vec::with_capacity(operations.len()) };
    for operation in operations {
        reader.operation(operation)?;
    }
    members::check_count(&reader.steps, policy)?;
    Ok(reader.steps)
}

struct Reader<'a> {
    rt: &'a ResourceType,
    policy: &'a Policy,
    steps: Vec<Step>,
}

impl<'a> Reader<'a> {
    fn operation(&mut self, operation: Operation) -> Result<(), ScimError> {
        let Operation { verb, path, value } = operation;
        match (path, verb) {
            (None, Verb::Remove) => {
                Err(ScimError::no_target("'remove' needs a 'path': name the attribute or value to remove"))
            }
            (None, _) => self.path_less(verb, value),
            (Some(path), _) => {
                let target = target::find(&path, self.rt, self.policy)?;
                if target.attr.mutability == Mutability::ReadOnly && !target.is_members(self.rt) {
                    return Err(ScimError::mutability(format!("Attribute '{}' is readOnly", target.attr.path())));
                }
                self.targeted(verb, target, value)
            }
        }
    }

    fn path_less(&mut self, verb: Verb, value: Option<Value>) -> Result<(), ScimError> {
        let Some(Value::Object(members)) = value else {
            return Err(ScimError::invalid_value("An operation without 'path' needs an object as its 'value'"));
        };
        members.into_iter().try_for_each(|(key, value)| self.key(verb, &key, value))
    }

    /// One key of a path-less value; an unknown one is dropped (R17).
    fn key(&mut self, verb: Verb, key: &str, value: Value) -> Result<(), ScimError> {
        let whole_extension = self.rt.extension(key).is_some();
        if !whole_extension && !repair::keys::may_be_path(key, self.policy) {
            return Ok(());
        }
        self.keyed(verb, key, value)
    }

    fn keyed(&mut self, verb: Verb, path: &str, value: Value) -> Result<(), ScimError> {
        let Ok(target) = target::find(path, self.rt, self.policy) else {
            return Ok(());
        };
        if target.attr.mutability == Mutability::ReadOnly && !target.is_members(self.rt) {
            return repair::keys::read_only(&target.attr, self.policy);
        }
        self.targeted(verb, target, Some(value))
    }

    fn targeted(&mut self, verb: Verb, target: Target<'a>, value: Option<Value>) -> Result<(), ScimError> {
        if target.is_members(self.rt) {
            let change = members::read(verb, &target, value, self.rt, self.policy)?;
            self.steps.extend(change.map(Step::Members));
            return Ok(());
        }
        let Some(definition) = target.named() else {
            return self.extension(verb, target, value);
        };
        if definition.mutability == Mutability::WriteOnly {
            // R23: a password is accepted and kept nowhere.
            return value.map_or(Ok(()), |value| canonical_value(definition, value, self.policy).map(drop));
        }
        if verb == Verb::Remove {
            return self.remove(&target, definition, value);
        }
        let Some(value) = value else {
            return Err(ScimError::invalid_value(format!("The operation on '{}' has no 'value'", target.attr.path())));
        };
        if target.selection.is_some() || (target.attr.sub.is_some() && target.top.multi_valued) {
            self.elements(verb, &target, definition, value)
        } else if definition.multi_valued {
            self.values(verb, target.attr, definition, value)
        } else if definition.kind == Kind::Complex {
            self.complex(&target, definition, value)
        } else {
            self.single(target.attr, definition, value)
        }
    }

    /// The bare URN of an extension: its object merges (RFC 7644 §3.5.2.3, complex attribute).
    fn extension(&mut self, verb: Verb, target: Target<'a>, value: Option<Value>) -> Result<(), ScimError> {
        match value {
            Some(Value::Object(members)) if verb != Verb::Remove => {
                let urn = target.attr.extension.as_deref().unwrap_or_default();
                members
                    .into_iter()
                    .filter(|(key, _)| repair::keys::may_be_path(key, self.policy))
                    .try_for_each(|(key, value)| self.keyed(verb, &format!("{urn}:{key}"), value))
            }
            Some(Value::Null) | None if verb != Verb::Add => {
                self.steps.push(Step::Clear(target.attr));
                Ok(())
            }
            Some(_) if verb == Verb::Remove => {
                repair::remove::listed(value, false, self.policy)?;
                self.steps.push(Step::Clear(target.attr));
                Ok(())
            }
            Some(Value::Null) => Ok(()),
            _ => Err(ScimError::invalid_value(format!("'{}' needs an object as its 'value'", target.attr.path()))),
        }
    }

    fn single(&mut self, attr: Resolved, definition: &Attribute, value: Value) -> Result<(), ScimError> {
        let step = match canonical_value(definition, value, self.policy)? {
            Some(value) => Step::Set(attr, value),
            None if definition.required => {
                return Err(ScimError::invalid_value(format!("Attribute '{}' needs a value", attr.path())));
            }
            None => Step::Clear(attr),
        };
        self.steps.push(step);
        Ok(())
    }

    fn complex(&mut self, target: &Target<'_>, definition: &Attribute, value: Value) -> Result<(), ScimError> {
        let mends = repair::manager::applies(&target.attr, definition, self.policy);
        let mended = if mends { repair::manager::value(value) } else { value };
        let Value::Object(members) = mended else {
            // Nothing but an object is a complex value: what passes is unassigned.
            canonical_value(definition, mended, self.policy)?;
            self.steps.push(Step::Clear(target.attr.clone()));
            return Ok(());
        };
        let start = self.steps.len();
        for (key, value) in members {
            let known = definition.sub(&key).filter(|sub| sub.mutability != Mutability::ReadOnly);
            if let Some((sub, attr)) = known.and_then(|sub| Some((sub, target.with_sub(&sub.name, self.rt)?))) {
                self.single(attr, sub, value)?;
            }
        }
        // A new `value` takes the old `$ref` with it (`document::set`); one that comes with it must follow.
        if let Some(added) = self.steps.get_mut(start..) {
            added.sort_by_key(|step| !matches!(step, Step::Set(attr, _) if attr.sub.as_deref() == Some("value")));
        }
        Ok(())
    }

    fn values(&mut self, verb: Verb, attr: Resolved, definition: &Attribute, value: Value) -> Result<(), ScimError> {
        let step = match (canonical_value(definition, value, self.policy)?, verb) {
            (Some(values), Verb::Add) => Step::Add(attr, listed(values)),
            (Some(values), _) => Step::Replace(attr, listed(values)),
            (None, Verb::Add) => return Ok(()),
            (None, _) if definition.required => {
                return Err(ScimError::invalid_value(format!("Attribute '{}' needs a value", attr.path())));
            }
            (None, _) => Step::Clear(attr),
        };
        if let Step::Add(_, values) | Step::Replace(_, values) = &step {
            primary::check_one(values)?;
        }
        self.steps.push(step);
        Ok(())
    }

    /// Elements by selection, or all of them by a sub-attribute alone (`emails.type`).
    fn elements(
        &mut self,
        verb: Verb,
        target: &Target<'_>,
        definition: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        if !target.top.multi_valued {
            return Err(ScimError::invalid_path(format!("'{}' has one value: select none", target.top.path())));
        }
        let selection = self.selection(target)?;
        let canonical = canonical_value(definition, value, self.policy)?;
        let change = match (&target.attr.sub, canonical) {
            (Some(sub), Some(value)) => Change::Merge(Map::from_iter([(sub.to_string(), value)])),
            (Some(sub), None) => Change::ClearSub(sub.clone()),
            (None, Some(Value::Object(members))) if verb == Verb::Add => Change::Merge(members),
            (None, Some(Value::Object(members))) => Change::Replace(members),
            (None, None) if verb == Verb::Add => return Ok(()),
            (None, None) => Change::Remove,
            (None, Some(_)) => {
                let text = format!("The selected values of '{}' need an object as 'value'", target.top.path());
                return Err(ScimError::invalid_value(text));
            }
        };
        self.steps.push(Step::Elements(target.top.clone(), selection, change));
        Ok(())
    }

    fn selection(&self, target: &Target<'_>) -> Result<Selection, ScimError> {
        let bind = |filter| bind_selection(filter, &target.top, self.rt, self.policy);
        let filter = target.selection.as_ref().map(bind).transpose()?;
        let seed = repair::create::seed(filter.as_ref(), self.policy);
        Ok(Selection { filter, seed })
    }

    fn remove(&mut self, target: &Target<'_>, named: &Attribute, value: Option<Value>) -> Result<(), ScimError> {
        let whole = target.selection.is_none() && target.attr.sub.is_none();
        let listed_values = repair::remove::listed(value, whole && target.top.multi_valued, self.policy)?;
        if let Some(value) = listed_values {
            let values = removable(value).into_iter().map(|value| canonical_value(named, value, self.policy));
            let values = values.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            self.steps.push(Step::Discard(target.attr.clone(), values));
            return Ok(());
        }
        // RFC 7644 §3.5.2.2: a required attribute may not become unassigned.
        if named.required && target.selection.is_none() {
            return Err(ScimError::mutability(format!("Attribute '{}' is required", target.attr.path())));
        }
        let step = match (&target.attr.sub, &target.selection) {
            (sub, Some(_)) => {
                let top = target.definition.unwrap_or(named);
                if !target.top.multi_valued && !repair::manager::applies(&target.top, top, self.policy) {
                    let text = format!("'{}' has one value: select none", target.top.path());
                    return Err(ScimError::invalid_path(text));
                }
                let change = sub.clone().map_or(Change::Remove, Change::ClearSub);
                Step::Elements(target.top.clone(), self.selection(target)?, change)
            }
            (Some(sub), None) if target.top.multi_valued => {
                Step::Elements(target.top.clone(), self.selection(target)?, Change::ClearSub(sub.clone()))
            }
            (_, None) => Step::Clear(target.attr.clone()),
        };
        self.steps.push(step);
        Ok(())
    }
}

fn listed(values: Value) -> Vec<Value> {
    match values {
        Value::Array(values) => values,
        single => vec![single],
    }
}

/// The values that a `remove` lists: objects, or bare texts that stand for `value`.
fn removable(value: Value) -> Vec<Value> {
    let object = |value: Value| match value {
        Value::String(_) => Value::Object(Map::from_iter([("value".to_owned(), value)])),
        other => other,
    };
    listed(value).into_iter().map(object).collect()
}
