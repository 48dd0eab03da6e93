//! `/connections/{id}/held-changes`: departures that the brake holds.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;

use crate::domain::ids::{ConnectionId, ResourceId};
use crate::http::admin::body::NoBodyNeeded;
use crate::http::admin::form::{Form, Read};
use crate::http::admin::granted::{ConnectionsWrite, Granted};
use crate::http::admin::list::{ListParameters, ListQuery, Listing, PageView};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::{PathId, timed};
use crate::protocol::splice::date_time;
use crate::service::admin::Invalid;
use crate::service::admin::held::{self, Decided, Decision, HeldRecord};

/// Most ids of one request.
const IDS: usize = 200;

/// What the list of held changes offers.
pub(in crate::http) struct HeldList;

impl Listing for HeldList {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["created_at"];
}

/// A departure that is held.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeldChange)]
pub(crate) struct HeldView {
    id: String,
    /// What the directory did: `deactivate` or `delete`.
    deed: String,
    user: HeldUserView,
    created_at: String,
    /// Of the directory's request.
    request_id: String,
}

/// Whose departure is held.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeldUser)]
pub(crate) struct HeldUserView {
    id: String,
    user_name: String,
    name: Option<String>,
}

/// Held changes, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = HeldChangeList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct HeldListView {
    data: Vec<HeldView>,
    page: PageView,
}

/// Which changes; all where no ids are given.
#[derive(utoipa::ToSchema)]
#[schema(as = DecideHeldChanges)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct DecideBody {
    /// At most 200.
    ids: Option<Vec<String>>,
}

/// What a decision came to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DecidedHeldChanges)]
pub(crate) struct DecidedView {
    /// Changes decided by this request, at most 1,000.
    decided: usize,
    /// Changes that are held still.
    remaining: u64,
}

impl DecidedView {
    pub(in crate::http) fn of(decided: Decided) -> Self {
        DecidedView { decided: decided.decided, remaining: decided.remaining }
    }
}

impl HeldView {
    pub(in crate::http) fn of(record: &HeldRecord) -> Self {
        HeldView {
            id: record.id.to_string(),
            deed: record.deed.clone(),
            user: HeldUserView {
                id: record.user_id.to_string(),
                user_name: record.user_name.clone(),
                name: record.display_name.clone(),
            },
            created_at: date_time(record.created),
            request_id: record.request_id.clone(),
        }
    }
}

/// Departures that the brake holds: over SCIM they are done, here the people still have access.
#[utoipa::path(
    get, path = "/connections/{id}/held-changes", tag = "Connections", operation_id = "list_held_changes",
    params(("id" = String, Path, description = "Id of the connection"), ListParameters),
    responses((status = 200, description = "Held changes", body = HeldListView))
)]
pub(crate) async fn list(
    granted: Granted<ConnectionsWrite>,
    id: PathId,
    query: ListQuery<HeldList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = held::list(&granted.caller, &shared.state.db, ConnectionId(id.0), &query.page);
    Ok(query.answer(timed(shared, found).await?, HeldView::of))
}

/// Lets held departures take effect.
#[utoipa::path(
    post, path = "/connections/{id}/held-changes/release", tag = "Connections", operation_id = "release_held_changes",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body = Option<DecideBody>,
    responses((status = 200, description = "What it came to", body = DecidedView))
)]
pub(crate) async fn release(
    granted: Granted<ConnectionsWrite>,
    id: PathId,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, &body.0, Decision::Release).await
}

/// Undoes held departures, over SCIM as well.
#[utoipa::path(
    post, path = "/connections/{id}/held-changes/discard", tag = "Connections", operation_id = "discard_held_changes",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body = Option<DecideBody>,
    responses((status = 200, description = "What it came to", body = DecidedView))
)]
pub(crate) async fn discard(
    granted: Granted<ConnectionsWrite>,
    id: PathId,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, &body.0, Decision::Discard).await
}

async fn decide(
    granted: &Granted<ConnectionsWrite>,
    id: PathId,
    body: &Value,
    decision: Decision,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let id = ConnectionId(id.0);
    // 404 before 422.
    timed(shared, crate::service::admin::connections::get(&granted.caller, &shared.state.db, id)).await?;
    let mut form = Form::of(body)?;
    let wanted = form.optional("ids", ids);
    form.done()?;
    let decided = held::decide(&granted.caller, &shared.state.db, id, decision, wanted.as_deref(), None);
    Ok(HttpResponse::Ok().json(DecidedView::of(timed(shared, decided).await?)))
}

/// Ids that exist or not: one that has no form of an id is of nothing.
pub(in crate::http) fn ids(value: &Value) -> Read<Vec<ResourceId>> {
    let wrong = || vec![Invalid::new("", format!("This must be 1 to {IDS} ids."))];
    let list = value.as_array().filter(|list| (1..=IDS).contains(&list.len())).ok_or_else(wrong)?;
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    Ok(texts.ok_or_else(wrong)?.into_iter().filter_map(ResourceId::parse).collect())
}
