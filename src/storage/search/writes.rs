//! What a search asks about the data as a whole: unfiltered totals, whether anything was written since, odd keys.

use diesel::sql_types::{BigInt, Text};

use super::select::{number, truth};
use super::walks::Stamp;
use crate::domain::ids::{OrganizationId, Scope};
use crate::protocol::schema::ResourceKind;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::sql::Sql;
use crate::storage::{Backend, Result};

/// How many users or groups a connection has: the sum over the writers' count rows, so no scan.
pub(super) async fn total(db: &mut Db<'_>, scope: Scope, kind: ResourceKind) -> Result<u64> {
    let mut sql = Sql::new("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM counts WHERE organization = ");
    sql.id(scope.organization.0).push(" AND connection = ").id(scope.connection.0);
    sql.push(match kind {
        ResourceKind::User => " AND type = 1",
        ResourceKind::Group => " AND type = 2",
    });
    number(db, sql, true).await
}

/// Now, in the organization's sequence of writes. Take it before reading what it is to vouch for.
pub(super) async fn stamp(db: &mut Db<'_>, organization: OrganizationId) -> Result<Stamp> {
    Ok(match db.backend() {
        Backend::Sqlite => {
            let mut sql = Sql::new("SELECT coalesce(max(position), 0) FROM events WHERE organization = ");
            sql.id(organization.0);
            Stamp::Position(sql.statement::<BigInt>(true).one(db).await?)
        }
        Backend::Postgres => {
            let sql = Sql::new("SELECT pg_current_snapshot()::text");
            Stamp::Snapshot(sql.statement::<Text>(true).one(db).await?)
        }
    })
}

/// Whether the organization has no write that is visible now and was not then. Every write leaves an event.
pub(super) async fn is_unchanged(db: &mut Db<'_>, organization: OrganizationId, then: &Stamp) -> Result<bool> {
    match then {
        Stamp::Position(_) => Ok(stamp(db, organization).await? == *then),
        Stamp::Snapshot(snapshot) => {
            // Positions are handed out before commit, so what became visible since is told by snapshots alone.
            // Ordered, since a plan made without values would rather read the whole table.
            let mut sql =
                Sql::new("SELECT CASE WHEN EXISTS (SELECT 1 FROM (SELECT tx FROM events WHERE organization = ");
            sql.id(organization.0).push(" AND tx >= pg_snapshot_xmin(CAST(").text(snapshot.clone());
            sql.push(" AS pg_snapshot)) ORDER BY tx) e WHERE NOT pg_visible_in_snapshot(tx, CAST(")
                .text(snapshot.clone());
            sql.push(" AS pg_snapshot))) THEN 0 ELSE 1 END");
            truth(db, sql).await
        }
    }
}

/// Whether keys were cut, or elements have neither value nor type; the partial indexes of exactly these conditions are
/// nearly always empty. `attributes` are numbers of `attribute_values`.
pub(super) async fn has_odd_keys(
    db: &mut Db<'_>,
    organization: OrganizationId,
    kind: ResourceKind,
    attributes: &[i16],
) -> Result<bool> {
    // Counted, since for EXISTS PostgreSQL expects a third of all rows to be so and reads the table to find the first.
    let mut sql = Sql::new("SELECT CASE WHEN (SELECT count(*) FROM users WHERE organization = ");
    sql.id(organization.0);
    sql.push(" AND (length(user_name_key) > 255 OR length(display_name_key) > 255 OR length(external_id_key) > 255))");
    sql.push(" + (SELECT count(*) FROM groups WHERE organization = ").id(organization.0);
    sql.push(" AND (length(display_name_key) > 255 OR length(external_id_key) > 255))");
    if kind == ResourceKind::User && !attributes.is_empty() {
        let mut numbers: Vec<i16> = attributes.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<String> = numbers.iter().map(i16::to_string).collect();
        sql.push(" + (SELECT count(*) FROM attribute_values WHERE organization = ").id(organization.0);
        sql.push(" AND attribute IN (").push(&numbers.join(", "));
        sql.push(") AND (length(value_key) > 255 OR length(type_key) > 255 OR (value_key = '' AND type_key = '')))");
    }
    sql.push(" > 0 THEN 1 ELSE 0 END");
    truth(db, sql).await
}
