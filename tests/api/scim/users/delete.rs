//! `DELETE /Users/{id}` (RFC 7644 §3.6).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn a_deleted_user_is_gone_from_everywhere(app: &TestApp) {
        let caller = app.caller().await;
        let user_body = user("a");
        let (user, kept) = (caller.user("a").await, caller.user("b").await);
        let group = caller.group("g", &[&user, &kept]).await;
        let path = format!("/Users/{user}");
        let answer = caller.delete(&path).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        caller.get(&path).await.expect_error(404, None);
        caller.delete(&path).await.expect_error(404, None);
        caller.put(&path, &user_body).await.expect_error(404, None);
        let titled = patch(json!([{ "op": "add", "path": "title", "value": "x" }]));
        caller.patch(&path, &titled).await.expect_error(404, None);
        assert_eq!(caller.members(&group).await, [kept]);
        assert_eq!(caller.find("/Users", "userName eq \"a\"").await.len(), 0);
        assert_eq!(caller.get("/Users").await.expect(200)["totalResults"], 1);
        assert_ne!(caller.user("a").await, user);
    }

    async fn a_stale_condition_keeps_the_user(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        send(caller.request("DELETE", &path).header("If-Match", "W/\"2\"")).await.expect_error(412, None);
        send(caller.request("DELETE", &path).header("If-Match", "W/\"1\"")).await.expect(204);
    }
}
