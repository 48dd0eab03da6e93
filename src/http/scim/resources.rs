//! `/Users`, `/Users/{id}` and the same for groups: extract, call one service function, render.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::error::Rejection;
use super::{Kind, response};
use crate::http::Shared;
use crate::http::deadline::within;
use crate::http::extract::conditions::{Prefer, RequestConditions};
use crate::http::extract::paging::{self, Selection};
use crate::http::extract::scim_actor::ScimActor;
use crate::http::extract::scim_body::ScimBody;
use crate::protocol::schema::{Registry, ResourceKind};
use crate::service::scim::resources::{self, Show, Target, Written};
use crate::service::{Result as ServiceResult, ServiceError};

type Answer = Result<HttpResponse, Rejection>;

pub(super) async fn create(request: HttpRequest, actor: ScimActor, kind: Kind, body: ScimBody) -> Answer {
    let ScimActor { ctx, shared } = actor;
    let projection = selection(&request, kind.0)?.projection;
    let created = timed(&shared, resources::create(&ctx, &shared.state.db, kind.0, body.0, &projection)).await?;
    response::resource(&shared.scim_base, request.headers(), StatusCode::CREATED, &created, &projection)
}

pub(super) async fn get(request: HttpRequest, actor: ScimActor, kind: Kind, conditions: RequestConditions) -> Answer {
    let ScimActor { ctx, shared } = actor;
    let projection = selection(&request, kind.0)?.projection;
    let found = timed(&shared, resources::get(&ctx, &shared.state.db, kind.0, id(&request), &projection)).await?;
    let conditions = conditions.0;
    if conditions.is_unmodified(found.head.version) {
        return Ok(response::not_modified(found.head.version));
    }
    conditions.check(found.head.version)?;
    response::resource(&shared.scim_base, request.headers(), StatusCode::OK, &found, &projection)
}

pub(super) async fn replace(
    request: HttpRequest,
    actor: ScimActor,
    kind: Kind,
    conditions: RequestConditions,
    body: ScimBody,
) -> Answer {
    let ScimActor { ctx, shared } = actor;
    let Selection { projection, .. } = selection(&request, kind.0)?;
    let target = Target { kind: kind.0, id: id(&request), conditions: &conditions.0 };
    let show = show(&request, false);
    let written =
        timed(&shared, resources::replace(&ctx, &shared.state.db, target, &body.0, &projection, show)).await?;
    render(&shared, &request, &written, &projection)
}

pub(super) async fn patch(
    request: HttpRequest,
    actor: ScimActor,
    kind: Kind,
    conditions: RequestConditions,
    body: ScimBody,
) -> Answer {
    let ScimActor { ctx, shared } = actor;
    let Selection { projection, names_attributes } = selection(&request, kind.0)?;
    let target = Target { kind: kind.0, id: id(&request), conditions: &conditions.0 };
    let show = show(&request, names_attributes);
    let written = timed(&shared, resources::patch(&ctx, &shared.state.db, target, body.0, &projection, show)).await?;
    render(&shared, &request, &written, &projection)
}

pub(super) async fn delete(
    request: HttpRequest,
    actor: ScimActor,
    kind: Kind,
    conditions: RequestConditions,
) -> Answer {
    let ScimActor { ctx, shared } = actor;
    let target = Target { kind: kind.0, id: id(&request), conditions: &conditions.0 };
    timed(&shared, resources::delete(&ctx, &shared.state.db, target)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A service call within the time that a handler has. A write that was on its way is committed or not, as with an answer
/// that got lost.
pub(super) fn timed<T>(
    shared: &Shared,
    call: impl Future<Output = ServiceResult<T>>,
) -> impl Future<Output = ServiceResult<T>> {
    let outcome = within(shared.state.settings.limits.handler_timeout, call);
    async move { outcome.await.unwrap_or_else(|| Err(ServiceError::Unavailable("the handler's time is over".to_owned()))) }
}

fn selection(request: &HttpRequest, kind: ResourceKind) -> Result<Selection, Rejection> {
    Ok(paging::selection(request.query_string(), Registry::builtin().resource_type(kind))?)
}

fn id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

fn show(request: &HttpRequest, names_attributes: bool) -> Show {
    match Prefer::of(request.headers()) {
        _ if names_attributes => Show::Whole,
        Prefer::Minimal => Show::Nothing,
        Prefer::Representation => Show::Whole,
        Prefer::Nothing => Show::Usual,
    }
}

fn render(
    shared: &Shared,
    request: &HttpRequest,
    written: &Written,
    projection: &crate::protocol::projection::Projection,
) -> Answer {
    match &written.stored {
        None => Ok(response::no_content(written.version)),
        Some(stored) => response::resource(&shared.scim_base, request.headers(), StatusCode::OK, stored, projection),
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn size<H: actix_web::Handler<A>, A>(_: H) -> usize {
        std::mem::size_of::<H::Future>()
    }

    /// actix-web moves a handler's future several times for each request: what it awaits is boxed (`deadline::within`).
    #[test]
    fn handlers_are_small() {
        let all = [size(create), size(get), size(replace), size(patch), size(delete)];
        assert!(all.iter().all(|bytes| *bytes < 2_000), "{all:?}");
    }
}
