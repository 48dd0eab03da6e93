//! Groups and their members: insert, update, delete. A member change touches the rows it names and never loads the group.

use std::collections::HashSet;

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{OptionalExtension as _, RunQueryDsl as _};

use super::apply::{Counted, Step};
use super::users::clear_memberships;
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::storage::error::{Result, StorageError, UniqueKey};
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::uid::{Id, Uid};
use crate::storage::write::{Action, Applied, GroupColumns, MemberChange, UnknownMembers};

hot!(
    InsertGroup,
    Integer,
    "INSERT INTO groups (organization, id, connection, display_name, display_name_key, unique_key, external_id_key, document, \
       version, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING"
);
hot!(
    GroupVersion,
    BigInt,
    "SELECT version FROM groups WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);
hot!(
    GroupColumnsOf,
    (Text, Text, Nullable<Text>, Nullable<Text>, Text),
    "SELECT display_name, display_name_key, unique_key, external_id_key, document FROM groups WHERE organization = ? AND id = ?"
);
hot!(
    ReplaceGroup,
    Integer,
    "UPDATE groups SET display_name = ?, display_name_key = ?, unique_key = ?, external_id_key = ?, document = ? \
     WHERE organization = ? AND id = ?"
);
hot!(BumpGroup, Integer, "UPDATE groups SET version = ?, modified = ? WHERE organization = ? AND id = ?");
hot!(
    DeleteGroup,
    Integer,
    "UPDATE groups SET deleted = ?, modified = ?, version = version + 1, document = '', unique_key = NULL, external_id_key = NULL \
     WHERE organization = ? AND id = ?"
);
hot!(
    KindOfMember,
    Integer,
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL) THEN 1 \
       WHEN EXISTS (SELECT 1 FROM groups WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL) THEN 2 ELSE 0 END"
);
// A group that no directory owns holds people and groups of every connection.
hot!(
    KindOfLocalMember,
    Integer,
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE organization = ? AND id = ? AND deleted IS NULL) THEN 1 \
       WHEN EXISTS (SELECT 1 FROM groups WHERE organization = ? AND id = ? AND deleted IS NULL) THEN 2 ELSE 0 END"
);
hot!(
    AddMember,
    Integer,
    "INSERT INTO members (organization, group_id, member_id, member_type) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
);
hot!(RemoveMember, Integer, "DELETE FROM members WHERE organization = ? AND group_id = ? AND member_id = ?");
// Whose deletion is held is no member over SCIM, and stays one here until that is decided.
hot!(MemberIds, Uid, "SELECT member_id FROM members WHERE organization = ? AND group_id = ? AND member_type < 3");
hot!(ClearMembers, Integer, "DELETE FROM members WHERE organization = ? AND group_id = ?");

/// A member that exists in the scope: its id and `members.member_type`.
type Known = (ResourceId, i16);

fn row_of<'a>(step: &Step<'a>, id: ResourceId) -> [Bind<'a>; 2] {
    [step.organization(), Bind::Id(id.into())]
}

fn unique_key(columns: &GroupColumns) -> Option<&str> {
    columns.unique_name.then_some(&*columns.display_name_key)
}

/// The version of a group that the scope sees, if it is the expected one.
fn check_version(step: &mut Step<'_>, id: ResourceId, expected: Option<i64>) -> Result<i64> {
    let key = row_of(step, id).into_iter().chain([step.connection()]).collect();
    let version = Hot::<GroupVersion>::new(key).get_result::<i64>(step.conn).optional()?;
    match version {
        None => Err(StorageError::Missing),
        Some(stored) if expected.is_some_and(|e| e != stored) => Err(StorageError::Stale),
        Some(stored) => Ok(stored),
    }
}

/// Those of `ids` that the scope sees, each once. A group may hold groups, but not itself.
fn check_members(
    step: &mut Step<'_>,
    group: ResourceId,
    ids: impl Iterator<Item = ResourceId>,
    unknown: UnknownMembers,
) -> Result<Vec<Known>> {
    let (mut known, mut missing, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for id in ids {
        if !seen.insert(id) {
            continue;
        }
        let kind = if id == group { 0 } else { kind_of(step, id)? };
        if kind == 0 { missing.push(id) } else { known.push((id, kind)) }
    }
    match unknown {
        UnknownMembers::Refuse if !missing.is_empty() => Err(StorageError::MissingMembers(missing)),
        UnknownMembers::Refuse | UnknownMembers::Ignore => Ok(known),
    }
}

/// 1 user, 2 group, 0 neither.
fn kind_of(step: &mut Step<'_>, id: ResourceId) -> Result<i16> {
    let kind: i32 = if step.write.scope.connection == ConnectionId::LOCAL {
        let binds = row_of(step, id).into_iter().chain(row_of(step, id)).collect();
        Hot::<KindOfLocalMember>::new(binds).get_result(step.conn)?
    } else {
        let key = || [step.organization(), Bind::Id(id.into()), step.connection()];
        let binds = key().into_iter().chain(key()).collect();
        Hot::<KindOfMember>::new(binds).get_result(step.conn)?
    };
    Ok(i16::try_from(kind).unwrap_or(0))
}

fn add_members(step: &mut Step<'_>, group: ResourceId, members: &[Known]) -> Result<usize> {
    let mut added = 0;
    for (member, kind) in members {
        let binds = row_of(step, group).into_iter().chain([Bind::Id((*member).into()), Bind::Small(*kind)]).collect();
        added += Hot::<AddMember>::new(binds).execute(step.conn)?;
    }
    Ok(added)
}

fn remove_members(step: &mut Step<'_>, group: ResourceId, members: &[ResourceId]) -> Result<usize> {
    let mut removed = 0;
    for member in members {
        let binds = row_of(step, group).into_iter().chain([Bind::Id((*member).into())]).collect();
        removed += Hot::<RemoveMember>::new(binds).execute(step.conn)?;
    }
    Ok(removed)
}

pub(super) fn insert(
    step: &mut Step<'_>,
    id: ResourceId,
    columns: &GroupColumns,
    members: &[ResourceId],
    unknown: UnknownMembers,
) -> Result<Applied> {
    let members = check_members(step, id, members.iter().copied(), unknown)?;
    let binds = vec![
        step.organization(),
        Bind::Id(id.into()),
        step.connection(),
        Bind::Text(&columns.display_name),
        Bind::Text(&columns.display_name_key),
        Bind::OptText(unique_key(columns)),
        Bind::OptText(columns.external_id_key.as_deref()),
        Bind::Text(&columns.document),
        step.at(),
        step.at(),
    ];
    if Hot::<InsertGroup>::new(binds).execute(step.conn)? == 0 {
        return Err(StorageError::NotUnique(UniqueKey::GroupDisplayName));
    }
    add_members(step, id, &members)?;
    step.counts.add(step.write, Counted::Groups, 1);
    step.done(1)
}

pub(super) fn update(step: &mut Step<'_>) -> Result<Applied> {
    let Action::UpdateGroup { id, expected, columns, members, unknown_members } = &step.change.action else {
        return Err(StorageError::Broken("not an update of a group".to_owned()));
    };
    let version = check_version(step, *id, *expected)?;
    let (add, remove) = plan_members(step, *id, members, *unknown_members)?;
    // A taken name is an error of the statement, without effect; nothing after it refuses.
    let mut changed = match columns {
        Some(columns) => replace_columns(step, *id, columns)?,
        None => false,
    };
    changed |= add_members(step, *id, &add)? > 0;
    changed |= remove_members(step, *id, &remove)? > 0;
    if !changed {
        return Ok(Applied::new(version, false));
    }
    let bump = [Bind::Big(version + 1), step.at()].into_iter().chain(row_of(step, *id)).collect();
    Hot::<BumpGroup>::new(bump).execute(step.conn)?;
    step.done(version + 1)
}

/// Rows to add and to remove. Members of the group exist, so only new ones are looked up.
fn plan_members(
    step: &mut Step<'_>,
    group: ResourceId,
    change: &MemberChange,
    unknown: UnknownMembers,
) -> Result<(Vec<Known>, Vec<ResourceId>)> {
    match change {
        MemberChange::None => Ok((Vec::new(), Vec::new())),
        MemberChange::Delta { add, remove } => {
            Ok((check_members(step, group, add.iter().copied(), unknown)?, remove.clone()))
        }
        MemberChange::Exactly(wanted) => {
            let stored: Vec<Id> = Hot::<MemberIds>::new(row_of(step, group).into()).load(step.conn)?;
            let stored: HashSet<ResourceId> = stored.into_iter().map(ResourceId::from).collect();
            let new = wanted.iter().copied().filter(|id| !stored.contains(id));
            let add = check_members(step, group, new, unknown)?;
            let wanted: HashSet<ResourceId> = wanted.iter().copied().collect();
            Ok((add, stored.into_iter().filter(|id| !wanted.contains(id)).collect()))
        }
    }
}

/// Whether anything differed.
fn replace_columns(step: &mut Step<'_>, id: ResourceId, columns: &GroupColumns) -> Result<bool> {
    type Stored = (String, String, Option<String>, Option<String>, String);
    let stored: Stored = Hot::<GroupColumnsOf>::new(row_of(step, id).into()).get_result(step.conn)?;
    let (name, key, unique, external_id, document) = &stored;
    let wanted = (
        &columns.display_name,
        &columns.display_name_key,
        unique_key(columns),
        &columns.external_id_key,
        &columns.document,
    );
    if (name, key, unique.as_deref(), external_id, document) == wanted {
        return Ok(false);
    }
    let set = [
        Bind::Text(&columns.display_name),
        Bind::Text(&columns.display_name_key),
        Bind::OptText(unique_key(columns)),
        Bind::OptText(columns.external_id_key.as_deref()),
        Bind::Text(&columns.document),
    ];
    Hot::<ReplaceGroup>::new(set.into_iter().chain(row_of(step, id)).collect()).execute(step.conn)?;
    Ok(true)
}

/// Groups that hold this one lose a member row and keep their version, as with a user's deletion.
pub(super) fn delete(step: &mut Step<'_>, id: ResourceId, expected: Option<i64>) -> Result<Applied> {
    let version = check_version(step, id, expected)?;
    let tombstone = [step.at(), step.at()].into_iter().chain(row_of(step, id)).collect();
    Hot::<DeleteGroup>::new(tombstone).execute(step.conn)?;
    Hot::<ClearMembers>::new(row_of(step, id).into()).execute(step.conn)?;
    clear_memberships(step, id)?;
    step.counts.add(step.write, Counted::Groups, -1);
    step.done(version + 1)
}
