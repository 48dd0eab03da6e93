//! `POST /users/bulk`: one deed on many people.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::ids::ResourceId;
use crate::domain::permission::{Role, RoleSet};
use crate::http::admin::body::JsonBody;
use crate::http::admin::choice::{BulkAction, RoleKey};
use crate::http::admin::form::{Form, Read, flag, text, texts};
use crate::http::admin::granted::{Granted, UsersWrite};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::service::admin::Invalid;
use crate::service::admin::users::{self, BulkDeed, MOST};

/// A deed on many people.
#[derive(utoipa::ToSchema)]
#[schema(as = BulkUsers)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct BulkBody {
    action: BulkAction,
    #[schema(min_items = 1, max_items = 200)]
    ids: Vec<String>,
    /// With `suspend` and `unsuspend`.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// With `add_roles` and `remove_roles`: keys of roles.
    roles: Option<Vec<RoleKey>>,
    /// With `add_to_group` and `remove_from_group`: the id of a group.
    group: Option<String>,
    /// true: tells what would be done, and does nothing.
    dry_run: Option<bool>,
}

/// What it came to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = BulkResults)]
pub(crate) struct BulkView {
    /// For each of the ids, in their order.
    results: Vec<ResultView>,
    done: usize,
    refused: usize,
}

/// What it came to for one person.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = BulkResult)]
pub(crate) struct ResultView {
    id: String,
    /// `done` or `refused`.
    outcome: &'static str,
    /// Why it was refused: what the route for one person would have answered.
    #[schema(value_type = Option<Object>)]
    problem: Option<Map<String, Value>>,
}

/// Does one thing to many people. Each obeys all rules alone.
#[utoipa::path(
    post, path = "/users/bulk", tag = "Users", operation_id = "bulk_users",
    request_body = BulkBody,
    responses((status = 200, description = "What it came to", body = BulkView))
)]
pub(crate) async fn bulk(granted: Granted<UsersWrite>, _: NoQuery, body: JsonBody) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (&granted.shared, &granted.caller);
    let mut form = Form::of(&body.0)?;
    let action = form.required("action", action);
    let ids = form.required("ids", ids);
    let rehearse = form.optional("dry_run", flag).unwrap_or_default();
    let deed = match action {
        Kind::Suspend => BulkDeed::Suspend { reason: form.optional("reason", text) },
        Kind::Unsuspend => BulkDeed::Unsuspend { reason: form.optional("reason", text) },
        Kind::Delete => BulkDeed::Delete,
        Kind::AddRoles => BulkDeed::AddRoles(form.required("roles", roles)),
        Kind::RemoveRoles => BulkDeed::RemoveRoles(form.required("roles", roles)),
        Kind::AddToGroup => BulkDeed::AddToGroup(form.required("group", group).0),
        Kind::RemoveFromGroup => BulkDeed::RemoveFromGroup(form.required("group", group).0),
    };
    form.done()?;
    let parsed = ids.iter().map(|id| ResourceId::parse(id)).collect();
    let outcomes = timed(shared, users::bulk(caller, &shared.state.db, deed, parsed, rehearse)).await?;
    let url = &shared.state.settings.public_url;
    let results: Vec<ResultView> = ids
        .into_iter()
        .zip(outcomes)
        .map(|(id, outcome)| match outcome {
            Ok(()) => ResultView { id, outcome: "done", problem: None },
            Err(refused) => {
                let problem = Problem::from(refused).body(url, &caller.request_id);
                ResultView { id, outcome: "refused", problem: Some(problem) }
            }
        })
        .collect();
    let done = results.iter().filter(|result| result.problem.is_none()).count();
    Ok(HttpResponse::Ok().json(BulkView { done, refused: results.len() - done, results }))
}

/// `action`
#[derive(Clone, Copy, Default)]
pub(in crate::http::admin) enum Kind {
    #[default]
    Suspend,
    Unsuspend,
    Delete,
    AddRoles,
    RemoveRoles,
    AddToGroup,
    RemoveFromGroup,
}

/// The deeds by name.
pub(in crate::http::admin) const KINDS: [(&str, Kind); 7] = [
    ("suspend", Kind::Suspend),
    ("unsuspend", Kind::Unsuspend),
    ("delete", Kind::Delete),
    ("add_roles", Kind::AddRoles),
    ("remove_roles", Kind::RemoveRoles),
    ("add_to_group", Kind::AddToGroup),
    ("remove_from_group", Kind::RemoveFromGroup),
];

fn action(value: &Value) -> Read<Kind> {
    let found = KINDS.iter().find(|(name, _)| value == name).map(|(_, kind)| *kind);
    found.ok_or_else(|| {
        let names = KINDS.map(|(name, _)| name).join(", ");
        vec![Invalid::new("", format!("This must be one of {names}."))]
    })
}

fn ids(value: &Value) -> Read<Vec<String>> {
    let ids = texts(value)?;
    if ids.is_empty() || ids.len() > MOST {
        return Err(vec![Invalid::new("", format!("This must be a list of 1 to {MOST} ids."))]);
    }
    Ok(ids)
}

fn roles(value: &Value) -> Read<RoleSet> {
    let keys = texts(value)?;
    let unknown = keys.iter().enumerate().filter(|(_, key)| Role::parse(key).is_none());
    let errors: Vec<Invalid> =
        unknown.map(|(at, _)| Invalid::new(format!("/{at}"), "This must be the key of a role.")).collect();
    if errors.is_empty() { Ok(keys.iter().filter_map(|key| Role::parse(key)).collect()) } else { Err(errors) }
}

/// Stands for a group until the form is judged.
struct Group(ResourceId);

impl Default for Group {
    fn default() -> Self {
        Group(ResourceId(uuid::Uuid::nil()))
    }
}

fn group(value: &Value) -> Read<Group> {
    let id = value.as_str().and_then(ResourceId::parse);
    id.map(Group).ok_or_else(|| vec![Invalid::new("", "This must be the id of a group.")])
}
