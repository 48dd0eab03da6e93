//! Runs the steps of a request on a copy of the resource, in order (RFC 7644 §3.5.2: atomic). The copy is dropped at the
//! first refusal.

use serde_json::{Map, Value};

use super::members::Fold;
use super::step::Step;
use super::values::{self, Cases};
use super::work::{Work, terms};
use super::{Member, Outcome, document, outcome, primary};
use crate::protocol::error::ScimError;
use crate::protocol::path::resolve::definition;
use crate::protocol::policy::Policy;
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Mutability, Resolved, ResourceType};
use crate::protocol::validate;

pub(super) fn run(
    steps: &[Step],
    rt: &ResourceType,
    current: &Resource,
    members: &[Member],
    policy: &Policy,
) -> Result<Outcome, ScimError> {
    let before = &current.attributes;
    let mut after = before.clone();
    let (mut fold, mut work) = (Fold::new(members), Work::new());
    for step in steps {
        match step {
            Step::Members(change) => fold.apply(change, &mut work)?,
            step => attribute_step(&mut after, step, rt, policy, &mut work)?,
        }
    }
    outcome::settle_schemas(&mut after, before, rt);
    let changed = outcome::changed(before, &after, rt);
    let resource = Resource { attributes: after };
    if !changed.is_empty() {
        validate::check(&resource, rt, policy)?;
    }
    Ok(Outcome { resource, changed, members: fold.plan() })
}

fn attribute_step(
    document: &mut Map<String, Value>,
    step: &Step,
    rt: &ResourceType,
    policy: &Policy,
    work: &mut Work,
) -> Result<(), ScimError> {
    match step {
        Step::Set(attr, value) => guarded(document, attr, |document| {
            document::set(document, attr, value.clone());
            Ok(())
        }),
        Step::Clear(attr) => guarded(document, attr, |document| {
            document::clear(document, attr);
            Ok(())
        }),
        Step::Add(attr, new) => edit(document, attr, policy, |values| {
            work.look(values, 1)?;
            work.look(new, 1)?;
            let touched = values::add(values, new, cases(attr, rt));
            primary::settle(values, &touched)
        }),
        Step::Replace(attr, new) => edit(document, attr, policy, |values| {
            work.look(new, 1)?;
            values.clear();
            values::add(values, new, cases(attr, rt));
            Ok(())
        }),
        Step::Discard(attr, listed) => edit(document, attr, policy, |values| {
            work.look(values, listed.len())?;
            work.look(listed, values.len())?;
            values::discard(values, listed, cases(attr, rt));
            Ok(())
        }),
        Step::Elements(attr, selection, change) => edit(document, attr, policy, |values| {
            work.look(values, selection.filter.as_ref().map_or(1, terms))?;
            values::change(values, attr, selection, change, cases(attr, rt))
        }),
        Step::Members(_) => Ok(()),
    }
}

fn cases(attr: &Resolved, rt: &ResourceType) -> Cases {
    Cases::of(definition(attr, rt))
}

/// Edits a multi-valued attribute within its limit, so that no later step works on more.
fn edit(
    document: &mut Map<String, Value>,
    attr: &Resolved,
    policy: &Policy,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    let most = policy.limits.attribute_values;
    guarded(document, attr, |document| {
        document::edit(document, attr, |values| {
            change(values)?;
            if values.len() > most {
                let text = format!("Attribute '{}' may have at most {most} values", attr.path());
                return Err(ScimError::invalid_value(text));
            }
            Ok(())
        })
    })
}

/// RFC 7644 §3.5.2: an immutable attribute may get a first value and none after it.
fn guarded(
    document: &mut Map<String, Value>,
    attr: &Resolved,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    let immutable = attr.mutability == Mutability::Immutable;
    let before = if immutable { document::get(document, attr).cloned() } else { None };
    change(document)?;
    if before.is_some() && document::get(document, attr) != before.as_ref() {
        return Err(ScimError::mutability(format!("Attribute '{}' is immutable and has a value", attr.path())));
    }
    Ok(())
}
