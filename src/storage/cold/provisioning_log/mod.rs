//! The provisioning log: an entry for each request of an identity provider, its bodies apart. Entries are written in batches
//! beside the requests, many in a row (`segment`), and read in windows in the order of time, which is that of the ids.

mod insert;
mod rows;
mod segment;

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use rows::{LogPlace, LogRow, rewrite};
pub(in crate::storage::cold) use segment::slot_of;

use crate::domain::ids::{LogEntryId, OrganizationId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::provisioning_segments as segments;
use crate::storage::uid::Id;

/// An entry, as stored: the fields are packed in this order, so that one that is added needs another format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Id, in the order of time.
    pub id: LogEntryId,
    /// µs since 1970.
    pub at: i64,
    /// The connection that was called.
    pub connection: Uuid,
    /// The token that came.
    pub token: Option<Uuid>,
    /// What identifies a refused token to people.
    pub fingerprint: Option<String>,
    /// As sent.
    pub method: String,
    /// Below the base of the surface, with the parameters of a search.
    pub path: String,
    /// Id of the user or group.
    pub resource: Option<Uuid>,
    /// As the identity provider calls it.
    pub external_id: Option<String>,
    /// Who or what it was about, for people.
    pub subject: Option<String>,
    /// `domain::provisioning::Operation`
    pub operation: String,
    /// Of the answer.
    pub status: u16,
    /// `domain::provisioning::Outcome`
    pub outcome: String,
    /// `scimType` of the answer.
    pub scim_type: Option<String>,
    /// A sentence for people; `None`: what can be said from the rest.
    pub explanation: Option<String>,
    /// From the head of the request to the answer.
    pub duration_us: i64,
    /// Request id.
    pub request_id: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// `detail` of the event, without secrets: what changed.
    pub detail: Option<String>,
}

impl LogRecord {
    fn is_not_done(&self) -> bool {
        matches!(self.outcome.as_str(), "held" | "refused" | "rejected_credential")
    }
}

/// Bodies of a write, without secrets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LogBodies {
    /// Of the request.
    pub request: Option<String>,
    /// Of the answer.
    pub response: Option<String>,
}

/// An entry to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLogRecord {
    /// Its tenant.
    pub organization: OrganizationId,
    /// All but the bodies.
    pub record: LogRecord,
    /// Bodies.
    pub bodies: LogBodies,
    /// By what `LogSelection::About` finds it.
    pub names: Vec<String>,
}

impl NewLogRecord {
    /// Bytes, roughly.
    fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let (record, bodies) = (&self.record, &self.bodies);
        200 + record.path.len() + length(&record.detail) + length(&bodies.request) + length(&bodies.response)
    }
}

/// What was heard of a connection since it was last written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// Tenant and connection.
    pub organization: Uuid,
    #[allow(missing_docs)]
    pub connection: Uuid,
    /// µs since 1970.
    pub last_request_at: i64,
    /// µs since 1970.
    pub last_success_at: Option<i64>,
    /// µs since 1970.
    pub last_error_at: Option<i64>,
    /// What it was.
    pub last_error: Option<String>,
    /// Requests that only read.
    pub reads: i64,
}

/// Which rows a window looks at. What it finds holds other entries too, which lie beside those.
#[derive(Debug, Clone, PartialEq)]
pub enum LogSelection {
    /// All of the organization.
    All,
    /// Those with entries that did not do what was asked; they have an index.
    NotDone,
    /// Those with entries of this name: all rows are looked at, but only what their filters find is unpacked.
    About(String),
}

/// The next rows of a list in keyset order.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<K> {
    /// From here on, itself excluded.
    pub from: K,
    /// Towards the past.
    pub backwards: bool,
    /// Rows at most; of the provisioning log, after which no further slot is read.
    pub limit: u32,
}

/// What a window over the log found, in its direction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogPage {
    /// Entries; their bodies where they were asked for.
    pub entries: Vec<(LogRecord, LogBodies)>,
    /// From where the next window goes on; `None`: this was the last.
    pub next: Option<LogEntryId>,
}

/// Rows whose filters are looked at in one statement.
const HEADS: usize = 256;
/// Rows after which a window reads no further slot, whatever its limit: they can be of half a MiB each, unpacked.
const MOST_ROWS: usize = 64;

/// Slot, id, number of entries, filter.
type Head = (i64, Id, i32, Vec<u8>);

/// The next rows from a slot on, itself included, in whole slots; whether there are more.
async fn heads(
    db: &mut Db<'_>,
    organization: OrganizationId,
    selection: &LogSelection,
    slot: i64,
    backwards: bool,
) -> Result<(Vec<Head>, bool)> {
    let mut limit = HEADS;
    loop {
        let columns = (segments::slot, segments::id, segments::length, segments::names);
        // The conditions differ in type, so that each combination is a statement of its own.
        macro_rules! rows {
            ($($condition:expr)?) => {{
                let all = segments::table.filter(segments::organization.eq(Id::from(organization)));
                $(let all = all.filter($condition);)?
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                if backwards {
                    let rows = all.filter(segments::slot.le(slot)).order((segments::slot.desc(), segments::id.desc()));
                    rows.limit(most).select(columns).all::<Head>(db).await?
                } else {
                    let rows = all.filter(segments::slot.ge(slot)).order((segments::slot.asc(), segments::id.asc()));
                    rows.limit(most).select(columns).all::<Head>(db).await?
                }
            }};
        }
        let mut rows = match selection {
            // Word for word the condition of the index.
            LogSelection::NotDone => rows!(sql::<Bool>("not_done > 0")),
            LogSelection::All | LogSelection::About(_) => rows!(),
        };
        if rows.len() < limit {
            return Ok((rows, false));
        }
        // Of the last slot there may be more.
        let last = rows.last().map(|(slot, ..)| *slot);
        if rows.first().map(|(slot, ..)| *slot) != last {
            rows.retain(|(slot, ..)| Some(*slot) != last);
            return Ok((rows, true));
        }
        limit = limit.saturating_mul(4);
    }
}

/// The entries of rows, unsorted.
async fn unpacked(
    db: &mut Db<'_>,
    organization: OrganizationId,
    heads: &[&Head],
    with_bodies: bool,
) -> Result<Vec<(LogRecord, LogBodies)>> {
    let slots = heads.iter().map(|(slot, ..)| *slot);
    let (Some(first), Some(last)) = (slots.clone().min(), slots.max()) else { return Ok(Vec::new()) };
    let ids: Vec<Id> = heads.iter().map(|(_, id, ..)| *id).collect();
    let rows = segments::table
        .filter(segments::organization.eq(Id::from(organization)))
        .filter(segments::slot.between(first, last))
        .filter(segments::id.eq_any(ids));
    let mut all = Vec::new();
    if with_bodies {
        let rows = rows.select((segments::format, segments::entries, segments::bodies));
        for (format, entries, bodies) in rows.all::<(i16, Vec<u8>, Vec<u8>)>(db).await? {
            all.extend(segment::entries(format, &entries)?.into_iter().zip(segment::bodies(&bodies)?));
        }
    } else {
        for (format, entries) in rows.select((segments::format, segments::entries)).all::<(i16, Vec<u8>)>(db).await? {
            all.extend(segment::entries(format, &entries)?.into_iter().map(|entry| (entry, LogBodies::default())));
        }
    }
    Ok(all)
}

/// Before all ids of a slot but one that nobody has.
fn first_of(slot: i64) -> LogEntryId {
    LogEntryId::at(slot.saturating_mul(segment::SLOT), 0)
}

/// Behind all ids of a slot but one that nobody has.
fn last_of(slot: i64) -> LogEntryId {
    LogEntryId::at(slot.saturating_add(1).saturating_mul(segment::SLOT).saturating_sub(1), u64::MAX)
}

/// Entries of a window: as many slots as it takes.
async fn page(
    db: &mut Db<'_>,
    organization: OrganizationId,
    selection: &LogSelection,
    window: &Window<LogEntryId>,
    with_bodies: bool,
) -> Result<LogPage> {
    let backwards = window.backwards;
    let slot = slot_of(window.from);
    let begin = match backwards {
        true if window.from <= first_of(slot) => slot.saturating_sub(1),
        false if window.from >= last_of(slot) => slot.saturating_add(1),
        _ => slot,
    };
    let (heads, has_more) = heads(db, organization, selection, begin, backwards).await?;
    let (mut chosen, mut entries, mut reached) = (Vec::new(), 0_usize, None);
    let mut slots = heads.chunk_by(|a, b| a.0 == b.0).peekable();
    while entries < window.limit as usize
        && chosen.len() < MOST_ROWS
        && let Some(same) = slots.next()
    {
        let found = same.iter().filter(|(.., names)| match selection {
            LogSelection::About(name) => segment::may_name(names, name),
            LogSelection::All | LogSelection::NotDone => true,
        });
        for head in found {
            entries += usize::try_from(head.2).unwrap_or_default();
            chosen.push(head);
        }
        reached = same.first().map(|(slot, ..)| *slot);
    }
    let is_last = slots.peek().is_none() && !has_more;
    let mut entries = unpacked(db, organization, &chosen, with_bodies).await?;
    if backwards {
        entries.retain(|(entry, _)| entry.id < window.from);
        entries.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.id));
    } else {
        entries.retain(|(entry, _)| entry.id > window.from);
        entries.sort_by_key(|(entry, _)| entry.id);
    }
    let border = if backwards { first_of } else { last_of };
    Ok(LogPage { entries, next: reached.filter(|_| !is_last).map(border) })
}

impl Database {
    /// Writes entries and what was heard of connections; one transaction.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn insert_log_records(&self, records: Vec<NewLogRecord>, heard: Vec<Heard>) -> Result<()> {
        let packed = segment::pack(records)?;
        self.transaction(async move |db: &mut Db<'_>| {
            insert::segments(db, &packed).await?;
            insert::heard(db, heard).await
        })
        .await
    }

    /// Entries of a window over an organization's log, in its direction: two statements.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn log_records(
        &self,
        organization: OrganizationId,
        selection: &LogSelection,
        window: &Window<LogEntryId>,
        with_bodies: bool,
    ) -> Result<LogPage> {
        self.cold_read(async |db| page(db, organization, selection, window, with_bodies).await).await
    }

    /// An entry with the bodies of request and answer.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_log_record(
        &self,
        organization: OrganizationId,
        id: LogEntryId,
    ) -> Result<Option<(LogRecord, LogBodies)>> {
        self.cold_read(async |db| {
            let rows = segments::table
                .filter(segments::organization.eq(Id::from(organization)))
                .filter(segments::slot.eq(slot_of(id)))
                .select((segments::format, segments::entries, segments::bodies));
            for (format, entries, bodies) in rows.all::<(i16, Vec<u8>, Vec<u8>)>(db).await? {
                let entries = segment::entries(format, &entries)?;
                if let Some(at) = entries.iter().position(|entry| entry.id == id) {
                    let bodies = segment::bodies(&bodies)?.into_iter().nth(at).unwrap_or_default();
                    return Ok(entries.into_iter().nth(at).map(|entry| (entry, bodies)));
                }
            }
            Ok(None)
        })
        .await
    }
}
