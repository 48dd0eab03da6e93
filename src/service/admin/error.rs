//! Why a deed of the admin surfaces was refused or failed. Each surface renders it in one exhaustive match.

use crate::domain::connection::WrongState;
use crate::domain::permission::{Guarded, Permission};
use crate::service::ServiceError;
use crate::storage::StorageError;

/// One thing that is wrong with what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// JSON Pointer (RFC 6901) to it.
    pub pointer: String,
    /// What it must be, in a sentence.
    pub detail: String,
}

impl Invalid {
    /// That one alone.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Invalid { pointer: pointer.into(), detail: detail.into() }
    }
}

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The caller's roles do not permit it, or not on this one.
    #[error("the permission {} is missing", .0.key())]
    PermissionDenied(Permission),
    /// The Admin guard.
    #[error(transparent)]
    Guarded(#[from] Guarded),
    /// The credential may not be used from this address.
    #[error("the address is not on the credential's allow-list")]
    AddressNotAllowed,
    /// The organization of the credential is suspended.
    #[error("the organization is suspended")]
    OrganizationSuspended,
    /// It does not exist, or not for the caller.
    #[error("missing")]
    Missing,
    /// It is not the version that the caller expects.
    #[error("stale version")]
    Stale,
    /// What was given is not what the deed takes.
    #[error("invalid")]
    Invalid(Vec<Invalid>),
    /// The connection's state has no such step.
    #[error(transparent)]
    ConnectionState(#[from] WrongState),
    /// The connection is given up for good.
    #[error("the connection is decommissioned")]
    Decommissioned,
    /// As many tokens as a connection may have are alive.
    #[error("too many tokens are alive")]
    TokenLimit,
    /// Nobody does this to themselves.
    #[error("on the own account")]
    OwnAccount,
    /// A unique name is taken; a sentence for people.
    #[error("{0}")]
    NameTaken(String),
    /// What both surfaces share.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Result of a deed.
pub type Result<T> = std::result::Result<T, Refusal>;

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Missing => Refusal::Missing,
            StorageError::Stale => Refusal::Stale,
            other => Refusal::Service(other.into()),
        }
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Refusal::Service(ServiceError::Internal(format!("the system's random generator failed: {error}")))
    }
}
