//! `/organizations/{id}/blocks`.

use serde_json::json;

use super::REASON;
use crate::helpers::*;

on_both! {
    async fn blocks_are_listed_until_they_are_lifted(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let operator = app.backoffice("operator").await;
        let organization = format!("/organizations/{}", tenant.made.organization.id);
        let mut ids = Vec::new();
        for name in ["zoe@example.com", "Adam@example.com"] {
            let body = user_with(name, json!({ "externalId": name }));
            let made = id(&tenant.caller.post("/Users", &body).await.expect(201));
            let path = format!("{organization}/users/{made}?mode=block");
            let body = json!({ "reason": REASON }).to_string();
            ids.push(operator.with_text("DELETE", &path, body).await.expect(200)["block"].clone());
        }
        let list = operator.get(&format!("{organization}/blocks?sort=user_name")).await.expect(200);
        let rows = list["data"].as_array().expect("rows");
        assert_eq!(rows.iter().map(|row| &row["user_name"]).collect::<Vec<_>>(), ["adam@example.com", "zoe@example.com"]);
        assert_eq!((&rows[0]["id"], &rows[0]["external_id"]), (&ids[1], &"Adam@example.com".into()));
        assert_eq!((&rows[0]["reason"], &rows[0]["connection"]), (&REASON.into(), &tenant.made.connection.id.to_string().into()));

        let place = |organization: &str, id: &serde_json::Value| {
            format!("{organization}/blocks/{}?reason=a%20good%20reason", id.as_str().expect("an id"))
        };
        let elsewhere = format!("/organizations/{}", other.made.organization.id);
        operator.delete(&place(&elsewhere, &ids[0])).await.expect_problem(404, "not-found");
        operator.delete(&place(&organization, &ids[0])).await.expect(204);
        operator.delete(&place(&organization, &ids[0])).await.expect_problem(404, "not-found");
        let list = operator.get(&format!("{organization}/blocks")).await.expect(200);
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
        let nobody = "/organizations/0192f3a0-0000-7000-8000-000000000000/blocks";
        operator.get(nobody).await.expect_problem(404, "not-found");
    }
}
