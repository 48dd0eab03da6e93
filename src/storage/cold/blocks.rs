//! Who may not be created again over SCIM: by userName in the organization, by externalId of a connection.

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::{Deed, Target, record};
use crate::domain::ids::{BlockId, ConnectionId, OrganizationId, ResourceId, Scope};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::blocks;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A stored block.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = blocks)]
pub struct BlockRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: BlockId,
    /// The connection whose externalId is blocked.
    #[diesel(deserialize_as = Id)]
    pub connection: ConnectionId,
    /// The person as they were.
    #[diesel(deserialize_as = Id)]
    pub user_id: ResourceId,
    /// Folded, bounded (`keys::bounded`).
    pub user_name_key: String,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
    /// In the operator's words.
    pub reason: String,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
}

/// A block to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlock {
    /// The tenant and the connection whose externalId is blocked.
    pub scope: Scope,
    /// Id, not used before.
    pub id: BlockId,
    /// The person as they were.
    pub user: ResourceId,
    /// Folded, bounded.
    pub user_name_key: String,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
}

/// Inserts a block; answers the one that blocks the userName already, if there is one.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewBlock) -> Result<BlockRecord> {
    let organization = new.scope.organization;
    let row = (
        blocks::organization.eq(Id::from(organization)),
        blocks::id.eq(Id::from(new.id)),
        blocks::connection.eq(Id::from(new.scope.connection)),
        blocks::user_id.eq(Id::from(new.user)),
        blocks::user_name_key.eq(&*new.user_name_key),
        blocks::external_id_key.eq(new.external_id_key.as_deref()),
        blocks::reason.eq(deed.reason.as_deref().unwrap_or_default()),
        blocks::created.eq(deed.at),
        blocks::created_by.eq(&*deed.actor),
    );
    diesel::insert_into(blocks::table).values(row).on_conflict_do_nothing().exec(db).await?;
    let stored: BlockRecord = blocks::table
        .filter(blocks::organization.eq(Id::from(organization)))
        .filter(blocks::user_name_key.eq(new.user_name_key.clone()))
        .select(BlockRecord::cols())
        .one(db)
        .await?;
    record(db, deed, target(organization, EventKind::UserBlocked, new.user), &detail(stored.id)).await?;
    Ok(stored)
}

/// Lifts a block.
///
/// # Errors
/// `Missing`.
pub async fn remove(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, id: BlockId) -> Result<BlockRecord> {
    let found = find(db, organization, id).await?.ok_or(StorageError::Missing)?;
    diesel::delete(blocks::table.find((Id::from(organization), Id::from(id)))).exec(db).await?;
    record(db, deed, target(organization, EventKind::UserUnblocked, found.user_id), &detail(id)).await?;
    Ok(found)
}

async fn find(db: &mut Db<'_>, organization: OrganizationId, id: BlockId) -> Result<Option<BlockRecord>> {
    let query = blocks::table.find((Id::from(organization), Id::from(id)));
    Ok(query.select(BlockRecord::cols()).opt(db).await?)
}

fn detail(id: BlockId) -> String {
    format!(r#"{{"block":"{id}"}}"#)
}

fn target(organization: OrganizationId, kind: EventKind, user: ResourceId) -> Target {
    Target { organization, connection: None, kind, resource: user.0, version: 0 }
}

impl Database {
    /// The block of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_block(&self, organization: OrganizationId, id: BlockId) -> Result<Option<BlockRecord>> {
        self.cold_read(async |db| find(db, organization, id).await).await
    }

    /// The blocks of an organization, in the order of their ids; few.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_blocks(&self, organization: OrganizationId) -> Result<Vec<BlockRecord>> {
        let query = blocks::table.filter(blocks::organization.eq(Id::from(organization))).order(blocks::id);
        self.cold_read(async |db| Ok(query.select(BlockRecord::cols()).all(db).await?)).await
    }

    /// The block that keeps a connection from creating somebody, if there is one. Keys as `keys::user_columns` makes them.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_block_of(
        &self,
        scope: Scope,
        user_name_key: &str,
        external_id_key: Option<&str>,
    ) -> Result<Option<BlockRecord>> {
        let by_name = blocks::table
            .filter(blocks::organization.eq(Id::from(scope.organization)))
            .filter(blocks::user_name_key.eq(user_name_key.to_owned()))
            .select(BlockRecord::cols());
        let by_external_id = blocks::table
            .filter(blocks::organization.eq(Id::from(scope.organization)))
            .filter(blocks::connection.eq(Id::from(scope.connection)))
            .filter(blocks::external_id_key.eq(external_id_key.map(str::to_owned)))
            .order(blocks::id)
            .limit(1)
            .select(BlockRecord::cols());
        self.cold_read(async |db| match by_name.opt(db).await? {
            Some(found) => Ok(Some(found)),
            None if external_id_key.is_some() => Ok(by_external_id.opt(db).await?),
            None => Ok(None),
        })
        .await
    }
}
