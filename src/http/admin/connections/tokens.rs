//! `/connections/{id}/scim-tokens`: the credentials of an identity provider.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::domain::ids::{ConnectionId, TokenId};
use crate::domain::token::Lifetime;
use crate::http::Shared;
use crate::http::admin::body::{JsonBody, NoBodyNeeded};
use crate::http::admin::form::{Form, Read, number, text, time};
use crate::http::admin::granted::{Granted, ScimTokensWrite};
use crate::http::admin::idempotency::HoldsSecret;
use crate::http::admin::list::{ListParameters, ListQuery, Listing, PageView};
use crate::http::admin::path::PathToken;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::{BASE, PathId, timed};
use crate::protocol::splice::date_time;
use crate::service::admin::Invalid;
use crate::service::admin::paging::of_rows;
use crate::service::admin::scim_tokens::{self, DEFAULT_OVERLAP_HOURS, Expiry, Issued, TokenRecord};
use crate::service::cursor::Key;

/// What the list of tokens offers.
pub(crate) struct TokenList;

impl Listing for TokenList {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["created_at", "name", "expires_at", "last_used_at"];
}

/// A SCIM token.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ScimToken)]
pub(crate) struct TokenView {
    id: String,
    connection_id: String,
    /// Its name for people.
    name: String,
    /// What tells it from others: its first and last characters.
    fingerprint: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Who made it: a kind and an id, such as `api_key:…`.
    created_by: String,
    /// null: never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    last_used_ip: Option<String>,
}

/// A token with its secret, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = IssuedScimToken)]
pub(crate) struct IssuedView {
    #[serde(flatten)]
    token: TokenView,
    /// To be entered at the identity provider.
    secret: String,
}

/// Tokens, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = ScimTokenList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct TokenListView {
    data: Vec<TokenView>,
    page: PageView,
}

/// A token to create.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateScimToken)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    /// 1 to 200 characters.
    name: String,
    /// `90d`, `1y`, `2y`, `never`, or a time in the next two years.
    #[schema(default = "1y")]
    expires_at: Option<String>,
}

/// How to rotate a token.
#[derive(utoipa::ToSchema)]
#[schema(as = RotateScimToken)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct RotateBody {
    /// Hours that the former token works on.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    overlap_hours: Option<u32>,
}

impl TokenView {
    fn of(record: &TokenRecord) -> Self {
        let time = |at: Option<i64>| at.map(date_time);
        TokenView {
            id: record.id.to_string(),
            connection_id: record.connection.to_string(),
            name: record.name.clone(),
            fingerprint: record.fingerprint.clone(),
            created_at: date_time(record.created),
            created_by: record.created_by.clone(),
            expires_at: time(record.expires_at),
            last_used_at: time(record.last_used_at),
            last_used_ip: record.last_used_ip.clone(),
        }
    }
}

/// The tokens of a connection that are not revoked.
#[utoipa::path(
    get, path = "/connections/{id}/scim-tokens", tag = "Connections", operation_id = "list_scim_tokens",
    params(("id" = String, Path, description = "Id of the connection"), ListParameters),
    responses((status = 200, description = "Tokens", body = TokenListView))
)]
pub(crate) async fn list(
    granted: Granted<ScimTokensWrite>,
    id: PathId,
    query: ListQuery<TokenList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, scim_tokens::list(&granted.caller, &shared.state.db, ConnectionId(id.0))).await?;
    let number = |at: Option<i64>| at.map_or(Key::Absent, Key::Number);
    let key = |row: &TokenRecord, field: &str| match field {
        "name" => Key::Text(row.name.to_lowercase()),
        "expires_at" => number(row.expires_at),
        "last_used_at" => number(row.last_used_at),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    Ok(query.answer(page, TokenView::of))
}

/// Makes a token; a connection has at most three that work. Its secret is in the answer, this once.
#[utoipa::path(
    post, path = "/connections/{id}/scim-tokens", tag = "Connections", operation_id = "create_scim_token",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body = CreateBody,
    responses((status = 201, description = "The token with its secret", body = IssuedView))
)]
pub(crate) async fn create(
    granted: Granted<ScimTokensWrite>,
    id: PathId,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let id = ConnectionId(id.0);
    // 404 before 422.
    timed(shared, scim_tokens::list(&granted.caller, &shared.state.db, id)).await?;
    let mut form = Form::of(&body.0)?;
    let name = form.required("name", text);
    let expires = form.optional("expires_at", expiry);
    form.done()?;
    let issued = timed(shared, scim_tokens::create(&granted.caller, &shared.state.db, id, &name, expires)).await?;
    Ok(secret(shared, issued))
}

/// Puts a new token in the place of one. Its secret is in the answer, this once.
#[utoipa::path(
    post, path = "/connections/{id}/scim-tokens/{tid}/rotate", tag = "Connections", operation_id = "rotate_scim_token",
    params(
        ("id" = String, Path, description = "Id of the connection"),
        ("tid" = String, Path, description = "Id of the token"),
    ),
    request_body = Option<RotateBody>,
    responses((status = 201, description = "The new token with its secret", body = IssuedView))
)]
pub(crate) async fn rotate(
    granted: Granted<ScimTokensWrite>,
    id: PathId,
    token: PathToken,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, token) = (ConnectionId(id.0), TokenId(token.0));
    let db = &shared.state.db;
    timed(shared, scim_tokens::get(&granted.caller, db, id, token)).await?;
    let mut form = Form::of(&body.0)?;
    let overlap = form.optional("overlap_hours", number).unwrap_or(DEFAULT_OVERLAP_HOURS);
    form.done()?;
    let issued = timed(shared, scim_tokens::rotate(&granted.caller, db, id, token, overlap)).await?;
    shared.bearer.forget(granted.caller.organization);
    Ok(secret(shared, issued))
}

/// Revokes a token: the next request with it is refused.
#[utoipa::path(
    delete, path = "/connections/{id}/scim-tokens/{tid}", tag = "Connections", operation_id = "revoke_scim_token",
    params(
        ("id" = String, Path, description = "Id of the connection"),
        ("tid" = String, Path, description = "Id of the token"),
    ),
    responses((status = 204, description = "It is revoked"))
)]
pub(crate) async fn revoke(
    granted: Granted<ScimTokensWrite>,
    id: PathId,
    token: PathToken,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, token) = (ConnectionId(id.0), TokenId(token.0));
    timed(shared, scim_tokens::revoke(&granted.caller, &shared.state.db, id, token)).await?;
    shared.bearer.forget(granted.caller.organization);
    Ok(HttpResponse::NoContent().finish())
}

fn secret(shared: &Shared, issued: Issued) -> HttpResponse {
    let token = TokenView::of(&issued.record);
    let list = format!("{}{BASE}/connections/{}/scim-tokens", shared.state.settings.public_url, token.connection_id);
    let mut response = HttpResponse::build(StatusCode::CREATED);
    response.insert_header((header::LOCATION, list));
    let mut response = response.json(IssuedView { token, secret: issued.secret });
    response.extensions_mut().insert(HoldsSecret);
    response
}

fn expiry(value: &Value) -> Read<Expiry> {
    if let Some((_, lifetime)) = Lifetime::OFFERED.into_iter().find(|(name, _)| value == name) {
        return Ok(Expiry::After(lifetime));
    }
    let wrong = || vec![Invalid::new("", "This must be 90d, 1y, 2y, never, or a time such as 2027-01-31T12:00:00Z.")];
    time(value).map(Expiry::At).map_err(|_| wrong())
}
