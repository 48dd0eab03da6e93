//! Keys of a path-less value. R5: a key that is a path itself (`name.givenName`, `urn:…:User:department`). R6: keys of
//! readOnly attributes (Okta's group rename sends `id`).

use crate::protocol::error::ScimError;
use crate::protocol::policy::Policy;
use crate::protocol::schema::Resolved;

/// Whether the key may be read as a path. Plain names always are.
pub(in crate::protocol::patch) fn may_be_path(key: &str, policy: &Policy) -> bool {
    policy.repairs.dotted_keys || !key.contains(['.', ':', '['])
}

/// What to do with a readOnly key: nothing, or refuse.
pub(in crate::protocol::patch) fn read_only(attr: &Resolved, policy: &Policy) -> Result<(), ScimError> {
    if policy.repairs.ignore_read_only_keys {
        return Ok(());
    }
    Err(ScimError::mutability(format!("Attribute '{}' is readOnly", attr.path())))
}
