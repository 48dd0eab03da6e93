//! The admin API (`/api/v1`): its routes as one list, inside the one layer that authenticates all of them.

mod api_keys;
pub(in crate::http) mod argument;
pub(in crate::http) mod audit_events;
pub(in crate::http) mod body;
mod choice;
pub(crate) mod code;
pub(in crate::http) mod connections;
mod docs;
pub(crate) mod domains;
pub(in crate::http) mod endpoint;
pub(in crate::http) mod export;
pub(in crate::http) mod form;
mod granted;
mod group_members;
mod groups;
mod help;
pub(in crate::http) mod idempotency;
mod invitations;
pub(in crate::http) mod layer;
pub(in crate::http) mod list;
mod openapi;
mod organization;
pub(in crate::http) mod path;
pub(crate) mod problem;
pub(in crate::http) mod provisioning_log;
pub(in crate::http) mod query;
mod roles;
mod security_settings;
pub(in crate::http) mod single;
mod sub_accounts;
pub(in crate::http) mod users;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use actix_web::dev::HttpServiceFactory;
use actix_web::http::{Method, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Route, guard};

use super::Shared;
use super::deadline::within;
use crate::domain::permission::Permission;
use endpoint::Endpoint;
use layer::{Layer, Surface};
use path::PathId;
use problem::Problem;

/// Path of the API under the public URL.
pub const BASE: &str = "/api/v1";
/// What the layer is around.
const SURFACE: &str = "/api";
const DOCUMENT: &str = "/api/v1/openapi.json";

/// All routes.
fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::of::<api_keys::__path_list, _, _>(api_keys::list),
        Endpoint::of::<api_keys::__path_create, _, _>(api_keys::create),
        Endpoint::of::<api_keys::__path_get, _, _>(api_keys::get),
        Endpoint::of::<api_keys::__path_patch, _, _>(api_keys::patch),
        Endpoint::of::<api_keys::__path_revoke, _, _>(api_keys::revoke),
        Endpoint::of::<api_keys::__path_rotate, _, _>(api_keys::rotate),
        Endpoint::of::<connections::__path_list, _, _>(connections::list),
        Endpoint::of::<connections::__path_create, _, _>(connections::create),
        Endpoint::of::<connections::__path_get, _, _>(connections::get),
        Endpoint::of::<connections::__path_patch, _, _>(connections::patch),
        Endpoint::of::<connections::__path_observe, _, _>(connections::observe),
        Endpoint::of::<connections::__path_activate, _, _>(connections::activate),
        Endpoint::of::<connections::__path_pause, _, _>(connections::pause),
        Endpoint::of::<connections::__path_resume, _, _>(connections::resume),
        Endpoint::of::<connections::__path_decommission, _, _>(connections::decommission),
        Endpoint::of::<connections::held::__path_list, _, _>(connections::held::list),
        Endpoint::of::<connections::held::__path_release, _, _>(connections::held::release),
        Endpoint::of::<connections::held::__path_discard, _, _>(connections::held::discard),
        Endpoint::of::<connections::tokens::__path_list, _, _>(connections::tokens::list),
        Endpoint::of::<connections::tokens::__path_create, _, _>(connections::tokens::create),
        Endpoint::of::<connections::tokens::__path_rotate, _, _>(connections::tokens::rotate),
        Endpoint::of::<connections::tokens::__path_revoke, _, _>(connections::tokens::revoke),
        Endpoint::of::<connections::adoptions::__path_list, _, _>(connections::adoptions::list),
        Endpoint::of::<connections::adoptions::__path_accept, _, _>(connections::adoptions::accept),
        Endpoint::of::<connections::adoptions::__path_refuse, _, _>(connections::adoptions::refuse),
        Endpoint::of::<domains::__path_list, _, _>(domains::list),
        Endpoint::of::<domains::__path_create, _, _>(domains::create),
        Endpoint::of::<domains::__path_get, _, _>(domains::get),
        Endpoint::of::<domains::__path_verify, _, _>(domains::verify),
        Endpoint::of::<domains::__path_delete, _, _>(domains::delete),
        Endpoint::of::<groups::__path_list, _, _>(groups::list),
        Endpoint::of::<groups::__path_create, _, _>(groups::create),
        Endpoint::of::<groups::__path_get, _, _>(groups::get),
        Endpoint::of::<groups::__path_patch, _, _>(groups::patch),
        Endpoint::of::<groups::__path_delete, _, _>(groups::delete),
        Endpoint::of::<groups::__path_map, _, _>(groups::map),
        Endpoint::of::<group_members::__path_list, _, _>(group_members::list),
        Endpoint::of::<group_members::__path_add, _, _>(group_members::add),
        Endpoint::of::<group_members::__path_remove, _, _>(group_members::remove),
        Endpoint::of::<audit_events::__path_list, _, _>(audit_events::list),
        Endpoint::of::<audit_events::__path_get, _, _>(audit_events::get),
        Endpoint::of::<invitations::__path_list, _, _>(invitations::list),
        Endpoint::of::<invitations::__path_create, _, _>(invitations::create),
        Endpoint::of::<invitations::__path_resend, _, _>(invitations::resend),
        Endpoint::of::<invitations::__path_withdraw, _, _>(invitations::withdraw),
        Endpoint::of::<organization::__path_get, _, _>(organization::get),
        Endpoint::of::<provisioning_log::__path_list, _, _>(provisioning_log::list),
        Endpoint::of::<provisioning_log::__path_get, _, _>(provisioning_log::get),
        Endpoint::of::<provisioning_log::__path_replay, _, _>(provisioning_log::replay),
        Endpoint::of::<roles::__path_list, _, _>(roles::list),
        Endpoint::of::<security_settings::__path_get, _, _>(security_settings::get),
        Endpoint::of::<security_settings::__path_patch, _, _>(security_settings::patch),
        Endpoint::of::<sub_accounts::__path_list, _, _>(sub_accounts::list),
        Endpoint::of::<sub_accounts::__path_create, _, _>(sub_accounts::create),
        Endpoint::of::<sub_accounts::__path_get, _, _>(sub_accounts::get),
        Endpoint::of::<sub_accounts::__path_patch, _, _>(sub_accounts::patch),
        Endpoint::of::<sub_accounts::__path_archive, _, _>(sub_accounts::archive),
        Endpoint::of::<sub_accounts::access::__path_list, _, _>(sub_accounts::access::list),
        Endpoint::of::<sub_accounts::access::__path_grant, _, _>(sub_accounts::access::grant),
        Endpoint::of::<sub_accounts::access::__path_revoke, _, _>(sub_accounts::access::revoke),
        Endpoint::of::<users::__path_list, _, _>(users::list),
        Endpoint::of::<users::__path_get, _, _>(users::get),
        Endpoint::of::<users::deeds::__path_patch, _, _>(users::deeds::patch),
        Endpoint::of::<users::deeds::__path_delete, _, _>(users::deeds::delete),
        Endpoint::of::<users::deeds::__path_set_roles, _, _>(users::deeds::set_roles),
        Endpoint::of::<users::deeds::__path_suspend, _, _>(users::deeds::suspend),
        Endpoint::of::<users::deeds::__path_unsuspend, _, _>(users::deeds::unsuspend),
        Endpoint::of::<users::deeds::__path_release, _, _>(users::deeds::release),
        Endpoint::of::<users::bulk::__path_bulk, _, _>(users::bulk::bulk),
        Endpoint::of::<users::data_export::__path_export, _, _>(users::data_export::export),
    ]
}

/// Method, path under the base and permission of every route.
pub fn routes() -> Vec<(Method, String, Permission)> {
    endpoints().into_iter().map(|endpoint| (endpoint.method, endpoint.path, endpoint.permission)).collect()
}

/// Method, path and second permission of the routes that need two.
pub fn second_permissions() -> Vec<(Method, String, Permission)> {
    let second = |endpoint: Endpoint| Some((endpoint.method, endpoint.path, endpoint.also?));
    endpoints().into_iter().filter_map(second).collect()
}

/// The OpenAPI document.
pub fn openapi_document() -> String {
    openapi::document()
}

/// Whether a path belongs to this surface.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix(SURFACE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path is served without a credential.
fn is_public(path: &str) -> bool {
    path == DOCUMENT || docs::PATHS.contains(&path)
}

/// The pattern of a path's route, for log and metrics; static, so that their number is bounded.
pub(crate) fn route_of(path: &str) -> &'static str {
    static PATTERNS: OnceLock<Vec<String>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(|| {
        let routes = endpoints().into_iter().map(|endpoint| format!("{BASE}{}", endpoint.path));
        let fixed = docs::PATHS.iter().chain([&DOCUMENT]).map(|path| (*path).to_owned());
        fixed.chain(routes).collect()
    });
    pattern_of(patterns, path)
}

/// The pattern among these that a path fits.
pub(in crate::http) fn pattern_of(patterns: &'static [String], path: &str) -> &'static str {
    let fits = |pattern: &&String| {
        let mut wanted = pattern.split('/');
        let mut given = path.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given => {}
                (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    };
    patterns.iter().find(fits).map_or("unrouted", String::as_str)
}

/// Mounts the API, its documentation and the help pages of its problems.
pub(super) fn configure(shared: &Arc<Shared>, config: &mut ServiceConfig) {
    config
        .service(scope(shared))
        .service(web::resource("/problems").route(read().to(help::index)))
        .service(web::resource("/problems/{code}").route(read().to(help::page)));
}

fn scope(shared: &Arc<Shared>) -> impl HttpServiceFactory + use<> {
    let document: Arc<str> = openapi::document().into();
    let document = read().to(move || {
        let body = document.to_string();
        async move {
            HttpResponse::Ok()
                .content_type("application/json")
                .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
                .body(body)
        }
    });
    let only_read = || endpoint::not_allowed("GET, HEAD".to_owned());
    let mut scope = web::scope(SURFACE)
        .wrap(Layer::new(Arc::clone(shared), Surface::Admin))
        .service(web::resource(below(DOCUMENT)).route(document).default_service(only_read()));
    for path in docs::PATHS {
        scope = scope.service(web::resource(below(path)).route(read().to(docs::file)).default_service(only_read()));
    }
    for resource in endpoint::resources(endpoints(), below(BASE)) {
        scope = scope.service(resource);
    }
    scope.default_service(web::to(|| async { Err::<&str, _>(Problem::not_found()) }))
}

/// A path inside the scope.
fn below(path: &'static str) -> &'static str {
    path.strip_prefix(SURFACE).unwrap_or(path)
}

/// GET, and HEAD, whose body actix leaves out.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A service function's answer, within the time that a handler may take.
pub(in crate::http) fn timed<T, E: Into<Problem>>(
    shared: &Shared,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, Problem>> {
    let outcome = within(shared.state.settings.limits.handler_timeout, work);
    async move {
        match outcome.await {
            Some(outcome) => outcome.map_err(Into::into),
            None => Err(Problem::unavailable("a handler takes too long")),
        }
    }
}
