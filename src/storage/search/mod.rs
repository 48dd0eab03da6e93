//! Searching on both backends. A filter compiles to SQL (`compile`); a selective equality is one probe of an index and
//! everything else a seek to where the page begins (`pages`); what only documents know is read in a stream (`scan`).
//! `walks` remembers page ends and totals. On SQLite what is short runs at once on the caller's thread, the rest on a
//! blocking one with a deadline.

mod by_name;
mod compile;
mod deadline;
mod job;
mod order;
mod pages;
pub(super) mod people;
mod scan;
mod select;
mod trigram;
mod walks;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::{Connection as _, SqliteConnection};

use super::cold::pended;
use super::db::{Db, ready};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{AnyBackend, Database, Found, Result, Search};
use crate::domain::ids::{OrganizationId, ResourceId, Scope};
use crate::protocol::schema::ResourceKind;
use job::Job;
use select::Row;
use walks::Walks;

/// Rows that a page may skip inline on SQLite.
const INLINE_SKIP: u64 = 1_000;

/// Repetitions of a search that lost its connection.
const AGAIN: u32 = 3;

/// What searches of one database share.
pub(super) struct Searches {
    walks: Arc<Walks>,
    timeout: Duration,
    indexing: AtomicBool,
}

impl Searches {
    /// `timeout` is the longest run of one search.
    pub(super) fn new(timeout: Duration) -> Self {
        Searches { walks: Arc::default(), timeout, indexing: AtomicBool::new(false) }
    }
}

/// Called on each connection that the SQLite backend opens for reading.
pub(crate) fn prepare_sqlite_reader(conn: &mut SqliteConnection) -> Result<()> {
    deadline::register(conn)
}

/// A page of users or groups.
pub(super) async fn search<T: From<SearchRow>>(
    database: &Database,
    scope: Scope,
    kind: ResourceKind,
    search: &Search,
) -> Result<Found<T>> {
    let found = match &database.inner.backend {
        AnyBackend::Sqlite(sqlite) => on_sqlite(database, sqlite, scope, kind, search).await?,
        AnyBackend::Postgres(postgres) => Box::pin(on_postgres(database, postgres, scope, kind, search)).await?,
    };
    Ok(Found { total: found.total, records: found.records.into_iter().map(T::from).collect() })
}

pub(super) use select::Row as SearchRow;

/// Brings SQLite's trigram index up to date; answers how many users it looked at.
pub(super) async fn follow(database: &Database) -> Result<u64> {
    trigram::follow(database).await
}

/// Takes a deleted user out of it.
pub(super) async fn forget(database: &Database, organization: OrganizationId, id: ResourceId) -> Result<()> {
    trigram::forget(database, organization, id).await
}

fn new_job(database: &Database, scope: Scope, kind: ResourceKind, search: &Search) -> Job {
    let searches = &database.inner.searches;
    Job::new(scope, kind, search, &searches.walks, searches.timeout)
}

async fn on_postgres(
    database: &Database,
    postgres: &Postgres,
    scope: Scope,
    kind: ResourceKind,
    search: &Search,
) -> Result<Found<Row>> {
    let name = name_asked_for(kind, search);
    let mut tries = 0;
    loop {
        let mut conn = if name.is_some() { postgres.read().await? } else { postgres.connection().await? };
        let result = match &name {
            Some(key) => {
                by_name::postgres(&mut conn, scope, key, search.references).await.map(|row| single(search, row))
            }
            None => run(&mut Db::Pg(&mut conn), &new_job(database, scope, kind, search)).await,
        };
        // After a restart of the server every pooled connection may be dead, which is noticed only by using it.
        if result.is_err() && tries < AGAIN && conn.is_lost().await {
            tries += 1;
            continue;
        }
        conn.done();
        return result;
    }
}

async fn on_sqlite(
    database: &Database,
    sqlite: &Sqlite,
    scope: Scope,
    kind: ResourceKind,
    search: &Search,
) -> Result<Found<Row>> {
    if let Some(key) = name_asked_for(kind, search) {
        let row = sqlite.with_reader(|conn| by_name::sqlite(conn, scope, &key, search.references))?;
        return Ok(single(search, row));
    }
    let mut job = new_job(database, scope, kind, search);
    if is_short(&job) {
        job.scanning = false;
        let found = sqlite.with_reader(|conn| at_once(run_short(&mut Db::Sqlite(conn), &job)))?;
        if let Some(found) = found {
            return Ok(found);
        }
        job.scanning = true;
    }
    let (found, is_behind) = sqlite
        .with_scan_reader(move |conn| {
            deadline::within(job.deadline(), || {
                // One snapshot for page, total and the state of the trigram index.
                conn.transaction(|conn| {
                    let mut db = Db::Sqlite(conn);
                    let found = at_once(run(&mut db, &job))?;
                    let is_behind = job.contains_text() && at_once(trigram::is_behind(&mut db))?;
                    Ok((found, is_behind))
                })
            })
        })
        .await?;
    if is_behind {
        follow_later(database);
    }
    Ok(found)
}

fn at_once<R>(work: impl Future<Output = Result<R>>) -> Result<R> {
    ready(work).unwrap_or_else(|| Err(pended()))
}

fn name_asked_for(kind: ResourceKind, search: &Search) -> Option<String> {
    if kind == ResourceKind::User { search.filter.as_ref().and_then(by_name::key) } else { None }
}

fn single(search: &Search, row: Option<Row>) -> Found<Row> {
    let total = u64::from(row.is_some());
    let wanted = search.start_index <= 1 && search.count > 0;
    Found { total, records: row.into_iter().filter(|_| wanted).collect() }
}

/// Whether a search reads little more than its page, so that it may run on a worker of the server. Members of groups may
/// be many.
fn is_short(job: &Job) -> bool {
    let reads_members = job.kind == ResourceKind::Group && job.search.references != super::References::Skip;
    match (&job.search.filter, job.probe) {
        (Some(_), Some(probe)) => !reads_members && (probe.alone || probe.unique) && job.order.is_column(),
        (Some(_), None) => false,
        (None, _) => {
            let start = job.search.start_index;
            !reads_members
                && job.order.is_indexed()
                && (start <= INLINE_SKIP || job.walks.before(&job.walk, start).is_some())
        }
    }
}

/// A short search; `None` if it turns out long.
async fn run_short(db: &mut Db<'_>, job: &Job) -> Result<Option<Found<Row>>> {
    match job.predicate(db).await? {
        Some(predicate) => pages::probe(db, job, &predicate).await,
        None => pages::page(db, job, None).await.map(Some),
    }
}

async fn run(db: &mut Db<'_>, job: &Job) -> Result<Found<Row>> {
    let predicate = job.predicate(db).await?;
    if let (Some(predicate), Some(_)) = (&predicate, job.probe)
        && let Some(found) = pages::probe(db, job, predicate).await?
    {
        return Ok(found);
    }
    if job.order.is_column() && predicate.as_ref().is_none_or(|p| p.exact) {
        pages::page(db, job, predicate.as_ref()).await
    } else {
        scan::page(db, job, predicate.as_ref()).await
    }
}

/// Has the trigram index follow in the background, once at a time.
fn follow_later(database: &Database) {
    if database.inner.searches.indexing.swap(true, Ordering::AcqRel) {
        return;
    }
    let database = database.clone();
    tokio::spawn(async move {
        if let Err(e) = trigram::follow(&database).await {
            log::warn!("the trigram index did not follow: {e}");
        }
        database.inner.searches.indexing.store(false, Ordering::Release);
    });
}
