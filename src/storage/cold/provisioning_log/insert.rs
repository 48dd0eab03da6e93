//! Writes of the log. On PostgreSQL a batch is one round trip, on SQLite a row is a few µs on the writer's thread.

use diesel::sql_types::Integer;

use super::Heard;
use super::segment::{FORMAT, Segment};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::uid::Id;

hot!(
    One,
    Integer,
    "INSERT INTO provisioning_segments (organization, slot, id, format, length, not_done, names, entries, bodies) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
hot!(
    Many,
    Integer,
    r"
INSERT INTO provisioning_segments (organization, slot, id, format, length, not_done, names, entries, bodies)
SELECT * FROM unnest(?::uuid[], ?::bigint[], ?::uuid[], ?::smallint[], ?::integer[], ?::integer[], ?::bytea[], ?::bytea[], ?::bytea[])"
);
hot!(
    HeardOf,
    Integer,
    r"
INSERT INTO connection_health (organization, connection, last_request_at, last_success_at, last_error_at, last_error, reads)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (organization, connection) DO UPDATE SET
    last_request_at = excluded.last_request_at,
    last_success_at = coalesce(excluded.last_success_at, connection_health.last_success_at),
    last_error_at = coalesce(excluded.last_error_at, connection_health.last_error_at),
    last_error = coalesce(excluded.last_error, connection_health.last_error),
    reads = connection_health.reads + excluded.reads"
);

/// Inserts rows.
pub(super) async fn segments(db: &mut Db<'_>, all: &[Segment]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    match db {
        Db::Sqlite(_) => one_by_one(db, all).await,
        Db::Pg(_) => at_once(db, all).await,
    }
}

async fn one_by_one(db: &mut Db<'_>, all: &[Segment]) -> Result<()> {
    for segment in all {
        let binds = vec![
            Bind::Id(Id(segment.organization)),
            Bind::Big(segment.slot),
            Bind::Id(Id(segment.id)),
            Bind::Small(FORMAT),
            Bind::Int(segment.length),
            Bind::Int(segment.not_done),
            Bind::Bytes(&segment.names),
            Bind::Bytes(&segment.entries),
            Bind::Bytes(&segment.bodies),
        ];
        Hot::<One>::new(binds).exec(db).await?;
    }
    Ok(())
}

async fn at_once(db: &mut Db<'_>, all: &[Segment]) -> Result<()> {
    let binds = vec![
        Bind::Ids(all.iter().map(|segment| Id(segment.organization)).collect()),
        Bind::Bigs(all.iter().map(|segment| segment.slot).collect()),
        Bind::Ids(all.iter().map(|segment| Id(segment.id)).collect()),
        Bind::Smalls(all.iter().map(|_| FORMAT).collect()),
        Bind::Ints(all.iter().map(|segment| segment.length).collect()),
        Bind::Ints(all.iter().map(|segment| segment.not_done).collect()),
        Bind::ManyBytes(all.iter().map(|segment| segment.names.as_slice()).collect()),
        Bind::ManyBytes(all.iter().map(|segment| segment.entries.as_slice()).collect()),
        Bind::ManyBytes(all.iter().map(|segment| segment.bodies.as_slice()).collect()),
    ];
    Hot::<Many>::new(binds).exec(db).await?;
    Ok(())
}

/// Adds what was heard of connections. In the order of their keys, in which every instance locks them.
pub(super) async fn heard(db: &mut Db<'_>, mut all: Vec<Heard>) -> Result<()> {
    all.sort_unstable_by_key(|heard| (heard.organization, heard.connection));
    for heard in &all {
        let binds = vec![
            Bind::Id(Id(heard.organization)),
            Bind::Id(Id(heard.connection)),
            Bind::Big(heard.last_request_at),
            Bind::OptBig(heard.last_success_at),
            Bind::OptBig(heard.last_error_at),
            Bind::OptText(heard.last_error.as_deref()),
            Bind::Big(heard.reads),
        ];
        Hot::<HeardOf>::new(binds).exec(db).await?;
    }
    Ok(())
}
