//! PostgreSQL: a pool on each thread for reads and deeds, commit queues for `Write`s, migrations. No libpq.

mod connect;
mod failure;
mod migrate;
mod pool;
mod target;
mod tls;

use std::sync::Arc;

use diesel::result::Error;
use diesel_async::SimpleAsyncConnection as _;

use super::metrics::Metrics;
use super::{Credential, DatabaseOptions, GroupRecord, Receipt, References, Result, StorageError, UserRecord, Write};
use crate::domain::ids::{ResourceId, Scope};
use connect::Connector;
pub(crate) use pool::Connection;
use pool::PoolSet;

/// The PostgreSQL backend.
pub(crate) struct Postgres {
    connector: Connector,
    pools: PoolSet,
}

impl Postgres {
    pub(crate) async fn open(options: &DatabaseOptions, metrics: Arc<Metrics>) -> Result<Self> {
        let connector = Connector::new(&options.url)?;
        let pools = PoolSet::new(connector.clone(), options, metrics);
        pools.get().await?.done();
        Ok(Postgres { connector, pools })
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>> {
        migrate::run(&self.connector).await
    }

    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>> {
        migrate::pending(&self.connector).await
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        let mut conn = self.connection().await?;
        let answer = conn.batch_execute("SELECT 1").await;
        conn.done();
        answer.map_err(|e| failure::of_query(&e))
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
        self.pools.close();
    }

    /// A pooled connection, for cold statements, searches and deeds of `Database::transaction`. Call `done` on it when
    /// the work has ended.
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) async fn connection(&self) -> Result<Connection> {
        self.pools.get().await
    }

    /// A pooled connection for a read.
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) async fn read(&self) -> Result<Connection> {
        self.pools.get().await
    }

    /// What a failed statement means to callers.
    pub(crate) fn failure(error: &Error) -> StorageError {
        failure::of_query(error)
    }
}
