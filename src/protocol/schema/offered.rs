//! Roles and entitlements discovery (draft-ietf-scim-roles-entitlements): the values that `roles` and `entitlements` of a
//! User may take, as read-only resources, so that an identity provider can show them as a list. Which values there are is
//! not known here.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Schema, builtin, discovery};
use crate::protocol::urn;

/// What discovery publishes beside users and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offers {
    /// Nothing.
    Nothing,
    /// Role and Entitlement.
    RolesAndEntitlements,
}

static SCHEMAS: LazyLock<[Schema; 2]> =
    LazyLock::new(|| [builtin::offered(urn::ROLE, "Role"), builtin::offered(urn::ENTITLEMENT, "Entitlement")]);

impl Offers {
    /// Schemas of what is offered.
    pub(super) fn schemas(self) -> &'static [Schema] {
        match self {
            Offers::Nothing => &[],
            Offers::RolesAndEntitlements => &*SCHEMAS,
        }
    }
}

/// The two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferedKind {
    /// `/Roles`
    Role,
    /// `/Entitlements`
    Entitlement,
}

impl OfferedKind {
    fn name(self) -> &'static str {
        match self {
            OfferedKind::Role => "Role",
            OfferedKind::Entitlement => "Entitlement",
        }
    }

    fn urn(self) -> &'static str {
        match self {
            OfferedKind::Role => urn::ROLE,
            OfferedKind::Entitlement => urn::ENTITLEMENT,
        }
    }
}

/// A value that may be assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What the User's attribute holds; also its id.
    pub value: &'static str,
    /// Name for people.
    pub display: &'static str,
    /// Whether it may be assigned now.
    pub supported: bool,
    /// Values that permit nothing beyond what this one permits.
    pub contains: Vec<&'static str>,
    /// Values that permit all that this one permits.
    pub contained_by: Vec<&'static str>,
}

/// A value as a resource. `base` is `{public_url}/scim/v2`.
pub fn resource(base: &str, kind: OfferedKind, offered: &Offered) -> Value {
    let mut printed = json!({
        "schemas": [kind.urn()],
        "id": offered.value,
        "value": offered.value,
        "display": offered.display,
        "supported": offered.supported,
        "limitedAssignmentsPermitted": false,
    });
    if let Some(map) = printed.as_object_mut() {
        for (name, values) in [("contains", &offered.contains), ("containedBy", &offered.contained_by)] {
            if !values.is_empty() {
                map.insert(name.to_owned(), json!(values));
            }
        }
        let location = format!("{base}/{}/{}", plural(kind.name()), offered.value);
        map.insert("meta".to_owned(), json!({ "resourceType": kind.name(), "location": location }));
    }
    printed
}

/// All values of a list, a ListResponse.
pub fn list(base: &str, kind: OfferedKind, offered: &[Offered]) -> Value {
    discovery::list(offered.iter().map(|offered| resource(base, kind, offered)).collect())
}

/// The member of ServiceProviderConfig. Several roles add up; `type` and `primary` are kept as sent.
pub(super) fn capabilities() -> Value {
    json!({
        "roles": {
            "supported": true, "multipleRolesSupported": true, "primarySupported": true, "typeSupported": true, "types": [],
        },
        "entitlements": {
            "supported": true, "multipleEntitlementsSupported": true, "primarySupported": true, "typeSupported": true,
            "types": [],
        },
    })
}

/// The entry in `/ResourceTypes`.
pub(super) fn print_type(base: &str, schema: &Schema) -> Value {
    let name = &*schema.name;
    json!({
        "schemas": [urn::RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": format!("/{}", plural(name)),
        "description": &*schema.description,
        "schema": &*schema.id,
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
    })
}

fn plural(name: &str) -> String {
    format!("{name}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_resource_without_empty_members() {
        let reader =
            Offered { value: "r", display: "R", supported: true, contains: vec![], contained_by: vec!["admin"] };
        let expected = json!({
            "schemas": [urn::ROLE], "id": "r", "value": "r", "display": "R", "supported": true,
            "limitedAssignmentsPermitted": false, "containedBy": ["admin"],
            "meta": { "resourceType": "Role", "location": "https://x/scim/v2/Roles/r" },
        });
        assert_eq!(resource("https://x/scim/v2", OfferedKind::Role, &reader), expected);
        let none = list("https://x/scim/v2", OfferedKind::Entitlement, &[]);
        assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(0), &json!([])));
    }
}
