//! The credentials of a connection.

use super::*;

const DAY: i64 = 86_400_000_000;

async fn issue(admin: &Admin, made: &Made, body: Value) -> Answer {
    admin.post(&format!("{}/scim-tokens", made.path), &body).await
}

async fn listed(admin: &Admin, made: &Made) -> Vec<Value> {
    let page = admin.get(&format!("{}/scim-tokens", made.path)).await.expect(200);
    page["data"].as_array().expect("data").clone()
}

async fn is_let_in(caller: &Caller) -> bool {
    match caller.get("/Users?count=0").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

on_both! {
    async fn a_token_is_shown_once_and_listed_without_its_secret(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        let answer = issue(&admin, &made, json!({ "name": "second", "expires_at": "never" })).await;
        let token = answer.expect(201);
        let secret = token["secret"].as_str().unwrap();
        assert!(secret.starts_with("rc_st_") && token["fingerprint"].as_str().unwrap().starts_with("rc_st_…"));
        assert_eq!((&token["expires_at"], &token["connection_id"]), (&Value::Null, &json!(made.id)));
        assert!(token["created_by"].as_str().unwrap().starts_with("api_key:"));
        app.caller_with(secret).user("anna").await;
        let all = listed(&admin, &made).await;
        assert_eq!(all.len(), 2);
        assert!(!format!("{all:?}").contains(secret) && all.iter().all(|token| token.get("secret").is_none()));
        // A year where nothing is said, and what is offered.
        let days = |token: &Value| {
            let time = |name: &str| chrono::DateTime::parse_from_rfc3339(token[name].as_str().unwrap()).unwrap();
            (time("expires_at") - time("created_at")).num_days()
        };
        assert_eq!(days(&all[0]), 365);
        admin.delete(&format!("{}/scim-tokens/{}", made.path, id(&token))).await.expect(204);
        for (asked, expected) in [("90d", 90), ("2y", 730)] {
            let token = issue(&admin, &made, json!({ "name": asked, "expires_at": asked })).await.expect(201);
            assert_eq!(days(&token), expected);
            admin.delete(&format!("{}/scim-tokens/{}", made.path, id(&token))).await.expect(204);
        }
        for wrong in [json!("3y"), json!(null).clone(), json!("2020-01-01T00:00:00Z"), json!("2999-01-01T00:00:00Z"), json!(90)] {
            let answer = issue(&admin, &made, json!({ "name": "x", "expires_at": wrong })).await;
            if wrong.is_null() {
                let token = answer.expect(201);
                assert_eq!(days(&token), 365);
                admin.delete(&format!("{}/scim-tokens/{}", made.path, id(&token))).await.expect(204);
            } else {
                answer.expect_problem(422, "validation-failed");
            }
        }
    }

    async fn at_most_three_tokens_are_alive(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        let ask = || issue(&admin, &made, json!({ "name": "further", "expires_at": "90d" }));
        let answers = futures_util::future::join_all((0..6).map(|_| ask())).await;
        let issued = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(issued, 2, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.expect_problem(409, "token-limit");
        }
        let first = id(&listed(&admin, &made).await[0]);
        let rotate = format!("{}/scim-tokens/{first}/rotate", made.path);
        admin.post(&rotate, &json!({})).await.expect_problem(409, "token-limit");
        assert!(is_let_in(&made.caller).await);
        // Without overlap there are three before and after.
        admin.post(&rotate, &json!({ "overlap_hours": 0 })).await.expect(201);
        assert!(!is_let_in(&made.caller).await);
        assert_eq!(listed(&admin, &made).await.len(), 3);
        // Expired ones are none.
        app.advance(91 * DAY);
        ask().await.expect(201);
        ask().await.expect(201);
        ask().await.expect_problem(409, "token-limit");
    }

    async fn old_and_new_work_in_the_overlap_and_the_old_one_fails_after(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        made.caller.user("anna").await;
        let old = id(&listed(&admin, &made).await[0]);
        let path = format!("{}/scim-tokens/{old}", made.path);
        for wrong in [json!({ "overlap_hours": 169 }), json!({ "overlap_hours": -1 }), json!({ "overlap": 1 })] {
            admin.post(&format!("{path}/rotate"), &wrong).await.expect_problem(422, "validation-failed");
        }
        let rotated = admin.post(&format!("{path}/rotate"), &json!({ "overlap_hours": 168 })).await.expect(201);
        let fresh = app.caller_with(rotated["secret"].as_str().unwrap());
        assert_ne!(id(&rotated), old);
        assert_eq!(rotated["name"], "first");
        assert!(is_let_in(&made.caller).await && is_let_in(&fresh).await);
        app.advance(7 * DAY - 60_000_000);
        assert!(is_let_in(&made.caller).await);
        app.advance(60_000_000);
        assert!(!is_let_in(&made.caller).await && is_let_in(&fresh).await);
        // The usual overlap is a day; a rotated token is rotated no more than it is revoked.
        let path = format!("{}/scim-tokens/{}", made.path, id(&rotated));
        send(admin.request("POST", &format!("{path}/rotate"))).await.expect(201);
        app.advance(DAY);
        assert!(!is_let_in(&fresh).await);
        assert_eq!(admin.delete(&path).await.status, 204);
        admin.post(&format!("{path}/rotate"), &json!({})).await.expect_problem(404, "not-found");
    }

    async fn a_revoked_token_is_refused_at_once(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        for _ in 0..5 {
            let token = issue(&admin, &made, json!({ "name": "short" })).await.expect(201);
            let caller = app.caller_with(token["secret"].as_str().unwrap());
            assert!(is_let_in(&caller).await);
            let path = format!("{}/scim-tokens/{}", made.path, id(&token));
            admin.delete(&path).await.expect(204);
            assert!(!is_let_in(&caller).await);
            admin.delete(&path).await.expect_problem(404, "not-found");
        }
        assert!(is_let_in(&made.caller).await);
    }

    async fn a_secret_is_not_shown_again_for_an_idempotency_key(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        let ask = async || {
            let request = admin.request("POST", &format!("{}/scim-tokens", made.path)).header("Idempotency-Key", "k");
            send(request.header("Content-Type", "application/json").body(json!({ "name": "x" }).to_string())).await
        };
        ask().await.expect(201);
        ask().await.expect_problem(409, "secret-already-shown");
        assert_eq!(listed(&admin, &made).await.len(), 2);
    }

    async fn a_decommissioned_connection_gets_no_token(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        step(&admin, &made.path, "decommission").await.expect(200);
        issue(&admin, &made, json!({ "name": "x" })).await.expect_problem(409, "connection-state");
    }
}
