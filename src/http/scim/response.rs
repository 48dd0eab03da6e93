//! Answers of the SCIM surface, spliced from stored text wherever nothing has to be left out.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value};

use super::error::Rejection;
use crate::http::extract::media;
use crate::protocol::etag;
use crate::protocol::projection::Projection;
use crate::protocol::schema::ResourceKind;
use crate::protocol::splice;
use crate::service::ServiceError;
use crate::service::scim::resources::Stored;
use crate::service::scim::search::Page;

/// Bytes that a resource has beside its document: id, meta, punctuation.
const ENVELOPE: usize = 320;
/// Bytes of an element of `groups` or `members` beside the base in its `$ref`.
const REFERENCE: usize = 160;

/// One resource, with the headers that name it and its version.
pub(super) fn resource(
    base: &str,
    headers: &HeaderMap,
    status: StatusCode,
    stored: &Stored,
    projection: &Projection,
) -> Result<HttpResponse, Rejection> {
    let mut body = String::with_capacity(size(base, stored));
    push(&mut body, base, stored, projection)?;
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, media::answer(headers)));
    version(&mut response, stored.head.version);
    if let Ok(location) = HeaderValue::try_from(splice::location(base, stored.kind, stored.head.id)) {
        response.insert_header((header::LOCATION, location.clone()));
        response.insert_header((header::CONTENT_LOCATION, location));
    }
    // To be asked for again each time, so that If-None-Match has a use.
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    Ok(response.body(body))
}

/// 204, with the version that is stored now.
pub(super) fn no_content(stored_version: i64) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    version(&mut response, stored_version);
    response.finish()
}

/// 304: the client has this version.
pub(super) fn not_modified(stored_version: i64) -> HttpResponse {
    let mut response = HttpResponse::NotModified();
    version(&mut response, stored_version);
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    response.finish()
}

/// A ListResponse over one resource type, or over several, one behind the other.
pub(super) fn list(base: &str, headers: &HeaderMap, pages: &[Page]) -> Result<HttpResponse, Rejection> {
    let records = pages.iter().flat_map(|page| page.records.iter().map(|stored| (stored, &page.projection)));
    let mut body = String::with_capacity(160 + records.clone().map(|(stored, _)| size(base, stored)).sum::<usize>());
    let mut outcome = Ok(());
    let total = pages.iter().map(|page| page.total).sum();
    let start_index = pages.first().map_or(1, |page| page.start_index);
    let records: Vec<_> = records.collect();
    splice::list(&mut body, total, start_index, records.into_iter(), |out, (stored, projection)| {
        if let Err(error) = push(out, base, stored, projection) {
            outcome = Err(error);
        }
    });
    outcome?;
    Ok(document(headers, body))
}

/// Any JSON text.
pub(super) fn document(headers: &HeaderMap, body: String) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media::answer(headers))).body(body)
}

fn version(response: &mut HttpResponseBuilder, version: i64) {
    if let Ok(tag) = HeaderValue::try_from(etag::tag(version)) {
        response.insert_header((header::ETAG, tag));
    }
}

fn size(base: &str, stored: &Stored) -> usize {
    let references = stored.references.as_ref().map_or(0, Vec::len);
    stored.document.len() + ENVELOPE + base.len() + references * (REFERENCE + base.len())
}

/// Appends a resource as the projection shows it.
fn push(out: &mut String, base: &str, stored: &Stored, projection: &Projection) -> Result<(), ServiceError> {
    if projection.is_all() {
        push_whole(out, base, stored);
        return Ok(());
    }
    let mut whole = String::with_capacity(size(base, stored));
    push_whole(&mut whole, base, stored);
    let damaged = |error| ServiceError::Internal(format!("document of resource {}: {error}", stored.head.id));
    let mut resource: Map<String, Value> = serde_json::from_str(&whole).map_err(damaged)?;
    projection.apply(&mut resource);
    out.push_str(&serde_json::to_string(&resource).map_err(damaged)?);
    Ok(())
}

fn push_whole(out: &mut String, base: &str, stored: &Stored) {
    let references = stored.references.as_deref();
    match stored.kind {
        ResourceKind::User => splice::user(out, base, &stored.document, &stored.head, references.unwrap_or_default()),
        ResourceKind::Group => splice::group(out, base, &stored.document, &stored.head, references),
    }
}
