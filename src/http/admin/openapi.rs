//! The OpenAPI 3.1 document: the routes as their handlers describe them, with what all of them share written once.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder, PathsBuilder};

use super::argument::Takes;
use super::code::Code;
use super::endpoint::Endpoint;
use super::granted::Format;
use super::{BASE, choice, endpoints};
use crate::domain::permission::Permission;

/// Name of the security scheme.
const KEY: &str = "api_key";
/// Statuses of problems that every route can have: of the request's head, the credential, the rate, the service.
const EVERYWHERE: [u16; 9] = [400, 401, 403, 406, 414, 429, 431, 500, 503];
/// What stands against a deed.
const OF_A_DEED: [u16; 1] = [409];
/// With Idempotency-Key the body is read, and bound to the key.
const OF_A_KEY: [u16; 3] = [408, 413, 422];

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
    components = components.schemas_from_iter(choice::schemas());
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
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("responses".to_owned(), responses().into());
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

/// What an operation has without its handler saying so.
struct Shared {
    pointer: String,
    permission: &'static str,
    also: Option<&'static str>,
    method: Method,
    takes: Takes,
}

impl Shared {
    fn of(endpoint: &Endpoint) -> Self {
        let path = format!("{BASE}{}", endpoint.path).replace('~', "~0").replace('/', "~1");
        let method = endpoint.method.as_str().to_lowercase();
        Shared {
            pointer: format!("/paths/{path}/{method}"),
            permission: endpoint.permission.key(),
            also: endpoint.also.map(Permission::key),
            method: endpoint.method.clone(),
            takes: endpoint.takes.clone(),
        }
    }

    fn add_to(&self, document: &mut Value) {
        let Some(operation) = document.pointer_mut(&self.pointer).and_then(Value::as_object_mut) else { return };
        operation.insert("security".to_owned(), json!([{ KEY: [] }]));
        operation.insert("x-permission".to_owned(), json!(self.permission));
        if let Some(also) = self.also {
            operation.insert("x-permission-besides".to_owned(), json!(also));
        }
        if let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
            self.describe_sort(parameters);
            parameters.extend(self.headers());
            if parameters.is_empty() {
                operation.remove("parameters");
            }
        }
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            self.add_formats(responses);
            let said: Vec<u16> = responses.keys().filter_map(|status| status.parse().ok()).collect();
            for status in self.refusals().into_iter().chain(said.into_iter().filter(|status| *status >= 400)) {
                let reference = json!({ "$ref": format!("#/components/responses/{}", response_name(status)) });
                responses.insert(status.to_string(), reference);
            }
            if self.takes.is_conditional && self.method == Method::GET {
                let unchanged = json!({ "description": "The client has this version already" });
                responses.insert("304".to_owned(), unchanged);
            }
            responses.sort_keys();
        }
    }

    /// The request's header fields.
    fn headers(&self) -> Vec<Value> {
        let mut headers = Vec::new();
        if self.method == Method::POST {
            headers.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "A key of the client's choice: the same request with the same key is done once in 24 hours.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            }));
        }
        let mut condition = |name: &str, description: &str| {
            headers.push(json!({
                "name": name, "in": "header", "required": false, "description": description,
                "schema": { "type": "string" },
            }));
        };
        if self.takes.is_conditional {
            condition("If-Match", "ETag of the version that the client means; any other version is 412.");
            if self.method == Method::GET {
                condition("If-None-Match", "ETag of the version that the client has; the same version is 304.");
            }
        }
        headers
    }

    /// Each list is sorted by fields of its own.
    fn describe_sort(&self, parameters: &mut [Value]) {
        let fields = self.takes.sorts;
        let sort = parameters.iter_mut().find(|parameter| parameter.get("name").is_some_and(|name| name == "sort"));
        let Some(schema) = sort.and_then(|sort| sort.get_mut("schema")).and_then(Value::as_object_mut) else { return };
        let field = format!("-?({})", fields.join("|"));
        schema.insert("pattern".to_owned(), json!(format!("^{field}(,{field})*$")));
    }

    /// An export is an answer in another media type.
    fn add_formats(&self, responses: &mut Map<String, Value>) {
        let others = self.takes.formats.iter().filter(|format| **format != Format::Json);
        let content = responses.get_mut("200").and_then(|answer| answer.get_mut("content"));
        let Some(content) = content.and_then(Value::as_object_mut) else { return };
        for format in others {
            content.insert(format.essence().to_owned(), json!({ "schema": { "type": "string" } }));
        }
    }

    /// Statuses of problems: those of the layer around all routes, of the method and of the arguments.
    fn refusals(&self) -> BTreeSet<u16> {
        let mut statuses = self.takes.refusals.clone();
        statuses.extend(EVERYWHERE);
        if self.method != Method::GET {
            statuses.extend(OF_A_DEED);
        }
        if self.method == Method::POST {
            statuses.extend(OF_A_KEY);
        }
        statuses
    }
}

/// Name of the answer with a problem of this status.
fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// An answer for each status that a problem of a route can have, with the codes that have it.
fn responses() -> Map<String, Value> {
    let mut codes: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::all() {
        codes.entry(code.status()).or_default().push(code);
    }
    let answer = |(status, codes): (u16, Vec<Code>)| {
        let titles: Vec<&str> = codes.iter().map(|code| code.title()).collect();
        let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
        let own = json!({ "properties": { "status": { "const": status }, "code": { "enum": names } } });
        let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }, own] });
        let content = json!({ "application/problem+json": { "schema": schema } });
        (response_name(status), json!({ "description": titles.join("; "), "content": content }))
    };
    codes.into_iter().map(answer).collect()
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
