//! Each limit of security.md section 9: at it, and one past it. Many are set lower, so that a test stays small.

use std::time::Duration;

use rollcall::config::Settings;
use serde_json::{Value, json};

use crate::helpers::*;

fn nested(depth: usize) -> String {
    let inner = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let user = user("deep").to_string();
    format!("{},\"nonsense\":{inner}}}", &user[..user.len() - 1])
}

fn emails(count: usize) -> Value {
    json!((0..count).map(|n| json!({ "value": format!("a{n}@x") })).collect::<Vec<_>>())
}

/// Lower bounds of the engine.
fn small(settings: &mut Settings) {
    let limits = &mut settings.limits.protocol;
    limits.object_members = 8;
    limits.attribute_values = 5;
    limits.group_members = 3;
    limits.patch_operations = 4;
    limits.page_most = 3;
    limits.page_default = 2;
    limits.filter_terms = 5;
    limits.filter_depth = 4;
    limits.filter_bytes = 200;
}

on_both! {
    async fn body_bytes(app: &TestApp)
    with |settings: &mut Settings| settings.limits.body_bytes = 2_000,
    {
        let caller = app.caller().await;
        let sized = |name: &str, bytes: usize| {
            let body = user(name).to_string();
            let blanks = " ".repeat(bytes - body.len());
            body + &blanks
        };
        caller.with_text("POST", "/Users", sized("fits", 2_000)).await.expect(201);
        caller.with_text("POST", "/Users", sized("over", 2_001)).await.expect_error(413, None);
        let head = |length: &str| {
            let token = caller.token();
            format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n")
        };
        // Declared: refused before a byte of it came. 1 EiB is not reserved.
        for declared in ["2001", "1152921504606846976"] {
            let answer = app.raw(head(&format!("Content-Length: {declared}"))).await;
            assert_eq!((answer.status, answer.closed), (413, true), "{answer:?}");
        }
        for (name, bytes, status) in [("chunked", 2_000, 201), ("chunked over", 2_001, 413)] {
            let body = sized(name, bytes);
            let (first, second) = body.split_at(1_000);
            let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
            let answer = app.raw(head("Transfer-Encoding: chunked") + &chunks).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        assert_eq!(caller.get("/Users").await.expect(200)["totalResults"], 2);
    }

    async fn the_default_body_is_one_mebibyte(app: &TestApp) {
        let caller = app.caller().await;
        let body = user("large").to_string();
        let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
        caller.with_text("POST", "/Users", padded(1024 * 1024 + 1)).await.expect_error(413, None);
        caller.with_text("POST", "/Users", padded(1024 * 1024)).await.expect(201);
    }

    async fn a_resource_that_many_requests_made(app: &TestApp)
    with |settings: &mut Settings| settings.limits.protocol.resource_bytes = 2_000,
    {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("grown").await);
        let stored = caller.get(&path).await.expect(200);
        let add = |name: &str, length: usize| patch(json!([{ "op": "add", "path": name, "value": "x".repeat(length) }]));
        caller.patch(&path, &add("title", 1_000)).await.expect(200);
        caller.patch(&path, &add("nickName", 1_000)).await.expect_error(413, None);
        let mut sized = stored.clone();
        sized["title"] = json!("x".repeat(2_500));
        caller.put(&path, &sized).await.expect_error(413, None);
        caller.post("/Users", &user_with("large", json!({ "title": "x".repeat(2_500) }))).await.expect_error(413, None);
        let group = json!({ "schemas": [GROUP], "displayName": "x".repeat(2_500) });
        caller.post("/Groups", &group).await.expect_error(413, None);
        assert_eq!(caller.get(&path).await.expect(200)["title"].as_str().map(str::len), Some(1_000));
    }

    async fn json_depth(app: &TestApp) {
        let caller = app.caller().await;
        caller.with_text("POST", "/Users", nested(64)).await.expect(201);
        caller.with_text("POST", "/Users", nested(65)).await.expect_error(400, Some("invalidSyntax"));
    }

    async fn members_of_an_object_and_values_of_an_attribute(app: &TestApp) with small, {
        let caller = app.caller().await;
        let mut body = user("a");
        for number in 0..6 {
            body[format!("x{number}")] = json!(1);
        }
        caller.create("/Users", &body).await;
        body["x6"] = json!(1);
        caller.post("/Users", &body).await.expect_error(400, Some("invalidSyntax"));
        caller.create("/Users", &user_with("b", json!({ "emails": emails(5) }))).await;
        let over = caller.post("/Users", &user_with("c", json!({ "emails": emails(6) }))).await;
        over.expect_error(400, Some("invalidValue"));
        let path = format!("/Users/{}", caller.user("d").await);
        let add = |count| patch(json!([{ "op": "add", "path": "emails", "value": emails(count) }]));
        caller.patch(&path, &add(6)).await.expect_error(400, Some("invalidValue"));
        caller.patch(&path, &add(5)).await.expect(200);
    }

    async fn members_of_a_group_in_one_request(app: &TestApp) with small, {
        let caller = app.caller().await;
        let mut users = Vec::new();
        for name in ["a", "b", "c", "d"] {
            users.push(caller.user(name).await);
        }
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        caller.post("/Groups", &group("over", &users)).await.expect_error(400, Some("invalidValue"));
        let group_id = caller.group("g", &users[..3]).await;
        let path = format!("/Groups/{group_id}");
        caller.put(&path, &group("g", &users)).await.expect_error(400, Some("invalidValue"));
        let add = |ids: &[&str]| {
            let values: Vec<_> = ids.iter().map(|id| json!({ "value": id })).collect();
            patch(json!([{ "op": "add", "path": "members", "value": values }]))
        };
        caller.patch(&path, &add(&users)).await.expect_error(400, Some("invalidValue"));
        // No bound on what is stored.
        caller.patch(&path, &add(&users[3..])).await.expect(200);
        assert_eq!(caller.members(&group_id).await.len(), 4);
    }

    async fn a_string_and_a_user_name(app: &TestApp) {
        let caller = app.caller().await;
        let text = |bytes: usize| "x".repeat(bytes);
        caller.create("/Users", &user_with("a", json!({ "title": text(64 * 1024) }))).await;
        let over = caller.post("/Users", &user_with("b", json!({ "title": text(64 * 1024 + 1) }))).await;
        over.expect_error(400, Some("invalidValue"));
        // Characters, not bytes.
        caller.user(&"ä".repeat(512)).await;
        caller.post("/Users", &user(&"ö".repeat(513))).await.expect_error(400, Some("invalidValue"));
    }

    async fn a_filter(app: &TestApp) with small, {
        let caller = app.caller().await;
        let terms = |count: usize| vec!["title pr"; count].join(" or ");
        let deep = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
        let long = |bytes: usize| format!("title eq \"{}\"", "x".repeat(bytes - 11));
        for (fits, over) in [(terms(5), terms(6)), (deep(4), deep(5)), (long(200), long(201))] {
            caller.query("/Users", &[("filter", &fits)]).await.expect(200);
            caller.query("/Users", &[("filter", &over)]).await.expect_error(400, Some("invalidFilter"));
            caller.post("/Users/.search", &search(json!({ "filter": fits }))).await.expect(200);
            let refused = caller.post("/Users/.search", &search(json!({ "filter": over }))).await;
            refused.expect_error(400, Some("invalidFilter"));
        }
    }

    async fn the_default_filter_is_eight_kibibytes_of_a_hundred_terms(app: &TestApp) {
        let caller = app.caller().await;
        let terms = |count: usize| vec!["title pr"; count].join(" or ");
        caller.query("/Users", &[("filter", &terms(100))]).await.expect(200);
        caller.query("/Users", &[("filter", &terms(101))]).await.expect_error(400, Some("invalidFilter"));
        let long = |bytes: usize| format!("title eq \"{}\"", "x".repeat(bytes - 11));
        caller.query("/Users", &[("filter", &long(8 * 1024))]).await.expect(200);
        caller.query("/Users", &[("filter", &long(8 * 1024 + 1))]).await.expect_error(400, Some("invalidFilter"));
    }

    async fn operations_of_a_patch(app: &TestApp) with small, {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let many = |count: usize| patch(json!(vec![json!({ "op": "add", "path": "title", "value": "x" }); count]));
        caller.patch(&path, &many(4)).await.expect(200);
        let over = caller.patch(&path, &many(5)).await;
        assert!(matches!(over.status, 400 | 413), "{}", over.text);
    }

    async fn a_page_is_capped(app: &TestApp) with small, {
        let caller = app.caller().await;
        for name in ["a", "b", "c", "d"] {
            caller.user(name).await;
        }
        for (query, shown) in [("", 2), ("?count=3", 3), ("?count=4", 3), ("?count=999999", 3)] {
            let page = caller.get(&format!("/Users{query}")).await.expect(200);
            assert_eq!((&page["itemsPerPage"], &page["totalResults"]), (&json!(shown), &json!(4)), "{query}");
        }
        assert_eq!(caller.get("/ServiceProviderConfig").await.expect(200)["filter"]["maxResults"], 3);
    }

    async fn header_fields_and_request_line(app: &TestApp)
    with |settings: &mut Settings| {
        settings.limits.header_bytes = 1_000;
        settings.limits.request_line_bytes = 300;
    },
    {
        let caller = app.caller().await;
        let authorization = format!("Authorization: Bearer {}\r\n", caller.token());
        let padded = |bytes: usize| {
            // A field counts with its colon, blank and line end.
            let counted = authorization.len() + "Host: x\r\n".len() + "X: \r\n".len();
            let pad = "x".repeat(bytes - counted);
            format!("GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n{authorization}X: {pad}\r\n\r\n")
        };
        assert_eq!(app.raw(padded(1_000)).await.status, 200);
        let over = app.raw(padded(1_001)).await;
        assert_eq!((over.status, over.closed), (431, true));
        assert!(over.text.contains("application/scim+json"), "{over:?}");
        let line = |bytes: usize| {
            let pad = "x".repeat(bytes - "GET /scim/v2/Users?x= HTTP/1.1".len());
            format!("GET /scim/v2/Users?x={pad} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n")
        };
        assert_eq!(app.raw(line(300)).await.status, 200);
        let over = app.raw(line(301)).await;
        assert_eq!((over.status, over.closed), (414, true));
        assert!(over.text.contains("application/scim+json"), "{over:?}");
    }

    async fn the_default_head_is_64_kibibytes_and_actix_stops_at_128(app: &TestApp) {
        let caller = app.caller().await;
        for (bytes, status) in [(60_000, 200), (66_000, 431), (140_000, 431)] {
            let field = "x".repeat(bytes);
            let token = caller.token();
            let request =
                format!("GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nX: {field}\r\n\r\n");
            assert_eq!(app.raw(request).await.status, status, "{bytes}");
        }
        let line = format!("GET /scim/v2/Users?x={} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(17_000));
        assert_eq!(app.raw(line).await.status, 414);
    }

    async fn a_head_that_does_not_come_is_given_up(app: &TestApp)
    with |settings: &mut Settings| settings.limits.header_timeout = Duration::from_millis(300),
    {
        let answer = app.raw("GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n").await;
        assert!(answer.closed && matches!(answer.status, 408 | 0), "{answer:?}");
    }

    async fn a_body_that_does_not_come_is_408(app: &TestApp)
    with |settings: &mut Settings| settings.limits.body_timeout = Duration::from_millis(300),
    {
        let caller = app.caller().await;
        let token = caller.token();
        let head = format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n");
        let answer = app.raw(head + "Content-Length: 100\r\n\r\n{\"schemas\"").await;
        assert_eq!((answer.status, answer.closed), (408, true), "{answer:?}");
        assert!(answer.text.contains("application/scim+json"), "{answer:?}");
    }

    async fn requests_in_work(app: &TestApp)
    with |settings: &mut Settings| {
        settings.limits.in_flight = 1;
        // It is asked as often as it takes until the slow one is in work.
        settings.rate_limit = false;
    },
    {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let caller = app.caller().await;
        caller.get("/Users").await.expect(200);
        let body = user("slow").to_string();
        let (first, second) = body.split_at(10);
        let (token, length) = (caller.token(), body.len());
        let head = format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n");
        let begin = async || {
            let mut slow = tokio::net::TcpStream::connect(&app.address).await.expect("connects");
            slow.write_all(format!("{head}Content-Length: {length}\r\n\r\n{first}").as_bytes()).await.expect("sends");
            slow
        };
        let mut slow = begin().await;
        // As soon as the slow one is in work, every other one is told to come back; where it met one, it was itself.
        let refused = loop {
            let answer = caller.get("/Users").await;
            if slow.try_read(&mut [0; 512]).is_ok() {
                slow = begin().await;
            } else if answer.status != 200 {
                break answer;
            }
        };
        refused.expect_error(503, None);
        assert_ne!(refused.header("retry-after"), "");
        slow.write_all(second.as_bytes()).await.expect("sends");
        let mut start = [0; 12];
        slow.read_exact(&mut start).await.expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 201");
        caller.get("/Users").await.expect(200);
    }

    async fn requests_of_one_token(app: &TestApp)
    with |settings: &mut Settings| {
        settings.limits.token_rate = 1;
        settings.limits.token_burst = 5;
    },
    {
        let tenant = app.tenant().await;
        let other = app.fresh(&tenant).await;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(tenant.caller.get("/Users").await.status);
        }
        assert_eq!(statuses, [200; 5]);
        // On a slow machine a second may pass, and with it one more request.
        let refused = loop {
            let answer = tenant.caller.get("/nonsense").await;
            if answer.status == 429 {
                break answer;
            }
            answer.expect_error(404, None);
        };
        refused.expect_error(429, None);
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=2).contains(&wait), "{wait}");
        other.get("/Users").await.expect(200);
    }

    async fn no_rate_where_it_is_off(app: &TestApp)
    with |settings: &mut Settings| {
        settings.rate_limit = false;
        settings.limits.token_rate = 1;
        settings.limits.token_burst = 1;
    },
    {
        let caller = app.caller().await;
        for _ in 0..20 {
            caller.get("/Users").await.expect(200);
        }
    }
}
