//! What is done to one person: profile, roles, hold, deletion, and the order of the checks.

use serde_json::{Value, json};

use super::{grant, local, pushed};
use crate::helpers::*;
use rollcall::domain::ids::ResourceId;

const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";

/// What is asked of each route with an id: method, rest of the path, body.
fn routes() -> [(&'static str, &'static str, Value); 7] {
    [
        ("GET", "", json!({})),
        ("PATCH", "", json!({ "notes": "x" })),
        ("DELETE", "", json!({})),
        ("PUT", "/roles", json!({ "roles": [] })),
        ("POST", "/suspend", json!({})),
        ("POST", "/unsuspend", json!({})),
        ("POST", "/release", json!({})),
    ]
}

on_both! {
    async fn a_local_person_is_read_edited_and_deleted(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = local(app, &tenant, "ben", "data_admin").await;
        let path = format!("/users/{id}");
        let read = admin.get(&path).await;
        let body = read.expect(200);
        assert_eq!(body["roles"], json!([{ "key": "data_admin", "source": "direct", "via": null }]));
        assert_eq!(
            body["managed"],
            json!({
                "by": "local", "label": "Invited", "connection": null, "external_id": null, "since": null,
                "last_synced_at": null, "locked_fields": [],
            })
        );
        assert_eq!((&body["mfa"], &body["sessions"], &body["last_active_at"]), (&json!("off"), &json!(0), &Value::Null));
        assert_eq!(body["allowed_actions"], json!(["update", "update_roles", "suspend", "delete"]));
        let patch = json!({ "email": "Ben@new.example", "name": { "given": "Ben", "family": "Stone" }, "title": "Clerk" });
        let request = admin.request("PATCH", &path).header("If-Match", read.header("etag"));
        let answer = send(request.header("Content-Type", "application/merge-patch+json").body(patch.to_string())).await;
        let changed = answer.expect(200);
        assert_ne!(answer.header("etag"), read.header("etag"));
        // The user name was the address.
        assert_eq!((&changed["email"], &changed["user_name"]), (&json!("Ben@new.example"), &json!("Ben@new.example")));
        assert_eq!(changed["name"], json!({ "given": "Ben", "family": "Stone", "display": "ben" }));
        let unmodified = send(admin.request("GET", &path).header("If-None-Match", answer.header("etag"))).await;
        assert_eq!(unmodified.status, 304);
        assert_eq!(admin.patch(&path, &json!({ "name": null, "title": null })).await.expect(200)["name"]["given"], Value::Null);
        assert_eq!(admin.delete(&path).await.status, 204);
        admin.get(&path).await.expect_problem(404, "not-found");
        assert_eq!(app.number("SELECT count(*) FROM tombstones WHERE mode = 'delete' AND email_hash IS NOT NULL").await, 1);
        assert_eq!(app.number("SELECT count(*) FROM role_grants").await, 0);
        // The address is free again, and another person gets another id.
        assert_ne!(local(app, &tenant, "ben", "").await, id);
    }

    async fn an_address_belongs_to_one_person(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (ben, _) = (local(app, &tenant, "ben", "").await, local(app, &tenant, "Ann", "").await);
        pushed(&tenant, "Chiara", json!({ "emails": [{ "value": "c@mail.example" }] })).await;
        for taken in ["ANN@local.example", "C@mail.example", "chiara@dir.example"] {
            let answer = admin.patch(&format!("/users/{ben}"), &json!({ "email": taken })).await;
            answer.expect_problem(409, "email-taken");
        }
        let answer = admin.patch(&format!("/users/{ben}"), &json!({ "user_name": "Chiara@dir.example" })).await;
        answer.expect_problem(409, "email-taken");
        let body = json!({ "email": "x", "user_name": " a", "name": { "given": 7, "midle": "" }, "notes": ["x"], "nmae": 1 });
        let problem = admin.patch(&format!("/users/{ben}"), &body).await.expect_problem(422, "validation-failed");
        let pointers: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/name/midle", "/name/given", "/notes", "/nmae"]);
        let wrong = json!({ "user_name": " a" });
        admin.patch(&format!("/users/{ben}"), &wrong).await.expect_problem(422, "validation-failed");
        assert_eq!(admin.get(&format!("/users/{ben}")).await.expect(200)["user_name"], "ben@local.example");
    }

    async fn only_an_admin_gives_admin_or_touches_one(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let (boss, other) = (local(app, &tenant, "boss", "admin").await, local(app, &tenant, "other", "admin").await);
        let ben = local(app, &tenant, "ben", "").await;
        let roles = |id: &str| format!("/users/{id}/roles");
        team.put(&roles(&ben), &json!({ "roles": ["admin"] })).await.expect_problem(403, "permission-denied");
        team.put(&roles(&ben), &json!({ "roles": ["billing", "read_only"] })).await.expect(200);
        for (method, rest, body) in [("PATCH", "", "{\"notes\":\"x\"}"), ("POST", "/suspend", "{}"), ("PUT", "/roles", "{\"roles\":[]}")] {
            let answer = team.with_text(method, &format!("/users/{boss}{rest}"), body).await;
            assert_eq!(answer.expect_problem(403, "permission-denied")["role"], "admin");
        }
        assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 130 AND problem = 'permission-denied'").await, 4);
        let given = admin.put(&roles(&ben), &json!({ "roles": ["admin"] })).await.expect(200);
        assert_eq!(given["roles"][0]["key"], "admin");
        admin.put(&roles(&ben), &json!({ "roles": ["owner"] })).await.expect_problem(422, "validation-failed");
        // Three Admins: two may go, the last one stays.
        assert_eq!(admin.delete(&format!("/users/{ben}")).await.status, 204);
        admin.post(&format!("/users/{other}/suspend"), &json!({})).await.expect(200);
        admin.put(&roles(&boss), &json!({ "roles": [] })).await.expect_problem(409, "last-admin");
        admin.post(&format!("/users/{boss}/suspend"), &json!({})).await.expect_problem(409, "last-admin");
        admin.delete(&format!("/users/{boss}")).await.expect_problem(409, "last-admin");
        let bulk = json!({ "action": "remove_roles", "ids": [&boss], "roles": ["admin"] });
        let results = admin.post("/users/bulk", &bulk).await.expect(200);
        assert_eq!(results["results"][0]["problem"]["code"], "last-admin");
        assert_eq!(admin.get(&format!("/users/{boss}")).await.expect(200)["allowed_actions"], json!(["update", "update_roles"]));
    }

    async fn of_two_admins_who_are_deleted_at_once_one_survives(app: &TestApp) {
        let tenant = app.tenant().await;
        let (one, two) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "admin").await);
        for round in 0..5 {
            let a = local(app, &tenant, &format!("a{round}"), "admin").await;
            let b = local(app, &tenant, &format!("b{round}"), "admin").await;
            let (path_a, path_b) = (format!("/users/{a}"), format!("/users/{b}"));
            let answers = futures_util::future::join(one.delete(&path_a), two.delete(&path_b)).await;
            let statuses = [answers.0.status, answers.1.status];
            assert!(statuses.contains(&204) && statuses.contains(&409), "{statuses:?}");
            let listed = one.get("/users?role=admin&status=active&include_total=true").await.expect(200);
            assert_eq!(listed["page"]["total"], 1);
            // Without any Admin the organization is not bound by the rule.
            app.execute("DELETE FROM role_grants").await;
        }
    }

    async fn checks_come_in_their_order(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, reader) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "read_only").await);
        let (id, here) = (pushed(&tenant, "Ann", json!({})).await, local(app, &tenant, "boss", "admin").await);
        let stale = |method: &'static str, path: String, body: Value| {
            let request = admin.request(method, &path).header("If-Match", "W/\"99\"");
            send(request.header("Content-Type", "application/json").body(body.to_string()))
        };
        for (method, rest, body) in routes() {
            if method == "GET" || rest == "/release" {
                continue;
            }
            let wrong = json!({ "nmae": 1 });
            let denied = reader.with_text(method, &format!("/users/{UNKNOWN}{rest}"), wrong.to_string()).await;
            denied.expect_problem(403, "permission-denied");
            stale(method, format!("/users/{UNKNOWN}{rest}"), wrong.clone()).await.expect_problem(404, "not-found");
            stale(method, format!("/users/{id}{rest}"), wrong.clone()).await.expect_problem(412, "precondition-failed");
            stale(method, format!("/users/{here}{rest}"), body).await.expect_problem(412, "precondition-failed");
            if method != "DELETE" {
                let answer = admin.with_text(method, &format!("/users/{here}{rest}"), wrong.to_string()).await;
                answer.expect_problem(422, "validation-failed");
            }
        }
        // 403 for what the directory manages before 422 for the body, and both before 409.
        let body = json!({ "email": 1, "nmae": 2 });
        admin.patch(&format!("/users/{id}"), &body).await.expect_problem(403, "managed-externally");
        admin.post(&format!("/users/{here}/suspend"), &json!({ "reason": 1 })).await.expect_problem(422, "validation-failed");
        admin.post(&format!("/users/{here}/suspend"), &json!({})).await.expect_problem(409, "last-admin");
        let long = json!({ "reason": "x".repeat(501) });
        let ben = local(app, &tenant, "ben", "").await;
        admin.post(&format!("/users/{ben}/suspend"), &long).await.expect_problem(422, "validation-failed");
    }

    async fn a_foreign_id_is_answered_like_an_unknown_one(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        app.execute("UPDATE organizations SET features = '{\"tenant_release\":true}'").await;
        let admin = app.admin(&one, "admin").await;
        let (here, there) = (local(app, &other, "ben", "").await, pushed(&other, "Ann", json!({})).await);
        for (method, rest, body) in routes() {
            let ask = async |id: &str| {
                let request = admin.request(method, &format!("/users/{id}{rest}")).header("X-Request-Id", "same");
                send(request.header("Content-Type", "application/json").body(body.to_string())).await
            };
            let unknown = ask(UNKNOWN).await;
            unknown.expect_problem(404, "not-found");
            for foreign in [&here, &there, "x", "me"] {
                assert_eq!(ask(foreign).await.text, unknown.text, "{method} {rest} {foreign}");
            }
        }
        let bulk = async |id: &str| {
            let body = json!({ "action": "suspend", "ids": [id] });
            let request = admin.request("POST", "/users/bulk").header("X-Request-Id", "same").body(body.to_string());
            send(request.header("Content-Type", "application/json")).await.text.replace(id, "ID")
        };
        assert_eq!(bulk(&here).await, bulk(UNKNOWN).await);
        for filter in ["group", "connection"] {
            let foreign = other.made.connection.id.to_string();
            let ask = async |id: &str| admin.get(&format!("/users?{filter}={id}")).await.expect(200);
            assert_eq!(ask(&foreign).await, ask(UNKNOWN).await);
        }
        assert_eq!(app.number("SELECT count(*) FROM users WHERE suspension IS NOT NULL OR deleted IS NOT NULL").await, 0);
        assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 130").await, 0);
    }

    async fn roles_are_shown_with_their_sources(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = pushed(&tenant, "Ann", json!({ "roles": [{ "value": "Read Only" }, { "value": "admin" }] })).await;
        grant(app, &tenant, ResourceId::parse(&id).unwrap(), "billing").await;
        let group = tenant.caller.group("Sales", &[&id]).await;
        admin.put(&format!("/groups/{group}/role-mapping"), &json!({ "roles": ["data_admin"] })).await.expect(200);
        let read = admin.get(&format!("/users/{id}")).await.expect(200);
        assert_eq!(
            read["roles"],
            json!([
                { "key": "data_admin", "source": "group", "via": { "group_id": group, "name": "Sales" } },
                { "key": "read_only", "source": "directory", "via": null },
                { "key": "billing", "source": "direct", "via": null },
            ])
        );
        assert_eq!(read["groups"], json!([{ "id": group, "name": "Sales", "managed_by": "external" }]));
        assert_eq!(read["managed"]["external_id"], "x-Ann");
        assert_eq!(read["mfa"], "at_identity_provider");
    }
}
