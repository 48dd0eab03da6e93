//! What only PostgreSQL has: connections that break, are missing or are given up; TLS; text that it cannot store.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::future::{Either, join, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rollcall::storage::{Database, NewOrganization, References, StorageError, cold};
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use crate::helpers::*;

/// Ends the server's sessions of that name.
pub(crate) fn end_sessions(name: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = '{name}'"
    )
}

/// The test's URL with one more parameter.
fn with(t: &TestDatabase, parameter: &str) -> String {
    let mark = if t.url.contains('?') { '&' } else { '?' };
    format!("{}{mark}{parameter}", t.url)
}

async fn open(url: &str) -> Result<Database, StorageError> {
    Database::open(&options(url)).await
}

/// The first answer that is not `Busy`.
async fn patiently<R>(ask: impl AsyncFn() -> Result<R, StorageError>) -> Result<R, StorageError> {
    let mut answer = ask().await;
    while answer.as_ref().is_err_and(StorageError::is_busy) {
        answer = ask().await;
    }
    answer
}

/// A deed that has written, then hangs while `meanwhile` runs, and is then given up.
async fn given_up_after(db: &Database, meanwhile: impl AsyncFnOnce()) {
    let (wrote, written) = tokio::sync::oneshot::channel();
    let deed = db.transaction(async move |db| {
        let (id, slug, name) = (rollcall::domain::ids::OrganizationId(uuid()), "slug".into(), "Name".into());
        cold::organizations::insert(db, &deed(), &NewOrganization { id, slug, name }).await?;
        let _ = wrote.send(());
        pending::<Result<(), StorageError>>().await
    });
    match select(pin!(deed), pin!(written)).await {
        Either::Left((ended, _)) => panic!("ended: {ended:?}"),
        // The deed lives, pinned, until the end of this match.
        Either::Right(_) => meanwhile().await,
    }
}

#[test]
fn a_deed_that_is_given_up_leaves_no_transaction_open() {
    run(Kind::Postgres, "given_up", async |t: &TestDatabase| {
        given_up_after(&t.db, async || ()).await;
        let open = "SELECT 'open' AS line FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'rollcall' AND state LIKE 'idle in transaction%'";
        // The server notices a closed socket a moment later.
        let mut looks = 0;
        while !t.lines(open).await.is_empty() {
            looks += 1;
            assert!(looks < 500, "still open");
        }
        assert!(t.lines("SELECT slug AS line FROM organizations").await.is_empty());
        t.db.ping().await.expect("another connection");
    });
}

#[test]
fn without_a_free_connection_deeds_are_busy_and_later_not_while_reads_go_on() {
    run(Kind::Postgres, "exhausted", async |t: &TestDatabase| {
        let mut one = options(&t.url);
        (one.connections, one.pool_wait) = (1, Duration::from_millis(200));
        // Opening a connection may take longer than this handle's patience.
        let db = patiently(async || Database::open(&one).await).await.expect("opens");
        given_up_after(&db, async || {
            let refused = db.ping().await;
            assert!(matches!(refused, Err(StorageError::Busy(_))), "{refused:?}");
            let read = patiently(async || db.find_user(scope(), id(), References::Skip).await).await;
            assert_eq!(read.expect("reads have connections of their own"), None);
        })
        .await;
        patiently(async || db.ping().await).await.expect("free again");
        assert!(db.metrics().pool_wait.count >= 3);
    });
}

#[test]
fn reads_survive_the_end_of_their_connections() {
    run(Kind::Postgres, "lost_reads", async |t: &TestDatabase| {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        for _ in 0..5 {
            let reads = async {
                for _ in 0..50 {
                    let found = t.db.find_user(s, ben, References::All).await.expect("read again");
                    assert_eq!(found.map(|u| u.version), Some(1));
                }
            };
            join(reads, t.execute(&end_sessions("rollcall"))).await;
        }
    });
}

#[test]
fn a_server_that_is_away_is_busy_and_one_that_refuses_is_broken() {
    run(Kind::Postgres, "away", async |t: &TestDatabase| {
        let away = open("postgres://nobody@127.0.0.1:1/nothing").await.err();
        assert!(matches!(away, Some(StorageError::Busy(_))), "{away:?}");
        let database = t.url.rsplit('/').next().expect("a name");
        let refused = open(&t.url.replace(database, "no_such_database")).await.err();
        assert!(matches!(refused, Some(StorageError::Broken(_))), "{refused:?}");
    });
}

#[test]
fn sslmode_is_kept() {
    run(Kind::Postgres, "sslmode", async |t: &TestDatabase| {
        let encrypted = "SELECT DISTINCT CASE WHEN ssl THEN 'yes' ELSE 'no' END AS line FROM pg_stat_ssl \
             JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND application_name = 'rollcall'";
        assert_eq!(t.lines(encrypted).await, ["no"], "this host is reached in the clear unless told otherwise");
        let offers = t.lines("SELECT setting AS line FROM pg_settings WHERE name = 'ssl'").await == ["on"];
        let required = open(&with(t, "sslmode=require")).await;
        assert_eq!(required.is_ok(), offers, "{:?}", required.err());
        assert_eq!(t.lines(encrypted).await.contains(&"yes".to_owned()), offers);
        // No public authority vouches for this host.
        assert!(open(&with(t, "sslmode=verify-full")).await.is_err());
        if offers {
            let untrusted = open(&with(t, "sslmode=verify-ca")).await.err();
            assert!(matches!(untrusted, Some(StorageError::Broken(_))), "{untrusted:?}");
        }
    });
}

#[test]
fn text_that_cannot_be_stored_fails_its_own_write_only() {
    run(Kind::Postgres, "nul", async |t: &TestDatabase| {
        let s = scope();
        let names: Vec<String> = (0..30).map(|n| if n == 17 { "a\0b".into() } else { format!("user{n}") }).collect();
        let answers = join_all(names.iter().map(|name| t.commit(s, insert_user(id(), name)))).await;
        for (name, answer) in names.iter().zip(answers) {
            assert_eq!(matches!(answer, Err(StorageError::Broken(_))), name.contains('\0'), "{name:?}: {answer:?}");
        }
        assert_eq!(t.totals(s).await, (29, 0));
    });
}

#[test]
fn close_finishes_what_is_queued() {
    run(Kind::Postgres, "close", async |t: &TestDatabase| {
        let s = scope();
        let db = open(&t.url).await.expect("opens");
        let writes = join_all((0..300).map(|n| db.commit(write(s, vec![insert_user(id(), &n.to_string())]))));
        let (answers, ()) = join(writes, db.close()).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(t.totals(s).await, (300, 0));
        let late = db.commit(write(s, vec![insert_user(id(), "late")])).await;
        assert!(matches!(late, Err(StorageError::Busy(_))), "{late:?}");
        assert!(db.ping().await.is_err());
    });
}

#[test]
fn more_than_10_000_waiting_writes_are_busy_and_the_others_are_done() {
    run(Kind::Postgres, "waiting", async |t: &TestDatabase| {
        let s = scope();
        t.users(s, ["first"]).await;
        let mut other = AsyncPgConnection::establish(&t.url).await.expect("connects");
        other.batch_execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE").await.expect("locked");
        let mut other = Some(other);
        let all = 10_600;
        let writes = (0..all).map(|n| t.db.commit(write(s, vec![insert_user(id(), &n.to_string())])));
        let mut answers: FuturesUnordered<_> = writes.collect();
        let (mut done, mut busy) = (0, 0);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(_) => done += 1,
                Err(StorageError::Busy(_)) => busy += 1,
                Err(e) => panic!("{e:?}"),
            }
            // The first answer is a refusal, since nothing else can be answered yet.
            drop(other.take());
        }
        assert!((1..=600).contains(&busy), "{busy} busy");
        assert_eq!(t.totals(s).await, (done + 1, 0));
        assert_eq!(done + busy, all);
    });
}
