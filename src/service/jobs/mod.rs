//! Work that goes on after its request: a job is claimed, one step of it is done in one transaction with the note how far it
//! came, and so on until it is over. Any process may do the next step, so that a restart costs at most the running one.

pub mod activate;
pub mod decommission;
pub mod erase;

use crate::service::{Result, ServiceError, ids};
use crate::storage::cold::jobs::Progress;
use crate::storage::{Database, Deed, JobRecord};

/// Kind of the job that makes a connection's staged people live.
pub const ACTIVATE: &str = "activate";
/// Kind of the job that gives a connection's people a new standing.
pub const DECOMMISSION: &str = "decommission";
/// Kind of the job that takes a person out of the logs.
pub const ERASE: &str = "erase";
const KINDS: [&str; 3] = [ACTIVATE, DECOMMISSION, ERASE];

/// How long a claim lasts, µs: longer than a step may take.
const CLAIM: i64 = 10_000_000;

/// Does one step of each job that is due; answers how many it did. A step that fails is logged and is due again when its claim
/// is over.
///
/// # Errors
/// Those of storage in finding what is due.
pub async fn run_due(db: &Database, now: i64) -> Result<usize> {
    let mut steps = 0;
    for job in db.list_due_jobs_across_organizations(&KINDS, now).await? {
        let Some(claimed) = db.claim_job(job, now, now.saturating_add(CLAIM)).await? else { continue };
        let id = claimed.id;
        match step(db, claimed, now).await {
            Ok(()) => steps += 1,
            // Something was written in between: another look finds it.
            Err(ServiceError::Unavailable(cause)) => log::info!("a step of job {id} is to be repeated: {cause}"),
            Err(error) => log::warn!("a step of job {id} failed: {error}"),
        }
    }
    Ok(steps)
}

async fn step(db: &Database, job: JobRecord, now: i64) -> Result<()> {
    match job.kind.as_str() {
        ACTIVATE => activate::step(db, job, now).await,
        DECOMMISSION => decommission::step(db, job, now).await,
        ERASE => erase::step(db, job, now).await,
        other => Err(ServiceError::Internal(format!("no job is called {other}"))),
    }
}

/// One event's worth of a job, in the name of whoever started it.
fn deed(job: &JobRecord, now: i64) -> Deed {
    Deed {
        event: ids::event(),
        at: now,
        actor: job.created_by.clone(),
        request_id: job.request_id.clone(),
        ip: None,
        user_agent: None,
        reason: None,
    }
}

/// `done` further steps, and whether that was all.
fn progress(job: &JobRecord, done: usize, finished: bool, wait_until: Option<i64>) -> Progress {
    let done = job.done.saturating_add(i64::try_from(done).unwrap_or(i64::MAX));
    Progress { cursor: job.cursor.clone(), done, finished, wait_until }
}

/// A damaged row is our fault; its id goes to the log.
fn damaged(what: impl std::fmt::Display, error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Internal(format!("{what}: {error}"))
}

/// The subject of a job that cannot be without.
fn subject(job: &JobRecord) -> Result<uuid::Uuid> {
    job.subject.ok_or_else(|| ServiceError::Internal(format!("job {} has no subject", job.id)))
}
