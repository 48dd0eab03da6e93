//! The documents of RFC 7644 §4, printed once: they depend on the base URL, the limits, and on whether the connection
//! publishes roles. The values of roles follow from what the connection may grant.

use std::collections::HashMap;

use serde_json::Value;

use crate::domain::connection::ConnectionSettings;
use crate::domain::permission::{Role, roles_within};
use crate::protocol::error::ScimError;
use crate::protocol::policy::Limits;
use crate::protocol::schema::offered::{self, Offered, OfferedKind, Offers};
use crate::protocol::schema::{Registry, discovery};
use crate::service::{Ctx, Result};

/// All documents as JSON text.
pub struct Documents {
    usual: Published,
    with_roles: Published,
}

/// What one kind of connection reads.
pub struct Published {
    /// `/ServiceProviderConfig`
    pub service_provider_config: String,
    /// `/ResourceTypes`
    pub resource_types: String,
    /// `/Schemas`
    pub schemas: String,
    resource_type: HashMap<String, String>,
    schema: HashMap<String, String>,
}

impl Documents {
    /// Prints them for a base (`{public_url}/scim/v2`); `documentation` is the page where people read about this service.
    pub fn new(base: &str, documentation: &str, limits: &Limits) -> Self {
        Documents {
            usual: Published::new(base, documentation, limits, Offers::Nothing),
            with_roles: Published::new(base, documentation, limits, Offers::RolesAndEntitlements),
        }
    }

    /// What a connection of these settings reads.
    pub fn of(&self, settings: &ConnectionSettings) -> &Published {
        if settings.roles_discovery { &self.with_roles } else { &self.usual }
    }
}

impl Published {
    fn new(base: &str, documentation: &str, limits: &Limits, offers: Offers) -> Self {
        let registry = Registry::builtin();
        let resource_types = discovery::resource_types(base, registry, offers);
        let schemas = discovery::schemas(base, registry, offers);
        Published {
            service_provider_config: discovery::service_provider_config(base, documentation, limits, offers)
                .to_string(),
            resource_type: by_id(&resource_types, str::to_owned),
            schema: by_id(&schemas, str::to_ascii_lowercase),
            resource_types: resource_types.to_string(),
            schemas: schemas.to_string(),
        }
    }

    /// `/ResourceTypes/{id}`
    pub fn resource_type(&self, id: &str) -> Option<&str> {
        self.resource_type.get(id).map(String::as_str)
    }

    /// `/Schemas/{urn}`, the URN in any letter case.
    pub fn schema(&self, urn: &str) -> Option<&str> {
        self.schema.get(&urn.to_ascii_lowercase()).map(String::as_str)
    }
}

/// The resources of a list by their id.
fn by_id(list: &Value, key: impl Fn(&str) -> String) -> HashMap<String, String> {
    let resources = list.get("Resources").and_then(Value::as_array);
    let with_id = |resource: &Value| Some((key(resource.get("id")?.as_str()?), resource.to_string()));
    resources.into_iter().flatten().filter_map(with_id).collect()
}

/// `/Roles` or `/Entitlements`, whole: there are few, and no entitlement at all.
///
/// # Errors
/// 404 where the connection does not publish them.
pub fn offered(ctx: &Ctx, base: &str, kind: OfferedKind) -> Result<Value> {
    Ok(offered::list(base, kind, &values(ctx, kind)?))
}

/// One of them by its id.
///
/// # Errors
/// 404.
pub fn offered_one(ctx: &Ctx, base: &str, kind: OfferedKind, id: &str) -> Result<Value> {
    let found = values(ctx, kind)?.into_iter().find(|offered| offered.value == id);
    Ok(found.map(|found| offered::resource(base, kind, &found)).ok_or_else(|| ScimError::not_found(id))?)
}

fn values(ctx: &Ctx, kind: OfferedKind) -> Result<Vec<Offered>> {
    if !ctx.settings.roles_discovery {
        return Err(ScimError::new(404, None, "This connection does not publish roles and entitlements").into());
    }
    Ok(match kind {
        OfferedKind::Role => Role::ALL.into_iter().map(|role| offer(role, &ctx.settings)).collect(),
        OfferedKind::Entitlement => Vec::new(),
    })
}

fn offer(role: Role, settings: &ConnectionSettings) -> Offered {
    let around = Role::ALL.into_iter().filter(|other| roles_within(*other).any(|within| within == role));
    Offered {
        value: role.key(),
        display: role.name(),
        supported: settings.may_grant_admin || !matches!(role, Role::Admin | Role::Billing),
        contains: roles_within(role).map(Role::key).collect(),
        contained_by: around.map(Role::key).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::urn;

    #[test]
    fn every_listed_document_answers_by_its_id() {
        let documents = Documents::new("https://x.example/scim/v2", "https://x.example/docs/scim", &Limits::default());
        let with_roles = ConnectionSettings { roles_discovery: true, ..ConnectionSettings::default() };
        for settings in [ConnectionSettings::default(), with_roles] {
            let published = documents.of(&settings);
            for (id, always) in [("User", true), ("Group", true), ("Role", false), ("Entitlement", false)] {
                assert_eq!(published.resource_type(id).is_some(), always || settings.roles_discovery, "{id}");
            }
            for urn in [urn::USER, urn::GROUP, urn::ENTERPRISE_USER] {
                let document = published.schema(&urn.to_uppercase()).unwrap();
                assert_eq!(serde_json::from_str::<Value>(document).unwrap()["id"], urn);
            }
            assert_eq!(published.schema(urn::ROLE).is_some(), settings.roles_discovery);
            assert!(published.resource_type("user").is_none());
            assert!(published.schema("urn:x").is_none());
        }
    }
}
