//! `/domains`: claimed by an Admin, verified by DNS.

use serde_json::{Value, json};

use crate::helpers::*;

/// A domain that only this test knows.
fn domain_of(tenant: &Tenant) -> String {
    format!("{}.example", tenant.made.organization.id)
}

on_both! {
    async fn a_domain_is_verified_once_its_record_is_there(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let domain = domain_of(&tenant);
        let answer = admin.post("/domains", &json!({ "domain": domain.to_uppercase() })).await;
        let claimed = answer.expect(201);
        assert!(answer.header("location").ends_with(&format!("/api/v1/domains/{domain}")));
        assert_eq!((&claimed["state"], &claimed["method"], &claimed["checked_at"]), (&json!("pending"), &json!("dns"), &Value::Null));
        let (name, value) = (claimed["record"]["name"].as_str().unwrap(), claimed["record"]["value"].as_str().unwrap());
        assert_eq!((name, &claimed["record"]["type"]), (&*format!("_rollcall.{domain}"), &json!("TXT")));

        let verify = async || admin.post(&format!("/domains/{domain}/verify"), &json!({})).await.expect(200);
        // Nothing there, then something else.
        let looked = verify().await;
        assert_eq!((&looked["state"], looked["checked_at"].is_string()), (&json!("pending"), true));
        assert_eq!(looked["found"], json!([]));
        set_txt(name, &["v=spf1 -all", &value[..value.len() - 1]]);
        let looked = verify().await;
        assert_eq!((&looked["state"], &looked["found"]), (&json!("pending"), &json!(["v=spf1 -all", value[..value.len() - 1]])));
        set_txt(name, &["v=spf1 -all", value]);
        let verified = verify().await;
        assert_eq!((&verified["state"], verified["verified_at"].is_string()), (&json!("verified"), true));
        // It stays so, and claiming it again changes nothing.
        set_txt(name, &[]);
        assert_eq!(verify().await, verified);
        assert_eq!(admin.post("/domains", &json!({ "domain": domain })).await.expect(201), verified);
        assert_eq!(admin.get("/domains").await.expect(200)["data"], json!([verified]));
        admin.delete(&format!("/domains/{domain}")).await.expect(204);
        admin.get(&format!("/domains/{domain}")).await.expect_problem(404, "not-found");
        admin.delete(&format!("/domains/{domain}")).await.expect_problem(404, "not-found");
    }

    async fn without_a_dns_server_nothing_is_verified(app: &TestApp) with |settings| settings.dns_server = "127.0.0.1:9".parse().ok(), {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let domain = domain_of(&tenant);
        admin.post("/domains", &json!({ "domain": domain })).await.expect(201);
        let answer = admin.post(&format!("/domains/{domain}/verify"), &json!({})).await;
        answer.expect_problem(503, "unavailable");
        assert_eq!(admin.get(&format!("/domains/{domain}")).await.expect(200)["state"], "pending");
    }

    async fn what_is_no_domain_is_refused_and_others_see_none(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        for wrong in [json!({ "domain": "com" }), json!({ "domain": ["a.example"] }), json!({}), json!({ "domain": "a@b.example" })] {
            admin.post("/domains", &wrong).await.expect_problem(422, "validation-failed");
        }
        let domain = domain_of(&one);
        let mine = admin.post("/domains", &json!({ "domain": domain })).await.expect(201);
        for (method, path) in [("GET", ""), ("POST", "/verify"), ("DELETE", "")] {
            let ask = async |domain: &str| {
                let request = foreign.request(method, &format!("/domains/{domain}{path}")).header("X-Request-Id", "same");
                send(request).await
            };
            let answer = ask(&domain).await;
            answer.expect_problem(404, "not-found");
            assert_eq!(ask("unknown.example").await.text, answer.text);
            assert_eq!(ask("no%20domain").await.text, answer.text);
        }
        // Each has its own secret to show.
        let theirs = foreign.post("/domains", &json!({ "domain": domain })).await.expect(201);
        assert_ne!(mine["record"]["value"], theirs["record"]["value"]);
    }
}
