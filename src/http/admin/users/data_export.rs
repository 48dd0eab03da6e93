//! `GET /users/{id}/export`: everything that is stored about one person.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::TryStreamExt as _;

use super::view::HeldRoleView;
use crate::domain::ids::ResourceId;
use crate::http::admin::granted::{AuditRead, Granted, UsersRead};
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::service::admin::users;

/// What is stored about a person. Members of each part may be added.
#[derive(utoipa::ToSchema)]
#[schema(as = UserExport)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ExportView {
    #[schema(format = DateTime)]
    exported_at: String,
    /// Id of the organization.
    organization: String,
    #[schema(value_type = Object)]
    user: (),
    /// The document as the person's directory reads it.
    #[schema(value_type = Object)]
    scim: (),
    /// Roles with each of their sources.
    roles: Vec<HeldRoleView>,
    #[schema(value_type = Vec<Object>)]
    groups: (),
    #[schema(value_type = Vec<Object>)]
    invitations: (),
    /// Sub-accounts that the person was given access to.
    #[schema(value_type = Vec<Object>)]
    sub_accounts: (),
    /// Events about the person, and of deeds of theirs.
    #[schema(value_type = Vec<Object>)]
    events: (),
    /// Requests of identity providers about the person.
    #[schema(value_type = Vec<Object>)]
    provisioning_log: (),
}

/// Everything that is stored about a person, as one document, without secrets. The log keeps that it was given out.
#[utoipa::path(
    get, path = "/users/{id}/export", tag = "Users", operation_id = "export_user",
    params(("id" = String, Path, description = "Id of the person")),
    responses((status = 200, description = "The document", body = ExportView))
)]
pub(crate) async fn export(
    granted: Granted<(UsersRead, AuditRead)>,
    id: PathId,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = shared.state.db.clone();
    let begun = timed(shared, users::export(&granted.caller, &db, ResourceId(id.0))).await?;
    let failed = |error: &_| log::error!("an export of a person breaks off: {error}");
    let body = begun.pieces(db).map_ok(Bytes::from).inspect_err(failed);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"user-{}.json\"", id.0)))
        .streaming(Box::pin(body)))
}
