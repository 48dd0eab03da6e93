//! The layer around the surface: authentication and rate before path, query and body are looked at, Idempotency-Key, and the
//! rendering of problems, which needs the request id.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError as _};
use futures_util::future::LocalBoxFuture;

use super::idempotency;
use super::problem::Problem;
use crate::domain::provisioning::redacted;
use crate::http::Shared;
use crate::http::deadline::within;
use crate::http::middleware::{Exchange, presented};
use crate::service::Unauthenticated;
use crate::service::admin::Caller;
use crate::service::auth::api_key::{self, Authenticated, Circumstances};
use crate::service::auth::operator_key;
use crate::service::auth::rate_limit::whole_again;
use crate::service::backoffice::Operator;

/// Which credentials a surface takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Surface {
    /// Those of an organization.
    Admin,
    /// Those of operators.
    Backoffice,
}

/// Makes the layer.
pub(in crate::http) struct Layer {
    shared: Arc<Shared>,
    surface: Surface,
}

impl Layer {
    pub(in crate::http) fn new(shared: Arc<Shared>, surface: Surface) -> Self {
        Layer { shared, surface }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Layer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = LayerService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(LayerService { service: Rc::new(service), shared: Arc::clone(&self.shared), surface: self.surface }))
    }
}

/// The layer in one worker.
pub(in crate::http) struct LayerService<S> {
    service: Rc<S>,
    shared: Arc<Shared>,
    surface: Surface,
}

impl<S, B> Service<ServiceRequest> for LayerService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, shared, surface) = (Rc::clone(&self.service), Arc::clone(&self.shared), self.surface);
        Box::pin(async move {
            if surface == Surface::Admin && super::is_public(request.path()) {
                return Ok(render(&shared, service.call(request).await?.map_into_boxed_body()));
            }
            let mut left = None;
            let admitted = admit(&shared, surface, &request, &mut left).await;
            let mut response = match admitted {
                Err(problem) => render(&shared, request.into_response(problem.error_response())),
                Ok(()) if request.method() == Method::POST && idempotency::is_asked(&request) => {
                    let renderer = Arc::clone(&shared);
                    let answer = async move |request| {
                        let response = service.call(request).await?.map_into_boxed_body();
                        Ok(render(&renderer, response))
                    };
                    render(&shared, idempotency::once(&shared, request, answer).await?)
                }
                Ok(()) => render(&shared, service.call(request).await?.map_into_boxed_body()),
            };
            if let Some(left) = left {
                tell_rate(response.response_mut(), left);
            }
            Ok(response)
        })
    }
}

/// Bytes of a User-Agent that are kept; visible ASCII, so that each is a character.
const MOST_USER_AGENT: usize = 256;

/// A limit in requests a minute, and how many of them are left.
type Left = (u32, u32);

/// Lets a request in whose credential is valid and within its rate.
async fn admit(
    shared: &Arc<Shared>,
    surface: Surface,
    request: &ServiceRequest,
    left: &mut Option<Left>,
) -> Result<(), Problem> {
    let key = presented(request.headers()).map_err(|why| Problem::unauthenticated(why == Unauthenticated::Invalid))?;
    let exchange = Exchange::of(request.request()).ok_or_else(|| Problem::internal("a request outside of the edge"))?;
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(|text| redacted(text.get(..MOST_USER_AGENT).unwrap_or(text)));
    let circumstances = Circumstances {
        now: shared.state.clock.now(),
        request_id: &exchange.id,
        client_ip: exchange.client_ip,
        user_agent: user_agent.as_deref(),
    };
    // Only this layer sets who asks, once a request.
    let touch = match surface {
        Surface::Admin => {
            let Authenticated { caller, touch_due } =
                in_time(shared, shared.api_keys.authenticate(&shared.state.db, key, circumstances)).await?;
            let caller = Arc::new(caller);
            _ = exchange.admin_caller.set(Arc::clone(&caller));
            touch_due.then_some(Touch::ApiKey(caller))
        }
        Surface::Backoffice => {
            let operator_key::Authenticated { operator, touch_due } =
                in_time(shared, shared.operator_keys.authenticate(&shared.state.db, key, circumstances)).await?;
            let operator = Arc::new(operator);
            _ = exchange.operator.set(Arc::clone(&operator));
            touch_due.then_some(Touch::OperatorKey(operator))
        }
    };
    if let (Some(limit), Some(holder)) = (&shared.api_rate_limit, exchange.holder()) {
        let rate = shared.state.settings.limits.api_rate;
        let checked = limit.check(&holder.credential);
        *left = Some((rate, *checked.as_ref().unwrap_or(&0)));
        checked?;
    }
    if let Some(touch) = touch {
        let shared = Arc::clone(shared);
        actix_web::rt::spawn(async move {
            if let Err(error) = touch.note(&shared).await {
                log::warn!("the use of a key cannot be noted: {error}");
            }
        });
    }
    Ok(())
}

async fn in_time<T, E: Into<Problem>>(
    shared: &Shared,
    look_up: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem> {
    match within(shared.state.settings.limits.handler_timeout, look_up).await {
        Some(found) => found.map_err(Into::into),
        None => Err(Problem::unavailable("the look-up of a key takes too long")),
    }
}

/// A use of a key, to be noted.
enum Touch {
    ApiKey(Arc<Caller>),
    OperatorKey(Arc<Operator>),
}

impl Touch {
    async fn note(&self, shared: &Shared) -> Result<(), Problem> {
        let db = &shared.state.db;
        match self {
            Touch::ApiKey(caller) => api_key::touch(db, caller).await?,
            Touch::OperatorKey(operator) => operator_key::touch(db, operator).await?,
        }
        Ok(())
    }
}

/// The fields of draft-ietf-httpapi-ratelimit-headers: the policy, what is left of it, and when it is whole again.
fn tell_rate(response: &mut HttpResponse, (rate, remaining): Left) {
    let whole = whole_again(rate, remaining).as_secs();
    let fields = [
        ("ratelimit-policy", format!("\"default\";q={rate};w=60")),
        ("ratelimit", format!("\"default\";r={remaining};t={whole}")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

/// Writes the body of a problem that a handler or an extractor answered.
fn render(shared: &Shared, response: ServiceResponse) -> ServiceResponse {
    let problem = response.response().extensions().get::<Problem>().cloned();
    let Some(problem) = problem else { return response };
    let id = Exchange::of(response.request()).map(|exchange| Arc::clone(&exchange.id));
    let rendered = problem.render(&shared.state.settings.public_url, id.as_deref().unwrap_or_default());
    response.into_response(rendered)
}
