//! The writer thread with group commit: it takes what is queued, applies all of it in one transaction, commits, and only
//! then answers. Writes that arrive meanwhile make the next batch, so there is no timer.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl as _, SqliteConnection};
use tokio::sync::oneshot;

use super::apply::{Counts, apply};
use super::connection::{File, open_writer};
use super::reads::small_group;
use crate::domain::ids::{ResourceId, Scope};
use crate::storage::cold::pended;
use crate::storage::db::{Db, close_left_open, ready};
use crate::storage::error::{Result, StorageError};
use crate::storage::hot::{Hot, Shape, hot};
use crate::storage::metrics::Metrics;
use crate::storage::rows::GroupRecord;
use crate::storage::write::{Receipt, Write};

/// Writes in one commit at most: bounds how long the first of them waits.
const MAX_BATCH: usize = 512;
/// Jobs waiting for the writer at most; more are refused as busy.
const MAX_WAITING: usize = 10_000;

hot!(Begin, Integer, "BEGIN IMMEDIATE");
hot!(Commit, Integer, "COMMIT");
hot!(Rollback, Integer, "ROLLBACK");
hot!(Save, Integer, "SAVEPOINT w");
hot!(Release, Integer, "RELEASE w");
hot!(Undo, Integer, "ROLLBACK TO w");

fn run<S: Shape>(conn: &mut SqliteConnection) -> Result<()> {
    Hot::<S>::new(vec![]).execute(conn)?;
    Ok(())
}

type Deed = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

enum Job {
    Write(WriteJob),
    Deed(Deed),
    Stop(oneshot::Sender<()>),
}

struct WriteJob {
    write: Write,
    answer: oneshot::Sender<Result<Receipt>>,
}

/// The way to the writer thread. The thread ends when the last one is dropped, after what is queued.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    pub(super) fn start(file: File, metrics: Arc<Metrics>) -> Result<Self> {
        let conn = open_writer(&file)?;
        let (jobs, queue) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let state = Thread { file, conn: Some(conn), queue, waiting: waiting.clone(), metrics };
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || state.run())
            .map_err(|e| StorageError::Broken(format!("writer thread: {e}")))?;
        Ok(Writer { jobs, waiting })
    }

    /// Applies a write; answered after its commit. A caller that stops waiting does not cancel it.
    pub(super) async fn commit(&self, write: Write) -> Result<Receipt> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Write(WriteJob { write, answer }))?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Runs a deed in a transaction of its own.
    pub(super) async fn transaction<R, E, F>(&self, deed: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Db<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let run = move |conn: &mut SqliteConnection| {
            let result = ready(async { Db::Sqlite(conn).tx(deed).await });
            close_left_open(conn);
            // The caller may have gone.
            let _ = answer.send(result.unwrap_or_else(|| Err(pended().into())));
        };
        self.send(Job::Deed(Box::new(run)))?;
        answered.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Waits until what is queued is done and the thread has ended.
    pub(super) async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.jobs.send(Job::Stop(done)).is_ok() {
            // An error means that the thread ended before.
            let _ = ended.await;
        }
    }

    fn send(&self, job: Job) -> Result<()> {
        if self.waiting.fetch_add(1, Relaxed) >= MAX_WAITING {
            self.waiting.fetch_sub(1, Relaxed);
            return Err(StorageError::Busy("too many writes are waiting".to_owned()));
        }
        self.jobs.send(job).map_err(|_| StorageError::Broken("the database is closed".to_owned()))
    }
}

fn stopped() -> StorageError {
    StorageError::Broken("the writer stopped before it answered".to_owned())
}

struct Thread {
    file: File,
    /// `None` after a failure that may have left the connection in an unknown state.
    conn: Option<SqliteConnection>,
    queue: mpsc::Receiver<Job>,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

impl Thread {
    fn run(mut self) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| self.queue.recv().ok()) {
            match job {
                Job::Write(first) => {
                    self.waiting.fetch_sub(1, Relaxed);
                    next = self.commit_from(first);
                }
                Job::Deed(deed) => {
                    self.waiting.fetch_sub(1, Relaxed);
                    self.run_deed(deed);
                }
                Job::Stop(done) => {
                    if let Some(conn) = &mut self.conn {
                        // Only saves the next start the work: the WAL is complete without it.
                        let _ = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
                    }
                    self.conn = None;
                    drop(self.queue);
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// A connection, opened anew where the last one was given up.
    fn connection(&mut self) -> Result<&mut SqliteConnection> {
        match &mut self.conn {
            Some(conn) => Ok(conn),
            empty => Ok(empty.insert(open_writer(&self.file)?)),
        }
    }

    /// A panic is the deed's own; its caller learns of it as the answer is dropped.
    fn run_deed(&mut self, deed: Deed) {
        let Ok(conn) = self.connection() else { return };
        if catch_unwind(AssertUnwindSafe(|| deed(conn))).is_err() {
            log::error!("a deed on the database writer panicked");
            self.conn = None;
        }
    }

    /// One batch that begins with `first`; answers a job that was taken out of the queue and does not belong to it.
    fn commit_from(&mut self, first: WriteJob) -> Option<Job> {
        let mut batch = Batch { jobs: vec![first], answers: Vec::new(), next: None };
        let outcome = catch_unwind(AssertUnwindSafe(|| self.commit_batch(&mut batch)));
        let failure = match outcome {
            Ok(Ok(())) => {
                self.metrics.commit_batch.record(batch.jobs.len() as u64);
                for (job, answer) in batch.jobs.into_iter().zip(batch.answers) {
                    // The caller may have gone.
                    let _ = job.answer.send(answer);
                }
                return batch.next;
            }
            Ok(Err(failure)) => failure,
            Err(_) => {
                self.conn = None;
                StorageError::Broken("the database writer panicked".to_owned())
            }
        };
        self.abandon(batch.jobs, &failure);
        batch.next
    }

    /// Applies and commits; `Err` is the unexpected, after which the whole batch is void.
    fn commit_batch(&mut self, batch: &mut Batch) -> Result<()> {
        let (queue, waiting) = (&self.queue, &self.waiting);
        let conn = match &mut self.conn {
            Some(conn) => conn,
            empty => empty.insert(open_writer(&self.file)?),
        };
        run::<Begin>(conn)?;
        let mut counts = Counts::default();
        while let Some(job) = batch.jobs.get(batch.answers.len()) {
            let answer = apply_whole(conn, &job.write, &mut counts)?;
            batch.answers.push(answer);
            if batch.jobs.len() < MAX_BATCH && batch.answers.len() == batch.jobs.len() && batch.next.is_none() {
                match queue.try_recv() {
                    Ok(Job::Write(more)) => {
                        waiting.fetch_sub(1, Relaxed);
                        batch.jobs.push(more);
                    }
                    Ok(other) => batch.next = Some(other),
                    Err(_) => {}
                }
            }
        }
        counts.write(conn)?;
        show_groups(conn, &batch.jobs, &mut batch.answers);
        run::<Commit>(conn)
    }

    /// After an unexpected failure: rolled back, then each write gets a transaction of its own, so that one bad write
    /// does not fail its neighbours. Where the database itself is the trouble, all are answered with it.
    fn abandon(&mut self, jobs: Vec<WriteJob>, failure: &StorageError) {
        self.roll_back();
        let repeat = jobs.len() > 1 && !failure.is_busy();
        if !failure.is_busy() {
            log::error!("a commit of {} writes failed: {failure}", jobs.len());
        }
        for job in jobs {
            let answer = if repeat { self.commit_alone(&job.write) } else { Err(copy(failure)) };
            // The caller may have gone.
            let _ = job.answer.send(answer);
        }
    }

    fn commit_alone(&mut self, write: &Write) -> Result<Receipt> {
        let attempt = |conn: &mut SqliteConnection| {
            run::<Begin>(conn)?;
            let mut counts = Counts::default();
            let mut answer = apply_whole(conn, write, &mut counts)?;
            counts.write(conn)?;
            show_group(conn, write, &mut answer, &mut HashMap::new());
            run::<Commit>(conn)?;
            answer
        };
        let conn = self.connection()?;
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| attempt(conn))) else {
            self.conn = None;
            return Err(StorageError::Broken("the database writer panicked".to_owned()));
        };
        match result {
            Err(StorageError::Broken(_) | StorageError::Busy(_)) => self.roll_back(),
            _ => self.metrics.commit_batch.record(1),
        }
        result
    }

    /// SQLite may have rolled back by itself (disk full, I/O error); then this fails, and a new connection is certain.
    fn roll_back(&mut self) {
        if self.conn.as_mut().is_some_and(|conn| run::<Rollback>(conn).is_err()) {
            self.conn = None;
        }
    }
}

struct Batch {
    jobs: Vec<WriteJob>,
    /// One for each job applied so far.
    answers: Vec<Result<Receipt>>,
    /// A job taken from the queue that must wait for this batch.
    next: Option<Job>,
}

/// The groups that receipts are to hold, each read once a batch: the writer's page cache has them, while a reader's was
/// voided by the write.
fn show_groups(conn: &mut SqliteConnection, jobs: &[WriteJob], answers: &mut [Result<Receipt>]) {
    let mut read = HashMap::new();
    for (job, answer) in jobs.iter().zip(answers) {
        show_group(conn, &job.write, answer, &mut read);
    }
}

fn show_group(
    conn: &mut SqliteConnection,
    write: &Write,
    answer: &mut Result<Receipt>,
    read: &mut HashMap<(Scope, ResourceId), Option<GroupRecord>>,
) {
    let ([change], true, Ok([applied])) = (&write.changes[..], write.shows_group, answer.as_deref_mut()) else {
        return;
    };
    let id = change.action.target();
    let group = read.entry((write.scope, id)).or_insert_with(|| small_group(conn, write.scope, id).unwrap_or_default());
    applied.group.clone_from(group);
}

/// Applies a write whole or not at all. A single change needs no savepoint: all that may refuse it comes before its
/// first effect. The outer `Err` is unexpected and voids the transaction.
fn apply_whole(conn: &mut SqliteConnection, write: &Write, counts: &mut Counts) -> Result<Result<Receipt>> {
    if write.changes.len() <= 1 {
        return apply(conn, write, counts);
    }
    run::<Save>(conn)?;
    let mark = counts.mark();
    let answer = apply(conn, write, counts)?;
    if answer.is_err() {
        run::<Undo>(conn)?;
        counts.back_to(mark);
    }
    run::<Release>(conn)?;
    Ok(answer)
}

/// `StorageError` is not `Clone`: its refusals belong to one caller. A failure belongs to a batch.
fn copy(failure: &StorageError) -> StorageError {
    match failure {
        StorageError::Busy(reason) => StorageError::Busy(reason.clone()),
        StorageError::TooSlow => StorageError::TooSlow,
        other => StorageError::Broken(other.to_string()),
    }
}
