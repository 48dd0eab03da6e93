//! Point 8: a rotated credential works beside the new one as long as the overlap lasts, its last use is shown, and no secret is
//! anywhere but in the one answer that shows it. Logs at their most talkative are in `tests/cli/serve.rs`.

use serde_json::{Value, json};

use super::rows;
use crate::helpers::*;

const HOUR: i64 = 3_600_000_000;

/// Every text of a body that begins like a secret, or like a link with one, and is as long as one.
fn secrets_in(body: &Value, found: &mut Vec<String>) {
    match body {
        Value::String(text) => {
            let last = text.rsplit('/').next().unwrap_or_default();
            if last.starts_with("rc_") && last.len() > 40 {
                found.push(last.to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| secrets_in(item, found)),
        Value::Object(members) => members.values().for_each(|member| secrets_in(member, found)),
        _ => {}
    }
}

/// The only secret of a body.
fn secret(body: &Value) -> String {
    let mut found = Vec::new();
    secrets_in(body, &mut found);
    assert_eq!(found.len(), 1, "{body}");
    found.remove(0)
}

/// Waits until the last use of a credential is listed: it is noted beside the request.
async fn is_shown_as_used(admin: &Admin, list: &str, made: &Value) {
    for _ in 0..500 {
        let page = admin.get(list).await.expect(200);
        let row = rows(&page).iter().find(|row| row["id"] == made["id"]).expect("listed");
        if row["last_used_at"].is_string() {
            assert_eq!(row["last_used_ip"], "127.0.0.1");
            return;
        }
    }
    panic!("{list}: the use is not noted");
}

on_both! {
    async fn of_a_rotated_credential_the_former_secret_works_until_the_overlap_ends(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let connection = format!("/connections/{}", tenant.made.connection.id);
        let tokens = format!("{connection}/scim-tokens");
        let token = admin.post(&tokens, &json!({ "name": "nightly" })).await.expect(201);
        assert_eq!((&token["last_used_at"], &token["last_used_ip"]), (&Value::Null, &Value::Null));
        let former = app.caller_with(&secret(&token));
        former.get("/Users").await.expect(200);
        is_shown_as_used(&admin, &tokens, &token).await;
        let rotate = format!("{tokens}/{}/rotate", id(&token));
        let rotated = admin.post(&rotate, &json!({ "overlap_hours": 2 })).await.expect(201);
        let fresh = app.caller_with(&secret(&rotated));
        for (hours, status) in [(0, 200), (1, 200), (1, 401)] {
            app.advance(hours * HOUR);
            assert_eq!((former.get("/Users").await.status, fresh.get("/Users").await.status), (status, 200));
        }

        let key = admin.post("/api-keys", &json!({ "name": "export", "roles": ["read_only"] })).await.expect(201);
        let former = app.admin_with(&secret(&key));
        former.get("/roles").await.expect(200);
        is_shown_as_used(&admin, "/api-keys", &key).await;
        let rotate = format!("/api-keys/{}/rotate", id(&key));
        let rotated = admin.post(&rotate, &json!({ "overlap_hours": 2 })).await.expect(200);
        let fresh = app.admin_with(&secret(&rotated));
        for (hours, status) in [(0, 200), (1, 200), (1, 401)] {
            app.advance(hours * HOUR);
            assert_eq!((former.get("/roles").await.status, fresh.get("/roles").await.status), (status, 200));
        }
    }

    async fn a_secret_is_in_the_answer_that_shows_it_and_nowhere_else(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let reason = "asked for in ticket 4711";
        let mut secrets = Vec::new();
        let mut made = async |asker: &Admin, path: &str, body: Value, status: u16| {
            let request = asker.request("POST", path).header("Idempotency-Key", format!("{path}-{status}"));
            let answer = send(request.header("Content-Type", "application/json").body(body.to_string())).await;
            let body = answer.expect(status);
            secrets.push(secret(&body));
            body
        };
        let body = json!({ "name": "Acme", "with_api_key": true, "features": { "sub_accounts": true }, "reason": reason });
        let organization = made(&operator, "/organizations", body, 201).await;
        let body = json!({ "name": "Second", "role": "support", "reason": reason });
        made(&operator, "/operators", body, 201).await;
        let admin = app.admin_with(&secret(&organization));
        let key = made(&admin, "/api-keys", json!({ "name": "key", "roles": ["read_only"] }), 201).await;
        made(&admin, &format!("/api-keys/{}/rotate", id(&key)), json!({}), 200).await;
        let okta = id(&admin.post("/connections", &json!({ "provider": "okta", "name": "Okta" })).await.expect(201));
        let tokens = format!("/connections/{okta}/scim-tokens");
        let token = made(&admin, &tokens, json!({ "name": "token" }), 201).await;
        made(&admin, &format!("{tokens}/{}/rotate", id(&token)), json!({}), 201).await;
        let body = json!({ "emails": ["ann@example.com"], "roles": ["read_only"], "delivery": "link" });
        let invited = made(&admin, "/invitations", body, 200).await;
        app.advance(HOUR);
        let resend = format!("/invitations/{}/resend", id(&invited["results"][0]["invitation"]));
        made(&admin, &resend, json!({}), 200).await;
        made(&admin, "/sub-accounts", json!({ "name": "Below", "with_api_key": true }), 201).await;
        assert_eq!(secrets.len(), 9);
        // Each is used where it is a credential, also where it opens nothing.
        for secret in &secrets {
            app.caller_with(secret).get("/Users").await;
            app.caller_with(secret).post("/Users", &user(&format!("u{}", secret.len()))).await;
            app.admin_with(secret).get("/organization").await;
            app.backoffice_with(secret).get("/system").await;
        }
        let organization = id(&organization);
        let mut all = vec![
            admin.get("/audit-events?limit=200").await.text,
            admin.get("/provisioning-log?limit=200").await.text,
            operator.get("/audit-events?limit=200").await.text,
            operator.get(&format!("/provisioning-log?organization={organization}")).await.text,
        ];
        for path in ["/api-keys", &tokens, "/invitations", "/sub-accounts", "/connections"] {
            all.push(admin.get(path).await.expect(200).to_string());
        }
        for path in ["/operators", "/organizations"] {
            all.push(operator.get(path).await.expect(200).to_string());
        }
        all.extend(app.dump().await);
        for secret in secrets {
            // What a fingerprint shows are the first and last characters.
            let heart = &secret[7..secret.len() - 5];
            assert_eq!(all.iter().find(|text| text.contains(heart)), None, "{secret}");
        }
    }
}
