//! The provisioning log: an entry for each request of an identity provider, its bodies apart. Written in batches beside the
//! requests; read in windows in the order of time, which is that of the ids.

mod insert;

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use uuid::Uuid;

use crate::domain::ids::{ConnectionId, LogEntryId, OrganizationId, TokenId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{provisioning_bodies, provisioning_log};
use crate::storage::uid::Id;

/// An entry, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Its tenant.
    pub organization: OrganizationId,
    /// Id, in the order of time.
    pub id: LogEntryId,
    /// µs since 1970.
    pub at: i64,
    /// The connection that was called.
    pub connection: ConnectionId,
    /// The token that came.
    pub token: Option<TokenId>,
    /// What identifies a refused token to people.
    pub fingerprint: Option<String>,
    /// As sent.
    pub method: String,
    /// Below the base of the surface, with the parameters of a search.
    pub path: String,
    /// `User`, `Group`
    pub resource_type: Option<String>,
    /// Id of the user or group.
    pub resource: Option<Uuid>,
    /// As the identity provider calls it.
    pub external_id: Option<String>,
    /// Who or what it was about, for people.
    pub subject: Option<String>,
    /// `domain::provisioning::Operation`
    pub operation: String,
    /// Of the answer.
    pub status: i16,
    /// `domain::provisioning::Outcome`
    pub outcome: String,
    /// `scimType` of the answer.
    pub scim_type: Option<String>,
    /// A sentence for people.
    pub explanation: String,
    /// From the head of the request to the answer.
    pub duration_us: i64,
    /// Request id.
    pub request_id: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// JSON array of what changed.
    pub changes: String,
}

/// An entry to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLogEntry {
    /// All but the bodies.
    pub entry: LogEntry,
    /// Of a write, without secrets.
    pub request_body: Option<String>,
    /// Of its answer, without secrets.
    pub response_body: Option<String>,
}

/// What was heard of a connection since it was last written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// Tenant and connection.
    pub organization: Uuid,
    #[allow(missing_docs)]
    pub connection: Uuid,
    /// µs since 1970.
    pub last_request_at: i64,
    /// µs since 1970.
    pub last_success_at: Option<i64>,
    /// µs since 1970.
    pub last_error_at: Option<i64>,
    /// What it was.
    pub last_error: Option<String>,
    /// Requests that only read.
    pub reads: i64,
}

/// Which entries a window looks at; each has an index.
#[derive(Debug, Clone, PartialEq)]
pub enum LogSelection {
    /// All of the organization.
    All,
    /// Those that did not do what was asked.
    NotDone,
    /// Those about a user or group.
    Resource(Uuid),
    /// Those about who or what has this key.
    Subject(String),
}

/// The next rows of a list in keyset order.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<K> {
    /// From here on, itself excluded.
    pub from: K,
    /// Towards the past.
    pub backwards: bool,
    /// Rows at most.
    pub limit: u32,
}

type Row = (
    (Id, Id, i64, Id, Option<Id>, Option<String>),
    (String, String, Option<String>, Option<Id>, Option<String>, Option<String>),
    (String, i16, String, Option<String>, String, i64, String, Option<String>, String),
);

macro_rules! columns {
    () => {{
        use provisioning_log as p;
        (
            (p::organization, p::id, p::at, p::connection, p::token, p::fingerprint),
            (p::method, p::path, p::resource_type, p::resource, p::external_id, p::subject),
            (
                p::operation,
                p::status,
                p::outcome,
                p::scim_type,
                p::explanation,
                p::duration_us,
                p::request_id,
                p::ip,
                p::changes,
            ),
        )
    }};
}

impl From<Row> for LogEntry {
    fn from((who, what, how): Row) -> Self {
        let (organization, id, at, connection, token, fingerprint) = who;
        let (method, path, resource_type, resource, external_id, subject) = what;
        let (operation, status, outcome, scim_type, explanation, duration_us, request_id, ip, changes) = how;
        LogEntry {
            organization: organization.into(),
            id: id.into(),
            at,
            connection: connection.into(),
            token: token.map(Into::into),
            fingerprint,
            method,
            path,
            resource_type,
            resource: resource.map(|id| id.0),
            external_id,
            subject,
            operation,
            status,
            outcome,
            scim_type,
            explanation,
            duration_us,
            request_id,
            ip,
            changes,
        }
    }
}

/// Rows of a window, in its direction.
async fn window(
    db: &mut Db<'_>,
    organization: OrganizationId,
    selection: &LogSelection,
    window: &Window<LogEntryId>,
) -> Result<Vec<LogEntry>> {
    let from = Id::from(window.from);
    let limit = i64::from(window.limit);
    // The conditions differ in type, so that each combination is a statement of its own.
    macro_rules! rows {
        ($($condition:expr)?) => {{
            let all = provisioning_log::table.filter(provisioning_log::organization.eq(Id::from(organization)));
            $(let all = all.filter($condition);)?
            if window.backwards {
                let page = all.filter(provisioning_log::id.lt(from)).order(provisioning_log::id.desc());
                page.limit(limit).select(columns!()).all::<Row>(db).await?
            } else {
                let page = all.filter(provisioning_log::id.gt(from)).order(provisioning_log::id.asc());
                page.limit(limit).select(columns!()).all::<Row>(db).await?
            }
        }};
    }
    let rows = match selection {
        LogSelection::All => rows!(),
        // Word for word the condition of the index.
        LogSelection::NotDone => rows!(sql::<Bool>("outcome IN ('held', 'refused', 'rejected_credential')")),
        LogSelection::Resource(id) => rows!(provisioning_log::resource.eq(Some(Id(*id)))),
        LogSelection::Subject(key) => rows!(provisioning_log::subject_key.eq(Some(key.clone()))),
    };
    Ok(rows.into_iter().map(LogEntry::from).collect())
}

impl Database {
    /// Writes entries and what was heard of connections; one transaction.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn insert_log_entries(&self, entries: Vec<NewLogEntry>, heard: Vec<Heard>) -> Result<()> {
        self.transaction(async move |db: &mut Db<'_>| {
            insert::entries(db, &entries).await?;
            insert::heard(db, heard).await
        })
        .await
    }

    /// Rows of a window over an organization's entries, in its direction.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn log_window(
        &self,
        organization: OrganizationId,
        selection: &LogSelection,
        rows: &Window<LogEntryId>,
    ) -> Result<Vec<LogEntry>> {
        self.cold_read(async |db| window(db, organization, selection, rows).await).await
    }

    /// An entry with the bodies of request and answer.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_log_entry(&self, organization: OrganizationId, id: LogEntryId) -> Result<Option<NewLogEntry>> {
        self.cold_read(async |db| {
            let place = (Id::from(organization), Id::from(id));
            let entry: Option<Row> = provisioning_log::table.find(place).select(columns!()).opt(db).await?;
            let Some(entry) = entry else { return Ok(None) };
            let bodies = (provisioning_bodies::request_body, provisioning_bodies::response_body);
            let bodies: Option<(Option<String>, Option<String>)> =
                provisioning_bodies::table.find(place).select(bodies).opt(db).await?;
            let (request_body, response_body) = bodies.unwrap_or_default();
            Ok::<_, StorageError>(Some(NewLogEntry { entry: entry.into(), request_body, response_body }))
        })
        .await
    }
}
