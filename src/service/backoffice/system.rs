//! What the service runs on.

use crate::service::Result;
use crate::storage::cold::jobs::JobsQuery;
use crate::storage::{Backend, Database};

/// States of a job that is not over.
const OPEN: [&str; 2] = ["queued", "running"];

/// The database.
#[derive(Debug, Clone)]
pub struct System {
    /// `sqlite`, `postgres`
    pub database: &'static str,
    /// Names of migrations that are not applied.
    pub pending_migrations: Vec<String>,
    /// Jobs that wait or are under way, of all organizations.
    pub queue_depth: i64,
}

/// Reads it.
///
/// # Errors
/// Those of storage.
pub async fn get(db: &Database) -> Result<System> {
    let database = match db.backend() {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    };
    let open = JobsQuery { states: OPEN.map(str::to_owned).to_vec(), ..JobsQuery::default() };
    let queue_depth = db.count_jobs_across_organizations(&open).await?;
    Ok(System { database, pending_migrations: db.pending_migrations().await?, queue_depth })
}
