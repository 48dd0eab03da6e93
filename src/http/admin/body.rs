//! JSON bodies: media type, size and syntax are judged when the request comes; members are judged by the handler (`form`),
//! after it knows that the resource exists and is the version that the client means.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::code::Code;
use super::problem::Problem;
use crate::http::extract::body::{self, Unread};
use crate::http::extract::media;
use crate::http::middleware::Exchange;
use crate::protocol::error::ScimType;
use crate::protocol::validate::parse_json;
use crate::service::admin::Invalid;

/// A JSON document.
pub(crate) struct JsonBody(pub(crate) Value);

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload.take(), &["application/json"]);
        Box::pin(async move { Ok(JsonBody(read.await?)) })
    }
}

/// A patch (RFC 7396), as its own media type or as plain JSON.
pub(crate) struct MergePatch(pub(crate) Value);

impl FromRequest for MergePatch {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload.take(), &["application/json", "application/merge-patch+json"]);
        Box::pin(async move { Ok(MergePatch(read.await?)) })
    }
}

/// A JSON document, or nothing at all, which stands for an object without members.
pub(crate) struct NoBodyNeeded(pub(crate) Value);

impl FromRequest for NoBodyNeeded {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        if !is_chunked && body::declared_length(request.headers()).unwrap_or_default() == 0 {
            return Box::pin(async { Ok(NoBodyNeeded(Value::Object(serde_json::Map::new()))) });
        }
        let read = read(request, payload.take(), &["application/json"]);
        Box::pin(async move { Ok(NoBodyNeeded(read.await?)) })
    }
}

fn read(
    request: &HttpRequest,
    payload: Payload,
    accepted: &'static [&'static str],
) -> impl Future<Output = Result<Value, Problem>> + use<> {
    let exchange = Exchange::of(request);
    let head = check_head(request.headers(), accepted);
    let declared = body::declared_length(request.headers());
    async move {
        let exchange = exchange.ok_or_else(|| Problem::internal("a request outside of the edge"))?;
        head?;
        let limits = &exchange.shared.state.settings.limits;
        let bytes = body::read(payload, declared, limits.body_bytes, limits.body_timeout).await.map_err(unread)?;
        parse_json(&bytes, &limits.protocol).map_err(|error| match error.scim_type {
            // U+0000: JSON, but nothing that can be stored.
            Some(ScimType::InvalidValue) => Problem::validation(vec![Invalid::new("", error.detail)]),
            _ => Problem::new(Code::MalformedJson, error.detail),
        })
    }
}

/// The refusal for a body that was not read.
pub(super) fn unread(why: Unread) -> Problem {
    let problem = match why {
        Unread::TooLarge(most) => Problem::new(Code::PayloadTooLarge, format!("The body is larger than {most} bytes.")),
        Unread::TooSlow => Problem::new(Code::RequestTimeout, "The body did not come in time."),
        Unread::Broken => Problem::new(Code::BadRequest, "The body broke off or its transfer coding is wrong."),
    };
    problem.closing()
}

fn check_head(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    let unsupported = |detail: String| Err(Problem::new(Code::UnsupportedMediaType, detail));
    if !media::is_identity(headers) {
        return unsupported("Send the body without Content-Encoding.".to_owned());
    }
    let mut fields = headers.get_all(header::CONTENT_TYPE);
    let fits = match (fields.next(), fields.next()) {
        (Some(field), None) => field
            .to_str()
            .is_ok_and(|text| accepted.iter().any(|accepted| media::essence(text).eq_ignore_ascii_case(accepted))),
        (None, _) => true,
        (Some(_), Some(_)) => false,
    };
    if fits { Ok(()) } else { unsupported(format!("Send the body as {}.", accepted.join(" or "))) }
}
