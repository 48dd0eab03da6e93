//! Who is in a group. A group of the organization holds people and groups of every kind; a directory's only the directory
//! fills.

use serde_json::json;

use super::{apply, check_local, load};
use crate::domain::ids::ResourceId;
use crate::domain::permission::{Directories, Permission, check_change_of_roles, check_deed_on, effective};
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::admin::paging::{Page, PageRequest, keyset, of_keyset};
use crate::service::admin::role_change::guarded;
use crate::service::admin::{Caller, users};
use crate::service::cursor::Key;
use crate::storage::cold::groups::{self, MemberSort};
pub use crate::storage::cold::groups::{MemberFilter, MemberRow};
use crate::storage::cold::roles;
use crate::storage::write::{Action, MemberChange, UnknownMembers};
use crate::storage::{Database, Db, StorageError};

/// A page of those that a group holds directly.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn list_members(
    caller: &Caller,
    db: &Database,
    group: ResourceId,
    filter: &MemberFilter,
    request: &PageRequest,
) -> Result<Page<MemberRow>> {
    super::get(caller, db, group).await?;
    let page = keyset(request, |field| match field {
        "id" => Some(MemberSort::Id),
        "name" => Some(MemberSort::Name),
        _ => None,
    });
    let (rows, total) = db.list_group_members(caller.organization, group, filter, &page, request.include_total).await?;
    let key = |row: &MemberRow, field: &str| match field {
        "name" => Key::Text(row.name_key.clone()),
        _ => Key::Text(row.id.to_string()),
    };
    Ok(of_keyset(rows, total, request, key, |row| row.id.to_string()))
}

/// Puts a person or a group into a group; it may be there already.
///
/// # Errors
/// `PermissionDenied`, `Missing` (also for the member), `Stale`, `ManagedExternally`; `Guarded` where only an Admin may give
/// what membership brings, or to this person, or the caller would gain a role.
pub async fn add_member(
    caller: &Caller,
    db: &Database,
    group: ResourceId,
    member: ResourceId,
    expected: Option<i64>,
) -> Result<()> {
    change(caller, db, group, member, expected, MemberChange::Delta { add: vec![member], remove: vec![] }).await
}

/// Takes a person or a group out of a group.
///
/// # Errors
/// As `add_member`; `Missing` also for who is no member; `LastAdmin`.
pub async fn remove_member(
    caller: &Caller,
    db: &Database,
    group: ResourceId,
    member: ResourceId,
    expected: Option<i64>,
) -> Result<()> {
    change(caller, db, group, member, expected, MemberChange::Delta { add: vec![], remove: vec![member] }).await
}

async fn change(
    caller: &Caller,
    db: &Database,
    group: ResourceId,
    member: ResourceId,
    expected: Option<i64>,
    members: MemberChange,
) -> Result<()> {
    caller.permitted(Permission::GroupsWrite)?;
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| change_within(db, &caller_of, group, member, expected, members).await;
    guarded(caller, db, deed).await
}

/// Puts a person into a group, as a part of a deed that `guarded` surrounds.
///
/// # Errors
/// As `add_member`.
pub(in crate::service::admin) async fn put_into(
    db: &mut Db<'_>,
    caller: &Caller,
    group: ResourceId,
    member: ResourceId,
) -> Result<()> {
    let members = MemberChange::Delta { add: vec![member], remove: vec![] };
    change_within(db, caller, group, member, None, members).await
}

/// Takes a person out of a group, as a part of a deed that `guarded` surrounds.
///
/// # Errors
/// As `remove_member`.
pub(in crate::service::admin) async fn take_out_of(
    db: &mut Db<'_>,
    caller: &Caller,
    group: ResourceId,
    member: ResourceId,
) -> Result<()> {
    let members = MemberChange::Delta { add: vec![], remove: vec![member] };
    change_within(db, caller, group, member, None, members).await
}

async fn change_within(
    db: &mut Db<'_>,
    caller: &Caller,
    group: ResourceId,
    member: ResourceId,
    expected: Option<i64>,
    members: MemberChange,
) -> Result<()> {
    let (read, directories) = load(db, caller, group, expected).await?;
    match check_all(db, caller, &directories, &[member]).await {
        Err(Refusal::Invalid(_)) => return Err(Refusal::Missing),
        other => other?,
    }
    check_local(&read, "group.update_members")?;
    users::check_membership(db, caller, &[member]).await?;
    let brings = groups::conferred(db, caller.organization, group).await?;
    check_change_of_roles(brings, false, caller.roles)?;
    let MemberChange::Delta { add, remove } = &members else { return Err(Refusal::Missing) };
    let is_removal = add.is_empty();
    let texts = |ids: &[ResourceId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let detail = json!({ "changed": ["members"], "members": { "add": texts(add), "remove": texts(remove) } });
    let action = Action::UpdateGroup {
        id: group,
        expected: expected.map(|_| read.version),
        columns: None,
        members,
        unknown_members: UnknownMembers::Refuse,
    };
    let receipt = match apply(db, caller, action, detail.to_string()).await {
        // A group in itself.
        Err(StorageError::MissingMembers(_)) => return Err(Refusal::Missing),
        other => other?,
    };
    if is_removal && receipt.iter().all(|applied| !applied.changed) {
        return Err(Refusal::Missing);
    }
    Ok(())
}

/// Whether all of these exist for the organization, and the caller may touch those that are people.
pub(super) async fn check_all(
    db: &mut Db<'_>,
    caller: &Caller,
    directories: &Directories,
    members: &[ResourceId],
) -> Result<()> {
    let known = groups::known(db, caller.organization, directories, members).await?;
    let unknown: Vec<Invalid> = members
        .iter()
        .enumerate()
        .filter(|(_, id)| !known.contains(id))
        .map(|(at, _)| super::unknown_member(at))
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::Invalid(unknown));
    }
    for held in roles::of_users(db, caller.organization, directories, members).await?.values() {
        check_deed_on(effective(held), caller.roles)?;
    }
    Ok(())
}
