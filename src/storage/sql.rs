//! SQL text with its binds, put together at run time and valid on both backends: `?` marks a bind, in order.
//! A statement has no static query id, since its text differs from search to search.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use crate::storage::Backend;
use crate::storage::uid::{Id, Uid};

/// A bind; owned, so that a statement can travel to another thread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Id(Id),
    Text(String),
    Big(i64),
    /// PostgreSQL only.
    Ids(Vec<Id>),
}

/// A piece of SQL. Its text holds exactly one `?` for each bind, and no other `?`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sql {
    text: String,
    binds: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Sql { text: text.into(), binds: Vec::new() }
    }
    /// Text without binds.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// A bind.
    pub(crate) fn bind(&mut self, value: Value) -> &mut Self {
        self.text.push('?');
        self.binds.push(value);
        self
    }
    pub(crate) fn id(&mut self, id: uuid::Uuid) -> &mut Self {
        self.bind(Value::Id(Id(id)))
    }
    pub(crate) fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.bind(Value::Text(text.into()))
    }
    /// `column IN (…)`; nothing is in an empty list.
    pub(crate) fn any_id(&mut self, column: &str, ids: impl Iterator<Item = uuid::Uuid>) -> &mut Self {
        let mut open = format!("{column} IN (");
        for id in ids {
            self.push(&open).id(id);
            open = ", ".to_owned();
        }
        self.push(if open == ", " { ")" } else { "FALSE" })
    }
    /// The same of many ids, which PostgreSQL takes as one bind: a text that does not tell their number has a plan to keep
    /// (`keeps`).
    pub(crate) fn any_of(
        &mut self,
        backend: Backend,
        column: &str,
        ids: impl Iterator<Item = uuid::Uuid>,
    ) -> &mut Self {
        match backend {
            Backend::Sqlite => self.any_id(column, ids),
            Backend::Postgres => {
                self.push(&format!("{column} = ANY(")).bind(Value::Ids(ids.map(Id).collect())).push(")")
            }
        }
    }
    /// Whether a statement with `any_of` so many ids is worth keeping prepared.
    pub(crate) fn keeps(backend: Backend, ids: usize) -> bool {
        backend == Backend::Postgres || ids == 1
    }
    /// Whether one of the columns holds one of the texts.
    pub(crate) fn any_like(&mut self, columns: &[&str], texts: &[String]) -> &mut Self {
        let mut open = "(";
        for column in columns {
            for text in texts {
                let pattern = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
                self.push(open).push(column).push(" LIKE ").text(format!("%{pattern}%")).push(" ESCAPE '!'");
                open = " OR ";
            }
        }
        self.push(if open == "(" { "FALSE" } else { ")" })
    }
    pub(crate) fn append(&mut self, other: &Sql) -> &mut Self {
        self.text.push_str(&other.text);
        self.binds.extend_from_slice(&other.binds);
        self
    }
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
    /// As a statement whose rows have the SQL types `R`.
    pub(crate) fn statement<R>(self, keep_prepared: bool) -> Statement<R> {
        Statement { sql: self, keep_prepared, row: PhantomData }
    }
}

/// A complete statement.
pub(crate) struct Statement<R> {
    sql: Sql,
    keep_prepared: bool,
    row: PhantomData<fn() -> R>,
}

impl<R> QueryId for Statement<R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<R> Query for Statement<R> {
    type SqlType = R;
}
impl<R> diesel::RunQueryDsl<SqliteConnection> for Statement<R> {}

impl<R> QueryFragment<Pg> for Statement<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.keep_prepared {
            out.unsafe_to_cache_prepared();
        }
        let mut pieces = self.sql.text.split('?');
        out.push_sql(pieces.next().unwrap_or(""));
        for value in &self.sql.binds {
            match value {
                Value::Id(v) => out.push_bind_param::<Uid, _>(v)?,
                Value::Text(v) => out.push_bind_param::<Text, _>(v)?,
                Value::Big(v) => out.push_bind_param::<BigInt, _>(v)?,
                Value::Ids(v) => out.push_bind_param::<Array<Uid>, _>(v)?,
            }
            out.push_sql(pieces.next().unwrap_or(""));
        }
        Ok(())
    }
}

impl<R> QueryFragment<Sqlite> for Statement<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.keep_prepared {
            out.unsafe_to_cache_prepared();
        }
        let mut pieces = self.sql.text.split('?');
        out.push_sql(pieces.next().unwrap_or(""));
        for value in &self.sql.binds {
            match value {
                Value::Id(v) => out.push_bind_param::<Uid, _>(v)?,
                Value::Text(v) => out.push_bind_param::<Text, _>(v)?,
                Value::Big(v) => out.push_bind_param::<BigInt, _>(v)?,
                Value::Ids(_) => return Err(Error::QueryBuilderError("SQLite has no arrays".into())),
            }
            out.push_sql(pieces.next().unwrap_or(""));
        }
        Ok(())
    }
}
