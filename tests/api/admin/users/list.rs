//! The list of people: filters, orders, pages, search, export.

use serde_json::{Value, json};

use super::{grant, local, names, pushed};
use crate::helpers::*;
use rollcall::domain::ids::ResourceId;

/// Local: ben (active, billing), Zoë (held), ann (invited). Directory: Chiara (active, read_only), Dora (deactivated), and
/// one without name and address.
async fn populate(app: &TestApp, tenant: &Tenant) {
    local(app, tenant, "ben", "billing").await;
    let zoe = local(app, tenant, "Zoë", "").await;
    let admin = app.admin(tenant, "admin").await;
    admin.post(&format!("/users/{zoe}/suspend"), &json!({})).await.expect(200);
    local(app, tenant, "ann", "").await;
    app.execute("UPDATE users SET invited = TRUE WHERE display_name = 'ann'").await;
    pushed(
        tenant,
        "Chiara",
        json!({ "roles": [{ "value": "read_only" }], "emails": [{ "value": "a-first@dir.example" }] }),
    )
    .await;
    let dora = json!({ "active": false, "emails": [{ "value": "dora@dir.example" }, { "value": "zz@dir.example", "primary": true }] });
    pushed(tenant, "Dora", dora).await;
    tenant.caller.create("/Users", &user("nameless@dir.example")).await;
}

/// All pages of a list, one way and back.
async fn walk(admin: &Admin, query: &str, limit: usize) -> Vec<String> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    let ids = |page: &Value| {
        let rows = page["data"].as_array().expect("data").iter();
        rows.map(|row| row["user_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let previous = loop {
        let page = admin.get(&format!("/users?limit={limit}&{query}{cursor}")).await.expect(200);
        pages.push(ids(&page));
        match page["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break page["page"]["prev_cursor"].clone(),
        }
        assert!(pages.len() < 50);
    };
    let mut previous = previous;
    for expected in pages.iter().rev().skip(1) {
        let back = previous.as_str().expect("a page before");
        let page = admin.get(&format!("/users?limit={limit}&{query}&cursor={back}")).await.expect(200);
        assert_eq!(&ids(&page), expected, "{query}");
        previous = page["page"]["prev_cursor"].clone();
    }
    assert_eq!(previous, Value::Null, "{query}");
    pages.concat()
}

on_both! {
    async fn filters_select_and_combine(app: &TestApp) {
        let tenant = app.tenant().await;
        populate(app, &tenant).await;
        // People of another organization are never among them.
        populate(app, &app.tenant().await).await;
        let admin = app.admin(&tenant, "admin").await;
        let chiara = admin.get("/users?q=chiara").await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let group = tenant.caller.group("Sales", &[&chiara]).await;
        admin.put(&format!("/groups/{group}/role-mapping"), &json!({ "roles": ["data_admin", "admin"] })).await.expect(200);
        let connection = tenant.made.connection.id;
        for (query, expected) in [
            ("", vec!["ann", "ben", "Chiara", "Dora", "Zoë", ""]),
            ("status=active", vec!["ben", "Chiara", ""]),
            ("status=invited", vec!["ann"]),
            ("status=suspended", vec!["Dora", "Zoë"]),
            ("status=suspended&status=invited", vec!["ann", "Dora", "Zoë"]),
            ("role=billing", vec!["ben"]),
            ("role=read_only", vec!["Chiara"]),
            ("role=data_admin", vec!["Chiara"]),
            // A directory's group hands out admin only where its connection may.
            ("role=admin", vec![]),
            ("role=billing&role=data_admin", vec!["ben", "Chiara"]),
            ("role_source=group", vec!["Chiara"]),
            ("role_source=direct", vec!["ben"]),
            ("role_source=directory&role=read_only", vec!["Chiara"]),
            ("role_source=direct&role=read_only", vec![]),
            ("managed_by=local", vec!["ann", "ben", "Zoë"]),
            ("managed_by=external", vec!["Chiara", "Dora", ""]),
            ("managed_by=external&managed_by=local&q=an", vec!["ann"]),
            ("mfa=off", vec!["ann", "ben", "Zoë"]),
            ("mfa=at_identity_provider&status=active", vec!["Chiara", ""]),
            ("mfa=on", vec![]),
            ("q=zo%C3%AB", vec!["Zoë"]),
            ("q=ZO%C3%8B%40LOCAL", vec!["Zoë"]),
            ("q=dir.example&status=suspended", vec!["Dora"]),
            ("q=zz%40", vec!["Dora"]),
            ("q=nameless&q=ben", vec!["ben", ""]),
            ("q=%25", vec![]),
            ("q=_", vec![]),
            ("inactive_since=2000-01-01T00:00:00Z&managed_by=local", vec!["ann", "ben", "Zoë"]),
            ("created_after=2000-01-01T00:00:00Z&status=invited", vec!["ann"]),
            ("created_after=2999-01-01T00:00:00Z", vec![]),
        ] {
            let page = admin.get(&format!("/users?include_total=true&{query}")).await.expect(200);
            assert_eq!(names(&page), expected, "{query}");
            assert_eq!(page["page"]["total"], expected.len(), "{query}");
        }
        for (query, count) in [(format!("group={group}"), 1), (format!("connection={connection}"), 3)] {
            let page = admin.get(&format!("/users?include_total=true&{query}")).await.expect(200);
            assert_eq!((names(&page).len(), &page["page"]["total"]), (count, &json!(count)), "{query}");
        }
        app.execute("UPDATE connections SET settings = '{\"may_grant_admin\":true}'").await;
        assert_eq!(names(&admin.get("/users?role=admin").await.expect(200)), ["Chiara"]);
    }

    async fn every_order_is_total_and_walked_both_ways(app: &TestApp) {
        let tenant = app.tenant().await;
        populate(app, &tenant).await;
        let second = app.second_connection(&tenant).await;
        second.create("/Users", &user_with("eva@second.example", json!({ "displayName": "Bea" }))).await;
        let admin = app.admin(&tenant, "admin").await;
        let ids = admin.get("/users").await.expect(200);
        let of = |name: &str| {
            let rows = ids["data"].as_array().unwrap();
            rows.iter().find(|row| row["name"]["display"] == name).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let sqlite = app.state.db.backend() == rollcall::storage::Backend::Sqlite;
        for (name, at) in [("Dora", 5), ("ben", 9)] {
            let id = of(name);
            let id = if sqlite { format!("x'{}'", id.replace('-', "")) } else { format!("'{id}'") };
            app.execute(&format!("INSERT INTO activity SELECT organization, id, {at} FROM users WHERE id = {id}")).await;
        }
        let (ann, ben, zoe) = ("ann@local.example", "ben@local.example", "Zoë@local.example");
        let (chiara, dora) = ("Chiara@dir.example", "Dora@dir.example");
        let (none, eva) = ("nameless@dir.example", "eva@second.example");
        for (query, expected) in [
            ("sort=name", vec![ann, eva, ben, chiara, dora, zoe, none]),
            ("sort=-name", vec![zoe, dora, chiara, ben, eva, ann, none]),
            ("sort=email", vec![chiara, ann, ben, zoe, dora, none, eva]),
            ("sort=-email", vec![dora, zoe, ben, ann, chiara, eva, none]),
            ("sort=created_at", vec![ben, zoe, ann, chiara, dora, none, eva]),
            ("sort=-created_at", vec![eva, none, dora, chiara, ann, zoe, ben]),
            ("sort=last_active_at", vec![dora, ben, zoe, ann, chiara, none, eva]),
            ("sort=-last_active_at", vec![ben, dora, eva, none, chiara, ann, zoe]),
            ("sort=status", vec![ben, chiara, none, eva, ann, zoe, dora]),
            ("sort=-status,name", vec![dora, zoe, ann, eva, ben, chiara, none]),
            ("sort=managed_by,-name", vec![zoe, ben, ann, dora, chiara, eva, none]),
            ("sort=managed_by,status,-created_at", vec![ben, ann, zoe, eva, none, chiara, dora]),
            ("sort=-email&managed_by=external&status=active", vec![chiara, eva, none]),
            ("sort=email&q=dir.example", vec![chiara, dora, none]),
        ] {
            for limit in [1, 2, 3, 100] {
                assert_eq!(walk(&admin, query, limit).await, expected, "{query} {limit}");
            }
        }
        for wrong in ["sort=name,status", "sort=name,email", "sort=nmae", "q=", "status=on", "role=owner", "group=x", "mfa=1", "created_after=x", "managed_by=x", "role_source=x", "inactive_since=1"] {
            admin.get(&format!("/users?{wrong}")).await.expect_problem(400, "filter-invalid");
        }
        let cursor = admin.get("/users?limit=2").await.expect(200)["page"]["next_cursor"].as_str().unwrap().to_owned();
        for other in ["sort=-name", "status=active", "q=a"] {
            admin.get(&format!("/users?{other}&cursor={cursor}")).await.expect_problem(400, "cursor-invalid");
        }
    }

    async fn pages_stay_right_while_people_come_and_go(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        for name in ["a", "c", "e", "g"] {
            local(app, &tenant, name, "").await;
        }
        let first = admin.get("/users?limit=2").await.expect(200);
        assert_eq!(names(&first), ["a", "c"]);
        let gone = first["data"][1]["id"].as_str().unwrap();
        assert_eq!(admin.delete(&format!("/users/{gone}")).await.status, 204);
        for name in ["b", "d", "h"] {
            local(app, &tenant, name, "").await;
        }
        let cursor = first["page"]["next_cursor"].as_str().unwrap();
        let second = admin.get(&format!("/users?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!(names(&second), ["d", "e"]);
        let back = second["page"]["prev_cursor"].as_str().unwrap();
        assert_eq!(names(&admin.get(&format!("/users?limit=2&cursor={back}")).await.expect(200)), ["a", "b"]);
    }

    async fn a_list_of_people_is_exported(app: &TestApp) {
        let tenant = app.tenant().await;
        populate(app, &tenant).await;
        let id = pushed(&tenant, "=cmd()", json!({})).await;
        grant(app, &tenant, ResourceId::parse(&id).unwrap(), "billing,read_only").await;
        let admin = app.admin(&tenant, "admin").await;
        let answer = send(admin.request("GET", "/users?role=billing&sort=name").header("Accept", "text/csv")).await;
        assert_eq!(answer.status, 200);
        let lines: Vec<&str> = answer.text.lines().collect();
        assert!(lines[0].starts_with("id,email,user_name,display_name,"), "{}", lines[0]);
        assert!(lines[1].contains(",'=cmd()@dir.example,'=cmd(),") && lines[1].contains(",active,read_only billing,"), "{}", lines[1]);
        assert_eq!((lines.len(), lines[2].contains("ben@local.example")), (3, true));
        let answer = send(admin.request("GET", "/users").header("Accept", "application/x-ndjson")).await;
        assert_eq!(answer.text.lines().count(), 7);
    }
}
