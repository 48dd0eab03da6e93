//! Gives a PATCH path its shape: the attribute it names, the selection between its brackets, and the definition behind
//! both. Unknown names are 400 `invalidPath` (R17).

use crate::protocol::error::ScimError;
use crate::protocol::filter::Filter;
use crate::protocol::path::parse::parse_patch;
use crate::protocol::path::resolve::{definition, resolve};
use crate::protocol::path::{AttrPath, PatchPath};
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Attribute, Kind, Resolved, ResourceKind, ResourceType};

/// What a path names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target<'a> {
    /// The attribute, with the sub-attribute behind a dot or bracket.
    pub(super) attr: Resolved,
    /// The attribute without its sub-attribute.
    pub(super) top: Resolved,
    /// Definition of `top`; `None` for an extension itself.
    pub(super) definition: Option<&'a Attribute>,
    /// Between the brackets, its names not bound yet.
    pub(super) selection: Option<Filter>,
}

impl<'a> Target<'a> {
    /// Definition of what the path names: the sub-attribute's where there is one.
    pub(super) fn named(&self) -> Option<&'a Attribute> {
        let top = self.definition?;
        match &self.attr.sub {
            None => Some(top),
            Some(sub) => top.sub(sub),
        }
    }

    /// Whether it is a group's `members`, whole or in part.
    pub(super) fn is_members(&self, rt: &ResourceType) -> bool {
        rt.kind == ResourceKind::Group && self.top.is("members")
    }

    /// The same attribute's sub-attribute of that name.
    pub(super) fn with_sub(&self, sub: &str, rt: &ResourceType) -> Option<Resolved> {
        rt.resolve(self.top.extension.as_deref(), &self.top.name, Some(sub))
    }
}

/// Reads and resolves a path.
pub(super) fn find<'a>(text: &str, rt: &'a ResourceType, policy: &Policy) -> Result<Target<'a>, ScimError> {
    if let Some(extension) = rt.resolve(Some(text), "", None) {
        return Ok(Target { attr: extension.clone(), top: extension, definition: None, selection: None });
    }
    let path = parse_patch(text, &policy.limits)?;
    of_path(path, rt, policy).ok_or_else(|| {
        let name = crate::protocol::path::scan::clip(text);
        ScimError::invalid_path(format!("{} has no attribute '{name}'", rt.kind.name()))
    })?
}

/// `None` for an unknown name, an error for brackets where there is nothing to select.
fn of_path<'a>(path: PatchPath, rt: &'a ResourceType, policy: &Policy) -> Option<Result<Target<'a>, ScimError>> {
    let PatchPath { attr, selection, sub } = path;
    let sub = mend_member_display(&attr, sub.or_else(|| attr.sub.clone()), rt);
    let top = resolve(&AttrPath { sub: None, ..attr.clone() }, rt, policy)?;
    let named = resolve(&AttrPath { sub, ..attr }, rt, policy)?;
    if selection.is_some() && top.kind != Kind::Complex {
        let text = format!("'{}' has no sub-attributes to select by", top.path());
        return Some(Err(ScimError::invalid_path(text)));
    }
    let definition = definition(&top, rt);
    Some(Ok(Target { attr: named, top, definition, selection }))
}

/// RFC 7644 figure 8 names `members[…].displayName`, which RFC 7643 §4.2 knows as `display` (R20).
fn mend_member_display(attr: &AttrPath, sub: Option<String>, rt: &ResourceType) -> Option<String> {
    let members = rt.kind == ResourceKind::Group && attr.name.eq_ignore_ascii_case("members");
    sub.map(|sub| if members && sub.eq_ignore_ascii_case("displayName") { "display".to_owned() } else { sub })
}
