//! Who asks for a deed of the admin surface: the tenant, the doer and the permissions, all out of the credential.

use std::net::IpAddr;

use uuid::Uuid;

use super::error::{Refusal, Result};
use crate::domain::actor::Actor;
use crate::domain::ids::{OrganizationId, ResourceId, SessionId, TokenId};
use crate::domain::permission::{Permission, PermissionSet, Reach, Role, RoleSet};
use crate::service::ids;
use crate::storage::Deed;

/// What opened the surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API key of the organization.
    ApiKey(TokenId),
    /// A person's session.
    Session(SessionId),
    /// A key of an operator of the service; opens the backoffice alone.
    OperatorKey(TokenId),
}

impl Credential {
    /// Its id.
    pub fn id(self) -> Uuid {
        match self {
            Credential::ApiKey(id) | Credential::OperatorKey(id) => id.0,
            Credential::Session(id) => id.0,
        }
    }

    /// The key; a session is none.
    pub fn key(self) -> Option<TokenId> {
        match self {
            Credential::ApiKey(id) | Credential::OperatorKey(id) => Some(id),
            Credential::Session(_) => None,
        }
    }
}

/// The asker of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant.
    pub organization: OrganizationId,
    /// The doer, named by every event.
    pub actor: Actor,
    /// What opened the surface; rate limits and idempotency keys count for each.
    pub credential: Credential,
    /// Effective roles.
    pub roles: RoleSet,
    /// What these roles permit.
    pub permissions: PermissionSet,
    /// Time of the request, µs since 1970 UTC.
    pub now: i64,
    /// Request id.
    pub request_id: String,
    /// Address of the client.
    pub client_ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl Caller {
    /// Whether a permission is there, if only for a part.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.allows(permission)
    }

    /// Whether a permission is there, as a refusal where it is not.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn permitted(&self, permission: Permission) -> Result<()> {
        if self.may(permission) { Ok(()) } else { Err(Refusal::PermissionDenied(permission)) }
    }

    /// Whether a permission is there for all.
    pub fn may_fully(&self, permission: Permission) -> bool {
        self.permissions.reach(permission) == Reach::Full
    }

    /// Whether the caller holds the role `admin`.
    pub fn is_admin(&self) -> bool {
        self.roles.contains(Role::Admin)
    }

    /// The person behind the request; a key is none.
    pub fn user(&self) -> Option<ResourceId> {
        match self.actor {
            Actor::User(id) => Some(id),
            _ => None,
        }
    }

    /// One event's worth of it.
    pub fn deed(&self) -> Deed {
        Deed {
            event: ids::event(),
            at: self.now,
            actor: self.actor.to_string(),
            request_id: self.request_id.clone(),
            ip: self.client_ip.map(|ip| ip.to_string()),
            user_agent: self.user_agent.clone(),
            reason: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(actor: Actor, role: Role) -> Caller {
        Caller {
            organization: ids::organization(),
            actor,
            credential: Credential::ApiKey(ids::token()),
            roles: role.into(),
            permissions: PermissionSet::of(role.into()),
            now: 7,
            request_id: "r-1".to_owned(),
            client_ip: None,
            user_agent: None,
        }
    }

    #[test]
    fn a_key_is_no_person() {
        let key = caller(Actor::ApiKey(ids::token()), Role::Admin);
        assert_eq!(key.user(), None);
        assert!(key.is_admin());
        let id = ids::resource();
        assert_eq!(caller(Actor::User(id), Role::Billing).user(), Some(id));
    }

    #[test]
    fn a_part_of_a_permission_is_not_all_of_it() {
        let caller = caller(Actor::System, Role::DataAdmin);
        assert!(caller.may(Permission::ApiKeysRead) && !caller.may_fully(Permission::ApiKeysRead));
        assert!(caller.may_fully(Permission::UsersRead) && !caller.may(Permission::UsersWrite));
    }

    #[test]
    fn each_deed_has_an_event_of_its_own() {
        let caller = caller(Actor::System, Role::Admin);
        let (one, two) = (caller.deed(), caller.deed());
        assert_ne!(one.event, two.event);
        assert_eq!((one.at, &*one.actor, &*one.request_id), (7, "system", "r-1"));
    }
}
