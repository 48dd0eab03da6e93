//! `/connections`: the directories of all organizations, and how they do.

use actix_web::HttpResponse;
use serde::Serialize;

use super::deed::reason;
use super::granted::{Granted, Reads, Writes};
use super::organizations::{Named, ids};
use crate::domain::ids::ConnectionId;
use crate::http::admin::body::JsonBody;
use crate::http::admin::connections::view::ConnectionView;
use crate::http::admin::form::Form;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::{single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::service::admin::paging::{Page, of_rows};
use crate::service::backoffice::directories::{self, ConnectionRecord};
use crate::service::cursor::Key;
use crate::service::scim::resources::Conditions;

/// What the list of connections offers.
pub(super) struct Connections;

impl Listing for Connections {
    const FILTERS: &'static [&'static str] = &["organization", "state", "provider"];
    const SORTS: &'static [&'static str] = &["created_at", "name", "provider", "state"];
}

/// A connection with its organization.
#[derive(Serialize)]
struct View {
    organization: Named,
    #[serde(flatten)]
    connection: ConnectionView,
}

/// All of them.
pub(super) async fn list(granted: Granted<Reads>, query: ListQuery<Connections>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    let organizations = ids("organization", &query.filter("organization"))?;
    let fits = |name: &str, value: &str| {
        let wanted = query.filter(name);
        wanted.is_empty() || wanted.contains(&value)
    };
    let mut rows = timed(shared, directories::list(db)).await?;
    rows.retain(|row| {
        (organizations.is_empty() || organizations.contains(&row.organization))
            && fits("state", &row.state)
            && fits("provider", &row.provider)
    });
    let key = |row: &ConnectionRecord, field: &str| match field {
        "name" => Key::Text(row.name.to_lowercase()),
        "provider" => Key::Text(row.provider.clone()),
        "state" => Key::Text(row.state.clone()),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    let page = timed(shared, directories::with_health(&granted.operator, db, page)).await?;
    let view = |(connection, organization)| {
        Ok(View { organization: Named::of(&organization), connection: ConnectionView::of(shared, &connection)? })
    };
    let rows = page.rows.into_iter().map(view).collect::<Result<Vec<_>, Problem>>()?;
    let page = Page { rows: rows.iter().collect(), next: page.next, previous: page.previous, total: page.total };
    Ok(query.answer(page, |view: &&View| *view))
}

/// Pauses one.
pub(super) async fn pause(
    granted: Granted<Writes>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (db, id) = (&shared.state.db, ConnectionId(id.0));
    let found = timed(shared, directories::get(db, id)).await?;
    let expected = single::expected(&conditions.0, found.version)?;
    let mut form = Form::of(&body.0)?;
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let paused = timed(shared, directories::pause(&ctx, db, id, expected)).await?;
    shared.bearer.forget(paused.organization);
    let version = paused.version;
    let page = Page { rows: vec![paused], next: None, previous: None, total: None };
    let mut page = timed(shared, directories::with_health(&granted.operator, db, page)).await?;
    let (connection, organization) = page.rows.pop().ok_or_else(Problem::not_found)?;
    let connection = ConnectionView::of(shared, &connection)?;
    single::read(&Conditions::default(), version, View { organization: Named::of(&organization), connection })
}
