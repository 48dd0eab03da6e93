//! Lists by query string, and the same by the body of `POST …/.search`.

use actix_web::{HttpRequest, HttpResponse};

use super::error::Rejection;
use super::resources::timed;
use super::{Kind, response};
use crate::http::extract::paging::pairs;
use crate::http::extract::scim_actor::ScimActor;
use crate::http::extract::scim_body::ScimBody;
use crate::protocol::list::Query;
use crate::protocol::schema::Registry;
use crate::service::ServiceError;
use crate::service::scim::search;

pub(super) async fn by_parameters(
    request: HttpRequest,
    actor: ScimActor,
    kind: Kind,
) -> Result<HttpResponse, Rejection> {
    let rt = Registry::builtin().resource_type(kind.0);
    let query = Query::from_parameters(&pairs(request.query_string())?, rt, &actor.ctx.policy)?;
    answer(&request, &actor, kind, query).await
}

pub(super) async fn by_body(
    request: HttpRequest,
    actor: ScimActor,
    kind: Kind,
    body: ScimBody,
) -> Result<HttpResponse, Rejection> {
    let rt = Registry::builtin().resource_type(kind.0);
    let query = Query::from_body(body.0, rt, &actor.ctx.policy)?;
    answer(&request, &actor, kind, query).await
}

/// `POST /.search`: users and groups at once.
pub(super) async fn everywhere(
    request: HttpRequest,
    actor: ScimActor,
    body: ScimBody,
) -> Result<HttpResponse, Rejection> {
    let ScimActor { ctx, shared } = actor;
    let registry = Registry::builtin();
    let queries = Query::across(body.0, &[&registry.user, &registry.group], &ctx.policy)?;
    let Ok([users, groups]) = <[Query; 2]>::try_from(queries) else {
        return Err(ServiceError::Internal("a query for each resource type".to_owned()).into());
    };
    let pages = timed(&shared, search::search_all(&ctx, &shared.state.db, users, groups)).await?;
    response::list(&shared.scim_base, request.headers(), &pages)
}

async fn answer(request: &HttpRequest, actor: &ScimActor, kind: Kind, query: Query) -> Result<HttpResponse, Rejection> {
    let ScimActor { ctx, shared } = actor;
    let page = timed(shared, search::search(ctx, &shared.state.db, kind.0, query)).await?;
    response::list(&shared.scim_base, request.headers(), std::slice::from_ref(&page))
}
