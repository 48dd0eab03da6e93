//! `/operators`.

use serde_json::json;

use super::REASON;

on_both! {
    async fn an_operator_comes_with_a_key_and_goes_with_it(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let asked = json!({ "name": "Mia", "role": "support", "reason": REASON });
        let made = operator.post("/operators", &asked).await.expect(201);
        let secret = made["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("rc_ok_"));
        let mia = app.backoffice_with(secret);
        mia.get("/operators").await.expect(200);
        let list = operator.get("/operators?sort=name").await;
        let body = list.expect(200);
        assert_eq!((&body["data"][0]["name"], &body["data"][0]["role"]), (&"Mia".into(), &"support".into()));
        assert_eq!(body["data"][0]["keys"][0]["fingerprint"], made["keys"][0]["fingerprint"]);
        assert!(!list.text.contains(secret));

        let path = format!("/operators/{}", made["id"].as_str().expect("an id"));
        operator.delete(&format!("{path}?reason=left%20the%20company")).await.expect(204);
        mia.get("/operators").await.expect_problem(401, "unauthenticated");
        operator.delete(&format!("{path}?reason=left%20the%20company")).await.expect_problem(404, "not-found");
    }

    async fn nobody_removes_themselves(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let me = operator.get("/operators").await.expect(200)["data"][0]["id"].clone();
        let path = format!("/operators/{}?reason=a%20good%20reason", me.as_str().expect("an id"));
        operator.delete(&path).await.expect_problem(409, "cannot-target-self");
        operator.get("/operators").await.expect(200);
        for (body, pointer) in [
            (json!({ "name": "", "role": "support", "reason": REASON }), "/name"),
            (json!({ "name": "Mia", "role": "admin", "reason": REASON }), "/role"),
        ] {
            let problem = operator.post("/operators", &body).await.expect_problem(422, "validation-failed");
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
    }

    async fn a_key_ends_after_a_year(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let system = operator.get("/system").await.expect(200);
        assert_eq!((&system["version"], &system["pending_migrations"]), (&env!("CARGO_PKG_VERSION").into(), &json!([])));
        assert_eq!(system["queue_depth"], 0);
        app.advance(364 * 86_400_000_000);
        operator.get("/system").await.expect(200);
        app.advance(2 * 86_400_000_000);
        operator.get("/system").await.expect_problem(401, "unauthenticated");
    }
}
