//! `/organizations/{id}/domains`: domains that an operator takes for an organization's own.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::BASE;
use super::deed::{PlainDelete, reason};
use super::granted::{Granted, Reads, Writes};
use crate::domain::ids::OrganizationId;
use crate::http::admin::body::{JsonBody, NoBodyNeeded};
use crate::http::admin::domains::{DomainList, DomainView};
use crate::http::admin::form::{Form, text};
use crate::http::admin::list::ListQuery;
use crate::http::admin::path::{PathDomain, PathId};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::service::admin::paging::of_rows;
use crate::service::backoffice::domains::{self, DomainRecord};
use crate::service::backoffice::tenants;
use crate::service::cursor::Key;

/// The domains of an organization.
pub(super) async fn list(
    granted: Granted<Reads>,
    id: PathId,
    query: ListQuery<DomainList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, domains::list(&shared.state.db, OrganizationId(id.0))).await?;
    let key = |row: &DomainRecord, field: &str| match field {
        "created_at" => Key::Number(row.created),
        _ => Key::Text(row.domain.clone()),
    };
    let page = of_rows(rows, &query.page, key, |row| row.domain.clone());
    Ok(query.answer(page, DomainView::of))
}

/// Takes a domain for the organization's own, without a DNS record.
pub(super) async fn verify(
    granted: Granted<Writes>,
    id: PathId,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, OrganizationId(id.0));
    let db = &shared.state.db;
    timed(shared, tenants::get(db, id)).await?;
    let mut form = Form::of(&body.0)?;
    let domain = form.required("domain", text);
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let verified = timed(shared, domains::verify(&ctx, db, id, &domain)).await?;
    let base = shared.state.settings.backoffice_url();
    let location = format!("{base}{BASE}/organizations/{id}/domains/{}", verified.domain);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(DomainView::of(&verified)))
}

/// One of them.
pub(super) async fn get(
    granted: Granted<Reads>,
    id: PathId,
    _: NoQuery,
    domain: PathDomain,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, domains::get(&shared.state.db, OrganizationId(id.0), &domain.0)).await?;
    Ok(HttpResponse::Ok().json(DomainView::of(&found)))
}

/// Takes one away.
pub(super) async fn remove(
    granted: Granted<Writes>,
    id: PathId,
    query: PlainDelete,
    domain: PathDomain,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, OrganizationId(id.0));
    let db = &shared.state.db;
    timed(shared, domains::get(db, id, &domain.0)).await?;
    let ctx = granted.operator.ctx(query.reason(&body.0)?);
    timed(shared, domains::remove(&ctx, db, id, &domain.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
