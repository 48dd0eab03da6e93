//! Statements that read resources with their groups or members, and their rows. SQL reads what a finder reads by id; here
//! it is many, in the order of the search.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text};
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::order::{By, Key, Order, Place};
use crate::domain::ids::{ResourceId, Scope};
use crate::protocol::schema::ResourceKind;
use crate::protocol::splice::Reference;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::sql::{Sql, Value};
use crate::storage::sqlite::reads;
use crate::storage::uid::{Id, Uid};
use crate::storage::{Backend, GroupRecord, References, Result, UserRecord};

/// A user or group as read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::storage) struct Row {
    pub(super) id: Uuid,
    pub(super) version: i64,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) access: bool,
    pub(super) document: String,
    /// Text of the column that orders the search, if one does.
    pub(super) sort_key: Option<String>,
    pub(super) references: Option<Vec<Reference>>,
}

impl Row {
    pub(super) fn place(&self, order: &Order) -> Place {
        let key = match &order.by {
            By::Text { .. } => self.sort_key.clone().map(Key::Text),
            By::Time("created") => Some(Key::Big(self.created)),
            By::Time(_) => Some(Key::Big(self.modified)),
            By::Id | By::Document(_) => None,
        };
        Place { key, id: self.id }
    }
}

impl From<Row> for UserRecord {
    fn from(row: Row) -> Self {
        UserRecord {
            id: ResourceId(row.id),
            version: row.version,
            created: row.created,
            modified: row.modified,
            access: row.access,
            document: row.document,
            groups: row.references.unwrap_or_default(),
        }
    }
}

impl From<Row> for GroupRecord {
    fn from(row: Row) -> Self {
        GroupRecord {
            id: ResourceId(row.id),
            version: row.version,
            created: row.created,
            modified: row.modified,
            document: row.document,
            members: row.references,
        }
    }
}

/// What is read of each resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'a> {
    pub(super) scope: Scope,
    pub(super) kind: ResourceKind,
    pub(super) order: &'a Order,
    pub(super) references: References,
}

/// `users` or `groups`.
pub(super) fn table(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => "users",
        ResourceKind::Group => "groups",
    }
}

/// ` WHERE` what belongs to the scope.
pub(super) fn in_scope(scope: Scope) -> Sql {
    let mut sql = Sql::new(" WHERE u.organization = ");
    sql.id(scope.organization.0).push(" AND u.connection = ").id(scope.connection.0);
    sql.push(" AND u.deleted IS NULL");
    sql
}

/// Reads the resources of a query `… FROM users u WHERE … ORDER BY … LIMIT …`, given from its ` WHERE` on.
pub(super) async fn read(db: &mut Db<'_>, shape: &Shape<'_>, tail: &Sql, prepared: bool) -> Result<Vec<Row>> {
    match db {
        Db::Sqlite(conn) => read_sqlite(conn, shape, tail, prepared),
        Db::Pg(conn) => read_postgres(conn, shape, tail, prepared).await,
    }
}

/// Reads resources by id, in the order of `ids`; those gone meanwhile are left out.
pub(super) async fn read_ids(db: &mut Db<'_>, shape: &Shape<'_>, ids: &[Uuid]) -> Result<Vec<Row>> {
    let by_id = |bind: &dyn Fn(&mut Sql)| {
        let mut sql = in_scope(shape.scope);
        sql.push(" AND u.id = ");
        bind(&mut sql);
        sql
    };
    match db.backend() {
        Backend::Sqlite => {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let sql = by_id(&|sql| {
                    sql.id(*id);
                });
                rows.extend(read(db, shape, &sql, true).await?);
            }
            Ok(rows)
        }
        Backend::Postgres => {
            let sql = by_id(&|sql| {
                sql.push("ANY(").bind(Value::Ids(ids.iter().copied().map(Id).collect())).push(")");
            });
            let mut rows = read(db, shape, &sql, true).await?;
            rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
            Ok(rows)
        }
    }
}

/// Columns that both kinds have, as `u`.
fn head(shape: &Shape<'_>) -> String {
    let access = match shape.kind {
        ResourceKind::User => "u.access",
        ResourceKind::Group => "TRUE",
    };
    let key = match &shape.order.by {
        By::Text { column, .. } => format!("u.{column}"),
        _ => "NULL".to_owned(),
    };
    format!("u.id, u.version, u.created, u.modified, {access} AS access, u.document, {key} AS sort_key")
}

type SqliteRow = (Id, i64, i64, i64, bool, String, Option<String>, Option<String>);

fn read_sqlite(conn: &mut SqliteConnection, shape: &Shape<'_>, tail: &Sql, prepared: bool) -> Result<Vec<Row>> {
    let with_groups = shape.kind == ResourceKind::User && shape.references != References::Skip;
    let mut sql = Sql::new("SELECT ");
    sql.push(&head(shape)).push(", ");
    if with_groups {
        sql.append(&groups_of_user(shape.references));
    } else {
        sql.push("NULL");
    }
    sql.push(&format!(" FROM {} u", table(shape.kind))).append(tail);
    type Types = (Uid, BigInt, BigInt, BigInt, Bool, Text, Nullable<Text>, Nullable<Text>);
    let rows: Vec<SqliteRow> = sql.statement::<Types>(prepared).load(conn)?;
    let mut out = Vec::with_capacity(rows.len());
    for (id, version, created, modified, access, document, sort_key, groups) in rows {
        let references = match shape.kind {
            _ if shape.references == References::Skip => None,
            ResourceKind::User => Some(reads::references(groups)?),
            ResourceKind::Group => Some(members_sqlite(conn, shape, id.0)?),
        };
        out.push(Row { id: id.0, version, created, modified, access, document, sort_key, references });
    }
    Ok(out)
}

/// The subquery of the finder by id, its bind moved into our numbering.
fn groups_of_user(references: References) -> Sql {
    let (before, after) = reads::groups_of_user!().split_once('?').unwrap_or_default();
    let mut sql = Sql::new(before);
    sql.bind(Value::Big(reads::limit_of(references))).push(after);
    sql
}

fn members_sqlite(conn: &mut SqliteConnection, shape: &Shape<'_>, group: Uuid) -> Result<Vec<Reference>> {
    let mut sql = Sql::new(
        "SELECT m.member_id, m.member_type, CASE m.member_type \
         WHEN 1 THEN (SELECT x.display_name FROM users x WHERE x.organization = m.organization AND x.id = m.member_id) \
         ELSE (SELECT x.display_name FROM groups x WHERE x.organization = m.organization AND x.id = m.member_id) END \
         FROM members m WHERE m.organization = ",
    );
    sql.id(shape.scope.organization.0)
        .push(" AND m.group_id = ")
        .id(group)
        .push(" AND m.member_type < 3 ORDER BY m.member_id LIMIT ");
    sql.bind(Value::Big(reads::limit_of(shape.references)));
    let rows: Vec<(Id, i16, Option<String>)> = sql.statement::<(Uid, SmallInt, Nullable<Text>)>(true).load(conn)?;
    Ok(rows.into_iter().map(|(id, member_type, display)| reference(id, display, member_type)).collect())
}

fn reference(id: Id, display: Option<String>, member_type: i16) -> Reference {
    Reference { id: id.0, display, is_group: member_type == 2 }
}

type Names = Option<Vec<Option<String>>>;
type PostgresRow = (Id, i64, i64, i64, bool, String, Option<String>, Option<Vec<Id>>, Names, Option<Vec<i16>>);

/// The page is a subquery, so that groups and members are read for its rows only, whatever the plan of the page.
async fn read_postgres(
    conn: &mut AsyncPgConnection,
    shape: &Shape<'_>,
    tail: &Sql,
    prepared: bool,
) -> Result<Vec<Row>> {
    let mut sql = Sql::new("SELECT u.id, u.version, u.created, u.modified, u.access, u.document, u.sort_key, ");
    sql.push(if shape.references == References::Skip { "NULL, NULL, NULL" } else { "x.ids, x.names, x.types" });
    sql.push(" FROM (SELECT u.organization, u.connection, ").push(&head(shape));
    sql.push(" FROM ").push(table(shape.kind)).push(" u");
    sql.append(tail).push(") u");
    let limit = match shape.references {
        References::UpTo(n) => format!(" LIMIT {n}"),
        References::Skip | References::All => String::new(),
    };
    if shape.references != References::Skip {
        sql.push(" LEFT JOIN LATERAL (");
        sql.push(match shape.kind {
            ResourceKind::User => {
                "SELECT array_agg(g.id ORDER BY g.id) AS ids, array_agg(g.display_name ORDER BY g.id) AS names, \
                 array_agg(2::smallint) AS types FROM (SELECT g.id, g.display_name FROM members m JOIN groups g \
                 ON g.organization = m.organization AND g.id = m.group_id WHERE m.organization = u.organization \
                 AND m.member_id = u.id AND g.connection = u.connection AND g.deleted IS NULL ORDER BY m.group_id"
            }
            ResourceKind::Group => {
                "SELECT array_agg(g.id ORDER BY g.id) AS ids, array_agg(g.name ORDER BY g.id) AS names, \
                 array_agg(g.member_type ORDER BY g.id) AS types FROM (SELECT m.member_id AS id, m.member_type, \
                 CASE m.member_type WHEN 1 THEN \
                 (SELECT x.display_name FROM users x WHERE x.organization = m.organization AND x.id = m.member_id) ELSE \
                 (SELECT x.display_name FROM groups x WHERE x.organization = m.organization AND x.id = m.member_id) \
                 END AS name FROM members m WHERE m.organization = u.organization AND m.group_id = u.id AND m.member_type < 3 \
                 ORDER BY m.member_id"
            }
        });
        sql.push(&limit).push(") g) x ON TRUE");
    }
    type Types = (
        Uid,
        BigInt,
        BigInt,
        BigInt,
        Bool,
        Text,
        Nullable<Text>,
        Nullable<Array<Uid>>,
        Nullable<Array<Nullable<Text>>>,
        Nullable<Array<SmallInt>>,
    );
    let statement = sql.statement::<Types>(prepared);
    let rows: Vec<PostgresRow> = diesel_async::RunQueryDsl::load(statement, conn).await?;
    let order = shape.order;
    let mut rows: Vec<Row> = rows.into_iter().map(|row| from_postgres(row, shape.references)).collect();
    if order.is_column() {
        // A join need not keep the order of its subquery.
        rows.sort_by(|a, b| order.compare(&a.place(order), &b.place(order)));
    }
    Ok(rows)
}

fn from_postgres(row: PostgresRow, references: References) -> Row {
    let (id, version, created, modified, access, document, sort_key, ids, names, types) = row;
    let (ids, names, types) = (ids.unwrap_or_default(), names.unwrap_or_default(), types.unwrap_or_default());
    let found = ids.into_iter().zip(names).zip(types).map(|((id, name), kind)| reference(id, name, kind)).collect();
    let references = (references != References::Skip).then_some(found);
    Row { id: id.0, version, created, modified, access, document, sort_key, references }
}

/// One number.
pub(super) async fn number(db: &mut Db<'_>, sql: Sql, prepared: bool) -> Result<u64> {
    let n: i64 = sql.statement::<BigInt>(prepared).one(db).await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Whether a query answers 1.
pub(super) async fn truth(db: &mut Db<'_>, sql: Sql) -> Result<bool> {
    let n: i32 = sql.statement::<Integer>(true).one(db).await?;
    Ok(n != 0)
}
