//! Tests of PATCH. Each table has rows of what is stored, what is asked, and what comes of it.

use serde_json::{Map, Value, json};

use super::{Member, Outcome, PatchRequest};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::policy::{Policy, Repairs};
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Registry, ResourceKind, ResourceType};
use crate::protocol::urn;

mod members;
mod model;
mod refusals;
mod repairs;
mod semantics;

const ENTERPRISE: &str = urn::ENTERPRISE_USER;

fn strict() -> Policy {
    Policy { repairs: Repairs::none(), ..Policy::default() }
}

fn rt(kind: ResourceKind) -> &'static ResourceType {
    Registry::builtin().resource_type(kind)
}

fn body(operations: &Value) -> Value {
    json!({ "schemas": [urn::PATCH_OP], "Operations": operations })
}

/// A stored user or group with these attributes beside what it must have.
fn stored(kind: ResourceKind, attributes: &Value) -> Resource {
    let mut base = match kind {
        ResourceKind::User => json!({ "schemas": [urn::USER], "userName": "bjensen" }),
        ResourceKind::Group => json!({ "schemas": [urn::GROUP], "displayName": "Tour Guides" }),
    };
    let map = base.as_object_mut().unwrap();
    map.extend(attributes.as_object().unwrap().clone());
    if map.contains_key(ENTERPRISE) {
        map.insert("schemas".into(), json!([urn::USER, ENTERPRISE]));
    }
    Resource { attributes: map.clone() }
}

fn patch_with(kind: ResourceKind, before: &Value, operations: &Value, policy: &Policy) -> Result<Outcome, ScimError> {
    let request = PatchRequest::parse(body(operations), rt(kind), policy)?;
    request.apply(rt(kind), &stored(kind, before), &[], policy)
}

fn patch(before: &Value, operations: &Value) -> Result<Outcome, ScimError> {
    patch_with(ResourceKind::User, before, operations, &Policy::default())
}

/// The patched user is the stored one with exactly these attributes, and `changed` tells whether anything differs.
fn check(before: &Value, operations: &Value, after: &Value) {
    let outcome = patch(before, operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    let expected = stored(ResourceKind::User, after);
    assert_eq!(outcome.resource, expected, "{operations}");
    let differs = expected != stored(ResourceKind::User, before);
    assert_eq!(!outcome.changed.is_empty(), differs, "{operations}: {:?}", outcome.changed);
}

/// The user is refused with 400 and this keyword.
fn refused(before: &Value, operations: &Value, kind: ScimType, policy: &Policy) {
    match patch_with(ResourceKind::User, before, operations, policy) {
        Ok(outcome) => panic!("{operations} gave {outcome:?}"),
        Err(error) => assert_eq!((error.status, error.scim_type), (400, Some(kind)), "{operations}: {error}"),
    }
}

fn members_of(value: &Value) -> super::MemberPlan {
    let ids = |key: &str| value[key].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    super::MemberPlan { clear: value["clear"] == true, add: ids("add"), remove: ids("remove") }
}

#[test]
fn rfc_7644_3_5_2_examples_by_section() {
    let cases: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/rfc/patch_3.5.2.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let title = format!("{} {}", case["section"], case["title"]);
        let nothing = Value::Object(Map::new());
        let before = case.get("before").unwrap_or(&nothing);
        let kind = if case["type"] == "User" { ResourceKind::User } else { ResourceKind::Group };
        // Nothing here is a dialect: the strict engine must do it too.
        for policy in [Policy::default(), strict()] {
            let outcome =
                patch_with(kind, before, &case["operations"], &policy).unwrap_or_else(|e| panic!("{title}: {e}"));
            assert_eq!(outcome.resource, stored(kind, case.get("after").unwrap_or(before)), "{title}");
            let plan = case.get("members").map(members_of).unwrap_or_default();
            assert_eq!(outcome.members, plan, "{title}");
        }
    }
}
