//! Jobs of all organizations.

use crate::domain::ids::{OrganizationId, ResourceId};
use crate::service::Result;
use crate::service::admin::paging::{Page, PageRequest, of_keyset};
use crate::service::cursor::{Direction, Key};
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
    let total = if request.include_total { Some(db.count_jobs_across_organizations(&asked).await?) } else { None };
    // Ids are in the order of creation, so that the last key of a place is enough.
    let after = request.position.as_ref().and_then(|position| match position.keys.last() {
        Some(Key::Text(id)) => ResourceId::parse(id).map(|id| id.0),
        _ => None,
    });
    let is_backward = request.position.as_ref().is_some_and(|position| position.direction == Direction::Backward);
    let is_reversed = request.sort.first().is_some_and(|sort| sort.descending);
    let limit = u32::try_from(request.limit).unwrap_or(u32::MAX).saturating_add(1);
    let asked = JobsQuery { after, descending: is_reversed != is_backward, limit, ..asked };
    let rows = db.list_jobs_across_organizations(&asked).await?;
    Ok(of_keyset(rows, total, request, |job, _| Key::Number(job.created), |job| job.id.to_string()))
}
