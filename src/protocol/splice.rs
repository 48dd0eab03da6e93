//! Answers are spliced, not rebuilt: a stored document becomes a SCIM resource by writing id, meta, groups or members
//! in front of its members, without parsing it.

use std::fmt::Write as _;
use uuid::Uuid;

/// What a resource has beside its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// `id`
    pub id: Uuid,
    /// `meta.version`
    pub version: i64,
    /// `meta.created`, µs since 1970
    pub created: i64,
    /// `meta.lastModified`, µs since 1970
    pub modified: i64,
}

/// An element of `groups` or `members`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `value`
    pub id: Uuid,
    /// `display`; absent where the target has none
    pub display: Option<String>,
    /// Whether the target is a group.
    pub is_group: bool,
}

/// Appends a whole User. `base` is `{public_url}/scim/v2`; `document` is `{…}` and not empty.
pub fn user(_out: &mut String, _base: &str, _document: &str, _head: &Head, _groups: &[Reference]) {
    todo!()
}

/// Appends a whole Group; `members` is `None` where they were not loaded.
pub fn group(_out: &mut String, _base: &str, _document: &str, _head: &Head, _members: Option<&[Reference]>) {
    todo!()
}
