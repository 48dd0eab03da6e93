//! `/users` and `/organizations/{id}/users`: reading, and release.

use serde_json::{Value, json};

use super::REASON;
use crate::helpers::*;

async fn person(tenant: &Tenant, name: &str) -> String {
    let attributes = json!({
        "externalId": format!("ext-{name}"), "displayName": format!("{name} Stone"),
        "emails": [{ "value": format!("{name}@example.com"), "primary": true }],
    });
    id(&tenant.caller.post("/Users", &user_with(&format!("{name}@example.com"), attributes)).await.expect(201))
}

fn names(body: &Value) -> Vec<String> {
    let rows = body["data"].as_array().expect("rows").iter();
    rows.map(|row| row["user_name"].as_str().expect("a name").to_owned()).collect()
}

on_both! {
    async fn people_are_found_over_all_organizations(app: &TestApp) {
        let support = app.backoffice("support").await;
        let tenants = [app.tenant().await, app.tenant().await, app.tenant().await];
        for tenant in &tenants {
            for name in ["ben", "ada", "bea"] {
                person(tenant, name).await;
            }
        }
        let all = support.get("/users?q=BE").await.expect(200);
        assert_eq!(names(&all), ["ben@example.com", "bea@example.com"].repeat(3));
        let organizations: Vec<&Value> =
            all["data"].as_array().expect("rows").iter().step_by(2).map(|row| &row["organization"]["id"]).collect();
        assert_eq!(organizations, tenants.each_ref().map(|tenant| tenant.made.organization.id.to_string()).each_ref());
        assert_eq!(all["data"][0]["allowed_actions"], json!(["remove", "block", "erase", "release"]));
        assert_eq!(all["data"][0]["managed"]["by"], "external");
        // Page by page, across the borders of organizations.
        for limit in 1..=4 {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = support.get(&format!("/users?q=be&limit={limit}{cursor}")).await.expect(200);
                seen.extend(names(&page));
                let Some(next) = page["page"]["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, names(&all), "{limit}");
        }
        assert_eq!(names(&support.get("/users?q=nobody").await.expect(200)), Vec::<String>::new());
        for wrong in ["/users", "/users?q=", "/users?q=x&include_total=true", "/users?q=x&sort=-created_at"] {
            support.get(wrong).await.expect_problem(400, "filter-invalid");
        }
    }

    async fn an_organizations_people_are_listed_and_read(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let ben = person(&tenant, "ben").await;
        person(&tenant, "ada").await;
        let support = app.backoffice("support").await;
        let path = format!("/organizations/{}/users", tenant.made.organization.id);
        let list = support.get(&format!("{path}?sort=name&managed_by=external&include_total=true")).await.expect(200);
        assert_eq!((names(&list), &list["page"]["total"]), (vec!["ada@example.com".into(), "ben@example.com".into()], &json!(2)));
        let one = support.get(&format!("{path}/{ben}")).await;
        let body = one.expect(200);
        assert_eq!((&body["id"], &body["organization"]["slug"]), (&json!(ben), &json!(tenant.made.organization.slug)));
        let known = support.request("GET", &format!("{path}/{ben}")).header("If-None-Match", one.header("etag"));
        assert_eq!(send(known).await.status, 304);
        let elsewhere = format!("/organizations/{}/users/{ben}", other.made.organization.id);
        support.get(&elsewhere).await.expect_problem(404, "not-found");
        let nobody = "/organizations/0192f3a0-0000-7000-8000-000000000000/users";
        support.get(nobody).await.expect_problem(404, "not-found");
        support.get(&format!("{path}?q=")).await.expect_problem(400, "filter-invalid");
    }

    async fn who_is_released_is_local_and_suspended(app: &TestApp) {
        let tenant = app.tenant().await;
        let ben = person(&tenant, "ben").await;
        let engineers = id(&tenant.caller.post("/Groups", &group("Engineers", &[&ben])).await.expect(201));
        let operator = app.backoffice("operator").await;
        let path = format!("/organizations/{}/users/{ben}/release", tenant.made.organization.id);
        operator.post(&path, &json!({})).await.expect_problem(422, "validation-failed");
        let stale = operator.request("POST", &path).header("If-Match", "W/\"99\"").json(&json!({ "reason": REASON }));
        send(stale).await.expect_problem(412, "precondition-failed");
        let released = operator.post(&path, &json!({ "reason": REASON })).await.expect(200);
        assert_eq!((&released["managed"]["by"], &released["status"]), (&json!("local"), &json!("suspended")));
        assert_eq!(released["suspension"]["by"], "operator");
        assert_eq!(released["allowed_actions"], json!(["remove", "block", "erase"]));
        // The directory counts them no more; by name, as a create would, it finds whom it would get again.
        assert_eq!(tenant.caller.get("/Users?count=0").await.expect(200)["totalResults"], 0);
        tenant.caller.get(&format!("/Users/{ben}")).await.expect(200);
        let group = tenant.caller.get(&format!("/Groups/{engineers}")).await.expect(200);
        assert_eq!(group["members"], json!([]), "{group}");
        operator.post(&path, &json!({ "reason": REASON })).await.expect_problem(409, "user-state");
        let deeds = app
            .lines(
                "SELECT CASE WHEN organization = {nil} THEN 'operators' ELSE 'organization' END AS line FROM events \
                 WHERE kind = 13 AND reason IS NOT NULL",
            )
            .await;
        assert_eq!(deeds, ["operators", "organization"]);
    }
}
