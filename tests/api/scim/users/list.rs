//! `GET /Users` (RFC 7644 §3.4.2).

use serde_json::json;

use crate::helpers::*;

on_both! {
    async fn pages_follow_each_other_and_the_total_is_exact(app: &TestApp) {
        let caller = app.caller().await;
        let mut made = Vec::new();
        for number in 0..7 {
            made.push(caller.user(&format!("user{number}")).await);
        }
        let mut seen = Vec::new();
        for start in [1, 4, 7] {
            let page = caller.get(&format!("/Users?startIndex={start}&count=3")).await.expect(200);
            assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(7), &json!(start)));
            let resources = page["Resources"].as_array().unwrap();
            assert_eq!(page["itemsPerPage"], resources.len());
            seen.extend(resources.iter().map(id));
        }
        assert_eq!(seen, made);
    }

    async fn odd_pages_are_mended_and_wrong_ones_refused(app: &TestApp) {
        let caller = app.caller().await;
        for number in 0..3 {
            caller.user(&format!("user{number}")).await;
        }
        for (query, total, shown) in [
            ("count=0", 3, 0),
            ("count=-5", 3, 0),
            ("startIndex=0&count=2", 3, 2),
            ("startIndex=-7", 3, 3),
            ("startIndex=4", 3, 0),
            ("startIndex=99999999999", 3, 0),
            ("count=100000", 3, 3),
            ("", 3, 3),
            ("unknown=1", 3, 3),
        ] {
            let page = caller.get(&format!("/Users?{query}")).await.expect(200);
            assert_eq!(page["totalResults"], total, "{query}");
            assert_eq!(page["Resources"].as_array().map(Vec::len), Some(shown), "{query}");
        }
        for query in ["count=x", "startIndex=1.5", "count=1&count=2", "filter=%zz", "sortOrder=up&sortBy=userName"] {
            caller.get(&format!("/Users?{query}")).await.expect_error(400, Some("invalidValue"));
        }
        for query in ["filter=", "filter=userName", "filter=nonsense+eq+1", "filter=password+eq+%22x%22", "filter=active+gt+true"] {
            caller.get(&format!("/Users?{query}")).await.expect_error(400, Some("invalidFilter"));
        }
    }

    async fn filters_select_and_their_total_counts(app: &TestApp) {
        let caller = app.caller().await;
        for (name, mail) in [("Ada", "ada@x.org"), ("Ben", "ben@x.org"), ("per%cent", "c_d@y.org")] {
            let attributes = json!({ "emails": [{ "value": mail, "type": "work" }], "externalId": name });
            caller.create("/Users", &user_with(name, attributes)).await;
        }
        for (filter, expected) in [
            ("userName eq \"ADA\"", &["Ada"][..]),
            ("externalId eq \"Ada\"", &["Ada"]),
            ("externalId eq \"ada\"", &[]),
            ("userName co \"%\"", &["per%cent"]),
            ("emails.value sw \"c_\"", &["per%cent"]),
            ("emails[type eq \"work\" and value ew \"@x.org\"]", &["Ada", "Ben"]),
            ("emails[type eq \"work\"].value eq \"ben@x.org\"", &["Ben"]),
            ("not (userName eq \"ada\") and active eq true", &["Ben", "per%cent"]),
            ("userName eq \"' OR 1=1 --\"", &[]),
            ("title pr", &[]),
            ("userName gt \"b\"", &["Ben", "per%cent"]),
        ] {
            let found = caller.find("/Users", filter).await;
            let names: Vec<_> = found.iter().map(|user| user["userName"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{filter}");
        }
    }

    async fn an_empty_list_is_a_list(app: &TestApp) {
        let caller = app.caller().await;
        let list = caller.query("/Users", &[("filter", "userName eq \"nobody\"")]).await.expect(200);
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
        });
        assert_eq!(list, expected);
    }

    async fn sorting_orders_and_projection_trims(app: &TestApp) {
        let caller = app.caller().await;
        for name in ["b", "C", "a"] {
            caller.user(name).await;
        }
        for (order, expected) in [("ascending", ["a", "b", "C"]), ("descending", ["C", "b", "a"])] {
            let parameters = [("sortBy", "userName"), ("sortOrder", order), ("attributes", "userName")];
            let list = caller.query("/Users", &parameters).await.expect(200);
            let resources = list["Resources"].as_array().unwrap();
            let names: Vec<_> = resources.iter().map(|user| user["userName"].as_str().unwrap()).collect();
            assert_eq!(names, expected);
            assert!(resources.iter().all(|user| user.get("meta").is_none() && user.get("id").is_some()));
        }
    }
}
