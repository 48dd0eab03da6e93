//! One function per operation over storage and the pure engine. A service decides nothing that the protocol or the
//! domain decides, parses no header and writes no SQL; it reads, calls the engine, and commits one `Write`.

use std::sync::{Arc, OnceLock};

use crate::domain::actor::Actor;
use crate::domain::connection::{Access, ConnectionSettings};
use crate::domain::ids::Scope;
use crate::domain::provisioning::Happened;
use crate::protocol::policy::Policy;

pub mod admin;
mod adoption;
pub mod auth;
pub mod backoffice;
pub mod cursor;
pub mod dns;
pub mod error;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod person_export;
pub mod provisioning_log;
pub mod retention;
pub mod scim;
pub mod transfer;

use scim::brake::Brake;

pub use error::{Result, ServiceError, Unauthenticated};

/// Who asks for what is theirs, when.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The doer, named by every event.
    pub actor: Actor,
    /// Whose data may be touched.
    pub scope: Scope,
    /// What the connection's state allows.
    pub access: Access,
    /// Whether anybody is blocked in the organization, as the credential's look-up saw it.
    pub has_blocks: bool,
    /// Whether anybody came from this connection and is local now, as the credential's look-up saw it.
    pub has_former: bool,
    /// Whether the connection's people are staged.
    pub is_staged: bool,
    /// Time of the request, µs since 1970 UTC.
    pub now: i64,
    /// Also in the answer's `X-Request-Id` and in every event.
    pub request_id: Arc<str>,
    /// The engine's choices for this connection.
    pub policy: Policy,
    /// The organization's choices for this connection.
    pub settings: ConnectionSettings,
    /// Counts who leaves.
    pub brake: Arc<Brake>,
    /// Whether writes are done or only tried.
    pub effect: Effect,
    /// What the write of the request came to, for the log.
    pub trace: Arc<OnceLock<Happened>>,
}

/// What becomes of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They are committed.
    Commit,
    /// They are tried and undone.
    Rehearse,
}
