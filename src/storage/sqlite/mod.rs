//! SQLite: inline readers, one writer thread with group commit.

use std::sync::Arc;

use diesel::SqliteConnection;

use super::db::Db;
use super::error::StorageError;
use super::metrics::Metrics;
use super::{Credential, DatabaseOptions, GroupRecord, Receipt, References, Result, UserRecord, Write};
use crate::domain::ids::{ResourceId, Scope};

/// The SQLite backend.
pub(crate) struct Sqlite {
    _metrics: Arc<Metrics>,
}

impl Sqlite {
    pub(crate) async fn open(_options: &DatabaseOptions, _metrics: Arc<Metrics>) -> Result<Self> {
        todo!()
    }
    pub(crate) async fn migrate(&self) -> Result<Vec<String>> {
        todo!()
    }
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>> {
        todo!()
    }
    pub(crate) async fn ping(&self) -> Result<()> {
        todo!()
    }
    pub(crate) async fn find_user(
        &self,
        _scope: Scope,
        _id: ResourceId,
        _groups: References,
    ) -> Result<Option<UserRecord>> {
        todo!()
    }
    pub(crate) async fn find_group(
        &self,
        _scope: Scope,
        _id: ResourceId,
        _members: References,
    ) -> Result<Option<GroupRecord>> {
        todo!()
    }
    pub(crate) async fn commit(&self, _write: Write) -> Result<Receipt> {
        todo!()
    }
    pub(crate) async fn find_credential_across_organizations(&self, _hash: &[u8; 32]) -> Result<Option<Credential>> {
        todo!()
    }
    pub(crate) async fn close(&self) {
        todo!()
    }
    /// Point reads: runs `f` at once on this thread's own read-only connection.
    pub(crate) fn with_reader<R>(&self, _f: impl FnOnce(&mut SqliteConnection) -> Result<R>) -> Result<R> {
        todo!()
    }
    /// Scans: runs `f` with a pooled read-only connection on a blocking thread.
    pub(crate) async fn with_scan_reader<R: Send + 'static>(
        &self,
        _f: impl FnOnce(&mut SqliteConnection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        todo!()
    }
    /// Runs a deed on the writer thread in a transaction of its own.
    pub(crate) async fn transaction<R, E, F>(&self, _deed: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Db<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        todo!()
    }
}
