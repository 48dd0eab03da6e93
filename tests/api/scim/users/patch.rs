//! `PATCH /Users/{id}` (RFC 7644 §3.5.2).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn operations_apply_in_order_and_the_whole_user_is_answered(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let operations = json!([
            { "op": "add", "path": "emails", "value": [{ "value": "a@x", "type": "work" }] },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@x" },
            { "op": "replace", "value": { "name.givenName": "Ada", "active": "False" } },
            { "op": "remove", "path": "title" },
        ]);
        let answer = caller.patch(&path, &patch(operations)).await;
        let patched = answer.expect(200);
        assert_eq!(patched["emails"], json!([{ "value": "b@x", "type": "work" }]));
        assert_eq!(patched["name"], json!({ "givenName": "Ada" }));
        assert_eq!(patched["active"], false);
        assert_eq!(patched["meta"]["version"], "W/\"2\"");
        assert_eq!(answer.header("etag"), "W/\"2\"");
        assert_eq!(caller.get(&path).await.expect(200), patched);
    }

    async fn one_failing_operation_leaves_everything_as_it_was(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller.create("/Users", &user("a")).await;
        let path = format!("/Users/{}", id(&created));
        for (bad, kind) in [
            (json!({ "op": "replace", "path": "nonsense", "value": 1 }), "invalidPath"),
            (json!({ "op": "replace", "path": "emails[value eq \"x\"].type", "value": "work" }), "noTarget"),
            (json!({ "op": "remove" }), "noTarget"),
            (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "replace", "path": "active", "value": "perhaps" }), "invalidValue"),
            (json!({ "op": "remove", "path": "userName" }), "mutability"),
            (json!({ "op": "move", "path": "title" }), "invalidSyntax"),
            (json!({ "op": "replace", "path": "emails[type eq", "value": "x" }), "invalidPath"),
        ] {
            let operations = json!([{ "op": "replace", "path": "title", "value": "lost" }, bad]);
            let answer = caller.patch(&path, &patch(operations.clone())).await;
            assert_eq!(answer.status, 400, "{operations}: {}", answer.text);
            let got = answer.expect(400)["scimType"].as_str().map(str::to_owned);
            let filter_in_path = kind == "invalidPath" && got.as_deref() == Some("invalidFilter");
            assert!(filter_in_path || got.as_deref() == Some(kind), "{operations}: {}", answer.text);
        }
        assert_eq!(caller.get(&path).await.expect(200), created);
    }

    async fn no_change_keeps_version_and_time(app: &TestApp) {
        let caller = app.caller().await;
        let created = caller.create("/Users", &user_with("a", json!({ "title": "t" }))).await;
        let path = format!("/Users/{}", id(&created));
        app.advance(1_000_000);
        let same = json!([
            { "op": "replace", "path": "title", "value": "t" },
            { "op": "remove", "path": "nickName" },
            { "op": "replace", "path": "password", "value": "secret" },
        ]);
        let answer = caller.patch(&path, &patch(same)).await;
        assert_eq!(answer.expect(200), created);
        assert!(!answer.text.contains("secret"));
    }

    async fn a_rename_onto_a_taken_name_is_refused(app: &TestApp) {
        let caller = app.caller().await;
        caller.user("taken").await;
        let path = format!("/Users/{}", caller.user("a").await);
        let rename = patch(json!([{ "op": "replace", "path": "userName", "value": "TAKEN" }]));
        caller.patch(&path, &rename).await.expect_error(409, Some("uniqueness"));
        let other_case = patch(json!([{ "op": "replace", "path": "userName", "value": "A" }]));
        assert_eq!(caller.patch(&path, &other_case).await.expect(200)["userName"], "A");
    }

    async fn attributes_ask_for_a_body_even_with_minimal(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let titled = |title: &str| patch(json!([{ "op": "add", "path": "title", "value": title }])).to_string();
        let prefer = |query: &str, title: &str| {
            let request = caller.request("PATCH", &format!("{path}{query}")).header("Prefer", "return=minimal");
            send(request.header("Content-Type", "application/scim+json").body(titled(title)))
        };
        assert_eq!(prefer("", "1").await.status, 204);
        let shown = prefer("?attributes=title", "2").await.expect(200);
        assert_eq!((&shown["title"], shown.get("userName")), (&json!("2"), None));
    }

    async fn writers_without_a_condition_do_not_lose_each_others_changes(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let writes = ["title", "nickName", "locale", "timezone", "preferredLanguage", "userType"].map(|name| {
            let (caller, path) = (caller.clone(), path.clone());
            tokio::spawn(async move {
                let body = patch(json!([{ "op": "add", "path": name, "value": "x" }]));
                caller.patch(&path, &body).await.status
            })
        });
        for write in writes {
            assert_eq!(write.await.expect("runs"), 200);
        }
        let got = caller.get(&path).await.expect(200);
        for name in ["title", "nickName", "locale", "timezone", "preferredLanguage", "userType"] {
            assert_eq!(got[name], "x", "{got}");
        }
        assert_eq!(got["meta"]["version"], "W/\"7\"");
    }

    async fn a_stale_condition_is_412_and_a_fresh_one_is_not(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let body = patch(json!([{ "op": "add", "path": "title", "value": "x" }])).to_string();
        let with = |tag: &'static str| {
            let request = caller.request("PATCH", &path).header("If-Match", tag);
            send(request.header("Content-Type", "application/scim+json").body(body.clone()))
        };
        with("W/\"3\"").await.expect_error(412, None);
        with("W/\"1\"").await.expect(200);
        with("W/\"1\"").await.expect_error(412, None);
    }
}
