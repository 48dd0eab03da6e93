//! Reads attribute paths and PATCH paths (RFC 7644 figure 7). No schema: whether the names exist is `resolve`'s matter.

use super::scan::{Scanner, split_attr_path};
use super::{AttrPath, PatchPath};
use crate::protocol::error::ScimError;
use crate::protocol::filter::parse::Parser;
use crate::protocol::policy::Limits;

/// Reads an attribute path such as stands in `attributes` and `sortBy`; `None` when it is none.
pub fn parse_attr(text: &str) -> Option<AttrPath> {
    split_attr_path(text)
}

/// Reads the `path` of a PATCH operation.
///
/// # Errors
/// 400 `invalidPath` with the position of the first thing that does not fit, or the limit exceeded.
pub fn parse_patch(text: &str, limits: &Limits) -> Result<PatchPath, ScimError> {
    if text.len() > limits.filter_bytes {
        return Err(ScimError::invalid_path(format!("The path is longer than {} bytes", limits.filter_bytes)));
    }
    let mut parser = Parser::new(Scanner::new(text), limits);
    parser.patch_path().map_err(|malformed| malformed.in_path(text))
}
