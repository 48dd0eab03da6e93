//! The provisioning log: what identity providers asked for and what they got. A request leaves its facts in a bounded queue,
//! which costs it little more than copies of its bodies; one task of the process makes entries of them and writes these in
//! batches. Under pressure entries are lost, and counted.

mod entry;
mod erasure;
mod record;
mod verdict;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::ids::{LogEntryId, OrganizationId, Scope, TokenId};
use crate::domain::provisioning::{Happened, RejectedToken, redact_text};
use crate::storage::{self, Database, Heard, Labelled, LogRecord, NewLogRecord};
pub use entry::{LogEntry, WholeLogEntry, name, name_of};
pub use erasure::forget;
pub use verdict::{Judged, Verdict, target_of};

/// Bytes of a body that is kept.
pub const MOST_BODY: usize = 64 * 1024;
/// Entries that wait at most, and bytes of their bodies.
const MOST_WAITING: usize = 4_096;
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Entries that can come in any number (reads, refused tokens, rate limits) and wait at most; further ones are counted only.
const MOST_SAMPLED: usize = 100;
/// Entries after which the writing does not wait any longer.
const ENOUGH: usize = 256;
/// How long entries wait otherwise.
const PAUSE: Duration = Duration::from_millis(500);

/// A token that is known and opens nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// What it was for.
    pub scope: Scope,
    /// Its id.
    pub token: TokenId,
    /// What identifies it to people.
    pub fingerprint: String,
    /// Why it opens nothing; `None` where its organization is suspended.
    pub why: Option<RejectedToken>,
}

/// One request of an identity provider, as it was.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whose it was.
    pub scope: Scope,
    /// The token that came.
    pub token: TokenId,
    /// Of a refused token: what identifies it, and why.
    pub rejected: Option<(String, RejectedToken)>,
    /// µs since 1970.
    pub at: i64,
    /// As sent.
    pub method: String,
    /// Path and query string as sent, below the base.
    pub target: String,
    /// Of the answer.
    pub status: u16,
    /// From the head of the request to the answer.
    pub duration: Duration,
    /// Request id.
    pub request_id: Arc<str>,
    /// Address of the client.
    pub ip: Option<IpAddr>,
    /// Of a write.
    pub request_body: Option<Bytes>,
    /// Of the answer to a write, or of a refusal.
    pub response_body: Option<Bytes>,
    /// What it came to.
    pub happened: Option<Happened>,
}

impl Seen {
    /// Whether it is one of those that can come in any number without doing anything.
    fn is_sampled(&self) -> bool {
        let reads = self.reads() && self.status < 400;
        reads || self.rejected.is_some() || matches!(self.status, 401 | 429)
    }

    fn reads(&self) -> bool {
        verdict::reads(&self.method, &self.target)
    }

    fn bytes(&self) -> usize {
        let length = |body: &Option<Bytes>| body.as_ref().map_or(0, Bytes::len);
        length(&self.request_body)
            + length(&self.response_body)
            + self.happened.as_ref().map_or(0, |happened| happened.detail.len())
    }
}

/// The log of a process.
pub struct ProvisioningLog {
    db: Database,
    queue: Mutex<Queue>,
    /// Held while entries are written.
    writing: tokio::sync::Mutex<()>,
    enough: Notify,
    next: AtomicU64,
    /// 46 bits.
    chance: u64,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Queue {
    seen: Vec<Seen>,
    sampled: usize,
    bytes: usize,
    heard: HashMap<Scope, Heard>,
}

impl ProvisioningLog {
    /// An empty one.
    pub fn new(db: Database) -> Self {
        ProvisioningLog {
            db,
            queue: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            enough: Notify::new(),
            next: AtomicU64::new(0),
            chance: getrandom::u64().unwrap_or_default() >> 18,
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes note of a request. To be called once its answer is made.
    pub fn note(&self, seen: Seen) {
        let (bytes, sampled) = (seen.bytes(), seen.is_sampled());
        let mut queue = self.queue();
        queue.hear(&seen);
        if sampled && queue.sampled >= MOST_SAMPLED {
            return;
        }
        if queue.seen.len() >= MOST_WAITING || queue.bytes.saturating_add(bytes) > MOST_BYTES {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.sampled += usize::from(sampled);
        queue.bytes += bytes;
        queue.seen.push(seen);
        let enough = queue.seen.len() == ENOUGH;
        drop(queue);
        if enough {
            self.enough.notify_one();
        }
    }

    /// Entries that were lost because too many waited, or because the database did not take them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Writes what is noted so far; ends when it is stored.
    pub async fn flush(self: &Arc<Self>) {
        let log = Arc::clone(self);
        // Of its own, so that entries are not lost with a caller who stops waiting.
        let written = tokio::spawn(async move { log.write().await }).await;
        if let Err(error) = written {
            log::error!("the writing of the provisioning log stopped: {error}");
        }
    }

    /// Writes entries as they come, until it is stopped.
    pub async fn run(self: Arc<Self>) {
        loop {
            let _ = tokio::time::timeout(PAUSE, self.enough.notified()).await;
            self.flush().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self) {
        let _writing = self.writing.lock().await;
        let Queue { seen, mut heard, .. } = std::mem::take(&mut *self.queue());
        if heard.is_empty() {
            return;
        }
        let mut entries: Vec<NewLogRecord> = Vec::with_capacity(seen.len());
        for seen in seen {
            let (scope, id) = (seen.scope, self.id_at(seen.at));
            let entry = record::of(seen, id);
            if entry.record.status >= 400
                && let Some(heard) = heard.get_mut(&scope)
            {
                heard.last_error_at = Some(entry.record.at);
                heard.last_error.clone_from(&entry.record.explanation);
            }
            entries.push(entry);
        }
        self.name_subjects(&mut entries).await;
        let mut heard: Vec<Heard> = heard.into_values().collect();
        loop {
            let rest = entries.split_off(entries.len().min(ENOUGH));
            let count = entries.len();
            if let Err(error) = self.db.insert_log_records(entries, std::mem::take(&mut heard)).await {
                log::warn!("{count} entries of the provisioning log are lost: {error}");
                self.dropped.fetch_add(count as u64, Ordering::Relaxed);
            }
            if rest.is_empty() {
                return;
            }
            entries = rest;
        }
    }

    /// Ids within one µs differ by their order here and by what this process is called, so that instances do not collide.
    fn id_at(&self, at: i64) -> LogEntryId {
        let order = self.next.fetch_add(1, Ordering::Relaxed) & 0xffff;
        LogEntryId::at(at, order << 46 | self.chance)
    }

    /// Neither a patch that is answered without body nor a refusal names whom it was about, and the answer of a group is not
    /// read for what it is called. Labels are as stored: a secret in them is none of the log's.
    async fn name_subjects(&self, entries: &mut [NewLogRecord]) {
        let mut wanted: HashMap<_, (Vec<Uuid>, Vec<Uuid>)> = HashMap::new();
        for new in entries.iter() {
            let (users, groups) = wanted.entry(new.organization).or_default();
            match thing(&new.record) {
                Some((true, id)) if new.record.subject.is_none() || new.record.external_id.is_none() => groups.push(id),
                Some((false, id)) if new.record.subject.is_none() => users.push(id),
                _ => {}
            }
        }
        for (organization, (users, groups)) in wanted {
            let names = self.names(organization, users, groups).await.unwrap_or_else(|error| {
                log::warn!("subjects of the provisioning log cannot be named: {error}");
                HashMap::new()
            });
            for new in entries.iter_mut().filter(|new| new.organization == organization) {
                let Some((label, external_id)) = thing(&new.record).and_then(|(_, id)| names.get(&id)) else {
                    continue;
                };
                if new.record.subject.is_none() {
                    let label = redact_text(label);
                    new.names.push(name(&label));
                    new.record.subject = Some(label);
                }
                new.record.external_id =
                    new.record.external_id.take().or_else(|| external_id.as_deref().map(redact_text));
            }
        }
    }

    /// What users are called, and groups with their externalIds.
    async fn names(
        &self,
        organization: OrganizationId,
        users: Vec<Uuid>,
        groups: Vec<Uuid>,
    ) -> storage::Result<HashMap<Uuid, (String, Option<String>)>> {
        let mut names =
            if groups.is_empty() { HashMap::new() } else { self.db.group_names(organization, groups).await? };
        let users = users.into_iter().map(|id| (Labelled::User, id)).collect();
        let labels = self.db.labels(organization, users).await?;
        names.extend(labels.into_iter().map(|((_, id), label)| (id, (label, None))));
        Ok(names)
    }
}

/// The user or group of an entry, and whether it is a group.
fn thing(record: &LogRecord) -> Option<(bool, Uuid)> {
    Some((target_of(&record.path).0? == "Group", record.resource?))
}

impl Queue {
    /// Every request counts, whether it leaves an entry or not.
    fn hear(&mut self, seen: &Seen) {
        let heard = self.heard.entry(seen.scope).or_insert_with(|| Heard {
            organization: seen.scope.organization.0,
            connection: seen.scope.connection.0,
            ..Heard::default()
        });
        heard.last_request_at = heard.last_request_at.max(seen.at);
        heard.reads += i64::from(seen.reads());
        if seen.status < 400 {
            heard.last_success_at = Some(seen.at);
        }
    }
}
