//! SQLite: one read-only connection per thread for point reads, called inline; a pool for scans; one writer thread with
//! group commit. Two processes on one file stay correct (busy timeout, `BEGIN IMMEDIATE`).

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::Integer;
use diesel::{RunQueryDsl as _, SqliteConnection};

use super::db::Db;
use super::error::{Result, StorageError};
use super::hot::{Hot, hot};
use super::metrics::Metrics;
use super::{Credential, DatabaseOptions, GroupRecord, Receipt, References, UserRecord, Write};
use crate::domain::ids::{ResourceId, Scope};

mod apply;
mod connection;
mod groups;
mod migrate;
mod readers;
pub(crate) mod reads;
mod users;
mod writer;

pub(crate) use apply::apply_within;
use connection::File;
use readers::Readers;
use writer::Writer;

/// Members that are read inline; a group with more is read on a blocking thread.
const INLINE_MEMBERS: u32 = 500;

/// A migration waits so long for the one of another process.
const MIGRATION_WAIT: Duration = Duration::from_secs(300);

hot!(Ping, Integer, "SELECT 1");

/// The SQLite backend.
pub(crate) struct Sqlite {
    file: File,
    readers: Readers,
    writer: Writer,
}

impl Sqlite {
    pub(crate) async fn open(options: &DatabaseOptions, metrics: Arc<Metrics>) -> Result<Self> {
        let file = File { path: connection::path_of(&options.url)?, busy_timeout: options.pool_wait };
        connection::create_file(&file.path)?;
        let writer = Writer::start(file.clone(), metrics.clone())?;
        let readers = Readers::new(file.clone(), options.connections, options.pool_wait, metrics);
        Ok(Sqlite { file, readers, writer })
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>> {
        let file = File { busy_timeout: MIGRATION_WAIT, ..self.file.clone() };
        let run = move || migrate::run(&mut connection::open_writer(&file)?);
        let task = tokio::task::spawn_blocking(run).await;
        task.unwrap_or_else(|e| Err(StorageError::Broken(format!("the migration stopped: {e}"))))
    }

    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>> {
        self.with_reader(migrate::pending)
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.with_reader(|conn| {
            Hot::<Ping>::new(vec![]).load::<i32>(conn)?;
            Ok(())
        })
    }

    pub(crate) async fn find_user(
        &self,
        scope: Scope,
        id: ResourceId,
        groups: References,
    ) -> Result<Option<UserRecord>> {
        self.with_reader(|conn| reads::find_user(conn, scope, id, groups))
    }

    pub(crate) async fn find_group(
        &self,
        scope: Scope,
        id: ResourceId,
        members: References,
    ) -> Result<Option<GroupRecord>> {
        let bounded = match members {
            References::Skip => References::Skip,
            References::UpTo(n) => References::UpTo(n.min(INLINE_MEMBERS + 1)),
            References::All => References::UpTo(INLINE_MEMBERS + 1),
        };
        let group = self.with_reader(|conn| reads::find_group(conn, scope, id, bounded))?;
        let is_short = |g: &GroupRecord| g.members.as_ref().is_none_or(|m| m.len() <= INLINE_MEMBERS as usize);
        if bounded == members || group.as_ref().is_none_or(is_short) {
            return Ok(group);
        }
        // 100,000 members take some 150 ms, for which a worker's other requests must not wait.
        self.with_scan_reader(move |conn| reads::find_group(conn, scope, id, members)).await
    }

    pub(crate) async fn find_small_group(&self, scope: Scope, id: ResourceId) -> Result<Option<GroupRecord>> {
        self.with_reader(|conn| reads::find_small_group(conn, scope, id))
    }

    pub(crate) async fn commit(&self, write: Write) -> Result<Receipt> {
        self.writer.commit(write).await
    }

    pub(crate) async fn find_credential_across_organizations(&self, hash: &[u8; 32]) -> Result<Option<Credential>> {
        self.with_reader(|conn| reads::find_credential(conn, hash))
    }

    pub(crate) async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    /// Point reads: runs `f` at once on this thread's own read-only connection.
    pub(crate) fn with_reader<R>(&self, f: impl FnOnce(&mut SqliteConnection) -> Result<R>) -> Result<R> {
        self.readers.inline(f)
    }

    /// Scans: runs `f` with a pooled read-only connection on a blocking thread.
    pub(crate) async fn with_scan_reader<R: Send + 'static>(
        &self,
        f: impl FnOnce(&mut SqliteConnection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.readers.scan(f).await
    }

    /// Runs a deed on the writer thread in a transaction of its own.
    pub(crate) async fn transaction<R, E, F>(&self, deed: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Db<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.writer.transaction(deed).await
    }
}
