//! The OpenAPI 3.1 document: the routes as their handlers describe them, with what all of them share written once.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder, PathsBuilder};

use super::code::Code;
use super::endpoint::Endpoint;
use super::{BASE, endpoints};
use crate::domain::permission::Permission;

/// Name of the security scheme.
const KEY: &str = "api_key";

/// The document as it is served and checked in.
pub(crate) fn document() -> String {
    // Values of these types print without failure.
    let mut document = serde_json::to_string_pretty(&value()).unwrap_or_default();
    document.push('\n');
    document
}

fn value() -> Value {
    let mut components = ComponentsBuilder::new()
        .security_scheme(KEY, SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    let mut paths = PathsBuilder::new();
    let mut details = Vec::new();
    for endpoint in endpoints() {
        details.push(Shared::of(&endpoint));
        let Endpoint { method, path, operation, schemas, .. } = endpoint;
        components = components.schemas_from_iter(schemas);
        paths = paths.path(format!("{BASE}{path}"), PathItem::new(documented(&method), operation));
    }
    let info = InfoBuilder::new()
        .title("Rollcall admin API")
        .version("1")
        .description(Some("What an organization's administrators and programs do. Errors are problem+json (RFC 9457)."))
        .license(Some(utoipa::openapi::LicenseBuilder::new().name("Apache-2.0").build()))
        .build();
    let document = OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.insert("Problem".to_owned(), problem());
        schemas.sort_keys();
    }
    for shared in &details {
        shared.add_to(&mut document);
    }
    document
}

fn documented(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// What every operation has without its handler saying so.
struct Shared {
    pointer: String,
    permission: &'static str,
    also: Option<&'static str>,
    is_post: bool,
}

impl Shared {
    fn of(endpoint: &Endpoint) -> Self {
        let path = format!("{BASE}{}", endpoint.path).replace('~', "~0").replace('/', "~1");
        let method = endpoint.method.as_str().to_lowercase();
        Shared {
            pointer: format!("/paths/{path}/{method}"),
            permission: endpoint.permission.key(),
            also: endpoint.also.map(Permission::key),
            is_post: endpoint.method == Method::POST,
        }
    }

    fn add_to(&self, document: &mut Value) {
        let Some(operation) = document.pointer_mut(&self.pointer).and_then(Value::as_object_mut) else { return };
        operation.insert("security".to_owned(), json!([{ KEY: [] }]));
        operation.insert("x-permission".to_owned(), json!(self.permission));
        if let Some(also) = self.also {
            operation.insert("x-permission-besides".to_owned(), json!(also));
        }
        if self.is_post {
            let key = json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "A key of the client's choice: the same request with the same key is done once in 24 hours.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            });
            if let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
                parameters.push(key);
            }
        }
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            let problem = json!({
                "description": "A refusal or failure",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            });
            responses.insert("default".to_owned(), problem);
        }
    }
}

fn problem() -> Value {
    let codes: Vec<&str> = Code::all().map(Code::name).collect();
    json!({
        "type": "object",
        "description": "A problem (RFC 9457). Some codes have further members.",
        "required": ["type", "code", "title", "status", "detail", "instance"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "URL of a page that explains the code" },
            "code": { "type": "string", "enum": codes },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "A sentence fit to show a person" },
            "instance": { "type": "string", "description": "urn:request: and the request id" },
            "permission": { "type": "string", "description": "With permission-denied: what is missing" },
            "errors": {
                "type": "array",
                "description": "With validation-failed: what is wrong",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "description": "JSON Pointer into the body" },
                        "detail": { "type": "string" },
                    },
                },
            },
        },
    })
}
