//! A resource after canonicalisation: attribute map with canonical names. It holds what the client may write:
//! `schemas`, core and extension attributes; never `id`, `meta`, `groups`, `members` or `password`.

use serde_json::{Map, Value};

/// A User or Group as stored in its document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Canonical names; extensions under their URN; first key `schemas`.
    pub attributes: Map<String, Value>,
}

impl Resource {
    /// Parses a stored document. Fails only on a damaged row.
    pub fn from_document(document: &str) -> Result<Self, serde_json::Error> {
        Ok(Resource { attributes: serde_json::from_str(document)? })
    }

    /// The text to store.
    pub fn to_document(&self) -> String {
        serde_json::to_string(&self.attributes).unwrap_or_default()
    }

    /// A top-level string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    /// `userName`
    pub fn user_name(&self) -> Option<&str> {
        self.text("userName")
    }
    /// `externalId`
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }
    /// `displayName`
    pub fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }
    /// `active`, absent after a PATCH that removed it.
    pub fn active(&self) -> Option<bool> {
        self.attributes.get("active").and_then(Value::as_bool)
    }
}
