//! Why an operation was refused or failed. Each surface renders it in one exhaustive match.

use crate::protocol::error::ScimError;
use crate::storage::{StorageError, UniqueKey};

/// Why a credential opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthenticated {
    /// No credential of the right kind came.
    Missing,
    /// What came is unknown, expired, revoked or of a decommissioned connection; which one is not told.
    Invalid,
}

/// A refusal or failure of a service function.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A refusal in SCIM's own terms.
    #[error(transparent)]
    Scim(#[from] ScimError),
    /// No valid credential.
    #[error("not authenticated")]
    Unauthenticated(Unauthenticated),
    /// More requests than the credential may send; how long to wait.
    #[error("rate limit")]
    TooManyRequests(std::time::Duration),
    /// Nothing was changed; the same request may succeed in a moment. With the cause for the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Our fault; with the cause for the log, never for the client.
    #[error("internal: {0}")]
    Internal(String),
}

/// Result of service functions.
pub type Result<T> = std::result::Result<T, ServiceError>;

impl From<StorageError> for ServiceError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotUnique(key) => not_unique(key).into(),
            StorageError::MissingMembers(ids) => missing_members(ids.iter()).into(),
            // Where a request names the version, its caller turns this into 412; else it lost too many races.
            StorageError::Stale => ServiceError::Unavailable("stale after all repetitions".to_owned()),
            StorageError::Missing => ScimError::new(404, None, "Resource not found").into(),
            StorageError::Busy(cause) => ServiceError::Unavailable(cause),
            StorageError::TooSlow => ServiceError::Unavailable("a statement passed its deadline".to_owned()),
            StorageError::Broken(cause) => ServiceError::Internal(cause),
        }
    }
}

fn not_unique(key: UniqueKey) -> ScimError {
    ScimError::uniqueness(match key {
        UniqueKey::UserName => "userName is taken by another user: choose another value",
        UniqueKey::GroupDisplayName => "displayName is taken by another group: choose another value",
        UniqueKey::OrganizationSlug => "slug is taken by another organization: choose another value",
        UniqueKey::ConnectionName => "name is taken by another connection: choose another value",
    })
}

/// Ids named in a refusal of members; a body of ten thousand wrong ones gets a short answer.
const NAMED_MEMBERS: usize = 10;

/// 400 `invalidValue` naming the members that do not exist for this connection.
pub(super) fn missing_members<T: std::fmt::Display>(ids: impl ExactSizeIterator<Item = T>) -> ScimError {
    let more = ids.len().saturating_sub(NAMED_MEMBERS);
    let mut detail = String::from("members: no user or group has the id ");
    for (at, id) in ids.take(NAMED_MEMBERS).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // A member may be any text of the client's; ids have 36 characters.
        detail.push_str(&format!("{comma}{:.64}", id.to_string()));
    }
    if more > 0 {
        detail.push_str(&format!(" and {more} more"));
    }
    ScimError::invalid_value(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_at_most_ten_members() {
        assert_eq!(missing_members(["a", "b"].iter()).detail, "members: no user or group has the id a, b");
        let many: Vec<_> = (0..12).collect();
        assert_eq!(
            missing_members(many.iter()).detail,
            "members: no user or group has the id 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
        );
    }
}
