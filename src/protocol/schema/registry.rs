//! Looks attribute names up: short, URN-qualified, with a sub-attribute, in any letter case (RFC 7643 §2.1, RFC 7644 §3.10).

use std::sync::{Arc, LazyLock};

use super::{Attribute, Kind, Mutability, ResourceKind, ResourceType, Returned, Schema};

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
        self.core.attribute(name).or_else(|| self.common.iter().find(|a| a.name.eq_ignore_ascii_case(name)))
    }

    /// The extension of that URN, in any letter case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions.iter().find(|s| s.id.eq_ignore_ascii_case(urn))
    }

    /// Binds a path: optional URN (the text before the last colon), name, optional sub-attribute, each in any letter case.
    ///
    /// The core URN in front means the same as none; attributes of an extension need its URN. A path that is the bare
    /// URN of an extension, whether whole in `urn` with an empty name or split at its last colon, gives the extension
    /// itself: empty `name`, `Kind::Complex`. `None` for what the schema does not have.
    pub fn resolve(&self, urn: Option<&str>, name: &str, sub: Option<&str>) -> Option<Resolved> {
        let (extension, attr) = match urn {
            None => (None, self.attribute(name)?),
            Some(urn) if self.core.id.eq_ignore_ascii_case(urn) => (None, self.attribute(name)?),
            Some(urn) => match self.extension(urn) {
                Some(schema) if name.is_empty() => return sub.is_none().then(|| Resolved::of_extension(schema)),
                Some(schema) => (Some(schema), schema.attribute(name)?),
                None => {
                    let whole = self.extensions.iter().find(|s| is_joined(&s.id, urn, name))?;
                    return sub.is_none().then(|| Resolved::of_extension(whole));
                }
            },
        };
        Resolved::of(extension, attr, sub)
    }

    /// Binds a path in standard attribute notation (RFC 7644 §3.10): the URN ends at the last colon, so that the dot of
    /// its version is no sub-attribute's.
    pub fn resolve_path(&self, path: &str) -> Option<Resolved> {
        let (urn, rest) = match path.rsplit_once(':') {
            Some((urn, rest)) => (Some(urn), rest),
            None => (None, path),
        };
        match rest.split_once('.') {
            Some((name, sub)) => self.resolve(urn, name, Some(sub)),
            None => self.resolve(urn, rest, None),
        }
    }
}

impl Schema {
    /// The attribute of that name, in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

impl Resolved {
    fn of_extension(schema: &Schema) -> Self {
        Resolved {
            extension: Some(schema.id.clone()),
            name: "".into(),
            sub: None,
            kind: Kind::Complex,
            multi_valued: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
        }
    }

    fn of(extension: Option<&Schema>, attr: &Attribute, sub: Option<&str>) -> Option<Self> {
        let sub = match sub {
            Some(name) => Some(attr.sub(name)?),
            None => None,
        };
        let named = sub.unwrap_or(attr);
        Some(Resolved {
            extension: extension.map(|s| s.id.clone()),
            name: attr.name.clone(),
            sub: sub.map(|s| s.name.clone()),
            kind: named.kind,
            multi_valued: attr.multi_valued,
            case_exact: named.case_exact,
            mutability: narrower(attr.mutability, named.mutability),
            returned: if attr.returned == Returned::Never { Returned::Never } else { named.returned },
        })
    }
}

fn is_joined(whole: &str, urn: &str, name: &str) -> bool {
    whole.rsplit_once(':').is_some_and(|(head, tail)| head.eq_ignore_ascii_case(urn) && tail.eq_ignore_ascii_case(name))
}

fn narrower(a: Mutability, b: Mutability) -> Mutability {
    let rank = |m| match m {
        Mutability::ReadWrite => 0,
        Mutability::WriteOnly => 1,
        Mutability::Immutable => 2,
        Mutability::ReadOnly => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::urn;

    const ENTERPRISE_HEAD: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0";

    fn user(urn: Option<&str>, name: &str, sub: Option<&str>) -> Option<String> {
        Registry::builtin().user.resolve(urn, name, sub).map(|r| r.path())
    }

    #[test]
    fn names_resolve_in_any_letter_case_to_their_canonical_spelling() {
        let upper = urn::ENTERPRISE_USER.to_ascii_uppercase();
        type Case<'a> = (Option<&'a str>, &'a str, Option<&'a str>, Option<&'a str>);
        let cases: &[Case<'_>] = &[
            (None, "USERNAME", None, Some("userName")),
            (None, "name", Some("FAMILYNAME"), Some("name.familyName")),
            (None, "emails", Some("Value"), Some("emails.value")),
            (None, "groups", Some("$REF"), Some("groups.$ref")),
            (None, "meta", Some("lastmodified"), Some("meta.lastModified")),
            (Some(urn::USER), "displayname", None, Some("displayName")),
            (Some(urn::USER), "externalid", None, Some("externalId")),
            (
                Some(&upper),
                "manager",
                Some("displayName"),
                Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName"),
            ),
            (Some(&upper), "", None, Some(urn::ENTERPRISE_USER)),
            (Some(ENTERPRISE_HEAD), "USER", None, Some(urn::ENTERPRISE_USER)),
        ];
        for (urn, name, sub, expected) in cases {
            assert_eq!(user(*urn, name, *sub).as_deref(), *expected, "{urn:?} {name} {sub:?}");
        }
    }

    #[test]
    fn what_the_schema_does_not_have_resolves_to_nothing() {
        let cases: &[(Option<&str>, &str, Option<&str>)] = &[
            (None, "unknown", None),
            (None, "", None),
            (None, "department", None),
            (None, "manager", None),
            (None, "name", Some("unknown")),
            (None, "userName", Some("value")),
            (None, "members", None),
            (Some("urn:example:other"), "userName", None),
            (Some(urn::GROUP), "displayName", None),
            (Some(urn::ENTERPRISE_USER), "userName", None),
            (Some(urn::ENTERPRISE_USER), "", Some("manager")),
            (Some(ENTERPRISE_HEAD), "User", Some("manager")),
        ];
        for (urn, name, sub) in cases {
            assert_eq!(user(*urn, name, *sub), None, "{urn:?} {name} {sub:?}");
        }
    }

    #[test]
    fn written_paths_split_at_the_last_colon() {
        let cases: &[(&str, Option<&str>)] = &[
            ("name.familyname", Some("name.familyName")),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", Some("name.familyName")),
            (urn::ENTERPRISE_USER, Some(urn::ENTERPRISE_USER)),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:Manager.Value",
                Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"),
            ),
            (urn::USER, None),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0", None),
            ("name.", None),
            (".value", None),
            ("emails.value.x", None),
            (":", None),
            ("", None),
        ];
        for (path, expected) in cases {
            let resolved = Registry::builtin().user.resolve_path(path).map(|r| r.path());
            assert_eq!(resolved.as_deref(), *expected, "{path}");
        }
    }

    #[test]
    fn resolved_characteristics_join_attribute_and_sub_attribute() {
        let rt = &Registry::builtin().user;
        let groups = rt.resolve(None, "groups", Some("value")).unwrap();
        assert_eq!((groups.mutability, groups.multi_valued, groups.case_exact), (Mutability::ReadOnly, true, true));
        let member = Registry::builtin().group.resolve(None, "members", Some("value")).unwrap();
        assert_eq!((member.mutability, member.kind), (Mutability::Immutable, Kind::String));
        assert_eq!(rt.resolve(None, "password", None).unwrap().returned, Returned::Never);
        let extension = rt.resolve(Some(urn::ENTERPRISE_USER), "", None).unwrap();
        assert_eq!((extension.kind, &*extension.name), (Kind::Complex, ""));
    }
}
