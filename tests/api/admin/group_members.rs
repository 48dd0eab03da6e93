//! `/groups/{id}/members`: people of both kinds and groups side by side.

use serde_json::{Value, json};

use crate::helpers::*;

fn column(page: &Value, name: &str) -> Vec<String> {
    page["data"].as_array().expect("data").iter().map(|row| row[name].as_str().unwrap_or("-").to_owned()).collect()
}

on_both! {
    async fn a_group_holds_people_of_both_kinds_and_groups(app: &TestApp) {
        let tenant = app.tenant().await;
        let second = app.second_connection(&tenant).await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = app.local_person(&tenant, "ann@example.com").await;
        let ben = id(&tenant.caller.create("/Users", &user_with("ben@example.com", json!({ "displayName": "Ben B" }))).await);
        let cem = second.user("cem@example.com").await;
        let theirs = second.group("Theirs", &[&cem]).await;
        let group = id(&admin.post("/groups", &json!({ "name": "All" })).await.expect(201));
        let path = format!("/groups/{group}");
        let before = admin.get(&path).await.header("etag").to_owned();
        for member in [&ann, &ben, &cem, &theirs] {
            assert_eq!(admin.put(&format!("{path}/members/{member}"), &json!({})).await.status, 204);
        }
        let after = admin.get(&path).await;
        assert_eq!(after.expect(200)["member_count"], 4);
        assert_ne!(after.header("etag"), before);
        // There already: nothing changes.
        assert_eq!(admin.put(&format!("{path}/members/{ann}"), &json!({})).await.status, 204);
        assert_eq!(admin.get(&path).await.header("etag"), after.header("etag"));

        let page = admin.get(&format!("{path}/members?sort=name&include_total=true")).await.expect(200);
        assert_eq!(column(&page, "name"), ["ann@example.com", "Ben B", "cem@example.com", "Theirs"]);
        assert_eq!(column(&page, "type"), ["user", "user", "user", "group"]);
        assert_eq!(column(&page, "managed_by"), ["local", "external", "external", "external"]);
        assert_eq!(column(&page, "user_name"), ["ann@example.com", "ben@example.com", "cem@example.com", "-"]);
        assert_eq!(page["page"]["total"], 4);
        for (query, expected) in [
            ("type=group", vec![&theirs]),
            ("type=user&q=BEN", vec![&ben]),
            ("q=example&sort=-name", vec![&cem, &ben, &ann]),
        ] {
            assert_eq!(column(&admin.get(&format!("{path}/members?{query}")).await.expect(200), "id"), expected.into_iter().cloned().collect::<Vec<_>>(), "{query}");
        }
        admin.get(&format!("{path}/members?type=robot")).await.expect_problem(400, "filter-invalid");

        assert_eq!(admin.delete(&format!("{path}/members/{ben}")).await.status, 204);
        admin.delete(&format!("{path}/members/{ben}")).await.expect_problem(404, "not-found");
        admin.put(&format!("{path}/members/{group}"), &json!({})).await.expect_problem(404, "not-found");
        tenant.caller.get(&format!("/Users/{ben}")).await.expect(200);
    }

    async fn members_are_paged_by_id_and_by_name(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let mut members = Vec::new();
        for name in ["e", "d", "c", "b", "a"] {
            members.push(app.local_person(&tenant, name).await);
        }
        let group = id(&admin.post("/groups", &json!({ "name": "All", "members": members })).await.expect(201));
        for (sort, expected) in [("id", ["e", "d", "c", "b", "a"]), ("name", ["a", "b", "c", "d", "e"]), ("-name", ["e", "d", "c", "b", "a"])] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = admin.get(&format!("/groups/{group}/members?sort={sort}&limit=2{cursor}")).await.expect(200);
                seen.extend(column(&page, "name"));
                let Some(next) = page["page"]["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, expected, "{sort}");
        }
        let csv = send(admin.request("GET", &format!("/groups/{group}/members?sort=name")).header("Accept", "text/csv")).await;
        let lines: Vec<&str> = csv.text.split("\r\n").collect();
        assert_eq!((lines[0], lines.len()), ("id,type,name,user_name,managed_by", 7));
        assert!(lines[1].ends_with(",user,a,a,local"), "{}", lines[1]);
    }

    async fn staged_people_are_no_members_to_be(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = tenant.caller.user("ann@example.com").await;
        let theirs = tenant.caller.group("Theirs", &[&ann]).await;
        let group = id(&admin.post("/groups", &json!({ "name": "All", "members": [ann], "roles": ["billing"] })).await.expect(201));
        app.set_connections(&tenant, "state = 'observe'").await;
        admin.put(&format!("/groups/{group}/members/{ann}"), &json!({})).await.expect_problem(404, "not-found");
        admin.put(&format!("/groups/{group}/members/{theirs}"), &json!({})).await.expect_problem(404, "not-found");
        admin.get(&format!("/groups/{theirs}")).await.expect_problem(404, "not-found");
        assert_eq!(column(&admin.get(&format!("/groups/{group}/members")).await.expect(200), "id"), Vec::<String>::new());
        assert_eq!(admin.get("/roles?key=billing").await.expect(200)["data"][0]["member_count"]["total"], 0);
        app.set_connections(&tenant, "state = 'active'").await;
        assert_eq!(admin.get("/roles?key=billing").await.expect(200)["data"][0]["member_count"]["total"], 1);
    }

    async fn only_an_admin_puts_an_admin_anywhere(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let ann = app.local_person(&tenant, "ann@example.com").await;
        app.give(&tenant, &ann, "admin").await;
        let group = id(&team.post("/groups", &json!({ "name": "All" })).await.expect(201));
        team.put(&format!("/groups/{group}/members/{ann}"), &json!({})).await.expect_problem(403, "permission-denied");
        admin.put(&format!("/groups/{group}/members/{ann}"), &json!({})).await.expect(204);
        team.delete(&format!("/groups/{group}/members/{ann}")).await.expect_problem(403, "permission-denied");
        admin.delete(&format!("/groups/{group}/members/{ann}")).await.expect(204);
    }

    async fn many_are_added_at_once_without_loss(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let group = id(&admin.post("/groups", &json!({ "name": "All" })).await.expect(201));
        let mut members = Vec::new();
        for n in 0..12 {
            members.push(app.local_person(&tenant, &format!("u{n}")).await);
        }
        let add = async |member: &String| admin.put(&format!("/groups/{group}/members/{member}"), &json!({})).await.status;
        let answers = futures_util::future::join_all(members.iter().map(add)).await;
        assert_eq!(answers, [204; 12]);
        assert_eq!(admin.get(&format!("/groups/{group}")).await.expect(200)["member_count"], 12);
    }
}
