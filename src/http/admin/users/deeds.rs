//! What is done to one person.

use actix_web::HttpResponse;
use serde_json::Value;

use super::view::UserView;
use crate::domain::ids::ResourceId;
use crate::domain::ownership::LOCKED_FIELDS;
use crate::domain::person::{Action, ProfileChange};
use crate::http::Shared;
use crate::http::admin::body::{JsonBody, MergePatch, NoBodyNeeded};
use crate::http::admin::choice::RoleKey;
use crate::http::admin::form::{Form, Read, text, texts};
use crate::http::admin::granted::{ConnectionsWrite, Granted, Needs, UsersDelete, UsersWrite};
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::{single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::service::admin::Invalid;
use crate::service::admin::users::{self, PatchUser, Preferences, User};
use crate::service::scim::resources::Conditions;

/// What to change of a person (JSON Merge Patch).
#[derive(utoipa::ToSchema)]
#[schema(as = PatchUser)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    /// Moves `user_name` too where that was the address.
    email: Option<String>,
    user_name: Option<String>,
    name: Option<PatchNameBody>,
    /// null: none.
    phone: Option<String>,
    /// null: none.
    title: Option<String>,
    /// null: none.
    department: Option<String>,
    /// null: what the directory says.
    locale: Option<String>,
    /// null: what the directory says.
    time_zone: Option<String>,
    /// null: none.
    notes: Option<String>,
}

/// What to change of a name; null takes a part away.
#[derive(utoipa::ToSchema)]
#[schema(as = PatchName)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchNameBody {
    given: Option<String>,
    family: Option<String>,
    display: Option<String>,
}

/// All direct roles of a person.
#[derive(utoipa::ToSchema)]
#[schema(as = DirectRoles)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct RolesBody {
    roles: Vec<RoleKey>,
}

/// Why.
#[derive(utoipa::ToSchema)]
#[schema(as = Reason)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ReasonBody {
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Changes a person's profile. What a directory manages is changed there.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "Users", operation_id = "patch_user",
    params(("id" = String, Path, description = "Id of the person")),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The person", body = UserView))
)]
pub(crate) async fn patch(
    granted: Granted<UsersWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::Update).await?;
    let names_locked = LOCKED_FIELDS.iter().any(|field| body.0.get(field).is_some());
    timed(shared, users::check_locked(&granted.caller, &shared.state.db, id, names_locked)).await?;
    let patch = patch_of(&body.0)?;
    answer(timed(shared, users::patch(&granted.caller, &shared.state.db, id, expected, patch)).await?)
}

fn patch_of(body: &Value) -> Result<PatchUser, Problem> {
    let mut form = Form::of(body)?;
    let name = form.clearable("name", names).map(|name| name.unwrap_or([Some(None), Some(None), Some(None)]));
    let [given, family, display] = name.unwrap_or_default();
    let patch = PatchUser {
        profile: ProfileChange {
            email: form.change("email", text),
            user_name: form.change("user_name", text),
            given,
            family,
            display,
            phone: form.clearable("phone", text),
            title: form.clearable("title", text),
            department: form.clearable("department", text),
        },
        preferences: Preferences {
            locale: form.clearable("locale", text),
            time_zone: form.clearable("time_zone", text),
            notes: form.clearable("notes", text),
        },
    };
    form.done()?;
    Ok(patch)
}

type Names = [Option<Option<String>>; 3];

/// `given`, `family`, `display`: a merge patch inside of a merge patch.
fn names(value: &Value) -> Read<Names> {
    const KNOWN: [&str; 3] = ["given", "family", "display"];
    let wrong = |pointer: String, detail: &str| Invalid::new(pointer, detail);
    let Some(members) = value.as_object() else {
        return Err(vec![wrong(String::new(), "This must be an object.")]);
    };
    let mut errors: Vec<Invalid> = members
        .keys()
        .filter(|name| !KNOWN.contains(&name.as_str()))
        .map(|name| {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            wrong(pointer, "There is no such member here. Known are: given, family, display.")
        })
        .collect();
    let names = KNOWN.map(|name| match members.get(name) {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(_) => {
            errors.push(wrong(format!("/{name}"), "This must be a text."));
            None
        }
    });
    if errors.is_empty() { Ok(names) } else { Err(errors) }
}

/// Gives a person exactly these direct roles.
#[utoipa::path(
    put, path = "/users/{id}/roles", tag = "Users", operation_id = "set_user_roles",
    params(("id" = String, Path, description = "Id of the person")),
    request_body = RolesBody,
    responses((status = 200, description = "The person", body = UserView))
)]
pub(crate) async fn set_roles(
    granted: Granted<UsersWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::UpdateRoles).await?;
    let mut form = Form::of(&body.0)?;
    let keys = form.required("roles", texts);
    form.done()?;
    answer(timed(shared, users::set_roles(&granted.caller, &shared.state.db, id, expected, &keys)).await?)
}

/// Keeps a person out. The hold is kept here only: no directory is told, and none lifts it.
#[utoipa::path(
    post, path = "/users/{id}/suspend", tag = "Users", operation_id = "suspend_user",
    params(("id" = String, Path, description = "Id of the person")),
    request_body = ReasonBody,
    responses((status = 200, description = "The person", body = UserView))
)]
pub(crate) async fn suspend(
    granted: Granted<UsersWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::Suspend).await?;
    let reason = reason(&body.0)?;
    answer(timed(shared, users::suspend(&granted.caller, &shared.state.db, id, expected, reason)).await?)
}

/// Lifts the hold of `suspend`. Whom a directory keeps out as well stays out until it reactivates them.
#[utoipa::path(
    post, path = "/users/{id}/unsuspend", tag = "Users", operation_id = "unsuspend_user",
    params(("id" = String, Path, description = "Id of the person")),
    request_body = ReasonBody,
    responses((status = 200, description = "The person", body = UserView))
)]
pub(crate) async fn unsuspend(
    granted: Granted<UsersWrite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::Unsuspend).await?;
    let reason = reason(&body.0)?;
    answer(timed(shared, users::unsuspend(&granted.caller, &shared.state.db, id, expected, reason)).await?)
}

/// Deletes a person whom no directory manages.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "Users", operation_id = "delete_user",
    params(("id" = String, Path, description = "Id of the person")),
    responses((status = 204, description = "The person is gone"))
)]
pub(crate) async fn delete(
    granted: Granted<UsersDelete>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::Delete).await?;
    timed(shared, users::delete(&granted.caller, &shared.state.db, id, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a person local whom the directory has deactivated, and suspended until somebody lifts it. Only where the operator of
/// the service switched it on.
#[utoipa::path(
    post, path = "/users/{id}/release", tag = "Users", operation_id = "release_user",
    params(("id" = String, Path, description = "Id of the person")),
    responses((status = 200, description = "The person", body = UserView))
)]
pub(crate) async fn release(
    granted: Granted<(UsersDelete, ConnectionsWrite)>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, ResourceId(id.0));
    let expected = open(&granted, id, &conditions.0, Action::Release).await?;
    Form::of(&body.0)?.done()?;
    answer(timed(shared, users::release(&granted.caller, &shared.state.db, id, expected)).await?)
}

/// What comes before the body is judged.
async fn open<N: Needs>(
    granted: &Granted<N>,
    id: ResourceId,
    conditions: &Conditions,
    action: Action,
) -> Result<Option<i64>, Problem> {
    let shared: &Shared = &granted.shared;
    timed(shared, users::open(&granted.caller, &shared.state.db, id, conditions, action)).await
}

fn reason(body: &Value) -> Result<Option<String>, Problem> {
    let mut form = Form::of(body)?;
    let reason = form.optional("reason", text);
    form.done()?;
    Ok(reason.filter(|reason| !reason.trim().is_empty()))
}

fn answer(user: User) -> Result<HttpResponse, Problem> {
    single::read(&Conditions::default(), user.version(), UserView::of(&user))
}
