//! Member deltas of many groups in one statement. A group with 100,000 members costs what it costs with ten.

use std::collections::HashMap;

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::{Answer, Unit, ids, one, texts};
use crate::domain::ids::ResourceId;
use crate::storage::StorageError;
use crate::storage::hot::{Bind, Hot};
use crate::storage::postgres::sql::groups::LockGroups;
use crate::storage::postgres::sql::members::MemberDeltas;
use crate::storage::uid::Id;
use crate::storage::write::{Action, MemberChange, UnknownMembers};

type Row = (i32, Option<i32>, Option<Id>, Option<i64>);
/// Number of the write, organization, connection, group, member.
type Entry = (i32, Id, Id, Id, Id);

/// `list` is sorted by group; those of one group in order of arrival.
pub(crate) async fn members(conn: &AsyncPgConnection, list: &[Unit<'_>]) -> QueryResult<Vec<Answer>> {
    let rows = if list.iter().any(|u| !delta(u).1.is_empty()) {
        let (mut c1, mut c2, mut c3, mut c4) = (conn, conn, conn, conn);
        let (begun, locked, rows, committed) = tokio::join!(biased;
            c1.batch_execute("BEGIN"),
            lock_groups(list).load::<Id>(&mut c2),
            member_deltas(list).load::<Row>(&mut c3),
            c4.batch_execute("COMMIT"));
        begun?;
        locked?;
        let rows = rows?;
        committed?;
        rows
    } else {
        member_deltas(list).load::<Row>(&mut { conn }).await?
    };
    Ok(answers(list, rows))
}

/// See `Session::open`.
pub(in crate::storage::postgres) async fn prepare(conn: &AsyncPgConnection) -> QueryResult<()> {
    lock_groups(&[]).load::<Id>(&mut { conn }).await?;
    member_deltas(&[]).load::<Row>(&mut { conn }).await?;
    Ok(())
}

fn answers(list: &[Unit<'_>], rows: Vec<Row>) -> Vec<Answer> {
    let mut stored: HashMap<Id, i64> = HashMap::new();
    let mut missing: HashMap<i32, Vec<ResourceId>> = HashMap::new();
    let mut changed: HashMap<i32, i64> = HashMap::new();
    for row in rows {
        match row {
            (0, _, Some(group), Some(version)) => drop(stored.insert(group, version)),
            (1, Some(w), Some(member), _) => missing.entry(w).or_default().push(ResourceId(member.0)),
            (2, Some(w), _, Some(version)) => drop(changed.insert(w, version)),
            _ => {}
        }
    }
    let answer = |(w, unit): (i32, &Unit<'_>)| {
        let Some(now) = stored.get(&unit.target()) else { return Err(StorageError::Missing) };
        if expected(unit).is_some_and(|e| e != *now) {
            return Err(StorageError::Stale);
        }
        if let (false, Some(members)) = (is_lenient(unit), missing.remove(&w)) {
            return Err(StorageError::MissingMembers(members));
        }
        let version = changed.get(&w);
        // Unchanged, it stands behind those of the same group that came before it.
        let before = || list.iter().zip(0..w).filter(|(u, _)| u.target() == unit.target());
        let latest = || before().filter_map(|(_, n)| changed.get(&n)).max().copied();
        Ok(one(version.copied().or_else(latest).unwrap_or(*now), version.is_some()))
    };
    (0..).zip(list).map(answer).collect()
}

fn delta<'a>(unit: &Unit<'a>) -> (&'a [ResourceId], &'a [ResourceId]) {
    match &unit.change.action {
        Action::UpdateGroup { members: MemberChange::Delta { add, remove }, .. } => (add, remove),
        _ => (&[], &[]),
    }
}

fn expected(unit: &Unit<'_>) -> Option<i64> {
    match unit.change.action {
        Action::UpdateGroup { expected, .. } => expected,
        _ => Some(-1),
    }
}

fn is_lenient(unit: &Unit<'_>) -> bool {
    matches!(unit.change.action, Action::UpdateGroup { unknown_members: UnknownMembers::Ignore, .. })
}

fn entries<'a>(list: &[Unit<'a>], rows: impl Fn(&Unit<'a>) -> &'a [ResourceId]) -> Vec<Entry> {
    let of = |(w, u): (i32, &Unit<'a>)| {
        let (organization, connection, group) = (u.organization(), u.connection(), u.target());
        rows(u).iter().map(move |m| (w, organization, connection, group, Id(m.0)))
    };
    (0..).zip(list).flat_map(of).collect()
}

fn member_deltas<'a>(list: &[Unit<'a>]) -> Hot<'a, MemberDeltas> {
    let adds = entries(list, |u| delta(u).0);
    let mut removes = entries(list, |u| delta(u).1);
    removes.sort_by_key(|(_, organization, _, group, member)| (*organization, *member, *group));
    let mut binds = vec![
        Bind::Ints((0..).zip(list).map(|(w, _)| w).collect()),
        ids(list, Unit::organization),
        ids(list, Unit::connection),
        ids(list, Unit::target),
        Bind::OptBigs(list.iter().map(expected).collect()),
        Bind::Bools(list.iter().map(is_lenient).collect()),
        Bind::Bigs(list.iter().map(|u| u.write.at).collect()),
        ids(list, |u| Id(u.change.event.0)),
        texts(list, |u| &u.write.actor),
        texts(list, |u| &u.write.request_id),
        texts(list, |u| &u.change.detail),
    ];
    binds.extend(triples(list.iter().map(|u| (u.organization(), u.target(), u.connection())).collect()));
    binds.extend(triples(adds.iter().map(|(_, organization, c, _, member)| (*organization, *member, *c)).collect()));
    binds.extend([
        Bind::Ints(adds.iter().map(|e| e.0).collect()),
        Bind::Ids(adds.iter().map(|e| e.1).collect()),
        Bind::Ids(adds.iter().map(|e| e.2).collect()),
        Bind::Ids(adds.iter().map(|e| e.3).collect()),
        Bind::Ids(adds.iter().map(|e| e.4).collect()),
        Bind::Ints(removes.iter().map(|e| e.0).collect()),
        Bind::Ids(removes.iter().map(|e| e.1).collect()),
        Bind::Ids(removes.iter().map(|e| e.3).collect()),
        Bind::Ids(removes.iter().map(|e| e.4).collect()),
    ]);
    Hot::new(binds)
}

/// Rows to lock, (organization, id, connection): sorted, once each; bound as organization, connection, id.
fn triples(mut rows: Vec<(Id, Id, Id)>) -> [Bind<'static>; 3] {
    rows.sort();
    rows.dedup();
    [
        Bind::Ids(rows.iter().map(|r| r.0).collect()),
        Bind::Ids(rows.iter().map(|r| r.2).collect()),
        Bind::Ids(rows.iter().map(|r| r.1).collect()),
    ]
}

fn lock_groups(list: &[Unit<'_>]) -> Hot<'static, LockGroups> {
    let mut groups: Vec<(Id, Id)> = list.iter().map(|u| (u.organization(), u.target())).collect();
    groups.sort();
    groups.dedup();
    Hot::new(vec![Bind::Ids(groups.iter().map(|g| g.0).collect()), Bind::Ids(groups.iter().map(|g| g.1).collect())])
}
