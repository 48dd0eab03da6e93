//! `/organizations`.

use serde_json::json;

use super::REASON;
use crate::helpers::*;

on_both! {
    async fn a_new_organization_comes_with_a_key_where_asked_for(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let asked = json!({ "name": "Acme & Söhne", "with_api_key": true, "reason": REASON });
        let made = operator.post("/organizations", &asked).await;
        let body = made.expect(201);
        assert_eq!((&body["slug"], &body["state"]), (&"acme-sohne".into(), &"active".into()));
        let path = made.header("location").rsplit_once("/backoffice/v1").expect("a location").1.to_owned();
        let admin = app.admin_with(body["api_key"]["key"].as_str().expect("a key"));
        assert_eq!(admin.get("/organization").await.expect(200)["id"], body["id"]);
        let read = operator.get(&path).await.expect(200);
        assert_eq!(read.get("api_key"), None);
        assert_eq!(read["features"], json!({ "sub_accounts": false, "tenant_release": false }));

        let other = operator.post("/organizations", &json!({ "name": "Acme & Söhne", "reason": REASON })).await;
        assert_eq!(other.expect(201)["slug"], "acme-sohne-2");
        let taken = json!({ "name": "Third", "slug": "acme-sohne", "reason": REASON });
        operator.post("/organizations", &taken).await.expect_problem(409, "group-name-taken");
    }

    async fn what_cannot_be_is_refused_by_member(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let parent = app.tenant().await.made.organization.id.to_string();
        for (members, pointer) in [
            (json!({ "name": " " }), "/name"),
            (json!({ "name": "A", "slug": "A B" }), "/slug"),
            (json!({ "name": "A", "parent": "x" }), "/parent"),
            (json!({ "name": "A", "parent": "0192f3a0-0000-7000-8000-000000000000" }), "/parent"),
            // There the feature is off.
            (json!({ "name": "A", "parent": parent }), "/parent"),
            (json!({ "name": "A", "features": [] }), "/features"),
            (json!({ "name": "A", "features": { "other": true } }), "/features/other"),
            (json!({ "name": "A", "features": { "tenant_release": 1 } }), "/features/tenant_release"),
            (json!({ "name": "A", "with_api_key": "yes" }), "/with_api_key"),
            (json!({ "name": "A", "owner": "x" }), "/owner"),
        ] {
            let mut body = json!({ "reason": REASON });
            body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
            let problem = operator.post("/organizations", &body).await.expect_problem(422, "validation-failed");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{members}");
        }
        assert_eq!(operator.get("/organizations").await.expect(200)["data"].as_array().map(Vec::len), Some(1));
    }

    async fn sub_accounts_stand_at_most_five_deep(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let mut parent = json!(null);
        for depth in 1..=6 {
            let name = format!("Level {depth}");
            let asked = json!({ "name": name, "parent": parent, "features": { "sub_accounts": true }, "reason": REASON });
            let answer = operator.post("/organizations", &asked).await;
            if depth == 6 {
                answer.expect_problem(422, "validation-failed");
            } else {
                let body = answer.expect(201);
                assert_eq!(body["parent"], parent);
                parent = body["id"].clone();
            }
        }
    }

    async fn a_patch_changes_what_it_names(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let tenant = app.tenant().await;
        let path = format!("/organizations/{}", tenant.made.organization.id);
        let before = operator.get(&path).await;
        let tag = before.header("etag").to_owned();
        let patch = json!({ "name": "Renamed", "features": { "tenant_release": true }, "reason": REASON });
        let after = operator.patch(&path, &patch).await;
        let body = after.expect(200);
        assert_eq!((&body["name"], &body["slug"]), (&"Renamed".into(), &before.expect(200)["slug"]));
        assert_eq!(body["features"], json!({ "sub_accounts": false, "tenant_release": true }));
        assert_ne!(after.header("etag"), tag);
        let stale = operator.request("PATCH", &path).header("If-Match", &tag).json(&patch);
        send(stale).await.expect_problem(412, "precondition-failed");
        // The same again changes nothing.
        assert_eq!(operator.patch(&path, &patch).await.header("etag"), after.header("etag"));
        let other = app.tenant().await.made.organization.slug;
        operator.patch(&path, &json!({ "slug": other, "reason": REASON })).await.expect_problem(409, "group-name-taken");
        let nobody = "/organizations/0192f3a0-0000-7000-8000-000000000000";
        operator.patch(nobody, &patch).await.expect_problem(404, "not-found");
    }

    async fn a_suspension_refuses_every_credential_until_it_is_lifted(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let admin = app.admin(&tenant, "admin").await;
        admin.get("/organization").await.expect(200);
        tenant.caller.get("/Users").await.expect(200);
        let path = format!("/organizations/{}", tenant.made.organization.id);
        let suspended = operator.post(&format!("{path}/suspend"), &json!({ "reason": REASON })).await.expect(200);
        assert_eq!(suspended["state"], "suspended");
        tenant.caller.get("/Users").await.expect_error(403, None);
        admin.get("/organization").await.expect_problem(403, "permission-denied");
        other.caller.get("/Users").await.expect(200);
        operator.post(&format!("{path}/suspend"), &json!({ "reason": REASON })).await.expect(200);
        operator.post(&format!("{path}/unsuspend"), &json!({ "reason": REASON })).await.expect(200);
        tenant.caller.get("/Users").await.expect(200);
        admin.get("/organization").await.expect(200);
    }

    async fn the_list_is_filtered_and_sorted(app: &TestApp) {
        let operator = app.backoffice("operator").await;
        for name in ["Beta", "Alpha", "Gamma"] {
            operator.post("/organizations", &json!({ "name": name, "reason": REASON })).await.expect(201);
        }
        let names = async |query: &str| {
            let body = operator.get(&format!("/organizations{query}")).await.expect(200);
            let rows = body["data"].as_array().expect("rows").iter();
            rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("").await, ["Beta", "Alpha", "Gamma"]);
        assert_eq!(names("?sort=-name").await, ["Gamma", "Beta", "Alpha"]);
        assert_eq!(names("?q=ALPH&q=beta&sort=name").await, ["Alpha", "Beta"]);
        assert_eq!(names("?state=suspended").await, Vec::<String>::new());
        let first = operator.get("/organizations?limit=2&sort=name&include_total=true").await.expect(200);
        assert_eq!(first["page"]["total"], 3);
        let cursor = first["page"]["next_cursor"].as_str().expect("a cursor");
        assert_eq!(names(&format!("?limit=2&sort=name&cursor={cursor}")).await, ["Gamma"]);
        operator.get(&format!("/organizations?cursor={cursor}")).await.expect_problem(400, "cursor-invalid");
        operator.get("/organizations?state=gone").await.expect_problem(400, "filter-invalid");
    }
}
