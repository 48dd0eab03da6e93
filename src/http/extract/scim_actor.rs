//! Who calls the SCIM surface, as the context of a service function. The credential was judged by
//! `middleware::Authenticate`, which wraps the whole surface; this only hands its result over.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::actor::Actor;
use crate::http::Shared;
use crate::http::middleware::Exchange;
use crate::http::scim::error::Rejection;
use crate::service::{Ctx, Effect, ServiceError};

/// The caller of a request.
pub(crate) struct ScimActor {
    /// What service functions take.
    pub(crate) ctx: Ctx,
    /// Database, settings, documents.
    pub(crate) shared: Arc<Shared>,
}

impl FromRequest for ScimActor {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(of(request).ok_or_else(|| {
            ServiceError::Internal("a handler of the SCIM surface outside of its authentication".to_owned()).into()
        }))
    }
}

fn of(request: &HttpRequest) -> Option<ScimActor> {
    let exchange = Exchange::of(request)?;
    let caller = exchange.caller.get()?;
    let ctx = Ctx {
        actor: Actor::ScimToken(caller.token),
        scope: caller.scope,
        access: caller.access,
        has_blocks: caller.has_blocks,
        has_former: caller.has_former,
        is_staged: caller.is_staged,
        now: exchange.shared.state.clock.now(),
        request_id: Arc::clone(&exchange.id),
        policy: caller.policy.clone(),
        settings: caller.settings.clone(),
        effect: Effect::Commit,
        trace: Arc::clone(&exchange.trace),
        brake: Arc::clone(&exchange.shared.brake),
    };
    Some(ScimActor { ctx, shared: Arc::clone(&exchange.shared) })
}
