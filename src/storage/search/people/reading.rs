//! The statements that read a phase of the list. A page that comes from several places is one statement, and merged.

use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use super::condition::{Conditions, has_status, one_of};
use super::phase::Phase;
use super::{FEW, PeopleKey, PeoplePlace, PeopleQuery, PlaceKey, driver};
use crate::domain::ids::ResourceId;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::search::select::number;
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};
use crate::storage::{Backend, Result};

/// The address of a user `u`, which the index of values holds as `v`: the primary one, else the least.
const ADDRESS: &str = "(SELECT w.value_key FROM attribute_values w WHERE w.organization = u.organization \
    AND w.resource = u.id AND w.attribute = 1 AND w.value_key <> '' ORDER BY w.is_primary DESC, w.value_key, w.type_key LIMIT 1)";
const IS_ADDRESS: &str = "(v.is_primary OR NOT EXISTS (SELECT 1 FROM attribute_values w WHERE w.organization = v.organization \
    AND w.resource = v.resource AND w.attribute = 1 AND w.value_key <> '' \
    AND (w.is_primary OR (w.value_key, w.type_key) < (v.value_key, v.type_key))))";
const ACTIVITY: &str =
    "(SELECT w.last_active_at FROM activity w WHERE w.organization = u.organization AND w.user_id = u.id)";

/// Statements that are sent as one.
const TOGETHER: usize = 50;

/// A phase that is being read.
pub(super) struct Reading<'a> {
    pub(super) query: &'a PeopleQuery,
    phase: &'a Phase,
    from: Option<&'a PeoplePlace>,
    pub(super) backend: Backend,
    pub(super) connections: Vec<Uuid>,
    /// ` AND …` on a user `u`: all filters.
    conditions: Sql,
    /// The same but for the filter by role.
    pub(super) besides_roles: Sql,
    descending: bool,
    limit: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn of(
        backend: Backend,
        query: &'a PeopleQuery,
        conditions: &Conditions,
        phase: &'a Phase,
        from: Option<&'a PeoplePlace>,
        limit: usize,
    ) -> Self {
        Reading {
            query,
            phase,
            from,
            backend,
            connections: connections(query, phase.is_managed),
            conditions: all_conditions(backend, conditions, phase, false),
            besides_roles: all_conditions(backend, conditions, phase, true),
            descending: query.order.key.1 != query.backward,
            limit,
        }
    }
}

impl Reading<'_> {
    /// Reads people out of a statement of ids, sorting them.
    pub(super) async fn of_few(&self, db: &mut Db<'_>, ids: &Sql, are_holders: bool) -> Result<Vec<PeoplePlace>> {
        self.places(db, self.few(ids, if are_holders { &self.besides_roles } else { &self.conditions })).await
    }

    /// Selects people out of a statement of ids, sorting them.
    pub(super) fn few(&self, ids: &Sql, conditions: &Sql) -> Sql {
        let key = match self.query.order.key.0 {
            PeopleKey::Name => "u.display_name_key",
            PeopleKey::Email => ADDRESS,
            PeopleKey::LastActive => ACTIVITY,
            PeopleKey::Created => "NULL",
        };
        let mut people = joined(self.backend, &["SELECT u.id AS id, ", key, " AS k"].concat(), ids);
        people.push(" AND u.organization = ").id(self.query.organization.0);
        people.append(&self.wide()).append(conditions);
        // Fenced, since with a limit PostgreSQL would rather walk an index than read the few.
        let mut sql = Sql::new("WITH c AS MATERIALIZED (");
        sql.append(&people).push(") SELECT c.id, ").push(&self.columns("c.k")).push(" FROM c WHERE TRUE");
        self.seek(&mut sql, "c.k", "c.id");
        self.order(&mut sql, "c.k", "c.id", self.limit);
        sql
    }

    /// Reads people along the index of the order; of each connection's no more than the first `window`, where given.
    pub(super) async fn walk(&self, db: &mut Db<'_>, window: Option<usize>) -> Result<Vec<PeoplePlace>> {
        let streams = self.streams();
        let window = window.map(|window| window / streams.len().max(1));
        let select = |stream: &Stream| match window {
            None => self.select(stream, &self.conditions),
            Some(window) => {
                let Stream { people, key, id } = stream;
                let mut sql = Sql::new("SELECT u.id, ");
                sql.push(&self.columns("u.k")).push(" FROM (SELECT u.*, ").push(key).push(" AS k").append(people);
                self.order(&mut sql, key, id, window);
                sql.push(") u WHERE TRUE").append(&self.conditions);
                self.order(&mut sql, "u.k", "u.id", self.limit);
                sql
            }
        };
        self.merged(db, streams.iter().map(select).collect()).await
    }

    /// The first people of a stream for whom the conditions hold.
    pub(super) fn select(&self, stream: &Stream, conditions: &Sql) -> Sql {
        let mut sql = Sql::new("SELECT u.id, ");
        sql.push(&self.columns(stream.key)).append(&stream.people).append(conditions);
        self.order(&mut sql, stream.key, stream.id, self.limit);
        sql
    }

    /// The first people of several statements, each once. Each statement answers its own first ones.
    pub(super) async fn merged(&self, db: &mut Db<'_>, statements: Vec<Sql>) -> Result<Vec<PeoplePlace>> {
        let mut found = Vec::new();
        for together in statements.chunks(TOGETHER) {
            let mut sql = Sql::default();
            for (at, statement) in together.iter().enumerate() {
                sql.push(if at > 0 { " UNION ALL SELECT * FROM (" } else { "SELECT * FROM (" });
                sql.append(statement).push(") x");
            }
            found.extend(self.places(db, sql).await?);
        }
        let order = |a: &PeoplePlace, b: &PeoplePlace| (&a.key, a.id).cmp(&(&b.key, b.id));
        found.sort_by(|a, b| if self.descending { order(b, a) } else { order(a, b) });
        found.dedup_by_key(|place| place.id);
        found.truncate(self.limit);
        Ok(found)
    }

    /// Whether a walk of the first `FEW` has met everybody of the phase: where nobody signs in, nobody was ever active.
    pub(super) async fn has_seen_all(&self, db: &mut Db<'_>) -> Result<bool> {
        if self.query.order.key.0 != PeopleKey::LastActive || self.phase.keyless {
            return Ok(false);
        }
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM activity a WHERE a.organization = ");
        sql.id(self.query.organization.0).push(&format!(" LIMIT {}) x", FEW + 1));
        Ok(number(db, sql, false).await? <= FEW as u64)
    }

    /// What is walked: one stream over all connections, or one for each.
    fn streams(&self) -> Vec<Stream> {
        let organization = self.query.organization.0;
        let by = self.query.order.key.0;
        match (by, self.phase.keyless) {
            (PeopleKey::Email, false) => {
                let mut sql = Sql::new(format!(
                    " FROM attribute_values v{}{} WHERE v.attribute = 1 AND v.value_key <> '' \
                     AND u.organization = v.organization AND u.id = v.resource AND v.organization = ",
                    self.indexed_by("attribute_values_find"),
                    by_id(self.backend)
                ));
                sql.id(organization).push(" AND ").push(IS_ADDRESS);
                sql.append(&self.wide());
                vec![self.stream(sql, "v.value_key", "v.resource")]
            }
            (PeopleKey::LastActive, false) => {
                let mut sql = Sql::new(format!(
                    " FROM activity t{}{} WHERE u.organization = t.organization AND u.id = t.user_id AND t.organization = ",
                    self.indexed_by("activity_last"),
                    by_id(self.backend)
                ));
                sql.id(organization);
                sql.append(&self.wide());
                vec![self.stream(sql, "t.last_active_at", "t.user_id")]
            }
            _ => self.connections.iter().map(|connection| self.of_connection(*connection)).collect(),
        }
    }

    fn of_connection(&self, connection: Uuid) -> Stream {
        let by = self.query.order.key.0;
        let index = if by == PeopleKey::Name { "users_display_name" } else { "users_page" };
        let mut sql = Sql::new(" FROM users u");
        sql.push(&self.indexed_by(index))
            .push(" WHERE u.organization = ")
            .id(self.query.organization.0)
            .push(" AND u.connection = ")
            .id(connection)
            .push(" AND u.deleted IS NULL");
        let key = match by {
            PeopleKey::Name => "u.display_name_key",
            PeopleKey::Email | PeopleKey::LastActive => {
                let table = if by == PeopleKey::Email { ADDRESS } else { ACTIVITY };
                sql.push(&format!(" AND {table} IS NULL"));
                "NULL"
            }
            PeopleKey::Created => {
                if let Some(at) = self.query.filter.created_after {
                    sql.push(" AND u.id > ").id(driver::made_after(at));
                }
                "NULL"
            }
        };
        self.stream(sql, key, "u.id")
    }

    /// ` AND` what is there, of the wanted connections.
    pub(super) fn wide(&self) -> Sql {
        let mut sql = Sql::new(" AND u.deleted IS NULL");
        sql.append(&is_of(&self.connections));
        sql
    }

    /// People in the order of an index, from the place on.
    pub(super) fn stream(&self, mut people: Sql, key: &'static str, id: &'static str) -> Stream {
        self.seek(&mut people, key, id);
        Stream { people, key, id }
    }

    pub(super) fn indexed_by(&self, index: &str) -> String {
        if self.backend == Backend::Sqlite { format!(" INDEXED BY {index}") } else { String::new() }
    }

    /// The key as a text and as a number.
    fn columns(&self, key: &str) -> String {
        match self.query.order.key.0 {
            PeopleKey::Name | PeopleKey::Email => format!("CAST({key} AS TEXT), CAST(NULL AS BIGINT)"),
            PeopleKey::LastActive => format!("CAST(NULL AS TEXT), CAST({key} AS BIGINT)"),
            PeopleKey::Created => "CAST(NULL AS TEXT), CAST(NULL AS BIGINT)".to_owned(),
        }
    }

    /// ` AND` what lies in the phase and beyond the place.
    fn seek(&self, sql: &mut Sql, key: &str, id: &str) {
        let has_key = self.query.order.key.0 != PeopleKey::Created && !self.phase.keyless;
        if has_key {
            sql.push(&format!(" AND {key} IS NOT NULL"));
        } else if self.phase.keyless && key != "NULL" {
            sql.push(&format!(" AND {key} IS NULL"));
        }
        let Some(place) = self.from else { return };
        let beyond = if self.descending { "<" } else { ">" };
        match &place.key {
            Some(value) if has_key => {
                sql.push(&format!(" AND ({key}, {id}) {beyond} ("));
                sql.bind(match value {
                    PlaceKey::Number(number) => Value::Big(*number),
                    PlaceKey::Text(text) => Value::Text(text.clone()),
                });
                sql.push(", ").id(place.id.0).push(")");
            }
            _ => {
                sql.push(&format!(" AND {id} {beyond} ")).id(place.id.0);
            }
        }
    }

    /// The key stands there where it is absent too: it is a column of the index.
    fn order(&self, sql: &mut Sql, key: &str, id: &str, limit: usize) {
        let direction = if self.descending { " DESC" } else { "" };
        let first = match self.query.order.key.0 {
            PeopleKey::Created => String::new(),
            _ if key == "NULL" => String::new(),
            _ => format!("{key}{direction}, "),
        };
        sql.push(&format!(" ORDER BY {first}{id}{direction} LIMIT {limit}"));
    }

    async fn places(&self, db: &mut Db<'_>, sql: Sql) -> Result<Vec<PeoplePlace>> {
        let rows: Vec<(Id, Option<String>, Option<i64>)> =
            sql.statement::<(Uid, Nullable<Text>, Nullable<BigInt>)>(false).all(db).await?;
        let place = |(id, text, number): (Id, Option<String>, Option<i64>)| PeoplePlace {
            ranks: self.phase.ranks.clone(),
            key: text.map(PlaceKey::Text).or(number.map(PlaceKey::Number)),
            id: ResourceId::from(id),
        };
        Ok(rows.into_iter().map(place).collect())
    }
}

/// People in the order of an index, from ` FROM` on.
pub(super) struct Stream {
    people: Sql,
    key: &'static str,
    id: &'static str,
}

/// Each person of a statement of ids once, as `u`, up to its ` WHERE`.
pub(super) fn joined(backend: Backend, head: &str, ids: &Sql) -> Sql {
    let mut sql = Sql::new("WITH d AS MATERIALIZED (SELECT DISTINCT id FROM (");
    sql.append(ids).push(") x) ").push(head).push(" FROM d").push(by_id(backend)).push(" WHERE u.id = d.id");
    sql
}

/// Joins users `u` that are found by id: SQLite by an index that holds what most lists need of them, a fifth of the cost of
/// reading them.
pub(super) fn by_id(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => " CROSS JOIN users u INDEXED BY users_keys",
        Backend::Postgres => " CROSS JOIN users u",
    }
}

/// ` AND` a user `u`, found by id, is of these connections. `IS TRUE` keeps indexes out of it: SQLite would seek each person
/// once for each connection, or read all people beyond the place.
pub(super) fn is_of(connections: &[Uuid]) -> Sql {
    let mut sql = Sql::new(" AND (");
    sql.append(&one_of("u.connection", connections.iter().copied())).push(") IS TRUE");
    sql
}

pub(super) fn connections(query: &PeopleQuery, is_managed: Option<bool>) -> Vec<Uuid> {
    let wanted = |id| is_managed.is_none_or(|is_managed| is_managed == query.managing.contains(id));
    query.connections.iter().filter(|id| wanted(id)).map(|id| id.0).collect()
}

/// ` AND …` on a user `u`; without the filter by role where it is known to hold.
pub(super) fn all_conditions(backend: Backend, conditions: &Conditions, phase: &Phase, are_holders: bool) -> Sql {
    let mut sql = Sql::default();
    if let Some(status) = phase.status {
        sql.push(" AND ").push(has_status(status));
    }
    if backend == Backend::Sqlite {
        sql.push(" AND within_deadline()");
    }
    sql.append(&conditions.others);
    if !are_holders {
        sql.append(&conditions.roles);
    }
    sql
}
