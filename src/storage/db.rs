//! One connection type over both backends. Cold queries are ordinary diesel expressions; `Fetch` compiles each for both
//! and picks at run time. On SQLite nothing ever pends, so `ready` polls a unit of work once.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use diesel::connection::TransactionManager as _;
use diesel::result::{Error, QueryResult};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, OptionalExtension};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager as _};

use super::Backend;
use super::error::StorageError;

/// A connection inside a unit of work. A unit of work awaits nothing but its `Db`.
pub enum Db<'a> {
    /// Server.
    Pg(&'a mut AsyncPgConnection),
    /// Embedded file.
    Sqlite(&'a mut SqliteConnection),
}

/// A query whose rows load as `U` on both backends.
pub(crate) trait Load<'q, U>:
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

/// A statement that both backends execute.
pub(crate) trait Exec<'q>:
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

/// Runs a diesel expression on whichever backend `db` is.
pub(crate) trait Fetch<'q>: Sized + Send {
    /// All rows.
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
    /// Exactly one row.
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
    /// The first row, if any.
    fn opt<U: Send>(self, db: &mut Db<'_>) -> impl Future<Output = QueryResult<Option<U>>> + Send
    where
        Self: Load<'q, U>,
    {
        async move { self.one(db).await.optional() }
    }
    /// The number of rows touched.
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
    /// Which one it is.
    pub(crate) fn backend(&self) -> Backend {
        match self {
            Db::Sqlite(_) => Backend::Sqlite,
            Db::Pg(_) => Backend::Postgres,
        }
    }
    async fn begin(&mut self) -> QueryResult<()> {
        match self {
            Db::Pg(c) => PgTm::begin_transaction(*c).await,
            Db::Sqlite(c) => {
                let depth = LiteTm::transaction_manager_status_mut(*c).transaction_depth()?;
                // A deferred transaction that later writes fails at once when another process wrote in between.
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
    /// Runs `deed` in a transaction (a savepoint when nested). `Err` rolls back.
    ///
    /// # Errors
    /// Those of `deed`, and of the transaction itself.
    pub async fn tx<R, E: From<StorageError>>(
        &mut self,
        deed: impl AsyncFnOnce(&mut Db<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.begin().await.map_err(StorageError::from)?;
        match deed(self).await {
            Ok(value) => {
                self.commit().await.map_err(StorageError::from)?;
                Ok(value)
            }
            Err(refusal) => match self.rollback().await {
                Ok(()) | Err(Error::BrokenTransactionManager) => Err(refusal),
                Err(e) => Err(StorageError::from(e).into()),
            },
        }
    }
}

/// The result of a future that does not pend, as every unit of work on SQLite; `None` if it did.
pub(crate) fn ready<F: Future>(f: F) -> Option<F::Output> {
    match std::pin::pin!(f).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Rolls back whatever a deed that panicked or pended left open.
pub(crate) fn close_left_open(conn: &mut SqliteConnection) {
    while LiteTm::transaction_manager_status_mut(conn).transaction_depth().is_ok_and(|depth| depth.is_some()) {
        if LiteTm::rollback_transaction(conn).is_err() {
            break;
        }
    }
}

/// `Row::cols()`: the derive's column tuple. (`as_select()` fixes one backend, so it can't be shared.)
pub(crate) trait Cols: diesel::Selectable<diesel::pg::Pg> + Sized {
    /// The columns, in the order of the fields.
    fn cols() -> Self::SelectExpression {
        Self::construct_selection()
    }
}
impl<T: diesel::Selectable<diesel::pg::Pg>> Cols for T {}
