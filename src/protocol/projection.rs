//! `attributes` and `excludedAttributes` (RFC 7644 §3.9) with each attribute's `returned`.

use super::error::ScimError;
use super::schema::ResourceType;
use serde_json::{Map, Value};

/// Which attributes an answer holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {/* … */}

impl Projection {
    /// Reads the two comma-separated parameters. Unknown names select nothing.
    ///
    /// # Errors
    /// 400 `invalidValue` when both are given or one names a never-returned attribute.
    pub fn parse(_rt: &ResourceType, _attributes: Option<&str>, _excluded: Option<&str>) -> Result<Self, ScimError> {
        todo!()
    }
    /// Whether an answer may be spliced from the stored text as it is.
    pub fn is_all(&self) -> bool {
        todo!()
    }
    /// Whether the answer can hold that top-level core attribute (`members`, `groups`), so that it must be loaded.
    pub fn wants(&self, _name: &str) -> bool {
        todo!()
    }
    /// Trims a whole resource.
    pub fn apply(&self, _resource: &mut Map<String, Value>) {
        todo!()
    }
}
