//! `/jobs`: work that goes on after its request.

use actix_web::HttpResponse;
use serde::Serialize;

use super::granted::{Granted, Reads};
use super::organizations::ids;
use crate::domain::ids::OrganizationId;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::invalid;
use crate::http::admin::timed;
use crate::protocol::splice::date_time;
use crate::service::backoffice::jobs::{self, JobRecord, STATES};

/// What the list of jobs offers.
pub(super) struct Jobs;

impl Listing for Jobs {
    const FILTERS: &'static [&'static str] = &["organization", "state"];
    const SORTS: &'static [&'static str] = &["created_at"];
}

/// A job.
#[derive(Serialize)]
struct JobView {
    id: String,
    /// null: of the whole service.
    organization: Option<String>,
    kind: String,
    /// What it is done to.
    subject: Option<String>,
    /// `queued`, `running`, `done`, `failed`
    state: String,
    /// Steps that are done.
    done: i64,
    /// Steps in all, where known.
    total: Option<i64>,
    error: Option<String>,
    created_at: String,
    created_by: String,
    updated_at: String,
    request_id: String,
}

impl JobView {
    fn of(job: &JobRecord) -> Self {
        JobView {
            id: job.id.to_string(),
            organization: (job.organization != OrganizationId::SERVICE).then(|| job.organization.to_string()),
            kind: job.kind.clone(),
            subject: job.subject.map(|id| id.to_string()),
            state: job.state.clone(),
            done: job.done,
            total: job.total,
            error: job.error.clone(),
            created_at: date_time(job.created),
            created_by: job.created_by.clone(),
            updated_at: date_time(job.modified),
            request_id: job.request_id.clone(),
        }
    }
}

/// Jobs of all organizations.
pub(super) async fn list(granted: Granted<Reads>, query: ListQuery<Jobs>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let states = query.filter("state");
    if states.iter().any(|state| !STATES.contains(state)) {
        return Err(invalid(format!("state is one of {}.", STATES.join(", "))));
    }
    let organizations = ids("organization", &query.filter("organization"))?;
    let found = timed(shared, jobs::list(&shared.state.db, organizations, &states, &query.page)).await?;
    Ok(query.answer(found, JobView::of))
}
