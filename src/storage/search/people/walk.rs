//! Reads a phase of the list: along the index of its order, or out of the few people that a filter selects; and counts.

use super::condition::{Conditions, asks_for_roles, one_of};
use super::driver::{Driver, Few};
use super::phase::Phase;
use super::reading::{Reading, all_conditions, connections, is_of, joined};
use super::{FEW, PeopleKey, PeoplePlace, PeopleQuery, driver, text};
use crate::storage::Result;
use crate::storage::db::Db;
use crate::storage::search::select::number;
use crate::storage::sql::Sql;

/// The next people of a phase, in the order of reading.
pub(super) async fn read(
    db: &mut Db<'_>,
    query: &PeopleQuery,
    conditions: &Conditions,
    phase: &Phase,
    from: Option<&PeoplePlace>,
    limit: usize,
) -> Result<Vec<PeoplePlace>> {
    let reading = Reading::of(db.backend(), query, conditions, phase, from, limit);
    if reading.connections.is_empty() {
        return Ok(Vec::new());
    }
    let is_wide = matches!(query.order.key.0, PeopleKey::Email | PeopleKey::LastActive);
    let is_filtered = !conditions.is_empty() || phase.status.is_some();
    let drivers = if is_filtered { driver::all(db, query, conditions, phase) } else { Vec::new() };
    let has_text = !query.filter.texts.is_empty();
    // Where there is nothing to weigh a role against, its holders need not be counted.
    let is_only_roles = !has_text && Driver::is_only_roles(&drivers);
    let mut few = if is_only_roles { None } else { driver::smallest(db, &drivers).await? };
    if asks_for_roles(&query.filter)
        && few.as_ref().map_or(!has_text, |few| few.are_holders)
        && let Some(streams) = reading.holders(db, conditions).await?
    {
        return reading.merged(db, streams).await;
    }
    if is_only_roles {
        few = driver::smallest(db, &drivers).await?;
    }
    if few.is_none() && (is_filtered || is_wide) {
        let everybody = driver::everybody(db, query, &reading.connections).await?;
        few = everybody.map(|ids| Few { ids, are_holders: false });
    }
    if let Some(Few { ids, are_holders }) = few {
        return reading.of_few(db, &ids, are_holders).await;
    }
    if !has_text {
        return reading.walk(db, None).await;
    }
    // A common word is found at once; of a rare one the index knows all places.
    let found = reading.walk(db, Some(FEW)).await?;
    if found.len() >= limit || reading.has_seen_all(db).await? {
        return Ok(found);
    }
    match text::candidates(db, query).await? {
        Some(candidates) => reading.of_few(db, &candidates, false).await,
        None => reading.walk(db, None).await,
    }
}

/// How many people the filters select.
pub(super) async fn count(db: &mut Db<'_>, query: &PeopleQuery, conditions: &Conditions) -> Result<u64> {
    let phase = Phase { ranks: Vec::new(), status: None, is_managed: None, keyless: false };
    let connections = connections(query, None);
    if connections.is_empty() || conditions.is_empty() {
        return driver::people(db, query, &connections).await;
    }
    let mut few = driver::smallest(db, &driver::all(db, query, conditions, &phase)).await?;
    if few.is_none() {
        few = text::candidates(db, query).await?.map(|ids| Few { ids, are_holders: false });
    }
    let are_holders = few.as_ref().is_some_and(|few| few.are_holders);
    let mut sql = match few {
        Some(few) => {
            let mut sql = joined(db.backend(), "SELECT count(*)", &few.ids);
            sql.append(&is_of(&connections));
            sql
        }
        None => {
            let mut sql = Sql::new("SELECT count(*) FROM users u WHERE ");
            sql.append(&one_of("u.connection", connections));
            sql
        }
    };
    sql.push(" AND u.organization = ").id(query.organization.0).push(" AND u.deleted IS NULL");
    sql.append(&all_conditions(db.backend(), conditions, &phase, are_holders));
    number(db, sql, false).await
}
