//! Refusals and failures as `application/problem+json` (RFC 9457). A handler answers a `Problem`; the layer around the
//! surface, which knows the request id, writes the body.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use super::code::Code;
use crate::domain::permission::{Guarded, Permission};
use crate::http::middleware::Cause;
use crate::service::ServiceError;
use crate::service::admin::scim_tokens::MOST_ALIVE;
use crate::service::admin::{Invalid, Managed, Refusal};

/// `application/problem+json`
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Challenges of a 401 (RFC 6750 §3): an error only where a credential was presented.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="api""#);
const CHALLENGE_INVALID: HeaderValue = HeaderValue::from_static(r#"Bearer realm="api", error="invalid_token""#);

/// A refusal or failure on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    // Apart, so that a `Result` of a handler stays small.
    content: Box<Content>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    detail: String,
    /// Members of this code's own.
    members: Map<String, Value>,
    /// What must not be seen, for the log.
    cause: Option<String>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    closes: bool,
}

impl Problem {
    /// A refusal with a sentence fit to show a person.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem { code, content: Box::new(Content { detail: detail.into(), ..Content::default() }) }
    }

    /// The one answer for an id that does not exist, belongs to somebody else, or is no id.
    pub(crate) fn not_found() -> Self {
        Problem::new(Code::NotFound, "There is no such resource.")
    }

    /// 405 with the methods that are offered.
    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let problem = Problem::new(Code::MethodNotAllowed, format!("This resource offers {allow}."));
        match HeaderValue::from_str(allow) {
            Ok(value) => problem.header(header::ALLOW, value),
            Err(_) => problem,
        }
    }

    /// 422 with everything that was found.
    pub(crate) fn validation(errors: Vec<Invalid>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            several => format!("{} parts of the body are not what this route takes.", several.len()),
        };
        let errors = errors.into_iter().map(|e| json!({ "pointer": e.pointer, "detail": e.detail })).collect();
        Problem::new(Code::ValidationFailed, detail).member("errors", Value::Array(errors))
    }

    /// 412.
    pub(crate) fn precondition_failed() -> Self {
        Problem::new(Code::PreconditionFailed, "Somebody changed this in the meantime: read it again.")
    }

    /// 401; `presented`: whether a credential came.
    pub(crate) fn unauthenticated(presented: bool) -> Self {
        let challenge = if presented { CHALLENGE_INVALID } else { CHALLENGE };
        Problem::new(Code::Unauthenticated, "Send a valid API key as Authorization: Bearer.")
            .header(header::WWW_AUTHENTICATE, challenge)
    }

    /// 429; how long to wait.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        // Rounded up, so that the client that waits is let in.
        let seconds = wait.as_secs() + 1;
        Problem::new(Code::RateLimited, format!("Too many requests with this credential: wait {seconds} s."))
            .header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 500; the cause is for the log.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Problem::new(Code::Internal, "An internal error. The server's log tells more under this request's id.")
            .because(cause)
    }

    /// 503; the cause is for the log.
    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        Problem::new(Code::Unavailable, "Not available at the moment: repeat the request.")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            .because(cause)
    }

    /// 403 naming the permission that is missing.
    pub(crate) fn permission_denied(permission: Permission) -> Self {
        let key = permission.key();
        Problem::new(Code::PermissionDenied, format!("This needs the permission {key}.")).member("permission", key)
    }

    /// 403 for what a directory manages, with who does.
    fn managed_externally(managed: &Managed) -> Self {
        let Managed { name, connection_name, .. } = managed;
        let change = match managed.action {
            "user.delete" => "Remove or deactivate this user there; the change",
            "user.unsuspend" => "Reactivate this user there; the change",
            _ => "Make the change there; it",
        };
        let reason = match managed.action {
            "user.update_roles" | "user.update_groups" | "group.update_roles" | "sub_account.grant_access" => {
                " With roles_for_managed_users: directory_only, nobody here gives such people roles or groups."
            }
            _ => "",
        };
        let detail = format!(
            "{name} is managed by {connection_name}.{reason} {change} arrives here by itself. If that is not possible, ask the \
             operator of this service."
        );
        let connection = managed.connection.to_string();
        Problem::new(Code::ManagedExternally, detail)
            .member("action", managed.action)
            .member("resource", json!({ "type": managed.kind, "id": managed.id.to_string() }))
            .member("connection", json!({ "id": connection, "name": connection_name, "provider": managed.provider }))
            .member("locked_fields", json!(managed.locked_fields))
    }

    /// Adds a member.
    pub(crate) fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.content.members.insert(name.to_owned(), value.into());
        self
    }

    /// Pointers of a 422.
    #[cfg(test)]
    pub(crate) fn pointers(&self) -> Vec<String> {
        let errors = self.content.members.get("errors").and_then(Value::as_array).into_iter().flatten();
        errors.filter_map(|error| Some(error.get("pointer")?.as_str()?.to_owned())).collect()
    }

    /// Closes the connection after the answer: the rest of the request is not read.
    pub(crate) fn closing(mut self) -> Self {
        self.content.closes = true;
        self
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        self.content.cause = Some(cause.into());
        self
    }

    fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.content.headers.push((name, value));
        self
    }

    /// Its members, for an answer that holds many.
    pub(crate) fn body(&self, public_url: &str, request_id: &str) -> Map<String, Value> {
        let code = self.code;
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("{public_url}/problems/{}", code.name()).into());
        body.insert("code".to_owned(), code.name().into());
        body.insert("title".to_owned(), code.title().into());
        body.insert("status".to_owned(), code.status().into());
        body.insert("detail".to_owned(), self.content.detail.clone().into());
        body.insert("instance".to_owned(), format!("urn:request:{request_id}").into());
        body.extend(self.content.members.clone());
        body
    }

    /// The answer. `public_url` is the base of the help pages.
    pub(crate) fn render(&self, public_url: &str, request_id: &str) -> HttpResponse {
        let code = self.code;
        let body = self.body(public_url, request_id);
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
        for (name, value) in &self.content.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        let mut response = response.body(Value::Object(body).to_string());
        if self.content.closes {
            response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        if let Some(cause) = &self.content.cause {
            let cause = if code == Code::Internal { Cause::error(cause) } else { Cause::warning(cause) };
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Bears the problem to the layer, which renders it.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unauthenticated(_) => Problem::unauthenticated(true),
            ServiceError::TooManyRequests(wait) => Problem::rate_limited(wait),
            ServiceError::Unavailable(cause) => Problem::unavailable(cause),
            ServiceError::Internal(cause) => Problem::internal(cause),
            // A refusal in SCIM's terms has no place here but for what both surfaces share.
            ServiceError::Scim(error) if error.status == 404 => Problem::not_found(),
            ServiceError::Scim(error) if error.status == 412 => Problem::precondition_failed(),
            ServiceError::Scim(error) => Problem::internal(format!("a SCIM refusal on the admin surface: {error:?}")),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::PermissionDenied(permission) => Problem::permission_denied(permission),
            Refusal::Guarded(Guarded::OwnRoles) => {
                Problem::new(Code::CannotTargetSelf, "Nobody changes their own roles: ask another Admin.")
            }
            Refusal::Guarded(Guarded::NeedsAdmin) => {
                Problem::new(Code::PermissionDenied, "Only an Admin may do this.").member("role", "admin")
            }
            Refusal::Guarded(Guarded::AboveOwn) => {
                Problem::new(Code::PermissionDenied, "A key gets no role above those of whoever makes or changes it.")
            }
            Refusal::Guarded(Guarded::AdminOfSubAccount) => Problem::new(
                Code::PermissionDenied,
                "Only a sub-account's own Admins hold the role admin there: it is not given from the parent.",
            ),
            Refusal::AddressNotAllowed => Problem::new(
                Code::AddressNotAllowed,
                "This credential may not be used from the address that the request came from.",
            ),
            Refusal::OrganizationSuspended => {
                Problem::new(Code::PermissionDenied, "The organization of this credential is suspended.")
            }
            Refusal::Missing => Problem::not_found(),
            Refusal::Stale => Problem::precondition_failed(),
            Refusal::Invalid(errors) => Problem::validation(errors),
            Refusal::ConnectionState(wrong) => {
                Problem::new(Code::ConnectionState, format!("{}.", capitalized(&wrong.to_string())))
                    .member("state", wrong.from.as_str())
            }
            Refusal::Decommissioned => {
                Problem::new(Code::ConnectionState, "The connection is decommissioned: make a new one.")
                    .member("state", "decommissioned")
            }
            Refusal::Staged => {
                Problem::new(Code::ConnectionState, "The connection is not active yet: nobody is adopted before.")
            }
            Refusal::NotPending => Problem::new(Code::ConnectionState, "This is decided already."),
            Refusal::Protected => Problem::new(
                Code::PermissionDenied,
                "This person is the organization's protected Admin, whom no directory manages.",
            ),
            Refusal::TokenLimit => Problem::new(
                Code::TokenLimit,
                format!("At most {MOST_ALIVE} tokens of a connection are alive at a time: revoke one first."),
            ),
            Refusal::NameTaken(detail) => Problem::new(Code::GroupNameTaken, detail),
            Refusal::ManagedExternally(managed) => Problem::managed_externally(&managed),
            Refusal::LastAdmin => {
                Problem::new(Code::LastAdmin, "This would leave the organization without an Admin who can sign in.")
            }
            Refusal::OwnAccount => Problem::new(Code::CannotTargetSelf, "Nobody does this to themselves."),
            Refusal::EmailTaken => {
                Problem::new(Code::EmailTaken, "Another person has this address or this user name: choose another one.")
            }
            Refusal::UserState(detail) => Problem::new(Code::UserState, detail),
            Refusal::GroupNameTaken => Problem::new(Code::GroupNameTaken, "Another group has this name."),
            Refusal::AlreadyMember => {
                Problem::new(Code::AlreadyMember, "Somebody with this address belongs to the organization already.")
            }
            Refusal::DeactivatedByDirectory(name) => Problem::new(
                Code::DeactivatedByDirectory,
                format!("Reactivate this person in {name}, or ask the operator to release the user."),
            ),
            Refusal::InvitedJustNow(wait) => {
                let seconds = wait.as_secs() + 1;
                let detail = format!("A link to this address was made less than a minute ago: wait {seconds} s.");
                Problem::new(Code::RateLimited, detail).header(header::RETRY_AFTER, HeaderValue::from(seconds))
            }
            Refusal::InvitationNotPending => {
                Problem::new(Code::InvitationNotPending, "This invitation was accepted or withdrawn.")
            }
            Refusal::Service(error) => error.into(),
        }
    }
}

/// A sentence begins with a capital.
fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
