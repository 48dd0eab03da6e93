//! `PUT /Users/{id}` (RFC 7644 §3.5.1).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn what_is_absent_is_cleared_but_active(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller.create("/Users", &user_with("a", json!({ "title": "t", "active": false }))).await;
        let path = format!("/Users/{}", id(&created));
        let answer = caller.put(&path, &user_with("b", json!({ "displayName": "B" }))).await;
        let replaced = answer.expect(200);
        assert_eq!((&replaced["userName"], &replaced["displayName"]), (&json!("b"), &json!("B")));
        assert_eq!(replaced.get("title"), None);
        assert_eq!(replaced["active"], false);
        assert_eq!(replaced["meta"]["version"], "W/\"2\"");
        assert_eq!(replaced["meta"]["created"], created["meta"]["created"]);
        assert_eq!(answer.header("etag"), "W/\"2\"");
        assert_eq!(answer.header("content-location"), replaced["meta"]["location"].as_str().unwrap());
        assert_eq!(caller.get(&path).await.expect(200), replaced);
    }

    async fn the_answer_of_get_put_back_changes_nothing(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        caller.group("g", &[&user]).await;
        let path = format!("/Users/{user}");
        let got = caller.get(&path).await.expect(200);
        app.advance(1_000_000);
        assert_eq!(caller.put(&path, &got).await.expect(200), got);
        assert_eq!(caller.get(&path).await.expect(200), got);
    }

    async fn a_rename_frees_the_old_name_and_takes_the_new(app: &TestApp) {
        let caller = app.caller().await;
        let (first, second) = (caller.user("first").await, caller.user("second").await);
        caller.put(&format!("/Users/{first}"), &user("SECOND")).await.expect_error(409, Some("uniqueness"));
        caller.put(&format!("/Users/{first}"), &user("third")).await.expect(200);
        caller.put(&format!("/Users/{second}"), &user("First")).await.expect(200);
        assert_eq!(caller.find("/Users", "userName eq \"first\"").await[0]["id"], json!(second));
    }

    async fn conditions_guard_the_write(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let put = async |name: &str, field: &str, title: &str| {
            let body = user_with("a", json!({ "title": title })).to_string();
            send(caller.request("PUT", &path).header("Content-Type", "application/json").header(name, field).body(body))
                .await
        };
        for stale in ["W/\"2\"", "nonsense", "\"1", "W/\"01\""] {
            put("If-Match", stale, "lost").await.expect_error(412, None);
        }
        put("If-None-Match", "*", "lost").await.expect_error(412, None);
        assert_eq!(put("If-Match", "W/\"1\"", "1").await.expect(200)["title"], "1");
        put("If-Match", "W/\"1\"", "lost").await.expect_error(412, None);
        put("If-Match", "W/\"9\", \"2\"", "2").await.expect(200);
        assert_eq!(put("If-Match", "*", "3").await.expect(200)["title"], "3");
        assert_eq!(caller.get(&path).await.expect(200)["meta"]["version"], "W/\"4\"");
    }

    async fn the_preference_decides_on_a_body(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        for (prefer, title, status) in [("return=minimal", "1", 204), ("return=representation", "2", 200)] {
            let body = user_with("a", json!({ "title": title })).to_string();
            let request = caller.request("PUT", &path).header("Content-Type", "application/scim+json");
            let answer = send(request.header("Prefer", prefer).body(body)).await;
            assert_eq!((answer.status, answer.text.is_empty()), (status, status == 204));
            assert_ne!(answer.header("etag"), "");
        }
    }

    async fn an_unknown_user_is_404(app: &TestApp) {
        let caller = app.caller().await;
        for id in ["01a20d51-c3b0-7001-bae9-094714cae2b2", "x"] {
            caller.put(&format!("/Users/{id}"), &user("a")).await.expect_error(404, None);
        }
    }
}
