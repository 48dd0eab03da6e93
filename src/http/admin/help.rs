//! The pages behind the `type` of problems: what a code means and what to do. Plain HTML, without script or style.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::code::Code;

/// Nothing is loaded or run.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /problems/{code}`
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    let code = request.match_info().get("code").and_then(Code::parse);
    let Some(code) = code else {
        let text = "There is no such problem code. The list of codes is at /problems.";
        return html(HttpResponse::NotFound(), "Not found", &format!("<p>{text}</p>"));
    };
    let (name, status, help) = (code.name(), code.status(), escaped(code.help()));
    let body = format!("<p>{help}</p>\n<p>Code: <code>{name}</code>. Status: {status}.</p>");
    html(HttpResponse::Ok(), code.title(), &body)
}

/// `GET /problems`
pub(super) async fn index() -> HttpResponse {
    let mut body = String::from("<ul>\n");
    for code in Code::all() {
        let (name, title) = (code.name(), escaped(code.title()));
        body.push_str(&format!("<li><a href=\"problems/{name}\">{name}</a>: {title}</li>\n"));
    }
    body.push_str("</ul>");
    html(HttpResponse::Ok(), "Problem codes", &body)
}

fn html(mut response: actix_web::HttpResponseBuilder, title: &str, body: &str) -> HttpResponse {
    let title = escaped(title);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
        ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
