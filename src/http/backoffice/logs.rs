//! `/audit-events` and `/provisioning-log`: the operator log, and the logs of any organization.

use actix_web::HttpResponse;

use super::granted::{Granted, Reads};
use super::organizations::ids;
use crate::domain::ids::OrganizationId;
use crate::http::admin::audit_events::{self, AuditEventView};
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::problem::Problem;
use crate::http::admin::provisioning_log::{self, LogEntryView};
use crate::http::admin::query::invalid;
use crate::http::admin::timed;
use crate::service::admin;
use crate::service::admin::audit_log::AuditEvent;
use crate::service::backoffice::tenants;

/// What the audit log offers: what that of the admin API does, and the organization.
pub(super) struct Audit;

impl Listing for Audit {
    const FILTERS: &'static [&'static str] =
        &["organization", "actor", "action", "target", "result", "ip", "from", "to"];
    const SORTS: &'static [&'static str] = &["at"];
    const DESCENDING: bool = true;
}

/// What the provisioning log offers.
pub(super) struct Provisioning;

impl Listing for Provisioning {
    const FILTERS: &'static [&'static str] =
        &["organization", "connection", "outcome", "operation", "subject", "request_id", "status", "from", "to"];
    const SORTS: &'static [&'static str] = &["at"];
    const DESCENDING: bool = true;
}

/// The operator log; with `organization` the log of that one.
pub(super) async fn audit_events(granted: Granted<Reads>, query: ListQuery<Audit>) -> Result<HttpResponse, Problem> {
    let organization = organization(&granted, &query).await?.unwrap_or(OrganizationId::SERVICE);
    let (shared, caller) = (&granted.shared, granted.operator.within(organization));
    let filter = audit_events::filter(&query, caller.now)?;
    let load = admin::audit_log::list(&caller, &shared.state.db, &filter, &query.page);
    let page = timed(shared, load).await?;
    Ok(query.answer(page, |event: &AuditEvent| AuditEventView::of(organization, event)))
}

/// What the identity providers of an organization asked for.
pub(super) async fn provisioning_log(
    granted: Granted<Reads>,
    query: ListQuery<Provisioning>,
) -> Result<HttpResponse, Problem> {
    let organization = organization(&granted, &query).await?;
    let organization = organization.ok_or_else(|| invalid("organization is required: the id of one."))?;
    let (state, caller) = (&granted.shared.state, granted.operator.within(organization));
    let filter = provisioning_log::filter(&query)?;
    let load = admin::provisioning_log::list(&caller, &state.db, &state.provisioning_log, &filter, &query.page);
    Ok(query.answer(timed(&granted.shared, load).await?, LogEntryView::of))
}

/// The organization that is asked for, which exists.
async fn organization<L: Listing>(
    granted: &Granted<Reads>,
    query: &ListQuery<L>,
) -> Result<Option<OrganizationId>, Problem> {
    match ids("organization", &query.filter("organization"))?.as_slice() {
        [] => Ok(None),
        [one] => {
            let found = timed(&granted.shared, tenants::get(&granted.shared.state.db, *one)).await;
            found.map(|found| Some(found.id))
        }
        _ => Err(invalid("organization may stand once only: each has a log of its own.")),
    }
}
