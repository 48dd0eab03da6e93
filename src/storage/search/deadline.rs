//! Ends SQLite statements that run too long: diesel offers no interrupt, so scanning statements call a function for each
//! row, and it fails after the deadline.

use std::cell::Cell;
use std::time::Instant;

use diesel::SqliteConnection;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::storage::Result;

/// Rows between two looks at the clock.
const STRIDE: u32 = 256;

thread_local! {
    /// Of the scan on this thread: a connection runs its functions on the thread that uses it.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True until the deadline of the running scan; then it fails the statement.
    fn within_deadline() -> Bool;
}

/// True, or the end of the statement: an error of a function's result is the only one that SQLite is told.
#[derive(Debug)]
struct StillTime(bool);

impl ToSql<Bool, Sqlite> for StillTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        if !self.0 {
            return Err("deadline passed".into());
        }
        out.set_value(1_i32);
        Ok(IsNull::No)
    }
}

/// Registers the function on a connection.
pub(super) fn register(conn: &mut SqliteConnection) -> Result<()> {
    within_deadline_utils::register_nondeterministic_impl(conn, || StillTime(!has_passed()))?;
    Ok(())
}

fn has_passed() -> bool {
    let calls = CALLS.get().wrapping_add(1);
    CALLS.set(calls);
    calls.is_multiple_of(STRIDE) && DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

/// Runs `f` with a deadline for the scans in it.
pub(super) fn within<R>(deadline: Instant, f: impl FnOnce() -> R) -> R {
    let before = DEADLINE.replace(Some(deadline));
    // The first row looks at the clock.
    CALLS.set(STRIDE - 1);
    let result = f();
    DEADLINE.set(before);
    result
}
