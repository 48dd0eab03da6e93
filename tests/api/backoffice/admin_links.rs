//! `/organizations/{id}/bootstrap-link`.

use rollcall::domain::token::{self, SecretKind};
use serde_json::json;

use super::REASON;
use crate::helpers::*;

/// An hour in µs.
const HOUR: i64 = 3_600_000_000;

on_both! {
    async fn a_link_is_shown_once_and_stored_as_its_hash(app: &TestApp) {
        let tenant = app.tenant().await;
        let (operator, admin) = (app.backoffice("operator").await, app.admin(&tenant, "admin").await);
        let path = format!("/organizations/{}/bootstrap-link", tenant.made.organization.id);
        let secret_of = |answer: &serde_json::Value| {
            let before = format!("{}/console/admin-link/", app.state.settings.public_url);
            let secret = answer["link"].as_str().and_then(|link| link.strip_prefix(&before)).expect("a link").to_owned();
            assert!(token::is_well_formed(SecretKind::AdminLink, &secret), "{secret}");
            secret
        };
        let hash_of = |secret: &str| token::hash(secret).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let stored = async |secret: &str| {
            let (hash, column) = (hash_of(secret), app.hex("hash"));
            app.holds(&format!("SELECT 1 FROM admin_links WHERE {column} = '{hash}'")).await
        };
        let made = operator.post(&path, &json!({ "reason": REASON })).await.expect(201);
        let first = secret_of(&made);
        assert_eq!(made["fingerprint"], format!("rc_al_…{}", &first[first.len() - 4..]));
        assert!(made["expires_at"].is_string());
        assert!(stored(&first).await);
        assert_eq!(app.number("SELECT expires_at - created FROM admin_links").await, HOUR);
        assert_eq!(app.dump().await.iter().find(|line| line.contains(&first)), None);

        // A new one takes the place of the last, of this organization only.
        let other = app.tenant().await;
        let elsewhere = format!("/organizations/{}/bootstrap-link", other.made.organization.id);
        let theirs = secret_of(&operator.post(&elsewhere, &json!({ "reason": REASON })).await.expect(201));
        let second = secret_of(&operator.post(&path, &json!({ "reason": REASON })).await.expect(201));
        assert_ne!(first, second);
        assert_eq!((stored(&first).await, stored(&second).await, stored(&theirs).await), (false, true, true));

        // Both logs know it by its fingerprint. On no surface is it a credential.
        for log in [&admin, &operator] {
            let events = log.get("/audit-events?action=organization.admin_link_created").await.expect(200);
            assert_eq!((&events["data"][0]["reason"], events.to_string().contains(&second)), (&json!(REASON), false));
        }
        let own = admin.get("/audit-events?action=organization.admin_link_created").await.expect(200);
        assert_eq!(own["data"].as_array().map(Vec::len), Some(2));
        assert!(own.to_string().contains(made["fingerprint"].as_str().unwrap()), "{own}");
        app.admin_with(&second).get("/roles").await.expect_problem(401, "unauthenticated");
        app.backoffice_with(&second).get("/system").await.expect_problem(401, "unauthenticated");
        app.caller_with(&second).get("/Users").await.expect_error(401, None);
    }

    async fn a_repeat_does_not_show_it_again(app: &TestApp) {
        let tenant = app.tenant().await;
        let operator = app.backoffice("operator").await;
        let path = format!("/organizations/{}/bootstrap-link", tenant.made.organization.id);
        let body = json!({ "reason": REASON });
        let post = || operator.request("POST", &path).header("Idempotency-Key", "k-1").json(&body);
        send(post()).await.expect(201);
        send(post()).await.expect_problem(409, "secret-already-shown");
        assert_eq!(app.rows("SELECT 1 AS n FROM admin_links").await, 1);
        let nobody = "/organizations/0192f3a0-0000-7000-8000-000000000000/bootstrap-link";
        operator.post(nobody, &body).await.expect_problem(404, "not-found");
        operator.post(&path, &json!({})).await.expect_problem(422, "validation-failed");
    }

    async fn of_many_at_once_one_is_left(app: &TestApp) {
        let tenant = app.tenant().await;
        let operator = app.backoffice("operator").await;
        let path = format!("/organizations/{}/bootstrap-link", tenant.made.organization.id);
        let body = json!({ "reason": REASON });
        let answers = futures_util::future::join_all((0..8).map(|_| operator.post(&path, &body))).await;
        answers.iter().for_each(|answer| drop(answer.expect(201)));
        assert_eq!(app.rows("SELECT 1 AS n FROM admin_links").await, 1);
    }
}
