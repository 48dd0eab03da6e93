//! Cold tables: each query written once for both backends, over `Db`. `Database::transaction` runs a deed of several of
//! them; the methods of `Database` in the submodules run one each. Every deed leaves an event row.

use diesel::ExpressionMethods as _;

use super::db::{Db, Fetch as _, ready};
use super::error::{Result, StorageError};
use super::schema::events;
use super::uid::Id;
use super::write::EventKind;
use super::{AnyBackend, Database};
use crate::domain::ids::{ConnectionId, EventId, OrganizationId};

pub mod admin_links;
pub mod adoptions;
pub mod api_keys;
mod audit_log;
pub mod blocks;
pub mod brake;
mod clock;
pub mod connections;
pub mod domains;
pub mod dossier;
pub mod groups;
pub mod health;
pub mod held_changes;
pub mod hidden;
mod idempotency;
pub mod invitations;
pub mod jobs;
mod labels;
pub mod leavers;
pub mod operator_log;
pub mod operators;
pub mod organizations;
pub mod ownership;
pub mod people;
pub mod provisioning_log;
mod refusals;
mod retention;
pub mod roles;
pub mod security_settings;
pub mod sub_accounts;
pub mod tokens;
pub mod transfer;

pub use audit_log::{EventKey, EventRecord};
pub use connections::NewConnection;
pub use idempotency::{IdempotencyKey, IdempotencyRecord, KeptAnswer};
pub use labels::Labelled;
pub use organizations::{NewOrganization, OrganizationState};
pub use provisioning_log::{Heard, LogBodies, LogPage, LogRecord, LogSelection, NewLogRecord, Window};
pub use refusals::{RefusedDeed, record_refusal};
pub use retention::Removed;
pub use tokens::NewToken;

/// Who does a deed on cold tables, when, and under which event.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Id of the event row; each cold write needs its own.
    pub event: EventId,
    /// Time of the deed, µs since 1970 UTC.
    pub at: i64,
    /// `domain::actor::Actor`, printed.
    pub actor: String,
    /// Request id; empty on the command line.
    pub request_id: String,
    /// Address of the client, where a request came from one.
    pub ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// What the doer gave as the reason.
    pub reason: Option<String>,
}

/// What a deed was done to.
struct Target {
    organization: OrganizationId,
    connection: Option<ConnectionId>,
    kind: EventKind,
    resource: uuid::Uuid,
    version: i64,
}

/// Writes the event row of a deed.
async fn record(db: &mut Db<'_>, deed: &Deed, target: Target, detail: &str) -> Result<()> {
    let row = (
        events::organization.eq(Id::from(target.organization)),
        events::id.eq(Id::from(deed.event)),
        events::connection.eq(target.connection.map(Id::from)),
        events::kind.eq(target.kind as i16),
        events::actor.eq(&*deed.actor),
        events::request_id.eq(&*deed.request_id),
        events::resource.eq(Id(target.resource)),
        events::version.eq(target.version),
        events::at.eq(deed.at),
        events::detail.eq(detail),
        events::ip.eq(deed.ip.as_deref()),
        events::user_agent.eq(deed.user_agent.as_deref()),
        events::reason.eq(deed.reason.as_deref()),
    );
    diesel::insert_into(events::table).values(row).exec(db).await?;
    Ok(())
}

impl Database {
    /// Runs `deed` in one transaction; `Err` rolls back. It may await nothing but its `Db`. On SQLite it runs on the
    /// writer thread and goes on even if the caller stops waiting; on PostgreSQL a caller that stops waiting cancels it.
    ///
    /// # Errors
    /// Those of `deed`; `Busy`, `Broken`.
    pub async fn transaction<R, E, F>(&self, deed: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Db<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match &self.inner.backend {
            AnyBackend::Sqlite(sqlite) => sqlite.transaction(deed).await,
            AnyBackend::Postgres(postgres) => {
                // Boxed: see `on_backend`.
                Box::pin(async {
                    // Dropped before `done`, it closes: no transaction stays open with its locks.
                    let mut conn = postgres.connection().await?;
                    let result = Db::Pg(&mut conn).tx(deed).await;
                    conn.done();
                    result
                })
                .await
            }
        }
    }

    /// Runs one cold read outside a transaction. SQLite: inline on the caller's reader.
    async fn cold_read<R>(&self, read: impl AsyncFnOnce(&mut Db<'_>) -> Result<R>) -> Result<R> {
        match &self.inner.backend {
            AnyBackend::Sqlite(sqlite) => sqlite.with_reader(|conn| {
                ready(async { read(&mut Db::Sqlite(conn)).await }).unwrap_or_else(|| Err(pended()))
            }),
            AnyBackend::Postgres(postgres) => {
                Box::pin(async {
                    let mut conn = postgres.read().await?;
                    let result = read(&mut Db::Pg(&mut conn)).await;
                    conn.done();
                    result
                })
                .await
            }
        }
    }
}

/// A unit of work on SQLite awaited something other than its `Db`.
pub(crate) fn pended() -> StorageError {
    StorageError::Broken("a unit of work awaited something other than its connection".to_owned())
}
