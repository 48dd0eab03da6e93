//! Connections to identity providers: create, list, change, and the steps from one state to the next. What becomes of many
//! people at once is a job.

use serde_json::{Map, Value, json};

use super::Caller;
use super::error::{Invalid, Refusal, Result};
use super::role_change::guarded;
use crate::domain::connection::{State, Step, change_settings};
use crate::domain::ids::ConnectionId;
use crate::domain::organization::check_name;
use crate::domain::permission::Permission;
use crate::service::jobs::decommission::People;
use crate::service::{ServiceError, ids, jobs};
use crate::storage::cold::connections::{self, ConnectionColumns};
pub use crate::storage::cold::health::Figures;
use crate::storage::cold::jobs::NewJob;
use crate::storage::write::EventKind;
use crate::storage::{
    ConnectionRecord, Database, Db, HealthRecord, JobRecord, NewConnection, StorageError, TokenRecord, UniqueKey,
};

/// Providers told apart; `custom` is any other SCIM client.
pub use crate::service::backoffice::connections::PROVIDERS;

/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;
/// A token that ends within this time is reported, µs.
const EXPIRING: i64 = 30 * 86_400_000_000;

/// A connection with what is known of its traffic.
#[derive(Debug, Clone)]
pub struct Connection {
    /// As stored.
    pub record: ConnectionRecord,
    /// How it does.
    pub health: Health,
    /// The job that its last step started; not in lists.
    pub job: Option<JobRecord>,
}

/// How a connection does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Health {
    /// People and groups.
    pub figures: Figures,
    /// µs since 1970.
    pub last_request_at: Option<i64>,
    /// µs since 1970.
    pub last_success_at: Option<i64>,
    /// µs since 1970.
    pub last_error_at: Option<i64>,
    /// The last refusal, for people.
    pub last_error: Option<String>,
    /// Tokens that end within 30 days.
    pub tokens_expiring: usize,
}

/// A connection to create.
#[derive(Debug, Clone, Default)]
pub struct CreateConnection {
    /// One of `PROVIDERS`.
    pub provider: String,
    /// Unique in the organization.
    pub name: String,
    /// Members of the settings document.
    pub settings: Map<String, Value>,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct PatchConnection {
    pub name: Option<String>,
    /// Members of the settings document; null brings the default back.
    pub settings: Map<String, Value>,
}

/// Creates a connection in the state `setup`.
///
/// # Errors
/// `PermissionDenied`, `Invalid`.
pub async fn create(caller: &Caller, db: &Database, new: CreateConnection) -> Result<Connection> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let mut errors = Vec::new();
    if !PROVIDERS.contains(&&*new.provider) {
        errors.push(Invalid::new("/provider", format!("A provider is one of {}.", PROVIDERS.join(", "))));
    }
    let name = name(&new.name, &mut errors);
    let settings = settings(&Map::new(), &new.settings, &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let new = NewConnection {
        organization: caller.organization,
        id: ids::connection(),
        provider: new.provider,
        name,
        state: State::Setup.as_str().to_owned(),
        settings,
    };
    let record = db.insert_connection(caller.deed(), new).await.map_err(taken)?;
    Ok(Connection { record, health: Health::default(), job: None })
}

/// All connections in the order of their creation.
///
/// # Errors
/// `PermissionDenied`.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<Connection>> {
    permitted(caller, Permission::ConnectionsRead)?;
    let records = db.list_connections(caller.organization).await?;
    let known = Known::read(caller, db).await?;
    let connection = |record: ConnectionRecord| Connection { health: known.health(&record), record, job: None };
    Ok(records.into_iter().map(connection).collect())
}

/// The connection of that id.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, id: ConnectionId) -> Result<Connection> {
    permitted(caller, Permission::ConnectionsRead)?;
    let record = load(caller, db, id).await?;
    with_health(caller, db, record).await
}

/// Changes name and settings.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Invalid`; `LastAdmin` where every Admin who can sign in is so by the directory's
/// word, which would no longer count.
pub async fn patch(
    caller: &Caller,
    db: &Database,
    id: ConnectionId,
    expected: Option<i64>,
    patch: PatchConnection,
) -> Result<Connection> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let mut attempt = 1;
    loop {
        let read = of_version(load(caller, db, id).await?, expected)?;
        let columns = patched(&read, &patch)?;
        let Some(detail) = difference(&read, &columns) else { return with_health(caller, db, read).await };
        let deed = caller.deed();
        let change = async move |db: &mut Db<'_>| {
            let kind = EventKind::ConnectionChanged;
            connections::update(db, &deed, &read, &columns, kind, &detail).await.map_err(taken)
        };
        // Without `may_grant_admin` the directory's Admins are none.
        match guarded(caller, db, change).await {
            Err(Refusal::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return with_health(caller, db, other?).await,
        }
    }
}

/// Takes a connection from one state to the next. `people`: what becomes of its people where it is decommissioned.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`; `ConnectionState` where its state has no such step; `LastAdmin` where every Admin
/// who can sign in is of a connection that is given up.
pub async fn step(
    caller: &Caller,
    db: &Database,
    id: ConnectionId,
    expected: Option<i64>,
    step: Step,
    people: People,
) -> Result<Connection> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let mut attempt = 1;
    loop {
        let read = of_version(load(caller, db, id).await?, expected)?;
        let from = State::of(&read.state);
        let to = from.after(step)?;
        let job = job(caller, db, &read, step, people).await?;
        let (deed, queued) = (caller.deed(), caller.deed());
        let detail =
            json!({ "changed": ["state"], "before": { "state": from.as_str() }, "after": { "state": to.as_str() } });
        let columns = ConnectionColumns {
            name: read.name.clone(),
            state: to.as_str().to_owned(),
            settings: read.settings.clone(),
        };
        let change = async move |db: &mut Db<'_>| {
            let kind = event_of(step);
            let stored = connections::update(db, &deed, &read, &columns, kind, &detail.to_string()).await?;
            if let Some(job) = job {
                crate::storage::cold::jobs::insert(db, &queued, &job).await?;
            }
            Ok(stored)
        };
        match guarded(caller, db, change).await {
            Err(Refusal::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return with_health(caller, db, other?).await,
        }
    }
}

/// The work that a step leaves behind.
async fn job(
    caller: &Caller,
    db: &Database,
    read: &ConnectionRecord,
    step: Step,
    people: People,
) -> Result<Option<NewJob>> {
    let (kind, arguments, total) = match step {
        Step::Activate => (jobs::ACTIVATE, json!({}), None),
        Step::Decommission => {
            let figures = db.connection_figures(caller.organization).await?;
            let users = figures.get(&read.id).map(|figures| figures.users);
            (jobs::DECOMMISSION, json!({ "people": people.as_str() }), Some(users.unwrap_or(0)))
        }
        Step::Observe | Step::Pause | Step::Resume => return Ok(None),
    };
    Ok(Some(NewJob {
        organization: caller.organization,
        id: ids::job(),
        kind: kind.to_owned(),
        subject: Some(read.id.0),
        arguments: arguments.to_string(),
        cursor: None,
        total,
    }))
}

fn event_of(step: Step) -> EventKind {
    match step {
        Step::Observe => EventKind::ConnectionObserved,
        Step::Activate => EventKind::ConnectionActivated,
        Step::Pause => EventKind::ConnectionPaused,
        Step::Resume => EventKind::ConnectionResumed,
        Step::Decommission => EventKind::ConnectionDecommissioned,
    }
}

/// The connection of that id, whoever may see it.
pub(super) async fn load(caller: &Caller, db: &Database, id: ConnectionId) -> Result<ConnectionRecord> {
    db.find_connection(caller.organization, id).await?.ok_or(Refusal::Missing)
}

fn of_version(read: ConnectionRecord, expected: Option<i64>) -> Result<ConnectionRecord> {
    if expected.is_some_and(|expected| expected != read.version) { Err(Refusal::Stale) } else { Ok(read) }
}

async fn with_health(caller: &Caller, db: &Database, record: ConnectionRecord) -> Result<Connection> {
    let health = Known::read(caller, db).await?.health(&record);
    let job = db.list_jobs_of(caller.organization, record.id.0).await?.into_iter().next();
    Ok(Connection { record, health, job })
}

/// What is known of all connections of an organization.
struct Known {
    figures: std::collections::BTreeMap<ConnectionId, Figures>,
    heard: Vec<HealthRecord>,
    tokens: Vec<TokenRecord>,
    now: i64,
}

impl Known {
    async fn read(caller: &Caller, db: &Database) -> Result<Self> {
        Ok(Known {
            figures: db.connection_figures(caller.organization).await?,
            heard: db.list_connection_health(caller.organization).await?,
            tokens: db.list_unrevoked_tokens(caller.organization).await?,
            now: caller.now,
        })
    }

    fn health(&self, connection: &ConnectionRecord) -> Health {
        let heard = self.heard.iter().find(|heard| heard.connection == connection.id);
        let tokens = || self.tokens.iter().filter(|token| token.connection == connection.id);
        let soon = |token: &&TokenRecord| token.expires_at.is_some_and(|at| at > self.now && at - self.now <= EXPIRING);
        Health {
            figures: self.figures.get(&connection.id).copied().unwrap_or_default(),
            // A token's use is noted at most once a minute, what was heard a little later: the younger of both.
            last_request_at: tokens()
                .filter_map(|token| token.last_used_at)
                .chain(heard.and_then(|heard| heard.last_request_at))
                .max(),
            last_success_at: heard.and_then(|heard| heard.last_success_at),
            last_error_at: heard.and_then(|heard| heard.last_error_at),
            last_error: heard.and_then(|heard| heard.last_error.clone()),
            tokens_expiring: tokens().filter(soon).count(),
        }
    }
}

pub(super) fn permitted(caller: &Caller, permission: Permission) -> Result<()> {
    if caller.may(permission) { Ok(()) } else { Err(Refusal::PermissionDenied(permission)) }
}

fn taken(error: StorageError) -> Refusal {
    match error {
        StorageError::NotUnique(UniqueKey::ConnectionName) => {
            Refusal::Invalid(vec![Invalid::new("/name", "Another connection has this name.")])
        }
        other => other.into(),
    }
}

fn name(name: &str, errors: &mut Vec<Invalid>) -> String {
    if let Err(detail) = check_name(name) {
        errors.push(Invalid::new("/name", detail));
    }
    name.trim().to_owned()
}

fn settings(stored: &Map<String, Value>, change: &Map<String, Value>, errors: &mut Vec<Invalid>) -> String {
    match change_settings(stored, change) {
        Ok(settings) => Value::Object(settings).to_string(),
        Err(wrong) => {
            errors.extend(wrong.into_iter().map(|w| Invalid::new(format!("/scim{}", w.pointer), w.detail)));
            String::new()
        }
    }
}

fn patched(read: &ConnectionRecord, patch: &PatchConnection) -> Result<ConnectionColumns> {
    let damaged = |error| ServiceError::Internal(format!("settings of connection {}: {error}", read.id));
    let stored: Map<String, Value> = serde_json::from_str(&read.settings).map_err(damaged)?;
    let mut errors = Vec::new();
    let columns = ConnectionColumns {
        name: patch.name.as_ref().map_or_else(|| read.name.clone(), |new| name(new, &mut errors)),
        state: read.state.clone(),
        settings: settings(&stored, &patch.settings, &mut errors),
    };
    if errors.is_empty() { Ok(columns) } else { Err(Refusal::Invalid(errors)) }
}

/// The event's detail; `None` where nothing differs.
fn difference(read: &ConnectionRecord, columns: &ConnectionColumns) -> Option<String> {
    let (mut changed, mut before, mut after) = (Vec::new(), Map::new(), Map::new());
    let mut compare = |name: &str, old: Value, new: Value| {
        if old != new {
            changed.push(name.to_owned());
            before.insert(name.to_owned(), old);
            after.insert(name.to_owned(), new);
        }
    };
    let document = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    compare("name", read.name.clone().into(), columns.name.clone().into());
    compare("scim", document(&read.settings), document(&columns.settings));
    (!changed.is_empty()).then(|| json!({ "changed": changed, "before": before, "after": after }).to_string())
}
