//! Adoptions that wait for an Admin, previews of a connection that is not active, and people who come back.

use super::adoption::{local, verified};
use super::*;

async fn listed(admin: &Admin, path: &str, state: &str) -> Vec<Value> {
    let page = admin.get(&format!("{path}/adoptions?state={state}")).await.expect(200);
    page["data"].as_array().expect("data").clone()
}

async fn reviewing(app: &TestApp, admin: &Admin) -> Made {
    let made = active(app, admin, "Okta").await;
    admin.patch(&made.path, &json!({ "scim": { "adoption": "review" } })).await.expect(200);
    made
}

on_both! {
    async fn an_admin_sees_the_differences_and_accepts(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let okta = reviewing(app, &admin).await;
        let anna = local(app, &tenant, "anna", "anna@a.example").await;
        let body = user_with("anna", json!({ "externalId": "x-1", "displayName": "Anna R." }));
        for _ in 0..2 {
            let detail = okta.caller.post("/Users", &body).await.expect_error(409, Some("uniqueness"));
            assert!(detail.contains("waits for an Admin"), "{detail}");
        }
        assert_eq!(okta.caller.find("/Users", "userName eq \"anna\"").await.len(), 0);
        let waiting = listed(&admin, &okta.path, "pending").await;
        assert_eq!(waiting.len(), 1);
        let one = &waiting[0];
        assert_eq!((&one["user_id"], &one["policy_says"]), (&json!(anna), &json!("wait")));
        assert_eq!((&one["incoming"]["external_id"], &one["local"]["display_name"]), (&json!("x-1"), &json!("anna")));
        assert_eq!(one["local"]["login_address"], "anna@a.example");
        let fields: Vec<_> = one["differences"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
        for field in ["displayName", "emails", "externalId"] {
            assert!(fields.contains(&field), "{fields:?}");
        }
        let path = format!("{}/adoptions/{}", okta.path, id(one));
        admin.post(&format!("{path}/accept"), &json!({ "x": 1 })).await.expect_problem(422, "validation-failed");
        let accepted = admin.post(&format!("{path}/accept"), &json!({})).await.expect(200);
        assert_eq!((&accepted["state"], &accepted["local"]), (&json!("accepted"), &Value::Null));
        for deed in ["accept", "refuse"] {
            admin.post(&format!("{path}/{deed}"), &json!({})).await.expect_problem(409, "connection-state");
        }
        // The directory's next look-up finds the person, with what it sent.
        let found = okta.caller.find("/Users", "userName eq \"anna\"").await;
        assert_eq!((id(&found[0]), &found[0]["externalId"]), (anna, &json!("x-1")));
    }

    async fn a_refusal_holds(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let okta = reviewing(app, &admin).await;
        let anna = local(app, &tenant, "anna", "anna@a.example").await;
        okta.caller.post("/Users", &user("anna")).await.expect_error(409, Some("uniqueness"));
        let waiting = listed(&admin, &okta.path, "pending").await;
        let path = format!("{}/adoptions/{}", okta.path, id(&waiting[0]));
        assert_eq!(admin.post(&format!("{path}/refuse"), &json!({})).await.expect(200)["state"], "refused");
        let detail = okta.caller.post("/Users", &user("anna")).await.expect_error(409, Some("uniqueness"));
        assert!(detail.contains("may not adopt"), "{detail}");
        assert_eq!(listed(&admin, &okta.path, "pending").await, Vec::<Value>::new());
        okta.caller.get(&format!("/Users/{anna}")).await.expect_error(404, None);
    }

    async fn adoptions_of_others_are_unknown(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let (admin, foreign) = (app.admin(&one, "admin").await, app.admin(&other, "admin").await);
        let theirs = reviewing(app, &foreign).await;
        local(app, &other, "anna", "anna@a.example").await;
        theirs.caller.post("/Users", &user("anna")).await.expect_error(409, Some("uniqueness"));
        let adoption = id(&listed(&foreign, &theirs.path, "pending").await[0]);
        let own = reviewing(app, &admin).await;
        let second = active(app, &foreign, "Entra").await;
        admin.get(&format!("{}/adoptions", theirs.path)).await.expect_problem(404, "not-found");
        for deed in ["accept", "refuse"] {
            for (admin, path) in [(&admin, &theirs.path), (&admin, &own.path), (&foreign, &second.path)] {
                let path = format!("{path}/adoptions/{adoption}/{deed}");
                admin.post(&path, &json!({})).await.expect_problem(404, "not-found");
            }
        }
        admin.get(&format!("{}/adoptions?state=open", own.path)).await.expect_problem(400, "filter-invalid");
    }

    async fn before_activation_adoptions_are_only_previewed(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let domain = format!("{}.example", tenant.made.organization.id);
        let okta = make(app, &admin, "Okta").await;
        verified(&admin, &domain).await;
        let (ours, theirs) = (format!("anna@{domain}"), "ben@elsewhere.example".to_owned());
        let anna = local(app, &tenant, &ours, &ours).await;
        local(app, &tenant, &theirs, &theirs).await;
        step(&admin, &okta.path, "observe").await.expect(200);
        for name in [&ours, &theirs] {
            assert_eq!(okta.caller.find("/Users", &format!("userName eq \"{name}\"")).await.len(), 0);
            okta.caller.post("/Users", &user_with(name, json!({ "title": "new" }))).await.expect_error(409, Some("uniqueness"));
        }
        okta.caller.get(&format!("/Users/{anna}")).await.expect_error(404, None);
        let previewed = listed(&admin, &okta.path, "previewed").await;
        assert_eq!(previewed.len(), 1);
        assert_eq!((&previewed[0]["user_id"], &previewed[0]["policy_says"]), (&json!(anna), &json!("adopt")));
        let path = format!("{}/adoptions/{}/accept", okta.path, id(&previewed[0]));
        admin.post(&path, &json!({})).await.expect_problem(409, "connection-state");
        step(&admin, &okta.path, "activate").await.expect(200);
        let job = finished(app, &admin, &okta.path).await;
        assert_eq!((&job["kind"], &job["done"]), (&json!("activate"), &json!(1)));
        let found = okta.caller.find("/Users", &format!("userName eq \"{ours}\"")).await;
        assert_eq!((id(&found[0]), &found[0]["title"]), (anna, &json!("new")));
        assert_eq!(okta.caller.get("/Users?count=0").await.expect(200)["totalResults"], 1);
    }

    async fn whoever_was_released_is_relinked_by_external_id(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let okta = active(app, &admin, "Okta").await;
        let person = |name: &str| user_with(name, json!({ "externalId": "x-1" }));
        let anna = id(&okta.caller.create("/Users", &person("anna")).await);
        // As the operator releases somebody: local, with the origin kept.
        app.execute(
            "INSERT INTO accounts (organization, user_id, former_connection, former_external_id, is_protected, created, modified, version) \
             SELECT organization, id, connection, 'x-1', FALSE, 0, 0, 1 FROM users WHERE user_name = 'anna'"
        ).await;
        let nil = if app.state.db.backend() == rollcall::storage::Backend::Sqlite {
            "x'00000000000000000000000000000000'"
        } else {
            "'00000000-0000-0000-0000-000000000000'"
        };
        app.execute(&format!("UPDATE users SET connection = {nil}, external_id_key = NULL, version = version + 1 WHERE user_name = 'anna'")).await;
        // A credential that was read before may be remembered for a second.
        admin.patch(&okta.path, &json!({ "name": "Okta 1" })).await.expect(200);
        assert_eq!(okta.caller.find("/Users", "externalId eq \"x-1\"").await.iter().map(id).collect::<Vec<_>>(), std::slice::from_ref(&anna));
        // Even under another name, and without a verified domain.
        let again = okta.caller.post("/Users", &person("anna.rossi")).await.expect(201);
        assert_eq!((id(&again), &again["userName"]), (anna.clone(), &json!("anna.rossi")));
        // To another connection the id says nothing.
        let entra = active(app, &admin, "Entra").await;
        assert_ne!(id(&entra.caller.create("/Users", &person("zoe")).await), anna);
    }
}
