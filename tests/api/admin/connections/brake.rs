//! When the brake holds, what the log says of it, and what operators do about it.

use super::*;

const REASON: &str = "Asked for in ticket 4711.";

async fn people(made: &Made, count: usize) -> Vec<String> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(made.caller.user(&format!("p{number}")).await);
    }
    people
}

fn deactivation() -> Value {
    patch(json!([{ "op": "replace", "path": "active", "value": false }]))
}

fn names(page: &Value) -> Vec<&str> {
    page["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["user"]["user_name"].as_str().expect("a name"))
        .collect()
}

async fn guard(admin: &Admin, made: &Made, percent: u32, minimum: u32) {
    let guard = json!({ "scim": { "guard": { "percent": percent, "minimum": minimum } } });
    let body = admin.patch(&made.path, &guard).await.expect(200);
    assert_eq!(body["scim"]["guard"], json!({ "percent": percent, "minimum": minimum }));
}

on_both! {
    async fn without_settings_ten_of_twelve_pass_and_the_eleventh_is_held(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let people = people(&made, 12).await;
        for person in &people[..10] {
            made.caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        let path = format!("{}/held-changes", made.path);
        assert_eq!(names(&admin.get(&path).await.expect(200)), [""; 0]);
        made.caller.delete(&format!("/Users/{}", people[10])).await.expect(204);
        assert_eq!(names(&admin.get(&path).await.expect(200)), ["p10"]);
        assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 71").await, 2, "the change and the alarm");
    }

    async fn each_connection_has_a_window_and_thresholds_of_its_own(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (strict, loose) = (active(app, &admin, "Okta").await, active(app, &admin, "Entra").await);
        guard(&admin, &strict, 50, 1).await;
        guard(&admin, &loose, 100, 1).await;
        let ids = people(&strict, 4).await;
        let mut others = Vec::new();
        for number in 0..4 {
            others.push(loose.caller.user(&format!("q{number}")).await);
        }
        for other in &others {
            loose.caller.delete(&format!("/Users/{other}")).await.expect(204);
        }
        // Half of four are two; the third is more than that.
        for id in &ids {
            strict.caller.patch(&format!("/Users/{id}"), &deactivation()).await.expect(200);
        }
        assert_eq!(names(&admin.get(&format!("{}/held-changes", strict.path)).await.expect(200)), ["p3"]);
        assert_eq!(names(&admin.get(&format!("{}/held-changes", loose.path)).await.expect(200)), [""; 0]);
    }

    async fn staged_people_leave_freely(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        guard(&admin, &made, 1, 1).await;
        for person in people(&made, 3).await {
            made.caller.delete(&format!("/Users/{person}")).await.expect(204);
        }
        assert_eq!(names(&admin.get(&format!("{}/held-changes", made.path)).await.expect(200)), [""; 0]);
        assert_eq!(app.number("SELECT count(*) FROM brake_windows").await, 0);
    }

    async fn the_log_explains_a_held_change_and_a_replay_changes_nothing(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        guard(&admin, &made, 1, 1).await;
        let ids = people(&made, 3).await;
        let replay = async |query: &str| {
            let page = admin.get(&format!("/provisioning-log?{query}")).await.expect(200);
            let entry = page["data"][0]["id"].as_str().expect("an entry").to_owned();
            admin.post(&format!("/provisioning-log/{entry}/replay"), &json!({})).await.expect(200)
        };
        made.caller.delete(&format!("/Users/{}", ids[0])).await.expect(204);
        made.caller.patch(&format!("/Users/{}", ids[1]), &deactivation()).await.expect(200);
        made.caller.delete(&format!("/Users/{}", ids[2])).await.expect(204);
        let page = admin.get("/provisioning-log?outcome=held&sort=at").await.expect(200);
        let told = |row: &Value| (row["operation"].clone(), row["subject"].clone());
        let told: Vec<_> = page["data"].as_array().expect("rows").iter().map(told).collect();
        assert_eq!(told, [(json!("deactivate"), json!("p1")), (json!("delete"), json!("p2"))]);
        assert!(page["data"][1]["explanation"].as_str().is_some_and(|text| text.starts_with("Held: ")));

        let before = app.dump().await;
        let again = replay("operation=create&subject=p2").await;
        assert_eq!((&again["status"], &again["outcome"]), (&json!(201), &json!("applied")));
        assert_eq!(replay("operation=delete&subject=p2").await["status"], 404);
        assert_eq!(app.dump().await, before);
        made.caller.post("/Users", &user("p2")).await.expect(201);
        let before = app.dump().await;
        for _ in 0..2 {
            let again = replay("operation=delete&subject=p2").await;
            assert_eq!((&again["status"], &again["outcome"]), (&json!(204), &json!("held")));
        }
        // The entry of the create itself was not written yet.
        let changed: Vec<_> = app.dump().await.into_iter().filter(|row| !before.contains(row)).collect();
        let of_log = |row: &String| row.contains("provisioning_") || row.contains("connection_health");
        assert!(changed.iter().all(of_log), "{changed:?}");
        let path = format!("{}/held-changes", made.path);
        assert_eq!(names(&admin.get(&path).await.expect(200)), ["p1"]);
    }

    async fn somebody_made_again_inactive_stays_held(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        guard(&admin, &made, 1, 1).await;
        let ids = people(&made, 2).await;
        for id in &ids {
            made.caller.delete(&format!("/Users/{id}")).await.expect(204);
        }
        let again = made.caller.post("/Users", &user_with("p1", json!({ "active": false }))).await.expect(201);
        assert_eq!((&again["id"], &again["active"]), (&json!(ids[1]), &json!(false)));
        let path = format!("{}/held-changes", made.path);
        assert_eq!(admin.get(&path).await.expect(200)["data"][0]["deed"], "deactivate");
        assert_eq!(admin.get(&format!("/users/{}", ids[1])).await.expect(200)["status"], "active");
        send(admin.request("POST", &format!("{path}/release"))).await.expect(200);
        assert_ne!(admin.get(&format!("/users/{}", ids[1])).await.expect(200)["status"], "active");
    }

    async fn an_operator_decides_on_held_changes_and_deletes_whoever_waits(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let made = active(app, &admin, "Okta").await;
        guard(&admin, &made, 1, 1).await;
        let ids = people(&made, 5).await;
        for id in &ids {
            made.caller.delete(&format!("/Users/{id}")).await.expect(204);
        }
        let (operator, support) = (app.backoffice("operator").await, app.backoffice("support").await);
        let path = format!("/connections/{}/held-changes", made.id);
        let page = support.get(&path).await.expect(200);
        assert_eq!(names(&page), ["p1", "p2", "p3", "p4"]);
        support.post(&format!("{path}/release"), &json!({ "reason": REASON })).await.expect_problem(403, "permission-denied");
        operator.post(&format!("{path}/release"), &json!({})).await.expect_problem(422, "validation-failed");
        let one = json!({ "ids": [page["data"][0]["id"]], "reason": REASON });
        let done = operator.post(&format!("{path}/discard"), &one).await.expect(200);
        assert_eq!(done, json!({ "decided": 1, "remaining": 3 }));
        made.caller.get(&format!("/Users/{}", ids[1])).await.expect(200);

        let organization = format!("/organizations/{}", tenant.made.organization.id);
        operator.get(&format!("{organization}/users/{}", ids[2])).await.expect(200);
        let delete = format!("{organization}/users/{}?mode=remove&reason=Asked%20for%20in%20ticket%204711.", ids[2]);
        let gone = send(operator.request("DELETE", &delete)).await.expect(200);
        assert!(gone["next_sync_effect"].as_str().is_some_and(|text| text.contains("Okta")));
        operator.post(&format!("{organization}/users/{}/release", ids[3]), &json!({ "reason": REASON })).await.expect(200);
        assert_eq!(names(&support.get(&path).await.expect(200)), ["p4"]);
        let local = admin.get(&format!("/users/{}", ids[3])).await.expect(200);
        assert_eq!((&local["status"], &local["managed"]["connection"]), (&json!("suspended"), &Value::Null));

        let done = operator.post(&format!("{path}/release"), &json!({ "reason": REASON })).await.expect(200);
        assert_eq!(done, json!({ "decided": 1, "remaining": 0 }));
        admin.get(&format!("/users/{}", ids[4])).await.expect_problem(404, "not-found");
        let told = admin.get("/audit-events?action=provisioning.released").await.expect(200);
        assert_eq!(told["data"][0]["reason"], REASON);
        let unknown = path.replace(&made.id, "0192f3a0-0000-7000-8000-000000000000");
        operator.post(&format!("{unknown}/release"), &json!({ "reason": REASON })).await.expect_problem(404, "not-found");
    }
}
