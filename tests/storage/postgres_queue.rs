//! Commit queues of two instances on one database, under random load: with connections that are killed in the middle
//! of it, nothing is lost or done twice; without, no deadlock occurs.

use std::cell::RefCell;

use futures_util::future::{join, join_all};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rollcall::domain::ids::Scope;
use rollcall::storage::{Database, Receipt, StorageError, Write};
use tokio::sync::watch;

use crate::helpers::model::Model;
use crate::helpers::*;
use crate::postgres::end_sessions;
use crate::property::{Choices, concurrent, next, replay};

/// Sixteen tasks, each write through one of two handles; answers what was accepted.
async fn load(
    t: &TestDatabase,
    second: &Database,
    s: Scope,
    seed: u8,
    progress: &watch::Sender<usize>,
) -> Vec<(Write, Receipt)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let steps = vec(vec(vec(any::<u8>(), 40), 40), 16).new_tree(&mut runner).expect("steps").current();
    // What the tasks have learnt from receipts lags behind what is stored, which makes stale writes.
    let learnt = RefCell::new(Model::default());
    let log: RefCell<Vec<(Write, Receipt)>> = RefCell::default();
    let tasks = steps.iter().map(async |mine| {
        for step in mine {
            let write = concurrent(next(&mut Choices(step.iter()), &learnt.borrow(), &[s]));
            let db = if step[39] % 2 == 0 { &t.db } else { second };
            match db.commit(write.clone()).await {
                Ok(receipt) => {
                    let _ = learnt.borrow_mut().commit(&write);
                    log.borrow_mut().push((write, receipt));
                    progress.send_modify(|accepted| *accepted += 1);
                }
                Err(e) => {
                    let unexpected =
                        matches!(e, StorageError::Busy(_) | StorageError::Broken(_) | StorageError::TooSlow);
                    assert!(!unexpected, "{e:?}: {write:?}");
                }
            }
        }
    });
    join_all(tasks).await;
    log.into_inner()
}

#[test]
fn two_instances_meet_without_deadlock() {
    run(Kind::Postgres, "two_instances", async |t: &TestDatabase| {
        let s = scope();
        let second = Database::open(&options(&t.url)).await.expect("opens");
        let log = load(t, &second, s, 23, &watch::Sender::new(0)).await;
        replay(&log).check(t, &[s]).await;
        // Sessions report when they end.
        second.close().await;
        t.db.close().await;
        let deadlocks =
            "SELECT CAST(deadlocks AS text) AS line FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(t.lines(deadlocks).await, ["0"]);
    });
}

#[test]
fn killed_connections_lose_and_double_nothing() {
    run(Kind::Postgres, "killed", async |t: &TestDatabase| {
        let s = scope();
        let second = Database::open(&options(&t.url)).await.expect("opens");
        let (progress, mut accepted) = watch::channel(0);
        let work = async {
            let log = load(t, &second, s, 29, &progress).await;
            drop(progress);
            log
        };
        let killer = async {
            let mut kills = 0;
            // Ends with the sender.
            while accepted.wait_for(|n| *n >= 15 * (kills + 1)).await.is_ok() {
                t.execute(&end_sessions("rollcall-queue")).await;
                kills += 1;
            }
            kills
        };
        let (log, kills) = join(work, killer).await;
        assert!(kills > 5, "{kills} kills");
        replay(&log).check(t, &[s]).await;
        second.close().await;
    });
}
