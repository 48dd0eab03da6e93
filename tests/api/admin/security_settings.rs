//! `/security-settings`: read and changed, and what each setting then does.

use serde_json::{Value, json};

use super::users::{local, pushed};
use crate::helpers::*;

const PATH: &str = "/security-settings";
const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";

async fn set(admin: &Admin, body: Value) -> Value {
    admin.patch(PATH, &body).await.expect(200)
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().map(|e| e["pointer"].as_str().expect("a pointer")).collect()
}

/// Whom the settings name, and how many accounts are marked.
async fn protected(app: &TestApp, admin: &Admin) -> (Value, i64) {
    let marked = app.number("SELECT count(*) FROM accounts WHERE is_protected").await;
    (admin.get(PATH).await.expect(200)["protected_admin"].clone(), marked)
}

/// Has `local.example`, the domain of local people, be the organization's.
async fn verified(app: &TestApp, tenant: &Tenant) {
    let path = format!("/organizations/{}/domains", tenant.made.organization.id);
    let ours = json!({ "domain": "local.example", "reason": "so that people are adopted" });
    app.backoffice("operator").await.post(&path, &ours).await.expect(201);
}

on_both! {
    async fn settings_are_read_and_changed(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let read = admin.get(PATH).await;
        assert_eq!(read.expect(200), json!({ "roles_for_managed_users": "local", "protected_admin": null }));
        let tag = read.header("etag").to_owned();
        let boss = local(app, &tenant, "boss", "admin").await;
        let body = json!({ "roles_for_managed_users": "directory_only", "protected_admin": boss });
        let with_tag = |tag: &str, media: &str, body: &Value| {
            let request = admin.request("PATCH", PATH).header("If-Match", tag).header("Content-Type", media);
            send(request.body(body.to_string()))
        };
        let changed = with_tag(&tag, "application/merge-patch+json", &body).await;
        assert_eq!(changed.expect(200), body);
        let new = changed.header("etag").to_owned();
        assert_ne!(new, tag);
        let unmodified = send(admin.request("GET", PATH).header("If-None-Match", &new)).await;
        assert_eq!((unmodified.status, unmodified.header("etag")), (304, &*new));
        send(admin.request("GET", PATH).header("If-None-Match", &tag)).await.expect(200);
        // What is stale is said before what is wrong.
        with_tag(&tag, "application/json", &json!({ "mfa": 1 })).await.expect_problem(412, "precondition-failed");
        with_tag(&new, "text/plain", &body).await.expect_problem(415, "unsupported-media-type");
        // No change is no new version.
        for same in [&body, &json!({})] {
            let answer = admin.patch(PATH, same).await;
            assert_eq!((answer.expect(200), answer.header("etag")), (body.clone(), &*new));
        }
        let defaults = json!({ "roles_for_managed_users": null, "protected_admin": null });
        assert_eq!(set(&admin, defaults).await, read.expect(200));
        let log = admin.get("/audit-events?sort=at&action=security_settings.updated").await.expect(200);
        assert_eq!(log["data"].as_array().expect("data").len(), 2);
        let (first, organization) = (&log["data"][0], &tenant.made.organization);
        let target = json!({ "type": "organization", "id": organization.id.to_string(), "label": organization.name });
        assert_eq!((&first["target"], &first["result"], &first["ip"]), (&target, &json!("ok"), &json!("127.0.0.1")));
        let changes = json!([
            { "field": "roles_for_managed_users", "from": "local", "to": "directory_only" },
            { "field": "protected_admin", "from": null, "to": boss },
        ]);
        assert_eq!(first["changes"], changes);
    }

    async fn what_is_wrong_is_refused_whole(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let tag = admin.get(PATH).await.header("etag").to_owned();
        let wrong = json!({ "roles_for_managed_users": "none", "protected_admin": 7, "mfa": "required", "ip_allowlist": [] });
        let problem = admin.patch(PATH, &wrong).await.expect_problem(422, "validation-failed");
        assert_eq!(pointers(&problem), ["/roles_for_managed_users", "/protected_admin", "/mfa", "/ip_allowlist"]);
        admin.patch(PATH, &json!([])).await.expect_problem(422, "validation-failed");
        // Who cannot be the way back in: nobody, somebody else's, no Admin, a directory's, suspended, not joined yet, a group.
        let other = app.tenant().await;
        let foreign = local(app, &other, "boss", "admin").await;
        let clerk = local(app, &tenant, "clerk", "team_management").await;
        let managed = pushed(&tenant, "Ann", json!({})).await;
        app.give(&tenant, &managed, "admin").await;
        let (held, invited) = (local(app, &tenant, "held", "admin").await, local(app, &tenant, "invited", "admin").await);
        local(app, &tenant, "boss", "admin").await;
        admin.post(&format!("/users/{held}/suspend"), &json!({})).await.expect(200);
        app.execute("UPDATE users SET invited = TRUE WHERE display_name = 'invited'").await;
        let group = id(&admin.post("/groups", &json!({ "name": "Admins", "roles": ["admin"] })).await.expect(201));
        let mut details = Vec::new();
        for who in ["", "boss", UNKNOWN, &foreign, &clerk, &managed, &held, &invited, &group] {
            let body = json!({ "roles_for_managed_users": "directory_only", "protected_admin": who });
            let problem = admin.patch(PATH, &body).await.expect_problem(422, "validation-failed");
            assert_eq!(pointers(&problem), ["/protected_admin"], "{who}");
            details.push(problem["errors"].clone());
        }
        // What is wrong with somebody is not told: a foreign id is like one that nobody has.
        details.dedup();
        assert_eq!(details.len(), 1, "{details:?}");
        let read = admin.get(PATH).await;
        assert_eq!((&read.expect(200)["roles_for_managed_users"], read.header("etag")), (&json!("local"), &*tag));
        assert_eq!(protected(app, &admin).await, (Value::Null, 0));
        // By a group one is an Admin too.
        send(admin.request("PUT", &format!("/groups/{group}/members/{clerk}"))).await.expect(204);
        assert_eq!(set(&admin, json!({ "protected_admin": clerk })).await["protected_admin"], *clerk);
    }

    async fn an_admin_changes_the_settings_of_one_organization(app: &TestApp) {
        let (tenant, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&tenant, "admin").await, app.admin(&other, "admin").await);
        let boss = local(app, &tenant, "boss", "admin").await;
        let body = json!({ "roles_for_managed_users": "directory_only", "protected_admin": boss });
        assert_eq!(set(&admin, body.clone()).await, body);
        assert_eq!(foreign.get(PATH).await.expect(200), json!({ "roles_for_managed_users": "local", "protected_admin": null }));
        let reader = app.admin(&tenant, "read_only").await;
        assert_eq!(reader.get(PATH).await.expect(200), body);
        let problem = reader.patch(PATH, &json!({})).await.expect_problem(403, "permission-denied");
        assert_eq!(problem["permission"], "security.write");
        let clerk = app.admin(&tenant, "team_management,data_admin,sub_accounts,billing").await;
        let problem = clerk.get(PATH).await.expect_problem(403, "permission-denied");
        assert_eq!(problem["permission"], "security.read");
        clerk.patch(PATH, &json!({})).await.expect_problem(403, "permission-denied");
    }

    async fn with_directory_only_nobody_here_gives_roles_or_groups_to_managed_people(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (ann, ben) = (pushed(&tenant, "Ann", json!({})).await, local(app, &tenant, "ben", "").await);
        let (before, after) = (json!(["update", "update_roles", "suspend"]), json!(["update", "suspend"]));
        let allowed = async |id: &str| admin.get(&format!("/users/{id}")).await.expect(200)["allowed_actions"].clone();
        assert_eq!(allowed(&ann).await, before);
        let team = id(&admin.post("/groups", &json!({ "name": "Team", "members": [ann] })).await.expect(201));
        let empty = id(&admin.post("/groups", &json!({ "name": "Empty" })).await.expect(201));
        let ask = async |group: &str, method: &str, user: &str| {
            send(admin.request(method, &format!("/groups/{group}/members/{user}"))).await
        };
        let bulk = async |body: Value, user: &str| {
            let mut body = body;
            body["ids"] = json!([user]);
            let mut codes = Vec::new();
            for dry_run in [true, false] {
                body["dry_run"] = json!(dry_run);
                codes.push(admin.post("/users/bulk", &body).await.expect(200)["results"][0]["problem"]["code"].clone());
            }
            codes
        };
        set(&admin, json!({ "roles_for_managed_users": "directory_only" })).await;
        assert_eq!(allowed(&ann).await, after);
        let roles = json!({ "roles": ["billing"] });
        let problem = admin.put(&format!("/users/{ann}/roles"), &roles).await.expect_problem(403, "managed-externally");
        assert_eq!(problem["action"], "user.update_roles");
        for (group, method) in [(&empty, "PUT"), (&team, "DELETE")] {
            let problem = ask(group, method, &ann).await.expect_problem(403, "managed-externally");
            assert_eq!((&problem["action"], &problem["resource"]["id"]), (&json!("user.update_groups"), &json!(ann)));
        }
        let with_members = json!({ "name": "New", "members": [ben, ann] });
        let problem = admin.post("/groups", &with_members).await.expect_problem(403, "managed-externally");
        assert_eq!((&problem["action"], &problem["resource"]["id"]), (&json!("user.update_groups"), &json!(ann)));
        let deeds = [
            json!({ "action": "add_roles", "roles": ["billing"] }),
            json!({ "action": "remove_roles", "roles": ["billing"] }),
            json!({ "action": "add_to_group", "group": empty }),
            json!({ "action": "remove_from_group", "group": team }),
        ];
        for deed in &deeds {
            assert_eq!(bulk(deed.clone(), &ann).await, ["managed-externally", "managed-externally"], "{deed}");
        }
        let shown = admin.get(&format!("/users/{ann}")).await.expect(200);
        assert_eq!((&shown["roles"], &shown["groups"][0]["id"]), (&json!([]), &json!(team)));
        // Of the organization's own people nothing changes.
        admin.put(&format!("/users/{ben}/roles"), &roles).await.expect(200);
        ask(&empty, "PUT", &ben).await.expect(204);
        ask(&empty, "DELETE", &ben).await.expect(204);
        let made = id(&admin.post("/groups", &json!({ "name": "New", "members": [ben, empty] })).await.expect(201));
        // Nor where the directory's people come in by a group of its own: that is the group's membership.
        let pushed_group = tenant.caller.group("Sales", &[&ann]).await;
        ask(&made, "PUT", &pushed_group).await.expect(204);
        set(&admin, json!({ "roles_for_managed_users": "local" })).await;
        assert_eq!(allowed(&ann).await, before);
        admin.put(&format!("/users/{ann}/roles"), &roles).await.expect(200);
        ask(&team, "DELETE", &ann).await.expect(204);
    }

    async fn with_directory_only_no_group_from_here_gives_managed_people_roles(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (ann, ben) = (pushed(&tenant, "Ann", json!({})).await, local(app, &tenant, "ben", "").await);
        let make = async |name: &str, member: &str, roles: Value| {
            id(&admin.post("/groups", &json!({ "name": name, "members": [member], "roles": roles })).await.expect(201))
        };
        let team = make("Team", &ann, json!([])).await;
        let above = make("Above", &team, json!([])).await;
        let mapped = make("Mapped", &ann, json!(["billing"])).await;
        let gone = make("Gone", &ann, json!(["data_admin"])).await;
        let own = make("Own", &ben, json!([])).await;
        let sales = tenant.caller.group("Sales", &[&ann]).await;
        let around = make("Around", &sales, json!([])).await;
        let map = async |group: &str, roles: Value| {
            admin.put(&format!("/groups/{group}/role-mapping"), &json!({ "roles": roles })).await
        };
        let roles = async || admin.get(&format!("/users/{ann}")).await.expect(200)["roles"].clone();
        let put_in = async |group: &str, member: &str| {
            send(admin.request("PUT", &format!("/groups/{group}/members/{member}"))).await
        };
        set(&admin, json!({ "roles_for_managed_users": "directory_only" })).await;
        // Nothing more is given, in one step or by groups in between.
        for (group, asked) in [(&team, json!(["read_only"])), (&above, json!(["read_only"])), (&mapped, json!(["billing", "read_only"]))] {
            let problem = map(group, asked).await.expect_problem(403, "managed-externally");
            assert_eq!((&problem["action"], &problem["resource"]["id"]), (&json!("group.update_roles"), &json!(ann)));
            assert!(problem["detail"].as_str().expect("a sentence").contains("directory_only"), "{problem}");
        }
        let in_between = json!({ "name": "New", "members": [team], "roles": ["read_only"] });
        for answer in [put_in(&own, &team).await, put_in(&own, &above).await, admin.post("/groups", &in_between).await] {
            let problem = answer.expect_problem(403, "managed-externally");
            assert_eq!((&problem["action"], &problem["resource"]["id"]), (&json!("user.update_groups"), &json!(ann)));
        }
        let keys: Vec<Value> = roles().await.as_array().expect("roles").iter().map(|role| role["key"].clone()).collect();
        assert_eq!(keys, ["data_admin", "billing"]);
        // What was given before goes, and does not come back.
        map(&mapped, json!([])).await.expect(200);
        map(&mapped, json!(["billing"])).await.expect_problem(403, "managed-externally");
        admin.delete(&format!("/groups/{gone}")).await.expect(204);
        assert_eq!(roles().await, json!([]));
        // Of others nothing changes, nor where the directory says who is in the group.
        map(&own, json!(["billing"])).await.expect(200);
        map(&sales, json!(["read_only"])).await.expect(200);
        map(&around, json!(["data_admin"])).await.expect(200);
        assert_eq!(roles().await.as_array().map(Vec::len), Some(2));
        set(&admin, json!({ "roles_for_managed_users": "local" })).await;
        map(&team, json!(["team_management"])).await.expect(200);
        assert_eq!(roles().await.as_array().map(Vec::len), Some(3));
    }

    async fn the_protected_admin_is_one_and_is_not_adopted(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        verified(app, &tenant).await;
        let (one, two) = (local(app, &tenant, "one", "admin").await, local(app, &tenant, "two", "admin").await);
        let push = async |name: &str| {
            let body = user_with(&format!("{name}@local.example"), json!({ "externalId": name }));
            tenant.caller.post("/Users", &body).await
        };
        set(&admin, json!({ "protected_admin": one })).await;
        assert_eq!(protected(app, &admin).await, (json!(one), 1));
        push("one").await.expect_error(409, Some("uniqueness"));
        assert_eq!(tenant.caller.find("/Users", "userName eq \"one@local.example\"").await.len(), 0);
        set(&admin, json!({ "protected_admin": two })).await;
        assert_eq!(protected(app, &admin).await, (json!(two), 1));
        push("two").await.expect_error(409, Some("uniqueness"));
        assert_eq!(id(&push("one").await.expect(201)), one);
        // Adopted, and so nobody who can be protected any more.
        admin.patch(PATH, &json!({ "protected_admin": one })).await.expect_problem(422, "validation-failed");
        set(&admin, json!({ "protected_admin": null })).await;
        assert_eq!(protected(app, &admin).await, (Value::Null, 0));
        assert_eq!(id(&push("two").await.expect(201)), two);
    }

    async fn a_protected_person_stays_so_until_they_are_deleted(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (one, _) = (local(app, &tenant, "one", "admin").await, local(app, &tenant, "two", "admin").await);
        let body = set(&admin, json!({ "protected_admin": one })).await;
        let path = format!("/users/{one}");
        admin.put(&format!("{path}/roles"), &json!({ "roles": [] })).await.expect(200);
        admin.post(&format!("{path}/suspend"), &json!({})).await.expect(200);
        let read = admin.get(PATH).await;
        assert_eq!(read.expect(200), body);
        // What was read can be sent back.
        assert_eq!(admin.patch(PATH, &body).await.header("etag"), read.header("etag"));
        admin.delete(&path).await.expect(204);
        assert_eq!(protected(app, &admin).await, (Value::Null, 0));
        assert_ne!(admin.get(PATH).await.header("etag"), read.header("etag"));
        // The operator's deletion does the same.
        let three = local(app, &tenant, "three", "admin").await;
        set(&admin, json!({ "protected_admin": three })).await;
        let tag = admin.get(PATH).await.header("etag").to_owned();
        let path = format!("/organizations/{}/users/{three}?mode=erase", tenant.made.organization.id);
        let reason = json!({ "reason": "asked for by the person" }).to_string();
        app.backoffice("operator").await.with_text("DELETE", &path, reason).await.expect(200);
        assert_eq!(protected(app, &admin).await, (Value::Null, 0));
        assert_ne!(admin.get(PATH).await.header("etag"), tag);
    }

    async fn nobody_is_protected_and_adopted(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        verified(app, &tenant).await;
        for n in 0..10 {
            let name = format!("p{n}");
            let person = local(app, &tenant, &name, "admin").await;
            let (push, body) = (user(&format!("{name}@local.example")), json!({ "protected_admin": person }));
            let (pushed, set) =
                futures_util::future::join(tenant.caller.post("/Users", &push), admin.patch(PATH, &body)).await;
            assert!(matches!((pushed.status, set.status), (201, 422) | (409, 200)), "{pushed:?} {set:?}");
            let shown = admin.get(&format!("/users/{person}")).await.expect(200);
            assert_eq!(shown["managed"]["by"] == "local", set.status == 200, "{shown}");
        }
    }

    async fn of_two_protected_at_once_one_is(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let people = [local(app, &tenant, "one", "admin").await, local(app, &tenant, "two", "admin").await];
        let bodies: Vec<Value> = people.iter().map(|id| json!({ "protected_admin": id })).collect();
        let answers = futures_util::future::join_all((0..8).map(|n| admin.patch(PATH, &bodies[n % 2]))).await;
        for answer in answers {
            answer.expect(200);
        }
        let (id, marked) = protected(app, &admin).await;
        assert!(people.iter().any(|person| id == **person), "{id}");
        assert_eq!(marked, 1);
    }
}
