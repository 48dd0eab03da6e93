//! The brake on departures: what SCIM shows, what is held, and what becomes of it.

use super::*;

/// A connection with five active people, of whom only two may leave; their ids.
async fn guarded(app: &TestApp, admin: &Admin) -> (Made, Vec<String>) {
    let made = active(app, admin, "Okta").await;
    let guard = json!({ "scim": { "guard": { "percent": 20, "minimum": 1 } } });
    admin.patch(&made.path, &guard).await.expect(200);
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(made.caller.user(&format!("p{number}")).await);
    }
    (made, people)
}

fn active_patch(active: bool) -> Value {
    patch(json!([{ "op": "replace", "path": "active", "value": active }]))
}

async fn held(admin: &Admin, path: &str) -> Vec<(String, String)> {
    let list = admin.get(&format!("{path}/held-changes")).await.expect(200);
    let row = |row: &Value| {
        (
            row["deed"].as_str().expect("a deed").to_owned(),
            row["user"]["user_name"].as_str().expect("a name").to_owned(),
        )
    };
    list["data"].as_array().expect("rows").iter().map(row).collect()
}

/// Whether the person has access here, whatever SCIM shows.
async fn has_access(app: &TestApp, user: &str) -> bool {
    let id = match app.state.db.backend() {
        rollcall::storage::Backend::Sqlite => format!("x'{}'", user.replace('-', "")),
        rollcall::storage::Backend::Postgres => format!("'{user}'"),
    };
    app.number(&format!("SELECT count(*) FROM users WHERE id = {id} AND access AND deleted IS NULL")).await == 1
}

fn member(op: &str, id: &str) -> Value {
    patch(json!([{ "op": op, "path": "members", "value": [{ "value": id }] }]))
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

on_both! {
    async fn further_departures_show_over_scim_and_wait_here(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        let caller = &made.caller;
        // 20 % of five is one: the second is over it, and the last that passes.
        caller.patch(&format!("/Users/{}", people[0]), &active_patch(false)).await.expect(200);
        caller.delete(&format!("/Users/{}", people[1])).await.expect(204);
        assert_eq!(held(&admin, &made.path).await, of(&[]));

        let shown = caller.patch(&format!("/Users/{}", people[2]), &active_patch(false)).await.expect(200);
        assert_eq!(shown["active"], false);
        caller.delete(&format!("/Users/{}", people[3])).await.expect(204);
        assert_eq!(held(&admin, &made.path).await, of(&[("deactivate", "p2"), ("delete", "p3")]));
        assert_eq!(caller.get(&format!("/Users/{}", people[2])).await.expect(200)["active"], false);
        caller.get(&format!("/Users/{}", people[3])).await.expect_error(404, None);
        caller.delete(&format!("/Users/{}", people[3])).await.expect_error(404, None);
        caller.patch(&format!("/Users/{}", people[3]), &active_patch(true)).await.expect_error(404, None);
        let list = caller.get("/Users").await.expect(200);
        assert_eq!((&list["totalResults"], list["Resources"].as_array().unwrap().len()), (&json!(3), 3));
        assert_eq!(caller.query("/Users", &[("filter", "userName eq \"p3\"")]).await.expect(200)["totalResults"], 0);
        assert!(has_access(app, &people[2]).await && has_access(app, &people[3]).await);
        assert!(!has_access(app, &people[0]).await && !has_access(app, &people[1]).await);

        // What else the directory writes of a person who is held lets nobody in or out.
        let title = patch(json!([{ "op": "add", "path": "title", "value": "Boss" }]));
        caller.patch(&format!("/Users/{}", people[2]), &title).await.expect(200);
        assert!(has_access(app, &people[2]).await);
        let alarms = "SELECT count(*) FROM events WHERE kind = 71 AND detail LIKE '%alarm%'";
        assert_eq!((app.number(alarms).await, app.number("SELECT count(*) FROM events WHERE kind = 71").await), (1, 3));
    }

    async fn whoever_is_hidden_is_no_member_over_scim_and_keeps_roles_here(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        let (caller, ben) = (&made.caller, &people[2]);
        let group = caller.group("Staff", &[ben, &people[3]]).await;
        let path = format!("/Groups/{group}");
        admin.put(&format!("/groups/{group}/role-mapping"), &json!({ "roles": ["data_admin"] })).await.expect(200);
        let own = id(&admin.post("/groups", &json!({ "name": "Own" })).await.expect(201));
        assert_eq!(send(admin.request("PUT", &format!("/groups/{own}/members/{ben}"))).await.status, 204);
        let version = caller.get(&path).await.expect(200)["meta"]["version"].clone();
        for person in &people[..3] {
            caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        assert_eq!(held(&admin, &made.path).await, of(&[("delete", "p2")]));

        let left = std::slice::from_ref(&people[3]);
        assert_eq!(caller.members(&group).await, left);
        let listed = caller.get("/Groups").await.expect(200);
        assert_eq!(listed["Resources"][0]["members"].as_array().map(Vec::len), Some(1));
        for filter in [format!("members eq \"{ben}\""), format!("members[value eq \"{ben}\"]")] {
            assert!(caller.find("/Groups", &filter).await.is_empty(), "{filter}");
        }
        assert!(caller.find("/Users", &format!("id eq \"{ben}\"")).await.is_empty());
        caller.patch(&path, &member("add", ben)).await.expect_error(400, Some("invalidValue"));
        caller.put(&path, &crate::helpers::group("Staff", &[ben, &people[3]])).await.expect_error(400, Some("invalidValue"));
        let same = caller.put(&path, &crate::helpers::group("Staff", &[&people[3]])).await.expect(200);
        assert_eq!(same["meta"]["version"], version, "the rest is what the group held");

        // Here the person is as before.
        let shown = admin.get(&format!("/users/{ben}")).await.expect(200);
        assert_eq!((&shown["status"], &shown["roles"][0]["key"]), (&json!("active"), &json!("data_admin")));
        assert_eq!(shown["managed"]["connection"]["id"], made.id);
        let listed = admin.get("/users?managed_by=external&include_total=true").await.expect(200);
        assert_eq!(listed["page"]["total"], 3);
        let members = admin.get(&format!("/groups/{group}/members")).await.expect(200);
        assert_eq!(members["data"].as_array().map(Vec::len), Some(2));
        send(admin.request("DELETE", &format!("/users/{ben}"))).await.expect_problem(403, "managed-externally");

        send(admin.request("POST", &format!("{}/held-changes/discard", made.path))).await.expect(200);
        let mut both = people[2..4].to_vec();
        both.sort();
        assert_eq!(caller.members(&group).await, both);
        assert_eq!(caller.get(&format!("/Users/{ben}")).await.expect(200)["groups"][0]["value"], group);
        assert_eq!(caller.get(&path).await.expect(200)["meta"]["version"], version);
    }

    async fn the_directory_takes_a_held_change_back(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        let caller = &made.caller;
        let group = caller.group("Sales", &[&people[3]]).await;
        for person in &people[..4] {
            caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        caller.patch(&format!("/Users/{}", people[4]), &active_patch(false)).await.expect(200);
        assert_eq!(held(&admin, &made.path).await, of(&[("delete", "p2"), ("delete", "p3"), ("deactivate", "p4")]));
        // Another one of that name is the same one.
        let again = caller.post("/Users", &user_with("P3", json!({ "title": "Back" }))).await.expect(201);
        assert_eq!((&again["id"], &again["title"], &again["userName"]), (&json!(people[3]), &json!("Back"), &json!("P3")));
        // In no group, as whoever is new.
        assert_eq!(again.get("groups"), None);
        assert_eq!(caller.members(&group).await, [""; 0]);
        caller.patch(&format!("/Groups/{group}"), &member("add", &people[3])).await.expect(200);
        assert_eq!(caller.get(&format!("/Users/{}", people[3])).await.expect(200)["groups"][0]["value"], group);
        assert_eq!(caller.get(&format!("/Users/{}", people[3])).await.expect(200)["title"], "Back");
        caller.patch(&format!("/Users/{}", people[4]), &active_patch(true)).await.expect(200);
        assert_eq!(held(&admin, &made.path).await, of(&[("delete", "p2")]));
        assert!(has_access(app, &people[3]).await && has_access(app, &people[4]).await);
        assert_eq!(caller.get("/Users?count=0").await.expect(200)["totalResults"], 2);
        // Somebody else's name is taken, held or not.
        active(app, &admin, "Entra").await.caller.post("/Users", &user("p2")).await.expect_error(409, Some("uniqueness"));
        // A person deactivated and then deleted is one held change.
        caller.patch(&format!("/Users/{}", people[3]), &active_patch(false)).await.expect(200);
        caller.delete(&format!("/Users/{}", people[3])).await.expect(204);
        assert_eq!(held(&admin, &made.path).await, of(&[("delete", "p2"), ("delete", "P3")]));
    }

    async fn held_changes_are_released_or_discarded(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        let caller = &made.caller;
        for person in &people[..4] {
            caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        caller.patch(&format!("/Users/{}", people[4]), &active_patch(false)).await.expect(200);
        let path = format!("{}/held-changes", made.path);
        let first = admin.get(&format!("{path}?limit=1&include_total=true")).await.expect(200);
        assert_eq!((first["data"].as_array().unwrap().len(), &first["page"]["total"]), (1, &json!(3)));
        let next = first["page"]["next_cursor"].as_str().expect("a cursor");
        let second = admin.get(&format!("{path}?limit=1&cursor={next}")).await.expect(200);
        assert_eq!(second["data"][0]["user"]["user_name"], "p3");
        let before = second["page"]["prev_cursor"].as_str().expect("a cursor");
        assert_eq!(admin.get(&format!("{path}?limit=1&cursor={before}")).await.expect(200)["data"], first["data"]);
        let last = admin.get(&format!("{path}?sort=-created_at&limit=1")).await.expect(200);
        assert_eq!(last["data"][0]["deed"], "deactivate");

        // Discarded: the directory sees its person again.
        let body = json!({ "ids": [first["data"][0]["id"], "nonsense"] });
        let done = admin.post(&format!("{path}/discard"), &body).await.expect(200);
        assert_eq!(done, json!({ "decided": 1, "remaining": 2 }));
        caller.get(&format!("/Users/{}", people[2])).await.expect(200);
        admin.post(&format!("{path}/discard"), &json!({ "ids": [last["data"][0]["id"]] })).await.expect(200);
        assert_eq!(caller.get(&format!("/Users/{}", people[4])).await.expect(200)["active"], true);
        assert!(has_access(app, &people[2]).await && has_access(app, &people[4]).await);

        // Released: what the directory wrote takes effect, and the window begins anew.
        caller.patch(&format!("/Users/{}", people[4]), &active_patch(false)).await.expect(200);
        let done = send(admin.request("POST", &format!("{path}/release"))).await.expect(200);
        assert_eq!(done, json!({ "decided": 2, "remaining": 0 }));
        assert!(!has_access(app, &people[3]).await && !has_access(app, &people[4]).await);
        assert_eq!(caller.get(&format!("/Users/{}", people[4])).await.expect(200)["active"], false);
        assert_eq!(caller.get("/Users?count=0").await.expect(200)["totalResults"], 2);
        caller.user("p3").await;
        caller.delete(&format!("/Users/{}", people[2])).await.expect(204);
        assert_eq!(held(&admin, &made.path).await, of(&[]));

        let reader = app.admin(&tenant, "read_only").await;
        reader.get(&path).await.expect_problem(403, "permission-denied");
        reader.post(&format!("{path}/release"), &json!({})).await.expect_problem(403, "permission-denied");
        admin.post(&format!("{path}/release"), &json!({ "ids": [] })).await.expect_problem(422, "validation-failed");
        let unknown = made.path.replace(&made.id, "01900000-0000-7000-8000-000000000000");
        admin.post(&format!("{unknown}/held-changes/release"), &json!({})).await.expect_problem(404, "not-found");
    }

    async fn a_window_ends_after_an_hour_and_who_comes_back_counts_no_more(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        let caller = &made.caller;
        for _ in 0..5 {
            for active in [false, true] {
                caller.patch(&format!("/Users/{}", people[0]), &active_patch(active)).await.expect(200);
            }
        }
        assert_eq!(held(&admin, &made.path).await, of(&[]));
        for person in &people[..3] {
            caller.patch(&format!("/Users/{person}"), &active_patch(false)).await.expect(200);
        }
        assert_eq!(held(&admin, &made.path).await, of(&[("deactivate", "p2")]));
        app.advance(3_600_000_000);
        caller.patch(&format!("/Users/{}", people[3]), &active_patch(false)).await.expect(200);
        assert!(!has_access(app, &people[3]).await);
        assert_eq!(held(&admin, &made.path).await, of(&[("deactivate", "p2")]), "who was held waits on");
    }

    async fn a_connection_is_given_up_with_its_hidden_people(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (made, people) = guarded(app, &admin).await;
        for person in &people[..4] {
            made.caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        step(&admin, &made.path, "decommission").await.expect(200);
        finished(app, &admin, &made.path).await;
        assert_eq!(held(&admin, &made.path).await, of(&[]));
        let nil = match app.state.db.backend() {
            rollcall::storage::Backend::Sqlite => format!("x'{}'", "0".repeat(32)),
            rollcall::storage::Backend::Postgres => "'00000000-0000-0000-0000-000000000000'".to_owned(),
        };
        let local = format!("SELECT count(*) FROM users WHERE connection = {nil} AND deleted IS NULL");
        assert_eq!(app.number(&local).await, 3, "the hidden ones are among those who stay");
    }
}
