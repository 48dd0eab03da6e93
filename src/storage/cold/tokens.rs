//! SCIM tokens: several live ones may overlap. Only the SHA-256 of a secret is stored. The look-up of a request's
//! token is hot and lives with each backend (`find_credential_across_organizations`).

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, NullableExpressionMethods as _, QueryDsl as _,
};

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

#[derive(Insertable)]
#[diesel(table_name = scim_tokens)]
struct NewRow<'a> {
    organization: Id,
    id: Id,
    connection: Id,
    name: &'a str,
    hash: &'a [u8],
    fingerprint: &'a str,
    created: i64,
    created_by: &'a str,
    expires_at: Option<i64>,
    rotated_from: Option<Id>,
}

impl<'a> NewRow<'a> {
    fn of(deed: &'a Deed, new: &'a NewToken) -> Self {
        NewRow {
            organization: Id::from(new.organization),
            id: Id::from(new.id),
            connection: Id::from(new.connection),
            name: &new.name,
            hash: &new.hash,
            fingerprint: &new.fingerprint,
            created: deed.at,
            created_by: &deed.actor,
            expires_at: new.expires_at,
            rotated_from: None,
        }
    }
}

/// Inserts a token; `created_by` is the deed's actor.
///
/// # Errors
/// `Broken` where the connection does not exist.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewToken) -> Result<TokenRecord> {
    let insert = diesel::insert_into(scim_tokens::table).values(NewRow::of(deed, new)).returning(TokenRecord::cols());
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

/// The tokens of all connections of an organization that are not revoked, expired ones included.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list_unrevoked(db: &mut Db<'_>, organization: OrganizationId) -> Result<Vec<TokenRecord>> {
    let query = scim_tokens::table
        .filter(scim_tokens::organization.eq(Id::from(organization)))
        .filter(scim_tokens::revoked_at.is_null())
        .order(scim_tokens::id);
    Ok(query.select(TokenRecord::cols()).all(db).await?)
}

/// The number of tokens of a connection that are neither revoked nor expired.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn count_alive(
    db: &mut Db<'_>,
    organization: OrganizationId,
    connection: ConnectionId,
    now: i64,
) -> Result<i64> {
    let query = scim_tokens::table
        .filter(scim_tokens::organization.eq(Id::from(organization)))
        .filter(scim_tokens::connection.eq(Id::from(connection)))
        .filter(scim_tokens::revoked_at.is_null())
        .filter(scim_tokens::expires_at.is_null().or(scim_tokens::expires_at.assume_not_null().gt(now)));
    Ok(query.count().one(db).await?)
}

/// Puts a new token in the place of `old`, which ends at `ends_at` at the latest, or at once where that is `None`.
///
/// # Errors
/// `Missing` where the old one is revoked.
pub async fn rotate(
    db: &mut Db<'_>,
    deed: &Deed,
    old: &TokenRecord,
    new: &NewToken,
    ends_at: Option<i64>,
) -> Result<TokenRecord> {
    let live = scim_tokens::table
        .find((Id::from(old.organization), Id::from(old.id)))
        .filter(scim_tokens::revoked_at.is_null());
    let set = match ends_at {
        // What was promised of the old one does not grow.
        Some(at) => (Some(old.expires_at.map_or(at, |end| end.min(at))), None),
        None => (old.expires_at, Some(deed.at)),
    };
    let set = (scim_tokens::expires_at.eq(set.0), scim_tokens::revoked_at.eq(set.1));
    if diesel::update(live).set(set).exec(db).await? == 0 {
        return Err(StorageError::Missing);
    }
    let row = NewRow { rotated_from: Some(Id::from(old.id)), ..NewRow::of(deed, new) };
    let insert = diesel::insert_into(scim_tokens::table).values(row).returning(TokenRecord::cols());
    let stored: TokenRecord = insert.one(db).await?;
    let detail = format!(r#"{{"rotated_from":"{}"}}"#, old.id);
    record(db, deed, target(&stored, EventKind::TokenRotated), &detail).await?;
    Ok(stored)
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
    /// The tokens of all connections of an organization that are not revoked, expired ones included.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_unrevoked_tokens(&self, organization: OrganizationId) -> Result<Vec<TokenRecord>> {
        self.cold_read(async |db| list_unrevoked(db, organization).await).await
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
