//! `/organizations/{id}/users`: people of any organization, whoever manages them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use super::deed::DeleteQuery;
use super::granted::{Granted, Writes};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::http::admin::body::NoBodyNeeded;
use crate::http::admin::path::named;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::invalid;
use crate::http::admin::timed;
use crate::http::extract::conditions::RequestConditions;
use crate::service::ServiceError;
use crate::service::backoffice::leavers::{self, Mode};

/// `{id}` and `{uid}` of a path.
pub(super) struct Person {
    pub(super) organization: OrganizationId,
    pub(super) user: ResourceId,
}

impl FromRequest for Person {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = named(request, "id").and_then(|organization| Ok((organization, named(request, "uid")?)));
        ready(
            ids.map(|(organization, user)| Person {
                organization: OrganizationId(organization),
                user: ResourceId(user),
            }),
        )
    }
}

/// What a deletion came to.
#[derive(Serialize)]
struct DeletedView {
    id: String,
    mode: &'static str,
    /// With mode `block`: its id.
    block: Option<String>,
    next_sync_effect: String,
}

/// Deletes a person: `mode` is `remove` where it is not given.
pub(super) async fn delete(
    granted: Granted<Writes>,
    person: Person,
    query: DeleteQuery,
    conditions: RequestConditions,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    let mode = query.mode.as_deref().map_or(Some(Mode::Remove), Mode::parse);
    let mode = mode.ok_or_else(|| invalid("mode is remove, block or erase."))?;
    let Person { organization, user } = person;
    let found = timed(shared, leavers::load(db, organization, user, mode)).await?;
    conditions.0.check(found.version).map_err(ServiceError::Scim)?;
    let ctx = granted.operator.ctx(query.reason(&body.0)?);
    let deleted = timed(shared, leavers::delete(&ctx, db, organization, user, mode)).await?;
    // Tokens remember for a moment that nobody is blocked.
    shared.bearer.forget(organization);
    Ok(HttpResponse::Ok().json(DeletedView {
        id: user.to_string(),
        mode: mode.key(),
        block: deleted.block.map(|id| id.to_string()),
        next_sync_effect: deleted.next_sync_effect,
    }))
}
