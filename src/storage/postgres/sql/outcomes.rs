//! After a lost connection: what did happen.

use diesel::sql_types::*;

use crate::storage::hot::hot;
use crate::storage::uid::Uid;

// Which events were committed, from a transaction number on that none of them can be below. Scans a range of events_pkey.
hot!(
    Happened,
    (Uid, BigInt),
    r"
SELECT e.id, e.version FROM events e
WHERE e.organization = ANY(?::uuid[]) AND e.tx >= ?::text::xid8 AND (e.id IN (SELECT unnest(?::uuid[]))) IS TRUE"
);

// Every transaction that begins later has a number not below this one.
hot!(NextTransaction, Text, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text");

// The smallest number that no living queue holds; held as long as the session lives. It names the queue's count rows.
hot!(TakeNumber, Integer, "SELECT n FROM generate_series(1, 10000) AS n WHERE pg_try_advisory_lock(7351, n) LIMIT 1");

hot!(TakeNumberAgain, Bool, "SELECT pg_try_advisory_lock(7351, ?::int)");

hot!(
    NumberHolder,
    Integer,
    r"
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7351 AND objid = ?::int::oid AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
);

hot!(OwnProcess, Integer, "SELECT pg_backend_pid()");

hot!(EndProcess, Bool, "SELECT pg_terminate_backend(?::int)");
