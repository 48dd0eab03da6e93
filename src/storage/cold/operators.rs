//! Operators of the service and their keys. They belong to no organization, and so do their events. Only the SHA-256 of a
//! secret is stored.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
    Queryable, Selectable,
};

use super::api_keys::Sealed;
use super::{Deed, Target, record};
use crate::domain::ids::{OperatorId, OrganizationId, TokenId};
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{operator_keys, operators};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;
use crate::storage::{Database, TOUCH_INTERVAL};

/// A stored operator who was not removed.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = operators)]
pub struct OperatorRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: OperatorId,
    /// Name for people.
    pub name: String,
    /// `operator`, `support`
    pub role: String,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
    /// Version.
    pub version: i64,
}

/// A stored key that is not revoked, without its secret or hash.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = operator_keys)]
pub struct OperatorKeyRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: TokenId,
    /// Whose it is.
    #[diesel(deserialize_as = Id)]
    pub operator: OperatorId,
    /// Name for people.
    pub name: String,
    /// What identifies the secret to people.
    pub fingerprint: String,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
    /// Address of that use.
    pub last_used_ip: Option<String>,
}

/// What an operator key opens.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = operator_keys)]
pub struct OperatorKeyCredential {
    /// The key.
    #[diesel(deserialize_as = Id)]
    pub id: TokenId,
    /// Whose it is.
    #[diesel(deserialize_as = Id)]
    pub operator: OperatorId,
    /// `operator`, `support`
    #[diesel(select_expression = operators::role)]
    pub role: String,
    /// When the operator was removed, µs since 1970.
    #[diesel(select_expression = operators::removed_at)]
    pub removed_at: Option<i64>,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970.
    pub revoked_at: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
}

/// An operator to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperator {
    /// Id, not used before.
    pub id: OperatorId,
    /// Name for people.
    pub name: String,
    /// `operator`, `support`
    pub role: String,
}

/// A key to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewOperatorKey {
    /// Whose it is; exists.
    pub operator: OperatorId,
    /// Id, not used before.
    pub id: TokenId,
    /// Name for people.
    pub name: String,
    /// Its secret.
    pub secret: Sealed,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
}

fn target(kind: EventKind, resource: uuid::Uuid, version: i64) -> Target {
    Target { organization: OrganizationId::SERVICE, connection: None, kind, resource, version }
}

/// Inserts an operator. `detail` goes into the event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewOperator, detail: &str) -> Result<OperatorRecord> {
    let row = (
        operators::id.eq(Id::from(new.id)),
        operators::name.eq(&*new.name),
        operators::role.eq(&*new.role),
        operators::created.eq(deed.at),
        operators::created_by.eq(&*deed.actor),
        operators::version.eq(1),
    );
    let insert = diesel::insert_into(operators::table).values(row).returning(OperatorRecord::cols());
    let stored: OperatorRecord = insert.one(db).await?;
    record(db, deed, target(EventKind::OperatorCreated, stored.id.0, stored.version), detail).await?;
    Ok(stored)
}

/// Inserts a key.
///
/// # Errors
/// `Broken` where the operator does not exist.
pub async fn insert_key(db: &mut Db<'_>, deed: &Deed, new: &NewOperatorKey) -> Result<OperatorKeyRecord> {
    let row = (
        operator_keys::id.eq(Id::from(new.id)),
        operator_keys::operator.eq(Id::from(new.operator)),
        operator_keys::name.eq(&*new.name),
        operator_keys::hash.eq(&new.secret.hash[..]),
        operator_keys::fingerprint.eq(&*new.secret.fingerprint),
        operator_keys::created.eq(deed.at),
        operator_keys::created_by.eq(&*deed.actor),
        operator_keys::expires_at.eq(new.expires_at),
    );
    let insert = diesel::insert_into(operator_keys::table).values(row).returning(OperatorKeyRecord::cols());
    let stored: OperatorKeyRecord = insert.one(db).await?;
    record(db, deed, target(EventKind::OperatorKeyCreated, stored.id.0, 1), "{}").await?;
    Ok(stored)
}

/// Removes an operator and revokes their keys; answers the keys.
///
/// # Errors
/// `Missing`.
pub async fn remove(db: &mut Db<'_>, deed: &Deed, id: OperatorId) -> Result<Vec<TokenId>> {
    let present = operators::table.find(Id::from(id)).filter(operators::removed_at.is_null());
    let set = (operators::removed_at.eq(deed.at), operators::version.eq(operators::version + 1));
    let removed: Option<OperatorRecord> =
        diesel::update(present).set(set).returning(OperatorRecord::cols()).opt(db).await?;
    let stored = removed.ok_or(StorageError::Missing)?;
    let live = operator_keys::table
        .filter(operator_keys::operator.eq(Id::from(id)))
        .filter(operator_keys::revoked_at.is_null());
    let update = diesel::update(live).set(operator_keys::revoked_at.eq(deed.at)).returning(operator_keys::id);
    let keys: Vec<Id> = update.all(db).await?;
    record(db, deed, target(EventKind::OperatorRemoved, stored.id.0, stored.version), "{}").await?;
    Ok(keys.into_iter().map(TokenId::from).collect())
}

impl Database {
    /// All operators who were not removed, in the order of their ids; few.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_operators(&self) -> Result<Vec<OperatorRecord>> {
        let query = operators::table.filter(operators::removed_at.is_null()).order(operators::id);
        self.cold_read(async |db| Ok(query.select(OperatorRecord::cols()).all(db).await?)).await
    }

    /// All keys that are not revoked, in the order of their ids; few.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_operator_keys(&self) -> Result<Vec<OperatorKeyRecord>> {
        let query = operator_keys::table.filter(operator_keys::revoked_at.is_null()).order(operator_keys::id);
        self.cold_read(async |db| Ok(query.select(OperatorKeyRecord::cols()).all(db).await?)).await
    }

    /// The key that a secret opens, whatever its state.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_operator_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<OperatorKeyCredential>> {
        let query = operator_keys::table
            .inner_join(operators::table.on(operators::id.eq(operator_keys::operator)))
            .filter(operator_keys::hash.eq(hash.to_vec()))
            .select(OperatorKeyCredential::cols());
        self.cold_read(async |db| Ok(query.opt(db).await?)).await
    }

    /// Notes a use of a key, at most once a minute; answers whether it was written. No event.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn touch_operator_key(&self, id: TokenId, at: i64, ip: Option<String>) -> Result<bool> {
        self.transaction(async move |db: &mut Db<'_>| {
            let due = operator_keys::last_used_at
                .is_null()
                .or(operator_keys::last_used_at.assume_not_null().le(at - TOUCH_INTERVAL));
            let row = operator_keys::table.find(Id::from(id)).filter(due);
            let set = (operator_keys::last_used_at.eq(at), operator_keys::last_used_ip.eq(ip));
            Ok::<_, StorageError>(diesel::update(row).set(set).exec(db).await? == 1)
        })
        .await
    }
}
