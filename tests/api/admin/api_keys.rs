//! `/api-keys`, and with it bodies, patches, conditions and Idempotency-Key.

use rollcall::config::{Network, Settings};
use serde_json::{Value, json};

use crate::helpers::*;

fn new(name: &str) -> Value {
    json!({ "name": name, "roles": ["read_only"] })
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().map(|e| e["pointer"].as_str().expect("a pointer")).collect()
}

on_both! {
    async fn a_key_is_made_used_changed_and_revoked(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = admin.post("/api-keys", &new("exporter")).await;
        let made = answer.expect(201);
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        assert!(answer.header("location").ends_with(&format!("/api/v1/api-keys/{id}")));
        assert_eq!((made["roles"].clone(), made["description"].clone()), (json!(["read_only"]), json!("")));
        let reader = app.admin_with(secret);
        reader.get("/roles").await.expect(200);
        reader.post("/api-keys", &new("more")).await.expect_problem(403, "permission-denied");

        let path = format!("/api-keys/{id}");
        let read = admin.get(&path).await;
        let body = read.expect(200);
        assert!(body.get("secret").is_none() && !body.to_string().contains(secret));
        let tag = read.header("etag").to_owned();
        let patch = json!({ "name": "importer", "expires_at": null, "description": "at night" });
        let request = admin.request("PATCH", &path).header("If-Match", &tag);
        let answer = send(request.header("Content-Type", "application/merge-patch+json").body(patch.to_string())).await;
        let changed = answer.expect(200);
        assert_eq!((&changed["name"], &changed["expires_at"]), (&json!("importer"), &Value::Null));
        assert_ne!(answer.header("etag"), tag);
        assert_eq!(admin.patch(&path, &json!({ "description": null })).await.expect(200)["description"], "");

        let rotated = send(admin.request("POST", &format!("{path}/rotate"))).await.expect(200);
        let fresh = rotated["secret"].as_str().unwrap();
        assert_ne!(fresh, secret);
        app.admin_with(fresh).get("/roles").await.expect(200);
        reader.get("/roles").await.expect(200);
        assert_eq!(admin.delete(&path).await.status, 204);
        admin.get(&path).await.expect_problem(404, "not-found");
        app.admin_with(fresh).get("/roles").await.expect_problem(401, "unauthenticated");
        reader.get("/roles").await.expect_problem(401, "unauthenticated");
    }

    async fn an_allow_list_asks_for_the_clients_address_not_the_proxys(app: &TestApp)
    with |settings: &mut Settings| settings.trusted_proxies = vec![Network::parse("127.0.0.0/8").expect("a network")],
    {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let body = json!({ "name": "office", "roles": ["read_only"], "ip_allowlist": ["203.0.113.0/24"] });
        let made = admin.post("/api-keys", &body).await.expect(201);
        let office = app.admin_with(made["secret"].as_str().expect("a secret"));
        let from = |chain: &str| send(office.request("GET", "/roles").header("X-Forwarded-For", chain));
        from("203.0.113.9").await.expect(200);
        from("198.51.100.7, 203.0.113.9, 127.0.0.9").await.expect(200);
        for elsewhere in ["198.51.100.7", "203.0.113.9, 198.51.100.7", "203.0.113.9, unknown"] {
            from(elsewhere).await.expect_problem(403, "address-not-allowed");
        }
        office.get("/roles").await.expect_problem(403, "address-not-allowed");
    }

    async fn a_forwarding_field_of_anybody_else_is_not_believed(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let body = json!({ "name": "office", "roles": ["read_only"], "ip_allowlist": ["203.0.113.0/24"] });
        let made = admin.post("/api-keys", &body).await.expect(201);
        let office = app.admin_with(made["secret"].as_str().expect("a secret"));
        for field in ["X-Forwarded-For", "Forwarded"] {
            let value = if field == "Forwarded" { "for=203.0.113.9" } else { "203.0.113.9" };
            send(office.request("GET", "/roles").header(field, value)).await.expect_problem(403, "address-not-allowed");
        }
    }

    async fn a_list_of_keys_is_paged(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for name in ["b", "A", "c"] {
            admin.post("/api-keys", &new(name)).await.expect(201);
        }
        let names = |page: &Value| {
            let rows = page["data"].as_array().expect("data").iter();
            rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let first = admin.get("/api-keys?sort=name&limit=2&include_total=true").await.expect(200);
        assert_eq!((names(&first), &first["page"]["total"]), (vec!["A".to_owned(), "b".to_owned()], &json!(5)));
        let cursor = first["page"]["next_cursor"].as_str().unwrap();
        admin.post("/api-keys", &new("aa")).await.expect(201);
        let second = admin.get(&format!("/api-keys?sort=name&limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!(names(&second), ["c", "First key"]);
    }

    async fn all_that_is_wrong_with_a_body_is_said_at_once(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let body = json!({ "roles": [1, "admin"], "nmae": "x", "expires_at": "soon" });
        let problem = admin.post("/api-keys", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(&problem), ["/name", "/roles/0", "/expires_at", "/nmae"]);
        let body = json!({ "name": "", "roles": ["owner"], "ip_allowlist": ["10.0.0.0/8", "x"] });
        let problem = admin.post("/api-keys", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(&problem), ["/name", "/roles/0", "/ip_allowlist/1"]);
        for body in [json!([]), json!("x"), json!({ "name": ["x"], "roles": "admin" }), json!({ "name": "a\u{0}", "roles": [] })] {
            admin.post("/api-keys", &body).await.expect_problem(422, "validation-failed");
        }
        assert_eq!(admin.get("/api-keys").await.expect(200)["data"].as_array().unwrap().len(), 2);
    }

    async fn bodies_that_are_no_json_are_refused(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let deep = "[".repeat(100_000);
        for body in ["", "{", "{\"a\":1}{}", "{\"a\":1,\"a\":2}", &deep] {
            admin.with_text("POST", "/api-keys", body).await.expect_problem(400, "malformed-json");
        }
        for content_type in ["text/plain", "application/scim+json", "application/merge-patch+json"] {
            let request = admin.request("POST", "/api-keys").header("Content-Type", content_type);
            send(request.body(new("a").to_string())).await.expect_problem(415, "unsupported-media-type");
        }
        let request = admin.request("POST", "/api-keys").header("Content-Encoding", "gzip");
        send(request.body(new("a").to_string())).await.expect_problem(415, "unsupported-media-type");
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20));
        admin.with_text("POST", "/api-keys", large).await.expect_problem(413, "payload-too-large");
    }

    async fn checks_come_in_their_order(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, billing) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "billing").await);
        let id = admin.post("/api-keys", &new("a")).await.expect(201)["id"].as_str().unwrap().to_owned();
        let unknown = "/api-keys/0192f3a0-0000-7000-8000-000000000000";
        let wrong = json!({ "nmae": 1 });
        billing.patch(unknown, &wrong).await.expect_problem(403, "permission-denied");
        admin.patch(unknown, &wrong).await.expect_problem(404, "not-found");
        let stale = |path: String| admin.request("PATCH", &path).header("If-Match", "W/\"9\"").header("Content-Type", "application/json");
        send(stale(format!("/api-keys/{id}")).body(wrong.to_string())).await.expect_problem(412, "precondition-failed");
        admin.patch(&format!("/api-keys/{id}"), &wrong).await.expect_problem(422, "validation-failed");
        for method in ["DELETE", "PATCH"] {
            let request = admin.request(method, &format!("/api-keys/{id}")).header("If-Match", "W/\"9\"");
            send(request.header("Content-Type", "application/json").body("{}")).await.expect_problem(412, "precondition-failed");
        }
        admin.get(&format!("/api-keys/{id}")).await.expect(200);
    }

    async fn a_foreign_id_is_answered_like_an_unknown_one(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        let id = foreign.post("/api-keys", &new("a")).await.expect(201)["id"].as_str().unwrap().to_owned();
        for (method, path) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")] {
            let ask = async |id: &str| {
                let request = admin.request(method, &format!("/api-keys/{id}{path}")).header("X-Request-Id", "same");
                send(request.header("Content-Type", "application/json").body("{}")).await
            };
            let answer = ask(&id).await;
            answer.expect_problem(404, "not-found");
            for unknown in ["0192f3a0-0000-7000-8000-000000000000", "x", "%00", &id.to_uppercase()] {
                assert_eq!(ask(unknown).await.text, answer.text, "{method} {unknown}");
            }
        }
        foreign.get(&format!("/api-keys/{id}")).await.expect(200);
    }

    async fn a_post_with_a_key_is_done_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, other) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "admin").await);
        let ask = async |admin: &Admin, body: &Value| {
            let request = admin.request("POST", "/api-keys").header("Idempotency-Key", "k-1");
            send(request.header("Content-Type", "application/json").body(body.to_string())).await
        };
        ask(&admin, &new("a")).await.expect(201);
        let repeated = ask(&admin, &new("a")).await;
        repeated.expect_problem(409, "secret-already-shown");
        ask(&admin, &new("b")).await.expect_problem(422, "idempotency-mismatch");
        ask(&other, &new("b")).await.expect(201);
        assert_eq!(admin.get("/api-keys").await.expect(200)["data"].as_array().unwrap().len(), 5);
        app.advance(24 * 3600 * 1_000_000 + 1);
        ask(&admin, &new("b")).await.expect(201);
    }

    async fn a_refusal_with_a_key_is_replayed(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let ask = async |key: &str, body: &str| {
            let request = admin.request("POST", "/api-keys").header("Idempotency-Key", key);
            send(request.header("Content-Type", "application/json").body(body.to_owned())).await
        };
        let first = ask("k", "{}").await;
        first.expect_problem(422, "validation-failed");
        assert_eq!(first.header("idempotency-replayed"), "");
        let second = ask("k", "{}").await;
        assert_eq!((second.status, &second.text), (422, &first.text));
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!(second.header("content-type"), "application/problem+json");
        let long = "x".repeat(256);
        for key in ["", &long] {
            ask(key, "{}").await.expect_problem(400, "bad-request");
        }
    }

    async fn two_posts_with_one_key_at_once_do_one_deed(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let ask = || {
            let request = admin.request("POST", "/api-keys").header("Idempotency-Key", "k");
            send(request.header("Content-Type", "application/json").body(new("a").to_string()))
        };
        let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let code = answer.expect(409)["code"].clone();
            assert!(code == "idempotency-in-flight" || code == "secret-already-shown", "{code}");
        }
        assert_eq!(admin.get("/api-keys").await.expect(200)["data"].as_array().unwrap().len(), 3);
    }
}
