//! Who effectively holds which role, and from where. Mappings of groups reach people through nested groups: `members_of` is
//! walked upwards from people, `members_pkey` downwards from groups. Whether a directory's word counts is the caller's to
//! say, as `Directories`.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::{directories, sql};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::permission::{Directories, HeldRole, Role, RoleSource};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};

/// Stands for the source in the statements.
const DIRECT: i32 = 1;
const GROUP: i32 = 2;
const DIRECTORY: i32 = 3;
/// Stands for groups, not people, in the statement that counts.
const MAPPED: i32 = 4;

/// How many people hold a role: in all, and by each source (who has it from several counts in each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Holders {
    pub all: i64,
    pub direct: i64,
    pub group: i64,
    pub directory: i64,
    /// Groups that are mapped to it.
    pub groups: i64,
}

/// What each of these people holds, sorted by role and source; who holds nothing, is deleted or staged is not in the map.
/// One statement, whatever their number.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn of_users(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    users: &[ResourceId],
) -> Result<HashMap<ResourceId, Vec<HeldRole>>> {
    type Types = (Uid, Text, Integer, Nullable<Uid>, Nullable<Text>);
    type Row = (Id, String, i32, Option<Id>, Option<String>);
    let mut held: HashMap<ResourceId, Vec<HeldRole>> = HashMap::new();
    if users.is_empty() {
        return Ok(held);
    }
    let backend = db.backend();
    let statement = sql::of_users(backend, organization, directories, users);
    let statement = statement.statement::<Types>(Sql::keeps(backend, users.len()));
    let rows: Vec<Row> = statement.all(db).await?;
    for (user, text, source, group, name) in rows {
        let (role, source) = match source {
            DIRECT => (Role::parse(&text), RoleSource::Direct),
            DIRECTORY => (Role::of_directory(&text), RoleSource::Directory),
            _ => {
                let id = group.ok_or_else(|| StorageError::Broken("a mapping without its group".to_owned()))?;
                (Role::parse(&text), RoleSource::Group { id: id.into(), name: name.unwrap_or_default() })
            }
        };
        // A role of a later version is none here.
        if let Some(role) = role {
            held.entry(user.into()).or_default().push(HeldRole { role, source });
        }
    }
    for roles in held.values_mut() {
        roles.sort();
        roles.dedup();
    }
    Ok(held)
}

/// How many people hold each role, whatever their status; not those who are deleted or staged.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn holders(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
) -> Result<HashMap<Role, Holders>> {
    let mut sql = sql::held_by(organization, directories, &Role::ALL, &Sql::new(""));
    sql.push(
        " SELECT role, source, count(DISTINCT user_id) FROM held GROUP BY role, source \
         UNION ALL SELECT role, 0, count(DISTINCT user_id) FROM held GROUP BY role \
         UNION ALL SELECT p.role, 4, count(*) FROM role_mappings p \
         JOIN groups g ON g.organization = p.organization AND g.id = p.group_id AND g.deleted IS NULL WHERE p.organization = ",
    );
    sql.id(organization.0).push(" GROUP BY p.role");
    let rows: Vec<(String, i32, i64)> = sql.statement::<(Text, Integer, BigInt)>(true).all(db).await?;
    let mut found: HashMap<Role, Holders> = HashMap::new();
    for (role, source, count) in rows {
        let Some(role) = Role::parse(&role) else { continue };
        let holders = found.entry(role).or_default();
        match source {
            DIRECT => holders.direct = count,
            GROUP => holders.group = count,
            DIRECTORY => holders.directory = count,
            MAPPED => holders.groups = count,
            _ => holders.all = count,
        }
    }
    Ok(found)
}

/// Admins who can sign in: active people whose effective roles hold `admin`, those of a connection that is given up left out. At most `limit`, in no order: one tells whether
/// there is any, two whether somebody is the last.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn active_admins(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    limit: u32,
) -> Result<Vec<ResourceId>> {
    let mut sql = sql::held_by(organization, directories, &[Role::Admin], &sql::can_sign_in(directories));
    sql.push(" SELECT DISTINCT user_id FROM held LIMIT ").bind(Value::Big(i64::from(limit)));
    let rows: Vec<Id> = sql.statement::<Uid>(true).all(db).await?;
    Ok(rows.into_iter().map(ResourceId::from).collect())
}

/// Whether a person is the only Admin who can sign in; nobody else becomes or ceases to be one before the transaction ends.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn is_last_admin(db: &mut Db<'_>, organization: OrganizationId, user: ResourceId) -> Result<bool> {
    super::lock_admins(db, organization).await?;
    let directories = directories(db, organization).await?;
    Ok(active_admins(db, organization, &directories, 2).await? == [user])
}

impl Database {
    /// What each of these people holds.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn roles_of_users(
        &self,
        organization: OrganizationId,
        users: &[ResourceId],
    ) -> Result<HashMap<ResourceId, Vec<HeldRole>>> {
        self.cold_read(async |db| {
            let directories = directories(db, organization).await?;
            of_users(db, organization, &directories, users).await
        })
        .await
    }
    /// How many people hold each role.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn role_holders(&self, organization: OrganizationId) -> Result<HashMap<Role, Holders>> {
        self.cold_read(async |db| {
            let directories = directories(db, organization).await?;
            holders(db, organization, &directories).await
        })
        .await
    }
    /// At most `limit` Admins who can sign in.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn active_admins(&self, organization: OrganizationId, limit: u32) -> Result<Vec<ResourceId>> {
        self.cold_read(async |db| {
            let directories = directories(db, organization).await?;
            active_admins(db, organization, &directories, limit).await
        })
        .await
    }
}
