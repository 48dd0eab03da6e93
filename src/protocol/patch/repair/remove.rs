//! `remove` with a value, which RFC 7644 §3.5.2.2 does not have. R9: on a multi-valued attribute the value lists what to
//! remove (Entra, JumpCloud). R12: elsewhere it means nothing and is never written.

use serde_json::Value;

use crate::protocol::error::ScimError;
use crate::protocol::policy::Policy;

/// The values to remove, or `None` to remove what the path names.
pub(in crate::protocol::patch) fn listed(
    value: Option<Value>,
    lists: bool,
    policy: &Policy,
) -> Result<Option<Value>, ScimError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) if lists && policy.repairs.remove_with_values => Ok(Some(value)),
        // Without R9 a list must not turn into the removal of everything.
        Some(_) if !lists && policy.repairs.ignore_remove_value => Ok(None),
        Some(_) => Err(ScimError::invalid_value("'remove' takes no value: select what to remove in the path")),
    }
}
