//! What runs beside the requests for the logs: the writing of entries, and the removal of old ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::service::provisioning_log::ProvisioningLog;
use crate::service::retention;
use crate::state::AppState;

/// How often an instance looks whether the removal is due.
const LOOK: Duration = Duration::from_secs(300);

/// The running tasks.
pub(super) struct Upkeep {
    log: Arc<ProvisioningLog>,
    tasks: [JoinHandle<()>; 2],
}

/// Starts them.
pub(super) fn start(state: &AppState) -> Upkeep {
    let log = Arc::clone(&state.provisioning_log);
    let tasks = [tokio::spawn(Arc::clone(&log).run()), tokio::spawn(remove(state.clone()))];
    Upkeep { log, tasks }
}

impl Upkeep {
    /// Stops them, and writes the entries that are left.
    pub(super) async fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.log.flush().await;
    }
}

async fn remove(state: AppState) {
    let mut interval = tokio::time::interval(LOOK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = retention::run_due(&state.db, &state.settings.limits, &state.clock).await {
            log::warn!("old log entries and events cannot be removed now: {error}");
        }
    }
}
