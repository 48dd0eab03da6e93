//! PostgreSQL: a pool on each thread for reads and deeds, commit queues for `Write`s, migrations. No libpq.

mod batch;
mod connect;
mod failure;
mod migrate;
mod pool;
mod queue;
mod reads;
mod sql;
mod target;
mod tls;

use std::sync::Arc;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};

use super::metrics::Metrics;
use super::{DatabaseOptions, Receipt, Result, Write};
use connect::{Connector, pooled_session};
pub(crate) use pool::Connection;
use pool::PoolSet;
use queue::Queues;

/// Number of the count rows that deeds of `Database::transaction` write; queues have positive ones.
const COLD_WRITER: i32 = -1;

/// A write inside the caller's transaction. A refusal leaves what came before it, so the caller undoes the savepoint that
/// it put around this.
///
/// # Errors
/// The refusals that `Action` names; `Busy`, `Broken`.
pub(crate) async fn apply_within(conn: &AsyncPgConnection, write: &Write) -> Result<Receipt> {
    batch::apply(conn, write, COLD_WRITER).await?
}

/// The PostgreSQL backend.
pub(crate) struct Postgres {
    connector: Connector,
    /// For reads of one fixed shape, most of the connections.
    probes: PoolSet,
    /// For everything else.
    pools: PoolSet,
    queues: Queues,
}

impl Postgres {
    pub(crate) async fn open(options: &DatabaseOptions, metrics: Arc<Metrics>) -> Result<Self> {
        let connector = Connector::new(&options.url)?;
        let session = pooled_session(options.statement_timeout);
        let size = (options.connections / options.workers.max(1)).max(2);
        let others = (size / 4).max(1);
        let wait = options.pool_wait;
        let probe_session = format!("{session}; SET plan_cache_mode = force_generic_plan");
        let probes = PoolSet::new(connector.clone(), probe_session, size - others, wait, metrics.clone());
        let pools = PoolSet::new(connector.clone(), session, others, wait, metrics.clone());
        pools.get().await?.done();
        let queues = Queues::start(connector.clone(), metrics)?;
        Ok(Postgres { connector, probes, pools, queues })
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
        Ok(answer?)
    }

    /// Queues a write; answered after its commit is durable.
    ///
    /// # Errors
    /// The refusals that `Action` names; `Busy`, `Broken`.
    pub(crate) async fn commit(&self, write: Write) -> Result<Receipt> {
        self.queues.commit(write).await
    }

    /// Finishes what is queued and closes.
    pub(crate) async fn close(&self) {
        self.queues.close().await;
        self.probes.close();
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

    /// A pooled connection for a read by key of one fixed shape. Its plan is made once: a plan for the bound values, which
    /// PostgreSQL prefers where groups differ in size, cost a group's read 250 µs each time.
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) async fn read(&self) -> Result<Connection> {
        self.probes.get().await
    }
}
