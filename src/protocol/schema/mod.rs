//! Attributes and their characteristics (RFC 7643 §2.2, §7), schemas and resource types.
//! `registry` looks names up, `builtin` defines User, Group and EnterpriseUser, `discovery` prints the documents,
//! `offered` what they say of roles and entitlements.

use std::sync::Arc;

pub mod builtin;
pub mod discovery;
pub mod offered;
pub mod registry;

pub use registry::{Registry, Resolved};

/// Data types of RFC 7643 §2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// RFC 7643 §7, `mutability`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// RFC 7643 §7, `returned`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// RFC 7643 §7, `uniqueness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// One attribute or sub-attribute definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Canonical spelling.
    pub name: Arc<str>,
    /// Data type.
    pub kind: Kind,
    /// Whether values come as an array.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether strings compare by exact characters.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When an answer holds it.
    pub returned: Returned,
    /// Scope of uniqueness.
    pub uniqueness: Uniqueness,
    /// Suggested values: advertised, never enforced.
    pub canonical_values: Vec<Arc<str>>,
    /// Targets of a reference.
    pub reference_types: Vec<Arc<str>>,
    /// A sentence for people.
    pub description: Arc<str>,
    /// Sub-attributes of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// The sub-attribute of that name, whatever its letter case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// A schema: core of a resource type, or an extension.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// URN.
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// A sentence for people.
    pub description: Arc<str>,
    /// Attributes in the order of the RFC.
    pub attributes: Vec<Attribute>,
}

/// Which of the two resource types; more come with custom resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// `/Users`
    User,
    /// `/Groups`
    Group,
}

impl ResourceKind {
    /// `meta.resourceType`, and `id` in `/ResourceTypes`.
    pub fn name(self) -> &'static str {
        match self {
            ResourceKind::User => "User",
            ResourceKind::Group => "Group",
        }
    }
    /// Path under the SCIM base.
    pub fn endpoint(self) -> &'static str {
        match self {
            ResourceKind::User => "/Users",
            ResourceKind::Group => "/Groups",
        }
    }
}

/// A resource type: its core schema, its extensions, and the attributes common to all (`schemas id externalId meta`).
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// Which type.
    pub kind: ResourceKind,
    /// A sentence for people.
    pub description: Arc<str>,
    /// `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3.1).
    pub common: Vec<Attribute>,
    /// Core schema.
    pub core: Schema,
    /// Extensions, none of them required.
    pub extensions: Vec<Schema>,
}
