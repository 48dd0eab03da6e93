//! The error table of RFC 7644 §3.12: one constructor for each refusal the engine can give.
//! A `detail` tells the client what to change; it never holds a secret or another tenant's value.
//! Rendering as an HTTP answer belongs to `http/scim/error.rs`.

use serde_json::{Value, json};

use super::urn;

/// The `scimType` keywords of RFC 7644 table 9 and RFC 9865 §2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// The filter's syntax is wrong, or it uses an attribute or operator that it may not.
    InvalidFilter,
    /// The query yields more than the server is willing to compute.
    TooMany,
    /// A unique value is taken.
    Uniqueness,
    /// A readOnly or immutable attribute would be changed.
    Mutability,
    /// The body's structure is wrong.
    InvalidSyntax,
    /// A PATCH path is malformed or names an unknown attribute.
    InvalidPath,
    /// A PATCH path selects nothing.
    NoTarget,
    /// A value is missing or of the wrong type.
    InvalidValue,
    /// A protocol version that is not supported.
    InvalidVers,
    /// The request would show sensitive data in its URI.
    Sensitive,
    /// A cursor that this server did not make (RFC 9865).
    InvalidCursor,
}

impl ScimType {
    /// The keyword as it stands in the error body.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
        }
    }
}

/// A refusal in SCIM's own terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {detail}")]
pub struct ScimError {
    /// HTTP status code.
    pub status: u16,
    /// Keyword, where RFC 7644 §3.12 has one for the case.
    pub scim_type: Option<ScimType>,
    /// What the client should change, in one sentence.
    pub detail: String,
}

impl ScimError {
    /// A refusal of any status, with or without keyword.
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        ScimError { status, scim_type, detail: detail.into() }
    }

    fn bad(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self::new(400, Some(scim_type), detail)
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidFilter, detail)
    }
    /// 400 `tooMany`.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::TooMany, detail)
    }
    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::new(409, Some(ScimType::Uniqueness), detail)
    }
    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::Mutability, detail)
    }
    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidSyntax, detail)
    }
    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidPath, detail)
    }
    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::NoTarget, detail)
    }
    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidValue, detail)
    }
    /// 404 without keyword; the same text for a foreign id and one that never existed.
    pub fn not_found(id: &str) -> Self {
        Self::new(404, None, format!("Resource {id} not found"))
    }
    /// 412 for a failed `If-Match` (RFC 7644 §3.14).
    pub fn precondition_failed() -> Self {
        Self::new(
            412,
            None,
            "The resource has another version than If-Match asks for: read it again and repeat the change",
        )
    }

    /// The error body of RFC 7644 §3.12; `status` is a string.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "schemas": [urn::ERROR], "status": self.status.to_string(), "detail": self.detail });
        if let (Some(kind), Some(map)) = (self.scim_type, body.as_object_mut()) {
            map.insert("scimType".into(), kind.as_str().into());
        }
        body
    }
}
