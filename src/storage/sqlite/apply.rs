//! One `Write` on SQLite. Within a change everything that may refuse comes first, so a refusal leaves nothing behind.
//! Users are in `users`, groups and their members in `groups`.

use diesel::sql_types::Integer;
use diesel::{RunQueryDsl as _, SqliteConnection};

use super::{groups, users};
use crate::storage::error::{Result, StorageError};
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::uid::Id;
use crate::storage::write::{Action, Applied, Change, Receipt, Write};

hot!(
    InsertEvent,
    Integer,
    "INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
hot!(
    AddCount,
    Integer,
    "INSERT INTO counts (organization, connection, type, writer, n) VALUES (?, ?, ?, 0, ?) \
     ON CONFLICT (organization, connection, type, writer) DO UPDATE SET n = n + excluded.n"
);

/// `counts.type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(super) enum Counted {
    Users = 1,
    Groups = 2,
}

/// Differences of a batch, written once before its COMMIT.
#[derive(Default)]
pub(super) struct Counts(Vec<(Id, Id, i16, i64)>);

impl Counts {
    pub(super) fn add(&mut self, write: &Write, counted: Counted, n: i64) {
        self.0.push((write.scope.organization.into(), write.scope.connection.into(), counted as i16, n));
    }
    /// A place to go `back_to` when a write is undone.
    pub(super) fn mark(&self) -> usize {
        self.0.len()
    }
    pub(super) fn back_to(&mut self, mark: usize) {
        self.0.truncate(mark);
    }
    pub(super) fn write(mut self, conn: &mut SqliteConnection) -> Result<()> {
        self.0.sort_unstable();
        for same in self.0.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let sum: i64 = same.iter().map(|(.., n)| n).sum();
            if let Some((organization, connection, counted, _)) = same.first().filter(|_| sum != 0) {
                let key = [Bind::Id(*organization), Bind::Id(*connection), Bind::Small(*counted)];
                Hot::<AddCount>::new(key.into_iter().chain([Bind::Big(sum)]).collect()).execute(conn)?;
            }
        }
        Ok(())
    }
}

/// One change being applied.
pub(super) struct Step<'a> {
    pub(super) conn: &'a mut SqliteConnection,
    pub(super) write: &'a Write,
    pub(super) change: &'a Change,
    pub(super) counts: &'a mut Counts,
}

/// All changes in order. The inner `Err` is a refusal, the outer one unexpected.
pub(super) fn apply(conn: &mut SqliteConnection, write: &Write, counts: &mut Counts) -> Result<Result<Receipt>> {
    let mut receipt = Vec::with_capacity(write.changes.len());
    for change in &write.changes {
        let step = Step { conn: &mut *conn, write, change, counts: &mut *counts };
        match step.apply() {
            Ok(applied) => receipt.push(applied),
            Err(e) if is_refusal(&e) => return Ok(Err(e)),
            Err(e) => return Err(e),
        }
    }
    Ok(Ok(receipt))
}

/// Refusals are answers; everything else voids the batch.
fn is_refusal(e: &StorageError) -> bool {
    match e {
        StorageError::NotUnique(_) | StorageError::Stale | StorageError::Missing | StorageError::MissingMembers(_) => {
            true
        }
        StorageError::Busy(_) | StorageError::TooSlow | StorageError::Broken(_) => false,
    }
}

impl<'a> Step<'a> {
    fn apply(mut self) -> Result<Applied> {
        match &self.change.action {
            Action::InsertUser { id, columns, values } => users::insert(&mut self, *id, columns, values),
            Action::ReplaceUser { .. } => users::replace(&mut self),
            Action::DeleteUser { id, expected } => users::delete(&mut self, *id, *expected),
            Action::InsertGroup { id, columns, members, unknown_members } => {
                groups::insert(&mut self, *id, columns, members, *unknown_members)
            }
            Action::UpdateGroup { .. } => groups::update(&mut self),
            Action::DeleteGroup { id, expected } => groups::delete(&mut self, *id, *expected),
        }
    }

    pub(super) fn organization(&self) -> Bind<'a> {
        Bind::Id(self.write.scope.organization.into())
    }
    pub(super) fn connection(&self) -> Bind<'a> {
        Bind::Id(self.write.scope.connection.into())
    }
    pub(super) fn at(&self) -> Bind<'a> {
        Bind::Big(self.write.at)
    }

    /// Writes the event; the last thing a change does.
    pub(super) fn done(&mut self, version: i64) -> Result<Applied> {
        let binds = vec![
            self.organization(),
            Bind::Id(self.change.event.into()),
            self.connection(),
            Bind::Small(self.change.action.event_kind() as i16),
            Bind::Text(&self.write.actor),
            Bind::Text(&self.write.request_id),
            Bind::Id(self.change.action.target().into()),
            Bind::Big(version),
            self.at(),
            Bind::Text(&self.change.detail),
        ];
        Hot::<InsertEvent>::new(binds).execute(self.conn)?;
        Ok(Applied::new(version, true))
    }
}

/// A write inside the caller's transaction, counts included. A refusal leaves what came before it, so the caller undoes
/// the savepoint that it put around this.
pub(crate) fn apply_within(conn: &mut SqliteConnection, write: &Write) -> Result<Receipt> {
    let mut counts = Counts::default();
    let receipt = apply(conn, write, &mut counts)??;
    counts.write(conn)?;
    Ok(receipt)
}
