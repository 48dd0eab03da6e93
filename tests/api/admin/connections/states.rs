//! What each state does to SCIM traffic.

use super::*;

on_both! {
    async fn a_connection_goes_from_state_to_state(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        for (name, to) in [("observe", "observe"), ("activate", "active"), ("pause", "paused"), ("resume", "active")] {
            let wrong = if name == "resume" { "activate" } else { "resume" };
            let problem = step(&admin, &made.path, wrong).await.expect_problem(409, "connection-state");
            assert!(problem["state"].is_string() && problem["detail"].as_str().unwrap().contains(wrong), "{problem}");
            let answer = step(&admin, &made.path, name).await;
            assert_eq!(answer.expect(200)["state"], to);
            assert_eq!(admin.get(&made.path).await.expect(200)["state"], to);
        }
        let stale = admin.request("POST", &format!("{}/pause", made.path)).header("If-Match", "W/\"1\"");
        send(stale).await.expect_problem(412, "precondition-failed");
        admin.post(&format!("{}/pause", made.path), &json!({ "for": "ever" })).await.expect_problem(422, "validation-failed");
        step(&admin, &made.path, "decommission").await.expect(200);
        for name in ["observe", "activate", "pause", "resume", "decommission"] {
            step(&admin, &made.path, name).await.expect_problem(409, "connection-state");
        }
    }

    async fn of_two_steps_at_once_one_is_taken(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let path = format!("{}/pause", made.path);
        let answers = futures_util::future::join_all((0..8).map(|_| send(admin.request("POST", &path)))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    }

    async fn before_it_is_active_everything_is_stored_and_answered(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = make(app, &admin, "Okta").await;
        let (anna, mut names) = (made.caller.user("anna").await, vec!["anna".to_owned()]);
        for (state, name) in [("setup", "ben"), ("observe", "cleo")] {
            let user = made.caller.user(name).await;
            made.caller.get(&format!("/Users/{user}")).await.expect(200);
            let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
            assert_eq!(made.caller.patch(&format!("/Users/{user}"), &off).await.expect(200)["active"], false);
            let team = made.caller.group(state, &[&user, &anna]).await;
            assert_eq!(made.caller.members(&team).await.len(), 2);
            names.push(name.to_owned());
            assert_eq!(admin.get(&made.path).await.expect(200)["health"]["users"], names.len());
            if state == "setup" {
                step(&admin, &made.path, "observe").await.expect(200);
            }
        }
        made.caller.post("/Users", &user("ANNA")).await.expect_error(409, Some("uniqueness"));
        step(&admin, &made.path, "activate").await.expect(200);
        finished(app, &admin, &made.path).await;
        for name in names {
            assert_eq!(made.caller.find("/Users", &format!("userName eq \"{name}\"")).await.len(), 1);
        }
    }

    async fn a_paused_connection_answers_reads_and_puts_writes_off(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = active(app, &admin, "Okta").await;
        let anna = made.caller.user("anna").await;
        let team = made.caller.group("team", &[&anna]).await;
        step(&admin, &made.path, "pause").await.expect(200);
        assert_eq!(made.caller.find("/Users", "userName eq \"anna\"").await.len(), 1);
        made.caller.get(&format!("/Groups/{team}")).await.expect(200);
        let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
        let writes = [
            made.caller.post("/Users", &user("ben")).await,
            made.caller.put(&format!("/Users/{anna}"), &user("anna")).await,
            made.caller.patch(&format!("/Users/{anna}"), &off).await,
            made.caller.delete(&format!("/Users/{anna}")).await,
            made.caller.delete(&format!("/Groups/{team}")).await,
            made.caller.post("/Groups", &group("other", &[])).await,
        ];
        for write in writes {
            write.expect_error(503, None);
            assert!(write.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
        }
        step(&admin, &made.path, "resume").await.expect(200);
        made.caller.delete(&format!("/Users/{anna}")).await.expect(204);
        made.caller.user("ben").await;
    }

    async fn of_several_connections_each_person_has_one_owner(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let (okta, entra) = (active(app, &admin, "Okta").await, active(app, &admin, "Entra").await);
        let anna = okta.caller.user("anna").await;
        let refused = entra.caller.post("/Users", &user("Anna")).await.expect_error(409, Some("uniqueness"));
        assert!(!refused.contains(&anna), "{refused}");
        assert_eq!(entra.caller.find("/Users", "userName eq \"anna\"").await.len(), 0);
        entra.caller.get(&format!("/Users/{anna}")).await.expect_error(404, None);
        entra.caller.delete(&format!("/Users/{anna}")).await.expect_error(404, None);
        entra.caller.put(&format!("/Users/{anna}"), &user("anna")).await.expect_error(404, None);
        entra.caller.post("/Groups", &group("team", &[&anna])).await.expect_error(400, Some("invalidValue"));
        // Once the one lets go, the other may have the name; it is another person.
        okta.caller.delete(&format!("/Users/{anna}")).await.expect(204);
        assert_ne!(entra.caller.user("anna").await, anna);
    }
}
