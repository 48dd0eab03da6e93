//! `Idempotency-Key` on POST requests: the deed goes on when the client goes away, and its answer waits for the repeat.

use std::sync::Arc;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError as _};
use futures_util::stream;

use super::body::unread;
use super::code::Code;
use super::problem::Problem;
use crate::http::Shared;
use crate::http::extract::body;
use crate::http::middleware::Exchange;
use crate::service::idempotency::{self, Answer, Claim, Claimed};

const KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key.
const LONGEST: usize = 255;
/// Headers that are kept with an answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// Left in an answer that holds a secret: its body is not kept.
pub(crate) struct HoldsSecret;

/// Whether a request has a key.
pub(super) fn is_asked(request: &ServiceRequest) -> bool {
    request.headers().contains_key(KEY)
}

/// Answers a request by `answer`, or from what an earlier one with its key left.
pub(super) async fn once<F>(shared: &Arc<Shared>, request: ServiceRequest, answer: F) -> Result<ServiceResponse, Error>
where
    F: AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse, Error> + 'static,
{
    let mut request = request;
    match claim(shared, &mut request).await {
        Err(problem) => Ok(request.into_response(problem.error_response())),
        Ok(Claim::New(claimed)) => {
            let shared = Arc::clone(shared);
            // A task of its own: a client that goes away would end the deed halfway.
            let done = actix_web::rt::spawn(async move { finish(&shared, claimed, answer(request).await?).await });
            done.await.map_err(|error| Error::from(Problem::internal(format!("a deed broke off: {error}"))))?
        }
        Ok(Claim::Done(kept)) => {
            let response = replay(kept);
            Ok(request.into_response(response))
        }
        Ok(taken) => {
            let (code, detail) = match taken {
                Claim::Mismatch => (Code::IdempotencyMismatch, "An earlier request with this key was another one."),
                Claim::SecretShown => {
                    (Code::SecretAlreadyShown, "This was done before; its answer held a secret, which is shown once.")
                }
                _ => (Code::IdempotencyInFlight, "The request with this key still runs: repeat it later."),
            };
            Ok(request.into_response(Problem::new(code, detail).error_response()))
        }
    }
}

/// Reads the body, which the key is bound to, and takes the key.
async fn claim(shared: &Shared, request: &mut ServiceRequest) -> Result<Claim, Problem> {
    let mut keys = request.headers().get_all(KEY).map(|key| key.to_str().unwrap_or_default().to_owned());
    let key = keys.next().filter(|key| (1..=LONGEST).contains(&key.len()));
    let (Some(key), None) = (key, keys.next()) else {
        return Err(Problem::new(Code::BadRequest, format!("Idempotency-Key has 1 to {LONGEST} ASCII characters.")));
    };
    let exchange = Exchange::of(request.request());
    let holder = exchange.as_ref().and_then(|exchange| exchange.holder());
    let holder = holder.ok_or_else(|| Problem::internal("a key outside of the surface's authentication"))?;
    let limits = &shared.state.settings.limits;
    let declared = body::declared_length(request.headers());
    let payload = request.take_payload();
    let bytes = body::read(payload, declared, limits.body_bytes, limits.body_timeout).await.map_err(unread)?;
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let content_type = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let fingerprint = idempotency::fingerprint([target.as_bytes(), content_type, &bytes]);
    let claim = idempotency::claim(holder, &shared.state.db, &key, fingerprint).await?;
    request.set_payload(payload_of(bytes));
    Ok(claim)
}

/// Keeps an answer that a handler decided on. What says nothing of the deed (failures, refusals of the credential, of the
/// body's form) gives the key back.
async fn finish(shared: &Shared, claimed: Claimed, response: ServiceResponse) -> Result<ServiceResponse, Error> {
    let status = response.status();
    let db = &shared.state.db;
    if !is_kept(status) {
        let released = idempotency::release(claimed, db).await;
        released.map_err(Problem::from)?;
        return Ok(response);
    }
    let is_secret = response.response().extensions().get::<HoldsSecret>().is_some();
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let bytes = to_bytes(body).await.map_err(|error| Problem::internal(format!("an answer broke off: {error}")))?;
    let headers = KEPT.iter().filter_map(|name| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let body = (!is_secret).then(|| String::from_utf8_lossy(&bytes).into_owned());
    let answer = Answer { status: status.as_u16(), headers: headers.collect(), body };
    idempotency::finish(claimed, db, answer).await.map_err(Problem::from)?;
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(bytes))))
}

fn is_kept(status: StatusCode) -> bool {
    !status.is_server_error() && !matches!(status.as_u16(), 401 | 403 | 405 | 406 | 408 | 413 | 415 | 429)
}

fn replay(kept: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((REPLAYED, "true"));
    for header in kept.headers {
        response.insert_header(header);
    }
    response.body(kept.body.unwrap_or_default())
}

fn payload_of(bytes: Bytes) -> Payload {
    Payload::Stream { payload: Box::pin(stream::once(async move { Ok(bytes) })) }
}
