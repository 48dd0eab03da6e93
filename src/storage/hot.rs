//! A hot statement of one fixed shape: static SQL text with `?` per bind, static query id, so both
//! backends keep it prepared (diesel never caches its own UPDATE). Each `?` is used once, in order.

use crate::storage::uid::{Id, Uid};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::*;
use diesel::sqlite::{Sqlite, SqliteConnection};

/// A statement's text and the SQL type of its rows (`Integer` where there are none).
pub(crate) trait Shape: Send + Sync + 'static {
    /// Text with a `?` for each bind.
    const SQL: &'static str;
    /// SQL type of a row.
    type Row;
}

/// `hot!(Name, (SqlType, …), "SQL")`
macro_rules! hot {
    ($name:ident, $row:ty, $sql:expr) => {
        #[doc = "A hot statement."]
        pub(crate) struct $name;
        impl $crate::storage::hot::Shape for $name {
            const SQL: &'static str = $sql;
            type Row = $row;
        }
    };
}

/// A value for a `?`.
pub(crate) enum Bind<'a> {
    Id(Id),
    Text(&'a str),
    OptText(Option<&'a str>),
    Big(i64),
    OptBig(Option<i64>),
    Int(i32),
    Small(i16),
    Bool(bool),
    OptBool(Option<bool>),
    Bytes(&'a [u8]),
    ManyBytes(Vec<&'a [u8]>),
    Ids(Vec<Id>),
    Texts(Vec<&'a str>),
    OptTexts(Vec<Option<&'a str>>),
    Bigs(Vec<i64>),
    OptBigs(Vec<Option<i64>>),
    Ints(Vec<i32>),
    Smalls(Vec<i16>),
    Bools(Vec<bool>),
    OptBools(Vec<Option<bool>>),
}

/// A statement with its values.
pub(crate) struct Hot<'a, S> {
    binds: Vec<Bind<'a>>,
    shape: std::marker::PhantomData<S>,
}

impl<'a, S: Shape> Hot<'a, S> {
    /// `binds` in the order of the `?`.
    pub(crate) fn new(binds: Vec<Bind<'a>>) -> Self {
        Hot { binds, shape: std::marker::PhantomData }
    }
}

impl<S: Shape> QueryId for Hot<'_, S> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}
impl<S: Shape> Query for Hot<'_, S> {
    type SqlType = S::Row;
}
impl<S: Shape> diesel::RunQueryDsl<SqliteConnection> for Hot<'_, S> {}

impl<S: Shape> QueryFragment<Pg> for Hot<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut pieces = S::SQL.split('?');
        out.push_sql(pieces.next().unwrap_or(""));
        for b in &self.binds {
            match b {
                Bind::Id(v) => out.push_bind_param::<Uid, _>(v)?,
                Bind::Text(v) => out.push_bind_param::<Text, _>(*v)?,
                Bind::OptText(v) => out.push_bind_param::<Nullable<Text>, _>(v)?,
                Bind::Big(v) => out.push_bind_param::<BigInt, _>(v)?,
                Bind::OptBig(v) => out.push_bind_param::<Nullable<BigInt>, _>(v)?,
                Bind::Int(v) => out.push_bind_param::<Integer, _>(v)?,
                Bind::Small(v) => out.push_bind_param::<SmallInt, _>(v)?,
                Bind::Bool(v) => out.push_bind_param::<Bool, _>(v)?,
                Bind::OptBool(v) => out.push_bind_param::<Nullable<Bool>, _>(v)?,
                Bind::Bytes(v) => out.push_bind_param::<Binary, _>(*v)?,
                Bind::ManyBytes(v) => out.push_bind_param::<Array<Binary>, _>(v)?,
                Bind::Ids(v) => out.push_bind_param::<Array<Uid>, _>(v)?,
                Bind::Texts(v) => out.push_bind_param::<Array<Text>, _>(v)?,
                Bind::OptTexts(v) => out.push_bind_param::<Array<Nullable<Text>>, _>(v)?,
                Bind::Bigs(v) => out.push_bind_param::<Array<BigInt>, _>(v)?,
                Bind::OptBigs(v) => out.push_bind_param::<Array<Nullable<BigInt>>, _>(v)?,
                Bind::Ints(v) => out.push_bind_param::<Array<Integer>, _>(v)?,
                Bind::Smalls(v) => out.push_bind_param::<Array<SmallInt>, _>(v)?,
                Bind::Bools(v) => out.push_bind_param::<Array<Bool>, _>(v)?,
                Bind::OptBools(v) => out.push_bind_param::<Array<Nullable<Bool>>, _>(v)?,
            }
            out.push_sql(pieces.next().unwrap_or(""));
        }
        Ok(())
    }
}

impl<S: Shape> QueryFragment<Sqlite> for Hot<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut pieces = S::SQL.split('?');
        out.push_sql(pieces.next().unwrap_or(""));
        for b in &self.binds {
            match b {
                Bind::Id(v) => out.push_bind_param::<Uid, _>(v)?,
                Bind::Text(v) => out.push_bind_param::<Text, _>(*v)?,
                Bind::OptText(v) => out.push_bind_param::<Nullable<Text>, _>(v)?,
                Bind::Big(v) => out.push_bind_param::<BigInt, _>(v)?,
                Bind::OptBig(v) => out.push_bind_param::<Nullable<BigInt>, _>(v)?,
                Bind::Int(v) => out.push_bind_param::<Integer, _>(v)?,
                Bind::Small(v) => out.push_bind_param::<SmallInt, _>(v)?,
                Bind::Bool(v) => out.push_bind_param::<Bool, _>(v)?,
                Bind::OptBool(v) => out.push_bind_param::<Nullable<Bool>, _>(v)?,
                Bind::Bytes(v) => out.push_bind_param::<Binary, _>(*v)?,
                _ => return Err(diesel::result::Error::QueryBuilderError("arrays exist on PostgreSQL only".into())),
            }
            out.push_sql(pieces.next().unwrap_or(""));
        }
        Ok(())
    }
}

pub(crate) use hot;
