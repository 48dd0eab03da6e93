//! Why a deed of the admin surfaces was refused or failed. Each surface renders it in one exhaustive match.

use crate::domain::connection::WrongState;
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::domain::permission::{Guarded, Permission};
use crate::service::ServiceError;
use crate::storage::{StorageError, UniqueKey};

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

/// What a directory manages, and what somebody wanted to do to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// `user.delete`
    pub action: &'static str,
    /// `user`, `group`
    pub kind: &'static str,
    /// Its id.
    pub id: ResourceId,
    /// Its name for people.
    pub name: String,
    /// The connection that manages it.
    pub connection: ConnectionId,
    /// Its name.
    pub connection_name: String,
    /// Its provider.
    pub provider: String,
    /// What only the directory changes.
    pub locked_fields: &'static [&'static str],
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
    /// The connection's people are staged: nobody is adopted yet.
    #[error("the connection is not active yet")]
    Staged,
    /// What was to be decided is decided.
    #[error("not pending")]
    NotPending,
    /// The break-glass Admin, whom no directory gets.
    #[error("a protected person")]
    Protected,
    /// As many tokens as a connection may have are alive.
    #[error("too many tokens are alive")]
    TokenLimit,
    /// A unique name is taken; a sentence for people.
    #[error("{0}")]
    NameTaken(String),
    /// A directory manages it.
    #[error("managed externally")]
    ManagedExternally(Box<Managed>),
    /// No Admin who can sign in would be left.
    #[error("the last Admin")]
    LastAdmin,
    /// Nobody does this to themselves.
    #[error("on the own account")]
    OwnAccount,
    /// Another person has the address or the user name.
    #[error("the address is taken")]
    EmailTaken,
    /// The person is not in a state that the deed begins in; a sentence for people.
    #[error("{0}")]
    UserState(&'static str),
    /// Another group has the name.
    #[error("the name is taken")]
    GroupNameTaken,
    /// Somebody of the organization has the address.
    #[error("a member already")]
    AlreadyMember,
    /// The directory of that name keeps out who has the address.
    #[error("deactivated by the directory")]
    DeactivatedByDirectory(String),
    /// A link to the address was made a moment ago; how long to wait.
    #[error("a link to the address was made a moment ago")]
    InvitedJustNow(std::time::Duration),
    /// The invitation was accepted or withdrawn.
    #[error("the invitation is not pending")]
    InvitationNotPending,
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
            StorageError::NotUnique(UniqueKey::GroupDisplayName) => Refusal::GroupNameTaken,
            other => Refusal::Service(other.into()),
        }
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Refusal::Service(ServiceError::Internal(format!("the system's random generator failed: {error}")))
    }
}
