//! Takes note of a request of an identity provider for the provisioning log, once its answer is made.

use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;

use super::Exchange;
use crate::http::scim;
use crate::service::provisioning_log::{MOST_BODY, Seen};

/// Whether the log keeps the bodies of a request and its answer.
pub(crate) fn keeps_bodies(method: &Method, path: &str) -> bool {
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method);
    writes && !path.ends_with("/.search")
}

/// Notes the request of an answer; gives the answer back.
pub(super) fn answered<B: MessageBody + 'static>(
    exchange: &Exchange,
    started: Instant,
    response: ServiceResponse<EitherBody<B>>,
) -> ServiceResponse<EitherBody<B>> {
    if !is_logged(exchange) {
        return response;
    }
    let status = response.status().as_u16();
    let mut kept = None;
    let response = response.map_body(|_, body| {
        if !wants_body(exchange, status) {
            return body;
        }
        match body.try_into_bytes() {
            Ok(bytes) => {
                kept = Some(bytes.clone());
                EitherBody::right(BoxBody::new(bytes))
            }
            Err(body) => body,
        }
    });
    note(exchange, started, status, kept);
    response
}

/// The same for an answer whose request is gone.
pub(super) fn failed(exchange: &Exchange, started: Instant, response: &HttpResponse) {
    if is_logged(exchange) {
        note(exchange, started, response.status().as_u16(), None);
    }
}

/// Requests of an unknown token belong to nobody's log.
fn is_logged(exchange: &Exchange) -> bool {
    (exchange.caller.get().is_some() || exchange.rejected.get().is_some()) && scim::is_below(exchange.uri.path())
}

fn wants_body(exchange: &Exchange, status: u16) -> bool {
    status >= 400 || keeps_bodies(&exchange.method, exchange.uri.path())
}

fn note(exchange: &Exchange, started: Instant, status: u16, body: Option<Bytes>) {
    let rejected = exchange.rejected.get();
    let caller = exchange.caller.get().map(|caller| (caller.scope, caller.token));
    let Some((scope, token)) = caller.or_else(|| rejected.map(|known| (known.scope, known.token))) else { return };
    let target = exchange.uri.path_and_query().map_or("", |target| target.as_str());
    let state = &exchange.shared.state;
    state.provisioning_log.note(Seen {
        scope,
        token,
        rejected: rejected.and_then(|known| Some((known.fingerprint.clone(), known.why?))),
        at: state.clock.now(),
        method: exchange.method.to_string(),
        target: target.strip_prefix(scim::BASE).unwrap_or(target).to_owned(),
        status,
        duration: started.elapsed(),
        request_id: exchange.id.clone(),
        ip: exchange.client_ip,
        request_body: exchange.request_body.get().cloned(),
        response_body: body.filter(|body| body.len() <= MOST_BODY),
        happened: exchange.trace.get().cloned(),
    });
}
