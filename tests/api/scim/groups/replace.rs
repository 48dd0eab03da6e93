//! `PUT /Groups/{id}` (RFC 7644 §3.5.1).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn members_are_exactly_those_of_the_body(app: &TestApp) {
        let caller = app.caller().await;
        let (ada, ben, cid) = (caller.user("ada").await, caller.user("ben").await, caller.user("cid").await);
        let path = format!("/Groups/{}", caller.group("g", &[&ada, &ben]).await);
        let replaced = caller.put(&path, &group("h", &[&ben, &cid])).await.expect(200);
        assert_eq!((&replaced["displayName"], &replaced["meta"]["version"]), (&json!("h"), &json!("W/\"2\"")));
        let mut expected = [ben.clone(), cid.clone()];
        expected.sort();
        assert_eq!(caller.members(&path["/Groups/".len()..]).await, expected);
        assert_eq!(caller.get(&path).await.expect(200), replaced);
        let cleared = caller.put(&path, &json!({ "schemas": [GROUP], "displayName": "h" })).await.expect(200);
        assert_eq!(cleared["members"], json!([]));
    }

    async fn the_same_group_put_back_changes_nothing(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let path = format!("/Groups/{}", caller.group("g", &[&user]).await);
        let got = caller.get(&path).await.expect(200);
        app.advance(1_000_000);
        assert_eq!(caller.put(&path, &got).await.expect(200), got);
    }

    async fn an_unknown_member_leaves_the_group_as_it_was(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let path = format!("/Groups/{}", caller.group("g", &[&user]).await);
        let before = caller.get(&path).await.expect(200);
        for unknown in ["x", "01a20d51-c3b0-7001-bae9-094714cae2b2"] {
            caller.put(&path, &group("h", &[unknown])).await.expect_error(400, Some("invalidValue"));
        }
        assert_eq!(caller.get(&path).await.expect(200), before);
    }

    async fn a_taken_name_is_refused_but_not_its_own(app: &TestApp) {
        let caller = app.caller().await;
        caller.group("taken", &[]).await;
        let path = format!("/Groups/{}", caller.group("own", &[]).await);
        caller.put(&path, &group("TAKEN", &[])).await.expect_error(409, Some("uniqueness"));
        caller.put(&path, &group("OWN", &[])).await.expect(200);
    }
}
