//! API keys: service identities of an organization. A key keeps its id when its secret is rotated. Only the SHA-256 of a
//! secret is stored. A revoked key is gone for everybody but the audit log.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
};

use super::{Deed, Target, record};
use crate::domain::ids::{OrganizationId, TokenId};
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::rows::{ApiKeyCredential, ApiKeyRecord};
use crate::storage::schema::{api_keys, organizations};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;
use crate::storage::{Database, TOUCH_INTERVAL};

/// What people set of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyColumns {
    /// Name for people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Keys of roles, separated by commas.
    pub roles: String,
    /// CIDR blocks, separated by commas; empty: any address.
    pub ip_allowlist: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
}

/// What is stored of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// What identifies it to people.
    pub fingerprint: String,
}

/// A key to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its tenant, which exists.
    pub organization: OrganizationId,
    /// Id, not used before.
    pub id: TokenId,
    /// What people set.
    pub columns: ApiKeyColumns,
    /// Its secret.
    pub secret: Sealed,
}

/// Inserts a key; `created_by` is the deed's actor. `detail` goes into the event.
///
/// # Errors
/// `Broken` where the organization does not exist.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewApiKey, detail: &str) -> Result<ApiKeyRecord> {
    let row = (
        api_keys::organization.eq(Id::from(new.organization)),
        api_keys::id.eq(Id::from(new.id)),
        (
            api_keys::name.eq(&*new.columns.name),
            api_keys::description.eq(&*new.columns.description),
            api_keys::roles.eq(&*new.columns.roles),
            api_keys::ip_allowlist.eq(&*new.columns.ip_allowlist),
            api_keys::expires_at.eq(new.columns.expires_at),
        ),
        api_keys::hash.eq(&new.secret.hash[..]),
        api_keys::fingerprint.eq(&*new.secret.fingerprint),
        api_keys::created.eq(deed.at),
        api_keys::created_by.eq(&*deed.actor),
        api_keys::modified.eq(deed.at),
        api_keys::version.eq(1),
    );
    let insert = diesel::insert_into(api_keys::table).values(row).returning(ApiKeyRecord::cols());
    let stored: ApiKeyRecord = insert.one(db).await?;
    record(db, deed, target(&stored, EventKind::ApiKeyCreated), detail).await?;
    Ok(stored)
}

/// The key of that id, if it is not revoked.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, organization: OrganizationId, id: TokenId) -> Result<Option<ApiKeyRecord>> {
    let query = api_keys::table.find((Id::from(organization), Id::from(id))).filter(api_keys::revoked_at.is_null());
    Ok(query.select(ApiKeyRecord::cols()).opt(db).await?)
}

/// A page of keys that are not revoked, in the order of their ids, after one if given; `created_by` narrows to one maker.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(
    db: &mut Db<'_>,
    organization: OrganizationId,
    created_by: Option<&str>,
    after: Option<TokenId>,
    limit: u32,
) -> Result<Vec<ApiKeyRecord>> {
    let from = after.map_or(Id(uuid::Uuid::nil()), Id::from);
    let page = api_keys::table
        .filter(api_keys::organization.eq(Id::from(organization)))
        .filter(api_keys::id.gt(from))
        .filter(api_keys::revoked_at.is_null())
        .order(api_keys::id)
        .limit(i64::from(limit))
        .select(ApiKeyRecord::cols());
    Ok(match created_by {
        Some(maker) => page.filter(api_keys::created_by.eq(maker.to_owned())).all(db).await?,
        None => page.all(db).await?,
    })
}

/// Sets what people set, of the version that was read. `detail` goes into the event.
///
/// # Errors
/// `Stale`, `Missing`.
pub async fn update(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &ApiKeyRecord,
    columns: &ApiKeyColumns,
    detail: &str,
) -> Result<ApiKeyRecord> {
    let set = (
        api_keys::name.eq(columns.name.clone()),
        api_keys::description.eq(columns.description.clone()),
        api_keys::roles.eq(columns.roles.clone()),
        api_keys::ip_allowlist.eq(columns.ip_allowlist.clone()),
        api_keys::expires_at.eq(columns.expires_at),
        api_keys::modified.eq(deed.at),
        api_keys::version.eq(api_keys::version + 1),
    );
    let of_version = api_keys::table
        .find((Id::from(read.organization), Id::from(read.id)))
        .filter(api_keys::version.eq(read.version))
        .filter(api_keys::revoked_at.is_null());
    let stored: Option<ApiKeyRecord> =
        diesel::update(of_version).set(set).returning(ApiKeyRecord::cols()).opt(db).await?;
    done(db, deed, read, stored, EventKind::ApiKeyChanged, detail).await
}

/// A new secret from now on; the one before works until `previous_until`, where given. Of two that were read as the same
/// version one is `Stale`, so that no secret is answered that does not work.
///
/// # Errors
/// `Stale`, `Missing`.
pub async fn rotate(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &ApiKeyRecord,
    secret: &Sealed,
    expires_at: Option<i64>,
    previous_until: Option<i64>,
) -> Result<ApiKeyRecord> {
    let of_version = api_keys::table
        .find((Id::from(read.organization), Id::from(read.id)))
        .filter(api_keys::version.eq(read.version))
        .filter(api_keys::revoked_at.is_null());
    let previous = match previous_until {
        Some(_) => {
            api_keys::table
                .find((Id::from(read.organization), Id::from(read.id)))
                .select(api_keys::hash)
                .opt::<Vec<u8>>(db)
                .await?
        }
        None => None,
    };
    let set = (
        api_keys::previous_hash.eq(previous),
        api_keys::previous_until.eq(previous_until),
        api_keys::hash.eq(secret.hash.to_vec()),
        api_keys::fingerprint.eq(secret.fingerprint.clone()),
        api_keys::expires_at.eq(expires_at),
        api_keys::rotated_at.eq(deed.at),
        api_keys::modified.eq(deed.at),
        api_keys::version.eq(api_keys::version + 1),
    );
    let stored: Option<ApiKeyRecord> =
        diesel::update(of_version).set(set).returning(ApiKeyRecord::cols()).opt(db).await?;
    done(db, deed, read, stored, EventKind::ApiKeyRotated, "{}").await
}

/// Revokes a key, of the version that was read.
///
/// # Errors
/// `Stale`, `Missing`.
pub async fn revoke(db: &mut Db<'_>, deed: &Deed, read: &ApiKeyRecord) -> Result<ApiKeyRecord> {
    let live = api_keys::table
        .find((Id::from(read.organization), Id::from(read.id)))
        .filter(api_keys::version.eq(read.version))
        .filter(api_keys::revoked_at.is_null());
    let set = (api_keys::revoked_at.eq(deed.at), api_keys::version.eq(api_keys::version + 1));
    let stored: Option<ApiKeyRecord> = diesel::update(live).set(set).returning(ApiKeyRecord::cols()).opt(db).await?;
    done(db, deed, read, stored, EventKind::ApiKeyRevoked, "{}").await
}

/// The event of a change, or why there was none.
async fn done(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &ApiKeyRecord,
    stored: Option<ApiKeyRecord>,
    kind: EventKind,
    detail: &str,
) -> Result<ApiKeyRecord> {
    match stored {
        Some(stored) => {
            record(db, deed, target(&stored, kind), detail).await?;
            Ok(stored)
        }
        None if find(db, read.organization, read.id).await?.is_some() => Err(StorageError::Stale),
        None => Err(StorageError::Missing),
    }
}

fn target(stored: &ApiKeyRecord, kind: EventKind) -> Target {
    let (organization, resource, version) = (stored.organization, stored.id.0, stored.version);
    Target { organization, connection: None, kind, resource, version }
}

/// The key that a secret opens, whatever its state; by its present secret or the one before.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_by_hash_across_organizations(db: &mut Db<'_>, hash: &[u8; 32]) -> Result<Option<ApiKeyCredential>> {
    let all = || {
        api_keys::table
            .inner_join(organizations::table.on(organizations::id.eq(api_keys::organization)))
            .select(ApiKeyCredential::cols())
    };
    let present: Option<ApiKeyCredential> = all().filter(api_keys::hash.eq(hash.to_vec())).opt(db).await?;
    match present {
        Some(found) => Ok(Some(ApiKeyCredential { previous_until: None, ..found })),
        None => {
            let former = all().filter(api_keys::previous_hash.eq(hash.to_vec()));
            let former = former.filter(api_keys::previous_until.is_not_null());
            Ok(former.opt(db).await?)
        }
    }
}

/// Notes a use, at most once a minute; answers whether it was written. No event.
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
    let due = api_keys::last_used_at.is_null().or(api_keys::last_used_at.assume_not_null().le(at - TOUCH_INTERVAL));
    let row = api_keys::table.find((Id::from(organization), Id::from(id))).filter(due);
    let set = (api_keys::last_used_at.eq(at), api_keys::last_used_ip.eq(ip.map(str::to_owned)));
    Ok(diesel::update(row).set(set).exec(db).await? == 1)
}

impl Database {
    /// The key of that id, if it is not revoked.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_api_key(&self, organization: OrganizationId, id: TokenId) -> Result<Option<ApiKeyRecord>> {
        self.cold_read(async |db| find(db, organization, id).await).await
    }
    /// A page of keys that are not revoked, in the order of their ids.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_api_keys(
        &self,
        organization: OrganizationId,
        created_by: Option<&str>,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRecord>> {
        self.cold_read(async |db| list(db, organization, created_by, after, limit).await).await
    }
    /// The key that a secret opens, whatever its state.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_api_key_by_hash_across_organizations(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyCredential>> {
        self.cold_read(async |db| find_by_hash_across_organizations(db, hash).await).await
    }
    /// Notes a use of a key, at most once a minute; answers whether it was written.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn touch_api_key(
        &self,
        organization: OrganizationId,
        id: TokenId,
        at: i64,
        ip: Option<String>,
    ) -> Result<bool> {
        self.transaction(async move |db: &mut Db<'_>| touch(db, organization, id, at, ip.as_deref()).await).await
    }
}
