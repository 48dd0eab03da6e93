//! `GET /roles`: the built-in roles and what they permit.

use actix_web::HttpResponse;
use serde::Serialize;

use super::choice::RoleKey;
use super::export::{self, Exported};
use super::granted::{Exports, Format, Granted, RolesRead};
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::problem::Problem;
use super::query::invalid;
use super::timed;
use crate::domain::permission::{Permission, PermissionSet, Reach, Role};
use crate::service::admin::roles::{self, Holders};

/// What the list of roles offers.
pub(crate) struct Roles;

impl Listing for Roles {
    const FILTERS: &'static [&'static str] = &["key"];
    const SORTS: &'static [&'static str] = &["key", "name"];
}

/// A role.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleView {
    /// Its name in the API and over SCIM.
    key: &'static str,
    /// Its name for people.
    name: &'static str,
    /// What it is for.
    description: &'static str,
    /// What it permits.
    permissions: Vec<&'static str>,
    /// How many people hold it.
    member_count: HoldersView,
    /// How many groups are mapped to it.
    group_count: i64,
    /// What it permits in part: of `organization.read` the name only, of API keys one's own only.
    limited_permissions: Vec<&'static str>,
}

/// How many people hold a role; who has it from several sources counts once in `total` and in each source.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RoleHolders)]
pub(crate) struct HoldersView {
    total: i64,
    /// Given to the person.
    direct: i64,
    /// By a group that is mapped to it.
    group: i64,
    /// By their directory.
    directory: i64,
}

/// Roles, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = RoleList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct RoleListView {
    data: Vec<RoleView>,
    page: PageView,
}

impl RoleView {
    fn of((role, holders): &(Role, Holders)) -> Self {
        let set = PermissionSet::of((*role).into());
        let with = |wanted: Reach| {
            let found = set.iter().filter(move |(_, reach)| *reach == wanted);
            found.map(|(permission, _): (Permission, _)| permission.key()).collect()
        };
        RoleView {
            key: role.key(),
            name: role.name(),
            description: role.description(),
            permissions: with(Reach::Full),
            member_count: HoldersView {
                total: holders.all,
                direct: holders.direct,
                group: holders.group,
                directory: holders.directory,
            },
            group_count: holders.groups,
            limited_permissions: with(Reach::Limited),
        }
    }
}

impl Exported for RoleView {
    const COLUMNS: &'static [&'static str] =
        &["key", "name", "description", "permissions", "limited_permissions", "member_count", "group_count"];

    fn cells(&self) -> Vec<String> {
        let texts = [self.key, self.name, self.description].map(str::to_owned);
        let lists = [&self.permissions, &self.limited_permissions].map(|list| list.join(" "));
        let counts = [self.member_count.total, self.group_count].map(|count| count.to_string());
        texts.into_iter().chain(lists).chain(counts).collect()
    }
}

/// The built-in roles and what they permit.
#[utoipa::path(
    get, path = "/roles", tag = "Roles",
    params(ListParameters, ("key" = Option<Vec<RoleKey>>, Query, description = "Roles with one of these keys")),
    responses((status = 200, description = "Roles", body = RoleListView))
)]
pub(super) async fn list(
    granted: Granted<RolesRead, Exports>,
    query: ListQuery<Roles>,
) -> Result<HttpResponse, Problem> {
    let mut keys = Vec::new();
    for key in query.filter("key") {
        keys.push(Role::parse(key).ok_or_else(|| invalid("key must be the key of a role, such as read_only."))?);
    }
    let (caller, shared) = (granted.caller, granted.shared);
    match granted.format {
        Format::Json => {
            let page = timed(&shared, roles::list(&caller, &shared.state.db, &keys, &query.page)).await?;
            Ok(query.answer(page, RoleView::of))
        }
        format => {
            let load = async move |request| roles::list(&caller, &shared.state.db, &keys, &request).await;
            export::rows(format, query.whole()?, load, RoleView::of).await
        }
    }
}
