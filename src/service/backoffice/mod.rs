//! Deeds of the operator, across organizations: the command line, the first start and the backoffice do them. Each is one
//! transaction and leaves its event rows: in the organization's log, and in the operator log where an operator did it.

pub mod admin_links;
pub mod api_keys;
pub mod blocks;
pub mod connections;
pub mod directories;
pub mod domains;
pub mod error;
pub mod jobs;
pub mod leavers;
pub mod local_people;
pub mod operators;
pub mod organizations;
pub mod people;
pub mod system;
pub mod tenants;
pub mod tokens;

use std::net::IpAddr;

use crate::domain::actor::Actor;
use crate::domain::ids::{OperatorId, OrganizationId, TokenId};
use crate::domain::operator::OperatorRole;
use crate::domain::permission::{PermissionSet, Role};
use crate::service::admin::{Caller, Credential};
use crate::service::ids;
use crate::storage::Deed;

pub use error::{Refusal, Result};

/// The asker of one request to the backoffice.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// The key that opened the surface.
    pub key: TokenId,
    /// What is open to them.
    pub role: OperatorRole,
    /// Time of the request, µs since 1970 UTC.
    pub now: i64,
    /// Request id.
    pub request_id: String,
    /// Address of the client.
    pub client_ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl Operator {
    /// What they are where an organization's own services are asked: they see everything.
    pub fn within(&self, organization: OrganizationId) -> Caller {
        Caller {
            organization,
            actor: Actor::Operator(self.id),
            credential: Credential::OperatorKey(self.key),
            roles: Role::Admin.into(),
            permissions: PermissionSet::of(Role::Admin.into()),
            now: self.now,
            request_id: self.request_id.clone(),
            client_ip: self.client_ip,
            user_agent: self.user_agent.clone(),
        }
    }

    /// A deed of theirs, for a reason that was checked.
    pub fn ctx(&self, reason: String) -> OperatorCtx {
        OperatorCtx {
            actor: Actor::Operator(self.id),
            now: self.now,
            request_id: self.request_id.clone(),
            client_ip: self.client_ip,
            user_agent: self.user_agent.clone(),
            reason: Some(reason),
        }
    }
}

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
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Why, in the operator's words; none on the command line.
    pub reason: Option<String>,
}

impl OperatorCtx {
    /// The command line, or the first start.
    pub fn system(now: i64) -> Self {
        OperatorCtx {
            actor: Actor::System,
            now,
            request_id: String::new(),
            client_ip: None,
            user_agent: None,
            reason: None,
        }
    }

    /// One event's worth of it.
    pub(crate) fn deed(&self) -> Deed {
        Deed {
            event: ids::event(),
            at: self.now,
            actor: self.actor.to_string(),
            request_id: self.request_id.clone(),
            ip: self.client_ip.map(|ip| ip.to_string()),
            user_agent: self.user_agent.clone(),
            reason: self.reason.clone(),
        }
    }
}
