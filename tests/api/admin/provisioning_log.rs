//! What identity providers asked for: an entry for each request, explained, without secrets, of one organization; and what a
//! request would do now.

use rollcall::config::Settings;
use serde_json::{Value, json};

use crate::helpers::*;

const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";

fn rows(page: &Value) -> &Vec<Value> {
    page["data"].as_array().expect("data")
}

/// `operation outcome status subject` of each entry, the oldest first.
async fn told(admin: &Admin, query: &str) -> Vec<String> {
    let page = admin.get(&format!("/provisioning-log?sort=at&{query}")).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |row: &Value| {
        let (operation, outcome, subject) = (text(&row["operation"]), text(&row["outcome"]), text(&row["subject"]));
        format!("{operation} {outcome} {} {subject}", row["status"])
    };
    rows(&page).iter().map(line).collect()
}

/// The only entry of a query.
async fn only(admin: &Admin, query: &str) -> Value {
    let page = admin.get(&format!("/provisioning-log?{query}")).await.expect(200);
    assert_eq!(rows(&page).len(), 1, "{page}");
    rows(&page)[0].clone()
}

fn without_limits(settings: &mut Settings) {
    settings.rate_limit = false;
}

on_both! {
    async fn every_request_has_an_entry_that_says_what_it_did(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "read_only").await);
        let ben = id(&scim.create("/Users", &user_with("ben@example.org", json!({"externalId": "e1"}))).await);
        let staff = scim.group("Staff", &[]).await;
        let active = |on: bool| patch(json!([{"op": "replace", "path": "active", "value": on}]));
        let members = |op: &str| patch(json!([{"op": op, "path": "members", "value": [{"value": ben}]}]));
        let (user_path, group_path) = (format!("/Users/{ben}"), format!("/Groups/{staff}"));
        scim.patch(&user_path, &active(false)).await.expect(200);
        scim.patch(&user_path, &active(false)).await.expect(200);
        scim.patch(&user_path, &active(true)).await.expect(200);
        scim.put(&user_path, &user_with("ben@example.org", json!({"title": "Boss"}))).await.expect(200);
        scim.patch(&group_path, &members("add")).await.expect(200);
        let removal = patch(json!([{"op": "remove", "path": format!("members[value eq \"{ben}\"]")}]));
        scim.patch(&group_path, &removal).await.expect(200);
        scim.get(&user_path).await.expect(200);
        scim.query("/Users", &[("filter", "userName eq \"ben@example.org\"")]).await.expect(200);
        scim.post("/Users", &user("ben@example.org")).await.expect_error(409, Some("uniqueness"));
        scim.delete(&user_path).await.expect(204);
        scim.delete(&user_path).await.expect_error(404, None);
        assert_eq!(told(&admin, "").await, [
            "create applied 201 ben@example.org",
            "create applied 201 Staff",
            "deactivate applied 200 ben@example.org",
            "deactivate no_change 200 ben@example.org",
            "activate applied 200 ben@example.org",
            "update applied 200 ben@example.org",
            "add_members applied 200 Staff",
            "remove_members applied 200 Staff",
            "read no_change 200 ben@example.org",
            "read no_change 200 -",
            "create refused 409 ben@example.org",
            "delete applied 204 ben@example.org",
            "delete refused 404 ben@example.org",
        ]);
        let refused = only(&admin, "outcome=refused&status=409").await;
        assert_eq!(refused["explanation"], "Refused: another user already has the user name ben@example.org: give one of the \
                                            two another user name.");
        assert_eq!((&refused["scim_type"], &refused["method"], &refused["path"]), (&json!("uniqueness"), &json!("POST"), &json!("/Users")));
        let reads = admin.get("/provisioning-log?operation=read&sort=at").await.expect(200);
        let search = &rows(&reads)[1];
        assert!(search["path"].as_str().unwrap().starts_with("/Users?filter="), "{search}");
        let created = only(&admin, "operation=create&outcome=applied&subject=BEN@example.org").await;
        assert_eq!((&created["resource_id"], &created["external_id"]), (&json!(ben), &json!("e1")));
        assert_eq!(created["connection"], tenant.made.connection.id.to_string());
        assert!(created["duration_ms"].as_f64().unwrap() > 0.0);
        assert!(created["changes"].as_array().unwrap().contains(&json!({"field": "userName", "from": null, "to": "ben@example.org"})));
        let added = only(&admin, "operation=add_members").await;
        assert_eq!(added["changes"], json!([{"field": "members", "from": null, "to": [ben]}]));
        let whole = admin.get(&format!("/provisioning-log/{}", created["id"].as_str().unwrap())).await;
        let body = whole.expect(200);
        assert_eq!(body["request_body"]["externalId"], "e1");
        assert_eq!(body["response_body"]["id"], json!(ben));
        assert!(!whole.header("etag").is_empty());
        let read = only(&admin, &format!("operation=read&subject={ben}")).await;
        let read = admin.get(&format!("/provisioning-log/{}", read["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&read["request_body"], &read["response_body"]), (&Value::Null, &Value::Null));
    }

    async fn an_entry_has_the_request_id_of_its_request(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "team_management").await;
        let request = tenant.caller.request("POST", "/Users").header("X-Request-Id", "push-7");
        send(request.header("Content-Type", "application/json").body(user("ben").to_string())).await.expect(201);
        assert_eq!(only(&admin, "request_id=push-7").await["request_id"], "push-7");
    }

    async fn secrets_are_stored_nowhere(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        let body = user_with("ben", json!({"password": "hunter2-a", "note": scim.token()}));
        let ben = id(&scim.create("/Users", &body).await);
        let path = format!("/Users/{ben}");
        scim.patch(&path, &patch(json!([{"op": "replace", "path": "password", "value": "hunter2-b"}]))).await.expect(200);
        scim.patch(&path, &patch(json!([{"op": "replace", "value": {"password": "hunter2-c"}}]))).await.expect(200);
        scim.put(&path, &user_with("ben", json!({"Password": "hunter2-d"}))).await.expect(200);
        scim.with_text("POST", "/Users", "{\"password\": \"hunter2-e\"").await.expect_error(400, Some("invalidSyntax"));
        scim.query("/Users", &[("filter", "password eq \"hunter2-f\"")]).await.expect_error(400, Some("invalidFilter"));
        scim.get(&format!("/Users/{}", scim.token())).await.expect_error(404, None);
        scim.get(&format!("/Users?access_token={}", scim.token())).await.expect(200);
        let export = send(admin.request("GET", "/provisioning-log").header("Accept", "application/x-ndjson")).await;
        let mut all = export.text.clone();
        assert_eq!(all.lines().count(), 8, "{all}");
        for line in export.text.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            all += &admin.get(&format!("/provisioning-log/{}", entry["id"].as_str().unwrap())).await.text;
        }
        all += &app.dump().await.join("\n");
        assert!(all.contains("[redacted]") && !all.contains("hunter2"), "{all}");
        assert!(!all.contains(&scim.token()[6..40]));
    }

    async fn a_group_is_named_without_secrets_and_with_its_external_id(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        let ben = scim.user("ben").await;
        let long = "x".repeat(300);
        for (n, external_id) in ["g7", &long].into_iter().enumerate() {
            let name = format!("Sync {} {n}", scim.token());
            let body = json!({"schemas": [GROUP], "displayName": name, "externalId": external_id});
            let staff = id(&scim.create("/Groups", &body).await);
            let path = format!("/Groups/{staff}");
            let add = patch(json!([{"op": "add", "path": "members", "value": [{"value": ben}]}]));
            scim.patch(&path, &add).await.expect(200);
            let rename = patch(json!([{"op": "replace", "path": "displayName", "value": format!("Staff {n}")}]));
            let added = only(&admin, &format!("operation=add_members&subject={staff}")).await;
            assert_eq!(added["subject"], format!("Sync [redacted] {n}"));
            assert_eq!(added["external_id"], if n == 0 { json!("g7") } else { Value::Null });
            scim.patch(&path, &rename).await.expect(200);
            let renamed = only(&admin, &format!("operation=update&subject=staff%20{n}")).await;
            assert_eq!(renamed["external_id"], if n == 0 { json!("g7") } else { Value::Null });
        }
        let dump = app.dump().await;
        let log = dump.iter().filter(|line| line.contains("LogRecord"));
        assert!(log.clone().count() > 0 && !log.clone().any(|line| line.contains(&scim.token()[6..40])));
    }

    async fn a_group_of_thousands_is_told_shortly(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        let mut ids = Vec::new();
        for n in 0..120 {
            ids.push(scim.user(&format!("u{n}")).await);
        }
        let staff = scim.group("Staff", &[]).await;
        let ids: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        let add = patch(json!([{"op": "add", "path": "members", "value": ids}]));
        scim.patch(&format!("/Groups/{staff}"), &add).await.expect(204);
        let added = only(&admin, "operation=add_members").await;
        let to = added["changes"][0]["to"].as_array().expect("members");
        assert_eq!((to.len(), &to[100]), (101, &json!("and 20 more")), "{added}");
    }

    async fn a_refused_token_is_logged_by_its_fingerprint(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (short, gone) = (app.token(&tenant, Lifetime::Days(1)).await, app.fresh(&tenant).await);
        app.revoke(&gone).await;
        app.advance(2 * 86_400_000_000);
        for caller in [&short, &gone] {
            caller.get("/Users").await.expect_error(401, None);
        }
        app.caller_with("rc_st_unknown").get("/Users").await.expect_error(401, None);
        assert_eq!(told(&admin, "").await, ["read rejected_credential 401 -"; 2]);
        let page = admin.get("/provisioning-log?outcome=rejected_credential&sort=at").await.expect(200);
        for (row, (caller, why)) in rows(&page).iter().zip([(&short, "has expired"), (&gone, "was revoked")]) {
            let end = &caller.token()[caller.token().len() - 4..];
            assert_eq!(row["fingerprint"], format!("rc_st_…{end}"));
            assert!(row["explanation"].as_str().unwrap().contains(why), "{row}");
        }
    }

    async fn another_organization_sees_nothing_of_it(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        one.caller.user("ben").await;
        let entry = only(&admin, "").await["id"].as_str().unwrap().to_owned();
        assert_eq!(told(&foreign, "").await, Vec::<String>::new());
        let connection = one.made.connection.id;
        assert_eq!(told(&foreign, &format!("connection={connection}")).await, Vec::<String>::new());
        for (method, suffix) in [("GET", ""), ("POST", "/replay")] {
            let ask = async |id: &str| {
                let request = foreign.request(method, &format!("/provisioning-log/{id}{suffix}"));
                send(request.header("X-Request-Id", "same")).await
            };
            let answer = ask(&entry).await;
            answer.expect_problem(404, "not-found");
            for unknown in [UNKNOWN, "x", &entry.to_uppercase()] {
                assert_eq!(ask(unknown).await.text, answer.text, "{method} {unknown}");
            }
        }
    }

    async fn pages_and_filters_hold_each_entry_once(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        for n in 0..7 {
            scim.user(&format!("u{n}")).await;
            scim.post("/Users", &user(&format!("u{n}"))).await.expect_error(409, Some("uniqueness"));
            app.advance(1_000_000);
        }
        for (query, expected) in [("", 14), ("outcome=refused", 7), ("outcome=refused&outcome=applied", 14), ("subject=u3", 2), ("status=201&operation=create", 7)] {
            for sort in ["at", "-at"] {
                let (mut seen, mut cursor) = (Vec::new(), None::<String>);
                let last = loop {
                    let next = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                    let page = admin.get(&format!("/provisioning-log?limit=4&include_total=true&sort={sort}&{query}{next}")).await.expect(200);
                    assert_eq!(page["page"]["total"], expected, "{query}");
                    seen.extend(rows(&page).iter().map(|row| row["id"].as_str().unwrap().to_owned()));
                    cursor = page["page"]["next_cursor"].as_str().map(str::to_owned);
                    if cursor.is_none() { break page; }
                };
                assert_eq!(seen.len(), expected, "{query} {sort}");
                assert!(if sort == "at" { seen.is_sorted() } else { seen.iter().rev().is_sorted() });
                if expected > 4 {
                    let back = last["page"]["prev_cursor"].as_str().unwrap();
                    let before = admin.get(&format!("/provisioning-log?limit=4&sort={sort}&{query}&cursor={back}")).await.expect(200);
                    let ids: Vec<_> = rows(&before).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
                    let end = seen.len() - rows(&last).len();
                    assert_eq!(ids, seen[end - 4..end], "{query} {sort}");
                }
            }
        }
        let all = admin.get("/provisioning-log?sort=at").await.expect(200);
        let (from, to) = (rows(&all)[4]["at"].as_str().unwrap(), rows(&all)[8]["at"].as_str().unwrap());
        let some = admin.get(&format!("/provisioning-log?from={from}&to={to}")).await.expect(200);
        assert_eq!(rows(&some).len(), 4);
        for wrong in ["outcome=fine", "operation=x", "status=7", "from=yesterday", "from=1&from=2", "connection=x", "sort=status"] {
            admin.get(&format!("/provisioning-log?{wrong}")).await.expect_problem(400, "filter-invalid");
        }
        let csv = send(admin.request("GET", "/provisioning-log?outcome=refused").header("Accept", "text/csv")).await;
        assert_eq!(csv.text.lines().count(), 8, "{}", csv.text);
        assert!(csv.text.starts_with("id,at,connection,operation,subject,outcome,status,explanation,"), "{}", csv.text);
    }

    async fn a_replay_says_what_would_happen_now_and_changes_nothing(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "read_only").await);
        let replay = async |query: &str| {
            let entry = only(&admin, query).await;
            let path = format!("/provisioning-log/{}/replay", entry["id"].as_str().unwrap());
            send(admin.request("POST", &path)).await.expect(200)
        };
        let ben = scim.user("ben").await;
        let staff = scim.group("Staff", &[&ben]).await;
        scim.post("/Users", &user("ben")).await.expect_error(409, Some("uniqueness"));
        let again = replay("status=409").await;
        assert_eq!((&again["status"], &again["outcome"], &again["scim_type"]), (&json!(409), &json!("refused"), &json!("uniqueness")));
        let path = format!("/Users/{ben}");
        scim.patch(&path, &patch(json!([{"op": "replace", "path": "active", "value": false}]))).await.expect(200);
        let same = replay("operation=deactivate").await;
        assert_eq!((&same["status"], &same["outcome"], &same["changes"]), (&json!(200), &json!("no_change"), &json!([])));
        scim.put(&path, &user_with("ben", json!({"active": true}))).await.expect(200);
        let would = replay("operation=deactivate").await;
        assert_eq!((&would["outcome"], &would["operation"]), (&json!("applied"), &json!("deactivate")));
        assert_eq!(would["changes"], json!([{"field": "active", "from": true, "to": false}]));
        assert_eq!(would["explanation"], "Deactivated ben.");
        scim.delete(&path).await.expect(204);
        let created = replay("status=409").await;
        assert_eq!((&created["status"], &created["explanation"]), (&json!(201), &json!("Created ben.")));
        let group = replay("operation=create&subject=Staff").await;
        assert_eq!((&group["status"], &group["scim_type"]), (&json!(400), &json!("invalidValue")), "{group}");
        assert_eq!(replay("operation=delete").await["status"], 404);
        // Nothing of this was done.
        scim.get(&path).await.expect_error(404, None);
        assert_eq!(scim.find("/Users", "userName eq \"ben\"").await, Vec::<Value>::new());
        assert_eq!(scim.get(&format!("/Groups/{staff}")).await.expect(200)["displayName"], "Staff");
        let list = admin.get("/audit-events?action=user.created").await.expect(200);
        assert_eq!(rows(&list).len(), 1);
        let entry = only(&admin, "operation=delete").await;
        let path = format!("/provisioning-log/{}/replay", entry["id"].as_str().unwrap());
        admin.with_text("POST", &path, "{\"x\": 1}").await.expect_problem(422, "validation-failed");
    }

    async fn what_cannot_be_replayed_says_so(app: &TestApp) {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        scim.with_text("POST", "/Users", "{").await.expect_error(400, Some("invalidSyntax"));
        scim.get("/Schemas").await.expect(200);
        scim.query("/Users", &[("count", "0")]).await.expect(200);
        let page = admin.get("/provisioning-log?sort=at").await.expect(200);
        for (row, why) in rows(&page).iter().zip(["body was not kept", "no user or group", "only searches"]) {
            let path = format!("/provisioning-log/{}/replay", row["id"].as_str().unwrap());
            let answer = send(admin.request("POST", &path)).await.expect(200);
            assert_eq!(answer["status"], Value::Null);
            assert!(answer["explanation"].as_str().unwrap().contains(why), "{answer}");
        }
        app.revoke(scim).await;
        let path = format!("/provisioning-log/{}/replay", rows(&page)[0]["id"].as_str().unwrap());
        let answer = send(admin.request("POST", &path)).await.expect(200);
        assert_eq!((&answer["status"], &answer["outcome"]), (&json!(401), &json!("rejected_credential")));
    }

    async fn many_reads_are_counted_and_some_are_entered(app: &TestApp) with without_limits, {
        let tenant = app.tenant().await;
        let (scim, admin) = (&tenant.caller, app.admin(&tenant, "admin").await);
        let log = &app.state.provisioning_log;
        log.flush().await;
        futures_util::future::join_all((0..400).map(|_| scim.get("/Users?count=0"))).await;
        scim.user("ben").await;
        log.flush().await;
        let page = admin.get("/provisioning-log?operation=create").await.expect(200);
        assert_eq!(rows(&page).len(), 1);
        assert_eq!(app.lines("SELECT CAST(reads AS TEXT) AS line FROM connection_health").await, ["400"]);
        assert_eq!(log.dropped(), 0);
    }
}
