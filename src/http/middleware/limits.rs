//! Bounds on a request's head (RFC 9110 §15.5.15, RFC 6585 §5), checked before anything looks at it. actix itself refuses
//! heads above 128 KiB and more than 96 fields.

use actix_web::dev::RequestHead;
use actix_web::http::{StatusCode, Version, header};

use crate::config::Limits;

/// Why a request goes no further, with the sentence for the client. The connection is closed afterwards: what follows on
/// it cannot be trusted to be the next request.
pub(super) fn check(head: &RequestHead, limits: &Limits) -> Result<(), (StatusCode, &'static str)> {
    let target = head.uri.path_and_query().map_or(1, |target| target.as_str().len());
    // Method, two blanks, "HTTP/1.1".
    if head.method.as_str().len() + target + 10 > limits.request_line_bytes {
        return Err((StatusCode::URI_TOO_LONG, "The request line is too long: send the query as POST .search"));
    }
    let mut bytes = 0;
    for (name, value) in &head.headers {
        // ": " and the line's end.
        bytes += name.as_str().len() + value.len() + 4;
    }
    if bytes > limits.header_bytes {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The header fields are too large together"));
    }
    if head.headers.contains_key(header::TRANSFER_ENCODING) && head.version < Version::HTTP_2 {
        // RFC 9112 §6.1: both lengths, or chunks in HTTP/1.0, is how requests are smuggled past a proxy.
        if head.headers.contains_key(header::CONTENT_LENGTH) || head.version < Version::HTTP_11 {
            return Err((StatusCode::BAD_REQUEST, "The body's length is given in two ways"));
        }
    }
    Ok(())
}
