//! A person who was erased is taken out of the logs: first the events, then the provisioning log, each in short transactions.
//! The names the person was known by are in the job's cursor, and gone with it when the job is done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{damaged, deed, subject};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::service::provisioning_log::{forget, name_of};
use crate::service::{Result, ids};
use crate::storage::cold::dossier::{self, EventPlace};
use crate::storage::cold::jobs::{self, NewJob, Progress};
use crate::storage::cold::provisioning_log::{LogPlace, LogRow, rewrite};
use crate::storage::{Database, Db, JobRecord, StorageError};

/// Windows of events that are looked through in one step.
const WINDOWS: usize = 10;
/// For this long, µs, a process may still write of a request that came before the erasure: 30 s for its body and 30 s for its
/// handler by default, and the log is written twice a second, later where the database was busy.
const STRAGGLERS: i64 = 75_000_000;

/// How far a job came.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// Folded, bounded.
    names: BTreeSet<String>,
    at: Place,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Place {
    /// Events before here are done.
    Events(EventPlace),
    /// Names are known as far as the log tells them before here.
    Names(LogPlace),
    /// Rows of the log before here are done.
    Log(LogPlace),
    /// So are those that came late.
    Late(LogPlace),
}

/// A job that takes a person out of the logs who was known by these names, folded and bounded.
pub fn job(organization: OrganizationId, person: ResourceId, names: &[String]) -> NewJob {
    let names = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let cursor = Cursor { names, at: Place::Events(EventPlace::default()) };
    NewJob {
        organization,
        id: ids::job(),
        kind: super::ERASE.to_owned(),
        subject: Some(person.0),
        arguments: "{}".to_owned(),
        cursor: serde_json::to_string(&cursor).ok(),
        total: None,
    }
}

/// What a step comes to.
enum Step {
    /// Events of these windows.
    Events(Vec<(EventPlace, Option<EventPlace>)>),
    /// Rows of the log, changed.
    Rows(Vec<LogRow>),
}

pub(super) async fn step(db: &Database, job: JobRecord, now: i64) -> Result<()> {
    let person = ResourceId(subject(&job)?);
    let cursor = job.cursor.as_deref().unwrap_or_default();
    let mut cursor: Cursor = serde_json::from_str(cursor).map_err(|error| damaged("cursor of a job", error))?;
    let (work, next) = match cursor.at {
        Place::Events(after) => events(db, job.organization, person, after).await?,
        Place::Names(after) => {
            let found = db.log_records_naming(job.organization, &person.to_string(), after).await?;
            let own = found.0.iter().filter(|entry| entry.resource == Some(person.0));
            cursor.names.extend(own.filter_map(name_of));
            (Step::Rows(Vec::new()), Some(found.1.map_or(Place::Log(LogPlace::FIRST), Place::Names)))
        }
        Place::Log(after) => {
            let (rows, last) = rows(db, &job, person, &cursor, after).await?;
            let late = Place::Late(LogPlace::before(job.created.saturating_sub(STRAGGLERS)));
            (Step::Rows(rows), Some(last.map_or(late, Place::Log)))
        }
        Place::Late(after) => {
            let (rows, last) = rows(db, &job, person, &cursor, after).await?;
            (Step::Rows(rows), last.map(Place::Late))
        }
    };
    let settled = job.created.saturating_add(STRAGGLERS);
    let begins_late = matches!((cursor.at, next), (Place::Log(_), Some(Place::Late(_))));
    let cursor = next.map(|at| Cursor { at, ..cursor });
    let cursor = cursor.map(|cursor| serde_json::to_string(&cursor)).transpose();
    let progress = Progress {
        cursor: cursor.map_err(|error| damaged("cursor of a job", error))?,
        done: job.done.saturating_add(work.size()),
        finished: next.is_none(),
        wait_until: (begins_late && now < settled).then_some(settled),
    };
    let commit = async move |db: &mut Db<'_>| {
        match &work {
            Step::Events(windows) => {
                for (after, end) in windows {
                    dossier::erase_events(db, job.organization, person, *after, *end).await?;
                }
            }
            Step::Rows(rows) => {
                for row in rows {
                    rewrite(db, job.organization, row).await?;
                }
            }
        }
        jobs::advance(db, &deed(&job, now), &job, &progress).await?;
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(commit).await?)
}

impl Step {
    fn size(&self) -> i64 {
        let size = match self {
            Step::Events(windows) => windows.len(),
            Step::Rows(rows) => rows.len(),
        };
        i64::try_from(size).unwrap_or(i64::MAX)
    }
}

/// The next windows that hold events of the person, and where to go on.
async fn events(
    db: &Database,
    organization: OrganizationId,
    person: ResourceId,
    mut after: EventPlace,
) -> Result<(Step, Option<Place>)> {
    let mut windows = Vec::new();
    for _ in 0..WINDOWS {
        let (found, end) = db.events_of_person(organization, person, after).await?;
        if !found.is_empty() {
            windows.push((after, end));
        }
        match end {
            Some(end) => after = end,
            None => return Ok((Step::Events(windows), Some(Place::Names(LogPlace::FIRST)))),
        }
    }
    Ok((Step::Events(windows), Some(Place::Events(after))))
}

/// Of the next rows of the log those that named the person, without; and the place behind all that were looked at.
async fn rows(
    db: &Database,
    job: &JobRecord,
    person: ResourceId,
    cursor: &Cursor,
    after: LogPlace,
) -> Result<(Vec<LogRow>, Option<LogPlace>)> {
    let found = db.log_rows(job.organization, after).await?;
    let last = found.last().map(|(place, _)| *place);
    let mut changed = Vec::new();
    for (_, mut row) in found {
        if forget(&mut row.entries, &mut row.bodies, person, (&cursor.names, job.created)) {
            changed.push(row);
        }
    }
    Ok((changed, last))
}
