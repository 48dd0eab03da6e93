//! What holds for every route: the table of routes is walked, so that a new route is tested as soon as it is there.

use rollcall::http::backoffice;
use serde_json::json;

use super::REASON;
use crate::helpers::*;

/// A path whose parameters are ids that nobody has.
fn path_of(pattern: &str) -> String {
    let segments =
        pattern.split('/').map(|s| if s.starts_with('{') { "0192f3a0-0000-7000-8000-000000000000" } else { s });
    segments.collect::<Vec<_>>().join("/")
}

on_both! {
    async fn support_reads_and_does_nothing(app: &TestApp) {
        let (operator, support) = (app.backoffice("operator").await, app.backoffice("support").await);
        for (method, path, is_deed) in backoffice::routes() {
            let path = path_of(&path);
            let answer = send(support.request(method.as_str(), &path)).await;
            if is_deed {
                assert_eq!(answer.expect_problem(403, "permission-denied")["role"], "operator", "{method} {path}");
            } else {
                assert_ne!(answer.status, 403, "{method} {path}");
            }
            let answer = send(operator.request(method.as_str(), &path)).await;
            assert!(![401, 403, 405, 500].contains(&answer.status), "{method} {path}: {}", answer.text);
        }
    }

    async fn no_route_answers_without_a_credential(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        for (method, path, _) in backoffice::routes() {
            let request = operator.anonymous(method.as_str(), &format!("/backoffice/v1{}", path_of(&path)));
            send(request).await.expect_problem(401, "unauthenticated");
        }
        for path in ["", "/", "/nothing"] {
            operator.get(path).await.expect_problem(404, "not-found");
        }
    }

    async fn no_route_takes_a_parameter_that_it_does_not_know(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        for (method, path, _) in backoffice::routes() {
            let request = operator.request(method.as_str(), &format!("{}?no_such_parameter=1", path_of(&path)));
            let answer = send(request.header("Content-Type", "application/json").body("{}")).await;
            answer.expect_problem(400, "unknown-parameter");
        }
    }

    async fn a_deed_without_a_reason_is_refused(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let tenant = app.tenant().await;
        let organization = format!("/organizations/{}", tenant.made.organization.id);
        for reason in [json!(null), json!("too short"), json!("x".repeat(501)), json!(["asked for in ticket 4711"])] {
            for (path, body) in [
                ("/organizations".to_owned(), json!({ "name": "New", "reason": reason })),
                (format!("{organization}/suspend"), json!({ "reason": reason })),
                (format!("{organization}/unsuspend"), json!({ "reason": reason })),
                (format!("{organization}/bootstrap-link"), json!({ "reason": reason })),
                (format!("{organization}/domains"), json!({ "domain": "a.example", "reason": reason })),
                ("/operators".to_owned(), json!({ "name": "New", "role": "support", "reason": reason })),
            ] {
                let problem = operator.post(&path, &body).await.expect_problem(422, "validation-failed");
                assert_eq!(problem["errors"][0]["pointer"], "/reason", "{path}");
            }
            let body = json!({ "name": "Other", "reason": reason });
            operator.patch(&organization, &body).await.expect_problem(422, "validation-failed");
        }
        let id = id(&tenant.caller.post("/Users", &user("ben@example.com")).await.expect(201));
        for query in ["", "?reason=", "?reason=short", "?mode=block"] {
            let answer = operator.delete(&format!("{organization}/users/{id}{query}")).await;
            answer.expect_problem(422, "validation-failed");
        }
        tenant.caller.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(operator.get(&organization).await.expect(200)["name"], *tenant.made.organization.name);
        // In the body or in the query.
        let path = format!("{organization}/users/{id}");
        operator.with_text("DELETE", &path, json!({ "reason": REASON }).to_string()).await.expect(200);
    }
}
