//! Commit queues: one thread per database handle, one lane (a connection and its batches) per kind of write, so that
//! lock order holds within every transaction. A lane takes what is queued, with no timer, and keeps each `Write` whole.

mod lane;
mod pick;
mod session;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{mpsc, oneshot};

use super::batch::{Answer, Kind};
use super::connect::Connector;
use crate::storage::metrics::Metrics;
use crate::storage::write::{Action, AttributeValue, MemberChange, Write};
use crate::storage::{Receipt, Result, StorageError};
use lane::Lane;

/// Writes that may wait in one lane; beyond, callers are told to come back.
const QUEUED: usize = 10_000;

/// A write and whom to tell.
struct Job {
    write: Write,
    kind: Kind,
    answer: oneshot::Sender<Answer>,
}

enum Message {
    Commit(Box<Job>),
    /// Take nothing more, finish what is queued, then drop the sender.
    Close(oneshot::Sender<()>),
}

/// What the lanes of one handle share.
struct Shared {
    connector: Connector,
    metrics: Arc<Metrics>,
    /// Changes since start, for `ANALYZE`.
    changes: AtomicU64,
}

/// The lanes of one database handle.
pub(super) struct Queues {
    users: mpsc::Sender<Message>,
    members: mpsc::Sender<Message>,
    rare: mpsc::Sender<Message>,
}

impl Queues {
    /// Starts the thread; connections open with the first write of a lane.
    ///
    /// # Errors
    /// `Broken` where the thread or its runtime cannot start.
    pub(super) fn start(connector: Connector, metrics: Arc<Metrics>) -> Result<Queues> {
        let shared = Arc::new(Shared { connector, metrics, changes: AtomicU64::new(0) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| StorageError::Broken(format!("queue runtime: {e}")))?;
        let (users, users_end) = mpsc::channel(QUEUED);
        let (members, members_end) = mpsc::channel(QUEUED);
        let (rare, rare_end) = mpsc::channel(QUEUED);
        let lanes = [("users", users_end), ("members", members_end), ("rare", rare_end)];
        let lanes = lanes.map(|(name, end)| Lane::new(name, end, shared.clone()));
        let thread = std::thread::Builder::new().name("postgres-queues".to_owned());
        thread
            .spawn(move || {
                runtime.block_on(async {
                    let running: Vec<_> = lanes.into_iter().map(|lane| tokio::spawn(lane.run())).collect();
                    futures_util::future::join_all(running).await
                });
            })
            .map_err(|e| StorageError::Broken(format!("queue thread: {e}")))?;
        Ok(Queues { users, members, rare })
    }

    /// Queues a write and waits for its commit. A caller that is dropped leaves it queued.
    ///
    /// # Errors
    /// Refusals of the write; `Busy` where too many wait or the server is away.
    pub(super) async fn commit(&self, mut write: Write) -> Result<Receipt> {
        if write.changes.is_empty() {
            return Ok(Vec::new());
        }
        write.changes.iter_mut().for_each(|change| normalize(&mut change.action));
        let kind = Kind::of(&write);
        let lane = match kind {
            Kind::Users => &self.users,
            Kind::Members => &self.members,
            Kind::Deletes | Kind::Alone => &self.rare,
        };
        let (answer, answered) = oneshot::channel();
        lane.try_send(Message::Commit(Box::new(Job { write, kind, answer }))).map_err(|e| {
            StorageError::Busy(match e {
                mpsc::error::TrySendError::Full(_) => "too many writes are queued".to_owned(),
                mpsc::error::TrySendError::Closed(_) => "the database is closed".to_owned(),
            })
        })?;
        answered.await.unwrap_or_else(|_| Err(StorageError::Busy("the write queue stopped".to_owned())))
    }

    /// Finishes what is queued; later writes are `Busy`.
    pub(super) async fn close(&self) {
        let mut ends = Vec::new();
        for lane in [&self.users, &self.members, &self.rare] {
            let (end, ended) = oneshot::channel();
            // A lane that is closed already has nothing to finish.
            if lane.send(Message::Close(end)).await.is_ok() {
                ends.push(ended);
            }
        }
        futures_util::future::join_all(ends).await;
    }
}

/// Statements need each row once: a member in both lists is added first and then removed, so it
/// is not there afterwards.
fn normalize(action: &mut Action) {
    match action {
        Action::InsertUser { values, .. } => distinct(values),
        Action::ReplaceUser { add_values, remove_values, .. } => {
            distinct(add_values);
            distinct(remove_values);
            if !add_values.is_empty() {
                remove_values.retain(|r| !add_values.iter().any(|a| identity(a) == identity(r)));
            }
        }
        Action::UpdateGroup { members: MemberChange::Delta { add, remove }, .. } => {
            for list in [&mut *add, &mut *remove] {
                list.sort_unstable();
                list.dedup();
            }
            add.retain(|m| remove.binary_search(m).is_err());
        }
        _ => {}
    }
}

fn identity(value: &AttributeValue) -> (i16, &str, &str) {
    (value.attribute, &value.value_key, &value.type_key)
}

fn distinct(values: &mut Vec<AttributeValue>) {
    values.sort();
    values.dedup_by(|later, kept| {
        let same = identity(later) == identity(kept);
        kept.primary |= same && later.primary;
        same
    });
}
