//! `/operators`: who works here, and their keys.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::deed::{PlainDelete, reason};
use super::granted::{Granted, Reads, Writes};
use crate::domain::ids::OperatorId;
use crate::http::admin::body::{JsonBody, NoBodyNeeded};
use crate::http::admin::form::{Form, text};
use crate::http::admin::idempotency::HoldsSecret;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::protocol::splice::date_time;
use crate::service::admin::paging::of_rows;
use crate::service::backoffice::operators::{self, CreateOperator, OperatorKeyRecord, OperatorRecord};
use crate::service::cursor::Key;

/// What the list of operators offers.
pub(super) struct Operators;

impl Listing for Operators {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["created_at", "name"];
}

/// An operator.
#[derive(Serialize)]
struct OperatorView {
    id: String,
    name: String,
    /// `operator` or `support`, which only reads.
    role: String,
    created_at: String,
    created_by: String,
    keys: Vec<KeyView>,
}

/// A key, without its secret.
#[derive(Serialize)]
struct KeyView {
    id: String,
    name: String,
    fingerprint: String,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    last_used_ip: Option<String>,
}

/// A new operator with the key, shown this once.
#[derive(Serialize)]
struct IssuedView {
    #[serde(flatten)]
    operator: OperatorView,
    /// To be sent as `Authorization: Bearer`.
    secret: String,
}

impl OperatorView {
    fn of(operator: &OperatorRecord, keys: &[OperatorKeyRecord]) -> Self {
        OperatorView {
            id: operator.id.to_string(),
            name: operator.name.clone(),
            role: operator.role.clone(),
            created_at: date_time(operator.created),
            created_by: operator.created_by.clone(),
            keys: keys.iter().map(KeyView::of).collect(),
        }
    }
}

impl KeyView {
    fn of(key: &OperatorKeyRecord) -> Self {
        KeyView {
            id: key.id.to_string(),
            name: key.name.clone(),
            fingerprint: key.fingerprint.clone(),
            created_at: date_time(key.created),
            expires_at: key.expires_at.map(date_time),
            last_used_at: key.last_used_at.map(date_time),
            last_used_ip: key.last_used_ip.clone(),
        }
    }
}

/// All of them.
pub(super) async fn list(granted: Granted<Reads>, query: ListQuery<Operators>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, operators::list(&shared.state.db)).await?;
    let key = |row: &(OperatorRecord, Vec<OperatorKeyRecord>), field: &str| match field {
        "name" => Key::Text(row.0.name.to_lowercase()),
        _ => Key::Number(row.0.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.0.id.to_string());
    Ok(query.answer(page, |(operator, keys)| OperatorView::of(operator, keys)))
}

/// Makes one, with a key.
pub(super) async fn create(granted: Granted<Writes>, _: NoQuery, body: JsonBody) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let asked = CreateOperator { name: form.required("name", text), role: form.required("role", text) };
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let issued = timed(shared, operators::create(&ctx, &shared.state.db, asked)).await?;
    let operator = OperatorView::of(&issued.operator, std::slice::from_ref(&issued.key));
    let mut response = HttpResponse::build(StatusCode::CREATED).json(IssuedView { operator, secret: issued.secret });
    response.extensions_mut().insert(HoldsSecret);
    Ok(response)
}

/// Removes one; their keys are refused from now on.
pub(super) async fn remove(
    granted: Granted<Writes>,
    id: PathId,
    query: PlainDelete,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (db, id) = (&shared.state.db, OperatorId(id.0));
    timed(shared, operators::get(db, id)).await?;
    let reason = query.reason(&body.0)?;
    timed(shared, operators::remove(&granted.operator, reason, db, id)).await?;
    shared.operator_keys.forget(id);
    Ok(HttpResponse::NoContent().finish())
}
