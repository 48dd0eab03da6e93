//! Creating, listing and changing.

use super::*;

on_both! {
    async fn a_connection_is_made_read_and_changed(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let body = json!({ "provider": "entra", "name": " Entra ", "scim": { "adoption": "review" } });
        let answer = admin.post("/connections", &body).await;
        let made = answer.expect(201);
        let path = format!("/connections/{}", id(&made));
        assert!(answer.header("location").ends_with(&format!("/api/v1{path}")));
        assert_eq!((&made["name"], &made["state"], &made["provider"]), (&json!("Entra"), &json!("setup"), &json!("entra")));
        let scim = json!({
            "base_url": format!("{}/scim/v2", app.url), "adoption": "review", "may_grant_admin": false,
            "roles_discovery": false,
            "unknown_members": "refuse", "duplicate_group_names": "refuse", "repairs": {},
            "guard": { "percent": 20, "minimum": 10 },
        });
        assert_eq!(made["scim"], scim);
        let health = json!({
            "last_request_at": null, "last_success_at": null, "last_error_at": null, "last_error": null, "users": 0,
            "groups": 0, "tokens_expiring": 0,
        });
        assert_eq!((&made["health"], &made["job"]), (&health, &Value::Null));

        let read = admin.get(&path).await;
        assert_eq!((read.expect(200), read.header("etag")), (made.clone(), answer.header("etag")));
        let tag = read.header("etag").to_owned();
        let patch = json!({ "name": "Azure", "scim": { "adoption": null, "may_grant_admin": true, "guard": { "percent": 5 } } });
        let request = admin.request("PATCH", &path).header("If-Match", &tag).header("Content-Type", "application/merge-patch+json");
        let changed = send(request.body(patch.to_string())).await;
        let body = changed.expect(200);
        assert_ne!(changed.header("etag"), tag);
        assert_eq!((&body["name"], &body["scim"]["adoption"]), (&json!("Azure"), &json!("verified_domain")));
        assert_eq!(body["scim"]["guard"], json!({ "percent": 5, "minimum": 10 }));
        let request = admin.request("PATCH", &path).header("If-Match", &tag).header("Content-Type", "application/json");
        send(request.body("{\"nmae\":1}")).await.expect_problem(412, "precondition-failed");
        // No change is no new version.
        assert_eq!(admin.patch(&path, &patch).await.header("etag"), changed.header("etag"));
    }

    async fn all_that_is_wrong_with_a_connection_is_said_at_once(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let pointers = |problem: Value| {
            let errors = problem["errors"].as_array().expect("errors").clone();
            errors.iter().map(|e| e["pointer"].as_str().expect("a pointer").to_owned()).collect::<Vec<_>>()
        };
        let wrong = json!({ "provider": ["okta"], "nmae": "x", "scim": 1 });
        let problem = admin.post("/connections", &wrong).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(problem), ["/provider", "/name", "/scim", "/nmae"]);
        let scim = json!({ "adoption": "always", "sso": true, "guard": { "percent": 0 }, "repairs": { "none": true } });
        let wrong = json!({ "provider": "github", "name": "", "scim": scim });
        let problem = admin.post("/connections", &wrong).await.expect_problem(422, "validation-failed");
        assert_eq!(
            pointers(problem),
            ["/provider", "/name", "/scim/adoption", "/scim/sso", "/scim/guard/percent", "/scim/repairs/none"]
        );
        let first = make(app, &admin, "Okta").await;
        let taken = admin.post("/connections", &json!({ "provider": "okta", "name": "Okta" })).await;
        assert_eq!(pointers(taken.expect_problem(422, "validation-failed")), ["/name"]);
        let second = make(app, &admin, "Okta 2").await;
        let taken = admin.patch(&second.path, &json!({ "name": "Okta" })).await;
        assert_eq!(pointers(taken.expect_problem(422, "validation-failed")), ["/name"]);
        let wrong = admin.patch(&first.path, &json!({ "scim": { "may_grant_admin": 1 }, "name": null })).await;
        assert_eq!(pointers(wrong.expect_problem(422, "validation-failed")), ["/name"]);
    }

    async fn connections_are_listed_with_filters_and_pages(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        for name in ["b", "A", "c"] {
            make(app, &admin, name).await;
        }
        let names = |page: &Value| {
            let rows = page["data"].as_array().expect("data").iter();
            rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let first = admin.get("/connections?sort=name&limit=2&include_total=true&state=setup").await.expect(200);
        assert_eq!((names(&first), &first["page"]["total"]), (vec!["A".to_owned(), "b".to_owned()], &json!(3)));
        let cursor = first["page"]["next_cursor"].as_str().unwrap();
        let second = admin.get(&format!("/connections?sort=name&limit=2&state=setup&cursor={cursor}")).await.expect(200);
        assert_eq!(names(&second), ["c"]);
        let all = admin.get("/connections?state=active&state=setup").await.expect(200);
        assert_eq!(names(&all).len(), 4);
        assert_eq!(names(&admin.get("/connections?provider=custom").await.expect(200)).len(), 1);
        admin.get(&format!("/connections?sort=name&limit=2&cursor={cursor}")).await.expect_problem(400, "cursor-invalid");
    }

    async fn health_tells_what_a_connection_did(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let user = made.caller.user("anna").await;
        made.caller.group("Sales", &[&user]).await;
        for _ in 0..10_000 {
            let health = admin.get(&made.path).await.expect(200)["health"].clone();
            assert_eq!((&health["users"], &health["groups"]), (&json!(1), &json!(1)));
            // A token's use is noted beside the request.
            if health["last_request_at"].is_string() {
                break;
            }
        }
        assert_eq!(admin.get(&made.path).await.expect(200)["health"]["tokens_expiring"], 0);
        app.advance(340 * 86_400_000_000);
        assert_eq!(admin.get(&made.path).await.expect(200)["health"]["tokens_expiring"], 1);
        assert_eq!(admin.get("/connections?provider=okta").await.expect(200)["data"][0]["health"]["tokens_expiring"], 1);
    }

    async fn a_setting_counts_from_the_next_request_on(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let nobody = "0192f3a0-0000-7000-8000-000000000000";
        made.caller.post("/Groups", &group("one", &[nobody])).await.expect_error(400, Some("invalidValue"));
        admin.patch(&made.path, &json!({ "scim": { "unknown_members": "ignore" } })).await.expect(200);
        made.caller.post("/Groups", &group("one", &[nobody])).await.expect(201);
        made.caller.post("/Groups", &group("ONE", &[])).await.expect_error(409, Some("uniqueness"));
        admin.patch(&made.path, &json!({ "scim": { "duplicate_group_names": "allow" } })).await.expect(200);
        made.caller.post("/Groups", &group("ONE", &[])).await.expect(201);
    }

    async fn a_foreign_connection_is_answered_like_an_unknown_one(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        let theirs = active(app, &foreign, "Okta").await;
        let tokens = foreign.get(&format!("{}/scim-tokens", theirs.path)).await.expect(200);
        let token = id(&tokens["data"][0]);
        let own = make(app, &admin, "Okta").await;
        let routes = [
            ("GET", String::new()), ("PATCH", String::new()), ("POST", "/observe".into()), ("POST", "/activate".into()),
            ("POST", "/pause".into()), ("POST", "/resume".into()), ("POST", "/decommission".into()),
            ("GET", "/scim-tokens".into()), ("POST", "/scim-tokens".into()),
            ("POST", format!("/scim-tokens/{token}/rotate")), ("DELETE", format!("/scim-tokens/{token}")),
        ];
        for (method, below) in routes {
            let ask = async |id: &str| {
                let request = admin.request(method, &format!("/connections/{id}{below}")).header("X-Request-Id", "same");
                send(request.header("Content-Type", "application/json").body("{}")).await
            };
            let answer = ask(&theirs.id).await;
            answer.expect_problem(404, "not-found");
            for unknown in ["0192f3a0-0000-7000-8000-000000000000", "x"] {
                assert_eq!(ask(unknown).await.text, answer.text, "{method} {below}");
            }
        }
        // A token is found under its own connection only.
        admin.delete(&format!("{}/scim-tokens/{token}", own.path)).await.expect_problem(404, "not-found");
        theirs.caller.user("anna").await;
        assert_eq!(foreign.get(&theirs.path).await.expect(200)["state"], "active");
    }
}
