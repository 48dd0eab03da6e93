//! The layer around the application: from the head of a request to its answer.

use std::any::Any;
use std::cell::OnceCell;
use std::future::{Future, Ready, ready};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;

use super::{client, limits, record, request_id};
use crate::domain::ids::OrganizationId;
use crate::domain::provisioning::{Happened, redacted};
use crate::http::admin::code::Code;
use crate::http::admin::problem::Problem;
use crate::http::{Shared, admin as admin_api, backoffice, scim};
use crate::protocol::error::ScimError;
use crate::service::admin::Credential;
use crate::service::auth::bearer::Caller;
use crate::service::backoffice::Operator;
use crate::service::idempotency::Holder;
use crate::service::provisioning_log::Rejected;
use crate::service::{ServiceError, admin};
use crate::telemetry::RequestFacts;

/// Seconds after which an overloaded server is asked again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// One request and its answer: what layers and handlers tell each other about it.
pub(crate) struct Exchange {
    /// Database, settings, documents.
    pub(crate) shared: Arc<Shared>,
    /// Also in `X-Request-Id`.
    pub(crate) id: Arc<str>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// Of the client, behind trusted proxies too.
    pub(crate) client_ip: Option<IpAddr>,
    /// Who asks, once known.
    pub(crate) caller: OnceCell<Arc<Caller>>,
    /// Who asks on the admin surface, once known.
    pub(crate) admin_caller: OnceCell<Arc<admin::Caller>>,
    /// Who asks in the backoffice, once known.
    pub(crate) operator: OnceCell<Arc<Operator>>,
    /// Whose a refused SCIM token is, where it is known.
    pub(crate) rejected: OnceCell<Rejected>,
    /// The body of a SCIM write, for the log.
    pub(crate) request_body: OnceCell<Bytes>,
    /// What a SCIM write came to, for the log.
    pub(crate) trace: Arc<OnceLock<Happened>>,
}

impl Exchange {
    /// The exchange of a request; every request that got past the edge has one.
    pub(crate) fn of(request: &HttpRequest) -> Option<Rc<Exchange>> {
        request.extensions().get::<Rc<Exchange>>().cloned()
    }

    /// Whose lists and repeats a request of the JSON surfaces is about, once known.
    pub(crate) fn holder(&self) -> Option<Holder> {
        let admin = self.admin_caller.get().map(|caller| Holder {
            organization: caller.organization,
            credential: caller.credential,
            now: caller.now,
        });
        admin.or_else(|| {
            self.operator.get().map(|operator| Holder {
                organization: OrganizationId::SERVICE,
                credential: Credential::OperatorKey(operator.key),
                now: operator.now,
            })
        })
    }

    fn problem(&self, problem: &Problem) -> HttpResponse {
        problem.render(&self.shared.state.settings.public_url, &self.id)
    }
}

/// What went wrong on our side, left in the answer for the one place that logs it.
pub(crate) struct Cause {
    level: log::Level,
    text: String,
}

impl Cause {
    /// Something that someone must act on.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Cause { level: log::Level::Error, text: text.into() }
    }
    /// Something that passes.
    pub(crate) fn warning(text: impl Into<String>) -> Self {
        Cause { level: log::Level::Warn, text: text.into() }
    }
}

/// Makes the layer.
pub struct Edge {
    shared: Arc<Shared>,
}

impl Edge {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Edge { shared }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Edge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = EdgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(EdgeService { service, shared: Arc::clone(&self.shared) }))
    }
}

/// The layer in one worker.
pub struct EdgeService<S> {
    service: S,
    shared: Arc<Shared>,
}

impl<S, B> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let started = Instant::now();
        let shared = Arc::clone(&self.shared);
        let exchange = Rc::new(Exchange {
            shared: Arc::clone(&shared),
            id: shared.request_ids.of(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client_ip: client::address(request.peer_addr(), request.headers(), &shared.state.settings.trusted_proxies),
            caller: OnceCell::new(),
            admin_caller: OnceCell::new(),
            operator: OnceCell::new(),
            rejected: OnceCell::new(),
            request_body: OnceCell::new(),
            trace: Arc::default(),
        });
        let in_flight = InFlight::enter(Arc::clone(&shared));
        let refusal = match limits::check(request.head(), &shared.state.settings.limits) {
            Err((status, detail)) => Some(refuse(&exchange, status, detail)),
            Ok(()) if in_flight.is_above(shared.state.settings.limits.in_flight) => {
                Some(refuse(&exchange, StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once"))
            }
            Ok(()) => None,
        };
        let next = match refusal {
            Some(response) => Next::Refused(request, response),
            None => {
                request.extensions_mut().insert(Rc::clone(&exchange));
                Next::Called(self.service.call(request))
            }
        };
        Box::pin(async move {
            let answered = match next {
                Next::Refused(request, response) => Ok(request.into_response(response.map_into_right_body())),
                Next::Called(future) => match survive(future).await {
                    Ok(Ok(response)) => Ok(response.map_into_left_body()),
                    Ok(Err(error)) => Err(HttpResponse::from_error(error)),
                    Err(panic) => Err(panicked(&exchange, &*panic)),
                },
            };
            drop(in_flight);
            match answered {
                Ok(response) => {
                    let mut response = record::answered(&exchange, started, response);
                    finish(&exchange, started, response.response_mut());
                    Ok(response)
                }
                // The request is gone with the future, so that actix itself has to join it with this answer.
                Err(mut response) => {
                    record::failed(&exchange, started, &response);
                    finish(&exchange, started, &mut response);
                    Err(InternalError::from_response("", response).into())
                }
            }
        })
    }
}

enum Next<F> {
    Refused(ServiceRequest, HttpResponse),
    Called(F),
}

/// Counts a request as long as it lives.
struct InFlight {
    shared: Arc<Shared>,
    before: usize,
}

impl InFlight {
    fn enter(shared: Arc<Shared>) -> Self {
        let before = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { shared, before }
    }
    fn is_above(&self, most: usize) -> bool {
        self.before >= most
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let counter: &AtomicUsize = &self.shared.in_flight;
        counter.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a future to its end, or to its panic.
async fn survive<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// 500 without text; what was said goes to the log.
fn panicked(exchange: &Exchange, panic: &(dyn Any + Send)) -> HttpResponse {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = format!("panic: {}", said.unwrap_or("without a message"));
    let path = exchange.uri.path();
    if scim::is_below(path) {
        return scim::error::render(&ServiceError::Internal(cause));
    }
    if admin_api::is_below(path) || backoffice::is_below(path) {
        return exchange.problem(&Problem::internal(cause));
    }
    let mut response = HttpResponse::InternalServerError().finish();
    response.extensions_mut().insert(Cause::error(cause));
    response
}

/// An answer to a request that no surface gets to see.
fn refuse(exchange: &Exchange, status: StatusCode, detail: &str) -> HttpResponse {
    let path = exchange.uri.path();
    let mut response = if scim::is_below(path) {
        scim::error::render(&ServiceError::Scim(ScimError::new(status.as_u16(), None, detail)))
    } else if admin_api::is_below(path) || backoffice::is_below(path) {
        exchange.problem(&Problem::new(Code::of_status(status.as_u16()), format!("{detail}.")))
    } else {
        HttpResponse::new(status)
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    } else {
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    response
}

/// Headers of every answer, the log of internal errors, the access line and the metrics.
fn finish<B>(exchange: &Exchange, started: Instant, response: &mut HttpResponse<B>) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&exchange.id) {
        headers.insert(HeaderName::from_static(request_id::HEADER), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(Cause { level, text }) = response.extensions().get() {
        log::log!(*level, "request {} failed: {text}", exchange.id);
    }
    let path = exchange.uri.path();
    // A token in the address is no credential, and no line of the log either.
    let shown = redacted(path);
    let caller = exchange.caller.get();
    let admin = exchange.admin_caller.get();
    exchange.shared.state.metrics.observe(&RequestFacts {
        route: if admin_api::is_below(path) {
            admin_api::route_of(path)
        } else if backoffice::is_below(path) {
            backoffice::route_of(path)
        } else {
            scim::route_of(path)
        },
        method: exchange.method.as_str(),
        path: &shown,
        status: response.status().as_u16(),
        elapsed: started.elapsed(),
        request_id: &exchange.id,
        organization: caller.map(|caller| caller.scope.organization).or(admin.map(|caller| caller.organization)),
        connection: caller.map(|caller| caller.scope.connection),
        token: caller
            .map(|caller| caller.token)
            .or(admin.and_then(|caller| caller.credential.key()))
            .or(exchange.operator.get().map(|operator| operator.key)),
    });
}
