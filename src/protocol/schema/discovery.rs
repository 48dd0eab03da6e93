//! The published documents of RFC 7644 §4, printed from the registry and the limits, so that they say what the engine
//! does. Common attributes (`id`, `externalId`, `meta`) belong to no schema and are not listed (RFC 7643 §3.1).
//! `base` is `{public_url}/scim/v2` throughout.

use serde_json::{Map, Value, json};

use super::offered::{self, Offers};
use super::{Attribute, Kind, Mutability, Registry, ResourceKind, ResourceType, Returned, Schema, Uniqueness};
use crate::protocol::policy::Limits;
use crate::protocol::urn;

/// `/ServiceProviderConfig` (RFC 7643 §5). `documentation` is where people read about this service.
pub fn service_provider_config(base: &str, documentation: &str, limits: &Limits, offers: Offers) -> Value {
    let mut config = json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "documentationUri": documentation,
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": limits.page_most },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication with a bearer token of one connection, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": documentation,
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    });
    if offers == Offers::RolesAndEntitlements
        && let Some(map) = config.as_object_mut()
    {
        map.insert("RolesAndEntitlements".to_owned(), offered::capabilities());
    }
    config
}

/// `/ResourceTypes`, a ListResponse.
pub fn resource_types(base: &str, registry: &Registry, offers: Offers) -> Value {
    let offered = offers.schemas().iter().map(|schema| offered::print_type(base, schema));
    list(types(registry).iter().map(|rt| print_type(base, rt)).chain(offered).collect())
}

/// `/Schemas`, a ListResponse.
pub fn schemas(base: &str, registry: &Registry, offers: Offers) -> Value {
    list(all_schemas(registry).chain(offers.schemas()).map(|schema| print_schema(base, schema)).collect())
}

fn types(registry: &Registry) -> [&ResourceType; 2] {
    [registry.resource_type(ResourceKind::User), registry.resource_type(ResourceKind::Group)]
}

fn all_schemas(registry: &Registry) -> impl Iterator<Item = &Schema> {
    let cores = types(registry).into_iter().map(|rt| &rt.core);
    cores.chain(types(registry).into_iter().flat_map(|rt| &rt.extensions))
}

/// A ListResponse of one page.
pub(super) fn list(resources: Vec<Value>) -> Value {
    let count = resources.len();
    json!({
        "schemas": [urn::LIST_RESPONSE],
        "totalResults": count,
        "startIndex": 1,
        "itemsPerPage": count,
        "Resources": resources,
    })
}

fn print_type(base: &str, rt: &ResourceType) -> Value {
    let name = rt.kind.name();
    let extensions: Vec<Value> =
        rt.extensions.iter().map(|schema| json!({ "schema": &*schema.id, "required": false })).collect();
    let mut printed = json!({
        "schemas": [urn::RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": rt.kind.endpoint(),
        "description": &*rt.description,
        "schema": &*rt.core.id,
        "schemaExtensions": extensions,
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
    });
    if rt.extensions.is_empty()
        && let Some(map) = printed.as_object_mut()
    {
        map.shift_remove("schemaExtensions");
    }
    printed
}

fn print_schema(base: &str, schema: &Schema) -> Value {
    json!({
        "schemas": [urn::SCHEMA],
        "id": &*schema.id,
        "name": &*schema.name,
        "description": &*schema.description,
        "attributes": schema.attributes.iter().map(print_attribute).collect::<Vec<_>>(),
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id) },
    })
}

/// RFC 7643 §7. `caseExact` is left out where it has no meaning, arrays where they are empty; nothing is null.
fn print_attribute(attr: &Attribute) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| _ = out.insert(name.to_owned(), value);
    put("name", (&*attr.name).into());
    put("type", attr.kind.name().into());
    put("multiValued", attr.multi_valued.into());
    put("description", (&*attr.description).into());
    put("required", attr.required.into());
    if matches!(attr.kind, Kind::String | Kind::Reference | Kind::Binary) {
        put("caseExact", attr.case_exact.into());
    }
    put("mutability", attr.mutability.name().into());
    put("returned", attr.returned.name().into());
    put("uniqueness", attr.uniqueness.name().into());
    let texts = |texts: &[std::sync::Arc<str>]| texts.iter().map(|t| Value::from(&**t)).collect::<Vec<_>>();
    for (name, values) in [
        ("canonicalValues", texts(&attr.canonical_values)),
        ("referenceTypes", texts(&attr.reference_types)),
        ("subAttributes", attr.sub_attributes.iter().map(print_attribute).collect()),
    ] {
        if !values.is_empty() {
            put(name, values.into());
        }
    }
    Value::Object(out)
}

impl Kind {
    /// The keyword of RFC 7643 §2.3.
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Boolean => "boolean",
            Kind::Decimal => "decimal",
            Kind::Integer => "integer",
            Kind::DateTime => "dateTime",
            Kind::Binary => "binary",
            Kind::Reference => "reference",
            Kind::Complex => "complex",
        }
    }
}

impl Mutability {
    /// The keyword of RFC 7643 §7.
    pub fn name(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    /// The keyword of RFC 7643 §7.
    pub fn name(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Default => "default",
            Returned::Request => "request",
        }
    }
}

impl Uniqueness {
    /// The keyword of RFC 7643 §7.
    pub fn name(self) -> &'static str {
        match self {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
            Uniqueness::Global => "global",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://rollcall.example/scim/v2";

    fn registry() -> &'static Registry {
        Registry::builtin()
    }

    fn by_id(list: &Value, id: &str) -> Option<Value> {
        list["Resources"].as_array().unwrap().iter().find(|resource| resource["id"] == id).cloned()
    }

    fn attribute(urn: &str, path: &str) -> Value {
        let listed = schemas(BASE, registry(), Offers::RolesAndEntitlements);
        let mut found = by_id(&listed, urn).unwrap()["attributes"].clone();
        let mut attr = Value::Null;
        for name in path.split('.') {
            attr = found.as_array().unwrap().iter().find(|a| a["name"] == name).unwrap().clone();
            found = attr["subAttributes"].clone();
        }
        attr
    }

    fn no_null(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(items) => items.iter().all(no_null),
            Value::Object(map) => map.values().all(no_null),
            _ => true,
        }
    }

    #[test]
    fn the_configuration_tells_what_the_service_does() {
        let config =
            service_provider_config(BASE, "https://rollcall.example/docs", &Limits::default(), Offers::Nothing);
        let supported: Vec<bool> = ["patch", "bulk", "filter", "changePassword", "sort", "etag"]
            .iter()
            .map(|name| config[*name]["supported"].as_bool().unwrap())
            .collect();
        assert_eq!(supported, [true, false, true, false, true, true]);
        assert_eq!(config["filter"]["maxResults"], 200);
        assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
        assert_eq!(config["meta"]["location"], "https://rollcall.example/scim/v2/ServiceProviderConfig");
        assert_eq!(config["documentationUri"], "https://rollcall.example/docs");
        assert_eq!(config.get("RolesAndEntitlements"), None);
    }

    #[test]
    fn resource_types_are_listed_and_found_by_id() {
        let listed = resource_types(BASE, registry(), Offers::Nothing);
        assert_eq!(
            (&listed["totalResults"], &listed["itemsPerPage"], &listed["startIndex"]),
            (&json!(2), &json!(2), &json!(1))
        );
        let user = by_id(&listed, "User").unwrap();
        let expected = json!({
            "schemas": [urn::RESOURCE_TYPE], "id": "User", "name": "User", "endpoint": "/Users", "description": "User Account",
            "schema": urn::USER, "schemaExtensions": [{ "schema": urn::ENTERPRISE_USER, "required": false }],
            "meta": { "resourceType": "ResourceType", "location": format!("{BASE}/ResourceTypes/User") },
        });
        assert_eq!(user, expected);
        let group = by_id(&listed, "Group").unwrap();
        assert_eq!((&group["endpoint"], group.get("schemaExtensions")), (&json!("/Groups"), None));
        let listed = resource_types(BASE, registry(), Offers::RolesAndEntitlements);
        let role = by_id(&listed, "Role").unwrap();
        assert_eq!((&role["endpoint"], &role["schema"]), (&json!("/Roles"), &json!(urn::ROLE)));
        assert_eq!(
            (&listed["totalResults"], &listed["Resources"][3]["endpoint"]),
            (&json!(4), &json!("/Entitlements"))
        );
    }

    #[test]
    fn schemas_are_listed_and_found_by_urn() {
        let listed = schemas(BASE, registry(), Offers::Nothing);
        let ids: Vec<&str> =
            listed["Resources"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [urn::USER, urn::GROUP, urn::ENTERPRISE_USER]);
        assert_eq!(listed["totalResults"], 3);
        for (resource, id) in listed["Resources"].as_array().unwrap().iter().zip(ids) {
            assert_eq!(resource["meta"]["location"], format!("{BASE}/Schemas/{id}"));
            assert_eq!(resource["schemas"], json!([urn::SCHEMA]));
        }
        let listed = schemas(BASE, registry(), Offers::RolesAndEntitlements);
        assert!(by_id(&listed, urn::ROLE).is_some() && by_id(&listed, urn::ENTITLEMENT).is_some());
    }

    #[test]
    fn nothing_published_is_null() {
        let documents = [
            schemas(BASE, registry(), Offers::RolesAndEntitlements),
            resource_types(BASE, registry(), Offers::RolesAndEntitlements),
            service_provider_config(BASE, "https://x", &Limits::default(), Offers::RolesAndEntitlements),
        ];
        for document in documents {
            assert!(no_null(&document), "{document}");
        }
    }

    #[test]
    fn characteristics_are_those_the_engine_keeps() {
        let cases = [
            (urn::USER, "userName", "required", json!(true)),
            (urn::USER, "userName", "caseExact", json!(false)),
            (urn::USER, "userName", "uniqueness", json!("server")),
            (urn::USER, "active", "required", json!(false)),
            (urn::USER, "active", "type", json!("boolean")),
            (urn::USER, "password", "returned", json!("never")),
            (urn::USER, "password", "mutability", json!("writeOnly")),
            (urn::USER, "groups", "mutability", json!("readOnly")),
            (urn::USER, "groups.display", "mutability", json!("readOnly")),
            (urn::USER, "emails.type", "canonicalValues", json!(["work", "home", "other"])),
            (urn::USER, "x509Certificates.value", "type", json!("binary")),
            (urn::USER, "profileUrl", "referenceTypes", json!(["external"])),
            (urn::GROUP, "displayName", "required", json!(true)),
            (urn::GROUP, "displayName", "uniqueness", json!("server")),
            (urn::GROUP, "members", "multiValued", json!(true)),
            (urn::GROUP, "members.value", "mutability", json!("immutable")),
            (urn::GROUP, "members.display", "mutability", json!("readOnly")),
            (urn::GROUP, "members.$ref", "referenceTypes", json!(["User", "Group"])),
            (urn::ENTERPRISE_USER, "manager.displayName", "mutability", json!("readOnly")),
            (urn::ROLE, "value", "mutability", json!("readOnly")),
            (urn::ROLE, "contains", "multiValued", json!(true)),
            (urn::ENTITLEMENT, "supported", "type", json!("boolean")),
        ];
        for (urn, path, characteristic, expected) in cases {
            assert_eq!(attribute(urn, path)[characteristic], expected, "{path} {characteristic}");
        }
        assert_eq!(attribute(urn::USER, "active").get("caseExact"), None);
    }
}
