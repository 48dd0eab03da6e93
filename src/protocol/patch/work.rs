//! How much one request may compare. Each limit on operations, comparisons of a filter and values is harmless alone;
//! their product would keep a worker busy for seconds.

use crate::protocol::error::ScimError;
use crate::protocol::filter::BoundFilter;

/// Comparisons of a filter, or of a listed value, with a value; some 50 ms of them.
const MOST: usize = 500_000;

/// What is left of it.
pub(super) struct Work(usize);

impl Work {
    pub(super) fn new() -> Self {
        Work(MOST)
    }

    /// Takes `values` looked at `times` each.
    ///
    /// # Errors
    /// 400 `tooMany` where it is more than what is left.
    pub(super) fn spend(&mut self, values: usize, times: usize) -> Result<(), ScimError> {
        let left = self.0.checked_sub(values.saturating_mul(times));
        self.0 = left.ok_or_else(|| {
            ScimError::too_many(
                "The operations compare too many values: send fewer of them, or shorter filters, at a time",
            )
        })?;
        Ok(())
    }
}

/// Comparisons of a filter with one value.
pub(super) fn terms(filter: &BoundFilter) -> usize {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().map(terms).sum(),
        BoundFilter::Not(inner) | BoundFilter::Element(_, inner) => terms(inner),
        BoundFilter::Present(_) | BoundFilter::Compare(..) => 1,
    }
}
