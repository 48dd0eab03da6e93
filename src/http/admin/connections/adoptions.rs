//! `/connections/{id}/adoptions`: local people whom a directory would take over.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;

use crate::domain::adoption::Verdict;
use crate::domain::ids::ConnectionId;
use crate::http::admin::body::NoBodyNeeded;
use crate::http::admin::choice::AdoptionState;
use crate::http::admin::form::Form;
use crate::http::admin::granted::{AdoptionsWrite, Granted};
use crate::http::admin::list::{ListParameters, ListQuery, Listing, PageView};
use crate::http::admin::path::PathAdoption;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::{NoQuery, invalid};
use crate::http::admin::{PathId, timed};
use crate::protocol::splice::date_time;
use crate::service::admin::adoptions::{self, Adoption, AdoptionRecord, Side};
use crate::service::admin::paging::of_rows;
use crate::service::cursor::Key;

/// What is decided or to be decided.
pub(in crate::http::admin) const STATES: [&str; 4] = ["previewed", "pending", "accepted", "refused"];

/// What the list of adoptions offers.
pub(crate) struct AdoptionList;

impl Listing for AdoptionList {
    const FILTERS: &'static [&'static str] = &["state"];
    const SORTS: &'static [&'static str] = &["created_at", "updated_at", "user_name"];
}

/// A local person whom a directory would take over.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Adoption)]
pub(crate) struct AdoptionView {
    id: String,
    connection_id: String,
    /// The person who exists here.
    user_id: String,
    /// `previewed` (the connection is not active yet), `pending`, `accepted` or `refused`.
    state: String,
    /// What the connection's policy as it is now says: `adopt`, `wait` or `refuse`; null once it is decided.
    policy_says: Option<&'static str>,
    /// The person as the directory would have them.
    incoming: SideView,
    /// The person as they are here; null once they are not local any more.
    local: Option<SideView>,
    /// What the adoption would change.
    differences: Vec<DifferenceView>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// A kind and an id, such as `api_key:…`.
    decided_by: Option<String>,
}

/// A person in short.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AdoptionSide)]
pub(crate) struct SideView {
    user_name: String,
    display_name: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
    active: Option<bool>,
    /// What the person signs in with here; no change by the directory moves it.
    login_address: Option<String>,
}

/// An attribute whose value here is another one there.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AdoptionDifference)]
pub(crate) struct DifferenceView {
    field: String,
    /// Its value here; null where it has none.
    from: Value,
    /// Its value there; null where it has none.
    to: Value,
}

/// Adoptions, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = AdoptionList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct AdoptionListView {
    data: Vec<AdoptionView>,
    page: PageView,
}

impl AdoptionView {
    fn of(found: &Adoption) -> Self {
        let record = &found.record;
        AdoptionView {
            id: record.id.to_string(),
            connection_id: record.connection.to_string(),
            user_id: record.user_id.to_string(),
            state: record.state.clone(),
            policy_says: found.verdict.map(|verdict| match verdict {
                Verdict::Adopt => "adopt",
                Verdict::Wait => "wait",
                Verdict::Refuse => "refuse",
            }),
            incoming: SideView::of(&found.incoming),
            local: found.local.as_ref().map(SideView::of),
            differences: found
                .differences
                .iter()
                .map(|d| DifferenceView { field: d.field.clone(), from: d.from.clone(), to: d.to.clone() })
                .collect(),
            created_at: date_time(record.created),
            updated_at: date_time(record.modified),
            decided_at: record.decided_at.map(date_time),
            decided_by: record.decided_by.clone(),
        }
    }
}

impl SideView {
    fn of(side: &Side) -> Self {
        SideView {
            user_name: side.user_name.clone(),
            display_name: side.display_name.clone(),
            email: side.email.clone(),
            external_id: side.external_id.clone(),
            active: side.active,
            login_address: side.login_address.clone(),
        }
    }
}

/// Whom a connection would take over, and what was decided.
#[utoipa::path(
    get, path = "/connections/{id}/adoptions", tag = "Connections", operation_id = "list_adoptions",
    params(
        ("id" = String, Path, description = "Id of the connection"),
        ListParameters,
        ("state" = Option<Vec<AdoptionState>>, Query, description = "previewed, pending, accepted or refused; may be repeated"),
    ),
    responses((status = 200, description = "Adoptions", body = AdoptionListView))
)]
pub(crate) async fn list(
    granted: Granted<AdoptionsWrite>,
    id: PathId,
    query: ListQuery<AdoptionList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let states = query.filter("state");
    if states.iter().any(|state| !STATES.contains(state)) {
        return Err(invalid(format!("state is one of {}.", STATES.join(", "))));
    }
    let key = |row: &AdoptionRecord, field: &str| match field {
        "updated_at" => Key::Number(row.modified),
        "user_name" => Key::Text(row.user_name.to_lowercase()),
        _ => Key::Number(row.created),
    };
    let page = |rows| of_rows(rows, &query.page, key, |row| row.id.to_string());
    let found = adoptions::list(&granted.caller, &shared.state.db, ConnectionId(id.0), &states, page);
    Ok(query.answer(timed(shared, found).await?, AdoptionView::of))
}

/// Gives the person to the connection.
#[utoipa::path(
    post, path = "/connections/{id}/adoptions/{aid}/accept", tag = "Connections", operation_id = "accept_adoption",
    params(
        ("id" = String, Path, description = "Id of the connection"),
        ("aid" = String, Path, description = "Id of the adoption"),
    ),
    responses((status = 200, description = "The adoption", body = AdoptionView))
)]
pub(crate) async fn accept(
    granted: Granted<AdoptionsWrite>,
    id: PathId,
    adoption: PathAdoption,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, adoption, &body.0, Decision::Accept).await
}

/// Keeps the person from the connection.
#[utoipa::path(
    post, path = "/connections/{id}/adoptions/{aid}/refuse", tag = "Connections", operation_id = "refuse_adoption",
    params(
        ("id" = String, Path, description = "Id of the connection"),
        ("aid" = String, Path, description = "Id of the adoption"),
    ),
    responses((status = 200, description = "The adoption", body = AdoptionView))
)]
pub(crate) async fn refuse(
    granted: Granted<AdoptionsWrite>,
    id: PathId,
    adoption: PathAdoption,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, adoption, &body.0, Decision::Refuse).await
}

enum Decision {
    Accept,
    Refuse,
}

async fn decide(
    granted: &Granted<AdoptionsWrite>,
    id: PathId,
    adoption: PathAdoption,
    body: &Value,
    decision: Decision,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ConnectionId(id.0));
    let (caller, db) = (&granted.caller, &shared.state.db);
    // 404 before 422.
    timed(shared, adoptions::get(caller, db, id, adoption.0)).await?;
    Form::of(body)?.done()?;
    let decided = match decision {
        Decision::Accept => timed(shared, adoptions::accept(caller, db, id, adoption.0)).await?,
        Decision::Refuse => timed(shared, adoptions::refuse(caller, db, id, adoption.0)).await?,
    };
    Ok(HttpResponse::Ok().json(AdoptionView::of(&decided)))
}
