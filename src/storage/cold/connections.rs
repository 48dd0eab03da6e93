//! Connections of an organization to an identity provider.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::connections;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;
use crate::storage::{ConnectionRecord, Database};

/// A connection to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewConnection {
    /// Its tenant, which exists.
    pub organization: OrganizationId,
    /// Id, not used before.
    pub id: ConnectionId,
    /// `okta`, `entra`, `custom` …
    pub provider: String,
    /// Unique in the organization.
    pub name: String,
    /// `setup`, `observe`, `active`, `paused`, `decommissioned`
    pub state: String,
    /// Settings document (JSON), `{}` for the defaults.
    pub settings: String,
}

/// Inserts a connection.
///
/// # Errors
/// `NotUnique(ConnectionName)`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewConnection) -> Result<ConnectionRecord> {
    let row = (
        connections::organization.eq(Id::from(new.organization)),
        connections::id.eq(Id::from(new.id)),
        connections::provider.eq(&*new.provider),
        connections::name.eq(&*new.name),
        connections::state.eq(&*new.state),
        connections::settings.eq(&*new.settings),
        connections::created.eq(deed.at),
        connections::modified.eq(deed.at),
        connections::version.eq(1),
    );
    let insert = diesel::insert_into(connections::table).values(row).returning(ConnectionRecord::cols());
    let stored: ConnectionRecord = insert.one(db).await?;
    let target = Target {
        organization: new.organization,
        connection: Some(new.id),
        kind: EventKind::ConnectionCreated,
        resource: new.id.0,
        version: 1,
    };
    record(db, deed, target, "{}").await?;
    Ok(stored)
}

/// What may change of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionColumns {
    /// Unique in the organization.
    pub name: String,
    /// `domain::connection::State`, as stored.
    pub state: String,
    /// Settings document (JSON).
    pub settings: String,
}

/// Gives a connection of the version that was read new columns. `kind` and `detail` go into the event.
///
/// # Errors
/// `Stale`, `NotUnique(ConnectionName)`.
pub async fn update(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &ConnectionRecord,
    columns: &ConnectionColumns,
    kind: EventKind,
    detail: &str,
) -> Result<ConnectionRecord> {
    let set = (
        connections::name.eq(columns.name.clone()),
        connections::state.eq(columns.state.clone()),
        connections::settings.eq(columns.settings.clone()),
        connections::modified.eq(deed.at),
        connections::version.eq(connections::version + 1),
    );
    let of_version = connections::table
        .find((Id::from(read.organization), Id::from(read.id)))
        .filter(connections::version.eq(read.version));
    let update = diesel::update(of_version).set(set).returning(ConnectionRecord::cols());
    let changed: Option<ConnectionRecord> = update.opt(db).await?;
    let stored = changed.ok_or(StorageError::Stale)?;
    let target = Target {
        organization: stored.organization,
        connection: Some(stored.id),
        kind,
        resource: stored.id.0,
        version: stored.version,
    };
    record(db, deed, target, detail).await?;
    Ok(stored)
}

/// Locks a connection until the transaction ends, so that what is counted of it stays so. It says whether it exists.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn lock(db: &mut Db<'_>, organization: OrganizationId, id: ConnectionId) -> Result<bool> {
    let row = connections::table.find((Id::from(organization), Id::from(id)));
    // An update without effect: SELECT … FOR UPDATE exists on one backend only.
    Ok(diesel::update(row).set(connections::version.eq(connections::version)).exec(db).await? == 1)
}

/// The connection of that id.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, organization: OrganizationId, id: ConnectionId) -> Result<Option<ConnectionRecord>> {
    let query = connections::table.find((Id::from(organization), Id::from(id)));
    Ok(query.select(ConnectionRecord::cols()).opt(db).await?)
}

/// The connection of that name.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_by_name(
    db: &mut Db<'_>,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<ConnectionRecord>> {
    let query = connections::table
        .filter(connections::organization.eq(Id::from(organization)))
        .filter(connections::name.eq(name.to_owned()));
    Ok(query.select(ConnectionRecord::cols()).opt(db).await?)
}

/// All connections of an organization, in the order of their ids.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(db: &mut Db<'_>, organization: OrganizationId) -> Result<Vec<ConnectionRecord>> {
    let query = connections::table.filter(connections::organization.eq(Id::from(organization))).order(connections::id);
    Ok(query.select(ConnectionRecord::cols()).all(db).await?)
}

impl Database {
    /// `connections::insert` in a transaction of its own.
    ///
    /// # Errors
    /// `NotUnique(ConnectionName)`, `Broken` where the organization does not exist, `Busy`.
    pub async fn insert_connection(&self, deed: Deed, new: NewConnection) -> Result<ConnectionRecord> {
        self.transaction(async move |db: &mut Db<'_>| insert(db, &deed, &new).await).await
    }
    /// The connection of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_connection(
        &self,
        organization: OrganizationId,
        id: ConnectionId,
    ) -> Result<Option<ConnectionRecord>> {
        self.cold_read(async |db| find(db, organization, id).await).await
    }
    /// The connection of that name.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_connection_by_name(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<ConnectionRecord>> {
        self.cold_read(async |db| find_by_name(db, organization, name).await).await
    }
    /// All connections of an organization, in the order of their ids.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_connections(&self, organization: OrganizationId) -> Result<Vec<ConnectionRecord>> {
        self.cold_read(async |db| list(db, organization).await).await
    }
}
