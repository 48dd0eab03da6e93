//! People of each kind that the ownership matrix knows, made as they come to be in life.

use rollcall::domain::ids::ResourceId;
use rollcall::domain::ownership::Kind;
use serde_json::json;

use super::{grant, local, pushed};
use crate::helpers::*;

/// An organization that has people of all kinds.
pub(super) struct Stage {
    pub(super) tenant: Tenant,
    pub(super) operator: Admin,
    /// `/organizations/{id}` in the backoffice.
    pub(super) organization: String,
}

impl Stage {
    pub(super) async fn new(app: &TestApp) -> Self {
        let tenant = app.tenant().await;
        // Many leave at once here, which is not what is tested.
        app.settings(&tenant, r#"{"guard":{"percent":100,"minimum":1000000}}"#).await;
        let operator = app.backoffice("operator").await;
        let organization = format!("/organizations/{}", tenant.made.organization.id);
        let ours = json!({ "domain": "local.example", "reason": "so that people are adopted" });
        operator.post(&format!("{organization}/domains"), &ours).await.expect(201);
        Stage { tenant, operator, organization }
    }

    /// A person of a kind with direct roles, whom no hold of ours keeps out.
    pub(super) async fn person(&self, app: &TestApp, name: &str, kind: Kind, roles: &str) -> String {
        let tenant = &self.tenant;
        match kind {
            Kind::Local => local(app, tenant, name, roles).await,
            Kind::Adopted => {
                let id = local(app, tenant, name, roles).await;
                let body = user_with(&format!("{name}@local.example"), json!({ "externalId": format!("x-{name}") }));
                assert_eq!(super::id(&tenant.caller.post("/Users", &body).await.expect(201)), id);
                id
            }
            Kind::ExternalActive | Kind::ExternalDeactivated | Kind::Released => {
                let id = pushed(tenant, name, json!({})).await;
                if kind == Kind::ExternalDeactivated {
                    let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
                    tenant.caller.patch(&format!("/Users/{id}"), &off).await.expect(200);
                }
                if kind == Kind::Released {
                    let path = format!("{}/users/{id}/release", self.organization);
                    self.operator.post(&path, &json!({ "reason": "the directory is gone" })).await.expect(200);
                    // Released people wait for somebody who lets them in.
                    let lift = "UPDATE users SET suspension = NULL WHERE deleted IS NULL AND user_name LIKE";
                    app.execute(&format!("{lift} '{name}@%'")).await;
                }
                grant(app, tenant, ResourceId::parse(&id).unwrap(), roles).await;
                id
            }
        }
    }
}
