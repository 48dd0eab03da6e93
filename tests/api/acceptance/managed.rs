//! Point 2: a person whom a directory manages goes by the directory or by the operator, and by nobody of the organization.

use serde_json::{Value, json};

use super::{activate, pushed, rows};
use crate::helpers::*;

fn chiara() -> Value {
    json!({ "externalId": "x-chiara", "displayName": "Chiara Rossi", "emails": [{ "value": "chiara@dir.example" }] })
}

async fn listed(admin: &Admin) -> Vec<Value> {
    rows(&admin.get("/users").await.expect(200)).to_vec()
}

on_both! {
    async fn no_call_of_the_organization_deletes_a_managed_person(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let chiara = pushed(&tenant, "chiara@dir.example", chiara()).await;
        let (path, scim) = (format!("/users/{chiara}"), format!("/Users/{chiara}"));
        for state in ["on", "off"] {
            activate(&tenant, &chiara, state).await;
            let (shown, pushed) = (admin.get(&path).await.expect(200), tenant.caller.get(&scim).await);
            for roles in ["admin", "team_management", "admin,team_management,data_admin,read_only,billing"] {
                let caller = app.admin(&tenant, roles).await;
                for person in [caller.get(&path).await.expect(200), listed(&caller).await[0].clone()] {
                    let actions = person["allowed_actions"].as_array().expect("actions");
                    assert!(!actions.contains(&json!("delete")) && !actions.contains(&json!("release")), "{person}");
                }
            }
            admin.delete(&path).await.expect_problem(403, "managed-externally");
            for query in ["?force=true", "?mode=remove", "?managed_by=local"] {
                admin.delete(&format!("{path}{query}")).await.expect_problem(400, "unknown-parameter");
            }
            for dry_run in [true, false] {
                let bulk = json!({ "action": "delete", "ids": [chiara], "dry_run": dry_run });
                let done = admin.post("/users/bulk", &bulk).await.expect(200);
                assert_eq!((&done["done"], &done["refused"]), (&json!(0), &json!(1)));
                assert_eq!(done["results"][0]["problem"]["code"], "managed-externally");
            }
            admin.post(&format!("{path}/release"), &json!({})).await.expect_problem(404, "not-found");
            for field in ["email", "user_name", "phone", "title", "department"] {
                let problem = admin.patch(&path, &json!({ field: "other@dir.example" })).await;
                problem.expect_problem(403, "managed-externally");
            }
            admin.patch(&path, &json!({ "name": { "given": "C." } })).await.expect_problem(403, "managed-externally");
            for forged in [json!({ "managed": { "by": "local" } }), json!({ "connection": null })] {
                admin.patch(&path, &forged).await.expect_problem(422, "validation-failed");
            }
            let overridden = admin.request("POST", &path).header("X-HTTP-Method-Override", "DELETE");
            send(overridden).await.expect_problem(405, "method-not-allowed");
            assert_eq!(admin.get(&path).await.expect(200), shown);
            let after = tenant.caller.get(&scim).await;
            assert_eq!((&after.text, after.header("etag")), (&pushed.text, pushed.header("etag")));
        }
        // A refusal for each deletion that was meant, and none for the rehearsed ones.
        let refused = admin.get("/audit-events?result=refused&action=user.deleted").await.expect(200);
        assert_eq!(rows(&refused).len(), 4, "{refused}");
        for event in rows(&refused) {
            assert_eq!((&event["problem_code"], &event["target"]["id"]), (&json!("managed-externally"), &json!(chiara)));
            assert_eq!(event["actor"]["type"], "api_key");
        }
        assert_eq!(tenant.caller.delete(&scim).await.status, 204);
        assert_eq!(listed(&admin).await, Vec::<Value>::new());
        admin.get(&path).await.expect_problem(404, "not-found");
    }

    async fn each_way_of_the_operator_is_seen_on_the_next_push(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, operator) = (app.admin(&tenant, "admin").await, app.backoffice("operator").await);
        let organization = format!("/organizations/{}", tenant.made.organization.id);
        let team = tenant.caller.group("Team", &[]).await;
        admin.put(&format!("/groups/{team}/role-mapping"), &json!({ "roles": ["billing"] })).await.expect(200);
        for mode in ["remove", "block", "erase"] {
            let first = pushed(&tenant, "chiara@dir.example", chiara()).await;
            let join = json!([{ "op": "add", "path": "members", "value": [{ "value": first }] }]);
            tenant.caller.patch(&format!("/Groups/{team}"), &patch(join)).await.expect(200);
            admin.put(&format!("/users/{first}/roles"), &json!({ "roles": ["read_only"] })).await.expect(200);
            let path = format!("{organization}/users/{first}?mode={mode}&reason=asked%20for%20in%204711");
            let deleted = operator.delete(&path).await.expect(200);
            assert_eq!(deleted["mode"], mode);
            let effect = deleted["next_sync_effect"].as_str().expect("a sentence");
            assert!(effect.ends_with('.') && effect.contains("404"), "{effect}");
            // What the directory says about the former person.
            let path = format!("/Users/{first}");
            let on = patch(json!([{ "op": "replace", "path": "active", "value": true }]));
            tenant.caller.get(&path).await.expect_error(404, None);
            tenant.caller.patch(&path, &on).await.expect_error(404, None);
            tenant.caller.put(&path, &user_with("chiara@dir.example", chiara())).await.expect_error(404, None);
            tenant.caller.delete(&path).await.expect_error(404, None);
            assert_eq!(tenant.caller.find("/Users", "externalId eq \"x-chiara\"").await, Vec::<Value>::new());
            assert_eq!((listed(&admin).await, tenant.caller.members(&team).await), (vec![], vec![]));
            // And what it says next.
            if mode == "block" {
                let body = user_with("chiara@dir.example", chiara());
                tenant.caller.post("/Users", &body).await.expect_error(409, Some("uniqueness"));
                let log = admin.get("/provisioning-log?outcome=refused&operation=create").await.expect(200);
                let explanation = rows(&log)[0]["explanation"].as_str().expect("a sentence");
                assert!(explanation.contains("blocked") && explanation.contains("operator"), "{explanation}");
                let block = deleted["block"].as_str().expect("an id");
                let lift = format!("{organization}/blocks/{block}?reason=asked%20for%20in%204711");
                assert_eq!(operator.delete(&lift).await.status, 204);
            }
            let next = pushed(&tenant, "chiara@dir.example", chiara()).await;
            assert_ne!(next, first);
            let shown = admin.get(&format!("/users/{next}")).await.expect(200);
            assert_eq!((&shown["roles"], &shown["groups"], &shown["status"]), (&json!([]), &json!([]), &json!("active")));
            assert_eq!(tenant.caller.delete(&format!("/Users/{next}")).await.status, 204);
        }
    }
}
