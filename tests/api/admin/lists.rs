//! Lists: strict parameters, pages both ways, cursors that belong to one list, links.

use serde_json::Value;

use crate::helpers::*;

fn keys(page: &Value) -> Vec<String> {
    page["data"].as_array().expect("data").iter().map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
}

const BY_KEY: [&str; 6] = ["admin", "billing", "data_admin", "read_only", "sub_accounts", "team_management"];

on_both! {
    async fn parameters_that_a_route_does_not_know_are_refused(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for query in ["no_such=1", "Limit=1", "limit=1&x", "key=admin&limt=5"] {
            admin.get(&format!("/roles?{query}")).await.expect_problem(400, "unknown-parameter");
        }
        for (query, names) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=-1", "limit"),
            ("limit=", "limit"),
            ("limit=5&limit=6", "limit"),
            ("sort=other", "sort"),
            ("sort=key,key", "sort"),
            ("sort=", "sort"),
            ("include_total=yes", "include_total"),
            ("key=owner", "key"),
            ("key=%zz", "parameter"),
            ("key=%00", "parameter"),
        ] {
            let problem = admin.get(&format!("/roles?{query}")).await.expect_problem(400, "filter-invalid");
            assert!(problem["detail"].as_str().unwrap().contains(names), "{query}: {problem}");
        }
    }

    async fn a_repeated_filter_means_or(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let page = admin.get("/roles?key=read_only&key=admin&include_total=true").await.expect(200);
        assert_eq!(keys(&page), ["admin", "read_only"]);
        assert_eq!(page["page"]["total"], 2);
        assert_eq!(keys(&admin.get("/roles?key=billing").await.expect(200)), ["billing"]);
    }

    async fn the_whole_list_is_one_page(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = admin.get("/roles").await;
        let page = answer.expect(200);
        assert_eq!(keys(&page), BY_KEY);
        assert_eq!(page["page"], serde_json::json!({ "limit": 50, "next_cursor": null, "prev_cursor": null }));
        assert_eq!(answer.header("link"), "");
        assert_eq!(answer.header("content-type"), "application/json");
    }

    async fn pages_follow_each_other_both_ways(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for (sort, expected) in [("key", BY_KEY.map(str::to_owned).to_vec()), ("-key", {
            let mut reversed = BY_KEY.map(str::to_owned).to_vec();
            reversed.reverse();
            reversed
        })] {
            let mut url = format!("{}/api/v1/roles?sort={sort}&limit=4&include_total=true", admin.url);
            let (mut seen, mut last) = (Vec::new(), Value::Null);
            for _ in 0..2 {
                let answer = send(admin.anonymous("GET", url.strip_prefix(&admin.url).unwrap()).bearer_auth(&admin.key)).await;
                last = answer.expect(200);
                assert_eq!((&last["page"]["total"], &last["page"]["limit"]), (&6.into(), &4.into()));
                seen.extend(keys(&last));
                let next = answer.header("link").split(", ").find(|link| link.ends_with("rel=\"next\""));
                let Some(next) = next else { break };
                url = next.trim_start_matches('<').split('>').next().unwrap().to_owned();
            }
            assert_eq!(seen, expected);
            assert!(last["page"]["next_cursor"].is_null());
            let back = last["page"]["prev_cursor"].as_str().expect("a cursor");
            let first = admin.get(&format!("/roles?sort={sort}&limit=4&cursor={back}")).await.expect(200);
            assert_eq!(keys(&first), expected[..4]);
            assert!(first["page"]["prev_cursor"].is_null());
        }
    }

    async fn a_cursor_belongs_to_its_list(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        let admin = app.admin(&one, "admin").await;
        let page = admin.get("/roles?limit=2").await.expect(200);
        let cursor = page["page"]["next_cursor"].as_str().expect("a cursor").to_owned();
        assert_eq!(keys(&admin.get(&format!("/roles?limit=3&cursor={cursor}")).await.expect(200)), BY_KEY[2..5]);
        let foreign = app.admin(&other, "admin").await;
        foreign.get(&format!("/roles?limit=2&cursor={cursor}")).await.expect_problem(400, "cursor-invalid");
        for query in [
            format!("sort=-key&cursor={cursor}"),
            format!("key=admin&cursor={cursor}"),
            format!("cursor={cursor}x"),
            format!("cursor={}", &cursor[1..]),
            "cursor=".to_owned(),
            "cursor=AAAA".to_owned(),
        ] {
            admin.get(&format!("/roles?{query}")).await.expect_problem(400, "cursor-invalid");
        }
    }
}
