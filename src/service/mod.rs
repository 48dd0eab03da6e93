//! One function per operation over storage and the pure engine. A service decides nothing that the protocol or the
//! domain decides, parses no header and writes no SQL; it reads, calls the engine, and commits one `Write`.

use std::sync::Arc;

use crate::domain::actor::Actor;
use crate::domain::connection::{Access, ConnectionSettings};
use crate::domain::ids::Scope;
use crate::protocol::policy::Policy;

pub mod admin;
pub mod auth;
pub mod backoffice;
pub mod cursor;
pub mod error;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod scim;
pub mod transfer;

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
    /// Time of the request, µs since 1970 UTC.
    pub now: i64,
    /// Also in the answer's `X-Request-Id` and in every event.
    pub request_id: Arc<str>,
    /// The engine's choices for this connection.
    pub policy: Policy,
    /// The organization's choices for this connection.
    pub settings: ConnectionSettings,
}
