//! `/users`: people in the list and what is done to them.

mod actions;
mod bulk;
mod deeds;
mod kinds;
mod list;
mod matrix;
mod ownership;

use rollcall::domain::ids::ResourceId;
use rollcall::service::ids;
use rollcall::storage::cold::roles;
use rollcall::storage::{Db, Deed, StorageError};
use serde_json::{Value, json};

use crate::helpers::*;

/// A person whom no directory manages, with direct roles.
pub(crate) async fn local(app: &TestApp, tenant: &Tenant, name: &str, roles: &str) -> String {
    let document = json!({
        "schemas": [USER], "userName": format!("{name}@local.example"), "displayName": name, "active": true,
        "emails": [{ "value": format!("{name}@local.example"), "type": "work", "primary": true }],
    });
    let id = app.local_document(tenant, &document).await;
    grant(app, tenant, id, roles).await;
    id.to_string()
}

/// Gives direct roles.
pub(crate) async fn grant(app: &TestApp, tenant: &Tenant, id: ResourceId, keys: &str) {
    let (organization, set) = (tenant.made.organization.id, rollcall::domain::permission::RoleSet::parse(keys));
    let deed = Deed {
        event: ids::event(),
        at: app.state.clock.now(),
        actor: "system".to_owned(),
        request_id: String::new(),
        ip: None,
        user_agent: None,
        reason: None,
    };
    let give = async move |db: &mut Db<'_>| roles::grant(db, &deed, organization, id, set).await;
    app.state.db.transaction::<(), StorageError, _>(give).await.expect("granted");
}

/// A person pushed by the tenant's directory.
pub(crate) async fn pushed(tenant: &Tenant, name: &str, attributes: Value) -> String {
    let mut body =
        user_with(&format!("{name}@dir.example"), json!({ "displayName": name, "externalId": format!("x-{name}") }));
    body.as_object_mut().unwrap().extend(attributes.as_object().cloned().unwrap());
    id(&tenant.caller.post("/Users", &body).await.expect(201))
}

/// Names of a page of people.
pub(crate) fn names(page: &Value) -> Vec<&str> {
    let rows = page["data"].as_array().expect("data").iter();
    rows.map(|row| row["name"]["display"].as_str().unwrap_or_default()).collect()
}

/// Events of deeds that were refused because a directory manages the person.
pub(crate) async fn refused_events(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM events WHERE kind = 130 AND problem = 'managed-externally'").await
}
