//! Giving a connection up, with a choice for its people.

use rollcall::domain::ids::{ConnectionId, ResourceId};
use rollcall::storage::cold::ownership::PersonRecord;

use super::*;

/// People that no directory manages.
async fn local(app: &TestApp, tenant: &Tenant) -> Vec<PersonRecord> {
    let organization = tenant.made.organization.id;
    app.state.db.list_people_of(organization, ConnectionId::LOCAL, None, 1_000).await.expect("answers")
}

fn named<'a>(people: &'a [PersonRecord], name: &str) -> &'a PersonRecord {
    people.iter().find(|person| person.user_name == name).expect("the person")
}

async fn decommission(app: &TestApp, admin: &Admin, path: &str, people: &str) -> Value {
    let answer = admin.post(&format!("{path}/decommission"), &json!({ "people": people })).await;
    let body = answer.expect(200);
    assert_eq!((&body["state"], &body["job"]["kind"]), (&json!("decommissioned"), &json!("decommission")));
    finished(app, admin, path).await
}

/// Two people, of whom the directory keeps one out, and their group.
async fn people_of(made: &Made) -> (String, String, String) {
    let with_id = |name: &str| user_with(name, json!({ "externalId": format!("x-{name}"), "displayName": name }));
    let anna = id(&made.caller.create("/Users", &with_id("anna")).await);
    let ben = id(&made.caller.create("/Users", &user_with("ben", json!({ "active": false }))).await);
    let team = made.caller.group("team", &[&anna, &ben]).await;
    (anna, ben, team)
}

on_both! {
    async fn people_become_local_and_suspended(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let (anna, _, _) = people_of(&made).await;
        let answer = step(&admin, &made.path, "decommission").await;
        assert_eq!(answer.expect(200)["job"]["total"], 2);
        made.caller.get("/Users").await.expect_error(401, None);
        let job = finished(app, &admin, &made.path).await;
        assert_eq!((&job["done"], &job["total"]), (&json!(2), &json!(2)));
        let people = local(app, &tenant).await;
        assert_eq!(people.len(), 2);
        let person = named(&people, "anna");
        assert_eq!((person.id.to_string(), person.access, person.invited), (anna, true, false));
        let hold: Value = serde_json::from_str(person.suspension.as_deref().expect("a hold")).unwrap();
        assert_eq!(hold["by"], "admin");
        assert!(hold["actor"].as_str().unwrap().starts_with("api_key:") && hold["reason"].is_string(), "{hold}");
        let document: Value = serde_json::from_str(&person.document).unwrap();
        assert_eq!((&document["active"], document.get("externalId")), (&json!(true), None));
        assert_eq!((person.external_id_key.as_deref(), named(&people, "ben").access), (None, true));
        let health = admin.get(&made.path).await.expect(200)["health"].clone();
        assert_eq!((&health["users"], &health["groups"]), (&json!(0), &json!(0)));
        // The name is theirs: another directory does not get it by creating them.
        let other = active(app, &admin, "Entra").await;
        other.caller.post("/Users", &user("anna")).await.expect_error(409, Some("uniqueness"));
        other.caller.post("/Groups", &group("team", &[])).await.expect_error(409, Some("uniqueness"));
    }

    async fn people_become_local_and_invited_unless_they_were_kept_out(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let made = active(app, &admin, "Okta").await;
        // By their user name, by their primary e-mail, at an address that another one has, and with none.
        made.caller.user("anna@example.com").await;
        let mail = |name: &str, address: &str| user_with(name, json!({ "emails": [{ "value": address, "primary": true }] }));
        made.caller.create("/Users", &mail("carl", "Carl@example.com")).await;
        made.caller.create("/Users", &mail("dora", "anna@EXAMPLE.com")).await;
        made.caller.user("emil").await;
        made.caller.create("/Users", &user_with("ben@example.com", json!({ "active": false }))).await;
        decommission(app, &admin, &made.path, "invite").await;
        let people = local(app, &tenant).await;
        let standing = |name: &str| (named(&people, name).invited, named(&people, name).suspension.is_some());
        for name in ["anna@example.com", "carl"] {
            assert_eq!(standing(name), (true, false), "{name}");
        }
        for name in ["ben@example.com", "dora", "emil"] {
            assert_eq!(standing(name), (false, true), "{name}");
        }
        let invitations = admin.get("/invitations?sort=email").await.expect(200)["data"].clone();
        let invitations = invitations.as_array().expect("data");
        let told: Vec<_> = invitations.iter().map(|i| (&i["email"], &i["state"], &i["user_id"])).collect();
        let (anna, carl) = (named(&people, "anna@example.com").id.to_string(), named(&people, "carl").id.to_string());
        let pending = json!("pending");
        let expected = [
            (&json!("anna@example.com"), &pending, &json!(anna)), (&json!("Carl@example.com"), &pending, &json!(carl)),
        ];
        assert_eq!(told, expected);
        let shown = admin.get(&format!("/users/{anna}")).await.expect(200);
        assert_eq!(shown["status"], "invited");
        assert!(shown["invited_by"].is_string(), "{shown}");
        let invited = admin.get(&format!("/audit-events?action=user.invited&target={anna}")).await.expect(200);
        assert_eq!(invited["data"].as_array().map(Vec::len), Some(1), "{invited}");
        // The link is an Admin's to ask for.
        app.advance(61_000_000);
        let sent = admin.post(&format!("/invitations/{}/resend", id(&invitations[0])), &json!({})).await.expect(200);
        assert!(sent["link"].as_str().expect("a link").contains("/invite/rc_in_"), "{sent}");
    }

    async fn people_leave(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let made = active(app, &admin, "Okta").await;
        people_of(&made).await;
        decommission(app, &admin, &made.path, "delete").await;
        assert_eq!(local(app, &tenant).await, []);
        let other = active(app, &admin, "Entra").await;
        other.caller.user("anna").await;
        let wrong = admin.post(&format!("{}/decommission", other.path), &json!({ "people": "keep" })).await;
        wrong.expect_problem(422, "validation-failed");
    }

    async fn many_people_are_done_in_steps_and_nobody_is_left_out(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (okta, entra) = (active(app, &admin, "Okta").await, active(app, &admin, "Entra").await);
        let mut ids = Vec::new();
        for number in 0..250 {
            ids.push(okta.caller.user(&format!("okta-{number}")).await);
        }
        let stays = entra.caller.user("stays").await;
        let job = decommission(app, &admin, &okta.path, "suspend").await;
        assert_eq!(job["done"], 250);
        let mut moved: Vec<_> = local(app, &tenant).await.iter().map(|person| person.id.to_string()).collect();
        moved.sort();
        ids.sort();
        assert_eq!(moved, ids);
        entra.caller.get(&format!("/Users/{stays}")).await.expect(200);
        assert_eq!(entra.caller.get("/Users?count=0").await.expect(200)["totalResults"], 1);
    }

    async fn a_job_whose_process_stopped_goes_on(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let (anna, ben, _) = people_of(&made).await;
        // What a process leaves that stopped in the middle of a step: a claim, and what was committed before.
        step(&admin, &made.path, "decommission").await.expect(200);
        finished(app, &admin, &made.path).await;
        let claimed_until = app.state.clock.now() + 9_000_000;
        app.execute(&format!(
            "UPDATE jobs SET state = 'running', leased_until = {claimed_until}, version = version + 1; \
             UPDATE users SET connection = (SELECT id FROM connections WHERE name = 'Okta') WHERE user_name = 'ben'"
        )).await;
        let job = admin.get(&made.path).await.expect(200)["job"].clone();
        assert_eq!(job["state"], "running");
        app.advance(9_000_000);
        finished(app, &admin, &made.path).await;
        let mut moved: Vec<_> = local(app, &tenant).await.iter().map(|person| person.id).collect();
        moved.sort();
        let mut all = [anna, ben].map(|id| ResourceId::parse(&id).expect("an id"));
        all.sort();
        assert_eq!(moved, all);
    }
}
