//! Ids in paths.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use super::problem::Problem;
use crate::domain::ids::ResourceId;

/// The `{id}` of a path. What is no id is not found, like an id that nobody has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequest for PathId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "id").map(PathId))
    }
}

/// The second id of a path: of what belongs to the first. It has the name that stands last in the pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InnerId(pub(crate) Uuid);

impl FromRequest for InnerId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut others = request.match_info().iter().filter(|(name, _)| *name != "id");
        let id = others.next().and_then(|(_, text)| ResourceId::parse(text));
        ready(id.map(|id| InnerId(id.0)).ok_or_else(Problem::not_found))
    }
}

/// The id that a path has under a name.
///
/// # Errors
/// 404 for what is no id.
pub(crate) fn named(request: &HttpRequest, name: &str) -> Result<Uuid, Problem> {
    let id = request.match_info().get(name).and_then(ResourceId::parse);
    id.map(|id| id.0).ok_or_else(Problem::not_found)
}
