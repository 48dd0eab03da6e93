//! Ids in paths.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use super::problem::Problem;
use crate::domain::adoption::check_domain;
use crate::domain::ids::ResourceId;

macro_rules! path_id {
    ($name:ident, $parameter:literal) => {
        #[doc = concat!("The `{", $parameter, "}` of a path. What is no id is not found, like an id that nobody has.")]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name(pub(crate) Uuid);

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(named(request, $parameter).map($name))
            }
        }
    };
}

path_id!(PathId, "id");
path_id!(PathUser, "user");

/// The id that a path has under a name.
///
/// # Errors
/// 404 for what is no id.
pub(crate) fn named(request: &HttpRequest, name: &str) -> Result<Uuid, Problem> {
    let id = request.match_info().get(name).and_then(ResourceId::parse);
    id.map(|id| id.0).ok_or_else(Problem::not_found)
}

path_id!(PathToken, "tid");
path_id!(PathAdoption, "aid");

/// The `{domain}` of a path, in lower case. What is no domain is not found.
#[derive(Debug, Clone)]
pub(crate) struct PathDomain(pub(crate) String);

impl FromRequest for PathDomain {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let domain = request.match_info().get("domain").and_then(|text| check_domain(text).ok());
        ready(domain.map(PathDomain).ok_or_else(Problem::not_found))
    }
}
