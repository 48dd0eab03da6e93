//! What takes too long, and connections without end (security.md section 9): at the bound, and past it.

use std::time::Duration;

use rollcall::config::Settings;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::helpers::*;

const NEVER_THAT_LONG: Duration = Duration::from_secs(60);

/// A read that ends before it looks at anybody (on SQLite), or that no lock lets through in time (on PostgreSQL, whose
/// least bound is a millisecond, which a session's first statement may take).
fn short_statements(settings: &mut Settings) {
    let is_sqlite = settings.database_url.reveal().starts_with("sqlite");
    settings.limits.statement_timeout = if is_sqlite { Duration::from_nanos(1) } else { Duration::from_secs(2) };
}

/// Asks on a connection of its own, which stays open.
async fn ask(app: &TestApp) -> TcpStream {
    let mut stream = TcpStream::connect(&app.address).await.expect("connects");
    stream.write_all(b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sends");
    stream
}

/// The status line.
async fn status(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    String::from_utf8_lossy(&start).into_owned()
}

on_both! {
    async fn a_write_that_waits_longer_than_a_handler_may_is_503(app: &TestApp)
    with |settings: &mut Settings| settings.limits.handler_timeout = Duration::from_millis(300),
    {
        let caller = app.caller().await;
        let lock = app.lock().await;
        let answer = caller.post("/Users", &user("anna")).await;
        answer.expect_error(503, None);
        assert_ne!(answer.header("retry-after"), "");
        drop(lock);
        caller.create("/Users", &user("ben")).await;
    }

    async fn a_write_that_waits_less_is_done(app: &TestApp)
    with |settings: &mut Settings| settings.limits.handler_timeout = NEVER_THAT_LONG,
    {
        let caller = app.caller().await;
        let lock = app.lock().await;
        let (answer, ()) = tokio::join!(async { caller.post("/Users", &user("anna")).await }, async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            drop(lock);
        });
        answer.expect(201);
    }

    async fn a_search_beyond_a_statements_time_is_told_to_ask_for_less(app: &TestApp) with short_statements, {
        let caller = app.caller().await;
        caller.create("/Users", &user_with("anna", json!({ "title": "Head of Sales" }))).await;
        let lock = app.lock().await;
        let answer = caller.get("/Users?filter=title%20co%20%22Sales%22").await;
        // RFC 7644 section 3.4.2.2; 503 would have a connector ask the same again and again.
        answer.expect_error(400, Some("tooMany"));
        drop(lock);
        caller.get("/Users?filter=userName%20eq%20%22anna%22").await.expect(200);
    }

    async fn a_search_within_a_statements_time_is_answered(app: &TestApp)
    with |settings: &mut Settings| settings.limits.statement_timeout = NEVER_THAT_LONG,
    {
        let caller = app.caller().await;
        caller.create("/Users", &user_with("anna", json!({ "title": "Head of Sales" }))).await;
        let lock = app.lock().await;
        let (answer, ()) = tokio::join!(
            async { caller.get("/Users?filter=title%20co%20%22Sales%22").await },
            async {
                tokio::time::sleep(Duration::from_millis(400)).await;
                drop(lock);
            }
        );
        assert_eq!(answer.expect(200)["totalResults"], 1);
    }

    async fn one_connection_more_waits_until_another_ends(app: &TestApp)
    with |settings: &mut Settings| {
        settings.workers = 1;
        settings.limits.connections = 2;
    },
    {
        let (mut first, mut second) = (ask(app).await, ask(app).await);
        assert_eq!([status(&mut first).await, status(&mut second).await], ["HTTP/1.1 401", "HTTP/1.1 401"]);
        let mut third = ask(app).await;
        let early = tokio::time::timeout(Duration::from_millis(300), status(&mut third)).await;
        assert!(early.is_err(), "{early:?}");
        drop(first);
        assert_eq!(status(&mut third).await, "HTTP/1.1 401");
        drop(second);
    }
}
