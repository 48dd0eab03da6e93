//! `/groups/{id}/members`: whom a group holds directly.

use actix_web::HttpResponse;
use serde::Serialize;

use super::choice::MemberType;
use super::export::{self, Exported};
use super::granted::{Exports, Format, Granted, GroupsRead, GroupsWrite};
use super::groups::expected;
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::path::{PathId, PathUser};
use super::problem::Problem;
use super::query::{NoQuery, invalid};
use super::timed;
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::compare;
use crate::service::admin::groups::{self, MemberFilter, MemberRow};

/// What the list of members offers.
pub(crate) struct MemberList;

impl Listing for MemberList {
    const FILTERS: &'static [&'static str] = &["q", "type"];
    const SORTS: &'static [&'static str] = &["id", "name"];
}

/// A member of a group.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = GroupMember)]
pub(crate) struct MemberView {
    /// Id of the person or group.
    id: String,
    /// `user` or `group`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its name for people; a person without one has their user name here.
    name: String,
    /// A person's user name.
    user_name: Option<String>,
    /// `local` or `external`.
    managed_by: &'static str,
}

/// Members, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = GroupMemberPage)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct MemberPageView {
    data: Vec<MemberView>,
    page: PageView,
}

impl MemberView {
    fn of(row: &MemberRow) -> Self {
        let name = row.display_name.clone().or_else(|| row.user_name.clone());
        MemberView {
            id: row.id.to_string(),
            kind: if row.is_group { "group" } else { "user" },
            name: name.unwrap_or_default(),
            user_name: row.user_name.clone(),
            managed_by: if row.connection == ConnectionId::LOCAL { "local" } else { "external" },
        }
    }
}

impl Exported for MemberView {
    const COLUMNS: &'static [&'static str] = &["id", "type", "name", "user_name", "managed_by"];

    fn cells(&self) -> Vec<String> {
        let user_name = self.user_name.clone().unwrap_or_default();
        vec![self.id.clone(), self.kind.to_owned(), self.name.clone(), user_name, self.managed_by.to_owned()]
    }
}

fn filter(query: &ListQuery<MemberList>) -> Result<MemberFilter, Problem> {
    let names = query.filter("q").into_iter().map(|text| compare::fold(text).into_owned()).collect();
    let mut filter = MemberFilter { names, is_group: None };
    for text in query.filter("type") {
        let is_group = match text {
            "group" => true,
            "user" => false,
            _ => return Err(invalid("type must be user or group.")),
        };
        // Both together select all.
        filter.is_group = if filter.is_group.is_some_and(|other| other != is_group) { None } else { Some(is_group) };
    }
    Ok(filter)
}

/// People and groups that a group holds directly.
#[utoipa::path(
    get, path = "/groups/{id}/members", tag = "Groups", operation_id = "list_group_members",
    params(
        ("id" = String, Path, description = "Id of the group"),
        ListParameters,
        ("q" = Option<Vec<String>>, Query, description = "Members whose name or user name holds this text, letter case aside"),
        ("type" = Option<Vec<MemberType>>, Query, description = "user or group"),
    ),
    responses((status = 200, description = "Members", body = MemberPageView))
)]
pub(super) async fn list(
    granted: Granted<GroupsRead, Exports>,
    id: PathId,
    query: ListQuery<MemberList>,
) -> Result<HttpResponse, Problem> {
    let (caller, shared, filter) = (granted.caller, granted.shared, filter(&query)?);
    let group = ResourceId(id.0);
    match granted.format {
        Format::Json => {
            let page = groups::list_members(&caller, &shared.state.db, group, &filter, &query.page);
            Ok(query.answer(timed(&shared, page).await?, MemberView::of))
        }
        format => {
            let load =
                async move |request| groups::list_members(&caller, &shared.state.db, group, &filter, &request).await;
            export::rows(format, query.whole()?, load, MemberView::of).await
        }
    }
}

/// Puts a person or a group into a group of the organization.
#[utoipa::path(
    put, path = "/groups/{id}/members/{user}", tag = "Groups", operation_id = "add_group_member",
    params(
        ("id" = String, Path, description = "Id of the group"),
        ("user" = String, Path, description = "Id of the person or group"),
    ),
    responses((status = 204, description = "It is a member"))
)]
pub(super) async fn add(
    granted: Granted<GroupsWrite>,
    id: PathId,
    member: PathUser,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (group, member) = (ResourceId(id.0), ResourceId(member.0));
    let expected = expected(&granted, id, &conditions.0, None).await?;
    timed(shared, groups::add_member(&granted.caller, &shared.state.db, group, member, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a person or a group out of a group of the organization.
#[utoipa::path(
    delete, path = "/groups/{id}/members/{user}", tag = "Groups", operation_id = "remove_group_member",
    params(
        ("id" = String, Path, description = "Id of the group"),
        ("user" = String, Path, description = "Id of the person or group"),
    ),
    responses((status = 204, description = "It is no member"))
)]
pub(super) async fn remove(
    granted: Granted<GroupsWrite>,
    id: PathId,
    member: PathUser,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (group, member) = (ResourceId(id.0), ResourceId(member.0));
    let expected = expected(&granted, id, &conditions.0, None).await?;
    timed(shared, groups::remove_member(&granted.caller, &shared.state.db, group, member, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}
