//! Parses filters: recursive descent, linear, bounded depth and terms (RFC 7644 figure 1).

use super::Filter;
use crate::protocol::error::ScimError;
use crate::protocol::policy::Limits;

/// Parses a whole filter text.
///
/// # Errors
/// 400 `invalidFilter` with the position of the first thing that does not fit, or the limit exceeded.
pub fn parse(_text: &str, _limits: &Limits) -> Result<Filter, ScimError> {
    todo!()
}
