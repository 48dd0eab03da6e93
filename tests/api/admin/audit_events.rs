//! Who did what: the events of an organization with their doers' and targets' names, refused deeds included.

use rollcall::domain::event::EventKind;
use rollcall::service::ids;
use rollcall::storage::{Deed, RefusedDeed};
use serde_json::{Value, json};

use crate::helpers::*;

fn rows(page: &Value) -> &Vec<Value> {
    page["data"].as_array().expect("data")
}

async fn actions(admin: &Admin, query: &str) -> Vec<String> {
    let page = admin.get(&format!("/audit-events?sort=at&{query}")).await.expect(200);
    rows(&page).iter().map(|row| row["action"].as_str().expect("an action").to_owned()).collect()
}

on_both! {
    async fn events_name_doer_target_and_changes(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        let ben = scim.user("ben").await;
        let body = patch(json!([{"op": "replace", "path": "title", "value": "Boss"}]));
        let request = scim.request("PATCH", &format!("/Users/{ben}")).header("X-Request-Id", "push-1");
        send(request.header("Content-Type", "application/json").body(body.to_string())).await.expect(200);
        let long = format!("{}/{}", "ops-tool", "1".repeat(300));
        let request = admin.request("POST", "/api-keys").header("User-Agent", &long).header("Content-Type", "application/json");
        let key = send(request.body(json!({"name": "Export", "roles": ["read_only"]}).to_string())).await.expect(201);
        admin.delete(&format!("/api-keys/{}", key["id"].as_str().unwrap())).await.expect(204);
        scim.delete(&format!("/Users/{ben}")).await.expect(204);
        let all = actions(&admin, "").await;
        assert!(all.starts_with(&["organization.created".to_owned(), "connection.created".to_owned()]), "{all:?}");
        assert!(all.ends_with(&["user.created", "user.updated", "api_key.created", "api_key.revoked", "user.deleted"].map(str::to_owned)), "{all:?}");
        let page = admin.get("/audit-events?action=user.updated").await.expect(200);
        let event = &rows(&page)[0];
        assert_eq!(event["actor"]["type"], "scim");
        assert_eq!(event["actor"]["label"], json!(tenant.made.connection.name));
        assert_eq!(event["target"], json!({"type": "user", "id": ben, "label": "ben"}));
        assert_eq!(event["changes"], json!([{"field": "title", "from": null, "to": "Boss"}]));
        assert_eq!((&event["result"], &event["problem_code"], &event["request_id"]), (&json!("ok"), &Value::Null, &json!("push-1")));
        assert_eq!(event["organization"], tenant.made.organization.id.to_string());
        let made = &rows(&admin.get("/audit-events?action=api_key.created&actor=api_key").await.expect(200))[0].clone();
        assert_eq!((&made["actor"]["label"], &made["target"]["label"]), (&json!("test"), &json!("Export")));
        assert_eq!((&made["ip"], &made["user_agent"]), (&json!("127.0.0.1"), &json!(long[..256])));
        let path = format!("/audit-events/{}", event["id"].as_str().unwrap());
        let one = admin.get(&path).await;
        assert_eq!(&one.expect(200), event);
        let same = send(admin.request("GET", &path).header("If-None-Match", one.header("etag"))).await;
        assert_eq!(same.status, 304);
    }

    async fn a_refused_deed_is_found_under_the_name_of_the_deed(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "read_only").await;
        let ben = tenant.caller.user("ben").await;
        let deed = Deed {
            event: ids::event(),
            at: app.state.clock.now(),
            actor: format!("operator:{}", ids::token()),
            request_id: "r".into(),
            ip: Some("192.0.2.1".into()),
            user_agent: Some("curl/8".into()),
            reason: Some("because".into()),
        };
        let refused = RefusedDeed {
            organization: tenant.made.organization.id,
            connection: Some(tenant.made.connection.id),
            kind: EventKind::UserDeleted,
            resource: ben.parse().unwrap(),
            problem: "managed-externally".into(),
        };
        app.state.db.record_refusal(deed, refused).await.expect("recorded");
        for query in ["result=refused", "action=user.deleted", "ip=192.0.2.1", "actor=operator&target=", "actor=operator"] {
            let query = query.replace("target=", &format!("target={ben}"));
            let page = admin.get(&format!("/audit-events?{query}")).await.expect(200);
            let event = &rows(&page)[0];
            assert_eq!((&event["action"], &event["result"]), (&json!("user.deleted"), &json!("refused")), "{query}");
            assert_eq!(event["problem_code"], "managed-externally");
            assert_eq!(event["actor"], json!({"type": "operator", "id": null, "label": "Service operator"}));
            assert_eq!((&event["target"]["label"], &event["reason"]), (&json!("ben"), &json!("because")));
        }
        assert_eq!(actions(&admin, "result=ok&action=user.deleted").await, Vec::<String>::new());
    }

    async fn pages_and_filters_hold_each_event_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        for n in 0..9 {
            scim.user(&format!("u{n}")).await;
        }
        for sort in ["at", "-at"] {
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let next = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                let page = admin.get(&format!("/audit-events?limit=4&include_total=true&action=user.created&sort={sort}{next}")).await.expect(200);
                assert_eq!(page["page"]["total"], 9);
                seen.extend(rows(&page).iter().map(|row| row["target"]["label"].as_str().unwrap().to_owned()));
                cursor = page["page"]["next_cursor"].as_str().map(str::to_owned);
                if cursor.is_none() { break; }
            }
            let mut expected: Vec<_> = (0..9).map(|n| format!("u{n}")).collect();
            if sort == "-at" { expected.reverse(); }
            assert_eq!(seen, expected);
        }
        app.advance(91 * 86_400_000_000);
        assert_eq!(actions(&admin, "").await, Vec::<String>::new());
        assert_eq!(actions(&admin, "from=2001-01-01T00:00:00Z&action=user.created").await.len(), 9);
        assert_eq!(actions(&admin, "from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z").await, Vec::<String>::new());
        for wrong in ["action=user", "result=maybe", "from=x", "sort=actor"] {
            admin.get(&format!("/audit-events?{wrong}")).await.expect_problem(400, "filter-invalid");
        }
        let request = admin.request("GET", "/audit-events?from=2001-01-01T00:00:00Z&action=user.created");
        let csv = send(request.header("Accept", "text/csv")).await;
        assert_eq!(csv.text.lines().count(), 10, "{}", csv.text);
        assert!(csv.text.starts_with("id,at,action,result,actor_type,"), "{}", csv.text);
    }

    async fn another_organization_sees_nothing_of_it(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        one.caller.user("ben").await;
        let event = rows(&admin.get("/audit-events?action=user.created").await.expect(200))[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(actions(&foreign, "action=user.created").await, Vec::<String>::new());
        let ask = async |id: &str| {
            send(foreign.request("GET", &format!("/audit-events/{id}")).header("X-Request-Id", "same")).await
        };
        let answer = ask(&event).await;
        answer.expect_problem(404, "not-found");
        for unknown in ["1-999999", "999999", "x", "0", "0192f3a0-0000-7000-8000-000000000000"] {
            assert_eq!(ask(unknown).await.text, answer.text, "{unknown}");
        }
    }
}
