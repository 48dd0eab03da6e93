//! `/connections` and `/jobs`.

use serde_json::{Value, json};

use super::REASON;
use crate::helpers::*;

fn column<'a>(body: &'a Value, name: &str) -> Vec<&'a str> {
    body["data"].as_array().expect("rows").iter().map(|row| row[name].as_str().expect("a text")).collect()
}

on_both! {
    async fn connections_of_all_organizations_are_shown_with_their_health(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        app.second_connection(&one).await;
        for name in ["ben", "ada"] {
            one.caller.post("/Users", &user(name)).await.expect(201);
        }
        let support = app.backoffice("support").await;
        let all = support.get("/connections?include_total=true").await.expect(200);
        assert_eq!((column(&all, "name"), &all["page"]["total"]), (vec!["SCIM", "SCIM", "second"], &json!(3)));
        let first = &all["data"][0];
        assert_eq!(first["organization"]["id"], one.made.organization.id.to_string());
        assert_eq!((&first["health"]["users"], first["health"]["last_request_at"].is_string()), (&json!(2), true));
        let of_other = support.get(&format!("/connections?organization={}", other.made.organization.id)).await.expect(200);
        assert_eq!(column(&of_other, "id"), [other.made.connection.id.to_string()]);
        assert_eq!(column(&support.get("/connections?state=paused").await.expect(200), "id"), [""; 0]);
        support.get("/connections?organization=x").await.expect_problem(400, "filter-invalid");
    }

    async fn a_paused_connection_reads_only(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        tenant.caller.post("/Users", &user("ben")).await.expect(201);
        let operator = app.backoffice("operator").await;
        let path = format!("/connections/{}/pause", tenant.made.connection.id);
        let paused = operator.post(&path, &json!({ "reason": REASON })).await.expect(200);
        assert_eq!((&paused["state"], &paused["organization"]["id"]), (&json!("paused"), &json!(tenant.made.organization.id.to_string())));
        let refused = tenant.caller.post("/Users", &user("ada")).await;
        refused.expect_error(503, None);
        tenant.caller.get("/Users").await.expect(200);
        other.caller.post("/Users", &user("ada")).await.expect(201);
        operator.post(&path, &json!({ "reason": REASON })).await.expect_problem(409, "connection-state");
        let nobody = "/connections/0192f3a0-0000-7000-8000-000000000000/pause";
        operator.post(nobody, &json!({ "reason": REASON })).await.expect_problem(404, "not-found");
    }

    async fn jobs_of_all_organizations_are_listed(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let (one, other) = (app.tenant().await, app.tenant().await);
        for tenant in [&one, &other] {
            let admin = app.admin(tenant, "admin").await;
            let connection = format!("/connections/{}/decommission", tenant.made.connection.id);
            admin.post(&connection, &json!({})).await.expect(200);
        }
        let organization = |tenant: &Tenant| tenant.made.organization.id.to_string();
        // Those of the service itself stand among them.
        assert!(operator.get("/jobs").await.expect(200)["data"].as_array().is_some_and(|rows| rows.len() >= 2));
        let both = format!("organization={}&organization={}", organization(&one), organization(&other));
        let all = operator.get(&format!("/jobs?include_total=true&{both}")).await.expect(200);
        assert_eq!(column(&all, "organization"), [organization(&one), organization(&other)]);
        assert_eq!((column(&all, "kind"), &all["page"]["total"]), (vec!["decommission"; 2], &json!(2)));
        let youngest = operator.get(&format!("/jobs?sort=-created_at&limit=1&{both}")).await.expect(200);
        assert_eq!(column(&youngest, "organization"), [organization(&other)]);
        let cursor = |name: &str, body: &Value| body["page"][name].as_str().expect("a cursor").to_owned();
        let next = cursor("next_cursor", &youngest);
        let oldest = operator.get(&format!("/jobs?sort=-created_at&limit=1&{both}&cursor={next}")).await.expect(200);
        assert_eq!((column(&oldest, "organization"), &oldest["page"]["next_cursor"]), (vec![organization(&one).as_str()], &Value::Null));
        let back = cursor("prev_cursor", &oldest);
        let again = operator.get(&format!("/jobs?sort=-created_at&limit=1&{both}&cursor={back}")).await.expect(200);
        assert_eq!(column(&again, "organization"), [organization(&other)]);
        let of_one = operator.get(&format!("/jobs?organization={}&include_total=true", organization(&one))).await.expect(200);
        assert_eq!((column(&of_one, "organization"), &of_one["page"]["total"]), (vec![organization(&one).as_str()], &json!(1)));
        assert_eq!(column(&operator.get("/jobs?state=failed").await.expect(200), "id"), [""; 0]);
        operator.get("/jobs?state=gone").await.expect_problem(400, "filter-invalid");
    }
}
