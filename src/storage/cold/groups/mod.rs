//! Groups as the admin surfaces show them: those of the organization and those of its directories side by side, with what
//! they are mapped to. Changes of a group itself are `Write`s; its mapping is changed here.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::roles::{map, unmap};
use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::permission::{Directories, Role, RoleSet};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::keyset::Keyset;
use crate::storage::schema::{groups, role_mappings};
use crate::storage::sql::Sql;
use crate::storage::uid::{Id, Uid};
use crate::storage::write::EventKind;

mod members;

pub use members::{MemberFilter, MemberRow, MemberSort, find_held_by_local_groups, known, list_members};

/// A group with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// Id.
    pub id: ResourceId,
    /// The directory that owns it, or `LOCAL`.
    pub connection: ConnectionId,
    /// That directory's name.
    pub connection_name: Option<String>,
    /// That directory's provider.
    pub provider: Option<String>,
    /// Name.
    pub name: String,
    /// Its comparison key.
    pub name_key: String,
    /// Stored document (JSON).
    pub document: String,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// Version of the group as its directory sees it.
    pub version: i64,
    /// Version of its mapping.
    pub mapping_version: i64,
    /// People and groups that it holds directly.
    pub members: i64,
    /// Roles that it is mapped to.
    pub roles: RoleSet,
}

/// Which groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupFilter {
    /// With a name that holds one of these folded texts.
    pub names: Vec<String>,
    /// Of one of these directories (`LOCAL` among them).
    pub connections: Vec<ConnectionId>,
    /// Owned by a directory (`true`), by none (`false`).
    pub is_managed: Option<bool>,
    /// Mapped to one of these roles.
    pub roles: RoleSet,
    /// Holding one of these people or groups directly.
    pub members: Vec<ResourceId>,
}

/// What groups are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum GroupSort {
    Name,
    Created,
    Modified,
}

impl GroupSort {
    fn column(self) -> &'static str {
        match self {
            GroupSort::Name => "g.display_name_key",
            GroupSort::Created => "g.created",
            GroupSort::Modified => "g.modified",
        }
    }
}

const FROM: &str = " FROM groups g LEFT JOIN connections c ON c.organization = g.organization AND c.id = g.connection \
                    WHERE g.deleted IS NULL AND g.organization = ";
const COLUMNS: &str = "SELECT g.id, g.connection, c.name, c.provider, g.display_name, g.display_name_key, g.document, \
                       g.created, g.modified, g.version, g.mapping_version, \
                       (SELECT count(*) FROM members m WHERE m.organization = g.organization AND m.group_id = g.id)";
type Types =
    (Uid, Nullable<Uid>, Nullable<Text>, Nullable<Text>, Text, Text, Text, BigInt, BigInt, BigInt, BigInt, BigInt);
type Row = (Id, Option<Id>, Option<String>, Option<String>, String, String, String, i64, i64, i64, i64, i64);

/// A page of groups; those of directories whose people are staged are not there yet.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn list(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    filter: &GroupFilter,
    page: &Keyset<GroupSort>,
) -> Result<Vec<GroupEntry>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(FROM).id(organization.0).append(&matching(directories, filter));
    sql.append(&page.tail(GroupSort::column, "g.id"));
    load(db, organization, sql).await
}

/// How many groups a filter selects.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn count(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    filter: &GroupFilter,
) -> Result<i64> {
    let mut sql = Sql::new("SELECT count(*)");
    sql.push(FROM).id(organization.0).append(&matching(directories, filter));
    Ok(sql.statement::<BigInt>(false).one(db).await?)
}

/// The group of that id.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    id: ResourceId,
) -> Result<Option<GroupEntry>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(FROM).id(organization.0).append(&matching(directories, &GroupFilter::default()));
    sql.push(" AND g.id = ").id(id.0);
    Ok(load(db, organization, sql).await?.pop())
}

async fn load(db: &mut Db<'_>, organization: OrganizationId, sql: Sql) -> Result<Vec<GroupEntry>> {
    let rows: Vec<Row> = sql.statement::<Types>(false).all(db).await?;
    let ids: Vec<Id> = rows.iter().map(|row| row.0).collect();
    let mappings = role_mappings::table
        .filter(role_mappings::organization.eq(Id::from(organization)))
        .filter(role_mappings::group_id.eq_any(ids))
        .select((role_mappings::group_id, role_mappings::role));
    let mappings: Vec<(Id, String)> = if rows.is_empty() { Vec::new() } else { mappings.all(db).await? };
    let entry = |row: Row| {
        let (id, connection, connection_name, provider, name, name_key, document, ..) = row;
        let roles = mappings.iter().filter(|(group, _)| *group == id).filter_map(|(_, role)| Role::parse(role));
        GroupEntry {
            id: id.into(),
            connection: connection.map_or(ConnectionId::LOCAL, ConnectionId::from),
            connection_name,
            provider,
            name,
            name_key,
            document,
            created: row.7,
            modified: row.8,
            version: row.9,
            mapping_version: row.10,
            members: row.11,
            roles: roles.collect(),
        }
    };
    Ok(rows.into_iter().map(entry).collect())
}

fn matching(directories: &Directories, filter: &GroupFilter) -> Sql {
    let mut sql = Sql::default();
    if !directories.staged.is_empty() {
        sql.push(" AND NOT ").any_id("g.connection", directories.staged.iter().map(|c| c.0));
    }
    if !filter.names.is_empty() {
        sql.push(" AND ").any_like(&["g.display_name_key"], &filter.names);
    }
    if !filter.connections.is_empty() {
        sql.push(" AND ").any_id("g.connection", filter.connections.iter().map(|c| c.0));
    }
    if let Some(is_managed) = filter.is_managed {
        sql.push(if is_managed { " AND g.connection <> " } else { " AND g.connection = " }).id(ConnectionId::LOCAL.0);
    }
    if !filter.roles.is_empty() {
        let keys: Vec<String> = filter.roles.iter().map(|role| format!("'{}'", role.key())).collect();
        sql.push(&format!(
            " AND EXISTS (SELECT 1 FROM role_mappings p WHERE p.organization = g.organization AND p.group_id = g.id \
             AND p.role IN ({}))",
            keys.join(", ")
        ));
    }
    if !filter.members.is_empty() {
        sql.push(
            " AND EXISTS (SELECT 1 FROM members m WHERE m.organization = g.organization AND m.group_id = g.id AND ",
        );
        sql.any_id("m.member_id", filter.members.iter().map(|m| m.0)).push(")");
    }
    sql
}

/// Roles that membership in a group brings: those of its mapping and of the groups that hold it, through any nesting.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn conferred(db: &mut Db<'_>, organization: OrganizationId, group: ResourceId) -> Result<RoleSet> {
    let mut sql = Sql::new("WITH RECURSIVE up (group_id) AS (SELECT g.id FROM groups g WHERE g.organization = ");
    sql.id(organization.0).push(" AND g.id = ").id(group.0);
    sql.push(
        " UNION SELECT m.group_id FROM up CROSS JOIN members m WHERE m.member_id = up.group_id AND m.organization = ",
    );
    sql.id(organization.0).push(
        ") SELECT DISTINCT p.role FROM up CROSS JOIN role_mappings p WHERE p.group_id = up.group_id AND p.organization = ",
    );
    sql.id(organization.0);
    let keys: Vec<String> = sql.statement::<Text>(true).all(db).await?;
    Ok(keys.iter().filter_map(|key| Role::parse(key)).collect())
}

/// Maps a group to exactly these roles, of the versions that were read. `detail` goes into the event.
///
/// # Errors
/// `Stale`.
pub async fn set_mapping(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    read: &GroupEntry,
    roles: RoleSet,
    detail: &str,
) -> Result<()> {
    let row = groups::table
        .find((Id::from(organization), Id::from(read.id)))
        .filter(groups::deleted.is_null())
        .filter(groups::version.eq(read.version))
        .filter(groups::mapping_version.eq(read.mapping_version));
    let set = groups::mapping_version.eq(groups::mapping_version + 1);
    if diesel::update(row).set(set).exec(db).await? == 0 {
        return Err(StorageError::Stale);
    }
    let changed = read.roles.difference(roles);
    let only = |of: RoleSet| changed.iter().filter(move |role| of.contains(*role)).collect::<RoleSet>();
    map(db, deed, organization, read.id, only(roles)).await?;
    unmap(db, organization, read.id, only(read.roles)).await?;
    let target = Target {
        organization,
        connection: (read.connection != ConnectionId::LOCAL).then_some(read.connection),
        kind: EventKind::GroupRolesChanged,
        resource: read.id.0,
        version: read.version,
    };
    record(db, deed, target, detail).await
}

impl Database {
    /// A page of groups, and where asked for the number of all.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn list_groups(
        &self,
        organization: OrganizationId,
        filter: &GroupFilter,
        page: &Keyset<GroupSort>,
        counted: bool,
    ) -> Result<(Vec<GroupEntry>, Option<i64>)> {
        self.cold_read(async |db| {
            let directories = super::roles::directories(db, organization).await?;
            let rows = list(db, organization, &directories, filter, page).await?;
            let total = if counted { Some(count(db, organization, &directories, filter).await?) } else { None };
            Ok((rows, total))
        })
        .await
    }
    /// The group of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_group_entry(&self, organization: OrganizationId, id: ResourceId) -> Result<Option<GroupEntry>> {
        self.cold_read(async |db| {
            let directories = super::roles::directories(db, organization).await?;
            find(db, organization, &directories, id).await
        })
        .await
    }
}
