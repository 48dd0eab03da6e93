//! `POST /Users` (RFC 7644 §3.3).

use serde_json::{Value, json};

use crate::helpers::*;

on_both! {
    async fn a_created_user_is_answered_whole_with_its_address(app: &TestApp) {
        let caller = app.caller().await;
        let body = user_with("Ada@Example.org", json!({
            "externalId": "e1",
            "name": { "givenName": "Ada", "familyName": "King" },
            "emails": [{ "value": "ada@example.org", "type": "work", "primary": true }],
            "password": "correct horse",
            "id": "mine", "meta": { "version": "x" }, "groups": [{ "value": "g" }],
            "nonsense": 1,
            (ENTERPRISE): { "department": "Engines" },
        }));
        let answer = caller.post("/Users", &body).await;
        let created = answer.expect(201);
        let id = id(&created);
        let location = format!("{}/Users/{id}", caller.base());
        assert_eq!(answer.header("location"), location);
        assert_eq!(answer.header("content-location"), location);
        assert_eq!(answer.header("etag"), "W/\"1\"");
        assert_eq!(answer.header("content-type"), "application/scim+json");
        let mut expected = json!({
            "schemas": [USER, ENTERPRISE],
            "id": id,
            "externalId": "e1",
            "userName": "Ada@Example.org",
            "name": { "givenName": "Ada", "familyName": "King" },
            "emails": [{ "value": "ada@example.org", "type": "work", "primary": true }],
            "active": true,
            (ENTERPRISE): { "department": "Engines" },
            "meta": { "resourceType": "User", "location": location, "version": "W/\"1\"" },
        });
        for time in ["created", "lastModified"] {
            assert!(created["meta"][time].as_str().is_some_and(|text| text.ends_with('Z')), "{created}");
            expected["meta"][time] = created["meta"][time].clone();
        }
        assert_eq!(created, expected);
        assert_eq!(caller.get(&format!("/Users/{id}")).await.expect(200), expected);
    }

    async fn a_taken_user_name_is_refused_in_any_letter_case_and_width(app: &TestApp) {
        let caller = app.caller().await;
        caller.user("ada@example.org").await;
        for name in ["ada@example.org", "ADA@example.org", "\u{ff41}da@example.org"] {
            let detail = caller.post("/Users", &user(name)).await.expect_error(409, Some("uniqueness"));
            assert!(detail.contains("userName"), "{detail}");
        }
        let list = caller.get("/Users").await.expect(200);
        assert_eq!(list["totalResults"], 1);
    }

    async fn a_repeated_create_changes_nothing(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller.create("/Users", &user_with("a", json!({ "title": "first" }))).await;
        caller.post("/Users", &user("a")).await.expect_error(409, Some("uniqueness"));
        assert_eq!(caller.get(&format!("/Users/{}", id(&created))).await.expect(200), created);
    }

    async fn another_organization_may_use_the_same_name(app: &TestApp) {
        app.caller().await.user("ada").await;
        app.caller().await.user("ada").await;
    }

    async fn bodies_that_are_no_user_are_refused_and_nothing_is_stored(app: &TestApp) {
        let caller = app.caller().await;
        let syntax = [Some("invalidSyntax"), Some("invalidValue")];
        let value = [Some("invalidValue"), Some("invalidSyntax")];
        for (body, allowed) in [
            (json!([]), syntax),
            (json!("text"), syntax),
            (json!({}), syntax),
            (json!({ "userName": "a" }), syntax),
            (json!({ "schemas": [], "userName": "a" }), syntax),
            (json!({ "schemas": [GROUP], "userName": "a" }), syntax),
            (json!({ "schemas": USER, "userName": "a" }), syntax),
            (json!({ "schemas": [1], "userName": "a" }), syntax),
            (json!({ "schemas": [USER] }), value),
            (user(""), value),
            (user("  "), value),
            (user(" a"), value),
            (user("a "), value),
            (user("a\u{200b}b"), value),
            (user("a\u{202e}b"), value),
            (user("a\tb"), value),
            (user("a\u{0}b"), value),
            (user_with("a", json!({ "title": "x\u{0}" })), value),
            (user_with("a", json!({ "userName": 1 })), value),
            (user_with("a", json!({ "active": "perhaps" })), value),
            (user_with("a", json!({ "name": "Ada" })), value),
            (user_with("a", json!({ "emails": "a@x" })), value),
            (user_with("a", json!({ "emails": [{ "value": { "x": 1 } }] })), value),
        ] {
            let answer = caller.post("/Users", &body).await;
            let kind = answer.expect(400)["scimType"].as_str().map(str::to_owned);
            assert!(allowed.contains(&kind.as_deref()), "{body}: {}", answer.text);
        }
        assert_eq!(caller.get("/Users").await.expect(200)["totalResults"], 0);
    }

    async fn booleans_as_text_and_null_values_are_understood(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller
            .create("/Users", &user_with("a", json!({ "active": "False", "title": null, "emails": [] })))
            .await;
        assert_eq!(created["active"], false);
        assert_eq!((created.get("title"), created.get("emails")), (None, None));
    }

    async fn the_answer_shows_what_was_asked_for(app: &TestApp) {
        let caller = app.caller().await;
        let shown = caller.post("/Users?attributes=userName", &user_with("a", json!({ "title": "t" }))).await.expect(201);
        let names: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        assert!(names.contains(&"userName".to_owned()) && names.contains(&"id".to_owned()), "{shown}");
        assert_eq!((shown.get("title"), shown.get("meta")), (None, None));
        let shown = caller.post("/Users?excludedAttributes=title", &user_with("b", json!({ "title": "t" }))).await;
        assert_eq!(shown.expect(201).get("title"), None::<&Value>);
    }

    async fn an_internal_id_sent_as_external_id_opens_nothing(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller.create("/Users", &user_with("a", json!({ "externalId": "1", "id": "1" }))).await;
        assert_ne!(created["id"], "1");
        caller.get("/Users/1").await.expect_error(404, None);
    }
}
