//! Ids of another organization, on every route of the OpenAPI document: nobody can tell them from ids that nobody has.

use std::collections::BTreeMap;

use rollcall::http::admin;
use serde_json::{Value, json};

use crate::helpers::*;

const UNKNOWN: &str = "0192f3a0-0000-7000-8000-000000000000";
const UNKNOWN_DOMAIN: &str = "nobody.example";
/// Query parameters that take ids of people, groups or connections.
const FILTERS: [&str; 6] = ["connection", "group", "member", "subject", "target", "actor"];

/// One of everything in an organization: by the path of the kind, its ids by parameter.
type Known = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

/// Method, path and the operation itself of every operation of the document.
fn operations() -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(&admin::openapi_document()).expect("JSON");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path.strip_prefix(admin::BASE).expect("a path of the surface");
        for (method, operation) in item.as_object().expect("an item") {
            operations.push((method.to_uppercase(), path.to_owned(), operation.clone()));
        }
    }
    operations
}

async fn furnish(tenant: &Tenant, admin: &Admin, name: &str) -> Known {
    let first = async |path: &str| admin.get(&format!("{path}?limit=1")).await.expect(200)["data"][0].clone();
    let connection = tenant.made.connection.id.to_string();
    let of_connection = format!("/connections/{connection}");
    admin.patch(&of_connection, &json!({ "scim": { "adoption": "review" } })).await.expect(200);
    let address = format!("anna@{name}.example");
    let invited = json!({ "emails": [address], "roles": ["read_only"], "delivery": "link" });
    let invited = admin.post("/invitations", &invited).await.expect(200)["results"][0]["invitation"].clone();
    let user = invited["user_id"].as_str().expect("a person").to_owned();
    tenant
        .caller
        .post("/Users", &user_with(&address, json!({ "externalId": "x" })))
        .await
        .expect_error(409, Some("uniqueness"));
    let group = id(&admin.post("/groups", &json!({ "name": "Sales", "members": [user] })).await.expect(201));
    let domain = format!("{name}.example");
    admin.post("/domains", &json!({ "domain": domain })).await.expect(201);
    let account = id(&admin.post("/sub-accounts", &json!({ "name": "Below" })).await.expect(201));
    let adoption = id(&first(&format!("{of_connection}/adoptions")).await);
    let token = id(&first(&format!("{of_connection}/scim-tokens")).await);
    let one = |name, id: &str| BTreeMap::from([(name, id.to_owned())]);
    let two = |id: &str, name, second: &str| BTreeMap::from([("id", id.to_owned()), (name, second.to_owned())]);
    Known::from([
        ("/api-keys/{id}", one("id", &id(&first("/api-keys").await))),
        ("/audit-events/{id}", one("id", &id(&first("/audit-events").await))),
        ("/connections/{id}", one("id", &connection)),
        ("/connections/{id}/adoptions/{aid}", two(&connection, "aid", &adoption)),
        ("/connections/{id}/scim-tokens/{tid}", two(&connection, "tid", &token)),
        ("/domains/{domain}", one("domain", &domain)),
        ("/groups/{id}", one("id", &group)),
        ("/groups/{id}/members/{user}", two(&group, "user", &user)),
        ("/invitations/{id}", one("id", &id(&invited))),
        ("/provisioning-log/{id}", one("id", &id(&first("/provisioning-log").await))),
        ("/sub-accounts/{id}", one("id", &account)),
        ("/sub-accounts/{id}/access/{user}", two(&account, "user", &user)),
        ("/users/{id}", one("id", &user)),
    ])
}

/// The ids for a path: those of its kind with the longest path.
fn ids_for(known: &Known, path: &str) -> BTreeMap<&'static str, String> {
    let kinds = known.iter().filter(|(kind, _)| path.starts_with(**kind));
    let found = kinds.max_by_key(|(kind, _)| kind.len());
    found.unwrap_or_else(|| panic!("no ids are made for {path}")).1.clone()
}

fn filled(path: &str, ids: &BTreeMap<&'static str, String>) -> String {
    ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
}

/// Status and body of an answer, the request id the same for all.
async fn ask(admin: &Admin, method: &str, path: &str) -> (u16, String) {
    let request = admin.request(method, path).header("X-Request-Id", "same");
    let answer = if ["POST", "PUT", "PATCH"].contains(&method) {
        send(request.header("Content-Type", "application/json").body("{}")).await
    } else {
        send(request).await
    };
    (answer.status, answer.text)
}

on_both! {
    async fn a_foreign_id_in_a_path_is_answered_like_an_unknown_one(app: &TestApp) {
        let (here, there) = (app.tenant().await, app.tenant().await);
        app.execute("UPDATE organizations SET features = '{\"sub_accounts\":true,\"tenant_release\":true}'").await;
        let (admin, other) = (app.admin(&here, "admin").await, app.admin(&there, "admin").await);
        let own = furnish(&here, &admin, "here").await;
        let foreign = furnish(&there, &other, "there").await;
        let (mut asked, before) = (0, app.number("SELECT count(*) FROM events").await);
        for (method, path, _) in operations().into_iter().filter(|(_, path, _)| path.contains('{')) {
            let foreign = ids_for(&foreign, &path);
            let unknown = |name: &str| if name == "domain" { UNKNOWN_DOMAIN } else { UNKNOWN }.to_owned();
            let names = foreign.keys().copied().filter(|name| path.contains(&format!("{{{name}}}")));
            let names: Vec<_> = names.collect();
            let nobodys = names.iter().map(|name| (*name, unknown(name))).collect();
            let expected = ask(&admin, &method, &filled(&path, &nobodys)).await;
            assert_eq!(expected.0, 404, "{method} {path}: {}", expected.1);
            assert_eq!(ask(&admin, &method, &filled(&path, &foreign)).await, expected, "{method} {path}");
            // What one has oneself, and beneath it what is foreign.
            for name in names.into_iter().filter(|name| *name != "id" && *name != "domain") {
                let mut ids = ids_for(&own, &path);
                ids.insert(name, unknown(name));
                let expected = ask(&admin, &method, &filled(&path, &ids)).await;
                ids.insert(name, foreign[name].clone());
                assert_eq!(ask(&admin, &method, &filled(&path, &ids)).await, expected, "{method} {path} {name}");
                assert!(expected.0 < 500, "{method} {path}: {}", expected.1);
            }
            asked += 1;
        }
        assert!(asked > 40, "{asked}");
        assert_eq!(app.number("SELECT count(*) FROM events").await, before);
        // One's own is there: what was compared are not answers to wrong paths.
        for (_, path, _) in operations().into_iter().filter(|(method, path, _)| method == "GET" && path.contains('{')) {
            let answer = ask(&admin, "GET", &filled(&path, &ids_for(&own, &path))).await;
            assert_eq!(answer.0, 200, "{path}: {}", answer.1);
        }
    }

    async fn a_foreign_id_in_a_filter_is_answered_like_an_unknown_one(app: &TestApp) {
        let (here, there) = (app.tenant().await, app.tenant().await);
        app.execute("UPDATE organizations SET features = '{\"sub_accounts\":true}'").await;
        let (admin, other) = (app.admin(&here, "admin").await, app.admin(&there, "admin").await);
        let own = furnish(&here, &admin, "here").await;
        let foreign = furnish(&there, &other, "there").await;
        let mut asked = 0;
        for (method, path, operation) in operations() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for name in parameters.filter_map(|parameter| parameter["name"].as_str()).filter(|n| FILTERS.contains(n)) {
                let path = if path.contains('{') { filled(&path, &ids_for(&own, &path)) } else { path.clone() };
                let with = async |id: &str| ask(&admin, &method, &format!("{path}?{name}={id}")).await;
                let expected = with(UNKNOWN).await;
                assert_eq!(expected.0, 200, "{path} {name}: {}", expected.1);
                for kind in ["/connections/{id}", "/groups/{id}", "/users/{id}", "/api-keys/{id}"] {
                    assert_eq!(with(&foreign[kind]["id"]).await, expected, "{path} {name} {kind}");
                    asked += 1;
                }
            }
        }
        assert!(asked > 20, "{asked}");
    }
}
