//! `POST /Users/.search` (RFC 7644 §3.4.3).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn a_search_answers_what_the_same_list_answers(app: &TestApp) {
        let caller = app.caller().await;
        for name in ["a", "b", "c"] {
            caller.user(name).await;
        }
        let body = search(json!({
            "filter": "userName ne \"b\"", "attributes": ["userName"], "sortBy": "userName", "sortOrder": "descending",
            "startIndex": 1, "count": 1,
        }));
        let found = caller.post("/Users/.search", &body).await.expect(200);
        let parameters = [
            ("filter", "userName ne \"b\""),
            ("attributes", "userName"),
            ("sortBy", "userName"),
            ("sortOrder", "descending"),
            ("count", "1"),
        ];
        assert_eq!(found, caller.query("/Users", &parameters).await.expect(200));
        assert_eq!((&found["totalResults"], &found["Resources"][0]["userName"]), (&json!(2), &json!("c")));
    }

    async fn bodies_that_are_no_search_are_refused(app: &TestApp) {
        let caller = app.caller().await;
        for body in [json!([]), json!({ "schemas": [USER] }), search(json!({ "filter": 1 })), search(json!({ "count": "x" }))] {
            assert_eq!(caller.post("/Users/.search", &body).await.status, 400, "{body}");
        }
        caller.post("/Users/.search", &search(json!({ "filter": "x" }))).await.expect_error(400, Some("invalidFilter"));
    }
}
