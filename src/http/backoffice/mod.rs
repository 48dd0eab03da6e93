//! The backoffice API (`/backoffice/v1`) of the service's operators: its routes as one list, with the conventions of the
//! admin API (problems, lists, conditions, repeats, rates).

mod blocks;
mod connections;
mod deed;
mod domains;
mod granted;
mod held;
mod jobs;
mod logs;
mod operators;
mod organizations;
mod system;
mod users;

use std::sync::{Arc, OnceLock};

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::web;

use super::Shared;
use super::admin::endpoint::{self, Endpoint};
use super::admin::layer::{Layer, Surface};
use super::admin::pattern_of;
use super::admin::problem::Problem;
use granted::Duty;

/// Path of the API under the public URL.
pub const BASE: &str = "/backoffice/v1";
/// What the layer is around.
const SURFACE: &str = "/backoffice";
/// The API inside of it.
const VERSION: &str = "/v1";

/// All routes.
fn endpoints() -> Vec<Endpoint<Duty>> {
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    vec![
        Endpoint::at(get.clone(), "/organizations", organizations::list),
        Endpoint::at(post.clone(), "/organizations", organizations::create),
        Endpoint::at(get.clone(), "/organizations/{id}", organizations::get),
        Endpoint::at(patch, "/organizations/{id}", organizations::patch),
        Endpoint::at(post.clone(), "/organizations/{id}/suspend", organizations::suspend),
        Endpoint::at(post.clone(), "/organizations/{id}/unsuspend", organizations::unsuspend),
        Endpoint::at(post.clone(), "/organizations/{id}/bootstrap-link", organizations::bootstrap_link),
        Endpoint::at(get.clone(), "/users", users::search),
        Endpoint::at(get.clone(), "/organizations/{id}/users", users::list),
        Endpoint::at(get.clone(), "/organizations/{id}/users/{uid}", users::get),
        Endpoint::at(delete.clone(), "/organizations/{id}/users/{uid}", users::delete),
        Endpoint::at(post.clone(), "/organizations/{id}/users/{uid}/release", users::release),
        Endpoint::at(get.clone(), "/organizations/{id}/blocks", blocks::list),
        Endpoint::at(delete.clone(), "/organizations/{id}/blocks/{bid}", blocks::lift),
        Endpoint::at(get.clone(), "/organizations/{id}/domains", domains::list),
        Endpoint::at(post.clone(), "/organizations/{id}/domains", domains::verify),
        Endpoint::at(get.clone(), "/organizations/{id}/domains/{domain}", domains::get),
        Endpoint::at(delete.clone(), "/organizations/{id}/domains/{domain}", domains::remove),
        Endpoint::at(get.clone(), "/connections", connections::list),
        Endpoint::at(post.clone(), "/connections/{id}/pause", connections::pause),
        Endpoint::at(get.clone(), "/connections/{id}/held-changes", held::list),
        Endpoint::at(post.clone(), "/connections/{id}/held-changes/release", held::release),
        Endpoint::at(post.clone(), "/connections/{id}/held-changes/discard", held::discard),
        Endpoint::at(get.clone(), "/jobs", jobs::list),
        Endpoint::at(get.clone(), "/audit-events", logs::audit_events),
        Endpoint::at(get.clone(), "/provisioning-log", logs::provisioning_log),
        Endpoint::at(get.clone(), "/operators", operators::list),
        Endpoint::at(post, "/operators", operators::create),
        Endpoint::at(delete, "/operators/{id}", operators::remove),
        Endpoint::at(get, "/system", system::get),
    ]
}

/// Method, path under the base, and whether it is a deed, of every route.
pub fn routes() -> Vec<(Method, String, bool)> {
    endpoints()
        .into_iter()
        .map(|endpoint| (endpoint.method, endpoint.path, endpoint.permission == Duty::Write))
        .collect()
}

/// Whether a path belongs to this surface.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix(SURFACE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The pattern of a path's route, for log and metrics; static, so that their number is bounded.
pub(crate) fn route_of(path: &str) -> &'static str {
    static PATTERNS: OnceLock<Vec<String>> = OnceLock::new();
    let patterns = || endpoints().into_iter().map(|endpoint| format!("{BASE}{}", endpoint.path)).collect();
    pattern_of(PATTERNS.get_or_init(patterns), path)
}

/// The API inside its layer.
pub(super) fn scope(shared: &Arc<Shared>) -> impl HttpServiceFactory + use<> {
    let mut scope = web::scope(SURFACE).wrap(Layer::new(Arc::clone(shared), Surface::Backoffice));
    for resource in endpoint::resources(endpoints(), VERSION) {
        scope = scope.service(resource);
    }
    scope.default_service(web::to(|| async { Err::<&str, _>(Problem::not_found()) }))
}
