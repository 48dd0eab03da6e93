//! Failures that are nobody's refusal: a bad write beside good ones, a locked file, a bad URL.

use futures_util::future::join_all;
use rollcall::storage::{Database, References, StorageError};

use crate::helpers::*;

/// Makes inserting a user called `poison` fail inside the database.
async fn poison(t: &TestDatabase, how: &str) {
    t.execute(&match t.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER poison BEFORE INSERT ON users WHEN NEW.user_name = 'poison' \
             BEGIN SELECT RAISE({how}, 'on purpose'); END"
        ),
        Kind::Postgres => "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.user_name = 'poison' THEN RAISE EXCEPTION 'on purpose'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER poison BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION poison()"
            .to_owned(),
    })
    .await;
}

async fn check_neighbours(t: &TestDatabase) {
    let s = scope();
    let names: Vec<String> = (0..40).map(|n| if n % 10 == 7 { "poison".into() } else { format!("user{n}") }).collect();
    let answers = join_all(names.iter().map(|name| t.commit(s, insert_user(id(), name)))).await;
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(receipt) => assert_eq!((receipt, name == "poison"), (changed(1), false)),
            Err(e) => assert!(name == "poison" && matches!(e, StorageError::Broken(_)), "{name}: {e:?}"),
        }
    }
    assert_eq!(t.totals(s).await, (36, 0));
    assert_eq!(t.events(s).await.len(), 36);
    let undone = t.db.commit(write(s, vec![insert_user(id(), "first"), insert_user(id(), "poison")])).await;
    assert!(matches!(undone, Err(StorageError::Broken(_))), "{undone:?}");
    assert_eq!(t.commit(s, insert_user(id(), "first")).await.expect("was undone"), changed(1));
    assert_eq!(t.totals(s).await, (37, 0));
}

on_both! {
    async fn a_write_that_fails_inside_does_not_fail_its_neighbours(t: &TestDatabase) {
        poison(t, "ABORT").await;
        check_neighbours(t).await;
    }

    // As SQLite does by itself when the disk is full.
    async fn a_failure_that_rolls_the_whole_batch_back_does_not_fail_its_neighbours(t: &TestDatabase) {
        poison(t, "ROLLBACK").await;
        check_neighbours(t).await;
    }

    async fn after_close_nothing_is_accepted(t: &TestDatabase) {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        let second = Database::open(&options(&t.url)).await.expect("opens");
        second.close().await;
        let late = second.commit(write(s, vec![replace_user(ben, 1, "Ben")])).await;
        assert!(matches!(late, Err(StorageError::Broken(_) | StorageError::Busy(_))), "{late:?}");
        let found = t.db.find_user(s, ben, References::Skip).await.expect("answers").expect("there");
        assert_eq!(found.version, 1);
    }
}

#[test]
fn a_file_that_another_process_writes_is_busy_and_later_not() {
    run(Kind::Sqlite, "busy", async |t: &TestDatabase| {
        let s = scope();
        let patient = Database::open(&options(&t.url)).await.expect("opens");
        let mut hurried = options(&t.url);
        hurried.pool_wait = std::time::Duration::from_millis(1);
        let hurried = Database::open(&hurried).await.expect("opens");
        let held = t.hold_write_lock();
        for _ in 0..2 {
            let refused = hurried.commit(write(s, vec![insert_user(id(), "Ben")])).await;
            assert!(matches!(refused, Err(StorageError::Busy(_))), "{refused:?}");
        }
        drop(held);
        for db in [&hurried, &patient] {
            let (user, name) = (id(), uuid().to_string());
            assert_eq!(db.commit(write(s, vec![insert_user(user, &name)])).await.expect("free"), changed(1));
        }
        assert_eq!(t.totals(s).await, (2, 0));
    });
}

#[test]
fn more_than_10_000_waiting_writes_are_busy_and_the_others_are_done() {
    use futures_util::stream::{FuturesUnordered, StreamExt as _};
    run(Kind::Sqlite, "waiting", async |t: &TestDatabase| {
        let s = scope();
        let mut held = Some(t.hold_write_lock());
        let mut answers: FuturesUnordered<_> = (0..10_010).map(|_| t.db.commit(write(s, vec![]))).collect();
        let (mut done, mut busy) = (0, 0);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(_) => done += 1,
                Err(StorageError::Busy(_)) => busy += 1,
                Err(e) => panic!("{e:?}"),
            }
            // The first answer is a refusal, since nothing else can be answered yet.
            held = None;
        }
        assert!(held.is_none());
        assert!((1..=10).contains(&busy), "{busy} busy");
        assert_eq!(done + busy, 10_010);
    });
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    run(Kind::Sqlite, "mode", async |t: &TestDatabase| {
        t.users(scope(), ["Ben"]).await;
        let path = t.url.strip_prefix("sqlite://").expect("a file");
        for suffix in ["", "-wal", "-shm"] {
            let metadata = std::fs::metadata(format!("{path}{suffix}")).expect("a file");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{suffix}");
        }
    });
}

#[test]
fn urls_that_open_nothing_are_broken() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for url in ["", "rollcall.db", "mysql://x/y", "sqlite://", "sqlite://:memory:", "sqlite:///no/such/folder/x.db"] {
        let opened = runtime.block_on(Database::open(&options(url)));
        assert!(matches!(opened.err(), Some(StorageError::Broken(_))), "{url}");
    }
}
