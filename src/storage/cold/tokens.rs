//! SCIM tokens: several live ones may overlap. Only the SHA-256 of a secret is stored. The look-up of a request's
//! token is hot and lives with each backend (`find_credential_across_organizations`).

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::scim_tokens;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;
use crate::storage::{Database, TOUCH_INTERVAL, TokenRecord};

/// A token to create.
#[derive(Clone, PartialEq)]
pub struct NewToken {
    /// Its tenant.
    pub organization: OrganizationId,
    /// Id, not used before.
    pub id: TokenId,
    /// Its connection, which exists.
    pub connection: ConnectionId,
    /// Name for people.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What identifies the secret to people.
    pub fingerprint: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
}

/// Inserts a token; `created_by` is the deed's actor.
///
/// # Errors
/// `Broken` where the connection does not exist.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewToken) -> Result<TokenRecord> {
    let row = (
        scim_tokens::organization.eq(Id::from(new.organization)),
        scim_tokens::id.eq(Id::from(new.id)),
        scim_tokens::connection.eq(Id::from(new.connection)),
        scim_tokens::name.eq(&*new.name),
        scim_tokens::hash.eq(&new.hash[..]),
        scim_tokens::fingerprint.eq(&*new.fingerprint),
        scim_tokens::created.eq(deed.at),
        scim_tokens::created_by.eq(&*deed.actor),
        scim_tokens::expires_at.eq(new.expires_at),
    );
    let insert = diesel::insert_into(scim_tokens::table).values(row).returning(TokenRecord::cols());
    let stored: TokenRecord = insert.one(db).await?;
    record(db, deed, target(&stored, EventKind::TokenCreated), "{}").await?;
    Ok(stored)
}

/// The token of that id.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, organization: OrganizationId, id: TokenId) -> Result<Option<TokenRecord>> {
    let query = scim_tokens::table.find((Id::from(organization), Id::from(id)));
    Ok(query.select(TokenRecord::cols()).opt(db).await?)
}

/// The tokens of a connection, revoked and expired ones included, in the order of their ids.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(db: &mut Db<'_>, organization: OrganizationId, connection: ConnectionId) -> Result<Vec<TokenRecord>> {
    let query = scim_tokens::table
        .filter(scim_tokens::organization.eq(Id::from(organization)))
        .filter(scim_tokens::connection.eq(Id::from(connection)))
        .order(scim_tokens::id);
    Ok(query.select(TokenRecord::cols()).all(db).await?)
}

/// Revokes a token from `deed.at` on. One revoked already keeps its time and leaves no event.
///
/// # Errors
/// `Missing`.
pub async fn revoke(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, id: TokenId) -> Result<TokenRecord> {
    let live = scim_tokens::table
        .filter(scim_tokens::organization.eq(Id::from(organization)))
        .filter(scim_tokens::id.eq(Id::from(id)))
        .filter(scim_tokens::revoked_at.is_null());
    let update = diesel::update(live).set(scim_tokens::revoked_at.eq(deed.at)).returning(TokenRecord::cols());
    let revoked: Option<TokenRecord> = update.opt(db).await?;
    let Some(stored) = revoked else { return find(db, organization, id).await?.ok_or(StorageError::Missing) };
    record(db, deed, target(&stored, EventKind::TokenRevoked), "{}").await?;
    Ok(stored)
}

/// Notes a use of a token, at most once a minute; answers whether it was written. No event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn touch(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: TokenId,
    at: i64,
    ip: Option<&str>,
) -> Result<bool> {
    let due =
        scim_tokens::last_used_at.is_null().or(scim_tokens::last_used_at.assume_not_null().le(at - TOUCH_INTERVAL));
    let row = scim_tokens::table
        .filter(scim_tokens::organization.eq(Id::from(organization)))
        .filter(scim_tokens::id.eq(Id::from(id)))
        .filter(due);
    let set = (scim_tokens::last_used_at.eq(at), scim_tokens::last_used_ip.eq(ip.map(str::to_owned)));
    Ok(diesel::update(row).set(set).exec(db).await? == 1)
}

fn target(stored: &TokenRecord, kind: EventKind) -> Target {
    Target {
        organization: stored.organization,
        connection: Some(stored.connection),
        kind,
        resource: stored.id.0,
        version: 1,
    }
}

impl Database {
    /// `tokens::insert` in a transaction of its own.
    ///
    /// # Errors
    /// `Broken` where the connection does not exist; `Busy`.
    pub async fn insert_token(&self, deed: Deed, new: NewToken) -> Result<TokenRecord> {
        self.transaction(async move |db: &mut Db<'_>| insert(db, &deed, &new).await).await
    }
    /// The token of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_token(&self, organization: OrganizationId, id: TokenId) -> Result<Option<TokenRecord>> {
        self.cold_read(async |db| find(db, organization, id).await).await
    }
    /// The tokens of a connection, revoked and expired ones included, in the order of their ids.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_tokens(
        &self,
        organization: OrganizationId,
        connection: ConnectionId,
    ) -> Result<Vec<TokenRecord>> {
        self.cold_read(async |db| list(db, organization, connection).await).await
    }
    /// `tokens::revoke` in a transaction of its own.
    ///
    /// # Errors
    /// `Missing`, `Busy`, `Broken`.
    pub async fn revoke_token(&self, deed: Deed, organization: OrganizationId, id: TokenId) -> Result<TokenRecord> {
        self.transaction(async move |db: &mut Db<'_>| revoke(db, &deed, organization, id).await).await
    }
    /// Notes a use of a token, at most once a minute; answers whether it was written. Callers spare the write where
    /// `Credential::last_used_at` is younger.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn touch_token(
        &self,
        organization: OrganizationId,
        id: TokenId,
        at: i64,
        ip: Option<String>,
    ) -> Result<bool> {
        self.transaction(async move |db: &mut Db<'_>| touch(db, organization, id, at, ip.as_deref()).await).await
    }
}
