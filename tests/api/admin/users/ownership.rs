//! The ownership matrix over HTTP: what a directory manages, nobody of the organization deletes or edits.

use serde_json::{Value, json};

use super::{local, names, pushed, refused_events};
use crate::helpers::*;

on_both! {
    async fn nobody_of_the_organization_deletes_whom_a_directory_manages(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = pushed(&tenant, "Chiara Rossi", json!({})).await;
        let path = format!("/users/{id}");
        let before = tenant.caller.get(&format!("/Users/{id}")).await;
        let problem = admin.delete(&path).await.expect_problem(403, "managed-externally");
        let connection = &tenant.made.connection;
        assert_eq!(
            (&problem["action"], &problem["resource"]),
            (&json!("user.delete"), &json!({ "type": "user", "id": id }))
        );
        assert_eq!(
            problem["connection"],
            json!({ "id": connection.id.to_string(), "name": connection.name, "provider": connection.provider })
        );
        assert_eq!(problem["locked_fields"], json!(["email", "user_name", "name", "phone", "title", "department"]));
        assert_eq!(
            problem["detail"],
            format!(
                "Chiara Rossi is managed by {}. Remove or deactivate this user there; the change arrives here by itself. If that \
                 is not possible, ask the operator of this service.",
                connection.name
            )
        );
        let bulk = json!({ "action": "delete", "ids": [&id] });
        let results = admin.post("/users/bulk", &bulk).await.expect(200);
        assert_eq!((&results["done"], &results["results"][0]["problem"]["code"]), (&json!(0), &json!("managed-externally")));
        assert_eq!(refused_events(app).await, 2);
        let after = tenant.caller.get(&format!("/Users/{id}")).await;
        assert_eq!((&after.text, after.header("etag")), (&before.text, before.header("etag")));
        // The directory's own word is another thing.
        assert_eq!(tenant.caller.delete(&format!("/Users/{id}")).await.status, 204);
        admin.delete(&path).await.expect_problem(404, "not-found");
        assert_eq!(names(&admin.get("/users").await.expect(200)), Vec::<&str>::new());
    }

    async fn locked_fields_are_refused_and_preferences_are_not(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = pushed(&tenant, "Ann", json!({})).await;
        let path = format!("/users/{id}");
        let tag = tenant.caller.get(&format!("/Users/{id}")).await.header("etag").to_owned();
        for locked in [
            json!({ "email": "a@x.example" }), json!({ "user_name": "a" }), json!({ "name": { "given": "A" } }),
            json!({ "phone": null }), json!({ "title": "T" }), json!({ "department": "D" }), json!({ "email": 7, "nmae": 1 }),
        ] {
            let problem = admin.patch(&path, &locked).await.expect_problem(403, "managed-externally");
            assert_eq!(problem["action"], "user.update");
        }
        let patch = json!({ "locale": "it-IT", "time_zone": "Europe/Rome", "notes": "on leave" });
        let changed = admin.patch(&path, &patch).await.expect(200);
        assert_eq!((&changed["locale"], &changed["notes"]), (&json!("it-IT"), &json!("on leave")));
        assert_eq!(changed["managed"]["by"], "external");
        assert_eq!(tenant.caller.get(&format!("/Users/{id}")).await.header("etag"), tag);
        let cleared = admin.patch(&path, &json!({ "notes": null })).await.expect(200);
        assert_eq!((&cleared["notes"], &cleared["locale"]), (&Value::Null, &json!("it-IT")));
    }

    async fn a_hold_is_its_own_bit_that_no_directory_sees_or_lifts(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = pushed(&tenant, "Ann", json!({})).await;
        let (path, scim) = (format!("/users/{id}"), format!("/Users/{id}"));
        let before = tenant.caller.get(&scim).await;
        let held = admin.post(&format!("{path}/suspend"), &json!({ "reason": "lost phone" })).await.expect(200);
        assert_eq!((&held["status"], &held["suspension"]["by"]), (&json!("suspended"), &json!("admin")));
        assert_eq!(held["suspension"]["reason"], "lost phone");
        let after = tenant.caller.get(&scim).await;
        assert_eq!((&after.text, after.header("etag")), (&before.text, before.header("etag")));
        for active in [false, true] {
            let body = patch(json!([{ "op": "replace", "path": "active", "value": active }]));
            tenant.caller.patch(&scim, &body).await.expect(200);
            assert_eq!(admin.get(&path).await.expect(200)["suspension"]["by"], "admin");
        }
        tenant.caller.patch(&scim, &patch(json!([{ "op": "replace", "path": "active", "value": false }]))).await.expect(200);
        // Without the hold, the directory's word remains; that is not for the organization to lift.
        let lifted = admin.post(&format!("{path}/unsuspend"), &json!({})).await.expect(200);
        assert_eq!((&lifted["status"], &lifted["suspension"]["by"]), (&json!("suspended"), &json!("directory")));
        admin.post(&format!("{path}/unsuspend"), &json!({})).await.expect_problem(403, "managed-externally");
        tenant.caller.patch(&scim, &patch(json!([{ "op": "replace", "path": "active", "value": true }]))).await.expect(200);
        assert_eq!(admin.get(&path).await.expect(200)["status"], "active");
        admin.post(&format!("{path}/unsuspend"), &json!({})).await.expect_problem(409, "user-state");
    }

    async fn roles_of_managed_people_can_be_the_directorys_alone(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (id, here) = (pushed(&tenant, "Ann", json!({})).await, local(app, &tenant, "Ben", "").await);
        let body = json!({ "roles": ["billing"] });
        admin.put(&format!("/users/{id}/roles"), &body).await.expect(200);
        app.execute("UPDATE organizations SET settings = '{\"roles_for_managed_users\":\"directory_only\"}'").await;
        let problem = admin.put(&format!("/users/{id}/roles"), &json!({ "roles": [] })).await;
        assert_eq!(problem.expect_problem(403, "managed-externally")["action"], "user.update_roles");
        admin.put(&format!("/users/{here}/roles"), &body).await.expect(200);
        let group = admin.post("/groups", &json!({ "name": "Here" })).await.expect(201);
        let member = format!("/groups/{}/members", group["id"].as_str().unwrap());
        send(admin.request("PUT", &format!("{member}/{id}"))).await.expect_problem(403, "managed-externally");
        assert_eq!(send(admin.request("PUT", &format!("{member}/{here}"))).await.status, 204);
    }

    async fn release_is_there_where_the_operator_switched_it_on(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let roles = json!({ "roles": [{ "value": "read_only" }] });
        let id = pushed(&tenant, "Ann", roles).await;
        let group = tenant.caller.group("Sales", &[&id]).await;
        let path = format!("/users/{id}");
        let release = format!("{path}/release");
        admin.post(&release, &json!({})).await.expect_problem(404, "not-found");
        app.execute("UPDATE organizations SET features = '{\"tenant_release\":true}'").await;
        admin.post(&release, &json!({})).await.expect_problem(403, "managed-externally");
        let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
        tenant.caller.patch(&format!("/Users/{id}"), &off).await.expect(200);
        let released = admin.post(&release, &json!({})).await.expect(200);
        assert_eq!((&released["managed"]["by"], &released["status"]), (&json!("local"), &json!("suspended")));
        assert_eq!((&released["roles"], &released["groups"]), (&json!([]), &json!([])));
        assert_eq!(released["suspension"]["by"], "admin");
        // The directory counts the person no more; by name, as a create would, it finds whom it would get again.
        assert_eq!(tenant.caller.get("/Users?count=0").await.expect(200)["totalResults"], 0);
        assert_eq!(tenant.caller.get(&format!("/Users/{id}")).await.status, 200);
        assert_eq!(tenant.caller.members(&group).await, Vec::<String>::new());
        admin.post(&release, &json!({})).await.expect_problem(409, "user-state");
        admin.post(&format!("{path}/unsuspend"), &json!({})).await.expect(200);
        assert_eq!(admin.get("/users?managed_by=local&status=active&include_total=true").await.expect(200)["page"]["total"], 1);
        assert_eq!(admin.delete(&path).await.status, 204);
    }

    async fn people_of_a_connection_that_is_only_watched_are_not_shown(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let id = pushed(&tenant, "Ann", json!({})).await;
        for (state, shown) in [("observe", false), ("setup", false), ("paused", true), ("active", true)] {
            app.execute(&format!("UPDATE connections SET state = '{state}'")).await;
            let listed = admin.get("/users?include_total=true").await.expect(200);
            assert_eq!((names(&listed).len(), &listed["page"]["total"]), (usize::from(shown), &json!(i32::from(shown))));
            assert_eq!(admin.get(&format!("/users/{id}")).await.status, if shown { 200 } else { 404 }, "{state}");
            let status = admin.post(&format!("/users/{id}/suspend"), &json!({})).await.status;
            assert_eq!(status, if shown { 200 } else { 404 }, "{state}");
            app.execute("UPDATE users SET suspension = NULL").await;
        }
        app.execute("UPDATE connections SET state = 'decommissioned'").await;
        assert_eq!(admin.get(&format!("/users/{id}")).await.expect(200)["managed"]["by"], "local");
        assert_eq!(admin.delete(&format!("/users/{id}")).await.status, 204);
    }
}
