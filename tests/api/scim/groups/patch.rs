//! `PATCH /Groups/{id}` (RFC 7644 §3.5.2).

use serde_json::{Value, json};

use crate::helpers::*;

fn members(op: &str, ids: &[&str]) -> Value {
    let values: Vec<_> = ids.iter().map(|id| json!({ "value": id })).collect();
    patch(json!([{ "op": op, "path": "members", "value": values }]))
}

on_both! {
    async fn members_come_and_go_in_every_dialect(app: &TestApp) {
        let caller = app.caller().await;
        let (ada, ben) = (caller.user("ada").await, caller.user("ben").await);
        let group = caller.group("g", &[]).await;
        let path = format!("/Groups/{group}");
        let both = { let mut both = vec![ada.clone(), ben.clone()]; both.sort(); both };
        let just = |id: &str| vec![id.to_owned()];
        for (operation, expected) in [
            (json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": ada }] }), just(&ada)),
            (json!({ "op": "add", "value": { "members": [{ "value": ben }, { "value": ada }] } }), both.clone()),
            (json!({ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }), just(&ben)),
            (json!({ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }), just(&ben)),
            (json!({ "op": "replace", "path": "members", "value": [{ "value": ada }, { "value": ben }] }), both.clone()),
            (json!({ "op": "Remove", "path": "members", "value": [{ "value": ben }] }), just(&ada)),
            (json!({ "op": "remove", "path": "members", "value": [{ "value": "01a20d51-c3b0-7001-bae9-094714cae2b2" }] }), just(&ada)),
            (json!({ "op": "remove", "path": "members" }), vec![]),
            (json!({ "op": "replace", "value": { "id": group, "displayName": "h" } }), vec![]),
        ] {
            caller.patch(&path, &patch(json!([operation]))).await.expect(200);
            assert_eq!(caller.members(&group).await, expected, "{operation}");
        }
        assert_eq!(caller.get(&path).await.expect(200)["displayName"], "h");
    }

    async fn members_chosen_by_more_than_their_id_are_found(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("ada").await;
        let inner = caller.group("inner", &[]).await;
        let group = caller.group("g", &[&user, &inner]).await;
        let body = patch(json!([{ "op": "remove", "path": "members[type eq \"Group\"]" }]));
        caller.patch(&format!("/Groups/{group}"), &body).await.expect(200);
        assert_eq!(caller.members(&group).await, [user]);
    }

    async fn a_large_group_is_answered_without_a_body_unless_one_is_asked_for(app: &TestApp) {
        let caller = app.caller().await;
        let mut ids = Vec::new();
        for number in 0..101 {
            ids.push(caller.user(&format!("user{number}")).await);
        }
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let path = format!("/Groups/{}", caller.group("g", &ids[..99]).await);
        let hundred = caller.patch(&path, &members("add", &ids[99..100])).await.expect(200);
        assert_eq!(hundred["members"].as_array().map(Vec::len), Some(100));
        let more = caller.patch(&path, &members("add", &ids[100..])).await;
        assert_eq!((more.status, more.text.as_str(), more.header("etag")), (204, "", "W/\"3\""));
        let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "h" }]));
        assert_eq!(caller.patch(&path, &rename).await.status, 204);
        let shown = caller.patch(&format!("{path}?attributes=members"), &members("remove", &ids[..0])).await;
        assert_eq!(shown.expect(200)["members"].as_array().map(Vec::len), Some(101));
        let shown = caller.patch(&format!("{path}?excludedAttributes=members"), &rename).await.expect(200);
        assert_eq!((shown.get("members"), &shown["displayName"]), (None, &json!("h")));
        let request = caller.request("PATCH", &path).header("Prefer", "return=representation");
        let body = members("remove", &ids[..50]).to_string();
        let shown = send(request.header("Content-Type", "application/scim+json").body(body)).await.expect(200);
        assert_eq!(shown["members"].as_array().map(Vec::len), Some(51));
        let group = caller.put(&path, &group("h", &ids)).await.expect(200);
        assert_eq!(group["members"].as_array().map(Vec::len), Some(101));
    }

    async fn what_changes_nothing_keeps_the_version(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let path = format!("/Groups/{}", caller.group("g", &[&user]).await);
        let before = caller.get(&path).await.expect(200);
        app.advance(1_000_000);
        for body in [
            members("add", &[&user]),
            members("replace", &[&user]),
            members("remove", &["01a20d51-c3b0-7001-bae9-094714cae2b2"]),
            members("remove", &["x"]),
            patch(json!([{ "op": "replace", "path": "displayName", "value": "g" }])),
        ] {
            assert_eq!(caller.patch(&path, &body).await.expect(200), before, "{body}");
        }
    }

    async fn an_unknown_member_is_refused_and_the_rest_is_not_done(app: &TestApp) {
        let caller = app.caller().await;
        let (ada, ben) = (caller.user("ada").await, caller.user("ben").await);
        let group = caller.group("g", &[&ada]).await;
        let path = format!("/Groups/{group}");
        for op in ["add", "replace"] {
            for unknown in ["x", "01a20d51-c3b0-7001-bae9-094714cae2b2"] {
                let detail = caller.patch(&path, &members(op, &[&ben, unknown])).await.expect_error(400, Some("invalidValue"));
                assert!(detail.contains(unknown), "{detail}");
                assert_eq!(caller.members(&group).await, std::slice::from_ref(&ada));
            }
        }
    }

    async fn sixteen_writers_adding_eight_each_leave_all(app: &TestApp) {
        let caller = app.caller().await;
        let mut users = Vec::new();
        for number in 0..128 {
            users.push(caller.user(&format!("user{number}")).await);
        }
        let group = caller.group("g", &[]).await;
        let writers: Vec<_> = users
            .chunks(8)
            .map(|share| {
                let (caller, path, share) = (caller.clone(), format!("/Groups/{group}"), share.to_vec());
                tokio::spawn(async move {
                    for user in share {
                        let answer = caller.patch(&path, &members("add", &[&user])).await;
                        assert!(matches!(answer.status, 200 | 204), "{}", answer.text);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("every add is done");
        }
        users.sort();
        assert_eq!(caller.members(&group).await, users);
    }

    async fn a_condition_guards_members_without_reading_them(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let group = caller.group("g", &[]).await;
        let add = |tag: &'static str| {
            let request = caller.request("PATCH", &format!("/Groups/{group}")).header("If-Match", tag);
            send(request.header("Content-Type", "application/scim+json").body(members("add", &[&user]).to_string()))
        };
        for tag in ["W/\"2\"", "W/\"2\", W/\"3\"", "nonsense"] {
            add(tag).await.expect_error(412, None);
        }
        assert_eq!(caller.members(&group).await, [""; 0]);
        add("W/\"1\"").await.expect(200);
        add("*").await.expect(200);
    }

    async fn an_unknown_group_is_404(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        for id in ["x", "01a20d51-c3b0-7001-bae9-094714cae2b2", user.as_str()] {
            caller.patch(&format!("/Groups/{id}"), &members("add", &[&user])).await.expect_error(404, None);
        }
    }
}
