//! Writes that share a commit with no other: renames, new groups, columns of groups, whole member lists, deletes of
//! groups, and several changes at once. A statement at a time, in one transaction.

use std::collections::{HashMap, HashSet};

use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::deletes::{clear_deleted, delete_users};
use super::users::{explain, rename_user, replace_users};
use super::{Answer, Unit, users};
use crate::domain::ids::ResourceId;
use crate::storage::hot::{Bind, Hot};
use crate::storage::postgres::sql::groups::{
    BumpGroup, ClearGroup, DeleteGroup, GroupChanged, InsertGroup, LockGroup, LockGroupsFully, UpdateGroup, WhyGroup,
};
use crate::storage::postgres::sql::members::{ChangeMembers, MemberIds};
use crate::storage::postgres::sql::users::LockUsers;
use crate::storage::uid::Id;
use crate::storage::write::{Action, Applied, Change, GroupColumns, MemberChange, UnknownMembers, Write};
use crate::storage::{StorageError, UniqueKey};

/// One write in a transaction of its own.
pub(crate) async fn alone(conn: &AsyncPgConnection, write: &Write, writer: i32) -> QueryResult<Answer> {
    let mut c = conn;
    c.batch_execute("BEGIN").await?;
    let answer = match apply(conn, write, writer).await {
        Ok(answer) => answer,
        // The violated key is the answer; the transaction is lost with it.
        Err(error @ Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => match StorageError::from(error) {
            refused @ StorageError::NotUnique(_) => Err(refused),
            other => return Err(Error::QueryBuilderError(other.to_string().into())),
        },
        Err(error) => return Err(error),
    };
    c.batch_execute(if answer.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    Ok(answer)
}

/// All changes of a write, in order, inside the caller's transaction, which must be rolled back on a refusal.
pub(crate) async fn apply(conn: &AsyncPgConnection, write: &Write, writer: i32) -> QueryResult<Answer> {
    if write.changes.len() > 1 {
        lock_targets(conn, write).await?;
    }
    let mut receipt = Vec::with_capacity(write.changes.len());
    let kind = |c: &Change| matches!(c.action, Action::InsertUser { .. });
    for run in write.changes.chunk_by(|a, b| kind(a) && kind(b)) {
        let steps = match run {
            [change] => vec![step(conn, Unit { write, change }, writer).await?],
            inserts => insert_users(conn, write, inserts, writer).await?,
        };
        for step in steps {
            match step {
                Ok(applied) => receipt.push(applied),
                Err(refused) => return Ok(Err(refused)),
            }
        }
    }
    Ok(Ok(receipt))
}

/// An import's run of inserts in one statement, in the order of their keys.
async fn insert_users(
    conn: &AsyncPgConnection,
    write: &Write,
    inserts: &[Change],
    writer: i32,
) -> QueryResult<Vec<Step>> {
    let mut units: Vec<Unit<'_>> = inserts.iter().map(|change| Unit { write, change }).collect();
    units.sort_by_key(|u| match &u.change.action {
        Action::InsertUser { columns, .. } => columns.user_name_key.as_str(),
        _ => "",
    });
    users::users(conn, &units, writer).await?.into_iter().map(|answer| single(vec![answer])).collect()
}

type Step = Result<Applied, StorageError>;

async fn step(conn: &AsyncPgConnection, unit: Unit<'_>, writer: i32) -> QueryResult<Step> {
    match &unit.change.action {
        Action::InsertUser { .. } | Action::ReplaceUser { renames: false, .. } => {
            single(users::users(conn, &[unit], writer).await?)
        }
        Action::ReplaceUser { .. } => rename(conn, unit).await,
        Action::DeleteUser { .. } => {
            let accepted = delete_users(&[unit], writer).load::<(Id, i64)>(&mut { conn }).await?;
            clear_deleted(&[unit]).load::<i64>(&mut { conn }).await?;
            single(explain(conn, &[unit], &accepted.into_iter().collect()).await?)
        }
        Action::InsertGroup { columns, members, unknown_members, .. } => {
            insert_group(conn, unit, columns, members, *unknown_members, writer).await
        }
        Action::UpdateGroup { expected, columns, members, unknown_members, .. } => {
            update_group(conn, unit, *expected, columns.as_ref(), members, *unknown_members).await
        }
        Action::DeleteGroup { expected, .. } => delete_group(conn, unit, *expected, writer).await,
    }
}

fn single(answers: Vec<Answer>) -> QueryResult<Step> {
    let answer = answers.into_iter().next().map(|a| a.map(|receipt| receipt.into_iter().next()));
    match answer {
        Some(Ok(Some(applied))) => Ok(Ok(applied)),
        Some(Err(refused)) => Ok(Err(refused)),
        _ => Err(Error::NotFound),
    }
}

/// Several changes lock in the order of all others: groups, then users, each by id.
async fn lock_targets(conn: &AsyncPgConnection, write: &Write) -> QueryResult<()> {
    let (mut groups, mut users) = (Vec::new(), Vec::new());
    for change in &write.changes {
        let id = Id::from(change.action.target());
        match change.action {
            Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => groups.push(id),
            Action::ReplaceUser { .. } | Action::DeleteUser { .. } => users.push(id),
            Action::InsertUser { .. } | Action::InsertGroup { .. } => {}
        }
    }
    let binds = |mut ids: Vec<Id>| {
        ids.sort();
        ids.dedup();
        vec![Bind::Ids(vec![Id(write.scope.organization.0); ids.len()]), Bind::Ids(ids)]
    };
    Hot::<LockGroupsFully>::new(binds(groups)).load::<Id>(&mut { conn }).await?;
    Hot::<LockUsers>::new(binds(users)).load::<Id>(&mut { conn }).await?;
    Ok(())
}

/// The key first (its violation is an error that the caller reads), then the rest as a replacement.
async fn rename(conn: &AsyncPgConnection, unit: Unit<'_>) -> QueryResult<Step> {
    rename_user(&unit).load::<i64>(&mut { conn }).await?;
    let accepted: HashMap<Id, i64> =
        replace_users(&[unit]).load::<(Id, i64)>(&mut { conn }).await?.into_iter().collect();
    single(explain(conn, &[unit], &accepted).await?)
}

async fn insert_group(
    conn: &AsyncPgConnection,
    unit: Unit<'_>,
    columns: &GroupColumns,
    members: &[ResourceId],
    unknown: UnknownMembers,
    writer: i32,
) -> QueryResult<Step> {
    // Members first: both backends name missing ones before a name that is taken.
    if !members.is_empty()
        && let Err(refused) = change_members(conn, &unit, members, &[], unknown).await?
    {
        return Ok(Err(refused));
    }
    let insert = Hot::<InsertGroup>::new(vec![
        Bind::Id(unit.organization()),
        Bind::Id(unit.target()),
        Bind::Id(unit.connection()),
        Bind::Text(&columns.display_name),
        Bind::Text(&columns.display_name_key),
        Bind::OptText(unique_key(columns)),
        Bind::OptText(columns.external_id_key.as_deref()),
        Bind::Text(&columns.document),
        Bind::Big(unit.write.at),
        Bind::Id(Id(unit.change.event.0)),
        Bind::Text(&unit.write.actor),
        Bind::Text(&unit.write.request_id),
        Bind::Text(&unit.change.detail),
        Bind::Int(writer),
    ]);
    if insert.load::<Id>(&mut { conn }).await?.is_empty() {
        return Ok(Err(StorageError::NotUnique(UniqueKey::GroupDisplayName)));
    }
    Ok(Ok(Applied::new(1, true)))
}

fn unique_key(columns: &GroupColumns) -> Option<&str> {
    columns.unique_name.then_some(columns.display_name_key.as_str())
}

async fn update_group(
    conn: &AsyncPgConnection,
    unit: Unit<'_>,
    expected: Option<i64>,
    columns: Option<&GroupColumns>,
    members: &MemberChange,
    unknown: UnknownMembers,
) -> QueryResult<Step> {
    let key = vec![Bind::Id(unit.organization()), Bind::Id(unit.target()), Bind::Id(unit.connection())];
    let Some(stored) = Hot::<LockGroup>::new(key).load::<i64>(&mut { conn }).await?.pop() else {
        return Ok(Err(StorageError::Missing));
    };
    if expected.is_some_and(|e| e != stored) {
        return Ok(Err(StorageError::Stale));
    }
    let (add, remove) = match members {
        MemberChange::None => (vec![], vec![]),
        MemberChange::Delta { add, remove } => (add.clone(), remove.clone()),
        MemberChange::Exactly(wanted) => difference(conn, &unit, wanted).await?,
    };
    let moved = if add.is_empty() && remove.is_empty() {
        false
    } else {
        match change_members(conn, &unit, &add, &remove, unknown).await? {
            Ok(moved) => moved,
            Err(refused) => return Ok(Err(refused)),
        }
    };
    let differs = match columns {
        Some(columns) => !put_columns(&unit, columns).load::<i32>(&mut { conn }).await?.is_empty(),
        None => false,
    };
    if !moved && !differs {
        return Ok(Ok(Applied::new(stored, false)));
    }
    let binds = vec![Bind::Big(unit.write.at), Bind::Id(unit.organization()), Bind::Id(unit.target())];
    let version = Hot::<BumpGroup>::new(binds).get_result::<i64>(&mut { conn }).await?;
    group_changed(&unit, version).load::<i32>(&mut { conn }).await?;
    Ok(Ok(Applied::new(version, true)))
}

fn put_columns<'a>(unit: &Unit<'a>, columns: &'a GroupColumns) -> Hot<'a, UpdateGroup> {
    Hot::new(vec![
        Bind::Text(&columns.display_name),
        Bind::Text(&columns.display_name_key),
        Bind::OptText(unique_key(columns)),
        Bind::OptText(columns.external_id_key.as_deref()),
        Bind::Text(&columns.document),
        Bind::Id(unit.organization()),
        Bind::Id(unit.target()),
    ])
}

fn group_changed<'a>(unit: &Unit<'a>, version: i64) -> Hot<'a, GroupChanged> {
    Hot::new(vec![
        Bind::Id(unit.organization()),
        Bind::Id(Id(unit.change.event.0)),
        Bind::Id(unit.connection()),
        Bind::Text(&unit.write.actor),
        Bind::Text(&unit.write.request_id),
        Bind::Id(unit.target()),
        Bind::Big(version),
        Bind::Big(unit.write.at),
        Bind::Text(&unit.change.detail),
    ])
}

/// What makes the members of a locked group exactly `wanted`: to add, to remove.
async fn difference(
    conn: &AsyncPgConnection,
    unit: &Unit<'_>,
    wanted: &[ResourceId],
) -> QueryResult<(Vec<ResourceId>, Vec<ResourceId>)> {
    let key = vec![Bind::Id(unit.organization()), Bind::Id(unit.target())];
    let stored: HashSet<Id> = Hot::<MemberIds>::new(key).load::<Id>(&mut { conn }).await?.into_iter().collect();
    let wanted: HashSet<Id> = wanted.iter().map(|m| Id(m.0)).collect();
    let only = |a: &HashSet<Id>, b: &HashSet<Id>| a.difference(b).map(|m| ResourceId(m.0)).collect();
    Ok((only(&wanted, &stored), only(&stored, &wanted)))
}

/// Whether something changed, or which members are missing.
async fn change_members(
    conn: &AsyncPgConnection,
    unit: &Unit<'_>,
    add: &[ResourceId],
    remove: &[ResourceId],
    unknown: UnknownMembers,
) -> QueryResult<Result<bool, StorageError>> {
    let sorted = |list: &[ResourceId]| {
        let mut ids: Vec<Id> = list.iter().map(|m| Id(m.0)).collect();
        ids.sort();
        ids.dedup();
        Bind::Ids(ids)
    };
    let query = Hot::<ChangeMembers>::new(vec![
        Bind::Id(unit.organization()),
        Bind::Id(unit.connection()),
        Bind::Id(unit.target()),
        Bind::Bool(unknown == UnknownMembers::Ignore),
        sorted(add),
        sorted(remove),
    ]);
    let rows = query.load::<(i32, Option<Id>)>(&mut { conn }).await?;
    let missing: Vec<ResourceId> = rows.iter().filter_map(|(_, id)| id.map(|id| ResourceId(id.0))).collect();
    if missing.is_empty() { Ok(Ok(!rows.is_empty())) } else { Ok(Err(StorageError::MissingMembers(missing))) }
}

async fn delete_group(
    conn: &AsyncPgConnection,
    unit: Unit<'_>,
    expected: Option<i64>,
    writer: i32,
) -> QueryResult<Step> {
    let (organization, id, connection) = (unit.organization(), unit.target(), unit.connection());
    let head = Hot::<DeleteGroup>::new(vec![
        Bind::Id(organization),
        Bind::Id(id),
        Bind::Id(connection),
        Bind::Big(expected.unwrap_or(-1)),
        Bind::Big(unit.write.at),
        Bind::Id(Id(unit.change.event.0)),
        Bind::Text(&unit.write.actor),
        Bind::Text(&unit.write.request_id),
        Bind::Text(&unit.change.detail),
        Bind::Int(writer),
    ]);
    if let Some(version) = head.load::<i64>(&mut { conn }).await?.pop() {
        Hot::<ClearGroup>::new(vec![Bind::Id(organization), Bind::Id(id)]).load::<i64>(&mut { conn }).await?;
        return Ok(Ok(Applied::new(version, true)));
    }
    let why = Hot::<WhyGroup>::new(vec![Bind::Id(organization), Bind::Id(id), Bind::Id(connection)]);
    let stored = why.load::<i64>(&mut { conn }).await?;
    Ok(Err(if stored.is_empty() { StorageError::Missing } else { StorageError::Stale }))
}
