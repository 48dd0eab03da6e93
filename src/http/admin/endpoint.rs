//! A route of the surface as a value: its method, path and documentation come from the handler's annotation, its permission
//! from the handler's signature. The list of them mounts the surface, documents it, and is what the tests walk over.

use std::collections::BTreeMap;

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, guard, web};
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{RefOr, Schema};

use super::argument::{Argument, Takes};
use super::granted::{Formats, Granted, Needs};
use super::problem::Problem;
use crate::domain::permission::Permission;

/// A schema with its name.
pub(super) type NamedSchema = (String, RefOr<Schema>);

/// Method, path, permission, documentation and handler of a route.
pub(crate) struct Endpoint<P = Permission> {
    /// `GET` answers HEAD too.
    pub(crate) method: Method,
    /// Under the base, with `{parameters}`.
    pub(crate) path: String,
    /// What the caller's roles must permit.
    pub(crate) permission: P,
    /// What they must permit besides.
    pub(crate) also: Option<P>,
    /// The documentation of the route.
    pub(super) operation: Operation,
    /// Schemas that it names.
    pub(super) schemas: Vec<NamedSchema>,
    /// What the handler's arguments add to the documentation.
    pub(super) takes: Takes,
    route: Route,
}

/// Arguments of a handler, the first of which admits the caller.
pub(crate) trait Admits {
    /// A permission of the surface.
    type Permission;
    /// What the caller's roles must permit.
    const PERMISSION: Self::Permission;
    /// What they must permit besides.
    const ALSO: Option<Self::Permission> = None;

    /// What they say about the route; nothing where it is not documented.
    fn takes() -> Takes {
        Takes::default()
    }
}

macro_rules! admits {
    ($($argument:ident)*) => {
        impl<N: Needs, F: Formats, $($argument: Argument),*> Admits for (Granted<N, F>, $($argument,)*) {
            type Permission = Permission;
            const PERMISSION: Permission = N::PERMISSION;
            const ALSO: Option<Permission> = N::ALSO;

            fn takes() -> Takes {
                Takes::answering(F::OFFERED)$(.and::<$argument>())*
            }
        }
    };
}
admits!();
admits!(A);
admits!(A B);
admits!(A B C);
admits!(A B C D);

impl Endpoint {
    /// The route that `P`, made by `utoipa::path`, describes: `Endpoint::of::<module::__path_handler, _, _>(module::handler)`.
    pub(super) fn of<P, F, Args>(handler: F) -> Self
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences,
        F: Handler<Args>,
        Args: FromRequest + Admits<Permission = Permission> + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody + 'static,
    {
        let method = match P::methods().as_slice() {
            [HttpMethod::Post, ..] => Method::POST,
            [HttpMethod::Put, ..] => Method::PUT,
            [HttpMethod::Patch, ..] => Method::PATCH,
            [HttpMethod::Delete, ..] => Method::DELETE,
            _ => Method::GET,
        };
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        Endpoint {
            path: P::path(),
            permission: Args::PERMISSION,
            also: Args::ALSO,
            operation: P::operation(),
            schemas,
            takes: Args::takes(),
            route: route_for(&method).to(handler),
            method,
        }
    }
}

impl<P> Endpoint<P> {
    /// A route that is in no OpenAPI document.
    pub(in crate::http) fn at<F, Args>(method: Method, path: &str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Admits<Permission = P> + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody + 'static,
    {
        Endpoint {
            path: path.to_owned(),
            permission: Args::PERMISSION,
            also: Args::ALSO,
            operation: Operation::new(),
            schemas: Vec::new(),
            takes: Args::takes(),
            route: route_for(&method).to(handler),
            method,
        }
    }
}

/// `GET` answers HEAD too, whose body actix leaves out.
fn route_for(method: &Method) -> Route {
    if *method == Method::GET {
        web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
    } else {
        web::method(method.clone())
    }
}

/// One resource for each path; a method that it does not offer is 405.
pub(in crate::http) fn resources<P>(endpoints: Vec<Endpoint<P>>, base: &str) -> Vec<Resource> {
    let mut paths: BTreeMap<String, Vec<Endpoint<P>>> = BTreeMap::new();
    for endpoint in endpoints {
        paths.entry(endpoint.path.clone()).or_default().push(endpoint);
    }
    let mut resources = Vec::new();
    for (path, endpoints) in paths {
        let mut allow = Vec::new();
        let mut resource = web::resource(format!("{base}{path}"));
        for endpoint in endpoints {
            allow.push(endpoint.method.to_string());
            if endpoint.method == Method::GET {
                allow.push("HEAD".to_owned());
            }
            resource = resource.route(endpoint.route);
        }
        resources.push(resource.default_service(not_allowed(allow.join(", "))));
    }
    resources
}

/// 405 for every method that is not among these.
pub(super) fn not_allowed(allow: String) -> Route {
    web::to(move || {
        let problem = Problem::method_not_allowed(&allow);
        async move { Err::<&str, _>(problem) }
    })
}
