//! One batch of one kind → statements → one answer per write, in the batch's order. A diesel error means that nothing
//! of the batch was committed, or that the connection is gone and nobody knows.

mod alone;
mod deletes;
mod members;
mod users;

use std::collections::HashMap;

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::sql::outcomes::Happened;
use super::sql::small_groups::{self, SmallGroupRow, SmallGroups};
use crate::domain::ids::{EventId, ResourceId};
use crate::storage::Result;
use crate::storage::hot::{Bind, Hot};
use crate::storage::rows::GroupRecord;
use crate::storage::uid::Id;
use crate::storage::write::{Action, Applied, AttributeValue, Change, MemberChange, Receipt, Write};

pub(super) use alone::apply;

/// What becomes of one write.
pub(super) type Answer = Result<Receipt>;

/// A write of one change.
#[derive(Clone, Copy)]
pub(super) struct Unit<'a> {
    pub(super) write: &'a Write,
    pub(super) change: &'a Change,
}

impl<'a> Unit<'a> {
    /// `None` for a write without changes, which no queue is given.
    pub(super) fn of(write: &'a Write) -> Option<Self> {
        write.changes.as_slice().first().map(|change| Unit { write, change })
    }
    fn organization(&self) -> Id {
        self.write.scope.organization.into()
    }
    fn connection(&self) -> Id {
        self.write.scope.connection.into()
    }
    fn target(&self) -> Id {
        self.change.action.target().into()
    }
}

/// Which of the queues takes a write, and what it can share a batch with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Inserts and replacements of users that keep their key.
    Users,
    /// Member deltas.
    Members,
    /// Deletes of users.
    Deletes,
    /// Everything else: a transaction of its own.
    Alone,
}

impl Kind {
    pub(super) fn of(write: &Write) -> Kind {
        let [Change { action, .. }] = write.changes.as_slice() else { return Kind::Alone };
        match action {
            Action::InsertUser { .. } | Action::ReplaceUser { renames: false, .. } => Kind::Users,
            Action::UpdateGroup { columns: None, members: MemberChange::Delta { .. } | MemberChange::None, .. } => {
                Kind::Members
            }
            Action::DeleteUser { .. } => Kind::Deletes,
            _ => Kind::Alone,
        }
    }
}

/// Runs a batch of one kind on a queue's connection.
pub(super) async fn run(
    conn: &AsyncPgConnection,
    kind: Kind,
    list: &[Unit<'_>],
    writer: i32,
) -> QueryResult<Vec<Answer>> {
    let mut answers = match kind {
        Kind::Users => users::users(conn, list, writer).await?,
        Kind::Members => members::members(conn, list).await?,
        Kind::Deletes => deletes::deletes(conn, list, writer).await?,
        Kind::Alone => {
            let mut answers = Vec::with_capacity(list.len());
            for unit in list {
                answers.push(alone::alone(conn, unit.write, writer).await?);
            }
            answers
        }
    };
    show_groups(conn, list, &mut answers).await;
    Ok(answers)
}

/// The groups that receipts are to hold, all in one statement and each once. It comes after the commit, so its failure
/// voids nothing: the service then reads for itself.
async fn show_groups(conn: &AsyncPgConnection, list: &[Unit<'_>], answers: &mut [Answer]) {
    let mut groups = Vec::new();
    for (unit, answer) in list.iter().zip(&*answers) {
        if unit.write.shows_group && answer.is_ok() {
            groups.push((unit.write.scope, unit.change.action.target()));
        }
    }
    if groups.is_empty() {
        return;
    }
    // Those of one group stand together: a batch is sorted.
    groups.dedup();
    let query = Hot::<SmallGroups>::new(small_groups::binds(&groups));
    let Ok(rows) = query.load::<SmallGroupRow>(&mut { conn }).await else { return };
    let records: HashMap<ResourceId, GroupRecord> =
        rows.into_iter().map(small_groups::record).map(|g| (g.id, g)).collect();
    for (unit, answer) in list.iter().zip(answers) {
        if let (true, Ok([applied])) = (unit.write.shows_group, answer.as_deref_mut()) {
            applied.group = records.get(&unit.change.action.target()).cloned();
        }
    }
}

/// Versions by event of those changes that were committed. `since` is a transaction number that none of them is below.
pub(super) async fn happened(
    conn: &AsyncPgConnection,
    writes: &[&Write],
    since: &str,
) -> QueryResult<Vec<(EventId, i64)>> {
    let mut organizations: Vec<Id> = writes.iter().map(|w| Id(w.scope.organization.0)).collect();
    organizations.sort();
    organizations.dedup();
    let events = writes.iter().flat_map(|w| &w.changes).map(|c| Id(c.event.0)).collect();
    let query = Hot::<Happened>::new(vec![Bind::Ids(organizations), Bind::Text(since), Bind::Ids(events)]);
    let rows = query.load::<(Id, i64)>(&mut { conn }).await?;
    Ok(rows.into_iter().map(|(id, version)| (EventId(id.0), version)).collect())
}

fn one(version: i64, changed: bool) -> Receipt {
    vec![Applied::new(version, changed)]
}

/// Columns of one statement, gathered from its writes.
fn ids<'a>(list: &[Unit<'a>], pick: impl Fn(&Unit<'a>) -> Id) -> Bind<'static> {
    Bind::Ids(list.iter().map(pick).collect())
}
fn texts<'a>(list: &[Unit<'a>], pick: impl Fn(&Unit<'a>) -> &'a str) -> Bind<'a> {
    Bind::Texts(list.iter().map(pick).collect())
}

/// Arrays of `attribute_values` rows.
fn value_binds<'a>(
    list: &[Unit<'a>],
    values: impl Fn(&Unit<'a>) -> &'a [AttributeValue],
    with_primary: bool,
) -> Vec<Bind<'a>> {
    let count = list.iter().map(|u| values(u).len()).sum();
    let mut organizations = Vec::with_capacity(count);
    let mut resources = Vec::with_capacity(count);
    let mut attributes = Vec::with_capacity(count);
    let mut keys = Vec::with_capacity(count);
    let mut types = Vec::with_capacity(count);
    let mut primary = Vec::with_capacity(if with_primary { count } else { 0 });
    for unit in list {
        for value in values(unit) {
            organizations.push(unit.organization());
            resources.push(unit.target());
            attributes.push(value.attribute);
            keys.push(value.value_key.as_str());
            types.push(value.type_key.as_str());
            if with_primary {
                primary.push(value.primary);
            }
        }
    }
    let mut binds = vec![
        Bind::Ids(organizations),
        Bind::Ids(resources),
        Bind::Smalls(attributes),
        Bind::Texts(keys),
        Bind::Texts(types),
    ];
    if with_primary {
        binds.push(Bind::Bools(primary));
    }
    binds
}

/// Prepares every statement that a pipeline may hold, by running it with nothing to do.
pub(super) async fn prepare(conn: &AsyncPgConnection) -> QueryResult<()> {
    users::prepare(conn).await?;
    members::prepare(conn).await?;
    deletes::prepare(conn).await
}
