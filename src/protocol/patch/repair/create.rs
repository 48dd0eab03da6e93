//! R7: a value path by plain `eq` on `type` or `primary` that selects nothing creates the element (Entra replaces
//! `emails[type eq "work"].value` on users without e-mail). R8: any other selection answers `noTarget`.

use serde_json::{Map, Value};

use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::policy::Policy;

/// What the new element starts with; `None` where the selection does not say which element it wants.
pub(in crate::protocol::patch) fn seed(filter: Option<&BoundFilter>, policy: &Policy) -> Option<Map<String, Value>> {
    let mut seed = Map::new();
    let known = policy.repairs.create_on_absent && filter.is_none_or(|filter| collect(filter, &mut seed));
    known.then_some(seed)
}

fn collect(filter: &BoundFilter, seed: &mut Map<String, Value>) -> bool {
    match filter {
        BoundFilter::And(all) => all.iter().all(|inner| collect(inner, seed)),
        BoundFilter::Compare(attr, CompareOp::Eq, operand) => {
            let Some(sub) = attr.sub.as_deref().filter(|sub| matches!(*sub, "type" | "primary")) else {
                return false;
            };
            let value = match operand {
                Operand::Bool(value) => Value::Bool(*value),
                Operand::Text { raw, .. } => Value::String(raw.clone()),
                Operand::Number(_) | Operand::Instant(_) => return false,
            };
            // `type eq "a" and type eq "b"` selects nothing, whatever is created.
            let before = seed.insert(sub.to_owned(), value.clone());
            before.is_none_or(|before| before == value)
        }
        _ => false,
    }
}
