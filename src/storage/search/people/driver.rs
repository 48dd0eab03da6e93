//! Filters that select few people: statements of their ids, the smallest of which drives a page. Each is looked at no
//! further than it takes to know that it is not small.

use uuid::Uuid;

use super::condition::{Conditions, asks_for_roles, keys, names_role, one_of, roles, sources};
use super::phase::Phase;
use super::{FEW, PeopleQuery, PeopleRoleSource};
use crate::domain::person::Status;
use crate::storage::db::Db;
use crate::storage::search::select::number;
use crate::storage::sql::Sql;
use crate::storage::{Backend, Result};

/// A clock that runs ahead of the one that makes ids may do so by this, µs.
const SLACK: i64 = 60_000_000;

/// A filter as statements with a column `id`, where an id may come twice.
pub(super) struct Driver {
    branches: Vec<Sql>,
    /// Whether it is the filter by role.
    is_roles: bool,
}

/// Few people, as a statement of their ids.
pub(super) struct Few {
    pub(super) ids: Sql,
    /// Whether these are the people whom the filter by role selects, so that it need not be asked again.
    pub(super) are_holders: bool,
}

impl Driver {
    /// Whether the list has this filter and no other that could drive it.
    pub(super) fn is_only_roles(all: &[Driver]) -> bool {
        matches!(all, [Driver { is_roles: true, .. }])
    }
}

/// The smallest of the filters, if it is small.
pub(super) async fn smallest(db: &mut Db<'_>, drivers: &[Driver]) -> Result<Option<Few>> {
    let mut best: Option<(u64, Few)> = None;
    for Driver { branches, is_roles } in drivers {
        let found = number_of(db, branches).await?;
        if found <= FEW as u64 && best.as_ref().is_none_or(|(least, _)| found < *least) {
            best = Some((found, Few { ids: union(branches), are_holders: *is_roles }));
        }
    }
    Ok(best.map(|(_, few)| few))
}

/// How many ids statements answer; beyond `FEW` it only says that it is beyond.
pub(super) async fn number_of(db: &mut Db<'_>, branches: &[Sql]) -> Result<u64> {
    let bounded: Vec<Sql> = branches.iter().map(limited).collect();
    let mut sql = Sql::new("SELECT count(*) FROM (");
    sql.append(&union(&bounded)).push(") x");
    number(db, sql, false).await
}

pub(super) fn union(branches: &[Sql]) -> Sql {
    let mut sql = Sql::default();
    for (at, branch) in branches.iter().enumerate() {
        sql.push(if at > 0 { " UNION ALL " } else { "" }).append(branch);
    }
    sql
}

fn limited(branch: &Sql) -> Sql {
    let mut sql = Sql::new("SELECT id FROM (");
    sql.append(branch).push(&format!(" LIMIT {}) x", FEW + 1));
    sql
}

/// The filters of a query that an index finds people by.
pub(super) fn all(db: &Db<'_>, query: &PeopleQuery, conditions: &Conditions, phase: &Phase) -> Vec<Driver> {
    let filter = &query.filter;
    let organization = query.organization.0;
    let mut all: Vec<Driver> = Vec::new();
    let only = |wanted: &[Status]| !wanted.is_empty() && !wanted.contains(&Status::Active);
    if phase.status.map_or_else(|| only(&filter.statuses), |status| status != Status::Active) {
        let is_invited = phase.status == Some(Status::Invited) || filter.statuses == [Status::Invited];
        all.push(Driver { branches: not_active(db, organization, is_invited), is_roles: false });
    }
    if asks_for_roles(filter) {
        let branches: Vec<Sql> = sources(filter).into_iter().filter_map(|s| holders(query, conditions, s)).collect();
        let nobody = || vec![Sql::new("SELECT x.id AS id FROM users x WHERE FALSE")];
        all.push(Driver { branches: if branches.is_empty() { nobody() } else { branches }, is_roles: true });
    }
    if !filter.groups.is_empty() {
        all.push(other(members(organization, filter.groups.iter().map(|group| group.0))));
    }
    if let Some(at) = filter.created_after {
        let mut sql = Sql::new("SELECT x.id AS id FROM users x WHERE x.organization = ");
        sql.id(organization).push(" AND x.deleted IS NULL AND x.id > ").id(made_after(at));
        all.push(other(sql));
    }
    all
}

/// Those who are not active, or those of them who are invited; who is kept out by a directory is no one to invite.
fn not_active(db: &Db<'_>, organization: Uuid, is_invited: bool) -> Vec<Sql> {
    let is_sqlite = db.backend() == Backend::Sqlite;
    let mut held = Sql::new("SELECT x.id AS id FROM users x");
    held.push(if is_sqlite { " INDEXED BY users_not_active" } else { "" })
        .push(" WHERE x.organization = ")
        .id(organization);
    held.push(if is_sqlite {
        " AND x.deleted IS NULL AND (x.invited OR NOT x.access OR x.suspension IS NOT NULL)"
    } else {
        " AND x.deleted IS NULL AND (x.invited OR x.suspension IS NOT NULL)"
    });
    if is_invited {
        held.push(" AND x.invited");
        return vec![held];
    }
    if is_sqlite {
        return vec![held];
    }
    let mut kept_out = Sql::new("SELECT w.user_id AS id FROM users_without_access w WHERE w.organization = ");
    kept_out.id(organization);
    vec![held, kept_out]
}

fn other(sql: Sql) -> Driver {
    Driver { branches: vec![sql], is_roles: false }
}

/// Who holds a wanted role from a source; `None` where nobody can.
pub(super) fn holders(query: &PeopleQuery, conditions: &Conditions, source: PeopleRoleSource) -> Option<Sql> {
    let organization = query.organization.0;
    match source {
        PeopleRoleSource::Direct => {
            let mut sql = Sql::new("SELECT r.user_id AS id FROM role_grants r WHERE r.organization = ");
            sql.id(organization).push(&format!(" AND r.role IN ({})", keys(&roles(&query.filter))));
            Some(sql)
        }
        PeopleRoleSource::Group if conditions.role_groups.is_empty() => None,
        PeopleRoleSource::Group => Some(members(organization, conditions.role_groups.iter().map(|group| group.0))),
        PeopleRoleSource::Directory => conditions.by_directory.then(|| by_directory(query)),
    }
}

/// Who has a wanted role from a directory.
pub(super) fn by_directory(query: &PeopleQuery) -> Sql {
    let mut sql = Sql::new(
        "SELECT v.resource AS id FROM attribute_values v CROSS JOIN users u WHERE u.organization = v.organization \
         AND u.id = v.resource AND v.organization = ",
    );
    sql.id(query.organization.0).push(" AND ").append(&names_role(query));
    sql
}

fn members(organization: Uuid, groups: impl Iterator<Item = Uuid>) -> Sql {
    let mut sql = Sql::new("SELECT m.member_id AS id FROM members m WHERE m.organization = ");
    sql.id(organization).push(" AND m.member_type <> 2 AND ").append(&one_of("m.group_id", groups));
    sql
}

/// All people of the wanted connections, where they are few.
pub(super) async fn everybody(db: &mut Db<'_>, query: &PeopleQuery, connections: &[Uuid]) -> Result<Option<Sql>> {
    if people(db, query, connections).await? > FEW as u64 {
        return Ok(None);
    }
    let mut sql = Sql::new("SELECT x.id AS id FROM users x WHERE x.organization = ");
    sql.id(query.organization.0).push(" AND x.deleted IS NULL AND ");
    sql.append(&one_of("x.connection", connections.iter().copied()));
    Ok(Some(sql))
}

/// How many people these connections have, without a scan.
pub(super) async fn people(db: &mut Db<'_>, query: &PeopleQuery, connections: &[Uuid]) -> Result<u64> {
    let mut sql = Sql::new("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM counts WHERE type = 1 AND organization = ");
    sql.id(query.organization.0).push(" AND ").append(&one_of("connection", connections.iter().copied()));
    number(db, sql, false).await
}

/// An id below those that were made after a time (RFC 9562 §5.7: milliseconds, then what sorts by creation).
pub(super) fn made_after(at: i64) -> Uuid {
    let millis = u128::try_from(at.saturating_sub(SLACK) / 1_000).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(millis << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_lie_above() {
        let id = Uuid::parse_str("0192f3a0-0000-7000-8000-000000000000").unwrap();
        let made = 0x0192_f3a0_0000_i64 * 1_000;
        assert!(made_after(made) < id && made_after(made + SLACK) <= id && made_after(made + SLACK + 1_000) > id);
        assert_eq!((made_after(-5), made_after(i64::MIN)), (Uuid::nil(), Uuid::nil()));
    }
}
