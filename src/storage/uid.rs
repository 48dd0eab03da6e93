//! The SQL type of ids: `uuid` on PostgreSQL, a 16-byte BLOB on SQLite, with the same order. One `table!` serves both.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use diesel::sqlite::Sqlite;
use std::io::Write;
use uuid::Uuid;

use crate::domain::ids::{BlockId, ConnectionId, EventId, OperatorId, OrganizationId, ResourceId, TokenId};

/// SQL type of an id.
#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

/// An id as both backends store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Uid)]
pub struct Id(pub Uuid);

impl ToSql<Uid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}
impl ToSql<Uid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&self.0.as_bytes()[..]);
        Ok(IsNull::No)
    }
}
impl FromSql<Uid, Pg> for Id {
    fn from_sql(v: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Id(Uuid::from_slice(v.as_bytes())?))
    }
}
impl FromSql<Uid, Sqlite> for Id {
    fn from_sql(mut v: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Id(Uuid::from_slice(v.read_blob())?))
    }
}

macro_rules! newtypes {
    ($($name:ident),*) => {$(
        impl From<$name> for Id {
            fn from(id: $name) -> Id {
                Id(id.0)
            }
        }
        impl From<Id> for $name {
            fn from(id: Id) -> $name {
                $name(id.0)
            }
        }
    )*};
}
newtypes!(BlockId, OrganizationId, ConnectionId, TokenId, OperatorId, ResourceId, EventId);

impl From<Id> for Uuid {
    fn from(id: Id) -> Uuid {
        id.0
    }
}

/// An id that may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaybeId(Option<Id>);

impl<DB: Backend> diesel::deserialize::Queryable<diesel::sql_types::Nullable<Uid>, DB> for MaybeId
where
    Option<Id>: FromSql<diesel::sql_types::Nullable<Uid>, DB>,
{
    type Row = Option<Id>;
    fn build(row: Option<Id>) -> deserialize::Result<Self> {
        Ok(MaybeId(row))
    }
}

impl<T: From<Id>> From<MaybeId> for Option<T> {
    fn from(id: MaybeId) -> Option<T> {
        id.0.map(T::from)
    }
}
