//! One connection type over both backends. Queries are ordinary diesel ASTs; `Fetch` compiles each
//! for Pg and for Sqlite and picks at run time. On SQLite nothing ever pends.
use diesel::connection::TransactionManager as _;
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, OptionalExtension};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager as _};
use std::future::Future;

pub enum Db<'a> {
    Pg(&'a mut AsyncPgConnection),
    Sqlite(&'a mut SqliteConnection),
}

pub trait Load<'q, U>:
    diesel_async::methods::LoadQuery<'q, AsyncPgConnection, U>
    + diesel::query_dsl::methods::LoadQuery<'q, SqliteConnection, U>
    + 'q
{
}
impl<'q, U, Q> Load<'q, U> for Q where
    Q: diesel_async::methods::LoadQuery<'q, AsyncPgConnection, U>
        + diesel::query_dsl::methods::LoadQuery<'q, SqliteConnection, U>
        + 'q
{
}
pub trait Exec<'q>:
    diesel_async::methods::ExecuteDsl<AsyncPgConnection>
    + diesel::query_dsl::methods::ExecuteDsl<SqliteConnection>
    + Send
    + 'q
{
}
impl<'q, Q> Exec<'q> for Q where
    Q: diesel_async::methods::ExecuteDsl<AsyncPgConnection>
        + diesel::query_dsl::methods::ExecuteDsl<SqliteConnection>
        + Send
        + 'q
{
}

pub trait Fetch<'q>: Sized + Send {
    fn all<U: Send>(self, db: &mut Db<'_>) -> impl Future<Output = QueryResult<Vec<U>>> + Send
    where
        Self: Load<'q, U>,
    {
        async move {
            match db {
                Db::Pg(c) => diesel_async::RunQueryDsl::load(self, *c).await,
                Db::Sqlite(c) => diesel::RunQueryDsl::load(self, *c),
            }
        }
    }
    fn one<U: Send>(self, db: &mut Db<'_>) -> impl Future<Output = QueryResult<U>> + Send
    where
        Self: Load<'q, U>,
    {
        async move {
            match db {
                Db::Pg(c) => diesel_async::RunQueryDsl::get_result(self, *c).await,
                Db::Sqlite(c) => diesel::RunQueryDsl::get_result(self, *c),
            }
        }
    }
    fn opt<U: Send>(self, db: &mut Db<'_>) -> impl Future<Output = QueryResult<Option<U>>> + Send
    where
        Self: Load<'q, U>,
    {
        async move { self.one(db).await.optional() }
    }
    fn exec(self, db: &mut Db<'_>) -> impl Future<Output = QueryResult<usize>> + Send
    where
        Self: Exec<'q>,
    {
        async move {
            match db {
                Db::Pg(c) => diesel_async::RunQueryDsl::execute(self, *c).await,
                Db::Sqlite(c) => <Self as diesel::query_dsl::methods::ExecuteDsl<SqliteConnection>>::execute(self, *c),
            }
        }
    }
}
impl<Q: Sized + Send> Fetch<'_> for Q {}

type PgTm = <AsyncPgConnection as AsyncConnection>::TransactionManager;
type LiteTm = <SqliteConnection as Connection>::TransactionManager;

impl Db<'_> {
    async fn begin(&mut self) -> QueryResult<()> {
        match self {
            Db::Pg(c) => PgTm::begin_transaction(*c).await,
            Db::Sqlite(c) => {
                let depth = LiteTm::transaction_manager_status_mut(*c).transaction_depth()?;
                if depth.is_none() {
                    LiteTm::begin_transaction_sql(*c, "BEGIN IMMEDIATE")
                } else {
                    LiteTm::begin_transaction(*c)
                }
            }
        }
    }
    async fn commit(&mut self) -> QueryResult<()> {
        match self {
            Db::Pg(c) => PgTm::commit_transaction(*c).await,
            Db::Sqlite(c) => LiteTm::commit_transaction(*c),
        }
    }
    async fn rollback(&mut self) -> QueryResult<()> {
        match self {
            Db::Pg(c) => PgTm::rollback_transaction(*c).await,
            Db::Sqlite(c) => LiteTm::rollback_transaction(*c),
        }
    }
    /// Transaction (a savepoint when nested). `Err` rolls back.
    pub async fn tx<R, E: From<Error>>(&mut self, f: impl AsyncFnOnce(&mut Db<'_>) -> Result<R, E>) -> Result<R, E> {
        self.begin().await?;
        match f(self).await {
            Ok(v) => {
                self.commit().await?;
                Ok(v)
            }
            Err(e) => match self.rollback().await {
                Ok(()) | Err(Error::BrokenTransactionManager) => Err(e),
                Err(r) => Err(r.into()),
            },
        }
    }
}

/// Name of the violated unique constraint, in PostgreSQL's default spelling on both backends.
/// SQLite says "UNIQUE constraint failed: t.a, t.b" (or "index 'name'"): `t_a_b_key`.
pub fn unique_violation(e: &Error) -> Option<String> {
    let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = e else { return None };
    if let Some(n) = info.constraint_name() {
        return Some(n.to_owned());
    }
    let rest = info.message().strip_prefix("UNIQUE constraint failed: ")?;
    if let Some(ix) = rest.strip_prefix("index '") {
        return Some(ix.trim_end_matches('\'').to_owned());
    }
    let mut out = String::new();
    for (i, col) in rest.split(", ").enumerate() {
        let (t, c) = col.split_once('.')?;
        if i == 0 {
            out.push_str(t)
        }
        out.push('_');
        out.push_str(c);
    }
    Some(out + "_key")
}

/// Polls a future that must not pend (everything on the SQLite thread).
pub fn now<F: Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    match f.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(v) => v,
        std::task::Poll::Pending => panic!("a unit of work awaited something other than its Db"), // S1: make this an error
    }
}

/// `Org::cols()`: the derive's column tuple. (`as_select()` fixes one backend, so it can't be shared.)
pub trait Cols: diesel::Selectable<diesel::pg::Pg> + Sized {
    fn cols() -> Self::SelectExpression {
        Self::construct_selection()
    }
}
impl<T: diesel::Selectable<diesel::pg::Pg>> Cols for T {}
