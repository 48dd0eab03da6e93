//! `/sub-accounts`: organizations below the caller's, and who reaches them.

use rollcall::domain::actor::Actor;
use rollcall::domain::ids::{OrganizationId, ResourceId};
use rollcall::domain::permission::{PermissionSet, Role, RoleSet};
use rollcall::service::admin::sub_accounts::{self, CreateSubAccount};
use rollcall::service::admin::{Caller as Asker, Credential};
use rollcall::service::ids;
use serde_json::{Value, json};

use crate::helpers::*;

const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";

/// The operator switches sub-accounts on.
async fn switch_on(app: &TestApp, organization: &str) {
    let features = json!({ "features": { "sub_accounts": true }, "reason": "they asked for it" });
    app.backoffice("operator").await.patch(&format!("/organizations/{organization}"), &features).await.expect(200);
}

/// An organization with the feature, and its Admin.
async fn parent(app: &TestApp) -> (Tenant, Admin) {
    let tenant = app.tenant().await;
    switch_on(app, &tenant.made.organization.id.to_string()).await;
    let admin = app.admin(&tenant, "admin").await;
    (tenant, admin)
}

/// A new sub-account: its id, and its Admin.
async fn make(app: &TestApp, admin: &Admin, name: &str) -> (String, Admin) {
    let made = admin.post("/sub-accounts", &json!({ "name": name, "with_api_key": true })).await.expect(201);
    (id(&made), app.admin_with(made["api_key"]["secret"].as_str().expect("a secret")))
}

async fn put(admin: &Admin, path: &str, body: &Value) -> Answer {
    admin.with_text("PUT", path, body.to_string()).await
}

/// The names of organizations with the kinds of their events about sub-accounts.
async fn events(app: &TestApp) -> Vec<String> {
    app.lines(
        "SELECT o.name || ' ' || e.kind AS line FROM events e JOIN organizations o ON o.id = e.organization \
         WHERE e.kind BETWEEN 110 AND 119",
    )
    .await
}

/// A problem without what differs from request to request.
fn same(answer: &Answer) -> Value {
    let mut body = answer.expect(404);
    body.as_object_mut().expect("an object").remove("instance");
    body
}

on_both! {
    async fn there_are_none_until_the_operator_switches_them_on(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        admin.get("/sub-accounts").await.expect_problem(404, "not-found");
        admin.post("/sub-accounts", &json!({ "name": 7 })).await.expect_problem(404, "not-found");
        admin.get(&format!("/sub-accounts/{UNKNOWN}")).await.expect_problem(404, "not-found");
        switch_on(app, &tenant.made.organization.id.to_string()).await;
        assert_eq!(admin.get("/sub-accounts").await.expect(200)["data"], json!([]));
        let (below, below_admin) = make(app, &admin, "Below").await;
        below_admin.get("/sub-accounts").await.expect_problem(404, "not-found");
        assert_eq!(admin.get(&format!("/sub-accounts/{below}")).await.expect(200)["sub_accounts"], false);
    }

    async fn one_is_made_renamed_and_archived(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let body = json!({ "name": " France ", "with_api_key": true });
        let answer = admin.post("/sub-accounts", &body).await;
        let made = answer.expect(201);
        let path = format!("/sub-accounts/{}", id(&made));
        assert!(answer.header("location").ends_with(&format!("/api/v1{path}")));
        let slug = format!("{}-france", tenant.made.organization.slug);
        assert_eq!((&made["name"], &made["slug"], &made["state"]), (&"France".into(), &slug.into(), &"active".into()));
        // A second one of the name has another slug.
        let second = admin.post("/sub-accounts", &json!({ "name": "France" })).await.expect(201);
        assert!(second["slug"] != made["slug"] && second.get("api_key").is_none());

        let inside = app.admin_with(made["api_key"]["secret"].as_str().expect("a secret"));
        assert_eq!(inside.get("/organization").await.expect(200)["id"], made["id"]);

        let tag = admin.get(&path).await.header("etag").to_owned();
        admin.patch(&path, &json!({ "name": " " })).await.expect_problem(422, "validation-failed");
        admin.patch(&path, &json!({ "slug": "x" })).await.expect_problem(422, "validation-failed");
        let renamed = admin.patch(&path, &json!({ "name": "Italy" })).await.expect(200);
        assert_eq!(renamed["name"], "Italy");
        let stale = admin.request("PATCH", &path).header("If-Match", &tag).json(&json!({ "name": "Spain" }));
        send(stale).await.expect_problem(412, "precondition-failed");
        let stale = admin.request("POST", &format!("{path}/archive")).header("If-Match", &tag);
        send(stale).await.expect_problem(412, "precondition-failed");

        let archive = format!("{path}/archive");
        assert_eq!(send(admin.request("POST", &archive)).await.expect(200)["state"], "archived");
        assert_eq!(send(admin.request("POST", &archive)).await.expect(200)["state"], "archived");
        inside.get("/organization").await.expect_problem(403, "permission-denied");
        let page = admin.get("/sub-accounts?state=archived&include_total=true").await.expect(200);
        assert_eq!((&page["page"]["total"], &page["data"][0]["name"]), (&1.into(), &"Italy".into()));
        assert_eq!(admin.get("/sub-accounts?q=fran").await.expect(200)["data"].as_array().map(Vec::len), Some(2));
        admin.get("/sub-accounts?state=gone").await.expect_problem(400, "filter-invalid");
        let name = &tenant.made.organization.name;
        assert_eq!(events(app).await, [110, 110, 111, 112].map(|kind| format!("{name} {kind}")));
        let own = app.lines("SELECT 'x' || e.kind AS line FROM events e JOIN organizations o ON o.id = e.organization WHERE o.name = 'Italy'");
        assert_eq!(own.await, ["x20", "x21", "x21", "x80"]);
    }

    async fn each_is_a_tenant_of_its_own(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let (_, stranger) = parent(app).await;
        let (first, first_admin) = make(app, &admin, "First").await;
        let (_, second_admin) = make(app, &admin, "Second").await;
        switch_on(app, &first).await;
        let (below, _) = make(app, &first_admin, "Below the first").await;
        let above = tenant.caller.user("anna").await;
        for (who, other) in [(&first_admin, &above), (&second_admin, &above)] {
            who.get(&format!("/users/{other}")).await.expect_problem(404, "not-found");
            assert_eq!(who.get("/users").await.expect(200)["data"], json!([]));
        }
        first_admin.post("/groups", &json!({ "name": "Inside" })).await.expect(201);
        assert_eq!(admin.get("/groups").await.expect(200)["data"], json!([]));
        // What is below a sub-account is not the parent's to see; a stranger and a sibling see nothing at all.
        let unknown = same(&admin.get(&format!("/sub-accounts/{UNKNOWN}")).await);
        assert_eq!(same(&admin.get(&format!("/sub-accounts/{below}")).await), unknown);
        let user = format!("/access/{above}");
        for (who, target) in [(&stranger, &first), (&stranger, &below), (&admin, &below)] {
            let path = format!("/sub-accounts/{target}");
            assert_eq!(same(&who.get(&path).await), unknown);
            assert_eq!(same(&who.get(&format!("{path}/access")).await), unknown);
            assert_eq!(same(&who.patch(&path, &json!({ "name": "Mine" })).await), unknown);
            assert_eq!(same(&send(who.request("POST", &format!("{path}/archive"))).await), unknown);
            assert_eq!(same(&put(who, &format!("{path}{user}"), &json!({ "roles": ["billing"] })).await), unknown);
            assert_eq!(same(&who.delete(&format!("{path}{user}")).await), unknown);
        }
        second_admin.get(&format!("/sub-accounts/{first}")).await.expect_problem(404, "not-found");
        let ids: Vec<_> = admin.get("/sub-accounts").await.expect(200)["data"].as_array().expect("data").iter().map(id).collect();
        assert!(ids.len() == 2 && ids.contains(&first));
        // Archiving takes along what is below.
        send(admin.request("POST", &format!("/sub-accounts/{first}/archive"))).await.expect(200);
        let states = app.lines("SELECT name || ' ' || state AS line FROM organizations WHERE parent IS NOT NULL").await;
        assert_eq!(states, ["Below the first archived", "First archived", "Second active"]);
    }

    async fn at_most_five_stand_above_each_other(app: &TestApp) {
        let (_, mut admin) = parent(app).await;
        for depth in 2..=5 {
            let (id, below) = make(app, &admin, &format!("Level {depth}")).await;
            switch_on(app, &id).await;
            admin = below;
        }
        let problem = admin.post("/sub-accounts", &json!({ "name": "Level 6" })).await;
        problem.expect_problem(422, "validation-failed");
    }

    async fn only_an_admin_gets_the_first_key(app: &TestApp) {
        let (tenant, _) = parent(app).await;
        let clerk = app.admin(&tenant, "sub_accounts").await;
        let body = json!({ "name": "France", "with_api_key": true });
        clerk.post("/sub-accounts", &body).await.expect_problem(403, "permission-denied");
        clerk.post("/sub-accounts", &json!({ "name": "France" })).await.expect(201);
        let reader = app.admin(&tenant, "read_only").await;
        assert_eq!(reader.get("/sub-accounts").await.expect(200)["data"][0]["name"], "France");
        reader.post("/sub-accounts", &body).await.expect_problem(403, "permission-denied");
    }

    async fn access_needs_both_permissions_and_never_gives_admin(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let (sub, _) = make(app, &admin, "France").await;
        let (anna, ben) = (tenant.caller.user("anna").await, tenant.caller.user("ben").await);
        put(&admin, &format!("/users/{ben}/roles"), &json!({ "roles": ["admin"] })).await.expect(200);
        let path = format!("/sub-accounts/{sub}/access");
        let billing = json!({ "roles": ["billing"] });

        let clerk = app.admin(&tenant, "sub_accounts").await;
        for answer in [
            put(&clerk, &format!("{path}/{anna}"), &billing).await,
            clerk.delete(&format!("{path}/{anna}")).await,
            clerk.get(&path).await,
        ] {
            assert_eq!(answer.expect_problem(403, "permission-denied")["permission"], "users.read");
        }
        let reader = app.admin(&tenant, "read_only").await;
        let answer = put(&reader, &format!("{path}/{anna}"), &billing).await;
        assert_eq!(answer.expect_problem(403, "permission-denied")["permission"], "sub_accounts.write");

        let both = app.admin(&tenant, "sub_accounts,team_management").await;
        let granted = put(&both, &format!("{path}/{anna}"), &billing).await.expect(200);
        assert_eq!((&granted["user"], &granted["roles"], &granted["source"]), (&json!(anna), &json!(["billing"]), &"grant".into()));
        // The same again is no deed.
        put(&both, &format!("{path}/{anna}"), &billing).await.expect(200);
        for who in [&both, &admin] {
            put(who, &format!("{path}/{anna}"), &json!({ "roles": ["admin"] })).await.expect_problem(403, "permission-denied");
        }
        // The Admin guard, and the parent's Admin who reaches it anyway.
        put(&both, &format!("{path}/{ben}"), &billing).await.expect_problem(403, "permission-denied");
        let data = admin.get(&path).await.expect(200)["data"].clone();
        let rows: Vec<_> = data.as_array().expect("data").iter().map(|row| (row["user"].clone(), row["source"].clone())).collect();
        assert!(rows.len() == 2 && rows.contains(&(json!(ben), "admin".into())) && rows.contains(&(json!(anna), "grant".into())));
        assert!(!data.to_string().contains("\"admin\"],"), "{data}");

        for wrong in [json!({}), json!({ "roles": [] }), json!({ "roles": ["owner"] }), json!({ "roles": ["billing"], "x": 1 })] {
            put(&admin, &format!("{path}/{anna}"), &wrong).await.expect_problem(422, "validation-failed");
        }
        let stranger = app.tenant().await.caller.user("carl").await;
        for nobody in [UNKNOWN, &stranger, "x"] {
            put(&admin, &format!("{path}/{nobody}"), &billing).await.expect_problem(404, "not-found");
            admin.delete(&format!("{path}/{nobody}")).await.expect_problem(404, "not-found");
        }
        assert_eq!(both.delete(&format!("{path}/{anna}")).await.status, 204);
        both.delete(&format!("{path}/{anna}")).await.expect_problem(404, "not-found");
        let name = &tenant.made.organization.name;
        let mut expected = vec!["France 113".to_owned(), "France 114".to_owned()];
        expected.extend([110, 113, 114].map(|kind| format!("{name} {kind}")));
        assert_eq!(events(app).await, expected);
    }

    async fn with_directory_only_no_access_is_given_to_managed_people(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let (sub, _) = make(app, &admin, "France").await;
        let (anna, ben) = (tenant.caller.user("anna").await, crate::admin::users::local(app, &tenant, "ben", "").await);
        let (path, billing) = (format!("/sub-accounts/{sub}/access"), json!({ "roles": ["billing"] }));
        put(&admin, &format!("{path}/{anna}"), &billing).await.expect(200);
        let set = async |value: &str| {
            admin.patch("/security-settings", &json!({ "roles_for_managed_users": value })).await.expect(200);
        };
        set("directory_only").await;
        let more = json!({ "roles": ["billing", "read_only"] });
        let problem = put(&admin, &format!("{path}/{anna}"), &more).await.expect_problem(403, "managed-externally");
        assert_eq!((&problem["action"], &problem["resource"]["id"]), (&json!("sub_account.grant_access"), &json!(anna)));
        assert!(problem["detail"].as_str().expect("a sentence").contains("directory_only"), "{problem}");
        let access = admin.get(&path).await.expect(200)["data"].clone();
        assert_eq!((access.as_array().map(Vec::len), &access[0]["roles"]), (Some(1), &json!(["billing"])));
        put(&admin, &format!("{path}/{ben}"), &billing).await.expect(200);
        // What was given before can be taken, and is not given again.
        admin.delete(&format!("{path}/{anna}")).await.expect(204);
        put(&admin, &format!("{path}/{anna}"), &billing).await.expect_problem(403, "managed-externally");
        set("local").await;
        put(&admin, &format!("{path}/{anna}"), &billing).await.expect(200);
    }

    async fn who_left_reaches_nothing(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let (sub, _) = make(app, &admin, "France").await;
        let anna = tenant.caller.user("anna").await;
        let path = format!("/sub-accounts/{sub}/access");
        put(&admin, &format!("{path}/{anna}"), &json!({ "roles": ["billing"] })).await.expect(200);
        assert_eq!(tenant.caller.delete(&format!("/Users/{anna}")).await.status, 204);
        assert_eq!(admin.get(&path).await.expect(200)["data"], json!([]));
        put(&admin, &format!("{path}/{anna}"), &json!({ "roles": ["billing"] })).await.expect_problem(404, "not-found");
    }

    async fn whoever_makes_one_reaches_it_and_changes_that_not_themselves(app: &TestApp) {
        let (tenant, admin) = parent(app).await;
        let person = tenant.caller.user("anna").await;
        let user = ResourceId::parse(&person).expect("an id");
        let roles: RoleSet = [Role::SubAccounts, Role::TeamManagement].into_iter().collect();
        let anna = Asker {
            organization: tenant.made.organization.id,
            actor: Actor::User(user),
            credential: Credential::ApiKey(ids::token()),
            roles,
            permissions: PermissionSet::of(roles),
            now: app.state.clock.now(),
            request_id: "r".to_owned(),
            client_ip: None,
            user_agent: None,
        };
        let asked = CreateSubAccount { name: "France".to_owned(), with_api_key: false };
        let (made, _) = sub_accounts::create(&anna, &app.state.db, asked).await.expect("made");
        let access = admin.get(&format!("/sub-accounts/{}/access", made.id)).await.expect(200)["data"].clone();
        assert_eq!((&access[0]["user"], &access[0]["source"]), (&json!(person), &"grant".into()));
        assert_eq!(access[0]["roles"], json!(["sub_accounts", "team_management"]));
        let id = OrganizationId(made.id.0);
        let own = sub_accounts::grant(&anna, &app.state.db, id, user, &["billing".to_owned()]).await;
        assert!(matches!(own, Err(rollcall::service::admin::Refusal::Guarded(_))));
        let own = sub_accounts::revoke(&anna, &app.state.db, id, user).await;
        assert!(matches!(own, Err(rollcall::service::admin::Refusal::Guarded(_))));
    }
}
