//! `/groups`: made here or by a directory, and what they are mapped to.

use serde_json::{Value, json};

use crate::helpers::*;

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().expect("data").iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

async fn make(admin: &Admin, name: &str) -> String {
    id(&admin.post("/groups", &json!({ "name": name })).await.expect(201))
}

on_both! {
    async fn a_group_is_made_changed_and_deleted(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = app.local_person(&tenant, "ann@example.com").await;
        let body = json!({ "name": " Sales ", "description": "Sells", "members": [ann], "roles": ["data_admin"] });
        let answer = admin.post("/groups", &body).await;
        let made = answer.expect(201);
        let path = format!("/groups/{}", id(&made));
        assert!(answer.header("location").ends_with(&format!("/api/v1{path}")));
        assert_eq!(
            (&made["name"], &made["description"], &made["managed_by"], &made["member_count"], &made["roles"]),
            (&json!("Sales"), &json!("Sells"), &json!("local"), &json!(1), &json!(["data_admin"]))
        );
        assert_eq!((&made["connection"], &made["locked_fields"]), (&Value::Null, &json!([])));
        let read = admin.get(&path).await;
        assert_eq!((read.expect(200), read.header("etag")), (made, answer.header("etag")));
        let request = admin.request("GET", &path).header("If-None-Match", read.header("etag"));
        assert_eq!(send(request).await.status, 304);

        let changed = admin.patch(&path, &json!({ "name": "Sellers", "description": null })).await;
        let body = changed.expect(200);
        assert_eq!((&body["name"], &body["description"], &body["member_count"]), (&json!("Sellers"), &json!(""), &json!(1)));
        assert_ne!(changed.header("etag"), read.header("etag"));
        // Nothing differs: no new version.
        let again = admin.patch(&path, &json!({ "name": "Sellers" })).await;
        assert_eq!((again.expect(200), again.header("etag")), (body, changed.header("etag")));
        assert_eq!(admin.delete(&path).await.status, 204);
        admin.get(&path).await.expect_problem(404, "not-found");
        admin.delete(&path).await.expect_problem(404, "not-found");
        // The name is free again.
        make(&admin, "SELLERS").await;
    }

    async fn a_name_is_unique_letter_case_aside(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        tenant.caller.group("Directory's", &[]).await;
        let sales = make(&admin, "Sales").await;
        for name in ["SALES", "ｓａｌｅｓ", " sales", "directory's"] {
            admin.post("/groups", &json!({ "name": name })).await.expect_problem(409, "group-name-taken");
        }
        let other = make(&admin, "Other").await;
        let taken = admin.patch(&format!("/groups/{other}"), &json!({ "name": "sales" })).await;
        taken.expect_problem(409, "group-name-taken");
        // A change of case is no clash with itself, and the directory cannot take the name either.
        admin.patch(&format!("/groups/{sales}"), &json!({ "name": "SALES" })).await.expect(200);
        tenant.caller.post("/Groups", &group("sales", &[])).await.expect_error(409, Some("uniqueness"));
    }

    async fn all_that_is_wrong_with_a_group_is_said_at_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = app.local_person(&tenant, "ann@example.com").await;
        let pointers = |problem: Value| {
            let errors = problem["errors"].as_array().expect("errors").clone();
            errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let body = json!({ "name": "", "description": "x".repeat(501), "members": ["x", ann], "roles": ["owner"] });
        let problem = admin.post("/groups", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(problem), ["/name", "/description", "/members/0", "/roles/0"]);
        let body = json!({ "name": "a", "members": [ann, "0192f3a0-0000-7000-8000-000000000000"] });
        let problem = admin.post("/groups", &body).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(problem), ["/members/1"]);
        for body in [json!([]), json!({}), json!({ "name": ["a"] }), json!({ "name": "x".repeat(101) }), json!({ "name": "a", "nmae": 1 })] {
            admin.post("/groups", &body).await.expect_problem(422, "validation-failed");
        }
        assert_eq!(names(&admin.get("/groups").await.expect(200)), Vec::<&str>::new());
    }

    async fn a_directorys_group_is_locked_but_for_its_mapping(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = tenant.caller.user("ann@example.com").await;
        let body = json!({ "schemas": [GROUP], "displayName": "Sales", "externalId": "E1", "members": [{ "value": ann }] });
        let sales = id(&tenant.caller.create("/Groups", &body).await);
        let path = format!("/groups/{sales}");
        let read = admin.get(&path).await;
        let body = read.expect(200);
        assert_eq!((&body["managed_by"], &body["external_id"], &body["member_count"]), (&json!("external"), &json!("E1"), &json!(1)));
        assert_eq!(body["connection"]["id"], tenant.made.connection.id.to_string());
        for (answer, action) in [
            (admin.patch(&path, &json!({ "name": ["wrong"] })).await, "group.update"),
            (admin.delete(&path).await, "group.delete"),
            (admin.put(&format!("{path}/members/{ann}"), &json!({})).await, "group.update_members"),
            (admin.delete(&format!("{path}/members/{ann}")).await, "group.update_members"),
        ] {
            let problem = answer.expect_problem(403, "managed-externally");
            assert_eq!(problem["action"], action);
            assert_eq!(problem["resource"], json!({ "type": "group", "id": sales }));
            assert_eq!(problem["connection"]["id"], tenant.made.connection.id.to_string());
            assert_eq!(problem["locked_fields"], json!(["name", "description", "external_id", "members"]));
        }
        let tag = tenant.caller.get(&format!("/Groups/{sales}")).await.header("etag").to_owned();
        let mapped = admin.put(&format!("{path}/role-mapping"), &json!({ "roles": ["read_only"] })).await;
        assert_eq!(mapped.expect(200)["roles"], json!(["read_only"]));
        assert_ne!(mapped.header("etag"), read.header("etag"));
        // What the directory sees is as it was.
        assert_eq!(tenant.caller.get(&format!("/Groups/{sales}")).await.header("etag"), tag);
        tenant.caller.delete(&format!("/Groups/{sales}")).await.expect(204);
        admin.get(&path).await.expect_problem(404, "not-found");
        assert_eq!(admin.get("/roles?key=read_only").await.expect(200)["data"][0]["group_count"], 0);
    }

    async fn a_directory_sees_its_own_groups_only(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = tenant.caller.user("ann@example.com").await;
        let theirs = tenant.caller.group("Theirs", &[&ann]).await;
        let ours = id(&admin.post("/groups", &json!({ "name": "Ours", "members": [ann, theirs] })).await.expect(201));
        let user = tenant.caller.get(&format!("/Users/{ann}")).await.expect(200);
        assert_eq!(user["groups"].as_array().unwrap().len(), 1);
        assert_eq!(user["groups"][0]["value"], theirs);
        tenant.caller.get(&format!("/Groups/{ours}")).await.expect_error(404, None);
        assert_eq!(tenant.caller.find("/Groups", "displayName co \"o\"").await.len(), 0);
        assert_eq!(tenant.caller.find("/Users", &format!("groups.value eq \"{ours}\"")).await.len(), 0);
        tenant.caller.patch(&format!("/Groups/{theirs}"), &patch(json!([{ "op": "add", "path": "members", "value": [{ "value": ours }] }]))).await.expect_error(400, Some("invalidValue"));
        // The directory takes its people and groups away; the group goes on.
        tenant.caller.delete(&format!("/Groups/{theirs}")).await.expect(204);
        tenant.caller.delete(&format!("/Users/{ann}")).await.expect(204);
        assert_eq!(admin.get(&format!("/groups/{ours}")).await.expect(200)["member_count"], 0);
    }

    async fn groups_are_filtered_sorted_and_paged(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = tenant.caller.user("ann@example.com").await;
        tenant.caller.group("beta", &[&ann]).await;
        for name in ["Alpha", "Élan", "gamma_1", "gamma%2"] {
            make(&admin, name).await;
        }
        let list = async |query: &str| admin.get(&format!("/groups?{query}")).await.expect(200);
        assert_eq!(names(&list("").await), ["Alpha", "beta", "gamma%2", "gamma_1", "Élan"]);
        assert_eq!(names(&list("sort=-name").await), ["Élan", "gamma_1", "gamma%2", "beta", "Alpha"]);
        assert_eq!(names(&list("sort=created_at").await), ["beta", "Alpha", "Élan", "gamma_1", "gamma%2"]);
        for (query, expected) in [
            ("q=AMMA", vec!["gamma%2", "gamma_1"]),
            ("q=%25", vec!["gamma%2"]),
            ("q=a_1", vec!["gamma_1"]),
            ("q=%C3%A9L", vec!["Élan"]),
            ("q=alpha&q=beta", vec!["Alpha", "beta"]),
            ("managed_by=external", vec!["beta"]),
            ("managed_by=local&q=a&sort=name", vec!["Alpha", "gamma%2", "gamma_1", "Élan"]),
            ("managed_by=local&managed_by=external&q=beta", vec!["beta"]),
            (&format!("connection={}", tenant.made.connection.id), vec!["beta"]),
            (&format!("member={ann}"), vec!["beta"]),
            ("role=admin", vec![]),
        ] {
            assert_eq!(names(&list(query).await), expected, "{query}");
        }
        for query in ["managed_by=me", "role=owner", "connection=x", "member=x"] {
            admin.get(&format!("/groups?{query}")).await.expect_problem(400, "filter-invalid");
        }
        // Forward to the end and back again, whatever the order.
        for sort in ["name", "-name", "created_at,-name", "-updated_at"] {
            let whole = list(&format!("sort={sort}")).await;
            let whole = names(&whole);
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            let previous = loop {
                let page = list(&format!("sort={sort}&limit=2&include_total=true{cursor}")).await;
                assert_eq!(page["page"]["total"], 5);
                seen.extend(names(&page).into_iter().map(str::to_owned));
                match page["page"]["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break page["page"]["prev_cursor"].clone(),
                }
            };
            assert_eq!(seen, whole, "{sort}");
            let back = list(&format!("sort={sort}&limit=2&cursor={}", previous.as_str().unwrap())).await;
            assert_eq!(names(&back), &whole[2..4], "{sort}");
            let first = list(&format!("sort={sort}&limit=2&cursor={}", back["page"]["prev_cursor"].as_str().unwrap())).await;
            assert_eq!((names(&first), &first["page"]["prev_cursor"]), (whole[..2].to_vec(), &Value::Null), "{sort}");
        }
    }

    async fn groups_come_as_csv(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let made = admin.post("/groups", &json!({ "name": "=1+1", "description": "a,b", "roles": ["read_only", "billing"] })).await.expect(201);
        let answer = send(admin.request("GET", "/groups").header("Accept", "text/csv")).await;
        let lines: Vec<&str> = answer.text.split("\r\n").collect();
        assert_eq!(lines[0], "id,name,description,managed_by,connection,external_id,member_count,roles,created_at,updated_at");
        assert!(lines[1].starts_with(&format!("{},'=1+1,\"a,b\",local,,,0,read_only billing,", id(&made))), "{}", lines[1]);
        assert_eq!(lines.len(), 3);
    }

    async fn only_an_admin_maps_to_admin(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, team) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "team_management").await);
        let sales = make(&team, "Sales").await;
        let path = format!("/groups/{sales}");
        let refused = team.put(&format!("{path}/role-mapping"), &json!({ "roles": ["admin"] })).await;
        assert_eq!(refused.expect_problem(403, "permission-denied")["role"], "admin");
        team.post("/groups", &json!({ "name": "x", "roles": ["admin"] })).await.expect_problem(403, "permission-denied");
        team.put(&format!("{path}/role-mapping"), &json!({ "roles": ["billing", "billing"] })).await.expect(200);
        admin.put(&format!("{path}/role-mapping"), &json!({ "roles": ["admin", "billing"] })).await.expect(200);
        // Nor takes it away, by whatever way; other roles beside it may change.
        let ann = app.local_person(&tenant, "ann@example.com").await;
        for answer in [
            team.put(&format!("{path}/role-mapping"), &json!({ "roles": [] })).await,
            team.delete(&path).await,
            team.put(&format!("{path}/members/{ann}"), &json!({})).await,
        ] {
            answer.expect_problem(403, "permission-denied");
        }
        team.put(&format!("{path}/role-mapping"), &json!({ "roles": ["admin"] })).await.expect(200);
        team.patch(&path, &json!({ "description": "x" })).await.expect(200);
        // A group inside is a way to the role too.
        let inner = make(&team, "Inner").await;
        admin.put(&format!("{path}/members/{inner}"), &json!({})).await.expect(204);
        team.put(&format!("/groups/{inner}/members/{ann}"), &json!({})).await.expect_problem(403, "permission-denied");
        admin.put(&format!("/groups/{inner}/members/{ann}"), &json!({})).await.expect(204);
        let held = admin.get("/roles?key=admin").await.expect(200);
        assert_eq!(held["data"][0]["member_count"], json!({ "total": 1, "direct": 0, "group": 1, "directory": 0 }));
        assert_eq!(held["data"][0]["group_count"], 1);
    }

    async fn the_last_admin_stays(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let ann = app.local_person(&tenant, "ann@example.com").await;
        let body = json!({ "name": "Admins", "members": [ann], "roles": ["admin"] });
        let group = id(&admin.post("/groups", &body).await.expect(201));
        let path = format!("/groups/{group}");
        let etag = admin.get(&path).await.header("etag").to_owned();
        let attempts = async || [
            admin.put(&format!("{path}/role-mapping"), &json!({ "roles": ["read_only"] })).await,
            admin.delete(&format!("{path}/members/{ann}")).await,
            admin.delete(&path).await,
        ];
        for answer in attempts().await {
            answer.expect_problem(409, "last-admin");
        }
        // Nothing of it was done.
        let read = admin.get(&path).await;
        assert_eq!((&read.expect(200)["member_count"], read.header("etag")), (&json!(1), &*etag));
        // Another one who cannot sign in is none.
        let ben = app.local_person(&tenant, "ben@example.com").await;
        app.give(&tenant, &ben, "admin").await;
        app.execute("UPDATE users SET suspension = '{}' WHERE user_name = 'ben@example.com'").await;
        admin.delete(&path).await.expect_problem(409, "last-admin");
        app.execute("UPDATE users SET suspension = NULL").await;
        let [mapping, member, deleted] = attempts().await;
        mapping.expect(200);
        assert_eq!((member.status, deleted.status), (204, 204));
    }

    async fn an_organization_without_an_admin_is_not_bound(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let group = id(&admin.post("/groups", &json!({ "name": "Admins", "roles": ["admin"] })).await.expect(201));
        admin.put(&format!("/groups/{group}/role-mapping"), &json!({ "roles": [] })).await.expect(200);
    }

    async fn stale_conditions_and_checks_come_in_their_order(app: &TestApp) {
        let tenant = app.tenant().await;
        let (admin, reader) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "read_only").await);
        let sales = make(&admin, "Sales").await;
        let ann = app.local_person(&tenant, "ann@example.com").await;
        let path = format!("/groups/{sales}");
        let stale = async |method: &str, path: &str, body: Value| {
            let request = admin.request(method, path).header("If-Match", "W/\"9\"");
            send(request.header("Content-Type", "application/json").body(body.to_string())).await
        };
        let wrong = json!({ "nmae": 1 });
        reader.patch("/groups/x", &wrong).await.expect_problem(403, "permission-denied");
        for (method, path) in [
            ("PATCH", path.clone()),
            ("DELETE", path.clone()),
            ("PUT", format!("{path}/role-mapping")),
            ("PUT", format!("{path}/members/{ann}")),
            ("DELETE", format!("{path}/members/{ann}")),
        ] {
            stale(method, &path, wrong.clone()).await.expect_problem(412, "precondition-failed");
        }
        admin.patch(&path, &wrong).await.expect_problem(422, "validation-failed");
        admin.put(&format!("{path}/role-mapping"), &wrong).await.expect_problem(422, "validation-failed");
        // A mapping raises the version that the next one must name.
        let tag = admin.get(&path).await.header("etag").to_owned();
        let map = async |roles: Value| {
            let request = admin.request("PUT", &format!("{path}/role-mapping")).header("If-Match", &tag);
            send(request.header("Content-Type", "application/json").body(json!({ "roles": roles }).to_string())).await
        };
        map(json!(["billing"])).await.expect(200);
        map(json!([])).await.expect_problem(412, "precondition-failed");
        assert_eq!(admin.get(&path).await.expect(200)["roles"], json!(["billing"]));
    }

    async fn a_foreign_group_is_answered_like_an_unknown_one(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        let theirs = make(&foreign, "Theirs").await;
        let (ann, ours) = (app.local_person(&one, "ann@example.com").await, make(&admin, "Ours").await);
        let ben = app.local_person(&other, "ben@example.com").await;
        foreign.put(&format!("/groups/{theirs}/members/{ben}"), &json!({})).await.expect(204);
        let unknown = "0192f3a0-0000-7000-8000-000000000000";
        let ask = async |method: &str, path: &str| {
            let request = admin.request(method, path).header("X-Request-Id", "same");
            send(request.header("Content-Type", "application/json").body("{\"roles\":[]}")).await
        };
        for (method, path) in [
            ("GET", "/groups/ID"), ("PATCH", "/groups/ID"), ("DELETE", "/groups/ID"), ("PUT", "/groups/ID/role-mapping"),
            ("GET", "/groups/ID/members"), ("PUT", &format!("/groups/ID/members/{ann}")), ("DELETE", &format!("/groups/ID/members/{ann}")),
        ] {
            let answer = ask(method, &path.replace("ID", &theirs)).await;
            answer.expect_problem(404, "not-found");
            for id in [unknown, "x"] {
                assert_eq!(ask(method, &path.replace("ID", id)).await.text, answer.text, "{method} {path}");
            }
        }
        for method in ["PUT", "DELETE"] {
            let answer = ask(method, &format!("/groups/{ours}/members/{ben}")).await;
            answer.expect_problem(404, "not-found");
            assert_eq!(ask(method, &format!("/groups/{ours}/members/{unknown}")).await.text, answer.text);
        }
        admin.post("/groups", &json!({ "name": "x", "members": [ben] })).await.expect_problem(422, "validation-failed");
        assert_eq!(names(&admin.get("/groups").await.expect(200)), ["Ours"]);
        assert_eq!(names(&admin.get(&format!("/groups?member={ben}")).await.expect(200)), Vec::<&str>::new());
        assert_eq!(foreign.get(&format!("/groups/{theirs}")).await.expect(200)["member_count"], 1);
    }
}
