//! A credential of one surface never works on another; operator keys end.

use serde_json::json;

use super::REASON;
use crate::helpers::*;

on_both! {
    async fn a_credential_opens_its_own_surface_alone(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let operator = app.backoffice("operator").await;
        let keys = [tenant.caller.token().to_owned(), admin.key.clone(), operator.key.clone()];
        for (at, key) in keys.iter().enumerate() {
            let scim = app.caller_with(key).get("/Users").await.status;
            let api = app.admin_with(key).get("/roles").await.status;
            let backoffice = app.backoffice_with(key).get("/organizations").await.status;
            let expected: Vec<u16> = (0..3).map(|surface| if surface == at { 200 } else { 401 }).collect();
            assert_eq!([scim, api, backoffice], *expected, "{at}");
        }
        for key in ["rc_ok_x", "x", &operator.key.replace("rc_ok_", "rc_ak_")] {
            app.backoffice_with(key).get("/organizations").await.expect_problem(401, "unauthenticated");
        }
    }

    async fn the_backoffice_can_have_a_listener_of_its_own(app: &TestApp) with |settings| {
        settings.backoffice_listen = Some("127.0.0.1:0".to_owned());
    }, {
        let tenant = app.tenant().await;
        let operator = app.backoffice("operator").await;
        operator.get("/organizations").await.expect(200);
        assert_ne!(operator.url, app.url);
        let on_main = send(operator.anonymous("GET", "/healthz")).await;
        assert_eq!(on_main.status, 200);
        // Neither surface is on the other's listener.
        let client = app.admin(&tenant, "admin").await;
        let moved = send(client.anonymous("GET", "/backoffice/v1/organizations").bearer_auth(&operator.key)).await;
        assert_eq!(moved.status, 404);
        for path in ["/api/v1/roles", "/scim/v2/Users"] {
            assert_eq!(send(operator.anonymous("GET", path).bearer_auth(&client.key)).await.status, 404);
        }
        let made = operator.post("/organizations", &json!({ "name": "New", "reason": REASON })).await;
        made.expect(201);
        assert!(made.header("location").starts_with(&operator.url), "{}", made.header("location"));
    }

    async fn a_post_with_a_key_is_done_once(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let body = json!({ "name": "Acme", "reason": REASON });
        let post = || operator.request("POST", "/organizations").header("Idempotency-Key", "k-1").json(&body);
        let first = send(post()).await;
        let second = send(post()).await;
        assert_eq!((first.expect(201), second.header("idempotency-replayed")), (second.expect(201), "true"));
        assert_eq!(operator.get("/organizations").await.expect(200)["data"].as_array().map(Vec::len), Some(1));
        let with_key = json!({ "name": "Beta", "with_api_key": true, "reason": REASON });
        let post = || operator.request("POST", "/organizations").header("Idempotency-Key", "k-2").json(&with_key);
        send(post()).await.expect(201);
        send(post()).await.expect_problem(409, "secret-already-shown");
    }
}
