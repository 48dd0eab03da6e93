//! Binds a parsed filter to a resource type: names to attributes, literals to types, keys computed.

use super::{BoundFilter, Filter};
use crate::protocol::error::ScimError;
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceType;

/// Binds every name and literal.
///
/// # Errors
/// 400 `invalidFilter`: unknown or never-returned attribute, operator that does not fit the type, literal of the wrong type.
pub fn bind(_filter: &Filter, _rt: &ResourceType, _policy: &Policy) -> Result<BoundFilter, ScimError> {
    todo!()
}
