//! `/organizations/{id}/domains`: domains without a DNS record, by which directories take people over.

use serde_json::json;

use super::REASON;
use crate::helpers::*;

/// The backoffice's path of a tenant's domains, and a domain of its own.
fn place(tenant: &Tenant) -> (String, String) {
    let id = tenant.made.organization.id;
    (format!("/organizations/{id}/domains"), format!("{id}.example"))
}

on_both! {
    async fn a_directory_takes_over_people_of_a_domain_that_an_operator_verified(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let (operator, admin) = (app.backoffice("operator").await, app.admin(&tenant, "admin").await);
        let (path, domain) = place(&tenant);
        let anna = app.local_person(&tenant, &format!("anna@{domain}")).await;
        let theirs = app.local_person(&other, &format!("eve@{domain}")).await;
        let push = async |tenant: &Tenant, name: &str| tenant.caller.post("/Users", &user(&format!("{name}@{domain}"))).await;
        push(&tenant, "anna").await.expect_error(409, Some("uniqueness"));

        let asked = json!({ "domain": domain.to_uppercase(), "reason": REASON });
        let answer = operator.post(&path, &asked).await;
        let verified = answer.expect(201);
        assert_eq!((&verified["domain"], &verified["state"], &verified["method"]), (&json!(domain), &json!("verified"), &json!("operator")));
        assert!(verified["created_by"].as_str().is_some_and(|by| by.starts_with("operator:")), "{verified}");
        let location = answer.header("location").rsplit_once("/backoffice/v1").expect("a location").1.to_owned();
        assert_eq!(operator.get(&location).await.expect(200), verified);
        assert_eq!(operator.get(&path).await.expect(200)["data"], json!([verified]));
        // The organization sees it like one that it had verified itself.
        assert_eq!(admin.get(&format!("/domains/{domain}")).await.expect(200), verified);

        assert_eq!(id(&push(&tenant, "anna").await.expect(201)), anna);
        assert_eq!(admin.get(&format!("/users/{anna}")).await.expect(200)["managed"]["by"], "external");
        // Of another organization it is not.
        push(&other, "eve").await.expect_error(409, Some("uniqueness"));
        other.caller.get(&format!("/Users/{theirs}")).await.expect_error(404, None);

        // Removed, it takes over nobody any more, and whom it took over stays so.
        app.local_person(&tenant, &format!("ben@{domain}")).await;
        operator.delete(&format!("{path}/{domain}?reason=a%20good%20reason")).await.expect(204);
        push(&tenant, "ben").await.expect_error(409, Some("uniqueness"));
        assert_eq!(tenant.caller.get(&format!("/Users/{anna}")).await.status, 200);
        admin.get(&format!("/domains/{domain}")).await.expect_problem(404, "not-found");
    }

    async fn a_domain_that_was_claimed_is_verified_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let (operator, admin) = (app.backoffice("operator").await, app.admin(&tenant, "admin").await);
        let (path, domain) = place(&tenant);
        let claimed = admin.post("/domains", &json!({ "domain": domain })).await.expect(201);
        let asked = json!({ "domain": domain, "reason": REASON });
        let verified = operator.post(&path, &asked).await.expect(201);
        assert_eq!((&verified["state"], &verified["method"]), (&json!("verified"), &json!("operator")));
        assert_eq!((&verified["record"], &verified["created_by"]), (&claimed["record"], &claimed["created_by"]));
        app.advance(1_000_000);
        assert_eq!(operator.post(&path, &asked).await.expect(201), verified);
        let events = admin.get("/audit-events?action=domain.added&action=domain.verified").await.expect(200);
        assert_eq!(events["data"].as_array().map(Vec::len), Some(2), "{events}");
    }

    async fn both_logs_tell_of_it_with_the_reason(app: &TestApp) {
        let tenant = app.tenant().await;
        let (operator, admin) = (app.backoffice("operator").await, app.admin(&tenant, "admin").await);
        let (path, domain) = place(&tenant);
        operator.post(&path, &json!({ "domain": domain, "reason": REASON })).await.expect(201);
        operator.with_text("DELETE", &format!("{path}/{domain}"), json!({ "reason": REASON }).to_string()).await.expect(204);
        for action in ["domain.added", "domain.verified", "domain.removed"] {
            let query = format!("/audit-events?action={action}");
            let own = &admin.get(&query).await.expect(200)["data"];
            assert_eq!(own.as_array().map(Vec::len), Some(1), "{action}: {own}");
            assert_eq!((&own[0]["reason"], &own[0]["actor"]["label"]), (&json!(REASON), &json!("Service operator")));
            assert_eq!(own[0]["target"]["type"], "organization");
            assert!(own[0]["changes"].to_string().contains(&domain), "{own}");
            let operators = &operator.get(&query).await.expect(200)["data"];
            assert_eq!(operators.as_array().map(Vec::len), Some(1), "{action}: {operators}");
            assert_eq!((&operators[0]["reason"], &operators[0]["actor"]["label"]), (&json!(REASON), &json!("Test operator")));
            assert_eq!(operators[0]["organization"], tenant.made.organization.id.to_string());
        }
    }

    async fn what_cannot_be_is_refused(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let operator = app.backoffice("operator").await;
        let (path, domain) = place(&tenant);
        operator.post(&path, &json!({ "domain": domain, "reason": REASON })).await.expect(201);
        for (body, pointer) in [
            (json!({ "domain": "com", "reason": REASON }), "/domain"),
            (json!({ "domain": ["a.example"], "reason": REASON }), "/domain"),
            (json!({ "reason": REASON }), "/domain"),
            (json!({ "domain": "a.example", "method": "dns", "reason": REASON }), "/method"),
            (json!({ "domain": "a.example" }), "/reason"),
        ] {
            let problem = operator.post(&path, &body).await.expect_problem(422, "validation-failed");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
        operator.delete(&format!("{path}/{domain}")).await.expect_problem(422, "validation-failed");
        let (elsewhere, _) = place(&other);
        for domain in [&domain, "unknown.example", "no%20domain"] {
            let path = format!("{elsewhere}/{domain}?reason=a%20good%20reason");
            operator.delete(&path).await.expect_problem(404, "not-found");
            operator.get(&format!("{elsewhere}/{domain}")).await.expect_problem(404, "not-found");
        }
        let nobody = "/organizations/0192f3a0-0000-7000-8000-000000000000/domains";
        operator.get(nobody).await.expect_problem(404, "not-found");
        operator.post(nobody, &json!({ "domain": "a.example", "reason": REASON })).await.expect_problem(404, "not-found");
        assert_eq!(operator.get(&path).await.expect(200)["data"].as_array().map(Vec::len), Some(1));
    }
}
