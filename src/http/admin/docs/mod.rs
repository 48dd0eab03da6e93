//! `/api/docs`: a page that renders the OpenAPI document in the browser. Its three files are part of the binary; nothing is
//! asked of another origin.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The files, by the last segment of their path.
const FILES: [(&str, &str, &str); 3] = [
    ("docs", "text/html; charset=utf-8", include_str!("index.html")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("docs.js")),
    ("docs.css", "text/css; charset=utf-8", include_str!("docs.css")),
];

/// Paths of the files.
pub(super) const PATHS: [&str; 3] = ["/api/docs", "/api/docs.js", "/api/docs.css"];

/// `GET` of one of the files.
pub(super) async fn file(request: HttpRequest) -> HttpResponse {
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let Some((_, content_type, body)) = FILES.iter().find(|(file, ..)| *file == name) else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .content_type(*content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(*body)
}
