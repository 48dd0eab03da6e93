//! What storage can answer instead of a result. `unique_violation` maps both backends' words to our key names.

use crate::domain::ids::ResourceId;

/// The unique key that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueKey {
    /// `userName` in the organization.
    UserName,
    /// A group's `displayName` in the organization.
    GroupDisplayName,
    /// An organization's slug.
    OrganizationSlug,
    /// A connection's name in its organization.
    ConnectionName,
}

/// A refusal or failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A unique key is taken.
    #[error("{0:?} is taken")]
    NotUnique(UniqueKey),
    /// The stored version is not the expected one.
    #[error("stale version")]
    Stale,
    /// The target does not exist in this scope.
    #[error("missing")]
    Missing,
    /// Members that do not exist in this scope.
    #[error("{} members are missing", .0.len())]
    MissingMembers(Vec<ResourceId>),
    /// Locked, no connection in time, or the database is away: repeat later.
    #[error("busy: {0}")]
    Busy(String),
    /// The query's deadline passed.
    #[error("the query took too long")]
    TooSlow,
    /// Anything else, with its cause for the log.
    #[error("{0}")]
    Broken(String),
}

/// Result of storage.
pub type Result<T> = std::result::Result<T, StorageError>;
