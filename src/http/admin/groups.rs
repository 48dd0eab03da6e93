//! `/groups` and the role mapping of a group; its members are in `group_members`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::Serialize;

use super::body::{JsonBody, MergePatch};
use super::choice::{ManagedBy, RoleKey};
use super::export::{self, Exported};
use super::form::{Form, text, texts};
use super::granted::{Exports, Format, Granted, GroupsRead, GroupsWrite};
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::path::PathId;
use super::problem::Problem;
use super::query::{NoQuery, invalid};
use super::{BASE, single, timed};
use crate::domain::group::{LOCKED_FIELDS, text_of};
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::domain::permission::{Role, RoleSet};
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::compare;
use crate::protocol::splice::date_time;
use crate::service::admin::groups::{self, CreateGroup, GroupEntry, GroupFilter, PatchGroup};
use crate::service::scim::resources::Conditions;

/// What the list of groups offers.
pub(crate) struct GroupList;

impl Listing for GroupList {
    const FILTERS: &'static [&'static str] = &["q", "role", "managed_by", "connection", "member"];
    const SORTS: &'static [&'static str] = &["name", "created_at", "updated_at"];
}

/// A connection to an identity provider, in short.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionReference)]
pub(crate) struct ConnectionReferenceView {
    pub(super) id: String,
    pub(super) name: String,
    /// `okta`, `entra`, `custom` …
    pub(super) provider: String,
}

/// A group.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupView {
    id: String,
    /// Unique in the organization, letter case aside.
    name: String,
    description: String,
    /// `local` or `external`.
    managed_by: &'static str,
    /// The directory that manages it, where one does.
    connection: Option<ConnectionReferenceView>,
    /// Its id in the directory.
    external_id: Option<String>,
    /// What only the directory changes.
    locked_fields: &'static [&'static str],
    /// People and groups that it holds directly.
    member_count: i64,
    /// Keys of the roles that membership brings.
    roles: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Groups, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = GroupPage)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct GroupPageView {
    data: Vec<GroupView>,
    page: PageView,
}

/// A group to create.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateGroup)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Ids of people and groups.
    #[schema(max_items = 1000)]
    members: Option<Vec<String>>,
    /// Keys of roles.
    roles: Option<Vec<RoleKey>>,
}

/// What to change of a group; members that are absent stay as they are.
#[derive(utoipa::ToSchema)]
#[schema(as = PatchGroup)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 500)]
    description: Option<String>,
}

/// All roles that a group is to be mapped to.
#[derive(utoipa::ToSchema)]
#[schema(as = RoleMapping)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct MappingBody {
    roles: Vec<RoleKey>,
}

impl GroupView {
    fn of(entry: &GroupEntry) -> Self {
        let is_local = entry.connection == ConnectionId::LOCAL;
        let connection = (!is_local).then(|| ConnectionReferenceView {
            id: entry.connection.to_string(),
            name: entry.connection_name.clone().unwrap_or_default(),
            provider: entry.provider.clone().unwrap_or_default(),
        });
        GroupView {
            id: entry.id.to_string(),
            name: entry.name.clone(),
            description: groups::description(entry),
            managed_by: if is_local { "local" } else { "external" },
            connection,
            external_id: if is_local { None } else { text_of(&entry.document, "externalId") },
            locked_fields: if is_local { &[] } else { &LOCKED_FIELDS },
            member_count: entry.members,
            roles: entry.roles.iter().map(Role::key).collect(),
            created_at: date_time(entry.created),
            updated_at: date_time(entry.modified),
        }
    }
}

impl Exported for GroupView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "managed_by",
        "connection",
        "external_id",
        "member_count",
        "roles",
        "created_at",
        "updated_at",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.description.clone(),
            self.managed_by.to_owned(),
            self.connection.as_ref().map(|connection| connection.name.clone()).unwrap_or_default(),
            self.external_id.clone().unwrap_or_default(),
            self.member_count.to_string(),
            self.roles.join(" "),
            self.created_at.clone(),
            self.updated_at.clone(),
        ]
    }
}

/// Reads the filters of the list.
fn filter(query: &ListQuery<GroupList>) -> Result<GroupFilter, Problem> {
    let mut filter = GroupFilter {
        names: query.filter("q").into_iter().map(|text| compare::fold(text).into_owned()).collect(),
        ..GroupFilter::default()
    };
    for key in query.filter("role") {
        let role = Role::parse(key).ok_or_else(|| invalid("role must be the key of a role, such as read_only."))?;
        filter.roles = filter.roles.union(RoleSet::from(role));
    }
    for text in query.filter("managed_by") {
        let is_managed = match text {
            "local" => false,
            "external" => true,
            _ => return Err(invalid("managed_by must be local or external.")),
        };
        // Both together select all.
        filter.is_managed =
            if filter.is_managed.is_some_and(|other| other != is_managed) { None } else { Some(is_managed) };
    }
    for text in query.filter("connection") {
        filter.connections.push(ConnectionId(id("connection", text)?.0));
    }
    for text in query.filter("member") {
        filter.members.push(id("member", text)?);
    }
    Ok(filter)
}

fn id(name: &str, text: &str) -> Result<ResourceId, Problem> {
    ResourceId::parse(text).ok_or_else(|| invalid(format!("{name} must be an id.")))
}

/// Groups of the organization and of its directories.
#[utoipa::path(
    get, path = "/groups", tag = "Groups", operation_id = "list_groups",
    params(
        ListParameters,
        ("q" = Option<Vec<String>>, Query, description = "Groups whose name holds this text, letter case aside"),
        ("role" = Option<Vec<RoleKey>>, Query, description = "Groups mapped to one of these roles"),
        ("managed_by" = Option<Vec<ManagedBy>>, Query, description = "local or external"),
        ("connection" = Option<Vec<String>>, Query, description = "Groups of one of these connections, by id"),
        ("member" = Option<Vec<String>>, Query, description = "Groups that hold one of these people or groups directly, by id"),
    ),
    responses((status = 200, description = "Groups", body = GroupPageView))
)]
pub(super) async fn list(
    granted: Granted<GroupsRead, Exports>,
    query: ListQuery<GroupList>,
) -> Result<HttpResponse, Problem> {
    let (caller, shared, filter) = (granted.caller, granted.shared, filter(&query)?);
    match granted.format {
        Format::Json => {
            let page = timed(&shared, groups::list(&caller, &shared.state.db, &filter, &query.page)).await?;
            Ok(query.answer(page, GroupView::of))
        }
        format => {
            let load = async move |request| groups::list(&caller, &shared.state.db, &filter, &request).await;
            export::rows(format, query.whole()?, load, GroupView::of).await
        }
    }
}

/// Makes a group of the organization.
#[utoipa::path(
    post, path = "/groups", tag = "Groups", operation_id = "create_group",
    request_body = CreateBody,
    responses((status = 201, description = "The group", body = GroupView))
)]
pub(super) async fn create(granted: Granted<GroupsWrite>, _: NoQuery, body: JsonBody) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let new = CreateGroup {
        name: form.required("name", text),
        description: form.optional("description", text).unwrap_or_default(),
        members: form.optional("members", texts).unwrap_or_default(),
        roles: form.optional("roles", texts).unwrap_or_default(),
    };
    form.done()?;
    let made = timed(shared, groups::create(&granted.caller, &shared.state.db, new)).await?;
    let view = GroupView::of(&made);
    let location = format!("{}{BASE}/groups/{}", shared.state.settings.public_url, view.id);
    let mut response = HttpResponse::build(StatusCode::CREATED);
    response.insert_header((header::LOCATION, location));
    if let Some(tag) = single::tag(groups::version(&made)) {
        response.insert_header((header::ETAG, tag));
    }
    Ok(response.json(view))
}

/// One group.
#[utoipa::path(
    get, path = "/groups/{id}", tag = "Groups", operation_id = "get_group",
    params(("id" = String, Path, description = "Id of the group")),
    responses((status = 200, description = "The group", body = GroupView))
)]
pub(super) async fn get(
    granted: Granted<GroupsRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, groups::get(&granted.caller, &shared.state.db, ResourceId(id.0))).await?;
    single::read(&conditions.0, groups::version(&found), GroupView::of(&found))
}

/// Changes a group of the organization.
#[utoipa::path(
    patch, path = "/groups/{id}", tag = "Groups", operation_id = "patch_group",
    params(("id" = String, Path, description = "Id of the group")),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The group", body = GroupView))
)]
pub(super) async fn patch(
    granted: Granted<GroupsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ResourceId(id.0), expected(&granted, id, &conditions.0, Some("group.update")).await?);
    let mut form = Form::of(&body.0)?;
    let patch = PatchGroup {
        name: form.change("name", text),
        description: form.clearable("description", text).map(Option::unwrap_or_default),
    };
    form.done()?;
    let changed = timed(shared, groups::patch(&granted.caller, &shared.state.db, id, expected, patch)).await?;
    single::read(&Conditions::default(), groups::version(&changed), GroupView::of(&changed))
}

/// Deletes a group of the organization.
#[utoipa::path(
    delete, path = "/groups/{id}", tag = "Groups", operation_id = "delete_group",
    params(("id" = String, Path, description = "Id of the group")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    granted: Granted<GroupsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ResourceId(id.0), expected(&granted, id, &conditions.0, None).await?);
    timed(shared, groups::delete(&granted.caller, &shared.state.db, id, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Maps a group to exactly these roles; also a group that a directory manages.
#[utoipa::path(
    put, path = "/groups/{id}/role-mapping", tag = "Groups", operation_id = "map_group",
    params(("id" = String, Path, description = "Id of the group")),
    request_body = MappingBody,
    responses((status = 200, description = "The group", body = GroupView))
)]
pub(super) async fn map(
    granted: Granted<GroupsWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ResourceId(id.0), expected(&granted, id, &conditions.0, None).await?);
    let mut form = Form::of(&body.0)?;
    let roles = form.required("roles", texts);
    form.done()?;
    let changed = timed(shared, groups::map(&granted.caller, &shared.state.db, id, expected, &roles)).await?;
    single::read(&Conditions::default(), groups::version(&changed), GroupView::of(&changed))
}

/// Judges existence, conditions and, for `action`, ownership before the body is (404, 412, 403, 422 in that order); answers
/// the version that a write must find, where the client insists on one.
pub(super) async fn expected(
    granted: &Granted<GroupsWrite>,
    id: PathId,
    conditions: &Conditions,
    action: Option<&'static str>,
) -> Result<Option<i64>, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, groups::get(&granted.caller, &shared.state.db, ResourceId(id.0))).await?;
    let version = groups::version(&found);
    let expected = single::expected(conditions, version)?;
    if let Some(action) = action {
        groups::check_local(&found, action)?;
    }
    Ok(expected)
}
