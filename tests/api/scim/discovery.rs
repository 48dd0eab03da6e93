//! `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4), and what is not offered.

use serde_json::json;

use crate::helpers::*;

const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";

on_both! {
    async fn documents_name_their_own_addresses(app: &TestApp) {
        let caller = app.caller().await;
        let config = caller.get("/ServiceProviderConfig").await.expect(200);
        assert_eq!(config["meta"]["location"], format!("{}/ServiceProviderConfig", caller.base()));
        // People read it in a browser, without a token.
        let documentation = config["documentationUri"].as_str().expect("an address");
        let page = reqwest::get(documentation).await.expect("an answer");
        assert_eq!((page.status().as_u16(), &page.headers()["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
        assert!(page.text().await.expect("a page").contains("Connecting an identity provider"));
        for (path, ids) in [("/ResourceTypes", &["User", "Group"][..]), ("/Schemas", &[USER, GROUP, ENTERPRISE])] {
            let list = caller.get(path).await.expect(200);
            assert_eq!(list["totalResults"], ids.len());
            for resource in list["Resources"].as_array().unwrap() {
                let id = id(resource);
                assert!(ids.contains(&id.as_str()), "{id}");
                assert_eq!(resource["meta"]["location"], format!("{}{path}/{id}", caller.base()));
                assert_eq!(&caller.get(&format!("{path}/{id}")).await.expect(200), resource);
            }
            caller.get(&format!("{path}/nonsense")).await.expect_error(404, None);
        }
    }

    async fn a_filter_is_forbidden(app: &TestApp) {
        let caller = app.caller().await;
        for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
            caller.query(path, &[("filter", "id pr")]).await.expect_error(403, None);
            caller.get(&format!("{path}?count=1&x=2")).await.expect(200);
        }
    }

    async fn what_is_not_offered_says_so(app: &TestApp) {
        let caller = app.caller().await;
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            send(caller.request(method, "/Me")).await.expect_error(501, None);
        }
        caller.post("/Bulk", &json!({})).await.expect_error(501, None);
        for (path, method, allow) in [
            ("/Users", "PUT", "GET, HEAD, POST"),
            ("/Users", "PATCH", "GET, HEAD, POST"),
            ("/Users", "DELETE", "GET, HEAD, POST"),
            ("/Users", "OPTIONS", "GET, HEAD, POST"),
            ("/Users", "BREW", "GET, HEAD, POST"),
            ("/Users/1", "POST", "GET, HEAD, PUT, PATCH, DELETE"),
            ("/Users/.search", "GET", "POST"),
            ("/.search", "GET", "POST"),
            ("/Groups/.search", "DELETE", "POST"),
            ("/ServiceProviderConfig", "POST", "GET, HEAD"),
            ("/ResourceTypes", "DELETE", "GET, HEAD"),
            ("/Schemas/x", "PATCH", "GET, HEAD"),
        ] {
            let answer = send(caller.request(method, path)).await;
            answer.expect_error(405, None);
            assert_eq!(answer.header("allow"), allow, "{method} {path}");
        }
        for path in ["", "/", "/users", "/Users/", "/Users/1/2", "/Users//", "/Nonsense", "/ServiceProviderConfig/x"] {
            caller.get(path).await.expect_error(404, None);
        }
    }
    async fn roles_are_listed_where_the_connection_publishes_them(app: &TestApp) {
        let tenant = app.tenant().await;
        for path in ["/Roles", "/Roles/admin", "/Entitlements", "/ResourceTypes/Role", &format!("/Schemas/{ROLE}")] {
            tenant.caller.get(path).await.expect_error(404, None);
        }
        let config = tenant.caller.get("/ServiceProviderConfig").await.expect(200);
        assert_eq!(config.get("RolesAndEntitlements"), None);

        app.settings(&tenant, r#"{"roles_discovery":true}"#).await;
        let caller = app.fresh(&tenant).await;
        let config = caller.get("/ServiceProviderConfig").await.expect(200);
        assert_eq!(config["RolesAndEntitlements"]["roles"]["supported"], true);
        assert_eq!(caller.get("/ResourceTypes").await.expect(200)["totalResults"], 4);
        assert_eq!(caller.get("/Schemas").await.expect(200)["totalResults"], 5);
        for (path, endpoint) in [("/ResourceTypes/Role", "/Roles"), ("/ResourceTypes/Entitlement", "/Entitlements")] {
            assert_eq!(caller.get(path).await.expect(200)["endpoint"], endpoint);
        }
        let schema = caller.get(&format!("/Schemas/{ROLE}")).await.expect(200);
        let attributes = schema["attributes"].as_array().unwrap();
        assert!(attributes.iter().all(|attribute| attribute["mutability"] == "readOnly"));

        let roles = caller.get("/Roles").await.expect(200);
        assert_eq!((&roles["totalResults"], &roles["itemsPerPage"]), (&json!(6), &json!(6)));
        let listed = roles["Resources"].as_array().unwrap();
        let column = |name: &str| listed.iter().map(|role| role[name].clone()).collect::<Vec<_>>();
        let all = ["admin", "data_admin", "read_only", "sub_accounts", "team_management", "billing"];
        assert_eq!(column("value"), all);
        assert_eq!(column("supported"), [false, true, true, true, true, false]);
        assert_eq!(listed[0]["contains"], json!(&all[1..]));
        assert_eq!(listed[1]["containedBy"], json!(["admin"]));
        for role in listed {
            let known: Vec<_> = attributes.iter().map(|attribute| attribute["name"].as_str().unwrap()).collect();
            let members = role.as_object().unwrap().keys().map(String::as_str);
            assert!(members.filter(|name| !["schemas", "id", "meta"].contains(name)).all(|name| known.contains(&name)));
            assert_eq!(&caller.get(&format!("/Roles/{}", id(role))).await.expect(200), role);
        }
        assert_eq!(caller.get("/Entitlements").await.expect(200)["totalResults"], 0);
        caller.get("/Roles/owner").await.expect_error(404, None);
        caller.get("/Entitlements/admin").await.expect_error(404, None);
        caller.query("/Roles", &[("filter", "value eq \"admin\"")]).await.expect_error(403, None);
        for (method, path) in [("POST", "/Roles"), ("DELETE", "/Roles/admin"), ("PATCH", "/Entitlements/x")] {
            let answer = send(caller.request(method, path)).await;
            answer.expect_error(405, None);
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }

        app.settings(&tenant, r#"{"roles_discovery":true,"may_grant_admin":true}"#).await;
        let roles = app.fresh(&tenant).await.get("/Roles").await.expect(200);
        assert!(roles["Resources"].as_array().unwrap().iter().all(|role| role["supported"] == true));
    }
}
