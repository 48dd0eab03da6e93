//! `/users`: the list of people and one of them. What is done to them is in `deeds` and `bulk`.

pub(super) mod bulk;
pub(super) mod data_export;
pub(super) mod deeds;
pub(in crate::http) mod view;

use actix_web::HttpResponse;

use super::export;
use super::granted::{Exports, Format, Granted, UsersRead};
use super::list::{ListParameters, ListQuery, Listing};
use super::path::PathId;
use super::problem::Problem;
use super::query::{NoQuery, invalid};
use super::{single, timed};
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::domain::permission::Role;
use crate::domain::person::Status;
use crate::http::admin::choice::{ManagedBy, MfaFilter, RoleKey, RoleSourceFilter, StatusFilter};
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::compare;
use crate::service::admin::users::{self, ListUsers, Mfa, RoleSourceKind, order};
use view::{UserPageView, UserView};

/// Longest text that is searched for, in characters.
const TEXT: usize = 200;

/// What the list of people offers.
pub(crate) struct UserList;

impl Listing for UserList {
    const FILTERS: &'static [&'static str] = &[
        "q",
        "status",
        "role",
        "role_source",
        "group",
        "managed_by",
        "connection",
        "mfa",
        "inactive_since",
        "created_after",
    ];
    const SORTS: &'static [&'static str] = &["name", "email", "status", "managed_by", "last_active_at", "created_at"];
}

/// Reads the filters.
pub(in crate::http) fn wanted(query: &ListQuery<UserList>) -> Result<ListUsers, Problem> {
    let mut wanted = ListUsers::default();
    for text in query.filter("q") {
        if text.is_empty() || text.chars().count() > TEXT {
            return Err(invalid(format!("q must have 1 to {TEXT} characters.")));
        }
        wanted.texts.push(text.to_owned());
    }
    for key in query.filter("status") {
        wanted
            .statuses
            .push(Status::parse(key).ok_or_else(|| invalid("status must be active, invited or suspended."))?);
    }
    for key in query.filter("role") {
        wanted
            .roles
            .push(Role::parse(key).ok_or_else(|| invalid("role must be the key of a role, such as read_only."))?);
    }
    for text in query.filter("role_source") {
        wanted.sources.push(match text {
            "direct" => RoleSourceKind::Direct,
            "group" => RoleSourceKind::Group,
            "directory" => RoleSourceKind::Directory,
            _ => return Err(invalid("role_source must be direct, group or directory.")),
        });
    }
    for text in query.filter("group") {
        wanted.groups.push(id("group", text)?);
    }
    for text in query.filter("managed_by") {
        wanted.managed.push(match text {
            "local" => false,
            "external" => true,
            _ => return Err(invalid("managed_by must be local or external.")),
        });
    }
    for text in query.filter("connection") {
        wanted.connections.push(ConnectionId(id("connection", text)?.0));
    }
    for text in query.filter("mfa") {
        wanted.mfa.push(Mfa::parse(text).ok_or_else(|| invalid("mfa must be on, off or at_identity_provider."))?);
    }
    // Of several times any may match: the one that selects most does for all.
    wanted.inactive_since = times(query, "inactive_since")?.into_iter().max();
    wanted.created_after = times(query, "created_after")?.into_iter().min();
    Ok(wanted)
}

fn id(name: &str, text: &str) -> Result<ResourceId, Problem> {
    ResourceId::parse(text).ok_or_else(|| invalid(format!("{name} must be an id.")))
}

fn times(query: &ListQuery<UserList>, name: &str) -> Result<Vec<i64>, Problem> {
    let wrong = || invalid(format!("{name} must be a time such as 2027-01-31T12:00:00Z."));
    query.filter(name).into_iter().map(|text| compare::instant(text).ok_or_else(wrong)).collect()
}

/// People of the organization, local ones and those of its directories. Who has no name, address or activity comes last in
/// an order by it.
#[utoipa::path(
    get, path = "/users", tag = "Users", operation_id = "list_users",
    params(
        ListParameters,
        ("q" = Option<Vec<String>>, Query, description = "People whose name, user name or an e-mail address holds this text, letter case aside"),
        ("status" = Option<Vec<StatusFilter>>, Query, description = "active, invited or suspended"),
        ("role" = Option<Vec<RoleKey>>, Query, description = "People who hold one of these roles, by key"),
        ("role_source" = Option<Vec<RoleSourceFilter>>, Query, description = "Where they hold it from, or any role: direct, group or directory"),
        ("group" = Option<Vec<String>>, Query, description = "People whom one of these groups holds directly, by id"),
        ("managed_by" = Option<Vec<ManagedBy>>, Query, description = "local or external"),
        ("connection" = Option<Vec<String>>, Query, description = "People of one of these connections, by id"),
        ("mfa" = Option<Vec<MfaFilter>>, Query, description = "on, off or at_identity_provider"),
        ("inactive_since" = Option<String>, Query, format = DateTime, description = "People who were not active since this time"),
        ("created_after" = Option<String>, Query, format = DateTime, description = "People who were created after this time"),
    ),
    responses((status = 200, description = "People", body = UserPageView))
)]
pub(super) async fn list(
    granted: Granted<UsersRead, Exports>,
    query: ListQuery<UserList>,
) -> Result<HttpResponse, Problem> {
    let (caller, shared, wanted) = (granted.caller, granted.shared, wanted(&query)?);
    if order(&query.page.sort).is_none() {
        return Err(invalid("sort takes status and managed_by first, then at most one of the others."));
    }
    match granted.format {
        Format::Json => {
            let page = timed(&shared, users::list(&caller, &shared.state.db, &wanted, &query.page)).await?;
            Ok(query.answer(page, UserView::of))
        }
        format => {
            let load = async move |request| users::list(&caller, &shared.state.db, &wanted, &request).await;
            export::rows(format, query.whole()?, load, UserView::of).await
        }
    }
}

/// One person.
#[utoipa::path(
    get, path = "/users/{id}", tag = "Users", operation_id = "get_user",
    params(("id" = String, Path, description = "Id of the person")),
    responses((status = 200, description = "The person", body = UserView))
)]
pub(super) async fn get(
    granted: Granted<UsersRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, users::get(&granted.caller, &shared.state.db, ResourceId(id.0))).await?;
    single::read(&conditions.0, found.version(), UserView::of(&found))
}
