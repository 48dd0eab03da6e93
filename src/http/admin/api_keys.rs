//! `/api-keys`: the organization's keys for programs.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::body::{JsonBody, MergePatch, NoBodyNeeded};
use super::choice::RoleKey;
use super::form::{Form, number, text, texts, time};
use super::granted::{ApiKeysRead, ApiKeysWrite, Granted};
use super::idempotency::HoldsSecret;
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::problem::Problem;
use super::query::NoQuery;
use super::{BASE, PathId, single, timed};
use crate::domain::ids::TokenId;
use crate::domain::permission::{Role, RoleSet};
use crate::http::Shared;
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::api_keys::{
    self, ApiKeyRecord, CreateApiKey, DEFAULT_OVERLAP_HOURS, Expiry, Issued, PatchApiKey,
};
use crate::service::admin::paging::of_rows;
use crate::service::cursor::Key;
use crate::service::scim::resources::Conditions;

/// What the list of keys offers.
pub(crate) struct ApiKeyList;

impl Listing for ApiKeyList {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["created_at", "name", "expires_at", "last_used_at"];
}

/// An API key.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    id: String,
    /// Its name for people.
    name: String,
    description: String,
    /// What tells it from others: its first and last characters.
    fingerprint: String,
    /// Keys of its roles.
    roles: Vec<&'static str>,
    /// CIDR blocks that it may be used from; empty: any address.
    ip_allowlist: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Who made it: a kind and an id, such as `api_key:…`.
    created_by: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// null: never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    rotated_at: Option<String>,
    /// Until when the secret before the last rotation works.
    #[schema(format = DateTime)]
    previous_secret_until: Option<String>,
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    last_used_ip: Option<String>,
}

/// A key with its secret, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = IssuedApiKey)]
pub(crate) struct IssuedView {
    #[serde(flatten)]
    key: ApiKeyView,
    /// To be sent as `Authorization: Bearer`.
    secret: String,
}

/// Keys, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = ApiKeyList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ApiKeyListView {
    data: Vec<ApiKeyView>,
    page: PageView,
}

/// A key to create.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateApiKey)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    /// 1 to 200 characters.
    name: String,
    /// At most 500 characters.
    description: Option<String>,
    /// Keys of roles, none above the creator's.
    #[schema(min_items = 1)]
    roles: Vec<RoleKey>,
    /// A time to come, or `never`; 90 days from now where it is not given.
    expires_at: Option<String>,
    /// CIDR blocks; any address where it is not given.
    ip_allowlist: Option<Vec<String>>,
}

/// What to change of a key (JSON Merge Patch).
#[derive(utoipa::ToSchema)]
#[schema(as = PatchApiKey)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    name: Option<String>,
    /// null: none.
    description: Option<String>,
    roles: Option<Vec<RoleKey>>,
    /// null or `never`: never.
    expires_at: Option<String>,
    /// null: any address.
    ip_allowlist: Option<Vec<String>>,
}

/// How to rotate a key.
#[derive(utoipa::ToSchema)]
#[schema(as = RotateApiKey)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct RotateBody {
    /// Hours that the former secret works on.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    overlap_hours: Option<u32>,
}

impl ApiKeyView {
    fn of(record: &ApiKeyRecord) -> Self {
        let time = |at: Option<i64>| at.map(date_time);
        let blocks = record.ip_allowlist.split(',').filter(|block| !block.is_empty());
        ApiKeyView {
            id: record.id.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            fingerprint: record.fingerprint.clone(),
            roles: RoleSet::parse(&record.roles).iter().map(Role::key).collect(),
            ip_allowlist: blocks.map(str::to_owned).collect(),
            created_at: date_time(record.created),
            created_by: record.created_by.clone(),
            updated_at: date_time(record.modified),
            expires_at: time(record.expires_at),
            rotated_at: time(record.rotated_at),
            previous_secret_until: time(record.previous_until),
            last_used_at: time(record.last_used_at),
            last_used_ip: record.last_used_ip.clone(),
        }
    }
}

/// The keys of the organization; who may see their own only sees those.
#[utoipa::path(
    get, path = "/api-keys", tag = "API keys", operation_id = "list_api_keys",
    params(ListParameters),
    responses((status = 200, description = "Keys", body = ApiKeyListView))
)]
pub(super) async fn list(granted: Granted<ApiKeysRead>, query: ListQuery<ApiKeyList>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, api_keys::list(&granted.caller, &shared.state.db)).await?;
    let number = |at: Option<i64>| at.map_or(Key::Absent, Key::Number);
    let key = |row: &ApiKeyRecord, field: &str| match field {
        "name" => Key::Text(row.name.to_lowercase()),
        "expires_at" => number(row.expires_at),
        "last_used_at" => number(row.last_used_at),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    Ok(query.answer(page, ApiKeyView::of))
}

/// Makes a key. Its secret is in the answer, this once.
#[utoipa::path(
    post, path = "/api-keys", tag = "API keys", operation_id = "create_api_key",
    request_body = CreateBody,
    responses((status = 201, description = "The key with its secret", body = IssuedView))
)]
pub(super) async fn create(
    granted: Granted<ApiKeysWrite>,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let new = CreateApiKey {
        name: form.required("name", text),
        description: form.optional("description", text).unwrap_or_default(),
        roles: form.required("roles", texts),
        expires: form.optional("expires_at", expiry),
        ip_allowlist: form.optional("ip_allowlist", texts).unwrap_or_default(),
    };
    form.done()?;
    let issued = timed(shared, api_keys::create(&granted.caller, &shared.state.db, new)).await?;
    Ok(secret(shared, StatusCode::CREATED, issued))
}

/// One key.
#[utoipa::path(
    get, path = "/api-keys/{id}", tag = "API keys", operation_id = "get_api_key",
    params(("id" = String, Path, description = "Id of the key")),
    responses((status = 200, description = "The key", body = ApiKeyView))
)]
pub(super) async fn get(
    granted: Granted<ApiKeysRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, api_keys::get(&granted.caller, &shared.state.db, TokenId(id.0))).await?;
    single::read(&conditions.0, found.version, ApiKeyView::of(&found))
}

/// Changes a key.
#[utoipa::path(
    patch, path = "/api-keys/{id}", tag = "API keys", operation_id = "patch_api_key",
    params(("id" = String, Path, description = "Id of the key")),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The key", body = ApiKeyView))
)]
pub(super) async fn patch(
    granted: Granted<ApiKeysWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (TokenId(id.0), expected(&granted, id, &conditions.0).await?);
    let mut form = Form::of(&body.0)?;
    let patch = PatchApiKey {
        name: form.change("name", text),
        description: form.clearable("description", text).map(Option::unwrap_or_default),
        roles: form.change("roles", texts),
        expires: form.clearable("expires_at", expiry).map(|expiry| expiry.unwrap_or(Expiry::Never)),
        ip_allowlist: form.clearable("ip_allowlist", texts).map(Option::unwrap_or_default),
    };
    form.done()?;
    let changed = timed(shared, api_keys::patch(&granted.caller, &shared.state.db, id, expected, patch)).await?;
    shared.api_keys.forget(id);
    single::read(&Conditions::default(), changed.version, ApiKeyView::of(&changed))
}

/// Revokes a key.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "API keys", operation_id = "revoke_api_key",
    params(("id" = String, Path, description = "Id of the key")),
    responses((status = 204, description = "It is revoked"))
)]
pub(super) async fn revoke(
    granted: Granted<ApiKeysWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (TokenId(id.0), expected(&granted, id, &conditions.0).await?);
    timed(shared, api_keys::revoke(&granted.caller, &shared.state.db, id, expected)).await?;
    shared.api_keys.forget(id);
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a key a new secret, which is in the answer, this once.
#[utoipa::path(
    post, path = "/api-keys/{id}/rotate", tag = "API keys", operation_id = "rotate_api_key",
    params(("id" = String, Path, description = "Id of the key")),
    request_body = Option<RotateBody>,
    responses((status = 200, description = "The key with its new secret", body = IssuedView))
)]
pub(super) async fn rotate(
    granted: Granted<ApiKeysWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (TokenId(id.0), expected(&granted, id, &conditions.0).await?);
    let mut form = Form::of(&body.0)?;
    let overlap = form.optional("overlap_hours", number).unwrap_or(DEFAULT_OVERLAP_HOURS);
    form.done()?;
    let issued = timed(shared, api_keys::rotate(&granted.caller, &shared.state.db, id, expected, overlap)).await?;
    shared.api_keys.forget(id);
    Ok(secret(shared, StatusCode::OK, issued))
}

/// Judges existence and conditions before the body is (404, 412, 422 in that order); answers the version that a write must
/// find, where the client insists on one.
async fn expected(
    granted: &Granted<ApiKeysWrite>,
    id: PathId,
    conditions: &Conditions,
) -> Result<Option<i64>, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, api_keys::get(&granted.caller, &shared.state.db, TokenId(id.0))).await?;
    single::expected(conditions, found.version)
}

fn secret(shared: &Shared, status: StatusCode, issued: Issued) -> HttpResponse {
    let key = ApiKeyView::of(&issued.record);
    let location = format!("{}{BASE}/api-keys/{}", shared.state.settings.public_url, key.id);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::LOCATION, location));
    if let Some(tag) = single::tag(issued.record.version) {
        response.insert_header((header::ETAG, tag));
    }
    let mut response = response.json(IssuedView { key, secret: issued.secret });
    response.extensions_mut().insert(HoldsSecret);
    response
}

fn expiry(value: &serde_json::Value) -> super::form::Read<Expiry> {
    if value == "never" { Ok(Expiry::Never) } else { time(value).map(Expiry::At) }
}
