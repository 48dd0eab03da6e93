//! API keys: from the presented text to the caller of the admin API. Unknown, expired and revoked are one answer.

use std::net::IpAddr;
use std::sync::Arc;

use super::memory::{Memory, Touches};
use crate::config::Network;
use crate::domain::actor::Actor;
use crate::domain::ids::{OrganizationId, TokenId};
use crate::domain::permission::{PermissionSet, RoleSet};
use crate::domain::token::{self, SecretKind};
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::{Caller, Credential};
use crate::service::{ServiceError, Unauthenticated};
use crate::storage::{ApiKeyCredential, Database};

/// What a request brings besides the key.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Time, µs since 1970 UTC.
    pub now: i64,
    /// Address of the client.
    pub client_ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<&'a str>,
    /// Request id.
    pub request_id: &'a str,
}

/// A valid key, and whether its use should be noted now (`touch`).
#[derive(Debug)]
pub struct Authenticated {
    /// Who asks.
    pub caller: Caller,
    /// At most once a minute.
    pub touch_due: bool,
}

/// Authenticates API keys. One for the process.
#[derive(Default)]
pub struct ApiKeys {
    memory: Memory<Found>,
    touches: Touches,
}

/// A credential with what was derived from it once.
struct Found {
    credential: ApiKeyCredential,
    roles: RoleSet,
    networks: Vec<Network>,
}

impl ApiKeys {
    /// The caller behind a presented key.
    ///
    /// # Errors
    /// `Unauthenticated(Invalid)`, `AddressNotAllowed`, `OrganizationSuspended`; those of storage.
    pub async fn authenticate(
        &self,
        db: &Database,
        presented: &str,
        circumstances: Circumstances<'_>,
    ) -> Result<Authenticated> {
        const INVALID: Refusal = Refusal::Service(ServiceError::Unauthenticated(Unauthenticated::Invalid));
        if !token::is_well_formed(SecretKind::ApiKey, presented) {
            return Err(INVALID);
        }
        let Circumstances { now, client_ip, user_agent, request_id } = circumstances;
        let found = self.find(db, &token::hash(presented)).await?.ok_or(INVALID)?;
        let credential = &found.credential;
        let over = |at: Option<i64>| at.is_some_and(|at| at <= now);
        if over(credential.expires_at) || over(credential.previous_until) || credential.revoked_at.is_some() {
            return Err(INVALID);
        }
        if credential.organization_state != "active" {
            return Err(Refusal::OrganizationSuspended);
        }
        if !is_allowed(&found.networks, client_ip) {
            return Err(Refusal::AddressNotAllowed);
        }
        let caller = Caller {
            organization: credential.organization,
            actor: Actor::ApiKey(credential.id),
            credential: Credential::ApiKey(credential.id),
            roles: found.roles,
            permissions: PermissionSet::of(found.roles),
            now,
            request_id: request_id.to_owned(),
            client_ip,
            user_agent: user_agent.map(str::to_owned),
        };
        let touch_due = self.touches.due(credential.id, credential.last_used_at, now);
        Ok(Authenticated { caller, touch_due })
    }

    /// A key was revoked, rotated or changed here: from now on what is stored counts.
    pub fn forget(&self, id: TokenId) {
        self.memory.forget(|found| found.credential.id == id);
    }

    /// Something that all keys of an organization depend on was changed here.
    pub fn forget_all_of(&self, organization: OrganizationId) {
        self.memory.forget(|found| found.credential.organization == organization);
    }

    /// One look-up by the hash, whose answer, "unknown" excepted, serves for a moment (`Memory`).
    async fn find(&self, db: &Database, hash: &[u8; 32]) -> Result<Option<Arc<Found>>> {
        if let Some(found) = self.memory.get(db.backend(), hash) {
            return Ok(Some(found));
        }
        let asked = self.memory.asked();
        let credential = db.find_api_key_by_hash_across_organizations(hash).await?;
        let Some(credential) = credential else { return Ok(None) };
        let networks = networks(&credential.ip_allowlist)
            .map_err(|e| ServiceError::Internal(format!("allow-list of API key {}: {e}", credential.id)))?;
        let found = Arc::new(Found { roles: RoleSet::parse(&credential.roles), networks, credential });
        self.memory.put(&asked, *hash, Arc::clone(&found));
        Ok(Some(found))
    }
}

/// Reads a stored allow-list.
pub(crate) fn networks(list: &str) -> std::result::Result<Vec<Network>, String> {
    list.split(',').filter(|block| !block.is_empty()).map(Network::parse).collect()
}

/// Whether an allow-list lets an address in; an empty one lets all in.
pub(crate) fn is_allowed(networks: &[Network], address: Option<IpAddr>) -> bool {
    networks.is_empty() || address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
}

/// Notes the use of a key. Meant to run beside the request, which neither waits for it nor fails with it.
///
/// # Errors
/// Those of storage.
pub async fn touch(db: &Database, caller: &Caller) -> Result<()> {
    if let Credential::ApiKey(id) = caller.credential {
        let address = caller.client_ip.map(|ip| ip.to_string());
        db.touch_api_key(caller.organization, id, caller.now, address).await?;
    }
    Ok(())
}
