//! Members of a group as the admin surfaces show them: people and groups of every connection, staged people left out.

use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};

use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::permission::Directories;
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::keyset::Keyset;
use crate::storage::sql::Sql;
use crate::storage::uid::{Id, Uid};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Id of the person or group.
    pub id: ResourceId,
    /// Whether it is a group.
    pub is_group: bool,
    /// The directory that owns it, or `LOCAL`.
    pub connection: ConnectionId,
    /// A person's userName.
    pub user_name: Option<String>,
    /// A person's or group's display name.
    pub display_name: Option<String>,
    /// Key of its display name, or else of its userName.
    pub name_key: String,
}

/// Which members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberFilter {
    /// With a name that holds one of these folded texts.
    pub names: Vec<String>,
    /// Groups (`true`), people (`false`).
    pub is_group: Option<bool>,
}

/// What members are sorted by, before their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MemberSort {
    Id,
    Name,
}

impl MemberSort {
    fn column(self) -> &'static str {
        match self {
            MemberSort::Id => "m.member_id",
            MemberSort::Name => NAME_KEY,
        }
    }
}

const NAME_KEY: &str = "coalesce(u.display_name_key, n.display_name_key, u.user_name_key)";
const FROM: &str = " FROM members m \
     LEFT JOIN users u ON m.member_type <> 2 AND u.organization = m.organization AND u.id = m.member_id AND u.deleted IS NULL \
     LEFT JOIN groups n ON m.member_type = 2 AND n.organization = m.organization AND n.id = m.member_id AND n.deleted IS NULL \
     WHERE coalesce(u.id, n.id) IS NOT NULL AND m.organization = ";

/// A page of members, and where asked for the number of all.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn list_members(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    group: ResourceId,
    filter: &MemberFilter,
    page: &Keyset<MemberSort>,
    counted: bool,
) -> Result<(Vec<MemberRow>, Option<i64>)> {
    let mut from = Sql::new(FROM);
    from.id(organization.0).push(" AND m.group_id = ").id(group.0).append(&matching(directories, filter));
    let mut sql = Sql::new(format!(
        "SELECT m.member_id, m.member_type, coalesce(u.connection, n.connection), u.user_name, \
         coalesce(u.display_name, n.display_name), {NAME_KEY}"
    ));
    sql.append(&from).append(&page.tail(MemberSort::column, "m.member_id"));
    type Types = (Uid, SmallInt, Nullable<Uid>, Nullable<Text>, Nullable<Text>, Text);
    type Row = (Id, i16, Option<Id>, Option<String>, Option<String>, String);
    let rows: Vec<Row> = sql.statement::<Types>(false).all(db).await?;
    let member = |(id, kind, connection, user_name, display_name, name_key): Row| MemberRow {
        id: id.into(),
        is_group: kind == 2,
        connection: connection.map_or(ConnectionId::LOCAL, |id| ConnectionId::from(id).owner()),
        user_name,
        display_name,
        name_key,
    };
    let mut total = None;
    if counted {
        let mut sql = Sql::new("SELECT count(*)");
        sql.append(&from);
        total = Some(sql.statement::<BigInt>(false).one(db).await?);
    }
    Ok((rows.into_iter().map(member).collect(), total))
}

/// Those of `ids` that are people or groups of the organization, staged ones left out.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn known(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    ids: &[ResourceId],
) -> Result<Vec<ResourceId>> {
    let mut sql = Sql::default();
    for (table, union) in [("users", ""), ("groups", " UNION ALL ")] {
        sql.push(union).push("SELECT r.id FROM ").push(table).push(" r WHERE r.deleted IS NULL AND r.organization = ");
        sql.id(organization.0).push(" AND ").any_id("r.id", ids.iter().map(|id| id.0));
        sql.push(" AND NOT ").any_id("r.connection", directories.staged.iter().map(|c| c.0));
    }
    let rows: Vec<Id> = sql.statement::<Uid>(false).all(db).await?;
    Ok(rows.into_iter().map(ResourceId::from).collect())
}

/// One of the people of these connections whom groups of the organization hold: `groups`, and those among them that are the
/// organization's in turn. What a directory's group holds is not looked at.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_held_by_local_groups(
    db: &mut Db<'_>,
    organization: OrganizationId,
    groups: &[ResourceId],
    connections: &[ConnectionId],
) -> Result<Option<ResourceId>> {
    let mut sql = Sql::new("WITH RECURSIVE down (group_id) AS (SELECT g.id FROM groups g WHERE g.organization = ");
    sql.id(organization.0).push(" AND g.connection = ").id(ConnectionId::LOCAL.0);
    sql.push(" AND ").any_id("g.id", groups.iter().map(|id| id.0));
    sql.push(
        " UNION SELECT n.id FROM down d CROSS JOIN members m CROSS JOIN groups n WHERE m.group_id = d.group_id \
         AND m.member_type = 2 AND n.organization = m.organization AND n.id = m.member_id AND m.organization = ",
    );
    sql.id(organization.0).push(" AND n.connection = ").id(ConnectionId::LOCAL.0);
    sql.push(
        ") SELECT u.id FROM down d CROSS JOIN members m CROSS JOIN users u WHERE m.group_id = d.group_id \
         AND m.member_type <> 2 AND u.organization = m.organization AND u.id = m.member_id AND u.deleted IS NULL \
         AND m.organization = ",
    );
    sql.id(organization.0).push(" AND ").any_id("u.connection", connections.iter().map(|id| id.0)).push(" LIMIT 1");
    let found: Option<Id> = sql.statement::<Uid>(false).opt(db).await?;
    Ok(found.map(ResourceId::from))
}

fn matching(directories: &Directories, filter: &MemberFilter) -> Sql {
    let mut sql = Sql::default();
    if !directories.staged.is_empty() {
        let staged = || directories.staged.iter().map(|c| c.0);
        sql.push(" AND NOT ").any_id("coalesce(u.connection, n.connection)", staged());
    }
    if !filter.names.is_empty() {
        let columns = ["u.display_name_key", "u.user_name_key", "n.display_name_key"];
        sql.push(" AND ").any_like(&columns, &filter.names);
    }
    if let Some(is_group) = filter.is_group {
        sql.push(if is_group { " AND m.member_type = 2" } else { " AND m.member_type <> 2" });
    }
    sql
}

impl Database {
    /// A page of a group's members, and where asked for the number of all.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn list_group_members(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        filter: &MemberFilter,
        page: &Keyset<MemberSort>,
        counted: bool,
    ) -> Result<(Vec<MemberRow>, Option<i64>)> {
        self.cold_read(async |db| {
            let directories = crate::storage::cold::roles::directories(db, organization).await?;
            list_members(db, organization, &directories, group, filter, page, counted).await
        })
        .await
    }
}
