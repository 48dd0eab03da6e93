//! What `roles_for_managed_users: directory_only` keeps from people whom a directory manages, beyond deeds on the person alone:
//! nothing done here gives them a role or a group. What was given before can be taken by a group's mapping, with the group, or
//! with the access; and a group of the directory may be mapped, since the directory says who is in it.

use super::{Setting, facts, managed};
use crate::domain::ids::ResourceId;
use crate::domain::ownership::{Operation, Rule, Way, rule};
use crate::service::admin::Caller;
use crate::service::admin::error::Result;
use crate::storage::Db;
use crate::storage::cold::{groups, people};

/// Refuses to change who is in a group of the organization where a person's directory alone says so: a member, or somebody
/// whom a member that is a group of the organization holds. Members that are not known pass.
///
/// # Errors
/// `ManagedExternally` for one of them.
pub(in crate::service::admin) async fn check_membership(
    db: &mut Db<'_>,
    caller: &Caller,
    members: &[ResourceId],
) -> Result<()> {
    let Some(setting) = switched_on(db, caller).await? else { return Ok(()) };
    check_people(db, caller, &setting, members, "user.update_groups").await?;
    check_held(db, caller, &setting, members, "user.update_groups").await
}

/// Refuses to give roles to a group of the organization that holds somebody whose directory alone says which they have.
///
/// # Errors
/// `ManagedExternally` for one of them.
pub(in crate::service::admin) async fn check_mapping(
    db: &mut Db<'_>,
    caller: &Caller,
    group: ResourceId,
) -> Result<()> {
    let Some(setting) = switched_on(db, caller).await? else { return Ok(()) };
    check_held(db, caller, &setting, &[group], "group.update_roles").await
}

/// Refuses to give a person roles in a sub-account where their directory alone says which they have.
///
/// # Errors
/// `ManagedExternally`.
pub(in crate::service::admin) async fn check_access(db: &mut Db<'_>, caller: &Caller, user: ResourceId) -> Result<()> {
    let Some(setting) = switched_on(db, caller).await? else { return Ok(()) };
    check_people(db, caller, &setting, &[user], "sub_account.grant_access").await
}

async fn switched_on(db: &mut Db<'_>, caller: &Caller) -> Result<Option<Setting>> {
    let setting = Setting::within(db, caller.organization).await?;
    Ok(setting.policy.directory_only.then_some(setting))
}

async fn check_people(
    db: &mut Db<'_>,
    caller: &Caller,
    setting: &Setting,
    ids: &[ResourceId],
    action: &'static str,
) -> Result<()> {
    for record in people::of_ids(db, caller.organization, ids).await? {
        let kind = facts(setting, &record, &[], &[]).kind;
        if rule(Operation::EditLocalGroups, Way::Api, kind) == Rule::UnlessDirectoryOnly {
            return Err(managed(setting, &record, action));
        }
    }
    Ok(())
}

/// The same for whom groups of the organization hold.
async fn check_held(
    db: &mut Db<'_>,
    caller: &Caller,
    setting: &Setting,
    ids: &[ResourceId],
    action: &'static str,
) -> Result<()> {
    let managing = setting.connections.keys().filter(|id| setting.manager(**id).is_some());
    let owners: Vec<_> = managing.flat_map(|id| [*id, id.held()]).collect();
    match groups::find_held_by_local_groups(db, caller.organization, ids, &owners).await? {
        Some(user) => check_people(db, caller, setting, &[user], action).await,
        None => Ok(()),
    }
}
