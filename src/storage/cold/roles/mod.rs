//! Roles: direct grants and mappings of groups as rows; who effectively holds which role from where is in `held`.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, connections};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::permission::{Directories, Role, RoleSet};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{organizations, role_grants, role_mappings};
use crate::storage::uid::Id;

mod held;
mod sql;

pub use held::{Holders, active_admins, holders, is_last_admin, of_users};

/// What the organization's connections mean for roles.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn directories(db: &mut Db<'_>, organization: OrganizationId) -> Result<Directories> {
    let all = connections::list(db, organization).await?;
    Ok(Directories::of(all.iter().map(|c| (c.id, c.state.as_str(), c.settings.as_str()))))
}

/// Gives a role to a person; whoever has it already keeps it. Part of a deed that records its event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn grant(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    user: ResourceId,
    roles: RoleSet,
) -> Result<()> {
    for role in roles.iter() {
        let row = (
            role_grants::organization.eq(Id::from(organization)),
            role_grants::user_id.eq(Id::from(user)),
            role_grants::role.eq(role.key()),
            role_grants::granted_at.eq(deed.at),
            role_grants::granted_by.eq(&*deed.actor),
        );
        diesel::insert_into(role_grants::table).values(row).on_conflict_do_nothing().exec(db).await?;
    }
    Ok(())
}

/// Takes direct roles from a person. Part of a deed that records its event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn revoke(db: &mut Db<'_>, organization: OrganizationId, user: ResourceId, roles: RoleSet) -> Result<()> {
    let keys: Vec<&str> = roles.iter().map(Role::key).collect();
    let rows = role_grants::table
        .filter(role_grants::organization.eq(Id::from(organization)))
        .filter(role_grants::user_id.eq(Id::from(user)))
        .filter(role_grants::role.eq_any(keys));
    diesel::delete(rows).exec(db).await?;
    Ok(())
}

/// Maps a group to roles; those that it is mapped to already stay. Part of a deed that records its event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn map(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    group: ResourceId,
    roles: RoleSet,
) -> Result<()> {
    for role in roles.iter() {
        let row = (
            role_mappings::organization.eq(Id::from(organization)),
            role_mappings::group_id.eq(Id::from(group)),
            role_mappings::role.eq(role.key()),
            role_mappings::mapped_at.eq(deed.at),
            role_mappings::mapped_by.eq(&*deed.actor),
        );
        diesel::insert_into(role_mappings::table).values(row).on_conflict_do_nothing().exec(db).await?;
    }
    Ok(())
}

/// Takes roles out of a group's mapping. Part of a deed that records its event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn unmap(db: &mut Db<'_>, organization: OrganizationId, group: ResourceId, roles: RoleSet) -> Result<()> {
    let keys: Vec<&str> = roles.iter().map(Role::key).collect();
    let rows = role_mappings::table
        .filter(role_mappings::organization.eq(Id::from(organization)))
        .filter(role_mappings::group_id.eq(Id::from(group)))
        .filter(role_mappings::role.eq_any(keys));
    diesel::delete(rows).exec(db).await?;
    Ok(())
}

/// Lets one deed at a time look at an organization's Admins and take one away; to be held to the end of the transaction.
/// Writes of directories do not wait for it.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn lock_admins(db: &mut Db<'_>, organization: OrganizationId) -> Result<()> {
    if let Db::Pg(conn) = db {
        // Weaker than FOR UPDATE: foreign keys to the row need not wait.
        let row = organizations::table.find(Id::from(organization)).select(organizations::version).for_no_key_update();
        diesel_async::RunQueryDsl::load::<i64>(row, *conn).await?;
    }
    Ok(())
}
