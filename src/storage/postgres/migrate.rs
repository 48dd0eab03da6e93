//! Migrations of the PostgreSQL schema, compiled in. Many instances may start at once: an advisory lock lets one apply
//! them while the others wait and then find nothing to do.

use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::connect::Connector;
use super::failure;
use crate::storage::{Result, StorageError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// A migration may wait for others and rewrite tables: no statement timeout.
const SESSION: &str = "SET application_name = 'rollcall-migrate'; SET statement_timeout = 0; SET lock_timeout = '60s'";
/// Taken for the session, so that it ends with the connection whatever happens.
const LOCK: &str = "SELECT pg_advisory_lock(7351, 0)";

/// Applies what is pending; answers names.
pub(super) async fn run(connector: &Connector) -> Result<Vec<String>> {
    on_plain_thread(connector.clone(), async |mut conn| {
        conn.batch_execute(LOCK).await.map_err(|e| failure::of_query(&e))?;
        let mut harness = AsyncMigrationHarness::new(conn);
        let applied = harness.run_pending_migrations(MIGRATIONS).map_err(|e| StorageError::Broken(e.to_string()))?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Names of what is pending.
pub(super) async fn pending(connector: &Connector) -> Result<Vec<String>> {
    on_plain_thread(connector.clone(), async |conn| {
        let mut harness = AsyncMigrationHarness::new(conn);
        let pending = harness.pending_migrations(MIGRATIONS).map_err(|e| StorageError::Broken(e.to_string()))?;
        Ok(pending.iter().map(|m| m.name().version().to_string()).collect())
    })
    .await
}

/// diesel's harness blocks inside the runtime, which only a multi-thread runtime allows; actix's workers have none.
async fn on_plain_thread<F>(connector: Connector, work: F) -> Result<Vec<String>>
where
    F: AsyncFnOnce(AsyncPgConnection) -> Result<Vec<String>> + Send + 'static,
{
    let (answer, done) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("migrate".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let result = match runtime {
            Err(e) => Err(StorageError::Broken(format!("migration runtime: {e}"))),
            Ok(runtime) => runtime.block_on(async { work(connector.open(SESSION).await?).await }),
        };
        let _ = answer.send(result);
    });
    thread.map_err(|e| StorageError::Broken(format!("migration thread: {e}")))?;
    done.await.unwrap_or_else(|_| Err(StorageError::Broken("the migration thread died".to_owned())))
}
