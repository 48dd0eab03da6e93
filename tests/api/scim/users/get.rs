//! `GET /Users/{id}` (RFC 7644 §3.4.1).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn an_unknown_id_is_404_whatever_its_form(app: &TestApp) {
        let caller = app.caller().await;
        let known = caller.user("a").await;
        let upper = known.to_uppercase();
        for id in ["01a20d51-c3b0-7001-bae9-094714cae2b2", "1", "%20", "a%2Fb", "%ff", "..%2f", upper.as_str()] {
            caller.get(&format!("/Users/{id}")).await.expect_error(404, None);
        }
        caller.get(&format!("/Groups/{known}")).await.expect_error(404, None);
    }

    async fn groups_of_a_user_come_with_it(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let group = caller.group("Engines", &[&user]).await;
        let got = caller.get(&format!("/Users/{user}")).await.expect(200);
        let reference = format!("{}/Groups/{group}", caller.base());
        assert_eq!(
            got["groups"],
            json!([{ "value": group, "$ref": reference, "display": "Engines", "type": "direct" }])
        );
        let without = caller.get(&format!("/Users/{user}?excludedAttributes=groups")).await.expect(200);
        assert_eq!(without.get("groups"), None);
        let only = caller.get(&format!("/Users/{user}?attributes=groups")).await.expect(200);
        assert_eq!(only["groups"], got["groups"]);
        assert_eq!(only.get("userName"), None);
    }

    async fn attributes_and_excluded_attributes_together_or_twice_are_refused(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        for query in ["attributes=title&excludedAttributes=name", "attributes=title&attributes=title", "attributes=%"] {
            caller.get(&format!("/Users/{user}?{query}")).await.expect_error(400, Some("invalidValue"));
        }
        caller.get(&format!("/Users/{user}?")).await.expect(200);
        caller.get(&format!("/Users/{user}?aadOptscim062020&x=1&x=2")).await.expect(200);
    }

    async fn the_password_is_never_shown_nor_asked_for(app: &TestApp) {
        let caller = app.caller().await;
        let body = user_with("a", json!({ "password": "correct horse battery" }));
        let created = caller.post("/Users", &body).await;
        assert!(!created.text.contains("correct horse"), "{}", created.text);
        let user = id(&created.expect(201));
        let got = caller.get(&format!("/Users/{user}")).await;
        assert!(!got.text.contains("assword"), "{}", got.text);
        caller.get(&format!("/Users/{user}?attributes=password")).await.expect_error(400, Some("invalidValue"));
    }

    async fn a_version_that_the_client_has_is_304(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        for (field, status) in [
            ("W/\"1\"", 304),
            ("\"1\"", 304),
            ("*", 304),
            ("W/\"7\", W/\"1\"", 304),
            ("W/\"2\"", 200),
            ("nonsense", 200),
        ] {
            let answer = send(caller.request("GET", &path).header("If-None-Match", field)).await;
            assert_eq!(answer.status, status, "{field}");
            assert_eq!(answer.header("etag"), "W/\"1\"");
            assert_eq!(answer.text.is_empty(), status == 304, "{field}");
        }
    }

    async fn head_has_the_headers_of_get_and_no_body(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let head = send(caller.request("HEAD", &path)).await;
        let get = caller.get(&path).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        for name in ["etag", "content-type", "content-length", "location"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
    }
}
