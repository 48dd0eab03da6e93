//! Deeds of the operator, across organizations: the command line and the first start do them, later the backoffice. Each is
//! one transaction over cold tables and leaves its event rows.

pub mod api_keys;
pub mod connections;
pub mod error;
pub mod organizations;
pub mod tokens;

use std::net::IpAddr;

use crate::domain::actor::Actor;
use crate::service::ids;
use crate::storage::Deed;

pub use error::{Refusal, Result};

/// Who does it, when.
#[derive(Debug, Clone)]
pub struct OperatorCtx {
    /// The doer, named by every event.
    pub actor: Actor,
    /// Time, µs since 1970 UTC.
    pub now: i64,
    /// Request id; empty on the command line.
    pub request_id: String,
    /// Address of the client; none on the command line.
    pub client_ip: Option<IpAddr>,
    /// Why, in the operator's words; none on the command line.
    pub reason: Option<String>,
}

impl OperatorCtx {
    /// The command line, or the first start.
    pub fn system(now: i64) -> Self {
        OperatorCtx { actor: Actor::System, now, request_id: String::new(), client_ip: None, reason: None }
    }

    /// One event's worth of it.
    pub(crate) fn deed(&self) -> Deed {
        Deed {
            event: ids::event(),
            at: self.now,
            actor: self.actor.to_string(),
            request_id: self.request_id.clone(),
            ip: self.client_ip.map(|ip| ip.to_string()),
            reason: self.reason.clone(),
        }
    }
}
