//! The documents of RFC 7644 §4, printed once: they depend on the base URL and the limits only.

use std::collections::HashMap;

use serde_json::Value;

use crate::protocol::policy::Limits;
use crate::protocol::schema::{Registry, discovery};

/// All documents as JSON text.
pub struct Documents {
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
        let registry = Registry::builtin();
        let resource_types = discovery::resource_types(base, registry);
        let schemas = discovery::schemas(base, registry);
        Documents {
            service_provider_config: discovery::service_provider_config(base, documentation, limits).to_string(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_document_answers_by_its_id() {
        let documents = Documents::new("https://x.example/scim/v2", "https://x.example/docs/scim", &Limits::default());
        for id in ["User", "Group"] {
            assert!(documents.resource_type(id).is_some(), "{id}");
        }
        for urn in [crate::protocol::urn::USER, crate::protocol::urn::GROUP, crate::protocol::urn::ENTERPRISE_USER] {
            let document = documents.schema(&urn.to_uppercase()).unwrap();
            assert_eq!(serde_json::from_str::<Value>(document).unwrap()["id"], urn);
        }
        assert!(documents.resource_type("user").is_none());
        assert!(documents.schema("urn:x").is_none());
    }
}
