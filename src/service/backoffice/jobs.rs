//! Jobs of all organizations.

use crate::domain::ids::OrganizationId;
use crate::service::Result;
use crate::service::admin::paging::{Page, PageRequest, by_id};
use crate::storage::Database;
pub use crate::storage::JobRecord;
use crate::storage::cold::jobs::JobsQuery;

/// States of a job.
pub const STATES: [&str; 4] = ["queued", "running", "done", "failed"];

/// A page of jobs, in the order of their creation; empty lists select all.
///
/// # Errors
/// Those of storage.
pub async fn list(
    db: &Database,
    organizations: Vec<OrganizationId>,
    states: &[&str],
    request: &PageRequest,
) -> Result<Page<JobRecord>> {
    let states = if states.is_empty() { &STATES[..] } else { states };
    let states = states.iter().map(|state| (*state).to_owned()).collect();
    let asked = JobsQuery { organizations, states, ..JobsQuery::default() };
    let load = async |after, descending, limit| {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        db.list_jobs_across_organizations(&JobsQuery { after, descending, limit, ..asked.clone() }).await
    };
    let mut page = by_id(request, load, |job| job.id).await?;
    if request.include_total {
        page.total = u64::try_from(db.count_jobs_across_organizations(&asked).await?).ok();
    }
    Ok(page)
}
