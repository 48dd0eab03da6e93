//! Resumable work. Whoever runs a job claims it for a while; what a step of it changes and how far it came are one
//! transaction, so that a process that stops in between loses nothing and repeats nothing.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};
use uuid::Uuid;

use super::{Deed, Target, record};
use crate::domain::ids::OrganizationId;
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::rows::JobRecord;
use crate::storage::schema::jobs;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A job to queue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its tenant.
    pub organization: OrganizationId,
    /// Id, not used before.
    pub id: Uuid,
    /// What it does.
    pub kind: String,
    /// What it does it to.
    pub subject: Option<Uuid>,
    /// How (JSON).
    pub arguments: String,
    /// Where it begins, for those that say so.
    pub cursor: Option<String>,
    /// Steps in all, where known.
    pub total: Option<i64>,
}

/// How far a job came.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Where it goes on; `None` at the beginning.
    pub cursor: Option<String>,
    /// Steps that are done.
    pub done: i64,
    /// Whether that was all.
    pub finished: bool,
    /// When the next step may be done, µs since 1970; `None` at once.
    pub wait_until: Option<i64>,
}

/// Queues a job.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewJob) -> Result<JobRecord> {
    let row = (
        jobs::organization.eq(Id::from(new.organization)),
        jobs::id.eq(Id(new.id)),
        jobs::kind.eq(&*new.kind),
        jobs::subject.eq(new.subject.map(Id)),
        jobs::arguments.eq(&*new.arguments),
        jobs::state.eq("queued"),
        jobs::cursor.eq(new.cursor.as_deref()),
        jobs::total.eq(new.total),
        jobs::created.eq(deed.at),
        jobs::created_by.eq(&*deed.actor),
        jobs::modified.eq(deed.at),
        jobs::request_id.eq(&*deed.request_id),
        jobs::version.eq(1),
    );
    let insert = diesel::insert_into(jobs::table).values(row).returning(JobRecord::cols());
    let stored: JobRecord = insert.one(db).await?;
    record(db, deed, target(&stored, EventKind::JobStarted), &detail(&stored)).await?;
    Ok(stored)
}

/// Takes a job over until `until`; `None` where somebody else has it or it is over.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn claim(db: &mut Db<'_>, read: &JobRecord, now: i64, until: i64) -> Result<Option<JobRecord>> {
    let free = jobs::leased_until.is_null().or(jobs::leased_until.assume_not_null().le(now));
    let row = jobs::table
        .filter(jobs::organization.eq(Id::from(read.organization)))
        .filter(jobs::id.eq(Id(read.id)))
        .filter(jobs::version.eq(read.version))
        .filter(jobs::state.eq_any(["queued", "running"]))
        .filter(free);
    let set = (
        jobs::state.eq("running"),
        jobs::leased_until.eq(Some(until)),
        jobs::modified.eq(now),
        jobs::version.eq(jobs::version + 1),
    );
    Ok(diesel::update(row).set(set).returning(JobRecord::cols()).opt(db).await?)
}

/// Notes how far a claimed job came, and gives it back.
///
/// # Errors
/// `Stale` where somebody else took it over meanwhile: the transaction must not be committed.
pub async fn advance(db: &mut Db<'_>, deed: &Deed, claimed: &JobRecord, progress: &Progress) -> Result<JobRecord> {
    let row = jobs::table
        .filter(jobs::organization.eq(Id::from(claimed.organization)))
        .filter(jobs::id.eq(Id(claimed.id)))
        .filter(jobs::version.eq(claimed.version));
    let set = (
        jobs::state.eq(if progress.finished { "done" } else { "running" }),
        jobs::cursor.eq(progress.cursor.clone()),
        jobs::done.eq(progress.done),
        jobs::leased_until.eq(progress.wait_until),
        jobs::modified.eq(deed.at),
        jobs::version.eq(jobs::version + 1),
    );
    let changed: Option<JobRecord> = diesel::update(row).set(set).returning(JobRecord::cols()).opt(db).await?;
    let stored = changed.ok_or(StorageError::Stale)?;
    if progress.finished {
        record(db, deed, target(&stored, EventKind::JobFinished), &detail(&stored)).await?;
    }
    Ok(stored)
}

/// The jobs on one thing, the youngest first.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list_of(db: &mut Db<'_>, organization: OrganizationId, subject: Uuid) -> Result<Vec<JobRecord>> {
    let query = jobs::table
        .filter(jobs::organization.eq(Id::from(organization)))
        .filter(jobs::subject.eq(Some(Id(subject))))
        .order(jobs::id.desc())
        .limit(20);
    Ok(query.select(JobRecord::cols()).all(db).await?)
}

/// Jobs of these kinds that are to be run and that nobody has claimed, of all organizations, the oldest first.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list_due_across_organizations(db: &mut Db<'_>, kinds: &[&str], now: i64) -> Result<Vec<JobRecord>> {
    let free = jobs::leased_until.is_null().or(jobs::leased_until.assume_not_null().le(now));
    let query = jobs::table
        .filter(jobs::state.eq_any(["queued", "running"]))
        .filter(jobs::kind.eq_any(kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()))
        .filter(free)
        .order(jobs::id)
        .limit(100);
    Ok(query.select(JobRecord::cols()).all(db).await?)
}

fn target(job: &JobRecord, kind: EventKind) -> Target {
    Target { organization: job.organization, connection: None, kind, resource: job.id, version: job.version }
}

fn detail(job: &JobRecord) -> String {
    serde_json::json!({ "job": job.kind, "subject": job.subject.map(|id| id.to_string()), "done": job.done })
        .to_string()
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobsQuery {
    /// Of these organizations; empty: of all.
    pub organizations: Vec<OrganizationId>,
    /// In these states.
    pub states: Vec<String>,
    /// Behind this job in the order.
    pub after: Option<Uuid>,
    /// Whether the youngest come first.
    pub descending: bool,
    /// Rows at most.
    pub limit: u32,
}

impl Database {
    /// How many jobs a query selects, whatever its place and limit.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn count_jobs_across_organizations(&self, asked: &JobsQuery) -> Result<i64> {
        let all = || jobs::table.filter(jobs::state.eq_any(asked.states.clone())).count();
        let organizations = || asked.organizations.iter().copied().map(Id::from).collect::<Vec<_>>();
        self.cold_read(async |db| {
            Ok(if asked.organizations.is_empty() {
                all().one(db).await?
            } else {
                all().filter(jobs::organization.eq_any(organizations())).one(db).await?
            })
        })
        .await
    }
    /// A page of jobs in the order of their ids, which is that of their creation.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_jobs_across_organizations(&self, asked: &JobsQuery) -> Result<Vec<JobRecord>> {
        let all = || {
            let of_state = jobs::table.filter(jobs::state.eq_any(asked.states.clone()));
            of_state.limit(i64::from(asked.limit)).select(JobRecord::cols())
        };
        let organizations = || asked.organizations.iter().copied().map(Id::from).collect::<Vec<_>>();
        let some = || all().filter(jobs::organization.eq_any(organizations()));
        let older = || jobs::id.lt(Id(asked.after.unwrap_or(Uuid::max())));
        let younger = || jobs::id.gt(Id(asked.after.unwrap_or(Uuid::nil())));
        self.cold_read(async |db| {
            Ok(match (asked.organizations.is_empty(), asked.descending) {
                (true, true) => all().filter(older()).order(jobs::id.desc()).all(db).await?,
                (true, false) => all().filter(younger()).order(jobs::id).all(db).await?,
                (false, true) => some().filter(older()).order(jobs::id.desc()).all(db).await?,
                (false, false) => some().filter(younger()).order(jobs::id).all(db).await?,
            })
        })
        .await
    }
    /// The jobs on one thing, the youngest first.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_jobs_of(&self, organization: OrganizationId, subject: Uuid) -> Result<Vec<JobRecord>> {
        self.cold_read(async |db| list_of(db, organization, subject).await).await
    }
    /// Jobs of these kinds that are to be run and that nobody has claimed, the oldest first.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_due_jobs_across_organizations(&self, kinds: &[&str], now: i64) -> Result<Vec<JobRecord>> {
        self.cold_read(async |db| list_due_across_organizations(db, kinds, now).await).await
    }
    /// `jobs::claim` in a transaction of its own.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn claim_job(&self, read: JobRecord, now: i64, until: i64) -> Result<Option<JobRecord>> {
        self.transaction(async move |db: &mut Db<'_>| claim(db, &read, now, until).await).await
    }
}
