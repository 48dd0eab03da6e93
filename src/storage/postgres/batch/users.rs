//! Inserts and replacements of users: one round trip; `BEGIN` and `COMMIT` only where two statements meet.

use std::collections::HashMap;

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::{Answer, Unit, ids, one, texts, value_binds};
use crate::storage::hot::{Bind, Hot};
use crate::storage::postgres::sql::users::{InsertUsers, PatchUsers, RenameUser, ReplaceUsers, WhyUsers};
use crate::storage::uid::Id;
use crate::storage::write::{Action, AttributeValue, UserColumns};
use crate::storage::{StorageError, UniqueKey};

/// `list` is sorted: inserts by key, then replacements by id.
pub(crate) async fn users(conn: &AsyncPgConnection, list: &[Unit<'_>], writer: i32) -> QueryResult<Vec<Answer>> {
    let inserts = list.iter().take_while(|u| matches!(u.change.action, Action::InsertUser { .. })).count();
    let (inserts, replacements) = list.split_at(inserts);
    let both = !inserts.is_empty() && !replacements.is_empty();
    let (mut c1, mut c2, mut c3, mut c4) = (conn, conn, conn, conn);
    let begin = async { if both { c1.batch_execute("BEGIN").await } else { Ok(()) } };
    let insert =
        async { if inserts.is_empty() { Ok(vec![]) } else { insert_users(inserts, writer).load::<Id>(&mut c2).await } };
    let replace = async {
        match replacements {
            [] => Ok(vec![]),
            list if list.iter().all(keeps_values) => patch_users(list).load::<(Id, i64)>(&mut c3).await,
            list => replace_users(list).load::<(Id, i64)>(&mut c3).await,
        }
    };
    let commit = async { if both { c4.batch_execute("COMMIT").await } else { Ok(()) } };
    let (begun, inserted, replaced, committed) = tokio::join!(biased; begin, insert, replace, commit);
    begun?;
    let mut accepted: HashMap<Id, i64> = inserted?.into_iter().map(|id| (id, 1)).collect();
    accepted.extend(replaced?);
    committed?;
    explain(conn, list, &accepted).await
}

/// A prepared statement for each shape of batch; see `Session::open`.
pub(in crate::storage::postgres) async fn prepare(conn: &AsyncPgConnection) -> QueryResult<()> {
    let mut c = conn;
    insert_users(&[], 0).load::<Id>(&mut c).await?;
    patch_users(&[]).load::<(Id, i64)>(&mut c).await?;
    replace_users(&[]).load::<(Id, i64)>(&mut c).await?;
    why_users(&[]).load::<(Id, i64)>(&mut c).await?;
    Ok(())
}

fn keeps_values(unit: &Unit<'_>) -> bool {
    matches!(&unit.change.action, Action::ReplaceUser { add_values, remove_values, .. }
        if add_values.is_empty() && remove_values.is_empty())
}

/// The columns of an insert or replacement; `None` of any other action, which the queue does not put here.
fn columns<'a>(unit: &Unit<'a>) -> Option<&'a UserColumns> {
    match &unit.change.action {
        Action::InsertUser { columns, .. } | Action::ReplaceUser { columns, .. } => Some(columns),
        _ => None,
    }
}

fn text<'a>(unit: &Unit<'a>, pick: impl Fn(&'a UserColumns) -> &'a str) -> &'a str {
    columns(unit).map_or("", pick)
}

fn optional<'a>(list: &[Unit<'a>], pick: impl Fn(&'a UserColumns) -> Option<&'a str>) -> Bind<'a> {
    Bind::OptTexts(list.iter().map(|u| columns(u).and_then(&pick)).collect())
}

/// The columns that inserts and replacements share, in the order of the statements.
fn common<'a>(list: &[Unit<'a>]) -> [Bind<'a>; 7] {
    [
        optional(list, |c| c.external_id_key.as_deref()),
        Bind::OptBools(list.iter().map(|u| columns(u).and_then(|c| c.active)).collect()),
        Bind::Bools(list.iter().map(|u| columns(u).is_some_and(|c| c.access)).collect()),
        optional(list, |c| c.display_name.as_deref()),
        optional(list, |c| c.display_name_key.as_deref()),
        texts(list, |u| text(u, |c| &c.document)),
        Bind::Bigs(list.iter().map(|u| u.write.at).collect()),
    ]
}

fn insert_users<'a>(list: &[Unit<'a>], writer: i32) -> Hot<'a, InsertUsers> {
    let mut binds = vec![
        ids(list, Unit::organization),
        ids(list, Unit::target),
        ids(list, Unit::connection),
        texts(list, |u| text(u, |c| &c.user_name)),
        texts(list, |u| text(u, |c| &c.user_name_key)),
    ];
    binds.extend(common(list));
    binds.extend(value_binds(list, added, true));
    binds.extend([
        ids(list, Unit::organization),
        ids(list, |u| Id(u.change.event.0)),
        ids(list, Unit::connection),
        texts(list, |u| &u.write.actor),
        texts(list, |u| &u.write.request_id),
        ids(list, Unit::target),
        Bind::Bigs(list.iter().map(|u| u.write.at).collect()),
        texts(list, |u| &u.change.detail),
        Bind::Int(writer),
    ]);
    Hot::new(binds)
}

fn added<'a>(unit: &Unit<'a>) -> &'a [AttributeValue] {
    match &unit.change.action {
        Action::InsertUser { values, .. } => values,
        Action::ReplaceUser { add_values, .. } => add_values,
        _ => &[],
    }
}

fn removed<'a>(unit: &Unit<'a>) -> &'a [AttributeValue] {
    match &unit.change.action {
        Action::ReplaceUser { remove_values, .. } => remove_values,
        _ => &[],
    }
}

fn expected(unit: &Unit<'_>) -> i64 {
    match unit.change.action {
        Action::ReplaceUser { expected, .. } => expected,
        _ => -1,
    }
}

fn replacement_binds<'a>(list: &[Unit<'a>]) -> Vec<Bind<'a>> {
    let mut binds = vec![
        ids(list, Unit::organization),
        ids(list, Unit::target),
        ids(list, Unit::connection),
        Bind::Bigs(list.iter().map(expected).collect()),
        texts(list, |u| text(u, |c| &c.user_name)),
    ];
    binds.extend(common(list));
    binds.extend([
        ids(list, |u| Id(u.change.event.0)),
        texts(list, |u| &u.write.actor),
        texts(list, |u| &u.write.request_id),
        texts(list, |u| &u.change.detail),
    ]);
    binds
}

fn patch_users<'a>(list: &[Unit<'a>]) -> Hot<'a, PatchUsers> {
    Hot::new(replacement_binds(list))
}

pub(super) fn replace_users<'a>(list: &[Unit<'a>]) -> Hot<'a, ReplaceUsers> {
    let mut binds = replacement_binds(list);
    binds.extend(value_binds(list, removed, false));
    binds.extend(value_binds(list, added, true));
    Hot::new(binds)
}

pub(super) fn rename_user<'a>(unit: &Unit<'a>) -> Hot<'a, RenameUser> {
    Hot::new(vec![
        Bind::Text(text(unit, |c| &c.user_name_key)),
        Bind::Id(unit.organization()),
        Bind::Id(unit.target()),
        Bind::Id(unit.connection()),
        Bind::Big(expected(unit)),
    ])
}

fn why_users(refused: &[Unit<'_>]) -> Hot<'static, WhyUsers> {
    Hot::new(vec![ids(refused, Unit::organization), ids(refused, Unit::target), ids(refused, Unit::connection)])
}

/// Answers of user writes: accepted by id, the others explained by one more query.
pub(super) async fn explain(
    conn: &AsyncPgConnection,
    list: &[Unit<'_>],
    accepted: &HashMap<Id, i64>,
) -> QueryResult<Vec<Answer>> {
    let is_insert = |u: &Unit<'_>| matches!(u.change.action, Action::InsertUser { .. });
    let refused = list.iter().copied().filter(|u| !is_insert(u) && !accepted.contains_key(&u.target()));
    let refused: Vec<Unit<'_>> = refused.collect();
    let mut stored: HashMap<Id, i64> = HashMap::new();
    if !refused.is_empty() {
        stored.extend(why_users(&refused).load::<(Id, i64)>(&mut { conn }).await?);
    }
    let answer = |unit: &Unit<'_>| match accepted.get(&unit.target()) {
        Some(version) => Ok(one(*version, true)),
        None if is_insert(unit) => Err(StorageError::NotUnique(UniqueKey::UserName)),
        None if stored.contains_key(&unit.target()) => Err(StorageError::Stale),
        None => Err(StorageError::Missing),
    };
    Ok(list.iter().map(answer).collect())
}
