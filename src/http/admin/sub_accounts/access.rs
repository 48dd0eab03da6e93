//! `/sub-accounts/{id}/access`: who of the organization reaches a sub-account.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::permission::Role;
use crate::http::admin::body::JsonBody;
use crate::http::admin::choice::RoleKey;
use crate::http::admin::form::{Form, texts};
use crate::http::admin::granted::{Granted, SubAccountsRead, SubAccountsWrite, UsersRead};
use crate::http::admin::list::{ListParameters, ListQuery, Listing, PageView};
use crate::http::admin::path::{PathId, PathUser};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::protocol::splice::date_time;
use crate::service::admin::paging::of_rows;
use crate::service::admin::sub_accounts::{self, Access};
use crate::service::cursor::Key;

/// What the list offers.
pub(crate) struct AccessList;

impl Listing for AccessList {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["user", "granted_at"];
}

/// Somebody of the organization who reaches the sub-account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SubAccountAccess)]
pub(crate) struct AccessView {
    /// Id of the person in this organization.
    user: String,
    /// Keys of the roles they hold there; never `admin`, which only the sub-account's own Admins hold.
    roles: Vec<&'static str>,
    /// `admin`: being an Admin of this organization; `grant`.
    source: &'static str,
    #[schema(format = DateTime)]
    granted_at: Option<String>,
    /// Who granted it: a kind and an id, such as `user:…`.
    granted_by: Option<String>,
}

/// People who reach a sub-account, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = SubAccountAccessList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct AccessListView {
    data: Vec<AccessView>,
    page: PageView,
}

/// The roles that somebody is to hold in the sub-account.
#[derive(utoipa::ToSchema)]
#[schema(as = GrantSubAccountAccess)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct GrantBody {
    /// Keys of roles; not `admin`.
    #[schema(min_items = 1)]
    roles: Vec<RoleKey>,
}

impl AccessView {
    fn of(access: &Access) -> Self {
        AccessView {
            user: access.user.to_string(),
            roles: access.roles.iter().map(Role::key).collect(),
            source: source(access),
            granted_at: access.granted.as_ref().map(|(at, _)| date_time(*at)),
            granted_by: access.granted.as_ref().map(|(_, by)| by.clone()),
        }
    }
}

fn source(access: &Access) -> &'static str {
    if access.granted.is_some() { "grant" } else { "admin" }
}

/// Who reaches a sub-account from this organization: its Admins, and those to whom it was granted.
#[utoipa::path(
    get, path = "/sub-accounts/{id}/access", tag = "Sub-accounts", operation_id = "list_sub_account_access",
    params(ListParameters, ("id" = String, Path, description = "Id of the sub-account")),
    responses((status = 200, description = "People with their roles there", body = AccessListView))
)]
pub(crate) async fn list(
    granted: Granted<(SubAccountsRead, UsersRead)>,
    id: PathId,
    query: ListQuery<AccessList>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = sub_accounts::list_access(&granted.caller, &shared.state.db, OrganizationId(id.0));
    let rows = timed(shared, rows).await?;
    let key = |row: &Access, field: &str| match field {
        "granted_at" => row.granted.as_ref().map_or(Key::Absent, |(at, _)| Key::Number(*at)),
        _ => Key::Text(row.user.to_string()),
    };
    let page = of_rows(rows, &query.page, key, |row| format!("{}/{}", row.user, source(row)));
    Ok(query.answer(page, AccessView::of))
}

/// Gives somebody access with exactly these roles.
#[utoipa::path(
    put, path = "/sub-accounts/{id}/access/{user}", tag = "Sub-accounts", operation_id = "grant_sub_account_access",
    params(
        ("id" = String, Path, description = "Id of the sub-account"),
        ("user" = String, Path, description = "Id of a person of this organization"),
    ),
    request_body = GrantBody,
    responses((status = 200, description = "What they hold there now", body = AccessView))
)]
pub(crate) async fn grant(
    granted: Granted<(SubAccountsWrite, UsersRead)>,
    id: PathId,
    user: PathUser,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, user) = (OrganizationId(id.0), ResourceId(user.0));
    timed(shared, sub_accounts::check_target(&granted.caller, &shared.state.db, id, user)).await?;
    let mut form = Form::of(&body.0)?;
    let roles = form.required("roles", texts);
    form.done()?;
    let access = timed(shared, sub_accounts::grant(&granted.caller, &shared.state.db, id, user, &roles)).await?;
    Ok(HttpResponse::Ok().json(AccessView::of(&access)))
}

/// Takes access from somebody. Admins of this organization keep it.
#[utoipa::path(
    delete, path = "/sub-accounts/{id}/access/{user}", tag = "Sub-accounts", operation_id = "revoke_sub_account_access",
    params(
        ("id" = String, Path, description = "Id of the sub-account"),
        ("user" = String, Path, description = "Id of a person of this organization"),
    ),
    responses((status = 204, description = "It is taken"))
)]
pub(crate) async fn revoke(
    granted: Granted<(SubAccountsWrite, UsersRead)>,
    id: PathId,
    user: PathUser,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, user) = (OrganizationId(id.0), ResourceId(user.0));
    timed(shared, sub_accounts::revoke(&granted.caller, &shared.state.db, id, user)).await?;
    Ok(HttpResponse::NoContent().finish())
}
