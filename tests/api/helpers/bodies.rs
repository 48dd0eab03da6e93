//! Bodies to send.

use serde_json::{Value, json};

pub(crate) use super::caller::{id, send};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The smallest user.
pub(crate) fn user(user_name: &str) -> Value {
    json!({ "schemas": [USER], "userName": user_name })
}

/// The smallest user with further attributes.
pub(crate) fn user_with(user_name: &str, attributes: Value) -> Value {
    merged(user(user_name), attributes)
}

/// A group with members by id.
pub(crate) fn group(display_name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "schemas": [GROUP], "displayName": display_name, "members": members })
}

/// A PATCH of these operations.
pub(crate) fn patch(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

/// A SearchRequest with these members.
pub(crate) fn search(members: Value) -> Value {
    merged(json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] }), members)
}

fn merged(mut base: Value, further: Value) -> Value {
    let further = further.as_object().cloned().expect("an object");
    base.as_object_mut().expect("an object").extend(further);
    base
}
