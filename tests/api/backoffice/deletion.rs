//! Deletion of people whom a directory manages: what each mode does, and what the directory's next push then meets.

use rollcall::domain::event::EventKind;
use rollcall::domain::ids::LogEntryId;
use rollcall::storage::cold::provisioning_log::LogPlace;
use rollcall::storage::{LogRecord, NewLogRecord};
use serde_json::{Value, json};

use super::REASON;
use crate::helpers::*;

/// Somebody with all that can be stored of a person, in a group.
async fn ben(tenant: &Tenant) -> String {
    let attributes = json!({
        "externalId": "ext-ben", "displayName": "Ben Stone",
        "emails": [{ "value": "ben@example.com", "primary": true }], "roles": [{ "value": "data_admin" }],
    });
    let ben = id(&tenant.caller.post("/Users", &user_with("ben@example.com", attributes)).await.expect(201));
    tenant.caller.post("/Groups", &group("Engineers", &[&ben])).await.expect(201);
    ben
}

async fn delete(app: &TestApp, tenant: &Tenant, user: &str, mode: &str) -> Value {
    let operator = app.backoffice("operator").await;
    let path = format!("/organizations/{}/users/{user}?mode={mode}", tenant.made.organization.id);
    operator.with_text("DELETE", &path, json!({ "reason": REASON }).to_string()).await.expect(200)
}

async fn is_gone(tenant: &Tenant, user: &str) {
    let path = format!("/Users/{user}");
    tenant.caller.get(&path).await.expect_error(404, None);
    tenant.caller.delete(&path).await.expect_error(404, None);
    let change = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    tenant.caller.patch(&path, &patch(change)).await.expect_error(404, None);
    let groups = tenant.caller.get("/Groups").await.expect(200);
    assert_eq!(groups["Resources"][0]["members"], json!([]), "{groups}");
    assert_eq!(tenant.caller.get("/Users?count=0").await.expect(200)["totalResults"], 0);
}

on_both! {
    async fn who_is_removed_comes_back_as_somebody_new(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        let deleted = delete(app, &tenant, &first, "remove").await;
        assert_eq!((&deleted["mode"], &deleted["block"]), (&"remove".into(), &Value::Null));
        let effect = deleted["next_sync_effect"].as_str().expect("a sentence");
        assert!(effect.contains("creates a new user"), "{effect}");
        is_gone(&tenant, &first).await;
        let body = user_with("ben@example.com", json!({ "externalId": "ext-ben" }));
        let again = id(&tenant.caller.post("/Users", &body).await.expect(201));
        assert_ne!(again, first);
        let read = tenant.caller.get(&format!("/Users/{again}")).await.expect(200);
        assert_eq!(read["groups"].as_array().map_or(0, Vec::len), 0, "{read}");
    }

    async fn who_is_blocked_is_refused_by_either_name_until_unblocked(app: &TestApp) {
        let tenant = app.tenant().await;
        let other = app.second_connection(&tenant).await;
        let first = ben(&tenant).await;
        let deleted = delete(app, &tenant, &first, "block").await;
        is_gone(&tenant, &first).await;
        for (user_name, external_id, named) in
            [("BEN@example.com", "other", "userName"), ("new@example.com", "ext-ben", "externalId")]
        {
            let body = user_with(user_name, json!({ "externalId": external_id }));
            let refused = tenant.caller.post("/Users", &body).await;
            let detail = refused.expect_error(409, Some("uniqueness"));
            assert!(detail.contains(named) && detail.contains("operator"), "{detail}");
        }
        // Nor does anybody else get either name.
        let carl = id(&tenant.caller.post("/Users", &user("carl@example.com")).await.expect(201));
        for (path, value) in [("userName", "Ben@example.com"), ("externalId", "ext-ben")] {
            let change = patch(json!([{ "op": "replace", "path": path, "value": value }]));
            let refused = tenant.caller.patch(&format!("/Users/{carl}"), &change).await;
            assert!(refused.expect_error(409, Some("uniqueness")).contains("operator"), "{path}");
        }
        let whole = user_with("ben@example.com", json!({ "externalId": "ext-ben" }));
        tenant.caller.put(&format!("/Users/{carl}"), &whole).await.expect_error(409, Some("uniqueness"));
        // An externalId means its own connection's; a user name is one for the organization.
        other.post("/Users", &user_with("new@example.com", json!({ "externalId": "ext-ben" }))).await.expect(201);
        other.post("/Users", &user("ben@example.com")).await.expect_error(409, Some("uniqueness"));
        tenant.caller.post("/Users", &user("carla@example.com")).await.expect(201);
        app.tenant().await.caller.post("/Users", &user("ben@example.com")).await.expect(201);

        let operator = app.backoffice("operator").await;
        let blocks = format!("/organizations/{}/blocks", tenant.made.organization.id);
        let block = format!("{blocks}/{}", deleted["block"].as_str().expect("an id"));
        operator.delete(&format!("{block}?reason=it%20was%20a%20mistake")).await.expect(204);
        let back = user_with("ben@example.com", json!({ "externalId": "ext-ben" }));
        assert_ne!(id(&tenant.caller.post("/Users", &back).await.expect(201)), first);
    }

    async fn who_is_erased_leaves_a_tombstone_without_personal_data(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        let change = json!([{ "op": "replace", "path": "title", "value": "Stonecutter" }]);
        tenant.caller.patch(&format!("/Users/{first}"), &patch(change)).await.expect(200);
        let deleted = delete(app, &tenant, &first, "erase").await;
        is_gone(&tenant, &first).await;
        app.erased().await;
        let jobs = app.backoffice("support").await.get("/jobs?state=done").await.expect(200);
        let jobs = jobs["data"].as_array().expect("jobs");
        assert!(jobs.iter().any(|job| job["id"] == deleted["job"] && job["kind"] == "erase"), "{jobs:?}");
        assert_eq!(app.dump().await.iter().find(|line| names_ben(line)), None);
        let tombstones = app.lines("SELECT mode || CASE WHEN email_hash IS NULL THEN '' ELSE ' hash' END AS line FROM tombstones").await;
        assert_eq!(tombstones, ["erase"]);
        let erased = EventKind::UserErased as i16;
        let why = format!("SELECT reason AS line FROM events WHERE kind = {erased} AND organization <> {{nil}}");
        assert_eq!(app.lines(&why).await, [REASON], "the operator answers for it");
    }

    async fn who_was_removed_can_still_be_erased(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        delete(app, &tenant, &first, "remove").await;
        assert!(app.dump().await.iter().any(|line| names_ben(line)), "the audit log tells who it was");
        let tombstones = app.lines("SELECT mode || CASE WHEN email_hash IS NULL THEN '' ELSE ' hash' END AS line FROM tombstones").await;
        assert_eq!(tombstones, ["remove hash"]);
        let operator = app.backoffice("operator").await;
        let path = format!("/organizations/{}/users/{first}", tenant.made.organization.id);
        operator.delete(&format!("{path}?mode=block&reason=a%20good%20reason")).await.expect_problem(404, "not-found");
        delete(app, &tenant, &first, "erase").await;
        app.erased().await;
        assert_eq!(app.dump().await.iter().find(|line| names_ben(line)), None);
    }

    async fn what_other_instances_log_late_is_erased_too(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        let organization = tenant.made.organization.id;
        app.state.provisioning_log.flush().await;
        let rows = app.state.db.log_rows(organization, LogPlace::FIRST).await.expect("answers");
        let (entry, bodies) = (rows[0].1.entries[0].clone(), rows[0].1.bodies[0].clone());
        delete(app, &tenant, &first, "erase").await;
        // What is done at once is done; then the job waits.
        let waits = "SELECT id FROM jobs WHERE kind = 'erase' AND state = 'running' AND cursor LIKE '%Late%'";
        while app.rows(waits).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let late = LogEntryId::at(entry.at, 7);
        let record = LogRecord { id: late, ..entry };
        let new = NewLogRecord { organization, record, bodies, names: vec![] };
        app.state.db.insert_log_records(vec![new], vec![]).await.expect("inserted");
        assert!(app.dump().await.iter().any(|line| names_ben(line)));
        app.erased().await;
        assert_eq!(app.dump().await.iter().find(|line| names_ben(line)), None);
        let left = app.state.db.find_log_record(organization, late).await.expect("answers").expect("there");
        assert_eq!((left.0.operation.as_str(), left.0.explanation.as_deref()), ("create", Some("Erased.")));
    }

    async fn who_has_the_name_of_an_erased_person_now_keeps_it(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        delete(app, &tenant, &first, "remove").await;
        let eva = id(&tenant.caller.post("/Users", &user("ben@example.com")).await.expect(201));
        delete(app, &tenant, &first, "erase").await;
        app.erased().await;
        let operator = app.backoffice("support").await;
        let log = format!("/provisioning-log?organization={}&operation=create", tenant.made.organization.id);
        let log = operator.get(&format!("{log}&subject=ben@example.com")).await.expect(200);
        assert_eq!(log["data"].as_array().map(Vec::len), Some(1), "{log}");
        assert_eq!(log["data"][0]["resource_id"], json!(eva));
    }

    async fn a_person_of_another_organization_is_not_found(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let first = ben(&tenant).await;
        let operator = app.backoffice("operator").await;
        let nobody = "0192f3a0-0000-7000-8000-000000000000";
        for (organization, user) in [
            (other.made.organization.id.to_string(), first.as_str()),
            (nobody.to_owned(), first.as_str()),
            (tenant.made.organization.id.to_string(), nobody),
            (tenant.made.organization.id.to_string(), "x"),
        ] {
            let path = format!("/organizations/{organization}/users/{user}?reason=a%20good%20reason");
            operator.delete(&path).await.expect_problem(404, "not-found");
        }
        let path = format!("/organizations/{}/users/{first}", tenant.made.organization.id);
        operator.delete(&format!("{path}?mode=kill&reason=a%20good%20reason")).await.expect_problem(400, "filter-invalid");
        let stale = operator.request("DELETE", &format!("{path}?reason=a%20good%20reason")).header("If-Match", "W/\"9\"");
        send(stale).await.expect_problem(412, "precondition-failed");
        tenant.caller.get(&format!("/Users/{first}")).await.expect(200);
    }

    async fn a_deed_stands_in_the_organizations_log_and_in_the_operators(app: &TestApp) {
        let tenant = app.tenant().await;
        let first = ben(&tenant).await;
        delete(app, &tenant, &first, "block").await;
        let deeds = app
            .lines(
                "SELECT concat_ws(' ', CASE WHEN organization = {nil} THEN 'operators' ELSE 'organization' END, kind, reason, \
                 CASE WHEN ip IS NULL THEN '-' ELSE ip END) AS line FROM events WHERE reason IS NOT NULL",
            )
            .await;
        // 3: user.deleted, 15: user.blocked.
        let expected = [
            format!("operators 15 {REASON} 127.0.0.1"),
            format!("operators 3 {REASON} 127.0.0.1"),
            format!("organization 15 {REASON} 127.0.0.1"),
            format!("organization 3 {REASON} 127.0.0.1"),
        ];
        assert_eq!(deeds, expected);
        let in_operators = app.lines("SELECT detail AS line FROM events WHERE organization = {nil}").await;
        assert!(!in_operators.iter().any(|line| names_ben(line)), "{in_operators:?}");
    }
}

fn names_ben(line: &str) -> bool {
    ["ben@", "ext-ben", "Ben", "Stone"].iter().any(|part| line.contains(part))
}
