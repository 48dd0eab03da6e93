//! Binds the names of a path to a resource type. A short name of an extension's attribute (`manager`, as Entra's probe
//! sends it) resolves by policy where no core attribute has the name and exactly one extension does.

use super::AttrPath;
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Attribute, Resolved, ResourceType};

/// Binds an attribute path; `None` for what the schema does not have.
pub fn resolve(path: &AttrPath, rt: &ResourceType, policy: &Policy) -> Option<Resolved> {
    let (name, sub) = (path.name.as_str(), path.sub.as_deref());
    if let Some(found) = rt.resolve(path.urn.as_deref(), name, sub) {
        return Some(found);
    }
    let short = path.urn.is_none() && policy.repairs.short_extension_names && rt.attribute(name).is_none();
    if !short {
        return None;
    }
    let mut holders = rt.extensions.iter().filter(|schema| schema.attribute(name).is_some());
    match (holders.next(), holders.next()) {
        (Some(only), None) => rt.resolve(Some(&only.id), name, sub),
        _ => None,
    }
}

/// The definition of the top attribute behind a bound path; `None` for an extension itself.
pub fn definition<'a>(resolved: &Resolved, rt: &'a ResourceType) -> Option<&'a Attribute> {
    match &resolved.extension {
        None => rt.attribute(&resolved.name),
        Some(urn) => rt.extension(urn)?.attribute(&resolved.name),
    }
}
