//! Refusals and failures as SCIM error bodies (RFC 7644 §3.12), in one exhaustive match.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};

use crate::http::extract::media::SCIM_JSON;
use crate::http::middleware::Cause;
use crate::protocol::error::ScimError;
use crate::service::{ServiceError, Unauthenticated};

/// Seconds after which a client that was told to come back does.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// A `ServiceError` on its way to the client.
#[derive(Debug)]
pub(crate) struct Rejection {
    error: ServiceError,
    allow: Option<&'static str>,
    closes: bool,
}

impl Rejection {
    /// 405 with the methods that are offered (RFC 9110 §15.5.6).
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let error = ScimError::new(405, None, format!("This resource offers {allow}"));
        Rejection { allow: Some(allow), ..error.into() }
    }

    /// Closes the connection after the answer: the rest of the request is not read.
    pub(crate) fn closing(self) -> Self {
        Rejection { closes: true, ..self }
    }
}

impl<E: Into<ServiceError>> From<E> for Rejection {
    fn from(error: E) -> Self {
        Rejection { error: error.into(), allow: None, closes: false }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Rejection {
    fn error_response(&self) -> HttpResponse {
        let mut response = render(&self.error);
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.closes {
            response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        response
    }
}

/// The answer for an error. What the client must not see goes along as its `Cause`, for the log.
pub(crate) fn render(error: &ServiceError) -> HttpResponse {
    match error {
        ServiceError::Scim(error) => body(error),
        ServiceError::Unauthenticated(why) => unauthenticated(*why),
        ServiceError::TooManyRequests(wait) => {
            let detail = "Too many requests for this token: wait as long as Retry-After says";
            let mut response = body(&ScimError::new(429, None, detail));
            // Rounded up, so that the client that waits is let in.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            response
        }
        ServiceError::Unavailable(cause) => {
            let mut response = body(&ScimError::new(503, None, "Not available at the moment: repeat the request"));
            response.extensions_mut().insert(Cause::warning(cause));
            response
        }
        ServiceError::Internal(cause) => {
            let detail = "An internal error: the server's log tells more under the X-Request-Id of this answer";
            let mut response = body(&ScimError::new(500, None, detail));
            response.extensions_mut().insert(Cause::error(cause));
            response
        }
    }
}

/// RFC 6750 §3: an error code only where a token was presented.
fn unauthenticated(why: Unauthenticated) -> HttpResponse {
    let (challenge, detail) = match why {
        Unauthenticated::Missing => (r#"Bearer realm="scim""#, "Send a SCIM token as Authorization: Bearer"),
        Unauthenticated::Invalid => (
            r#"Bearer realm="scim", error="invalid_token""#,
            "The token is unknown, expired or revoked: make a new one for this connection",
        ),
    };
    let mut response = body(&ScimError::new(401, None, detail));
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn body(error: &ScimError) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, SCIM_JSON));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
    }
    response.body(error.to_json().to_string())
}
