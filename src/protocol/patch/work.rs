//! How much one request may compare. Each limit on operations, comparisons of a filter and values is harmless alone;
//! their product would keep a worker busy for seconds.

use serde_json::Value;

use crate::protocol::error::ScimError;
use crate::protocol::filter::BoundFilter;

/// Comparisons of a filter, or of a listed value, with a short value; some 50 ms of them.
const MOST: usize = 500_000;

/// What is left of it.
pub(super) struct Work(usize);

impl Work {
    pub(super) fn new() -> Self {
        Work(MOST)
    }

    /// Takes a look at each of `values`, `times` over.
    ///
    /// # Errors
    /// 400 `tooMany` where it is more than what is left.
    pub(super) fn look(&mut self, values: &[Value], times: usize) -> Result<(), ScimError> {
        self.spend(values.iter().map(weight).sum(), times)
    }

    /// The same of values that weigh so much together.
    ///
    /// # Errors
    /// 400 `tooMany` where it is more than what is left.
    pub(super) fn spend(&mut self, weight: usize, times: usize) -> Result<(), ScimError> {
        let left = self.0.checked_sub(weight.saturating_mul(times));
        self.0 = left.ok_or_else(|| {
            ScimError::too_many(
                "The operations compare too many values: send fewer of them, or shorter filters, at a time",
            )
        })?;
        Ok(())
    }
}

/// What one comparison with a value costs, in comparisons with a short one. Long text that is not ASCII is folded first.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text_weight(text),
        Value::Array(values) => 1 + values.iter().map(weight).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(|value| weight(value) - 1).sum::<usize>(),
        _ => 1,
    }
}

/// The same for a text.
pub(super) fn text_weight(text: &str) -> usize {
    1 + text.len() / if text.is_ascii() { 64 } else { 4 }
}

/// Comparisons of a filter with one value.
pub(super) fn terms(filter: &BoundFilter) -> usize {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().map(terms).sum(),
        BoundFilter::Not(inner) | BoundFilter::Element(_, inner) => terms(inner),
        BoundFilter::Present(_) | BoundFilter::Compare(..) => 1,
    }
}
