//! A JSON body: its media type, its size, the time it takes to come, and its text.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::media;
use crate::http::deadline::within;
use crate::http::middleware::Exchange;
use crate::http::scim::error::Rejection;
use crate::protocol::error::ScimError;
use crate::protocol::validate::parse_json;
use crate::service::ServiceError;

/// The body of a request, within the bounds on bytes, nesting and members.
pub(crate) struct ScimBody(pub(crate) Value);

impl FromRequest for ScimBody {
    type Error = Rejection;
    type Future = LocalBoxFuture<'static, Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let exchange = Exchange::of(request);
        let acceptable = check_head(request.headers());
        let declared = declared_length(request.headers());
        let payload = payload.take();
        Box::pin(async move {
            let exchange =
                exchange.ok_or_else(|| ServiceError::Internal("a request outside of the edge".to_owned()))?;
            acceptable?;
            let limits = &exchange.shared.state.settings.limits;
            let bytes = read(payload, declared, limits.body_bytes, limits.body_timeout).await?;
            Ok(ScimBody(parse_json(&bytes, &limits.protocol)?))
        })
    }
}

fn check_head(headers: &HeaderMap) -> Result<(), Rejection> {
    let unsupported = |detail: &str| Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    if !media::is_identity(headers) {
        return unsupported("Send the body without Content-Encoding");
    }
    if !media::is_json(headers) {
        return unsupported("Send the body as application/scim+json or application/json");
    }
    Ok(())
}

/// actix refuses a length that is no number or stands twice.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Reads a whole body of at most `most` bytes. What is declared is compared, but never reserved.
async fn read(mut payload: Payload, declared: Option<u64>, most: usize, limit: Duration) -> Result<Bytes, Rejection> {
    let too_large =
        || refused(StatusCode::PAYLOAD_TOO_LARGE, &format!("The body is larger than {most} bytes")).closing();
    if declared.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let collect = async {
        // Most bodies come in one piece, which then needs no copy.
        let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(|error| broken(&error))?;
        if first.len() > most {
            return Err(too_large());
        }
        let Some(mut next) = payload.next().await else { return Ok(first) };
        let mut all = BytesMut::from(first);
        loop {
            let piece = next.map_err(|error| broken(&error))?;
            if all.len() + piece.len() > most {
                return Err(too_large());
            }
            all.extend_from_slice(&piece);
            match payload.next().await {
                Some(piece) => next = piece,
                None => return Ok(all.freeze()),
            }
        }
    };
    match within(limit, collect).await {
        Some(body) => body,
        None => Err(refused(StatusCode::REQUEST_TIMEOUT, "The body did not come in time").closing()),
    }
}

fn broken(error: &PayloadError) -> Rejection {
    log::debug!("a body broke off: {error}");
    Rejection::from(ScimError::invalid_syntax("The body broke off or its transfer coding is wrong")).closing()
}

fn refused(status: StatusCode, detail: &str) -> Rejection {
    ScimError::new(status.as_u16(), None, detail).into()
}
