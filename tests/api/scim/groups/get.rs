//! `GET /Groups`, `GET /Groups/{id}`.

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn excluded_members_stay_away(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let group = caller.group("Engines", &[&user]).await;
        for query in ["excludedAttributes=members", "attributes=displayName"] {
            let got = caller.get(&format!("/Groups/{group}?{query}")).await.expect(200);
            assert_eq!((got.get("members"), &got["displayName"]), (None, &json!("Engines")), "{query}");
        }
        let parameters = [("filter", "displayName eq \"engines\""), ("excludedAttributes", "members")];
        let list = caller.query("/Groups", &parameters).await.expect(200);
        assert_eq!(list["totalResults"], 1);
        assert_eq!(list["Resources"][0].get("members"), None);
    }

    async fn a_member_can_be_asked_for(app: &TestApp) {
        let caller = app.caller().await;
        let (ada, ben) = (caller.user("ada").await, caller.user("ben").await);
        let group = caller.group("Engines", &[&ada]).await;
        for (member, found) in [(&ada, 1), (&ben, 0)] {
            for filter in [
                format!("members eq \"{member}\""),
                format!("members.value eq \"{member}\""),
                format!("members[value eq \"{member}\"]"),
                format!("id eq \"{group}\" and members eq \"{member}\""),
            ] {
                assert_eq!(caller.find("/Groups", &filter).await.len(), found, "{filter}");
            }
        }
    }

    async fn a_search_finds_groups(app: &TestApp) {
        let caller = app.caller().await;
        caller.group("a", &[]).await;
        caller.group("b", &[]).await;
        let found = caller.post("/Groups/.search", &search(json!({ "filter": "displayName eq \"A\"" }))).await;
        assert_eq!(found.expect(200)["totalResults"], 1);
    }
}
