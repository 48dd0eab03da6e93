//! What every request handler shares: database, settings, clock, secret key, metrics.

use std::sync::Arc;

use crate::config::{SecretKey, Settings};
use crate::storage::Database;
use crate::telemetry::Metrics;

/// Time for requests; tests set it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn system() -> Self {
        Clock(Arc::new(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
        }))
    }
    /// A clock of the caller's.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }
    /// µs since 1970 UTC.
    pub fn now(&self) -> i64 {
        (self.0)()
    }
}

/// Tells the worker of jobs that there is one, so that it need not wait for its next look.
#[derive(Clone, Default)]
pub struct Wake(Arc<tokio::sync::Notify>);

impl Wake {
    /// There is something to do.
    pub fn wake(&self) {
        self.0.notify_one();
    }
    /// Ends when there is something to do.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}

/// Shared by all workers; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Storage.
    pub db: Database,
    /// Settings, with the public URL in its final form.
    pub settings: Arc<Settings>,
    /// Time.
    pub clock: Clock,
    /// Seals cursors and stored secrets.
    pub secret_key: Arc<SecretKey>,
    /// Counters and histograms; `observe` is called once a request.
    pub metrics: Arc<Metrics>,
    /// Wakes the worker of jobs.
    pub jobs: Wake,
}
