//! `POST /users/bulk`.

use serde_json::{Value, json};

use super::{local, pushed};

fn outcomes(results: &Value) -> Vec<String> {
    let rows = results["results"].as_array().expect("results").iter();
    rows.map(|row| row["problem"]["code"].as_str().unwrap_or(row["outcome"].as_str().unwrap()).to_owned()).collect()
}

on_both! {
    async fn each_person_obeys_all_rules_alone_and_a_dry_run_says_the_same(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let people = [
            local(app, &tenant, "ben", "").await,
            pushed(&tenant, "Chiara", json!({})).await,
            local(app, &tenant, "boss", "admin").await,
            local(app, &tenant, "other", "admin").await,
            "nobody".to_owned(),
        ];
        let ask = |dry_run: bool| json!({ "action": "delete", "ids": people, "dry_run": dry_run });
        let expected = ["done", "managed-externally", "done", "last-admin", "not-found"];
        let rehearsed = admin.post("/users/bulk", &ask(true)).await.expect(200);
        assert_eq!(outcomes(&rehearsed), expected);
        assert_eq!((&rehearsed["done"], &rehearsed["refused"]), (&json!(2), &json!(3)));
        assert_eq!(admin.get("/users?include_total=true").await.expect(200)["page"]["total"], 4);
        assert_eq!(app.number("SELECT count(*) FROM events WHERE kind IN (3, 130)").await, 0);
        let done = admin.post("/users/bulk", &ask(false)).await.expect(200);
        assert_eq!(outcomes(&done), expected);
        assert_eq!(done["results"][1]["problem"]["resource"]["id"], people[1]);
        assert_eq!(admin.get("/users?include_total=true").await.expect(200)["page"]["total"], 2);
    }

    async fn every_action_is_done_to_many(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let people = [local(app, &tenant, "ben", "billing").await, pushed(&tenant, "Chiara", json!({})).await];
        let group = admin.post("/groups", &json!({ "name": "Here" })).await.expect(201)["id"].as_str().unwrap().to_owned();
        let ask = async |action: &str, more: Value| {
            let mut body = json!({ "action": action, "ids": people });
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            outcomes(&admin.post("/users/bulk", &body).await.expect(200))
        };
        let total = async |query: &str| {
            admin.get(&format!("/users?include_total=true&{query}")).await.expect(200)["page"]["total"].clone()
        };
        assert_eq!(ask("suspend", json!({ "reason": "audit" })).await, ["done", "done"]);
        assert_eq!(ask("suspend", json!({})).await, ["user-state", "user-state"]);
        assert_eq!(total("status=suspended").await, 2);
        assert_eq!(ask("unsuspend", json!({})).await, ["done", "done"]);
        assert_eq!(ask("add_roles", json!({ "roles": ["read_only"] })).await, ["done", "done"]);
        assert_eq!((total("role=read_only").await, total("role=billing").await), (json!(2), json!(1)));
        assert_eq!(ask("remove_roles", json!({ "roles": ["read_only", "billing"] })).await, ["done", "done"]);
        assert_eq!(total("role_source=direct").await, 0);
        assert_eq!(ask("add_to_group", json!({ "group": group })).await, ["done", "done"]);
        assert_eq!(total(&format!("group={group}")).await, 2);
        assert_eq!(ask("remove_from_group", json!({ "group": group })).await, ["done", "done"]);
        assert_eq!(ask("remove_from_group", json!({ "group": group, "dry_run": true })).await, ["not-found", "not-found"]);
        let managed = tenant.caller.group("Theirs", &[]).await;
        let body = json!({ "action": "add_to_group", "ids": people, "group": managed });
        admin.post("/users/bulk", &body).await.expect_problem(403, "managed-externally");
    }

    async fn a_body_is_taken_strictly(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let id = local(app, &tenant, "ben", "").await;
        let many: Vec<&str> = vec![&id; 201];
        for body in [
            json!([]),
            json!({ "action": "erase", "ids": [id] }),
            json!({ "action": ["delete"], "ids": [id] }),
            json!({ "action": "delete", "ids": [] }),
            json!({ "action": "delete", "ids": id }),
            json!({ "action": "delete", "ids": many }),
            json!({ "action": "delete", "ids": [id], "roles": ["admin"] }),
            json!({ "action": "delete", "ids": [id], "dry_run": "true" }),
            json!({ "action": "add_roles", "ids": [id] }),
            json!({ "action": "add_roles", "ids": [id], "roles": ["owner"] }),
            json!({ "action": "add_to_group", "ids": [id], "group": "x" }),
            json!({ "action": "suspend", "ids": [id], "reason": "x".repeat(501) }),
        ] {
            admin.post("/users/bulk", &body).await.expect_problem(422, "validation-failed");
        }
        let body = json!({ "action": "delete", "ids": [id] });
        assert_eq!(team.post("/users/bulk", &body).await.expect_problem(403, "permission-denied")["permission"], "users.delete");
        assert_eq!(admin.get(&format!("/users/{id}")).await.expect(200)["status"], "active");
    }
}
