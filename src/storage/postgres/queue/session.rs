//! A lane's session: prepared, numbered, and able to say later which of its writes were committed.

use std::time::Duration;

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use crate::domain::ids::EventId;
use crate::storage::hot::{Bind, Hot};
use crate::storage::postgres::batch;
use crate::storage::postgres::connect::Connector;
use crate::storage::postgres::sql::outcomes::{
    EndProcess, NextTransaction, NumberHolder, OwnProcess, TakeNumber, TakeNumberAgain,
};
use crate::storage::write::Write;
use crate::storage::{Result, StorageError};

/// One plan per statement whatever the first values were; joins driven by the sorted arrays, which is the lock order.
const SETTINGS: &str = "SET application_name = 'rollcall-queue'; SET plan_cache_mode = force_generic_plan; \
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_mergejoin = off; SET random_page_cost = 1; \
    SET jit = off; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '30s'";

/// Batches after which the lower bound of transactions is renewed, so that a lookup stays short.
const RENEW_AFTER: u32 = 128;

/// A session that ended, or may not have: what the next one needs to know.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// Number of its count rows and of its advisory lock.
    number: i32,
    /// Its process on the server.
    process: i32,
    /// No transaction of its last batch is below this.
    since: String,
}

/// An open one.
pub(super) struct Session {
    pub(super) conn: AsyncPgConnection,
    past: Past,
    batches: u32,
}

impl Session {
    /// Opens, takes a number and prepares every statement: a pipeline may hold only what is prepared, or COMMIT
    /// overtakes the one that waits for its Parse. With `past`, waits until that session has ended on the server,
    /// one way or the other.
    ///
    /// # Errors
    /// `Busy` where the server is away, `Broken` where it refuses us or has no schema.
    pub(super) async fn open(connector: &Connector, past: Option<&Past>) -> Result<Session> {
        let conn = connector.open(SETTINGS).await?;
        let ready = async {
            let number = match past {
                Some(past) => number_again(&conn, past).await?,
                None => free_number(&conn).await?,
            };
            let Some(number) = number else { return Ok(None) };
            batch::prepare(&conn).await?;
            let process = Hot::<OwnProcess>::new(vec![]).get_result::<i32>(&mut &conn).await?;
            let since = next_transaction(&conn).await?;
            Ok(Some(Past { number, process, since }))
        };
        let past = ready.await.map_err(|e: diesel::result::Error| StorageError::from(e))?;
        let past = past.ok_or_else(|| StorageError::Busy("no queue number is free".to_owned()))?;
        Ok(Session { conn, past, batches: 0 })
    }

    /// The number of this lane's count rows.
    pub(super) fn number(&self) -> i32 {
        self.past.number
    }

    /// What to hand to the next session.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Before each batch.
    pub(super) async fn begin_batch(&mut self) -> QueryResult<()> {
        self.batches += 1;
        if self.batches >= RENEW_AFTER {
            self.past.since = next_transaction(&self.conn).await?;
            self.batches = 0;
        }
        Ok(())
    }

    /// Ends a transaction that failed; `false` where the connection is gone.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.conn.batch_execute("ROLLBACK").await.is_ok()
    }

    /// Which changes of `writes` a past session committed.
    pub(super) async fn happened(&self, writes: &[&Write], past: &Past) -> QueryResult<Vec<(EventId, i64)>> {
        batch::happened(&self.conn, writes, &past.since).await
    }
}

async fn next_transaction(conn: &AsyncPgConnection) -> QueryResult<String> {
    Hot::<NextTransaction>::new(vec![]).get_result::<String>(&mut { conn }).await
}

async fn free_number(conn: &AsyncPgConnection) -> QueryResult<Option<i32>> {
    Ok(Hot::<TakeNumber>::new(vec![]).load::<i32>(&mut { conn }).await?.pop())
}

/// Taking the old number, or seeing it with somebody else, proves that the old session has ended.
async fn number_again(conn: &AsyncPgConnection, past: &Past) -> QueryResult<Option<i32>> {
    loop {
        let again = Hot::<TakeNumberAgain>::new(vec![Bind::Int(past.number)]);
        if again.get_result::<bool>(&mut { conn }).await? {
            return Ok(Some(past.number));
        }
        let holder = Hot::<NumberHolder>::new(vec![Bind::Int(past.number)]).load::<i32>(&mut { conn }).await?.pop();
        match holder {
            Some(process) if process != past.process => return free_number(conn).await,
            Some(process) => {
                // Nobody reads its answers any more; it may still wait for a lock.
                Hot::<EndProcess>::new(vec![Bind::Int(process)]).load::<bool>(&mut { conn }).await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            None => {}
        }
    }
}
