//! The acceptance list of the admin side, over HTTP alone where that is possible: a file per point. Ids of another organization
//! are in `admin::routes`.

mod last_admin;
mod managed;
mod permissions;
mod secrets;

use serde_json::{Value, json};

use crate::helpers::*;

/// A person pushed by the tenant's directory.
async fn pushed(tenant: &Tenant, user_name: &str, attributes: Value) -> String {
    id(&tenant.caller.post("/Users", &user_with(user_name, attributes)).await.expect(201))
}

/// The directory says whether somebody is active.
async fn activate(tenant: &Tenant, user: &str, active: &str) {
    let change = json!([{ "op": "replace", "path": "active", "value": active == "on" }]);
    tenant.caller.patch(&format!("/Users/{user}"), &patch(change)).await.expect(200);
}

/// The rows of a page.
fn rows(page: &Value) -> &[Value] {
    page["data"].as_array().expect("data")
}
