//! `/users/{id}/export`: everything that is stored about one person, and nothing about others.

use rollcall::storage::Backend;
use serde_json::{Value, json};

const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";

fn actions(export: &Value) -> Vec<&str> {
    export["events"].as_array().expect("events").iter().map(|event| event["action"].as_str().expect("a name")).collect()
}

on_both! {
    async fn everything_about_a_person_is_one_document(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let anna = tenant.caller.user("anna").await;
        let ben = tenant.caller.user("ben").await;
        let group = tenant.caller.group("Sales", &[&anna, &ben]).await;
        let role = |roles: &str| json!({ "roles": [roles] }).to_string();
        admin.with_text("PUT", &format!("/users/{anna}/roles"), role("billing")).await.expect(200);
        admin.with_text("PUT", &format!("/groups/{group}/role-mapping"), role("read_only")).await.expect(200);
        let hash = if app.state.db.backend() == Backend::Sqlite { "x'07'" } else { "'\\x07'::bytea" };
        app.execute(&format!(
            "INSERT INTO invitations (organization, id, user_id, email, email_key, hash, delivery, message, state, \
             expires_at, sent_at, created, created_by, version) SELECT organization, id, id, 'anna@example.com', \
             'anna@example.com', {hash}, 'link', 'Hi', 'accepted', 2, 1, 1, 'operator:x', 1 FROM users WHERE user_name = 'anna'"
        ))
        .await;
        app.state.provisioning_log.flush().await;

        let answer = admin.get(&format!("/users/{anna}/export")).await;
        let export = answer.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"user-{anna}.json\""));
        assert_eq!(export["organization"], tenant.made.organization.id.to_string());
        assert_eq!((&export["user"]["id"], &export["user"]["user_name"]), (&json!(anna), &"anna".into()));
        assert_eq!((&export["scim"]["userName"], &export["scim"]["id"]), (&"anna".into(), &json!(anna)));
        assert_eq!(export["scim"]["meta"]["resourceType"], "User");
        let sources: Vec<_> = export["roles"].as_array().expect("roles").iter().map(|r| (&r["key"], &r["source"])).collect();
        assert_eq!(sources.len(), 2);
        assert!(sources.contains(&(&"billing".into(), &"direct".into())));
        assert!(sources.contains(&(&"read_only".into(), &"group".into())));
        assert_eq!(export["groups"], json!([{ "id": group, "name": "Sales" }]));
        let invitation = &export["invitations"][0];
        assert_eq!((&invitation["email"], &invitation["created_by"]), (&"anna@example.com".into(), &"operator".into()));
        assert!(invitation.get("hash").is_none());
        assert_eq!(export["sub_accounts"], json!([]));
        assert_eq!(actions(&export), ["user.created", "user.roles_changed", "user.exported"]);
        let log = export["provisioning_log"].as_array().expect("a log");
        assert_eq!(log.len(), 1);
        assert_eq!((&log[0]["operation"], &log[0]["outcome"]), (&"create".into(), &"applied".into()));
        assert_eq!(log[0]["request_body"]["userName"], "anna");
        for foreign in ["ben", &ben] {
            assert!(!answer.text.contains(foreign), "{}", answer.text);
        }
    }

    async fn it_is_for_who_may_read_the_logs(app: &TestApp) {
        let tenant = app.tenant().await;
        let anna = tenant.caller.user("anna").await;
        for (role, missing) in [
            ("admin", None),
            ("read_only", None),
            ("data_admin", Some("audit.read")),
            ("team_management", Some("audit.read")),
            ("sub_accounts", Some("users.read")),
            ("billing", Some("users.read")),
        ] {
            let answer = app.admin(&tenant, role).await.get(&format!("/users/{anna}/export")).await;
            match missing {
                None => assert_eq!(answer.expect(200)["user"]["id"], json!(anna)),
                Some(permission) => {
                    assert_eq!(answer.expect_problem(403, "permission-denied")["permission"], permission, "{role}");
                }
            }
        }
    }

    async fn whom_the_organization_does_not_see_it_does_not_export(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let admin = app.admin(&tenant, "admin").await;
        let gone = tenant.caller.user("anna").await;
        tenant.caller.delete(&format!("/Users/{gone}")).await;
        let foreign = other.caller.user("ben").await;
        let staged = tenant.caller.user("staged").await;
        app.execute("UPDATE connections SET state = 'observe'").await;
        for id in [UNKNOWN, &gone, &foreign, &staged, "x"] {
            admin.get(&format!("/users/{id}/export")).await.expect_problem(404, "not-found");
        }
        let exported = app.lines("SELECT 'x' || kind AS line FROM events WHERE kind = 17").await;
        assert!(exported.is_empty());
    }

    async fn a_long_log_is_walked_to_its_end(app: &TestApp) {
        let tenant = app.tenant().await;
        let anna = tenant.caller.user("anna").await;
        // Of 12,003 events every thousandth is about the person, the last one among them.
        app.execute(
            "INSERT INTO events (organization, id, kind, actor, request_id, resource, version, at, detail) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) \
             SELECT u.organization, u.id, 2, 'system', 'r', CASE WHEN i % 1000 = 0 THEN u.id ELSE u.organization END, i, i, '{}' \
             FROM n, users u",
        )
        .await;
        let export = app.admin(&tenant, "admin").await.get(&format!("/users/{anna}/export")).await.expect(200);
        let mut expected = vec!["user.created"];
        expected.extend(["user.updated"; 12]);
        expected.push("user.exported");
        assert_eq!(actions(&export), expected);
    }
}
