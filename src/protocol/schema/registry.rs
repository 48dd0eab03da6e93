//! Looks attribute names up: short, URN-qualified, with a sub-attribute, in any letter case (RFC 7643 §2.1, RFC 7644 §3.10).

use std::sync::{Arc, LazyLock};

use super::{Attribute, Kind, Mutability, ResourceKind, ResourceType, Returned};

/// The resource types that a service offers. Custom extensions of an organization become another value of this type.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    /// Users.
    pub user: ResourceType,
    /// Groups.
    pub group: ResourceType,
}

static BUILTIN: LazyLock<Registry> = LazyLock::new(super::builtin::registry);

impl Registry {
    /// User with EnterpriseUser, and Group.
    pub fn builtin() -> &'static Registry {
        &BUILTIN
    }

    /// The definition of one resource type.
    pub fn resource_type(&self, kind: ResourceKind) -> &ResourceType {
        match kind {
            ResourceKind::User => &self.user,
            ResourceKind::Group => &self.group,
        }
    }
}

/// An attribute, or a sub-attribute, bound to its definition; owned and cheap to clone, so that a bound filter can
/// travel to another thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// URN of the extension that holds it; `None` for core and common attributes.
    pub extension: Option<Arc<str>>,
    /// Canonical name of the top attribute. Empty when the path is the extension itself.
    pub name: Arc<str>,
    /// Canonical name of the sub-attribute.
    pub sub: Option<Arc<str>>,
    /// Type of what the path names: the sub-attribute's where there is one.
    pub kind: Kind,
    /// Whether the top attribute holds many values.
    pub multi_valued: bool,
    /// How strings of what the path names compare.
    pub case_exact: bool,
    /// Who may write it: the narrower of attribute and sub-attribute.
    pub mutability: Mutability,
    /// When it is returned: `Never` if either level says so.
    pub returned: Returned,
}

impl Resolved {
    /// `name.familyName`, `urn:…:User:manager.value`: the canonical spelling.
    pub fn path(&self) -> String {
        let mut out = String::new();
        if let Some(urn) = &self.extension {
            out.push_str(urn);
            if !self.name.is_empty() {
                out.push(':');
            }
        }
        out.push_str(&self.name);
        if let Some(sub) = &self.sub {
            out.push('.');
            out.push_str(sub);
        }
        out
    }

    /// Whether this is the core (not extension) attribute of that name without sub-attribute.
    pub fn is(&self, name: &str) -> bool {
        self.extension.is_none() && self.sub.is_none() && &*self.name == name
    }
}

impl ResourceType {
    /// The definition behind a top-level name, in any letter case, of the core schema or the common attributes.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let same = |a: &&Attribute| a.name.eq_ignore_ascii_case(name);
        self.core.attributes.iter().find(same).or_else(|| self.common.iter().find(same))
    }
}
