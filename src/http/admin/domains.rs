//! `/domains`: domains of the organization and how they are verified.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use super::body::{JsonBody, NoBodyNeeded};
use super::form::{Form, text};
use super::granted::{ConnectionsRead, ConnectionsWrite, Granted};
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::path::PathDomain;
use super::problem::Problem;
use super::query::NoQuery;
use super::{BASE, timed};
use crate::protocol::splice::date_time;
use crate::service::admin::domains::{self, DomainRecord};
use crate::service::admin::paging::of_rows;
use crate::service::cursor::Key;

/// What the list of domains offers.
pub(crate) struct DomainList;

impl Listing for DomainList {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["domain", "created_at"];
}

/// A domain of the organization.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Domain)]
pub(crate) struct DomainView {
    domain: String,
    /// `pending` or `verified`.
    state: String,
    /// How it is or is to be verified: `dns`, or `operator`.
    method: String,
    record: RecordView,
    #[schema(format = DateTime)]
    created_at: String,
    /// Who claimed it: a kind and an id, such as `api_key:…`.
    created_by: String,
    /// When the DNS was last asked.
    #[schema(format = DateTime)]
    checked_at: Option<String>,
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// The TXT records that were found under the record's name in its place, ten at most: in the answer to `verify` alone,
    /// where it leaves the domain `pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<Vec<String>>,
}

/// The DNS record that verifies a domain.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DomainDnsRecord)]
pub(crate) struct RecordView {
    name: String,
    /// `TXT`
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

/// Domains, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = DomainList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct DomainListView {
    data: Vec<DomainView>,
    page: PageView,
}

/// A domain to claim.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateDomain)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    /// A name such as `example.com`.
    domain: String,
}

impl DomainView {
    pub(crate) fn of(record: &DomainRecord) -> Self {
        DomainView {
            domain: record.domain.clone(),
            state: record.state.clone(),
            method: record.method.clone(),
            record: RecordView { name: domains::record_name(&record.domain), kind: "TXT", value: record.value.clone() },
            created_at: date_time(record.created),
            created_by: record.created_by.clone(),
            checked_at: record.checked_at.map(date_time),
            verified_at: record.verified_at.map(date_time),
            found: None,
        }
    }
}

/// The domains of the organization.
#[utoipa::path(
    get, path = "/domains", tag = "Domains", operation_id = "list_domains",
    params(ListParameters),
    responses((status = 200, description = "Domains", body = DomainListView))
)]
pub(super) async fn list(
    granted: Granted<ConnectionsRead>,
    query: ListQuery<DomainList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, domains::list(&granted.caller, &shared.state.db)).await?;
    let key = |row: &DomainRecord, field: &str| match field {
        "created_at" => Key::Number(row.created),
        _ => Key::Text(row.domain.clone()),
    };
    let page = of_rows(rows, &query.page, key, |row| row.domain.clone());
    Ok(query.answer(page, DomainView::of))
}

/// Claims a domain. It counts once the record that the answer names is found.
#[utoipa::path(
    post, path = "/domains", tag = "Domains", operation_id = "create_domain",
    request_body = CreateBody,
    responses((status = 201, description = "The domain", body = DomainView))
)]
pub(super) async fn create(
    granted: Granted<ConnectionsWrite>,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let domain = form.required("domain", text);
    form.done()?;
    let made = timed(shared, domains::create(&granted.caller, &shared.state.db, &domain)).await?;
    let location = format!("{}{BASE}/domains/{}", shared.state.settings.public_url, made.domain);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(DomainView::of(&made)))
}

/// A domain.
#[utoipa::path(
    get, path = "/domains/{domain}", tag = "Domains", operation_id = "get_domain",
    params(("domain" = String, Path, description = "The domain")),
    responses((status = 200, description = "The domain", body = DomainView))
)]
pub(super) async fn get(
    granted: Granted<ConnectionsRead>,
    _: NoQuery,
    domain: PathDomain,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, domains::get(&granted.caller, &shared.state.db, &domain.0)).await?;
    Ok(HttpResponse::Ok().json(DomainView::of(&found)))
}

/// Looks for the record of a domain. Where it is not there, the domain stays pending.
#[utoipa::path(
    post, path = "/domains/{domain}/verify", tag = "Domains", operation_id = "verify_domain",
    params(("domain" = String, Path, description = "The domain")),
    responses((status = 200, description = "The domain", body = DomainView))
)]
pub(super) async fn verify(
    granted: Granted<ConnectionsWrite>,
    _: NoQuery,
    domain: PathDomain,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    timed(shared, domains::get(&granted.caller, db, &domain.0)).await?;
    Form::of(&body.0)?.done()?;
    let server = shared.state.settings.dns_server;
    let (record, found) = timed(shared, domains::verify(&granted.caller, db, server, &domain.0)).await?;
    Ok(HttpResponse::Ok().json(DomainView { found, ..DomainView::of(&record) }))
}

/// Takes a domain away. Who was adopted by it stays adopted.
#[utoipa::path(
    delete, path = "/domains/{domain}", tag = "Domains", operation_id = "delete_domain",
    params(("domain" = String, Path, description = "The domain")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    granted: Granted<ConnectionsWrite>,
    _: NoQuery,
    domain: PathDomain,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    timed(shared, domains::delete(&granted.caller, &shared.state.db, &domain.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
