//! Events as the audit log reads them: windows in keyset order. SQLite numbers events in the order of their commits; on
//! PostgreSQL the order is that of transactions, within which positions count.

use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};

use super::provisioning_log::Window;
use crate::domain::ids::OrganizationId;
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::uid::{Id, Uid};

/// Place of an event in the order of its organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    /// The transaction, on PostgreSQL; else 0.
    pub transaction: i64,
    /// Position.
    pub position: i64,
}

impl EventKey {
    /// Before all events.
    pub const FIRST: EventKey = EventKey { transaction: 0, position: 0 };
    /// Behind all events.
    pub const LAST: EventKey = EventKey { transaction: i64::MAX, position: i64::MAX };
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Its place.
    pub key: EventKey,
    /// `EventKind`, as a number.
    pub kind: i16,
    /// `domain::actor::Actor`, printed.
    pub actor: String,
    /// Request id.
    pub request_id: String,
    /// What it was done to.
    pub resource: uuid::Uuid,
    /// µs since 1970.
    pub at: i64,
    /// JSON of what changed.
    pub detail: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Code of the refusal.
    pub problem: Option<String>,
    /// What the doer gave as the reason.
    pub reason: Option<String>,
}

type Types = (BigInt, BigInt, SmallInt, Text, Text, Uid, BigInt, Text, Told, Told, Told, Told);
type Told = Nullable<Text>;
type Row = (i64, i64, i16, String, String, Id, i64, String, Maybe, Maybe, Maybe, Maybe);
type Maybe = Option<String>;

// Ranges of events_organization.
hot!(
    LiteBackwards,
    Types,
    "SELECT 0, position, kind, actor, request_id, resource, at, detail, ip, user_agent, problem, reason FROM events \
     WHERE organization = ? AND position < ? ORDER BY position DESC LIMIT ? + 0"
);
hot!(
    LiteForwards,
    Types,
    "SELECT 0, position, kind, actor, request_id, resource, at, detail, ip, user_agent, problem, reason FROM events \
     WHERE organization = ? AND position > ? ORDER BY position LIMIT ? + 0"
);
// Ranges of events_pkey. A transaction's number has no cast from a bigint.
hot!(
    PgBackwards,
    Types,
    "SELECT tx::text::bigint, position, kind, actor, request_id, resource, at, detail, ip, user_agent, problem, reason FROM events \
     WHERE organization = ? AND (tx, position) < (?::text::xid8, ?) ORDER BY tx DESC, position DESC LIMIT ?"
);
hot!(
    PgForwards,
    Types,
    "SELECT tx::text::bigint, position, kind, actor, request_id, resource, at, detail, ip, user_agent, problem, reason FROM events \
     WHERE organization = ? AND (tx, position) > (?::text::xid8, ?) ORDER BY tx, position LIMIT ?"
);

/// Rows of a window, in its direction.
pub(super) async fn window(
    db: &mut Db<'_>,
    organization: OrganizationId,
    window: &Window<EventKey>,
) -> Result<Vec<EventRecord>> {
    let (organization, position) = (Bind::Id(organization.into()), Bind::Big(window.from.position));
    let limit = Bind::Big(i64::from(window.limit));
    let transaction = window.from.transaction.to_string();
    let rows: Vec<Row> = match (&db, window.backwards) {
        (Db::Sqlite(_), true) => Hot::<LiteBackwards>::new(vec![organization, position, limit]).all(db).await?,
        (Db::Sqlite(_), false) => Hot::<LiteForwards>::new(vec![organization, position, limit]).all(db).await?,
        (Db::Pg(_), true) => {
            Hot::<PgBackwards>::new(vec![organization, Bind::Text(&transaction), position, limit]).all(db).await?
        }
        (Db::Pg(_), false) => {
            Hot::<PgForwards>::new(vec![organization, Bind::Text(&transaction), position, limit]).all(db).await?
        }
    };
    Ok(rows.into_iter().map(record).collect())
}

fn record(row: Row) -> EventRecord {
    let (transaction, position, kind, actor, request_id, resource, at, detail, ip, user_agent, problem, reason) = row;
    let key = EventKey { transaction, position };
    EventRecord { key, kind, actor, request_id, resource: resource.0, at, detail, ip, user_agent, problem, reason }
}

impl Database {
    /// Rows of a window over an organization's events, in its direction.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn event_window(
        &self,
        organization: OrganizationId,
        rows: &Window<EventKey>,
    ) -> Result<Vec<EventRecord>> {
        self.cold_read(async |db| window(db, organization, rows).await).await
    }

    /// The event of a place.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_event(&self, organization: OrganizationId, key: EventKey) -> Result<Option<EventRecord>> {
        let before = EventKey { position: key.position.saturating_sub(1), ..key };
        let rows = Window { from: before, backwards: false, limit: 1 };
        let found = self.event_window(organization, &rows).await?;
        Ok(found.into_iter().next().filter(|event| event.key == key))
    }
}
