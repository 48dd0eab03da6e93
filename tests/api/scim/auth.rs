//! Who is let in (security.md sections 3 and 8, RFC 6750).

use serde_json::json;

use crate::helpers::*;

/// A path of every kind, routed or not, with the methods that it offers.
const PATHS: [(&str, &[&str]); 16] = [
    ("", &[]),
    ("/", &[]),
    ("/Users", &["GET", "POST"]),
    ("/Users/1", &["GET", "PUT", "PATCH", "DELETE"]),
    ("/Users/.search", &["POST"]),
    ("/Groups", &["GET", "POST"]),
    ("/Groups/1", &["GET", "PUT", "PATCH", "DELETE"]),
    ("/Groups/.search", &["POST"]),
    ("/ServiceProviderConfig", &["GET"]),
    ("/ResourceTypes", &["GET"]),
    ("/ResourceTypes/User", &["GET"]),
    ("/Schemas", &["GET"]),
    ("/Schemas/x", &["GET"]),
    ("/Me", &["GET"]),
    ("/.search", &["POST"]),
    ("/nonsense/%zz?filter=((", &["GET"]),
];

on_both! {
    async fn nothing_is_answered_without_a_token(app: &TestApp) {
        let caller = app.caller().await;
        for (path, offered) in PATHS {
            for method in offered.iter().chain(&["GET", "OPTIONS", "TRACE", "BREW"]) {
                let answer = send(caller.anonymous(method, path).body("{")).await;
                answer.expect_error(401, None);
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"scim\"", "{method} {path}");
            }
        }
    }

    async fn what_is_no_valid_token_is_refused_before_path_query_and_body(app: &TestApp) {
        let caller = app.caller().await;
        let invalid = "Bearer realm=\"scim\", error=\"invalid_token\"";
        let missing = "Bearer realm=\"scim\"";
        let oversize = format!("Bearer {}", "x".repeat(5_000));
        let other_kind = caller.token().replace("rc_st_", "rc_ak_");
        for (field, challenge) in [
            ("Bearer", missing),
            ("non-token", missing),
            ("", missing),
            ("Basic dXNlcjpwYXNz", missing),
            (caller.token(), missing),
            ("Bearer x", invalid),
            ("Bearer rc_st_", invalid),
            ("bearer  x y", invalid),
            (oversize.as_str(), invalid),
            (&format!("Bearer {}x", caller.token()), invalid),
            (&format!("Bearer {}", &caller.token()[1..]), invalid),
            (&format!("Bearer {other_kind}"), invalid),
            (&format!("Bearer {} x", caller.token()), invalid),
        ] {
            for path in ["/Users?filter=((&count=x", "/nonsense"] {
                let request = caller.anonymous("POST", path).header("Authorization", field);
                let answer = send(request.header("Content-Encoding", "br").body("{")).await;
                answer.expect_error(401, None);
                assert_eq!(answer.header("www-authenticate"), challenge, "{field}");
            }
        }
    }

    async fn the_scheme_is_read_in_any_letter_case(app: &TestApp) {
        let caller = app.caller().await;
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let field = format!("{scheme} {}", caller.token());
            send(caller.anonymous("GET", "/Users").header("Authorization", field)).await.expect(200);
        }
    }

    async fn two_credentials_are_refused(app: &TestApp) {
        let caller = app.caller().await;
        let twice = caller.request("GET", "/Users").header("Authorization", format!("Bearer {}", caller.token()));
        send(twice).await.expect_error(401, None);
    }

    async fn a_token_in_the_query_or_a_cookie_is_no_credential(app: &TestApp) {
        let caller = app.caller().await;
        let token = caller.token();
        send(caller.anonymous("GET", &format!("/Users?access_token={token}"))).await.expect_error(401, None);
        send(caller.anonymous("GET", "/Users").header("Cookie", format!("token={token}"))).await.expect_error(401, None);
        caller.get(&format!("/Users?access_token={token}&access_token=x")).await.expect(200);
    }

    async fn a_revoked_or_expired_token_opens_nothing(app: &TestApp) {
        let tenant = app.tenant().await;
        let short = app.token(&tenant, Lifetime::Days(1)).await;
        let (kept, revoked) = (&tenant.caller, app.token(&tenant, Lifetime::Unlimited).await);
        // A token that is unknown to the application is looked up afresh.
        app.revoke(&revoked).await;
        revoked.get("/Users").await.expect_error(401, None);
        short.get("/Users").await.expect(200);
        app.advance(86_400_000_000);
        short.get("/Users").await.expect_error(401, None);
        kept.get("/Users").await.expect(200);
    }

    async fn the_state_of_a_connection_decides(app: &TestApp) {
        let tenant = app.tenant().await;
        for (state, read, write) in [
            ("setup", 200, 201),
            ("observe", 200, 201),
            ("active", 200, 201),
            ("paused", 200, 503),
            ("decommissioned", 401, 401),
        ] {
            app.execute(&format!("UPDATE connections SET state = '{state}'")).await;
            let caller = app.fresh(&tenant).await;
            assert_eq!(caller.get("/Users").await.status, read, "{state}");
            let answer = caller.post("/Users", &user(state)).await;
            assert_eq!(answer.status, write, "{state}: {}", answer.text);
            if write == 503 {
                assert_ne!(answer.header("retry-after"), "");
                caller.delete("/Users/x").await.expect_error(503, None);
                caller.patch("/Users/x", &patch(json!([]))).await.expect_error(503, None);
                caller.put("/Users/x", &user("a")).await.expect_error(503, None);
            }
        }
    }

    async fn a_suspended_organization_is_403(app: &TestApp) {
        let tenant = app.tenant().await;
        app.execute("UPDATE organizations SET state = 'suspended'").await;
        app.fresh(&tenant).await.get("/Users").await.expect_error(403, None);
    }

    async fn a_damaged_settings_document_is_our_fault_and_tells_nothing(app: &TestApp) {
        let tenant = app.tenant().await;
        app.execute("UPDATE connections SET settings = '{damaged'").await;
        let caller = app.fresh(&tenant).await;
        let response = caller.request("GET", "/Users").send().await.expect("an answer");
        assert_eq!(response.status(), 500);
        assert!(!response.text().await.expect("a body").contains("damaged"));
    }

    async fn the_use_of_a_token_is_noted(app: &TestApp) {
        let tenant = app.tenant().await;
        tenant.caller.get("/Users").await.expect(200);
        let used = async || {
            let db = &app.state.db;
            let found = db.find_token(tenant.made.organization.id, tenant.made.token.record.id).await;
            found.expect("answers").expect("there").last_used_at
        };
        // Beside the request, so that it may come after the answer.
        while used().await.is_none() {
            tokio::task::yield_now().await;
        }
        let first = used().await;
        app.advance(30_000_000);
        app.fresh(&tenant).await.get("/Users").await.expect(200);
        tenant.caller.get("/Users").await.expect(200);
        assert_eq!(used().await, first);
    }
}
