//! The page that `documentationUri` names: how to connect an identity provider.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::http::page::html;

/// `GET /docs/scim`
pub(super) async fn page() -> HttpResponse {
    let mut response =
        html(HttpResponse::Ok(), "Connecting an identity provider over SCIM", include_str!("guide.html"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}
