//! `/invitations`, with links that an Admin passes on.

use rollcall::domain::token;
use serde_json::{Value, json};

use crate::helpers::*;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn to(emails: &[&str], roles: &[&str]) -> Value {
    json!({ "emails": emails, "roles": roles, "delivery": "link" })
}

/// The one result of a request for one address.
async fn invite(admin: &Admin, email: &str, roles: &[&str]) -> Value {
    admin.post("/invitations", &to(&[email], roles)).await.expect(200)["results"][0].clone()
}

async fn states(admin: &Admin, query: &str) -> Vec<String> {
    let page = admin.get(&format!("/invitations?sort=email{query}")).await.expect(200);
    let rows = page["data"].as_array().expect("data").iter();
    rows.map(|row| format!("{} {}", row["email"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

/// Whether a link's secret is the one that is stored.
async fn opens(app: &TestApp, link: &str) -> bool {
    let secret = link.rsplit_once("/invite/").expect("a link").1;
    assert!(token::is_well_formed(token::SecretKind::Invitation, secret), "{secret}");
    let hash: String = token::hash(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    app.holds(&format!("SELECT 1 FROM invitations WHERE {} = '{hash}' AND state = 'pending'", app.hex("hash"))).await
}

on_both! {
    async fn whoever_is_invited_is_there_at_once_but_not_in(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let group = id(&admin.post("/groups", &json!({ "name": "Sales" })).await.expect(201));
        let body = json!({
            "emails": ["Ann@example.com", " ben@example.com "], "roles": ["admin", "billing"], "groups": [group],
            "message": "Welcome", "delivery": "link",
        });
        let answer = admin.post("/invitations", &body).await.expect(200);
        assert_eq!((&answer["done"], &answer["refused"]), (&json!(2), &json!(0)));
        let result = &answer["results"][0];
        assert_eq!((&result["email"], &result["outcome"]), (&json!("Ann@example.com"), &json!("invited")));
        let invitation = &result["invitation"];
        assert_eq!((&invitation["state"], &invitation["message"]), (&json!("pending"), &json!("Welcome")));
        assert_eq!(invitation["roles"], json!(["admin", "billing"]));
        assert_eq!(invitation["groups"], json!([{ "id": group, "name": "Sales" }]));
        assert!(invitation["invited_by"].as_str().unwrap().starts_with("api_key:"));
        assert!(opens(app, result["link"].as_str().unwrap()).await);

        let user = admin.get(&format!("/users/{}", invitation["user_id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&user["status"], &user["email"]), (&json!("invited"), &json!("Ann@example.com")));
        assert_eq!(user["managed"]["by"], "local");
        assert_eq!(admin.get(&format!("/groups/{group}")).await.expect(200)["member_count"], 2);
        // Not an Admin who can sign in: the rule of the last one does not hold yet.
        let held = admin.get("/roles?key=admin").await.expect(200);
        assert_eq!(held["data"][0]["member_count"]["direct"], 2);
        assert_eq!(app.state.db.active_admins(tenant.made.organization.id, 2).await.expect("answers"), []);
        // The link is nowhere else.
        let list = admin.get("/invitations").await;
        list.expect(200);
        assert!(!list.text.contains("rc_in_") && !list.text.contains("/invite/"));
        assert_eq!(states(&admin, "").await, ["Ann@example.com pending", "ben@example.com pending"]);
        // The directory sees nobody.
        assert_eq!(tenant.caller.get("/Users").await.expect(200)["totalResults"], 0);
    }

    async fn members_are_refused_and_the_others_go_out(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        app.local_person(&tenant, "ann@example.com").await;
        let ben = user_with("ben", json!({ "emails": [{ "value": "Ben@Example.com" }] }));
        tenant.caller.create("/Users", &ben).await;
        let cem = tenant.caller.user("cem@example.com").await;
        tenant.caller.patch(&format!("/Users/{cem}"), &patch(json!([{ "op": "replace", "path": "active", "value": false }]))).await.expect(200);
        let emails = ["ANN@example.com", "ben@example.com", "cem@example.com", "dee@example.com"];
        let answer = admin.post("/invitations", &to(&emails, &["read_only"])).await.expect(200);
        let outcomes: Vec<_> = answer["results"].as_array().unwrap().iter().map(|r| {
            (r["outcome"].as_str().unwrap(), r["problem"]["code"].as_str(), r["problem"]["status"].as_i64(), r["link"].is_string())
        }).collect();
        assert_eq!(outcomes, [
            ("refused", Some("already-member"), Some(409), false),
            ("refused", Some("already-member"), Some(409), false),
            ("refused", Some("deactivated-by-directory"), Some(409), false),
            ("invited", None, None, true),
        ]);
        assert!(answer["results"][2]["problem"]["detail"].as_str().unwrap().contains(&tenant.made.connection.name));
        assert_eq!((&answer["done"], &answer["refused"]), (&json!(1), &json!(3)));
        assert_eq!(states(&admin, "").await, ["dee@example.com pending"]);
    }

    async fn all_that_is_wrong_is_said_at_once_and_nobody_is_invited(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let pointers = |problem: Value| {
            let errors = problem["errors"].as_array().expect("errors").clone();
            errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let body = json!({
            "emails": ["a@x", "nobody", "A@X", "a b@x"], "roles": ["owner"], "groups": ["x"], "message": "x".repeat(501), "delivery": "link",
        });
        let problem = admin.post("/invitations", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(problem), ["/emails/1", "/emails/2", "/emails/3", "/roles/0", "/message", "/groups/0"]);
        let many: Vec<String> = (0..51).map(|n| format!("u{n}@x")).collect();
        let many: Vec<&str> = many.iter().map(|email| &**email).collect();
        for (body, pointer) in [
            (to(&[], &["read_only"]), "/emails"),
            (to(&many, &["read_only"]), "/emails"),
            (to(&["a@x"], &[]), "/roles"),
            (json!({ "emails": ["a@x"], "roles": ["read_only"] }), "/delivery"),
            (json!({ "emails": ["a@x"], "roles": ["read_only"], "delivery": "email" }), "/delivery"),
            (json!({ "emails": "a@x", "roles": ["read_only"], "delivery": "link" }), "/emails"),
        ] {
            assert_eq!(pointers(admin.post("/invitations", &body).await.expect_problem(422, "validation-failed")), [pointer]);
        }
        let theirs = tenant.caller.group("Theirs", &[]).await;
        let body = json!({ "emails": ["a@x"], "roles": ["read_only"], "groups": [theirs], "delivery": "link" });
        admin.post("/invitations", &body).await.expect_problem(403, "managed-externally");
        // Only an Admin invites an Admin, by whatever way.
        team.post("/invitations", &to(&["a@x"], &["admin"])).await.expect_problem(403, "permission-denied");
        let admins = id(&admin.post("/groups", &json!({ "name": "Admins", "roles": ["admin"] })).await.expect(201));
        let body = json!({ "emails": ["a@x"], "roles": ["read_only"], "groups": [admins], "delivery": "link" });
        let refused = &team.post("/invitations", &body).await.expect(200)["results"][0];
        assert_eq!(refused["problem"]["code"], "permission-denied");
        assert_eq!(states(&admin, "").await, Vec::<String>::new());
        assert_eq!(admin.get("/users").await.expect(200)["data"], json!([]));
    }

    async fn a_link_is_shown_to_admins_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let sent = invite(&team, "ann@example.com", &["read_only"]).await;
        assert_eq!((&sent["outcome"], &sent["link"]), (&json!("invited"), &Value::Null));
        let ask = async |admin: &Admin, email: &str| {
            let request = admin.request("POST", "/invitations").header("Idempotency-Key", email);
            let body = to(&[email], &["read_only"]).to_string();
            send(request.header("Content-Type", "application/json").body(body)).await
        };
        assert!(ask(&admin, "ben@example.com").await.expect(200)["results"][0]["link"].is_string());
        ask(&admin, "ben@example.com").await.expect_problem(409, "secret-already-shown");
        // Without a link there is no secret, and the answer is repeated.
        let first = ask(&team, "cem@example.com").await;
        assert_eq!(ask(&team, "cem@example.com").await.text, first.text);
    }

    async fn a_pending_one_is_renewed_instead_of_doubled(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let first = invite(&admin, "ann@example.com", &["read_only", "billing"]).await;
        let soon = invite(&admin, "ANN@example.com", &["admin"]).await;
        assert_eq!((&soon["outcome"], &soon["problem"]["code"]), (&json!("refused"), &json!("rate-limited")));
        app.advance(MINUTE);
        let second = invite(&admin, "ANN@example.com", &["admin", "billing"]).await;
        assert_eq!(second["outcome"], "renewed");
        for same in ["id", "user_id"] {
            assert_eq!(second["invitation"][same], first["invitation"][same]);
        }
        assert_eq!(second["invitation"]["roles"], json!(["admin", "billing"]));
        assert!(!opens(app, first["link"].as_str().unwrap()).await);
        assert!(opens(app, second["link"].as_str().unwrap()).await);
        assert_eq!(states(&admin, "").await, ["ANN@example.com pending"]);
        // The guard stands around who is to be an Admin.
        app.advance(MINUTE);
        let refused = invite(&team, "ann@example.com", &["read_only"]).await;
        assert_eq!(refused["problem"]["code"], "permission-denied");
    }

    async fn resending_makes_a_new_link_at_most_once_a_minute(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let first = invite(&admin, "ann@example.com", &["read_only"]).await;
        let path = format!("/invitations/{}/resend", id(&first["invitation"]));
        let refused = admin.post(&path, &json!({})).await;
        refused.expect_problem(429, "rate-limited");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait| (1..=61).contains(&wait)));
        app.advance(MINUTE);
        let second = send(admin.request("POST", &path)).await.expect(200);
        assert!(opens(app, second["link"].as_str().unwrap()).await && !opens(app, first["link"].as_str().unwrap()).await);
        assert_eq!((&second["email"], &second["state"]), (&json!("ann@example.com"), &json!("pending")));
        app.advance(MINUTE);
        assert_eq!(team.post(&path, &json!({})).await.expect(200)["link"], Value::Null);
        assert!(!opens(app, second["link"].as_str().unwrap()).await);
        admin.post(&path, &json!({ "x": 1 })).await.expect_problem(422, "validation-failed");
    }

    async fn an_invitation_expires_after_seven_days_and_can_be_sent_again(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let sent = invite(&admin, "ann@example.com", &["read_only"]).await;
        app.advance(7 * DAY - MINUTE);
        assert_eq!(states(&admin, "&state=pending").await, ["ann@example.com pending"]);
        app.advance(MINUTE);
        assert_eq!(states(&admin, "&state=pending").await, Vec::<String>::new());
        assert_eq!(states(&admin, "&state=expired&state=revoked").await, ["ann@example.com expired"]);
        let again = admin.post(&format!("/invitations/{}/resend", id(&sent["invitation"])), &json!({})).await.expect(200);
        assert_eq!(again["state"], "pending");
        app.advance(8 * DAY);
        assert_eq!(invite(&admin, "ann@example.com", &["billing"]).await["outcome"], "renewed");
    }

    async fn withdrawing_takes_the_person_away_and_frees_the_address(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let sent = invite(&admin, "ann@example.com", &["admin"]).await;
        let (path, user) = (format!("/invitations/{}", id(&sent["invitation"])), sent["invitation"]["user_id"].as_str().unwrap().to_owned());
        team.delete(&path).await.expect_problem(403, "permission-denied");
        let request = admin.request("DELETE", &path).header("If-Match", "W/\"9\"");
        send(request).await.expect_problem(412, "precondition-failed");
        assert_eq!(admin.delete(&path).await.status, 204);
        admin.get(&format!("/users/{user}")).await.expect_problem(404, "not-found");
        assert_eq!(states(&admin, "").await, ["ann@example.com revoked"]);
        assert!(!opens(app, sent["link"].as_str().unwrap()).await);
        admin.delete(&path).await.expect_problem(409, "invitation-not-pending");
        admin.post(&format!("{path}/resend"), &json!({})).await.expect_problem(409, "invitation-not-pending");
        assert_eq!(admin.get("/roles?key=admin").await.expect(200)["data"][0]["member_count"]["total"], 0);
        let again = invite(&admin, "ann@example.com", &["read_only"]).await;
        assert_eq!((&again["outcome"], &again["invitation"]["roles"]), (&json!("invited"), &json!(["read_only"])));
        assert_ne!(again["invitation"]["user_id"], user);
        // A directory may create whom nobody invites any more.
        assert_eq!(admin.delete(&format!("/invitations/{}", id(&again["invitation"]))).await.status, 204);
        tenant.caller.user("ann@example.com").await;
    }

    async fn deleting_the_person_withdraws_the_invitation(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let sent = invite(&admin, "ann@example.com", &["read_only"]).await;
        assert_eq!(admin.delete(&format!("/users/{}", sent["invitation"]["user_id"].as_str().unwrap())).await.status, 204);
        assert_eq!(states(&admin, "&state=pending").await, Vec::<String>::new());
        assert!(!opens(app, sent["link"].as_str().unwrap()).await);
        assert_eq!(invite(&admin, "ann@example.com", &["read_only"]).await["outcome"], "invited");
    }

    async fn a_foreign_invitation_is_answered_like_an_unknown_one(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        let sent = invite(&foreign, "ann@example.com", &["read_only"]).await;
        let group = id(&foreign.post("/groups", &json!({ "name": "Theirs" })).await.expect(201));
        for (method, path) in [("DELETE", ""), ("POST", "/resend")] {
            let ask = async |id: &str| {
                let request = admin.request(method, &format!("/invitations/{id}{path}")).header("X-Request-Id", "same");
                send(request.header("Content-Type", "application/json").body("{}")).await
            };
            let answer = ask(&id(&sent["invitation"])).await;
            answer.expect_problem(404, "not-found");
            for unknown in ["0192f3a0-0000-7000-8000-000000000000", "x"] {
                assert_eq!(ask(unknown).await.text, answer.text, "{method} {unknown}");
            }
        }
        let body = json!({ "emails": ["a@x"], "roles": ["read_only"], "groups": [group], "delivery": "link" });
        admin.post("/invitations", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(states(&admin, "").await, Vec::<String>::new());
        // The same address in two organizations is two people.
        assert_eq!(invite(&admin, "ann@example.com", &["read_only"]).await["outcome"], "invited");
        assert_eq!(states(&foreign, "").await, ["ann@example.com pending"]);
    }

    async fn two_who_invite_one_address_at_once_make_one_person(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let answers = futures_util::future::join_all((0..6).map(|_| invite(&admin, "ann@example.com", &["read_only"]))).await;
        let outcomes: Vec<_> = answers.iter().map(|r| r["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "invited").count(), 1, "{outcomes:?}");
        assert!(answers.iter().all(|r| r["outcome"] == "invited" || r["problem"]["code"] == "rate-limited"), "{answers:?}");
        assert_eq!(states(&admin, "").await, ["ann@example.com pending"]);
    }

    async fn invitations_are_filtered_and_paged(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        admin.post("/invitations", &to(&["c@x", "a@x", "b@y"], &["read_only"])).await.expect(200);
        assert_eq!(states(&admin, "&q=%40X").await, ["a@x pending", "c@x pending"]);
        admin.get("/invitations?state=open").await.expect_problem(400, "filter-invalid");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/invitations?sort=-email&limit=1&include_total=true{cursor}")).await.expect(200);
            assert_eq!(page["page"]["total"], 3);
            seen.push(page["data"][0]["email"].as_str().unwrap().to_owned());
            let Some(next) = page["page"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ["c@x", "b@y", "a@x"]);
    }
}
