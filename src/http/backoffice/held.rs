//! `/connections/{id}/held-changes`: departures that the brake holds, in whatever organization.

use actix_web::HttpResponse;
use serde_json::Value;

use super::deed::reason;
use super::granted::{Granted, Reads, Writes};
use crate::domain::ids::ConnectionId;
use crate::http::admin::body::JsonBody;
use crate::http::admin::connections::held::{DecidedView, HeldList, HeldView, ids};
use crate::http::admin::form::Form;
use crate::http::admin::list::ListQuery;
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::service::admin::held::{self, Decision};
use crate::service::backoffice::directories;

/// Held changes of a connection.
pub(super) async fn list(
    granted: Granted<Reads>,
    id: PathId,
    query: ListQuery<HeldList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    let found = timed(shared, directories::get(db, ConnectionId(id.0))).await?;
    let caller = granted.operator.within(found.organization);
    let page = timed(shared, held::list(&caller, db, found.id, &query.page)).await?;
    Ok(query.answer(page, HeldView::of))
}

/// Lets held departures take effect.
pub(super) async fn release(
    granted: Granted<Writes>,
    id: PathId,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, &body.0, Decision::Release).await
}

/// Undoes held departures, over SCIM as well.
pub(super) async fn discard(
    granted: Granted<Writes>,
    id: PathId,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    decide(&granted, id, &body.0, Decision::Discard).await
}

async fn decide(
    granted: &Granted<Writes>,
    id: PathId,
    body: &Value,
    decision: Decision,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    let found = timed(shared, directories::get(db, ConnectionId(id.0))).await?;
    let mut form = Form::of(body)?;
    let (wanted, reason) = (form.optional("ids", ids), reason(&mut form));
    form.done()?;
    let caller = granted.operator.within(found.organization);
    let decided = held::decide(&caller, db, found.id, decision, wanted.as_deref(), Some(reason));
    Ok(HttpResponse::Ok().json(DecidedView::of(timed(shared, decided).await?)))
}
