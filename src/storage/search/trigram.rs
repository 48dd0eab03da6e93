//! SQLite's trigram index for `co` on userName, displayName and e-mails of users. Writes do not touch it: it follows the
//! events, in batches on the writer thread, when searches find it behind. A search takes what the index finds and every
//! user that an event after the indexed position names, and then compares the keys themselves, so it is exact whatever the
//! state of the index. PostgreSQL has pg_trgm instead.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::compile::Context;
use super::select::truth;
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};
use crate::storage::{Backend, Database, Result};

/// Events that the index may be behind before a search rather reads everything.
const MOST_BEHIND: u32 = 20_000;
/// Events that the index may be behind before a search has it follow.
const BEHIND: u32 = 1_000;
/// Users indexed in one transaction: some 15 ms, for which writes wait.
const BATCH: usize = 128;
/// Trigrams of an operand that are looked up; more narrow little.
const MOST_TRIGRAMS: usize = 16;

/// A condition that leaves the users whose `column` may contain `key`, if the index can tell.
pub(super) fn candidates(ctx: &Context, column: Option<&str>, key: &str) -> Option<Sql> {
    let column = column.filter(|_| ctx.trigrams && ctx.backend == Backend::Sqlite)?;
    let found = indexed(ctx.scope.organization.0, format!("{column} : ({})", trigrams(key)?));
    let mut sql = Sql::new("u.id IN (");
    sql.append(&found).push(")");
    Some(sql)
}

/// A statement of the users of whom any column may contain `key`, if the index can tell.
pub(super) fn people(organization: Uuid, key: &str) -> Option<Sql> {
    Some(indexed(organization, trigrams(key)?))
}

/// What a key that contains `key` has of trigrams.
fn trigrams(key: &str) -> Option<String> {
    let chars: Vec<char> = key.chars().collect();
    let mut trigrams: Vec<String> = chars
        .windows(3)
        .map(|three| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    trigrams.dedup();
    trigrams.truncate(MOST_TRIGRAMS);
    (!trigrams.is_empty()).then(|| trigrams.join(" AND "))
}

/// The ids that the index finds, and those that events after the indexed position name.
fn indexed(organization: Uuid, expression: String) -> Sql {
    let mut sql = Sql::new(
        "SELECT t.id FROM user_trigrams f CROSS JOIN user_trigram_rows t \
         WHERE t.number = f.rowid AND f.user_trigrams MATCH ",
    );
    sql.text(expression).push(" AND t.organization = ").id(organization);
    sql.push(" UNION ALL SELECT e.resource FROM events e WHERE e.organization = ").id(organization);
    sql.push(" AND e.position > (SELECT position FROM user_trigram_state)");
    sql
}

/// Whether searches may rely on the index.
pub(super) async fn is_ready(db: &mut Db<'_>) -> Result<bool> {
    let mut sql = Sql::new("SELECT CASE WHEN built AND (SELECT coalesce(max(position), 0) FROM events) - position <= ");
    sql.push(&MOST_BEHIND.to_string());
    // Events that were removed before they were indexed leave the index unusable.
    sql.push(" AND position >= (SELECT coalesce(min(position), 1) FROM events) - 1 THEN 1 ELSE 0 END ");
    sql.push("FROM user_trigram_state");
    truth(db, sql).await
}

/// Whether the index should follow.
pub(super) async fn is_behind(db: &mut Db<'_>) -> Result<bool> {
    let mut sql = Sql::new("SELECT CASE WHEN built AND (SELECT coalesce(max(position), 0) FROM events) - position <= ");
    sql.push(&BEHIND.to_string()).push(" THEN 0 ELSE 1 END FROM user_trigram_state");
    truth(db, sql).await
}

/// Brings the index up to date; answers how many users it looked at.
pub(super) async fn follow(database: &Database) -> Result<u64> {
    if database.backend() != Backend::Sqlite {
        return Ok(0);
    }
    let mut seen = 0;
    loop {
        let (users, more) = database.transaction(async |db: &mut Db<'_>| step(db).await).await?;
        seen += users;
        if !more {
            return Ok(seen);
        }
    }
}

/// Makes the index hold what a user has now, which is nothing of one that is gone.
pub(super) async fn forget(database: &Database, organization: OrganizationId, id: ResourceId) -> Result<()> {
    if database.backend() != Backend::Sqlite {
        return Ok(());
    }
    database.transaction(async move |db: &mut Db<'_>| index(db, (organization.into(), id.into())).await).await
}

type User = (Id, Id);

/// One batch; answers how many users it looked at, and whether more may be left.
async fn step(db: &mut Db<'_>) -> Result<(u64, bool)> {
    let state = Sql::new("SELECT position, CAST(built AS INTEGER), organization, id FROM user_trigram_state");
    let (position, built, organization, id): (i64, i32, Vec<u8>, Vec<u8>) =
        state.statement::<(BigInt, Integer, Binary, Binary)>(true).one(db).await?;
    if built == 0 { build(db, position, &organization, &id).await } else { follow_events(db, position).await }
}

/// Indexes the next users of the first pass over all.
async fn build(db: &mut Db<'_>, position: i64, organization: &[u8], id: &[u8]) -> Result<(u64, bool)> {
    let at = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or(Uuid::nil());
    let position = if organization.is_empty() { last_position(db).await? } else { position };
    let mut sql = Sql::new("SELECT organization, id FROM users WHERE deleted IS NULL AND (organization, id) > (");
    sql.id(at(organization)).push(", ").id(at(id));
    sql.push(&format!(") ORDER BY organization, id LIMIT {BATCH}"));
    let users: Vec<User> = sql.statement::<(Uid, Uid)>(true).all(db).await?;
    for user in &users {
        index(db, *user).await?;
    }
    let mut sql = Sql::new("UPDATE user_trigram_state SET position = ");
    sql.bind(Value::Big(position));
    match users.last() {
        Some((organization, id)) if users.len() == BATCH => {
            sql.push(", organization = ").id(organization.0).push(", id = ").id(id.0);
        }
        _ => {
            sql.push(", built = TRUE");
        }
    }
    sql.statement::<()>(true).exec(db).await?;
    // Events that came during the pass are still to be followed.
    Ok((users.len() as u64, true))
}

async fn last_position(db: &mut Db<'_>) -> Result<i64> {
    let sql = Sql::new("SELECT coalesce(max(position), 0) FROM events");
    Ok(sql.statement::<BigInt>(true).one(db).await?)
}

/// Indexes the users that the next events name.
async fn follow_events(db: &mut Db<'_>, position: i64) -> Result<(u64, bool)> {
    let mut sql = Sql::new("SELECT position, organization, resource, kind FROM events WHERE position > ");
    sql.bind(Value::Big(position)).push(&format!(" ORDER BY position LIMIT {BATCH}"));
    type Event = (i64, Id, Id, i16);
    let events: Vec<Event> = sql.statement::<(BigInt, Uid, Uid, SmallInt)>(true).all(db).await?;
    let Some((last, ..)) = events.last().copied() else { return Ok((0, false)) };
    // Kinds 1 to 3 are those of users.
    let mut users: Vec<User> = events.iter().filter(|e| (1..=3).contains(&e.3)).map(|e| (e.1, e.2)).collect();
    users.sort_unstable();
    users.dedup();
    for user in &users {
        index(db, *user).await?;
    }
    let mut sql = Sql::new("UPDATE user_trigram_state SET position = ");
    sql.bind(Value::Big(last));
    sql.statement::<()>(true).exec(db).await?;
    Ok((users.len() as u64, events.len() == BATCH))
}

/// Makes the index hold a user's present keys, or nothing of one that is gone.
async fn index(db: &mut Db<'_>, (organization, id): User) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT u.user_name_key, coalesce(u.display_name_key, ''), (SELECT group_concat(v.value_key, char(10)) \
         FROM attribute_values v WHERE v.organization = u.organization AND v.resource = u.id AND v.attribute = 1) \
         FROM users u WHERE u.deleted IS NULL AND u.organization = ",
    );
    sql.id(organization.0).push(" AND u.id = ").id(id.0);
    type Keys = (String, String, Option<String>);
    let keys: Option<Keys> = sql.statement::<(Text, Text, Nullable<Text>)>(true).opt(db).await?;
    let mut sql = Sql::new("SELECT number, digest FROM user_trigram_rows WHERE organization = ");
    sql.id(organization.0).push(" AND id = ").id(id.0);
    let stored: Option<(i64, String)> = sql.statement::<(BigInt, Text)>(true).opt(db).await?;
    let wanted = keys.as_ref().map(digest);
    if wanted.as_ref() == stored.as_ref().map(|(_, digest)| digest) {
        return Ok(());
    }
    if let Some((number, _)) = stored {
        for table in ["user_trigrams WHERE rowid = ", "user_trigram_rows WHERE number = "] {
            let mut sql = Sql::new("DELETE FROM ");
            sql.push(table).bind(Value::Big(number));
            sql.statement::<()>(true).exec(db).await?;
        }
    }
    let (Some((user_name, display_name, emails)), Some(digest)) = (keys, wanted) else { return Ok(()) };
    let mut sql = Sql::new("INSERT INTO user_trigram_rows (organization, id, digest) VALUES (");
    sql.id(organization.0).push(", ").id(id.0).push(", ").text(digest).push(") RETURNING number");
    let number: i64 = sql.statement::<BigInt>(true).one(db).await?;
    let mut sql = Sql::new("INSERT INTO user_trigrams (rowid, user_name, display_name, emails) VALUES (");
    sql.bind(Value::Big(number)).push(", ").text(user_name).push(", ").text(display_name).push(", ");
    sql.text(emails.unwrap_or_default()).push(")");
    sql.statement::<()>(true).exec(db).await?;
    Ok(())
}

/// Tells whether a user's keys changed since they were indexed: most events change none.
fn digest((user_name, display_name, emails): &(String, String, Option<String>)) -> String {
    let mut hash = Sha256::new();
    for part in [user_name.as_str(), display_name, emails.as_deref().unwrap_or_default()] {
        hash.update(part);
        hash.update(b"\0");
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
