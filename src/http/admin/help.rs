//! The pages behind the `type` of problems: what a code means and what to do. Plain HTML, without script or style.

use actix_web::{HttpRequest, HttpResponse};

use super::code::Code;
use crate::http::page::{escaped, html};

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
