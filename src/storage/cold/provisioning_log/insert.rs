//! Writes of the log: many rows at once, so each backend has its own statement. On PostgreSQL a batch is one round trip a
//! table, on SQLite a row is a few µs on the writer's thread.

use diesel::sql_types::Integer;

use super::{Heard, NewLogEntry};
use crate::protocol::compare;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::keys;
use crate::storage::uid::Id;

hot!(
    Entry,
    Integer,
    "INSERT INTO provisioning_log (organization, id, at, connection, token, fingerprint, method, path, resource_type, \
     resource, external_id, subject, subject_key, operation, status, outcome, scim_type, explanation, duration_us, \
     request_id, ip, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
hot!(
    Bodies,
    Integer,
    "INSERT INTO provisioning_bodies (organization, id, request_body, response_body) VALUES (?, ?, ?, ?)"
);
hot!(
    Entries,
    Integer,
    r"
INSERT INTO provisioning_log (organization, id, at, connection, token, fingerprint, method, path, resource_type, resource,
    external_id, subject, subject_key, operation, status, outcome, scim_type, explanation, duration_us, request_id, ip, changes)
SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bigint[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::uuid[],
    ?::text[], ?::text[], ?::text[], ?::text[], ?::smallint[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[])"
);
hot!(
    AllBodies,
    Integer,
    r"
INSERT INTO provisioning_bodies (organization, id, request_body, response_body)
SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::text[])"
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

fn subject_key(new: &NewLogEntry) -> Option<String> {
    new.entry.subject.as_deref().map(|subject| keys::bounded(&compare::fold(subject)))
}

fn has_bodies(new: &&NewLogEntry) -> bool {
    new.request_body.is_some() || new.response_body.is_some()
}

/// Inserts entries with their bodies.
pub(super) async fn entries(db: &mut Db<'_>, all: &[NewLogEntry]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    match db {
        Db::Sqlite(_) => one_by_one(db, all).await,
        Db::Pg(_) => at_once(db, all).await,
    }
}

async fn one_by_one(db: &mut Db<'_>, all: &[NewLogEntry]) -> Result<()> {
    for new in all {
        let e = &new.entry;
        let key = subject_key(new);
        let (organization, id) = (Id::from(e.organization), Id::from(e.id));
        let binds = vec![
            Bind::Id(organization),
            Bind::Id(id),
            Bind::Big(e.at),
            Bind::Id(e.connection.into()),
            Bind::OptId(e.token.map(Id::from)),
            Bind::OptText(e.fingerprint.as_deref()),
            Bind::Text(&e.method),
            Bind::Text(&e.path),
            Bind::OptText(e.resource_type.as_deref()),
            Bind::OptId(e.resource.map(Id)),
            Bind::OptText(e.external_id.as_deref()),
            Bind::OptText(e.subject.as_deref()),
            Bind::OptText(key.as_deref()),
            Bind::Text(&e.operation),
            Bind::Small(e.status),
            Bind::Text(&e.outcome),
            Bind::OptText(e.scim_type.as_deref()),
            Bind::Text(&e.explanation),
            Bind::Big(e.duration_us),
            Bind::Text(&e.request_id),
            Bind::OptText(e.ip.as_deref()),
            Bind::Text(&e.changes),
        ];
        Hot::<Entry>::new(binds).exec(db).await?;
        if has_bodies(&new) {
            let binds = vec![
                Bind::Id(organization),
                Bind::Id(id),
                Bind::OptText(new.request_body.as_deref()),
                Bind::OptText(new.response_body.as_deref()),
            ];
            Hot::<Bodies>::new(binds).exec(db).await?;
        }
    }
    Ok(())
}

async fn at_once(db: &mut Db<'_>, all: &[NewLogEntry]) -> Result<()> {
    let keys: Vec<Option<String>> = all.iter().map(subject_key).collect();
    macro_rules! ids {
        ($field:ident) => {
            Bind::Ids(all.iter().map(|new| Id::from(new.entry.$field)).collect())
        };
    }
    macro_rules! texts {
        ($field:ident) => {
            Bind::Texts(all.iter().map(|new| new.entry.$field.as_str()).collect())
        };
    }
    macro_rules! opt_texts {
        ($field:ident) => {
            Bind::OptTexts(all.iter().map(|new| new.entry.$field.as_deref()).collect())
        };
    }
    let binds = vec![
        ids!(organization),
        ids!(id),
        Bind::Bigs(all.iter().map(|new| new.entry.at).collect()),
        ids!(connection),
        Bind::OptIds(all.iter().map(|new| new.entry.token.map(Id::from)).collect()),
        opt_texts!(fingerprint),
        texts!(method),
        texts!(path),
        opt_texts!(resource_type),
        Bind::OptIds(all.iter().map(|new| new.entry.resource.map(Id)).collect()),
        opt_texts!(external_id),
        opt_texts!(subject),
        Bind::OptTexts(keys.iter().map(Option::as_deref).collect()),
        texts!(operation),
        Bind::Smalls(all.iter().map(|new| new.entry.status).collect()),
        texts!(outcome),
        opt_texts!(scim_type),
        texts!(explanation),
        Bind::Bigs(all.iter().map(|new| new.entry.duration_us).collect()),
        texts!(request_id),
        opt_texts!(ip),
        texts!(changes),
    ];
    Hot::<Entries>::new(binds).exec(db).await?;
    let with_bodies: Vec<&NewLogEntry> = all.iter().filter(has_bodies).collect();
    if with_bodies.is_empty() {
        return Ok(());
    }
    let binds = vec![
        Bind::Ids(with_bodies.iter().map(|new| new.entry.organization.into()).collect()),
        Bind::Ids(with_bodies.iter().map(|new| new.entry.id.into()).collect()),
        Bind::OptTexts(with_bodies.iter().map(|new| new.request_body.as_deref()).collect()),
        Bind::OptTexts(with_bodies.iter().map(|new| new.response_body.as_deref()).collect()),
    ];
    Hot::<AllBodies>::new(binds).exec(db).await?;
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
