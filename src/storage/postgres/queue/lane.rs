//! A lane: batches of one connection, and what happens when a batch or the connection fails.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::pick::{WRITES, pick};
use super::session::{Past, Session};
use super::{Job, Message, Shared};
use crate::domain::ids::EventId;
use crate::storage::postgres::batch::{self, Answer, Kind, Unit};
use crate::storage::write::{Applied, Write};
use crate::storage::{Result, StorageError};

/// How long writes wait for a server that is away before they are told so.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the outcome of a batch is sought after its connection was lost.
const SEARCH: Duration = Duration::from_secs(10);
/// Tries of one write that meets a deadlock or loses its connection.
const TRIES: u32 = 4;
/// Changes after which plans are made anew: one made on an empty table may probe a wrong index for ever, and autovacuum
/// comes a minute late.
const ANALYZE_AFTER: [u64; 4] = [500, 5_000, 50_000, 500_000];

pub(super) struct Lane {
    name: &'static str,
    queue: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    session: Option<Session>,
    /// The last session that was lost.
    past: Option<Past>,
    held: VecDeque<Job>,
    closing: Vec<oneshot::Sender<()>>,
}

impl Lane {
    pub(super) fn new(name: &'static str, queue: mpsc::Receiver<Message>, shared: Arc<Shared>) -> Self {
        Lane { name, queue, shared, session: None, past: None, held: VecDeque::new(), closing: Vec::new() }
    }

    /// Until every sender is gone or the queue was closed, and nothing is left.
    pub(super) async fn run(mut self) {
        while self.fill().await {
            if let Err(error) = self.connect(Instant::now() + PATIENCE).await {
                self.refuse_all(&error);
                continue;
            }
            let jobs = pick(&mut self.held);
            self.shared.metrics.commit_batch.record(jobs.len() as u64);
            let changes: usize = jobs.iter().map(|j| j.write.changes.len()).sum();
            let answers = self.commit(&jobs).await;
            self.analyze_if_due(changes as u64);
            for (job, answer) in jobs.into_iter().zip(answers) {
                // A caller that went away is not an error: its write is done all the same.
                let _ = job.answer.send(answer);
            }
        }
    }

    /// Takes what is queued, waiting only while there is nothing; `false` at the end.
    async fn fill(&mut self) -> bool {
        while self.held.is_empty() {
            match self.queue.recv().await {
                Some(message) => self.receive(message),
                None => return false,
            }
        }
        while self.held.len() < 4 * WRITES {
            match self.queue.try_recv() {
                Ok(message) => self.receive(message),
                Err(_) => break,
            }
        }
        true
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Commit(job) => self.held.push_back(*job),
            Message::Close(end) => {
                self.queue.close();
                self.closing.push(end);
            }
        }
    }

    fn refuse_all(&mut self, error: &StorageError) {
        log::warn!("{} queue: {error}", self.name);
        while let Ok(message) = self.queue.try_recv() {
            self.receive(message);
        }
        for job in self.held.drain(..) {
            let _ = job.answer.send(Err(StorageError::Busy("the database does not answer".to_owned())));
        }
    }

    /// Makes sure of a session, trying until `deadline`.
    async fn connect(&mut self, deadline: Instant) -> Result<()> {
        let mut pause = Duration::from_millis(20);
        while self.session.is_none() {
            let opening = Session::open(&self.shared.connector, self.past.as_ref());
            match tokio::time::timeout_at(deadline, opening).await {
                Ok(Ok(session)) => self.session = Some(session),
                Ok(Err(error)) if Instant::now() + pause >= deadline => return Err(error),
                Ok(Err(error @ StorageError::Broken(_))) => return Err(error),
                Ok(Err(_)) => tokio::time::sleep(pause).await,
                Err(_) => return Err(StorageError::Busy("no connection in time".to_owned())),
            }
            pause = (pause * 2).min(Duration::from_millis(500));
        }
        Ok(())
    }

    /// One answer per job, in order.
    async fn commit(&mut self, jobs: &[Job]) -> Vec<Answer> {
        let units: Vec<Unit<'_>> = jobs.iter().filter_map(|j| Unit::of(&j.write)).collect();
        let kind = jobs.first().map_or(Kind::Alone, |j| j.kind);
        match self.try_commit(kind, &units).await {
            Ok(answers) => answers,
            Err(error) => {
                log::warn!("{} queue: a batch of {} is repeated one by one: {error}", self.name, units.len());
                self.one_by_one(kind, &units).await
            }
        }
    }

    async fn try_commit(&mut self, kind: Kind, units: &[Unit<'_>]) -> diesel::QueryResult<Vec<Answer>> {
        let Some(session) = &mut self.session else { return Err(diesel::result::Error::BrokenTransactionManager) };
        session.begin_batch().await?;
        batch::run(&session.conn, kind, units, session.number()).await
    }

    /// The pipeline's COMMIT has ended a failed transaction as ROLLBACK. After a lost connection nobody knows, so what
    /// did happen is looked up first, by its events.
    async fn one_by_one(&mut self, kind: Kind, units: &[Unit<'_>]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(units.len());
        let mut done = HashMap::new();
        for (n, unit) in units.iter().enumerate() {
            let open: Vec<&Write> = units.iter().skip(n).map(|u| u.write).collect();
            answers.push(self.single(kind, *unit, &open, &mut done).await);
            if self.session.is_none() {
                break;
            }
        }
        let unknown = || Err(StorageError::Busy("the outcome is not known".to_owned()));
        answers.resize_with(units.len(), unknown);
        answers
    }

    async fn single(
        &mut self,
        kind: Kind,
        unit: Unit<'_>,
        open: &[&Write],
        done: &mut HashMap<EventId, i64>,
    ) -> Answer {
        let mut tries = 0;
        loop {
            if !self.is_alive().await {
                match self.recover(open).await {
                    Ok(found) => done.extend(found),
                    Err(error) => return Err(StorageError::Busy(format!("the outcome is not known: {error}"))),
                }
            }
            if let Some(receipt) = receipt(unit.write, done) {
                return Ok(receipt);
            }
            tries += 1;
            match self.try_commit(kind, &[unit]).await {
                Ok(answers) => return answers.into_iter().next().unwrap_or(Err(StorageError::Missing)),
                Err(error) => {
                    let failure = StorageError::from(error);
                    if tries >= TRIES || !failure.is_busy() && self.is_alive().await {
                        log::error!("{} queue: a write failed: {failure}", self.name);
                        return Err(failure);
                    }
                }
            }
        }
    }

    async fn is_alive(&mut self) -> bool {
        match &mut self.session {
            Some(session) => session.is_alive().await,
            None => false,
        }
    }

    /// A new session that waits for the end of the lost one, then asks which of the writes it committed.
    async fn recover(&mut self, open: &[&Write]) -> Result<Vec<(EventId, i64)>> {
        let lost = self.session.take().map(|s| s.past().clone()).or(self.past.take());
        self.past.clone_from(&lost);
        let deadline = Instant::now() + SEARCH;
        loop {
            self.connect(deadline).await?;
            let (Some(session), Some(lost)) = (&self.session, &lost) else { return Ok(Vec::new()) };
            match session.happened(open, lost).await {
                Ok(found) => return Ok(found),
                Err(error) if Instant::now() >= deadline => return Err(error.into()),
                // Lost again, before it wrote anything: the bound stays the old one.
                Err(_) => {
                    let newer = self.session.take().map(|s| s.past().clone());
                    self.past = newer.or(self.past.take());
                }
            }
        }
    }

    fn analyze_if_due(&self, count: u64) {
        let before = self.shared.changes.fetch_add(count, Relaxed);
        if ANALYZE_AFTER.iter().any(|n| (before..before + count).contains(n)) {
            let connector = self.shared.connector.clone();
            tokio::spawn(async move {
                let analyzed = async {
                    let mut conn = connector.open("SET application_name = 'rollcall-analyze'").await?;
                    let tables = "ANALYZE users, groups, members, attribute_values, counts";
                    conn.batch_execute(tables).await.map_err(StorageError::from)
                };
                if let Err(error) = analyzed.await {
                    log::warn!("ANALYZE: {error}");
                }
            });
        }
    }
}

/// The receipt of a write whose commit was found by its events. A change without one changed nothing; its version is
/// not told, as nobody waits for it but the caller of a lost connection.
fn receipt(write: &Write, done: &HashMap<EventId, i64>) -> Option<Vec<Applied>> {
    if !write.changes.iter().any(|c| done.contains_key(&c.event)) {
        return None;
    }
    let applied = |event: &EventId| match done.get(event) {
        Some(version) => Applied::new(*version, true),
        None => Applied::new(0, false),
    };
    Some(write.changes.iter().map(|c| applied(&c.event)).collect())
}
