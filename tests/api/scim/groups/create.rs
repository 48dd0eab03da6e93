//! `POST /Groups` (RFC 7644 §3.3).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn a_created_group_shows_its_members(app: &TestApp) {
        let caller = app.caller().await;
        let ada = id(&caller.create("/Users", &user_with("ada", json!({ "displayName": "Ada King" }))).await);
        let inner = caller.group("Inner", &[]).await;
        let mut body = group("Engines", &[&ada, &inner, &ada]);
        body["members"][0]["display"] = json!("ignored");
        let answer = caller.post("/Groups", &body).await;
        let created = answer.expect(201);
        assert_eq!(answer.header("location"), format!("{}/Groups/{}", caller.base(), id(&created)));
        let mut members = created["members"].as_array().unwrap().clone();
        members.sort_by_key(|member| member["type"].to_string());
        let reference = |path: &str, id: &str| format!("{}/{path}/{id}", caller.base());
        assert_eq!(
            json!(members),
            json!([
                { "value": inner, "$ref": reference("Groups", &inner), "display": "Inner", "type": "Group" },
                { "value": ada, "$ref": reference("Users", &ada), "display": "Ada King", "type": "User" },
            ])
        );
        assert_eq!(caller.get(&format!("/Groups/{}", id(&created))).await.expect(200), created);
    }

    async fn unknown_members_are_refused_by_name_and_nothing_is_stored(app: &TestApp) {
        let caller = app.caller().await;
        let foreign = app.caller().await.user("foreign").await;
        let user = caller.user("a").await;
        for unknown in ["x", "01a20d51-c3b0-7001-bae9-094714cae2b2", foreign.as_str()] {
            let answer = caller.post("/Groups", &group("g", &[&user, unknown])).await;
            let detail = answer.expect_error(400, Some("invalidValue"));
            assert!(detail.contains(unknown) && !detail.contains(&user), "{detail}");
        }
        assert_eq!(caller.get("/Groups").await.expect(200)["totalResults"], 0);
    }

    async fn a_taken_name_is_refused_in_any_letter_case(app: &TestApp) {
        let caller = app.caller().await;
        caller.group("Engines", &[]).await;
        let detail = caller.post("/Groups", &group("ENGINES", &[])).await.expect_error(409, Some("uniqueness"));
        assert!(detail.contains("displayName"), "{detail}");
    }

    async fn connection_settings_allow_twins_and_leave_unknown_members_out(app: &TestApp) {
        let tenant = app.tenant().await;
        app.execute(
            "UPDATE connections SET settings = '{\"unknown_members\":\"ignore\",\"duplicate_group_names\":\"allow\"}'",
        )
        .await;
        let caller = app.fresh(&tenant).await;
        let user = caller.user("a").await;
        let first = caller.group("Twins", &["x", &user, "01a20d51-c3b0-7001-bae9-094714cae2b2"]).await;
        assert_eq!(caller.members(&first).await, [user]);
        assert_ne!(caller.group("twins", &[]).await, first);
        assert_eq!(caller.find("/Groups", "displayName eq \"TWINS\"").await.len(), 2);
    }
}
