//! Migrations, compiled in.

use diesel::migration::{Migration, MigrationSource as _};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::storage::error::{Result, StorageError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Applies what is pending in one transaction that locks the file from the start, so that of two processes the second
/// finds nothing to do. Answers the names.
pub(super) fn run(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    conn.immediate_transaction(|conn| {
        let names = pending(conn)?;
        conn.run_pending_migrations(MIGRATIONS).map_err(|e| StorageError::Broken(format!("migration: {e}")))?;
        Ok(names)
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Names of migrations that are not applied. Only reads: diesel's own would create its table.
pub(super) fn pending(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let known: Vec<Box<dyn Migration<Sqlite>>> =
        MIGRATIONS.migrations().map_err(|e| StorageError::Broken(format!("migrations: {e}")))?;
    let exists: Vec<Line> =
        diesel::sql_query("SELECT name AS text FROM sqlite_master WHERE name = '__diesel_schema_migrations'")
            .load(conn)?;
    let applied: Vec<Line> = if exists.is_empty() {
        Vec::new()
    } else {
        diesel::sql_query("SELECT version AS text FROM __diesel_schema_migrations").load(conn)?
    };
    let is_applied = |version: String| applied.iter().any(|line| line.text == version);
    let pending = known.iter().filter(|m| !is_applied(m.name().version().to_string()));
    Ok(pending.map(|m| m.name().to_string()).collect())
}
