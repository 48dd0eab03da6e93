//! Canonicalises and judges a body per request kind (RFC 7643 §2, RFC 7644 §3.3, §3.5.1): names to canonical spelling,
//! unknown and readOnly attributes dropped, types checked, required present, `null` and `[]` unassigned.

use super::error::ScimError;
use super::policy::Policy;
use super::resource::Resource;
use super::schema::ResourceType;
use serde_json::Value;

/// A body that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The writable attributes.
    pub resource: Resource,
    /// Ids of `members` in order, each once; `None` where the body has none (or the type has no members).
    pub members: Option<Vec<String>>,
}

/// Judges a POST body. `active` absent becomes `true` on a User.
///
/// # Errors
/// 400 `invalidSyntax` (not an object, `schemas` wrong, too deep or too many members) or `invalidValue`.
pub fn create(_body: Value, _rt: &ResourceType, _policy: &Policy) -> Result<Validated, ScimError> {
    todo!()
}

/// Judges a PUT body against the stored resource: absent attributes are cleared, except `active`.
///
/// # Errors
/// As `create`, and 400 `mutability` for a changed immutable attribute.
pub fn replace(
    _body: Value,
    _rt: &ResourceType,
    _current: &Resource,
    _policy: &Policy,
) -> Result<Validated, ScimError> {
    todo!()
}

/// Judges a resource that PATCH made.
///
/// # Errors
/// 400 `invalidValue` (required attribute missing, limits).
pub fn check(_resource: &Resource, _rt: &ResourceType, _policy: &Policy) -> Result<(), ScimError> {
    todo!()
}

/// Canonicalises one value of an attribute: names of sub-attributes, boolean strings, types and limits. For a
/// multi-valued attribute the value is the whole array or one element of it, and the answer has the same shape.
/// `None` is unassigned: `null`, `[]`, an empty object and, by policy, `""`.
///
/// # Errors
/// 400 `invalidValue` (wrong type, limits, U+0000), 400 `invalidSyntax` (a name twice in other letter case).
pub fn canonical_value(
    _attr: &super::schema::Attribute,
    _value: Value,
    _policy: &Policy,
) -> Result<Option<Value>, ScimError> {
    todo!()
}

/// Parses a request body: UTF-8, one JSON document, bounded nesting, judged before anything is built.
///
/// # Errors
/// 400 `invalidSyntax`.
pub fn parse_json(_bytes: &[u8], _limits: &super::policy::Limits) -> Result<Value, ScimError> {
    todo!()
}
