//! `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4), and what is not offered.

use serde_json::json;

use crate::helpers::*;

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
}
