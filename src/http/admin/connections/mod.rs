//! `/connections`: identity providers of the organization, and the steps from one state to the next.

pub(super) mod adoptions;
pub(in crate::http) mod held;
pub(super) mod tokens;
pub(in crate::http) mod view;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Map, Value};

use crate::domain::connection::Step;
use crate::domain::ids::ConnectionId;
use crate::http::Shared;
use crate::http::admin::body::{JsonBody, MergePatch, NoBodyNeeded};
use crate::http::admin::choice::{ConnectionState, Provider};
use crate::http::admin::form::{Form, Read, text};
use crate::http::admin::granted::{ConnectionsRead, ConnectionsWrite, Granted, Needs};
use crate::http::admin::list::{ListParameters, ListQuery, Listing};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::{BASE, PathId, single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::service::admin::Invalid;
use crate::service::admin::connections::{self, Connection, CreateConnection, PatchConnection};
use crate::service::admin::paging::of_rows;
use crate::service::cursor::Key;
use crate::service::jobs::decommission::People;
use crate::service::scim::resources::Conditions;
use view::{ConnectionListView, ConnectionView, CreateBody, DecommissionBody, PatchBody};

/// What the list of connections offers.
pub(crate) struct ConnectionList;

impl Listing for ConnectionList {
    const FILTERS: &'static [&'static str] = &["state", "provider"];
    const SORTS: &'static [&'static str] = &["created_at", "name", "provider", "state", "last_request_at"];
}

/// The connections of the organization.
#[utoipa::path(
    get, path = "/connections", tag = "Connections", operation_id = "list_connections",
    params(
        ListParameters,
        ("state" = Option<Vec<ConnectionState>>, Query, description = "Only connections in this state; may be repeated"),
        ("provider" = Option<Vec<Provider>>, Query, description = "Only connections to this provider; may be repeated"),
    ),
    responses((status = 200, description = "Connections", body = ConnectionListView))
)]
pub(super) async fn list(
    granted: Granted<ConnectionsRead>,
    query: ListQuery<ConnectionList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut rows = timed(shared, connections::list(&granted.caller, &shared.state.db)).await?;
    let fits = |name: &str, value: &str| {
        let wanted = query.filter(name);
        wanted.is_empty() || wanted.contains(&value)
    };
    rows.retain(|row| fits("state", &row.record.state) && fits("provider", &row.record.provider));
    let key = |row: &Row, field: &str| match field {
        "name" => Key::Text(row.found.record.name.to_lowercase()),
        "provider" => Key::Text(row.found.record.provider.clone()),
        "state" => Key::Text(row.found.record.state.clone()),
        "last_request_at" => row.found.health.last_request_at.map_or(Key::Absent, Key::Number),
        _ => Key::Number(row.found.record.created),
    };
    let row = |found: Connection| Ok(Row { view: ConnectionView::of(shared, &found)?, found });
    let rows = rows.into_iter().map(row).collect::<Result<Vec<_>, Problem>>()?;
    let page = of_rows(rows, &query.page, key, |row| row.found.record.id.to_string());
    Ok(query.answer(page, |row| row.view.clone()))
}

/// A connection as found and as shown.
struct Row {
    found: Connection,
    view: ConnectionView,
}

/// Adds a connection. It serves SCIM at once, but its people are staged until it is activated.
#[utoipa::path(
    post, path = "/connections", tag = "Connections", operation_id = "create_connection",
    request_body = CreateBody,
    responses((status = 201, description = "The connection", body = ConnectionView))
)]
pub(super) async fn create(
    granted: Granted<ConnectionsWrite>,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let new = CreateConnection {
        provider: form.required("provider", text),
        name: form.required("name", text),
        settings: form.optional("scim", object).unwrap_or_default(),
    };
    form.done()?;
    let made = timed(shared, connections::create(&granted.caller, &shared.state.db, new)).await?;
    let view = ConnectionView::of(shared, &made)?;
    let mut response = HttpResponse::Created();
    response.insert_header((
        header::LOCATION,
        format!("{}{BASE}/connections/{}", shared.state.settings.public_url, view.id),
    ));
    if let Some(tag) = single::tag(made.record.version) {
        response.insert_header((header::ETAG, tag));
    }
    Ok(response.json(view))
}

/// A connection.
#[utoipa::path(
    get, path = "/connections/{id}", tag = "Connections", operation_id = "get_connection",
    params(("id" = String, Path, description = "Id of the connection")),
    responses((status = 200, description = "The connection", body = ConnectionView))
)]
pub(super) async fn get(
    granted: Granted<ConnectionsRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, connections::get(&granted.caller, &shared.state.db, ConnectionId(id.0))).await?;
    single::read(&conditions.0, found.record.version, ConnectionView::of(shared, &found)?)
}

/// Changes name and settings of a connection.
#[utoipa::path(
    patch, path = "/connections/{id}", tag = "Connections", operation_id = "patch_connection",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The connection", body = ConnectionView))
)]
pub(super) async fn patch(
    granted: Granted<ConnectionsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ConnectionId(id.0), expected(&granted, id, &conditions.0).await?);
    let mut form = Form::of(&body.0)?;
    let patch =
        PatchConnection { name: form.change("name", text), settings: form.change("scim", object).unwrap_or_default() };
    form.done()?;
    let changed = timed(shared, connections::patch(&granted.caller, &shared.state.db, id, expected, patch)).await?;
    answer(shared, &granted, &changed)
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident $path:literal $operation:literal $step:expr,)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "Connections", operation_id = $operation,
            params(("id" = String, Path, description = "Id of the connection")),
            responses((status = 200, description = "The connection", body = ConnectionView))
        )]
        pub(super) async fn $name(
            granted: Granted<ConnectionsWrite>,
            id: PathId,
            conditions: RequestConditions,
            _: NoQuery,
            body: NoBodyNeeded,
        ) -> Result<HttpResponse, Problem> {
            let expected = expected(&granted, id, &conditions.0).await?;
            Form::of(&body.0)?.done()?;
            take(&granted, id, expected, $step, People::default()).await
        }
    )*};
}

steps! {
    /// Watches a connection: what it would do is seen before it does it.
    observe "/connections/{id}/observe" "observe_connection" Step::Observe,
    /// Makes the staged people of a connection members of the organization.
    activate "/connections/{id}/activate" "activate_connection" Step::Activate,
    /// Stops what a connection writes; reads are answered, people stay.
    pause "/connections/{id}/pause" "pause_connection" Step::Pause,
    /// Lets a paused connection write again.
    resume "/connections/{id}/resume" "resume_connection" Step::Resume,
}

/// Gives a connection up: its tokens are dead at once, and a job gives its people their new standing.
#[utoipa::path(
    post, path = "/connections/{id}/decommission", tag = "Connections", operation_id = "decommission_connection",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body = Option<DecommissionBody>,
    responses((status = 200, description = "The connection, with its job", body = ConnectionView))
)]
pub(super) async fn decommission(
    granted: Granted<ConnectionsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let expected = expected(&granted, id, &conditions.0).await?;
    let mut form = Form::of(&body.0)?;
    let people = form.optional("people", people).unwrap_or_default();
    form.done()?;
    take(&granted, id, expected, Step::Decommission, people).await
}

async fn take(
    granted: &Granted<ConnectionsWrite>,
    id: PathId,
    expected: Option<i64>,
    step: Step,
    people: People,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let taken = connections::step(&granted.caller, &shared.state.db, ConnectionId(id.0), expected, step, people);
    let changed = timed(shared, taken).await?;
    shared.state.jobs.wake();
    answer(shared, granted, &changed)
}

/// A changed connection. Tokens depend on its state and settings.
fn answer<N: Needs>(shared: &Shared, granted: &Granted<N>, changed: &Connection) -> Result<HttpResponse, Problem> {
    shared.bearer.forget(granted.caller.organization);
    single::read(&Conditions::default(), changed.record.version, ConnectionView::of(shared, changed)?)
}

/// Judges existence and conditions before the body is (404, 412, 422 in that order); answers the version that a write must
/// find, where the client insists on one.
async fn expected(
    granted: &Granted<ConnectionsWrite>,
    id: PathId,
    conditions: &Conditions,
) -> Result<Option<i64>, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, connections::get(&granted.caller, &shared.state.db, ConnectionId(id.0))).await?;
    single::expected(conditions, found.record.version)
}

fn object(value: &Value) -> Read<Map<String, Value>> {
    value.as_object().cloned().ok_or_else(|| vec![Invalid::new("", "This must be an object.")])
}

fn people(value: &Value) -> Read<People> {
    let known = People::ALL.map(People::as_str).join(", ");
    let read = value.as_str().and_then(People::parse);
    read.ok_or_else(|| vec![Invalid::new("", format!("This must be one of {known}."))])
}
