//! `GET /organization`: the caller's own.

use actix_web::HttpResponse;
use serde::Serialize;

use super::granted::{Granted, OrganizationRead};
use super::problem::Problem;
use super::query::NoQuery;
use super::{single, timed};
use crate::domain::permission::Permission;
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::organization;

/// An organization. Someone who may see its name only gets no other member.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    /// Its name for people.
    name: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<OrganizationDetails>,
}

/// What not everybody sees of an organization.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct OrganizationDetails {
    id: String,
    /// Its short name, unique in the service.
    slug: String,
    /// `active`, `suspended` or `archived`.
    state: String,
    created_at: String,
    updated_at: String,
}

/// The organization of the credential.
#[utoipa::path(
    get, path = "/organization", tag = "Organization",
    responses((status = 200, description = "The organization", body = OrganizationView))
)]
pub(super) async fn get(
    granted: Granted<OrganizationRead>,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, organization::get(&granted.caller, &shared.state.db)).await?;
    let details = granted.caller.may_fully(Permission::OrganizationRead).then(|| OrganizationDetails {
        id: found.id.to_string(),
        slug: found.slug,
        state: found.state,
        created_at: date_time(found.created),
        updated_at: date_time(found.modified),
    });
    single::read(&conditions.0, found.version, OrganizationView { name: found.name, details })
}
