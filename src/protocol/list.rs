//! Paging and sorting parameters of a search (RFC 7644 §3.4.2, §3.4.3), from a query string or a SearchRequest body.

use super::error::ScimError;
use super::filter::BoundFilter;
use super::policy::Policy;
use super::projection::Projection;
use super::schema::{Resolved, ResourceType};
use serde_json::Value;

/// `sortBy` and `sortOrder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What to sort by.
    pub by: Resolved,
    /// `descending`
    pub descending: bool,
}

/// A search, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Filter, bound.
    pub filter: Option<BoundFilter>,
    /// The canonical text of the filter (`Filter` printed back), for cache keys.
    pub filter_text: Option<String>,
    /// Sort; `None` is by id.
    pub sort: Option<Sort>,
    /// 1-based, at least 1.
    pub start_index: u64,
    /// 0 to the page limit.
    pub count: u64,
    /// What each resource shows.
    pub projection: Projection,
}

impl Query {
    /// From decoded query parameters; unknown ones are ignored (R37).
    ///
    /// # Errors
    /// 400 `invalidFilter`, `invalidValue` (a parameter twice, not a number, unknown sort attribute or order).
    pub fn from_parameters(
        _pairs: &[(String, String)],
        _rt: &ResourceType,
        _policy: &Policy,
    ) -> Result<Self, ScimError> {
        todo!()
    }
    /// From the body of `POST …/.search` (RFC 7644 §3.4.3).
    ///
    /// # Errors
    /// As `from_parameters`, and 400 `invalidSyntax`.
    pub fn from_body(_body: Value, _rt: &ResourceType, _policy: &Policy) -> Result<Self, ScimError> {
        todo!()
    }
}
