//! All SQL. `Database` is the only public face: open by URL, finders, `commit(Write)`, `transaction`.
//! No permission, no SCIM rule, no HTTP status is decided here.

pub mod cold;
pub mod db;
pub mod error;
pub(crate) mod hot;
pub mod keys;
pub mod keyset;
pub mod metrics;
pub(crate) mod postgres;
pub mod query;
pub mod rows;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod sql;
pub(crate) mod sqlite;
pub(crate) mod uid;
pub mod write;

use std::sync::Arc;

use diesel::connection::SimpleConnection as _;

use crate::domain::ids::{OrganizationId, ResourceId, Scope};
use crate::protocol::schema::ResourceKind;
pub use cold::{
    Deed, EventKey, EventRecord, Heard, IdempotencyKey, IdempotencyRecord, KeptAnswer, Labelled, LogBodies, LogPage,
    LogRecord, LogSelection, NewConnection, NewLogRecord, NewOrganization, NewToken, OrganizationState, RefusedDeed,
    Removed, Window,
};
pub use db::Db;
pub use error::{Result, StorageError, UniqueKey};
use metrics::Metrics;
pub use metrics::StorageMetrics;
pub use query::{Found, References, SMALL_GROUP, Search};
pub use rows::{
    ApiKeyCredential, ApiKeyRecord, ConnectionRecord, Credential, GroupRecord, HealthRecord, InvitationRecord,
    JobRecord, OrganizationRecord, TokenRecord, UserRecord,
};
pub use search::people::{
    PeopleFilter, PeopleKey, PeopleOrder, PeoplePlace, PeoplePlaces, PeopleQuery, PeopleRank, PeopleRoleSource,
    PlaceKey,
};
pub use write::{Receipt, Write};

/// `last_used_at` of a credential is written at most this often, µs.
pub const TOUCH_INTERVAL: i64 = 60_000_000;

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite://PATH` or `postgres://…`; the scheme chooses the backend.
    pub url: String,
    /// Connections over all workers (PostgreSQL), readers for scans (SQLite).
    pub connections: usize,
    /// Threads that serve requests; divides `connections`.
    pub workers: usize,
    /// Longest wait for a connection.
    pub pool_wait: std::time::Duration,
    /// Longest run of one statement.
    pub statement_timeout: std::time::Duration,
}

/// Which backend a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded file.
    Sqlite,
    /// Server.
    Postgres,
}

/// A database handle; cheap to clone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    backend: AnyBackend,
    metrics: Arc<Metrics>,
    searches: search::Searches,
}

enum AnyBackend {
    Sqlite(sqlite::Sqlite),
    Postgres(Box<postgres::Postgres>),
}

/// What a write came to that is rolled back.
struct Undone(Result<Receipt>);

impl From<StorageError> for Undone {
    fn from(error: StorageError) -> Self {
        Undone(Err(error))
    }
}

/// Calls the same method of whichever backend it is. What PostgreSQL awaits is large; boxed, it makes no larger the futures
/// that callers put it in, which actix-web moves for each request.
macro_rules! on_backend {
    ($self:ident, $backend:ident => $call:expr) => {
        match &$self.inner.backend {
            AnyBackend::Sqlite($backend) => $call,
            AnyBackend::Postgres($backend) => Box::pin(async { $call }).await,
        }
    };
}

impl Database {
    /// Opens; does not migrate.
    ///
    /// # Errors
    /// `Broken` with what is wrong with the URL or the file; `Busy` when the server does not answer.
    pub async fn open(options: &DatabaseOptions) -> Result<Self> {
        let metrics = Arc::new(Metrics::default());
        let backend = match options.url.split_once("://") {
            Some(("sqlite", _)) => AnyBackend::Sqlite(sqlite::Sqlite::open(options, metrics.clone()).await?),
            Some(("postgres" | "postgresql", _)) => {
                AnyBackend::Postgres(Box::new(postgres::Postgres::open(options, metrics.clone()).await?))
            }
            _ => {
                return Err(StorageError::Broken(
                    "the database URL begins with neither sqlite:// nor postgres://".to_owned(),
                ));
            }
        };
        let searches = search::Searches::new(options.statement_timeout);
        Ok(Database { inner: Arc::new(Inner { backend, metrics, searches }) })
    }
    /// Applies pending migrations under a lock; answers their names.
    ///
    /// # Errors
    /// `Broken` with the migration that failed.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        on_backend!(self, b => b.migrate().await)
    }
    /// Names of migrations not applied yet.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        on_backend!(self, b => b.pending_migrations().await)
    }
    /// Which backend.
    pub fn backend(&self) -> Backend {
        match &self.inner.backend {
            AnyBackend::Sqlite(_) => Backend::Sqlite,
            AnyBackend::Postgres(_) => Backend::Postgres,
        }
    }
    /// Answers when the database answers.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn ping(&self) -> Result<()> {
        on_backend!(self, b => b.ping().await)
    }
    /// A user by id: one statement, primary key. SQLite: inline on the worker's reader.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_user(&self, scope: Scope, id: ResourceId, groups: References) -> Result<Option<UserRecord>> {
        on_backend!(self, b => b.find_user(scope, id, groups).await)
    }
    /// A group by id: primary key; members by their primary key prefix.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_group(&self, scope: Scope, id: ResourceId, members: References) -> Result<Option<GroupRecord>> {
        on_backend!(self, b => b.find_group(scope, id, members).await)
    }
    /// A group by id with its members where it has at most `SMALL_GROUP`, else with none loaded: one round trip; of a
    /// larger group no more index entries than that are touched.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_small_group(&self, scope: Scope, id: ResourceId) -> Result<Option<GroupRecord>> {
        on_backend!(self, b => b.find_small_group(scope, id).await)
    }
    /// A page of users.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn search_users(&self, scope: Scope, search: &Search) -> Result<Found<UserRecord>> {
        search::search(self, scope, ResourceKind::User, search).await
    }
    /// A page of groups.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn search_groups(&self, scope: Scope, search: &Search) -> Result<Found<GroupRecord>> {
        search::search(self, scope, ResourceKind::Group, search).await
    }
    /// Brings the index of `co` filters up to date, which otherwise follows searches; answers how many users it looked
    /// at. PostgreSQL keeps its own with each write.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn follow_search_index(&self) -> Result<u64> {
        search::follow(self).await
    }
    /// Tells a process that writes much and answers nobody: on SQLite its writer then keeps more pages, and moves them to the
    /// database less often.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn expect_many_writes(&self) -> Result<()> {
        const SETTINGS: &str = "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16000";
        let set = async |db: &mut Db<'_>| match db {
            Db::Sqlite(conn) => conn.batch_execute(SETTINGS).map_err(StorageError::from),
            Db::Pg(_) => Ok(()),
        };
        self.transaction(set).await
    }
    /// Takes a person who is deleted out of the index of `co` filters, whatever else it has still to see.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn forget_in_search_index(&self, organization: OrganizationId, id: ResourceId) -> Result<()> {
        search::forget(self, organization, id).await
    }
    /// Applies a `Write` whole or not at all; answered after the commit is durable.
    ///
    /// # Errors
    /// The refusals that `Action` names; `Busy`, `Broken`.
    pub async fn commit(&self, write: Write) -> Result<Receipt> {
        on_backend!(self, b => b.commit(write).await)
    }
    /// Applies a `Write` and undoes it: what `commit` would answer now.
    ///
    /// # Errors
    /// As `commit`.
    pub async fn rehearse(&self, write: Write) -> Result<Receipt> {
        let outcome: Result<std::convert::Infallible, Undone> =
            self.transaction(async move |db: &mut Db<'_>| Err(Undone(write.apply(db).await))).await;
        match outcome {
            Ok(never) => match never {},
            Err(Undone(receipt)) => receipt,
        }
    }
    /// The credential of a secret's SHA-256, whatever its state; `None` for an unknown one.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_credential_across_organizations(&self, hash: &[u8; 32]) -> Result<Option<Credential>> {
        on_backend!(self, b => b.find_credential_across_organizations(hash).await)
    }
    /// Figures of commits and pools since start.
    pub fn metrics(&self) -> StorageMetrics {
        self.inner.metrics.snapshot()
    }
    /// Finishes what is queued and closes.
    pub async fn close(&self) {
        on_backend!(self, b => b.close().await)
    }
}
