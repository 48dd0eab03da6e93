//! Point 10: whatever way an organization would lose its last Admin who can sign in, it keeps them. Stale `If-Match` and
//! repeated `Idempotency-Key` are in `admin::users::deeds`, `admin::groups` and `admin::api_keys`; the own account waits for
//! people who sign in.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{activate, pushed, rows};
use crate::helpers::*;

async fn admins(admin: &Admin) -> usize {
    rows(&admin.get("/users?role=admin&status=active").await.expect(200)).len()
}

/// Has a request refused since it would leave no Admin.
async fn is_refused(admin: &Admin, method: &str, path: &str, body: Value) {
    let answer = admin.with_text(method, path, body.to_string()).await;
    if path == "/users/bulk" {
        let results = answer.expect(200);
        assert_eq!(results["results"][0]["problem"]["code"], "last-admin", "{method} {path} {body}: {results}");
    } else {
        assert_eq!(answer.status, 409, "{method} {path} {body}: {}", answer.text);
        answer.expect_problem(409, "last-admin");
    }
    assert_eq!(admins(admin).await, 1, "{method} {path} {body}");
}

on_both! {
    async fn the_last_admin_by_a_direct_role_stays(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let boss = app.local_person(&tenant, "boss@example.com").await;
        app.give(&tenant, &boss, "admin").await;
        let path = format!("/users/{boss}");
        for (method, rest, body) in [
            ("DELETE", "", json!({})),
            ("POST", "/suspend", json!({})),
            ("PUT", "/roles", json!({ "roles": ["read_only"] })),
        ] {
            is_refused(&admin, method, &format!("{path}{rest}"), body).await;
        }
        for bulk in [
            json!({ "action": "delete", "ids": [boss] }),
            json!({ "action": "suspend", "ids": [boss] }),
            json!({ "action": "remove_roles", "roles": ["admin"], "ids": [boss] }),
        ] {
            is_refused(&admin, "POST", "/users/bulk", bulk).await;
        }
    }

    async fn the_last_admin_by_a_group_stays(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let boss = app.local_person(&tenant, "boss@example.com").await;
        let inner = id(&admin.post("/groups", &json!({ "name": "Inner", "members": [boss] })).await.expect(201));
        let outer = json!({ "name": "Outer", "members": [inner], "roles": ["admin"] });
        let outer = id(&admin.post("/groups", &outer).await.expect(201));
        for (method, path) in [
            ("DELETE", format!("/users/{boss}")),
            ("DELETE", format!("/groups/{inner}")),
            ("DELETE", format!("/groups/{outer}")),
            ("DELETE", format!("/groups/{inner}/members/{boss}")),
            ("DELETE", format!("/groups/{outer}/members/{inner}")),
        ] {
            is_refused(&admin, method, &path, json!({})).await;
        }
        is_refused(&admin, "PUT", &format!("/groups/{outer}/role-mapping"), json!({ "roles": [] })).await;
        let bulk = json!({ "action": "remove_from_group", "group": inner, "ids": [boss] });
        is_refused(&admin, "POST", "/users/bulk", bulk).await;
    }

    async fn the_last_admin_by_a_directory_stays(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let connection = format!("/connections/{}", tenant.made.connection.id);
        let may = |may: bool| json!({ "scim": { "may_grant_admin": may } });
        admin.patch(&connection, &may(true)).await.expect(200);
        let boss = pushed(&tenant, "boss@dir.example", json!({ "roles": [{ "value": "admin" }] })).await;
        assert_eq!(admins(&admin).await, 1);
        is_refused(&admin, "PATCH", &connection, may(false)).await;
        is_refused(&admin, "POST", &format!("/users/{boss}/suspend"), json!({})).await;
        is_refused(&admin, "POST", &format!("{connection}/decommission"), json!({ "people": "suspend" })).await;
        is_refused(&admin, "POST", &format!("{connection}/decommission"), json!({ "people": "delete" })).await;
        let other = app.local_person(&tenant, "other@example.com").await;
        app.give(&tenant, &other, "admin").await;
        assert_eq!(admins(&admin).await, 2);
        admin.patch(&connection, &may(false)).await.expect(200);
        assert_eq!(admins(&admin).await, 1);
        admin.post(&format!("{connection}/decommission"), &json!({})).await.expect(200);
    }

    async fn the_directorys_word_on_the_last_admin_shows_there_and_waits_here(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let boss = pushed(&tenant, "boss@dir.example", json!({})).await;
        admin.put(&format!("/users/{boss}/roles"), &json!({ "roles": ["admin"] })).await.expect(200);
        let path = format!("/Users/{boss}");
        activate(&tenant, &boss, "off").await;
        assert_eq!(tenant.caller.get(&path).await.expect(200)["active"], false);
        assert_eq!(admins(&admin).await, 1);
        let told = admin.get("/audit-events?action=organization.last_admin_pending").await.expect(200);
        assert_eq!(rows(&told).len(), 1);
        activate(&tenant, &boss, "on").await;
        assert_eq!(admins(&admin).await, 1);
        assert_eq!(tenant.caller.delete(&path).await.status, 204);
        tenant.caller.get(&path).await.expect_error(404, None);
        assert_eq!(admins(&admin).await, 1);
        // Nobody lets the last one go, until there is another.
        let held = format!("/connections/{}/held-changes", tenant.made.connection.id);
        let waiting = admin.get(&held).await.expect(200);
        let ids = json!({ "ids": [rows(&waiting)[0]["id"]] });
        admin.post(&format!("{held}/release"), &ids).await.expect_problem(409, "last-admin");
        assert_eq!(admin.post(&format!("{held}/release"), &json!({})).await.expect(200)["remaining"], 1);
        let next = app.local_person(&tenant, "next@example.com").await;
        app.give(&tenant, &next, "admin").await;
        assert_eq!(admin.post(&format!("{held}/release"), &ids).await.expect(200)["remaining"], 0);
        admin.get(&format!("/users/{boss}")).await.expect_problem(404, "not-found");
        assert_eq!(admins(&admin).await, 1);
    }

    async fn of_two_admins_whom_a_directory_takes_at_once_one_stays(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        for round in 0..4 {
            let mut both = Vec::new();
            for n in 0..2 {
                let boss = pushed(&tenant, &format!("boss-{n}-{round}@dir.example"), json!({})).await;
                app.give(&tenant, &boss, "admin").await;
                both.push(boss);
            }
            let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
            let paths = both.iter().map(|boss| format!("/Users/{boss}")).collect::<Vec<_>>();
            let (first, second) = tokio::join!(tenant.caller.patch(&paths[0], &off), tenant.caller.patch(&paths[1], &off));
            assert_eq!((first.status, second.status), (200, 200));
            assert_eq!(admins(&admin).await, 1);
            app.execute("DELETE FROM role_grants").await;
            app.advance(1_000_000);
        }
    }

    async fn a_directory_that_adopts_the_last_admin_does_not_keep_them_out(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let operator = app.backoffice("operator").await;
        let domains = format!("/organizations/{}/domains", tenant.made.organization.id);
        let reason = json!({ "domain": "ours.example", "reason": "Asked for in ticket 4711." });
        operator.post(&domains, &reason).await.expect(201);
        let boss = app.local_person(&tenant, "boss@ours.example").await;
        app.give(&tenant, &boss, "admin").await;
        let off = user_with("boss@ours.example", json!({ "active": false }));
        let shown = tenant.caller.post("/Users", &off).await.expect(201);
        assert_eq!((id(&shown), &shown["active"]), (boss, &json!(false)));
        assert_eq!(admins(&admin).await, 1);
        let log = admin.get("/provisioning-log?operation=create").await.expect(200);
        assert_eq!(rows(&log)[0]["outcome"], "held", "{log}");
    }

    async fn accepting_an_adoption_keeps_the_last_admin(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let connection = format!("/connections/{}", tenant.made.connection.id);
        admin.patch(&connection, &json!({ "scim": { "adoption": "review" } })).await.expect(200);
        let boss = app.local_person(&tenant, "boss@ours.example").await;
        app.give(&tenant, &boss, "admin").await;
        // What a connection may do is known for a second at most.
        app.advance(1_000_000);
        let off = user_with("boss@ours.example", json!({ "active": false }));
        tenant.caller.post("/Users", &off).await.expect_error(409, Some("uniqueness"));
        let waiting = admin.get(&format!("{connection}/adoptions")).await.expect(200);
        let path = format!("{connection}/adoptions/{}", rows(&waiting)[0]["id"].as_str().expect("an id"));
        admin.post(&format!("{path}/accept"), &json!({})).await.expect_problem(409, "last-admin");
        assert_eq!(admins(&admin).await, 1);
        admin.post(&format!("{connection}/decommission"), &json!({ "people": "suspend" })).await.expect(200);
        admin.post(&format!("{path}/accept"), &json!({})).await.expect_problem(409, "connection-state");
    }

    async fn of_admins_who_go_at_once_in_any_way_one_survives(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        for round in 0..4 {
            let mut people = Vec::new();
            for n in 0..6 {
                let person = app.local_person(&tenant, &format!("p{n}-{round}@example.com")).await;
                app.give(&tenant, &person, "admin").await;
                people.push(person);
            }
            let ways = [
                ("DELETE", "", json!({})),
                ("POST", "/suspend", json!({})),
                ("PUT", "/roles", json!({ "roles": [] })),
            ];
            let deeds = people.iter().zip(ways.iter().cycle()).map(|(person, (method, rest, body))| {
                let (admin, path) = (admin.clone(), format!("/users/{person}{rest}"));
                async move { admin.with_text(method, &path, body.to_string()).await.status }
            });
            let mut statuses = join_all(deeds).await;
            statuses.sort_unstable();
            assert_eq!((statuses[4] < 300, statuses[5]), (true, 409), "{statuses:?}");
            assert_eq!(admins(&admin).await, 1);
            // Without any Admin the organization is not bound by the rule.
            app.execute("DELETE FROM role_grants").await;
        }
    }
}
