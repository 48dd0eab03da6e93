//! People by role, in an order. Rows of direct roles hold what their holders are listed by (migration 000007), so that these
//! are read along an index, however many they are. So is who holds it by a group or a directory in the order of ids; in other
//! orders they are read and sorted, where they are few.

use super::condition::{Conditions, keys, roles, sources};
use super::driver::{holders, number_of, union};
use super::reading::{Reading, Stream, by_id};
use super::{FEW, PeopleKey, PeopleRoleSource};
use crate::domain::ids::ResourceId;
use crate::domain::permission::Role;
use crate::storage::Result;
use crate::storage::db::Db;
use crate::storage::sql::Sql;

/// Streams that are merged at most; of each as many rows are read as the page has.
const STREAMS: usize = 20;

impl Reading<'_> {
    /// Statements whose first people, merged, are the first who hold a wanted role; `None` where the order is none that
    /// they can be read in.
    pub(super) async fn holders(&self, db: &mut Db<'_>, conditions: &Conditions) -> Result<Option<Vec<Sql>>> {
        let (mut streams, mut others) = (Vec::new(), Vec::new());
        for source in sources(&self.query.filter) {
            if source == PeopleRoleSource::Direct {
                let Some(direct) = self.direct() else { return Ok(None) };
                streams.extend(direct);
            } else if source == PeopleRoleSource::Group && self.is_by_id() && conditions.role_groups.len() <= STREAMS {
                streams.extend(conditions.role_groups.iter().map(|group| self.members(*group)));
            } else {
                others.extend(holders(self.query, conditions, source));
            }
        }
        let mut statements: Vec<Sql> = streams.iter().map(|stream| self.select(stream, &self.besides_roles)).collect();
        if !others.is_empty() {
            match number_of(db, &others).await? {
                0 => {}
                few if few <= FEW as u64 => statements.push(self.few(&union(&others), &self.besides_roles)),
                _ => return Ok(None),
            }
        }
        Ok(Some(statements))
    }

    fn is_by_id(&self) -> bool {
        self.query.order.key.0 == PeopleKey::Created
    }

    /// Who holds a wanted role directly: a stream for each role.
    fn direct(&self) -> Option<Vec<Stream>> {
        let (index, key) = match self.query.order.key.0 {
            PeopleKey::Created => ("role_grants_role", "NULL"),
            PeopleKey::Name => ("role_grants_name", "d.name_key"),
            PeopleKey::LastActive => ("role_grants_active", "d.last_active_at"),
            PeopleKey::Email => return None,
        };
        let of = |role: &Role| {
            let mut sql = Sql::new(format!(
                " FROM role_grants d{}{} WHERE u.organization = d.organization AND u.id = d.user_id \
                 AND d.role IN ({}) AND d.organization = ",
                self.indexed_by(index),
                by_id(self.backend),
                keys(&[*role])
            ));
            sql.id(self.query.organization.0).append(&self.wide());
            self.stream(sql, key, "d.user_id")
        };
        Some(roles(&self.query.filter).iter().map(of).collect())
    }

    /// Members of a group in the order of ids.
    fn members(&self, group: ResourceId) -> Stream {
        let mut sql = Sql::new(format!(
            " FROM members m{} WHERE u.organization = m.organization AND u.id = m.member_id \
             AND m.member_type <> 2 AND m.group_id = ",
            by_id(self.backend)
        ));
        sql.id(group.0).push(" AND m.organization = ").id(self.query.organization.0).append(&self.wide());
        self.stream(sql, "NULL", "m.member_id")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use diesel::connection::SimpleConnection as _;
    use diesel::sql_types::{Integer, Text};
    use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
    use uuid::Uuid;

    use super::super::phase::remaining;
    use super::super::{PeopleFilter, PeopleOrder, PeoplePlace, PeopleQuery, PlaceKey};
    use super::*;
    use crate::domain::ids::{ConnectionId, OrganizationId};
    use crate::domain::permission::Directories;
    use crate::storage::Backend;

    fn migrated() -> SqliteConnection {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let mut all: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path().join("up.sql")).collect();
        all.sort();
        for file in all {
            conn.batch_execute(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
        crate::storage::search::prepare_sqlite_reader(&mut conn).unwrap();
        conn
    }

    /// SQLite 3.53 would rather read everybody beyond the place, once for each holder.
    #[test]
    fn people_are_found_by_id_in_every_order() {
        let mut conn = migrated();
        for key in [PeopleKey::Created, PeopleKey::Name, PeopleKey::Email, PeopleKey::LastActive] {
            for (descending, from) in [(false, 0), (true, 0), (false, 1), (true, 1), (false, 2), (true, 2)] {
                let place = |key| PeoplePlace { ranks: Vec::new(), key, id: ResourceId(Uuid::nil()) };
                let last = match key {
                    PeopleKey::Created => None,
                    PeopleKey::LastActive => Some(PlaceKey::Number(1)),
                    PeopleKey::Name | PeopleKey::Email => Some(PlaceKey::Text("a".to_owned())),
                };
                let query = PeopleQuery {
                    organization: OrganizationId(Uuid::nil()),
                    connections: (0..3).map(|n| ConnectionId(Uuid::from_u128(n))).collect(),
                    managing: Vec::new(),
                    directories: Directories::default(),
                    filter: PeopleFilter { roles: vec![Role::Billing], ..PeopleFilter::default() },
                    order: PeopleOrder { ranks: Vec::new(), key: (key, descending) },
                    from: [None, Some(place(last)), Some(place(None))].into_iter().nth(from).flatten(),
                    backward: false,
                    limit: 50,
                    count: false,
                };
                let conditions = Conditions {
                    roles: Sql::default(),
                    others: Sql::default(),
                    role_groups: Vec::new(),
                    by_directory: false,
                };
                for (phase, from) in remaining(&query) {
                    let reading = Reading::of(Backend::Sqlite, &query, &conditions, &phase, from, 50);
                    let mut streams = reading.direct().unwrap_or_default();
                    streams.push(reading.members(ResourceId(Uuid::nil())));
                    let mut statements: Vec<Sql> =
                        streams.iter().map(|stream| reading.select(stream, &reading.besides_roles)).collect();
                    let ids = holders(&query, &conditions, PeopleRoleSource::Direct).unwrap();
                    statements.push(reading.few(&ids, &reading.besides_roles));
                    for statement in statements {
                        let mut sql = Sql::new("EXPLAIN QUERY PLAN ");
                        sql.append(&statement);
                        let sql = sql.statement::<(Integer, Integer, Integer, Text)>(false);
                        let plan: Vec<(i32, i32, i32, String)> = sql.load(&mut conn).unwrap();
                        let is_by_id = |line: &(i32, i32, i32, String)| {
                            line.3.contains(" u USING ") && line.3.ends_with(" users_keys (organization=? AND id=?)")
                        };
                        assert!(plan.iter().any(is_by_id), "{} {plan:?}", statement.as_str());
                    }
                }
            }
        }
    }
}
