//! What every request handler shares: database, settings, clock, metrics.

use std::sync::Arc;

use crate::config::Settings;
use crate::storage::Database;

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

/// Shared by all workers.
#[derive(Clone)]
pub struct AppState {
    /// Storage.
    pub db: Database,
    /// Settings.
    pub settings: Arc<Settings>,
    /// Time.
    pub clock: Clock,
}
