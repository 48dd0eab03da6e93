//! Behaviour on the wire, line by line of security.md section 8; credentials are in `auth`, limits in `limits`, bodies
//! that are no user in `users/create`, filters and pages in `users/list`.

use serde_json::json;

use crate::helpers::*;

/// The head of a raw request, without its last line.
fn head(app: &TestApp, caller: &Caller, request_line: &str) -> String {
    let (host, token) = (&app.address, caller.token());
    format!("{request_line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n")
}

fn typed(caller: &Caller, path: &str, content_type: &str) -> reqwest::RequestBuilder {
    caller.request("POST", path).header("Content-Type", content_type)
}

on_both! {
    async fn bodies_that_are_no_json_document_are_invalid_syntax(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let deep = "[".repeat(100_000);
        let twice = format!("{}{}", user("b"), user("c"));
        for body in ["", " ", "{", "nonsense", "{\"a\":1,}", "{'a':1}", "\u{feff}{}", "NaN", &deep, &twice] {
            for (method, path) in
                [("POST", "/Users"), ("PUT", &path), ("PATCH", &path), ("POST", "/Users/.search"), ("POST", "/Groups")]
            {
                let answer = caller.with_text(method, path, body).await;
                answer.expect_error(400, Some("invalidSyntax"));
            }
        }
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"{\"userName\":\"\xc3\x28\"}", b"\"\xed\xa0\x80\""] {
            let request = typed(&caller, "/Users", "application/scim+json").body(bytes.to_vec());
            send(request).await.expect_error(400, Some("invalidSyntax"));
        }
    }

    async fn content_types_that_are_not_json_are_415(app: &TestApp) {
        let caller = app.caller().await;
        for (number, (content_type, status)) in [
            ("application/scim+json", 201),
            ("application/json", 201),
            ("Application/JSON;charset=UTF-8", 201),
            ("application/scim+json; charset=utf-8; x=\"y\"", 201),
            ("text/plain", 415),
            ("text/json", 415),
            ("application/xml", 415),
            ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data; boundary=x", 415),
            ("nonsense", 415),
        ]
        .into_iter()
        .enumerate()
        {
            let body = user(&format!("user{number}")).to_string();
            let answer = send(typed(&caller, "/Users", content_type).body(body)).await;
            assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
            if status == 415 {
                answer.expect_error(415, None);
            }
        }
        send(caller.request("POST", "/Users").body(user("untyped").to_string())).await.expect(201);
    }

    async fn a_coded_body_is_415(app: &TestApp) {
        let caller = app.caller().await;
        for coding in ["gzip", "deflate", "br", "zstd", "x", "identity, gzip"] {
            let request = typed(&caller, "/Users", "application/json").header("Content-Encoding", coding);
            send(request.body(user("a").to_string())).await.expect_error(415, None);
        }
        let request = typed(&caller, "/Users", "application/json").header("Content-Encoding", "identity");
        send(request.body(user("a").to_string())).await.expect(201);
    }

    async fn the_answer_is_json_whatever_is_accepted(app: &TestApp) {
        let caller = app.caller().await;
        for (accept, content_type) in [
            ("application/scim+json", "application/scim+json"),
            ("application/json", "application/json"),
            ("application/json;q=0.5", "application/json"),
            ("application/scim+json, application/json", "application/scim+json"),
            ("application/json, text/plain, */*", "application/scim+json"),
            ("*/*", "application/scim+json"),
            ("text/html", "application/scim+json"),
            ("text/html;q=1, image/*", "application/scim+json"),
            ("nonsense", "application/scim+json"),
        ] {
            let answer = send(caller.request("GET", "/Users").header("Accept", accept)).await;
            answer.expect(200);
            assert_eq!(answer.header("content-type"), content_type, "{accept}");
            send(caller.request("GET", "/Users/x").header("Accept", accept)).await.expect_error(404, None);
        }
    }

    async fn every_answer_carries_the_same_few_headers(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let not_modified = send(caller.request("GET", &path).header("If-None-Match", "*")).await;
        let preflight = caller
            .request("OPTIONS", "/Users")
            .header("Origin", "https://evil.example")
            .header("Access-Control-Request-Method", "GET");
        for answer in [
            caller.get(&path).await,
            not_modified,
            caller.get("/Users").await,
            caller.get("/Schemas").await,
            caller.get("/Users/x").await,
            caller.post("/Users", &json!([])).await,
            send(caller.anonymous("GET", "/Users")).await,
            send(caller.request("GET", "/Users").header("Origin", "https://evil.example")).await,
            send(preflight).await,
        ] {
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert!(matches!(answer.header("cache-control"), "no-store" | "private, no-cache"), "{answer:?}");
            assert!(!answer.header("x-request-id").is_empty());
            for name in answer.headers.keys() {
                let name = name.as_str();
                assert!(!name.starts_with("access-control-"), "{name}");
                assert!(!matches!(name, "server" | "x-powered-by" | "set-cookie"), "{name}");
            }
        }
    }

    async fn a_harmless_request_id_comes_back_and_another_does_not(app: &TestApp) {
        let caller = app.caller().await;
        for (sent, kept) in [("abc-1.2_3", true), ("a b", false), ("<script>", false), (&"x".repeat(65), false)] {
            let answer = send(caller.request("GET", "/Users").header("X-Request-Id", sent)).await;
            assert_eq!(answer.header("x-request-id") == sent, kept, "{sent}");
        }
    }

    async fn host_and_forwarding_headers_change_no_address(app: &TestApp) {
        let caller = app.caller().await;
        let request = caller
            .request("POST", "/Users")
            .header("Host", "evil.example")
            .header("X-Forwarded-Host", "evil.example")
            .header("Forwarded", "host=evil.example;proto=https")
            .header("X-Forwarded-Proto", "https");
        let answer = send(request.body(user("a").to_string())).await;
        answer.expect(201);
        assert!(!answer.text.contains("evil") && !format!("{:?}", answer.headers).contains("evil"), "{answer:?}");
    }

    async fn method_overrides_are_ignored(app: &TestApp) {
        let caller = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
            send(caller.request("GET", &format!("{path}?_method=DELETE")).header(name, "DELETE")).await.expect(200);
            send(caller.request("POST", &path).header(name, "DELETE")).await.expect_error(405, None);
        }
        caller.get(&path).await.expect(200);
    }

    async fn a_body_whose_length_is_unclear_closes_the_connection(app: &TestApp) {
        let caller = app.caller().await;
        let post = head(app, &caller, "POST /scim/v2/Users") + "Content-Type: application/json\r\n";
        let smuggled = "0\r\n\r\nGET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n";
        for lines in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 6\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5x\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
        ] {
            let answer = app.raw(format!("{post}{lines}\r\n{smuggled}")).await;
            assert_eq!((answer.status, answer.closed), (400, true), "{lines}: {answer:?}");
            assert_eq!(answer.text.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer:?}");
        }
    }

    async fn bad_chunks_are_400_and_close_the_connection(app: &TestApp) {
        let caller = app.caller().await;
        let post = head(app, &caller, "POST /scim/v2/Users") + "Transfer-Encoding: chunked\r\n\r\n";
        for chunks in ["x\r\n{}\r\n0\r\n\r\n", "-1\r\n\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}x\r\n0\r\n\r\n"] {
            let answer = app.raw(format!("{post}{chunks}")).await;
            // actix now and then closes without an answer, where the handler still waited when the chunk was read.
            assert!(matches!(answer.status, 400 | 0) && answer.closed, "{chunks}: {answer:?}");
        }
        let body = user("chunked").to_string();
        let (first, second) = body.split_at(10);
        let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
        let answer = app.raw(format!("{post}{chunks}")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    async fn requests_that_are_no_http_are_400_and_closed(app: &TestApp) {
        for bytes in [
            &b"nonsense\r\n\r\n"[..],
            b"GET /scim/v2/Users\r\n\r\n",
            b"GET  HTTP/1.1\r\n\r\n",
            b"GET /scim/v2/Users HTTP/9.9\r\n\r\n",
            b"GET /scim/v2/Users HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET /scim/v2/Users HTTP/1.1\r\n: no name\r\n\r\n",
            b"GET /scim/v2/Users HTTP/1.1\r\nA\0: b\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ] {
            let answer = app.raw(bytes).await;
            assert!(matches!(answer.status, 400 | 0) && answer.closed, "{bytes:?}: {answer:?}");
        }
    }

    async fn a_path_that_is_oddly_encoded_is_404(app: &TestApp) {
        let caller = app.caller().await;
        for path in ["/Users/%", "/Users/%zz", "/Users/%00", "/Users/\u{7f}", "/Users/..;/", "/%55sers/x/y", "//Users"] {
            let answer = app.raw(head(app, &caller, &format!("GET /scim/v2{path}")) + "\r\n").await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        }
        let dots = app.raw(head(app, &caller, "GET /scim/v2/../../etc/passwd") + "\r\n").await;
        assert!(matches!(dots.status, 400 | 404), "{dots:?}");
    }

    async fn a_pipelined_request_gets_its_own_answer(app: &TestApp) {
        let caller = app.caller().await;
        let get = head(app, &caller, "GET /scim/v2/Users") + "\r\n";
        let missing = head(app, &caller, "GET /scim/v2/Users/x") + "\r\n";
        let answer = app.raw(format!("{get}{missing}{get}")).await;
        let statuses: Vec<_> = answer.text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["200", "404", "200"]);
    }

    async fn heavy_input_is_refused_while_others_are_served(app: &TestApp) {
        let caller = app.caller().await;
        let other = app.caller().await;
        let path = format!("/Users/{}", caller.user("a").await);
        let large = "x".repeat(1_000_000);
        let filters = [
            "(".repeat(100_000),
            format!("{}userName pr", "not (".repeat(10_000)),
            vec!["userName eq \"a\""; 2_000].join(" or "),
            // An odd number escapes the closing quote.
            format!("userName eq \"{}\"", "\\".repeat(3_001)),
            format!("userName eq \"{}", "\\\"".repeat(3_000)),
            format!("userName eq \"{large}\""),
            format!("{large} pr"),
            "emails[".repeat(2_000),
            format!("userName eq {}", "9".repeat(5_000)),
            "a.".repeat(4_000),
        ];
        for filter in &filters {
            let answer = caller.post("/Users/.search", &search(json!({ "filter": filter }))).await;
            answer.expect_error(400, Some("invalidFilter"));
            other.get("/Users").await.expect(200);
            let by_path = patch(json!([{ "op": "remove", "path": format!("emails[{filter}]") }]));
            assert_eq!(caller.patch(&path, &by_path).await.status, 400);
        }
        // Each limit is kept; their product is not.
        let emails: Vec<_> = (0..1_000).map(|n| json!({ "value": format!("e{n}"), "type": format!("t{n}") })).collect();
        let many = user_with("many", json!({ "emails": emails }));
        let many = caller.post("/Users", &many).await.expect(201)["id"].as_str().expect("an id").to_owned();
        let selection = format!("emails[{}]", vec!["type eq \"x\""; 100].join(" or "));
        let selections = patch(json!(vec![json!({ "op": "remove", "path": selection }); 500]));
        caller.patch(&format!("/Users/{many}"), &selections).await.expect_error(400, Some("tooMany"));
        other.get("/Users").await.expect(200);
        let emails: Vec<_> = (0..15).map(|n| json!({ "value": format!("{n}{}", "é".repeat(32_000)) })).collect();
        let long = user_with("long", json!({ "emails": emails }));
        let long = caller.post("/Users", &long).await.expect(201)["id"].as_str().expect("an id").to_owned();
        let terms: Vec<_> = (0..98).map(|n| format!("value co \"z{n}\"")).collect();
        let selection = format!("emails[{}].display", terms.join(" or "));
        let selection = patch(json!([{ "op": "replace", "path": selection, "value": "x" }]));
        caller.patch(&format!("/Users/{long}"), &selection).await.expect_error(400, Some("tooMany"));
        let filter = terms.join(" or ").replace("value", "emails.value");
        let found = caller.post("/Users/.search", &search(json!({ "filter": filter }))).await.expect(200);
        assert_eq!(found["totalResults"], 0);
        other.get("/Users").await.expect(200);
        let open = |text: &str, times: usize| text.repeat(times);
        for body in [
            open("[", 500_000),
            open("{\"a\":", 100_000),
            format!("{{{}\"z\":1}}", (0..50_000).map(|n| format!("\"a{n}\":1,")).collect::<String>()),
            format!("\"{large}"),
            user_with("a", json!({ "title": large })).to_string(),
            user_with("a", json!({ "emails": vec![json!({ "value": "a" }); 5_000] })).to_string(),
            format!("{}{}", open(" ", 900_000), "x"),
            open("9", 900_000),
            user(&large).to_string(),
            patch(json!(vec![json!({ "op": "add", "path": "title", "value": "x" }); 10_000])).to_string(),
        ] {
            for (method, path) in [("POST", "/Users"), ("PUT", &path), ("PATCH", &path)] {
                let answer = caller.with_text(method, path, body.as_str()).await;
                assert!(matches!(answer.status, 400 | 413), "{}: {}", answer.status, answer.text);
            }
            other.get("/Users").await.expect(200);
        }
    }
}
