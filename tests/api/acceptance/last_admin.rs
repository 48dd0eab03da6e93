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

    async fn the_directorys_word_on_the_last_admin_is_taken(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let boss = pushed(&tenant, "boss@dir.example", json!({})).await;
        admin.put(&format!("/users/{boss}/roles"), &json!({ "roles": ["admin"] })).await.expect(200);
        // A pending suspension and an event that tells of it are specified and not there yet: access ends at once.
        activate(&tenant, &boss, "off").await;
        assert_eq!(admins(&admin).await, 0);
        activate(&tenant, &boss, "on").await;
        assert_eq!(admins(&admin).await, 1);
        assert_eq!(tenant.caller.delete(&format!("/Users/{boss}")).await.status, 204);
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
