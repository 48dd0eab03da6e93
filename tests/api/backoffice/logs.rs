//! `/audit-events` and `/provisioning-log`.

use serde_json::{Value, json};

use super::REASON;
use crate::helpers::*;

fn column(body: &Value, name: &str) -> Vec<String> {
    let rows = body["data"].as_array().expect("rows").iter();
    rows.map(|row| row[name].as_str().expect("a text").to_owned()).collect()
}

on_both! {
    async fn a_deed_is_told_to_operators_and_to_the_organization(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let organization = tenant.made.organization.id.to_string();
        let ben = id(&tenant.caller.post("/Users", &user("ben@example.com")).await.expect(201));
        let operator = app.backoffice("operator").await;
        let path = format!("/organizations/{organization}/users/{ben}?mode=block");
        operator.with_text("DELETE", &path, json!({ "reason": REASON }).to_string()).await.expect(200);

        let log = operator.get("/audit-events?action=user.deleted&action=user.blocked").await.expect(200);
        assert_eq!(column(&log, "action"), ["user.blocked", "user.deleted"]);
        assert_eq!(column(&log, "organization"), vec![organization.clone(); 2]);
        assert_eq!(column(&log, "reason"), [REASON; 2]);
        let actor = &log["data"][0]["actor"];
        assert_eq!((&actor["type"], &actor["label"], actor["id"].is_string()), (&json!("operator"), &json!("Test operator"), true));

        let admin = app.admin(&tenant, "admin").await;
        let own = admin.get("/audit-events?action=user.deleted&action=user.blocked").await.expect(200);
        assert_eq!(column(&own, "action"), ["user.blocked", "user.deleted"]);
        assert_eq!(column(&own, "reason"), [REASON; 2]);
        assert_eq!(own["data"][0]["actor"], json!({ "type": "operator", "id": null, "label": "Service operator" }));
        let same = operator.get(&format!("/audit-events?organization={organization}&action=user.deleted")).await.expect(200);
        assert_eq!(column(&same, "action"), ["user.deleted"]);
        let of_other = format!("/audit-events?organization={}&action=user.deleted", other.made.organization.id);
        assert_eq!(column(&operator.get(&of_other).await.expect(200), "action"), Vec::<String>::new());
        let made = operator.get("/audit-events?action=operator.created").await.expect(200);
        assert_eq!(made["data"][0]["target"]["label"], "Test operator");
        let nobody = "/audit-events?organization=0192f3a0-0000-7000-8000-000000000000";
        operator.get(nobody).await.expect_problem(404, "not-found");
    }

    async fn the_provisioning_log_tells_of_a_blocked_push_and_forgets_the_erased(app: &TestApp) {
        let tenant = app.tenant().await;
        let organization = tenant.made.organization.id.to_string();
        let attributes = json!({ "emails": [{ "value": "benjamin@example.com" }] });
        let body = user_with("benny", attributes);
        let ben = id(&tenant.caller.post("/Users", &body).await.expect(201));
        let operator = app.backoffice("operator").await;
        let delete = async |mode: &str| {
            let path = format!("/organizations/{organization}/users/{ben}?mode={mode}");
            operator.with_text("DELETE", &path, json!({ "reason": REASON }).to_string()).await.expect(200);
        };
        delete("block").await;
        tenant.caller.post("/Users", &body).await.expect_error(409, Some("uniqueness"));
        let path = format!("/provisioning-log?organization={organization}");
        let log = operator.get(&format!("{path}&outcome=refused")).await.expect(200);
        let told = log["data"][0]["explanation"].as_str().expect("a sentence");
        assert!(log["data"].as_array().map(Vec::len) == Some(1) && told.contains("block"), "{log}");
        operator.get("/provisioning-log").await.expect_problem(400, "filter-invalid");

        delete("erase").await;
        app.erased().await;
        let all = operator.get(&path).await.expect(200);
        assert_eq!(column(&all, "explanation"), ["Erased."; 2]);
        // The block goes on naming whom it blocks.
        let names = |line: &&String| ["benny", "benjamin"].iter().any(|name| line.contains(name));
        assert_eq!(app.dump().await.iter().filter(|line| !line.starts_with("blocks|")).find(names), None);
    }
}
