//! Errors of the surface: problem+json whatever the reason, and a help page for each code.

use crate::helpers::*;

on_both! {
    async fn no_credential_of_another_kind_opens_the_surface(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let scim_token = tenant.caller.token();
        for authorization in
            [None, Some(format!("Bearer {scim_token}")), Some("Bearer rc_ak_x".to_owned()), Some("Basic eDp5".to_owned())]
        {
            for path in ["/roles", "/no-such-path", "/roles?no_such=1", ""] {
                let mut request = admin.anonymous("GET", &format!("/api/v1{path}"));
                if let Some(authorization) = &authorization {
                    request = request.header("Authorization", authorization);
                }
                let answer = send(request).await;
                answer.expect_problem(401, "unauthenticated");
                assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"api\""));
            }
        }
        let answer = send(tenant.caller.anonymous("GET", "/Users").bearer_auth(&admin.key)).await;
        answer.expect_error(401, None);
        admin.get("/roles").await.expect(200);
    }

    async fn unrouted_paths_and_methods_are_problems(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for path in ["", "/", "/no-such-path", "/roles/", "/roles/admin/x"] {
            admin.get(path).await.expect_problem(404, "not-found");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let answer = send(admin.request(method, "/roles")).await;
            answer.expect_problem(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
        send(admin.anonymous("DELETE", "/api/v1/openapi.json")).await.expect_problem(405, "method-not-allowed");
        let head = send(admin.request("HEAD", "/roles")).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }

    async fn an_answer_that_is_not_accepted_is_406(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for accept in ["text/html", "application/xml, image/*", "application/json;q=0"] {
            let answer = send(admin.request("GET", "/organization").header("Accept", accept)).await;
            answer.expect_problem(406, "not-acceptable");
        }
        send(admin.request("GET", "/organization").header("Accept", "text/csv")).await.expect_problem(406, "not-acceptable");
    }

    async fn heads_that_are_too_large_are_problems(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let long = "x".repeat(20_000);
        admin.get(&format!("/roles?{long}")).await.expect_problem(414, "uri-too-long");
        let answer = send((0..10).fold(admin.request("GET", "/roles"), |request, n| {
            request.header(format!("x-long-{n}"), &long[..8_000])
        }))
        .await;
        answer.expect_problem(431, "headers-too-large");
    }

    async fn a_sane_request_id_is_kept_in_the_problem(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = send(admin.request("GET", "/nothing").header("X-Request-Id", "abc-1.2_3")).await;
        assert_eq!(answer.expect_problem(404, "not-found")["instance"], "urn:request:abc-1.2_3");
        let answer = send(admin.request("GET", "/nothing").header("X-Request-Id", "<b>")).await;
        assert_ne!(answer.expect_problem(404, "not-found")["instance"], "urn:request:<b>");
    }

    async fn each_code_has_a_help_page(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let index = send(admin.anonymous("GET", "/problems")).await;
        let codes: Vec<&str> =
            index.text.split("href=\"problems/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(codes.len() >= 37 && codes.contains(&"managed-externally"), "{codes:?}");
        for code in codes {
            let page = send(admin.anonymous("GET", &format!("/problems/{code}"))).await;
            assert_eq!(page.status, 200);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
            assert!(page.text.contains(&format!("<code>{code}</code>")) && !page.text.contains("<script"));
        }
        assert_eq!(send(admin.anonymous("GET", "/problems/%3Cscript%3E")).await.status, 404);
    }
}
