//! Answers with one resource: its version as `ETag`, and 304 for who has it already.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;

use super::problem::Problem;
use crate::protocol::etag;
use crate::service::ServiceError;
use crate::service::scim::resources::Conditions;

/// To be asked for again each time, so that If-None-Match has a use.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// 200 with the resource, or 304.
///
/// # Errors
/// 412.
pub(crate) fn read(conditions: &Conditions, version: i64, view: impl Serialize) -> Result<HttpResponse, Problem> {
    let mut response = if conditions.is_unmodified(version) {
        HttpResponse::NotModified().finish()
    } else {
        conditions.check(version).map_err(ServiceError::Scim)?;
        HttpResponse::Ok().json(view)
    };
    if let Some(tag) = tag(version) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, REVALIDATE);
    Ok(response)
}

/// Judges the conditions of a write on a version that was read; answers the version that the write must find, where the client
/// insists on one.
///
/// # Errors
/// 412.
pub(crate) fn expected(conditions: &Conditions, version: i64) -> Result<Option<i64>, Problem> {
    conditions.check(version).map_err(ServiceError::Scim)?;
    Ok(conditions.if_match.is_some().then_some(version))
}

/// The `ETag` of a version.
pub(crate) fn tag(version: i64) -> Option<HeaderValue> {
    HeaderValue::try_from(etag::tag(version)).ok()
}
