//! Pooled connections. A connection lives on the runtime that opened it, so each thread has its own small pool, found
//! by the database's number. What is borrowed goes back only when its work has ended: a caller that is dropped in the
//! middle closes its connection, instead of leaving a transaction open or a forgotten statement in front of the next.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError as ManagerError, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;

use super::connect::Connector;
use crate::storage::metrics::Metrics;
use crate::storage::{Result, StorageError};

type Pools = Vec<(u64, Pool<AsyncPgConnection>)>;

thread_local! {
    /// This thread's pools by database number; few, so a list.
    static POOLS: RefCell<Pools> = const { RefCell::new(Vec::new()) };
}

/// Numbers databases within the process.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// All pools of one database.
pub(super) struct PoolSet {
    number: u64,
    connector: Connector,
    session: String,
    /// Connections of each thread's pool.
    size: usize,
    wait: Duration,
    metrics: Arc<Metrics>,
    /// Every thread's pool, to close them; `None` once closed.
    open: Mutex<Option<Vec<Pool<AsyncPgConnection>>>>,
}

impl PoolSet {
    /// `size` connections on each thread, each set up by `session`.
    pub(super) fn new(
        connector: Connector,
        session: String,
        size: usize,
        wait: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        PoolSet {
            number: NEXT_NUMBER.fetch_add(1, Relaxed),
            connector,
            session,
            size,
            wait,
            metrics,
            open: Mutex::new(Some(Vec::new())),
        }
    }

    /// Borrows a connection of this thread.
    ///
    /// # Errors
    /// `Busy` where none is free within `pool_wait` or the server does not answer.
    pub(super) async fn get(&self) -> Result<Connection> {
        let pool = self.of_this_thread()?;
        let began = Instant::now();
        let got = tokio::time::timeout(self.wait, pool.get()).await;
        self.metrics.record_pool_wait(began.elapsed());
        match got {
            Err(_) => Err(StorageError::Busy("no database connection was free in time".to_owned())),
            Ok(Ok(object)) => Ok(Connection(Some(object))),
            Ok(Err(PoolError::Backend(ManagerError::ConnectionError(ConnectionError::BadConnection(text))))) => {
                Err(StorageError::Broken(text))
            }
            Ok(Err(e)) => Err(StorageError::Busy(format!("PostgreSQL: {e}"))),
        }
    }

    fn of_this_thread(&self) -> Result<Pool<AsyncPgConnection>> {
        let known = POOLS.with_borrow(|pools| pools.iter().find(|(n, _)| *n == self.number).map(|(_, p)| p.clone()));
        if let Some(pool) = known {
            return Ok(pool);
        }
        let pool = self.build()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_mut() else { return Err(StorageError::Busy("the database is closed".to_owned())) };
        open.push(pool.clone());
        POOLS.with_borrow_mut(|pools| {
            pools.retain(|(_, p)| !p.is_closed());
            pools.push((self.number, pool.clone()));
        });
        Ok(pool)
    }

    fn build(&self) -> Result<Pool<AsyncPgConnection>> {
        let (connector, session) = (self.connector.clone(), self.session.clone());
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let (connector, session) = (connector.clone(), session.clone());
            async move {
                // `BadConnection` carries a refusal through the pool, the other variant what may pass by itself.
                connector.open(&session).await.map_err(|e| match e {
                    StorageError::Broken(text) => ConnectionError::BadConnection(text),
                    other => ConnectionError::InvalidConnectionUrl(other.to_string()),
                })
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager).max_size(self.size).build();
        pool.map_err(|e| StorageError::Broken(e.to_string()))
    }

    /// Closes every thread's pool; borrowed connections close when they come back.
    pub(super) fn close(&self) {
        let pools = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        pools.into_iter().flatten().for_each(|pool| pool.close());
    }
}

impl Drop for PoolSet {
    fn drop(&mut self) {
        self.close();
    }
}

/// A borrowed connection. Dropped without `done`, it closes: its transaction ends and its statement is nobody's.
pub(crate) struct Connection(Option<Object<AsyncPgConnection>>);

impl Connection {
    /// Gives the connection back. Call it whenever the work has ended, well or badly.
    pub(crate) fn done(mut self) {
        drop(self.0.take());
    }

    /// After a failure: whether the connection itself is gone, so that a read may be repeated on another. Text free,
    /// hence independent of the server's language.
    pub(crate) async fn is_lost(&mut self) -> bool {
        self.batch_execute("").await.is_err()
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;
    #[expect(clippy::expect_used, reason = "empty only inside done() and drop(), which end the value")]
    fn deref(&self) -> &AsyncPgConnection {
        self.0.as_ref().expect("a connection until it ends")
    }
}

impl DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "empty only inside done() and drop(), which end the value")]
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.0.as_mut().expect("a connection until it ends")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
