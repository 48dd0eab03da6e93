//! What runs beside the requests: the writing of log entries, the removal of old ones, the search index of what was imported.

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
    tasks: [JoinHandle<()>; 3],
}

/// Starts them.
pub(super) fn start(state: &AppState) -> Upkeep {
    let log = Arc::clone(&state.provisioning_log);
    let tasks =
        [tokio::spawn(Arc::clone(&log).run()), tokio::spawn(remove(state.clone())), tokio::spawn(index(state.clone()))];
    Upkeep { log, tasks }
}

impl Upkeep {
    /// Stops them, and writes the entries that are left.
    pub(super) async fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.log.flush().await;
    }
}

/// The index follows searches, which are refused while it is far behind; what came while nobody served is indexed at once.
async fn index(state: AppState) {
    match state.db.follow_search_index().await {
        Ok(0) => {}
        Ok(people) => log::info!("the search index is ready; {people} people were looked at"),
        Err(error) => log::warn!("the search index cannot be made now: {error}"),
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
