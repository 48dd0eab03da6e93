//! API keys: from the presented text to the caller.

use std::net::IpAddr;

use crate::domain::actor::Actor;
use crate::domain::permission::{PermissionSet, RoleSet};
use crate::domain::token;
use crate::service::admin::{Caller, Credential};
use crate::service::{Result, ServiceError, Unauthenticated};
use crate::storage::Database;

/// A request that presents a key.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The presented text.
    pub key: &'a str,
    /// Time of the request.
    pub now: i64,
    /// Its id.
    pub request_id: &'a str,
    /// Address of the client.
    pub client_ip: Option<IpAddr>,
}

/// The caller behind a presented key.
///
/// # Errors
/// `Unauthenticated(Invalid)`; those of storage.
pub async fn authenticate(db: &Database, asked: Asked<'_>) -> Result<Caller> {
    let found = db.find_live_api_key_across_organizations(&token::hash(asked.key), asked.now).await?;
    let (organization, id, roles) = found.ok_or(ServiceError::Unauthenticated(Unauthenticated::Invalid))?;
    let roles = RoleSet::parse(&roles);
    Ok(Caller {
        organization,
        actor: Actor::ApiKey(id),
        credential: Credential::ApiKey(id),
        roles,
        permissions: PermissionSet::of(roles),
        now: asked.now,
        request_id: asked.request_id.to_owned(),
        client_ip: asked.client_ip,
    })
}
