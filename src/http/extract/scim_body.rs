//! A JSON body: its media type, its size, the time it takes to come, and its text.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::body::{Unread, declared_length, read};
use super::media;
use crate::http::middleware::{Exchange, keeps_bodies};
use crate::http::scim::error::Rejection;
use crate::protocol::error::ScimError;
use crate::protocol::validate::parse_json;
use crate::service::ServiceError;
use crate::service::provisioning_log::MOST_BODY;

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
        let is_kept = keeps_bodies(request.method(), request.path());
        Box::pin(async move {
            let exchange =
                exchange.ok_or_else(|| ServiceError::Internal("a request outside of the edge".to_owned()))?;
            acceptable?;
            let limits = &exchange.shared.state.settings.limits;
            let bytes = read(payload, declared, limits.body_bytes, limits.body_timeout).await.map_err(unread)?;
            if is_kept && bytes.len() <= MOST_BODY {
                // A copy: the piece of a larger buffer would hold all of it. Only this extractor sets it.
                _ = exchange.request_body.set(Bytes::copy_from_slice(&bytes));
            }
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

fn unread(why: Unread) -> Rejection {
    let rejection = match why {
        Unread::TooLarge(most) => {
            refused(StatusCode::PAYLOAD_TOO_LARGE, &format!("The body is larger than {most} bytes"))
        }
        Unread::TooSlow => refused(StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
        Unread::Broken => ScimError::invalid_syntax("The body broke off or its transfer coding is wrong").into(),
    };
    rejection.closing()
}

fn refused(status: StatusCode, detail: &str) -> Rejection {
    ScimError::new(status.as_u16(), None, detail).into()
}
