//! Read-only connections: one per thread for point reads, used inline; a pool for scans, used on blocking threads.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use tokio::sync::Semaphore;

use super::connection::open_reader;
use crate::storage::db::close_left_open;
use crate::storage::error::{Result, StorageError};
use crate::storage::metrics::Metrics;

/// The readers of one open database.
pub(super) struct Readers {
    path: PathBuf,
    /// Its address is the key of the threads' connections; its end closes them.
    alive: Arc<()>,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    permits: Arc<Semaphore>,
    wait: Duration,
    metrics: Arc<Metrics>,
}

struct OfThread {
    database: Weak<()>,
    conn: SqliteConnection,
}

thread_local! {
    static OF_THREAD: RefCell<Vec<OfThread>> = const { RefCell::new(Vec::new()) };
}

impl Readers {
    pub(super) fn new(path: PathBuf, scans: usize, wait: Duration, metrics: Arc<Metrics>) -> Self {
        Readers {
            path,
            alive: Arc::new(()),
            idle: Arc::default(),
            permits: Arc::new(Semaphore::new(scans.max(1))),
            wait,
            metrics,
        }
    }

    /// Runs `f` at once with this thread's connection. A point read takes a few microseconds: less than handing it over.
    pub(super) fn inline<R>(&self, f: impl FnOnce(&mut SqliteConnection) -> Result<R>) -> Result<R> {
        let mut mine = match self.take_of_thread() {
            Some(mine) => mine,
            None => OfThread { database: Arc::downgrade(&self.alive), conn: open_reader(&self.path)? },
        };
        let result = f(&mut mine.conn);
        OF_THREAD.with_borrow_mut(|all| all.push(mine));
        result
    }

    /// The connection is taken out while in use, so that a panic drops it.
    fn take_of_thread(&self) -> Option<OfThread> {
        OF_THREAD.with_borrow_mut(|all| {
            let ours = Arc::as_ptr(&self.alive);
            if let Some(place) = all.iter().rposition(|r| std::ptr::eq(r.database.as_ptr(), ours)) {
                return Some(all.swap_remove(place));
            }
            all.retain(|r| r.database.strong_count() > 0);
            None
        })
    }

    /// Runs `f` with a pooled connection on a blocking thread. It goes on when the caller stops waiting.
    pub(super) async fn scan<R: Send + 'static>(
        &self,
        f: impl FnOnce(&mut SqliteConnection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let asked = Instant::now();
        let permit = match tokio::time::timeout(self.wait, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(StorageError::Broken("the database is closed".to_owned())),
            Err(_) => return Err(StorageError::Busy("no reader became free in time".to_owned())),
        };
        self.metrics.record_pool_wait(asked.elapsed());
        let (idle, path) = (self.idle.clone(), self.path.clone());
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut conn = match pooled {
                Some(conn) => conn,
                None => open_reader(&path)?,
            };
            let result = f(&mut conn);
            close_left_open(&mut conn);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            result
        });
        task.await.unwrap_or_else(|e| Err(StorageError::Broken(format!("a scan stopped: {e}"))))
    }

    /// Refuses further scans and closes idle connections.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
