//! What runs beside the requests: the loop around `service::jobs`.

use std::time::Duration;

use crate::service::jobs;
use crate::state::AppState;

/// How long the worker of jobs waits before it looks again, where nobody woke it: another process may have queued one, or
/// stopped in the middle of one.
const LOOK: Duration = Duration::from_secs(1);

/// Does jobs until it is stopped. What it is stopped at is done again by whoever looks next.
pub(super) async fn jobs(state: AppState) {
    loop {
        match jobs::run_due(&state.db, state.clock.now()).await {
            Ok(steps) if steps > 0 => continue,
            Ok(_) => {}
            Err(error) => log::warn!("jobs cannot be looked for: {error}"),
        }
        let _ = tokio::time::timeout(LOOK, state.jobs.woken()).await;
    }
}
