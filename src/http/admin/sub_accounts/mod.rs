//! `/sub-accounts`: organizations below the caller's, where the operator switched them on.

pub(super) mod access;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::body::{JsonBody, MergePatch, NoBodyNeeded};
use super::form::{Form, Read, text};
use super::granted::{Granted, SubAccountsRead, SubAccountsWrite};
use super::idempotency::HoldsSecret;
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::problem::Problem;
use super::query::{NoQuery, invalid};
use super::{BASE, PathId, single, timed};
use crate::domain::ids::OrganizationId;
use crate::domain::organization::Features;
use crate::http::Shared;
use crate::http::admin::choice::SubAccountState;
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::paging::of_rows;
use crate::service::admin::sub_accounts::{self, CreateSubAccount};
use crate::service::admin::{Caller, Invalid};
use crate::service::backoffice::tenants::OrganizationRecord;
use crate::service::cursor::Key;
use crate::service::scim::resources::Conditions;

/// What a sub-account can be.
pub(super) const STATES: [&str; 3] = ["active", "suspended", "archived"];

/// What the list of sub-accounts offers.
pub(crate) struct SubAccounts;

impl Listing for SubAccounts {
    const FILTERS: &'static [&'static str] = &["q", "state"];
    const SORTS: &'static [&'static str] = &["created_at", "name", "state"];
}

/// A sub-account. It is an organization of its own: no credential of this one opens it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SubAccount)]
pub(crate) struct SubAccountView {
    id: String,
    /// Its name for people.
    name: String,
    /// Its short name, unique in the service.
    slug: String,
    /// `active`, `suspended` (by the operator) or `archived`.
    state: String,
    /// Whether it may have sub-accounts itself, which the operator decides.
    sub_accounts: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A new sub-account, with its first key where one was asked for, which is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CreatedSubAccount)]
pub(crate) struct CreatedView {
    #[serde(flatten)]
    sub_account: SubAccountView,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<FirstKeyView>,
}

/// The first API key of a sub-account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FirstApiKey)]
pub(crate) struct FirstKeyView {
    id: String,
    /// To be sent as `Authorization: Bearer`; it opens the sub-account, with the role `admin`.
    secret: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Sub-accounts, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = SubAccountList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct SubAccountListView {
    data: Vec<SubAccountView>,
    page: PageView,
}

/// A sub-account to create.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateSubAccount)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    /// 1 to 200 characters.
    name: String,
    /// Whether the answer holds an API key of the role `admin` in the sub-account; for Admins only.
    with_api_key: Option<bool>,
}

/// What to change of a sub-account (JSON Merge Patch).
#[derive(utoipa::ToSchema)]
#[schema(as = PatchSubAccount)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    name: Option<String>,
}

impl SubAccountView {
    fn of(record: &OrganizationRecord) -> Self {
        SubAccountView {
            id: record.id.to_string(),
            name: record.name.clone(),
            slug: record.slug.clone(),
            state: record.state.clone(),
            sub_accounts: Features::parse(&record.features).is_ok_and(|features| features.sub_accounts),
            created_at: date_time(record.created),
            updated_at: date_time(record.modified),
        }
    }
}

/// The sub-accounts of the organization.
#[utoipa::path(
    get, path = "/sub-accounts", tag = "Sub-accounts", operation_id = "list_sub_accounts",
    params(
        ListParameters,
        ("q" = Option<Vec<String>>, Query, description = "Part of the name or slug"),
        ("state" = Option<Vec<SubAccountState>>, Query, description = "active, suspended or archived"),
    ),
    responses((status = 200, description = "Sub-accounts", body = SubAccountListView), (status = 404, description = "The feature is off"))
)]
pub(crate) async fn list(
    granted: Granted<SubAccountsRead>,
    query: ListQuery<SubAccounts>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let states = query.filter("state");
    if states.iter().any(|state| !STATES.contains(state)) {
        return Err(invalid(format!("state is one of {}.", STATES.join(", "))));
    }
    let parts: Vec<String> = query.filter("q").iter().map(|part| part.to_lowercase()).collect();
    let mut rows = timed(shared, sub_accounts::list(&granted.caller, &shared.state.db)).await?;
    rows.retain(|row| {
        let name = row.name.to_lowercase();
        (states.is_empty() || states.contains(&row.state.as_str()))
            && (parts.is_empty() || parts.iter().any(|part| name.contains(part) || row.slug.contains(part)))
    });
    let key = |row: &OrganizationRecord, field: &str| match field {
        "name" => Key::Text(row.name.to_lowercase()),
        "state" => Key::Text(row.state.clone()),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    Ok(query.answer(page, SubAccountView::of))
}

/// Creates a sub-account. At first the organization's Admins reach it, and who made it.
#[utoipa::path(
    post, path = "/sub-accounts", tag = "Sub-accounts", operation_id = "create_sub_account",
    request_body = CreateBody,
    responses((status = 201, description = "The sub-account", body = CreatedView), (status = 404, description = "The feature is off"))
)]
pub(crate) async fn create(
    granted: Granted<SubAccountsWrite>,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    // While the feature is off there is nothing here, whatever the body says.
    timed(shared, sub_accounts::check_open(&granted.caller, &shared.state.db)).await?;
    let mut form = Form::of(&body.0)?;
    let asked = CreateSubAccount {
        name: form.required("name", text),
        with_api_key: form.optional("with_api_key", switch).unwrap_or_default(),
    };
    form.done()?;
    let (made, key) = timed(shared, sub_accounts::create(&granted.caller, &shared.state.db, asked)).await?;
    let api_key = key.map(|issued| FirstKeyView {
        id: issued.record.id.to_string(),
        secret: issued.secret,
        expires_at: issued.record.expires_at.map(date_time),
    });
    let mut response = HttpResponse::build(StatusCode::CREATED);
    let location = format!("{}{BASE}/sub-accounts/{}", shared.state.settings.public_url, made.id);
    response.insert_header((header::LOCATION, location));
    if let Some(tag) = single::tag(made.version) {
        response.insert_header((header::ETAG, tag));
    }
    let holds_secret = api_key.is_some();
    let mut response = response.json(CreatedView { sub_account: SubAccountView::of(&made), api_key });
    if holds_secret {
        response.extensions_mut().insert(HoldsSecret);
    }
    Ok(response)
}

/// One sub-account.
#[utoipa::path(
    get, path = "/sub-accounts/{id}", tag = "Sub-accounts", operation_id = "get_sub_account",
    params(("id" = String, Path, description = "Id of the sub-account")),
    responses((status = 200, description = "The sub-account", body = SubAccountView))
)]
pub(crate) async fn get(
    granted: Granted<SubAccountsRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, sub_accounts::get(&granted.caller, &shared.state.db, OrganizationId(id.0))).await?;
    single::read(&conditions.0, found.version, SubAccountView::of(&found))
}

/// Gives a sub-account another name.
#[utoipa::path(
    patch, path = "/sub-accounts/{id}", tag = "Sub-accounts", operation_id = "patch_sub_account",
    params(("id" = String, Path, description = "Id of the sub-account")),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The sub-account", body = SubAccountView))
)]
pub(crate) async fn patch(
    granted: Granted<SubAccountsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, OrganizationId(id.0));
    let expected = expected(shared, &granted.caller, id, &conditions.0).await?;
    let mut form = Form::of(&body.0)?;
    let name = form.change("name", text);
    form.done()?;
    let changed = timed(shared, sub_accounts::rename(&granted.caller, &shared.state.db, id, expected, name)).await?;
    single::read(&Conditions::default(), changed.version, SubAccountView::of(&changed))
}

/// Archives a sub-account with all below it: every credential of it is refused, and nothing is deleted.
#[utoipa::path(
    post, path = "/sub-accounts/{id}/archive", tag = "Sub-accounts", operation_id = "archive_sub_account",
    params(("id" = String, Path, description = "Id of the sub-account")),
    responses((status = 200, description = "The sub-account", body = SubAccountView))
)]
pub(crate) async fn archive(
    granted: Granted<SubAccountsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, OrganizationId(id.0));
    let expected = expected(shared, &granted.caller, id, &conditions.0).await?;
    Form::of(&body.0)?.done()?;
    let (archived, all) = timed(shared, sub_accounts::archive(&granted.caller, &shared.state.db, id, expected)).await?;
    for id in all {
        shared.forget_credentials(id);
    }
    single::read(&Conditions::default(), archived.version, SubAccountView::of(&archived))
}

/// Judges existence and conditions before the body is; answers the version that a write must find, where the client insists
/// on one.
async fn expected(
    shared: &Shared,
    caller: &Caller,
    id: OrganizationId,
    conditions: &Conditions,
) -> Result<Option<i64>, Problem> {
    let found = timed(shared, sub_accounts::get(caller, &shared.state.db, id)).await?;
    single::expected(conditions, found.version)
}

fn switch(value: &serde_json::Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| vec![Invalid::new("", "This must be true or false.")])
}
