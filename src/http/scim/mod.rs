//! The SCIM surface (RFC 7644 §3.2): its routes, inside the one wrapper that authenticates all of them.

mod discovery;
pub(crate) mod error;
mod guide;
mod resources;
mod response;
mod search;

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::{HttpServiceFactory, Payload};
use actix_web::{FromRequest, HttpRequest, Resource, Route, guard, web};

use super::Shared;
use super::middleware::Authenticate;
use crate::protocol::error::ScimError;
use crate::protocol::schema::ResourceKind;
use crate::service::ServiceError;
use error::Rejection;

/// Path of the surface under the public URL.
pub(crate) const BASE: &str = "/scim/v2";
/// Path of the page that `documentationUri` names.
pub(crate) const GUIDE: &str = "/docs/scim";

/// That page, which needs no token.
pub(crate) fn guide() -> Resource {
    web::resource(GUIDE).route(web::get().to(guide::page)).route(web::head().to(guide::page))
}

/// Whether a path belongs to this surface.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The pattern of a path's route, for log and metrics; static, so that their number is bounded.
pub(crate) fn route_of(path: &str) -> &'static str {
    let Some(rest) = path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/')) else {
        return match path {
            "/healthz" => "/healthz",
            "/readyz" => "/readyz",
            GUIDE => GUIDE,
            _ => "unrouted",
        };
    };
    let (first, second) = rest.split_once('/').map_or((rest, None), |(first, second)| (first, Some(second)));
    match (first, second) {
        ("Users", None) => "/scim/v2/Users",
        ("Users", Some(".search")) => "/scim/v2/Users/.search",
        ("Users", Some(id)) if is_segment(id) => "/scim/v2/Users/{id}",
        ("Groups", None) => "/scim/v2/Groups",
        ("Groups", Some(".search")) => "/scim/v2/Groups/.search",
        ("Groups", Some(id)) if is_segment(id) => "/scim/v2/Groups/{id}",
        ("ServiceProviderConfig", None) => "/scim/v2/ServiceProviderConfig",
        ("ResourceTypes", None) => "/scim/v2/ResourceTypes",
        ("ResourceTypes", Some(id)) if is_segment(id) => "/scim/v2/ResourceTypes/{id}",
        ("Schemas", None) => "/scim/v2/Schemas",
        ("Schemas", Some(id)) if is_segment(id) => "/scim/v2/Schemas/{id}",
        ("Roles", None) => "/scim/v2/Roles",
        ("Roles", Some(id)) if is_segment(id) => "/scim/v2/Roles/{id}",
        ("Entitlements", None) => "/scim/v2/Entitlements",
        ("Entitlements", Some(id)) if is_segment(id) => "/scim/v2/Entitlements/{id}",
        ("Me", None) => "/scim/v2/Me",
        (".search", None) => "/scim/v2/.search",
        ("Bulk", None) => "/scim/v2/Bulk",
        _ => "unrouted",
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}

/// All routes.
pub(super) fn scope(shared: &Arc<Shared>) -> impl HttpServiceFactory + use<> {
    let document = |path: &'static str| web::resource(path).default_service(not_allowed("GET, HEAD"));
    web::scope(BASE)
        .wrap(Authenticate::new(Arc::clone(shared)))
        // Before `{id}`, which would take it.
        .service(search_of("/Users/.search", ResourceKind::User))
        .service(collection("/Users", ResourceKind::User))
        .service(single("/Users/{id}", ResourceKind::User))
        .service(search_of("/Groups/.search", ResourceKind::Group))
        .service(collection("/Groups", ResourceKind::Group))
        .service(single("/Groups/{id}", ResourceKind::Group))
        .service(document("/ServiceProviderConfig").route(read().to(discovery::service_provider_config)))
        .service(document("/ResourceTypes").route(read().to(discovery::resource_types)))
        .service(document("/ResourceTypes/{id}").route(read().to(discovery::resource_type)))
        .service(document("/Schemas").route(read().to(discovery::schemas)))
        .service(document("/Schemas/{id}").route(read().to(discovery::schema)))
        .service(document("/Roles").route(read().to(discovery::roles)))
        .service(document("/Roles/{id}").route(read().to(discovery::role)))
        .service(document("/Entitlements").route(read().to(discovery::entitlements)))
        .service(document("/Entitlements/{id}").route(read().to(discovery::entitlement)))
        .service(not_offered("/Me", "No token of this service stands for a user"))
        .service(
            web::resource("/.search").route(web::post().to(search::everywhere)).default_service(not_allowed("POST")),
        )
        .service(not_offered("/Bulk", "Bulk is not supported: send the operations one by one"))
        .default_service(web::to(|request: HttpRequest| async move {
            let path = request.path().to_owned();
            Err::<&str, _>(Rejection::from(ScimError::new(404, None, format!("There is no endpoint {path}"))))
        }))
}

fn collection(path: &str, kind: ResourceKind) -> Resource {
    web::resource(path)
        .app_data(kind)
        .route(read().to(search::by_parameters))
        .route(web::post().to(resources::create))
        .default_service(not_allowed("GET, HEAD, POST"))
}

fn search_of(path: &str, kind: ResourceKind) -> Resource {
    web::resource(path).app_data(kind).route(web::post().to(search::by_body)).default_service(not_allowed("POST"))
}

fn single(path: &str, kind: ResourceKind) -> Resource {
    web::resource(path)
        .app_data(kind)
        .route(read().to(resources::get))
        .route(web::put().to(resources::replace))
        .route(web::patch().to(resources::patch))
        .route(web::delete().to(resources::delete))
        .default_service(not_allowed("GET, HEAD, PUT, PATCH, DELETE"))
}

/// 501 for every method.
fn not_offered(path: &str, detail: &'static str) -> Resource {
    web::resource(path).to(move || async move { Err::<&str, _>(Rejection::from(ScimError::new(501, None, detail))) })
}

/// GET, and HEAD, whose body actix leaves out.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn not_allowed(allow: &'static str) -> Route {
    web::to(move || async move { Err::<&str, _>(Rejection::method_not_allowed(allow)) })
}

/// Which type a route is for.
#[derive(Debug, Clone, Copy)]
struct Kind(ResourceKind);

impl FromRequest for Kind {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let kind = request.app_data::<ResourceKind>().copied().map(Kind);
        ready(kind.ok_or_else(|| ServiceError::Internal("a route without a resource type".to_owned()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_look_alikes() {
        for (path, below) in
            [("/scim/v2", true), ("/scim/v2/", true), ("/scim/v2/x", true), ("/scim/v2x", false), ("/", false)]
        {
            assert_eq!(is_below(path), below, "{path}");
        }
    }

    #[test]
    fn ids_do_not_make_routes() {
        for (path, route) in [
            ("/scim/v2/Users", "/scim/v2/Users"),
            ("/scim/v2/Users/1", "/scim/v2/Users/{id}"),
            ("/scim/v2/Users/.search", "/scim/v2/Users/.search"),
            ("/scim/v2/Users/1/2", "unrouted"),
            ("/scim/v2/Users/", "unrouted"),
            ("/scim/v2/Schemas/urn:x", "/scim/v2/Schemas/{id}"),
            ("/scim/v2/Roles/admin", "/scim/v2/Roles/{id}"),
            ("/scim/v2", "unrouted"),
            ("/healthz", "/healthz"),
            ("/secret/x", "unrouted"),
        ] {
            assert_eq!(route_of(path), route, "{path}");
        }
    }
}
