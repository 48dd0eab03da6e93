//! What the service runs on.

use crate::service::Result;
use crate::storage::{Backend, Database};

/// The database.
#[derive(Debug, Clone)]
pub struct System {
    /// `sqlite`, `postgres`
    pub database: &'static str,
    /// Names of migrations that are not applied.
    pub pending_migrations: Vec<String>,
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
    Ok(System { database, pending_migrations: db.pending_migrations().await? })
}
