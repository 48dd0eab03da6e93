//! The provisioning log as administrators read it, and what a logged request would do now.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use uuid::Uuid;

use super::Caller;
use super::error::{Refusal, Result};
use super::paging::{Page, PageRequest};
use super::windows::{self, Keep, Loaded, Walk};
use crate::domain::connection::{Access, ConnectionSettings, State};
use crate::domain::ids::{ConnectionId, LogEntryId, OrganizationId, ResourceId, Scope, TokenId};
use crate::domain::permission::Permission;
use crate::domain::provisioning::{Operation, Outcome, RejectedToken};
use crate::protocol::error::ScimType;
use crate::protocol::policy::{Limits, Policy};
use crate::protocol::projection::Projection;
use crate::protocol::schema::{Registry, ResourceKind};
use crate::service::cursor::Key;
use crate::service::provisioning_log::{Judged, ProvisioningLog, Verdict, name, name_of, target_of};
pub use crate::service::provisioning_log::{LogEntry, WholeLogEntry};
use crate::service::scim::brake::Brake;
use crate::service::scim::resources::{self, Conditions, Show, Target};
use crate::service::{Ctx, Effect, ServiceError};
use crate::storage::{self, Database, LogRecord, LogSelection, Window};

/// Which entries a list holds: of each filter any value, all filters.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Ids of connections.
    pub connections: Vec<Uuid>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Operations.
    pub operations: Vec<Operation>,
    /// Names or ids of users and groups.
    pub subjects: Vec<String>,
    /// Request ids.
    pub request_ids: Vec<String>,
    /// Statuses.
    pub statuses: Vec<u16>,
    /// µs since 1970, itself included.
    pub from: Option<i64>,
    /// µs since 1970, itself excluded.
    pub to: Option<i64>,
}

/// What a request would do now.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The answer's status; `None` where nobody can tell.
    pub status: Option<u16>,
    /// `scimType` of a refusal.
    pub scim_type: Option<&'static str>,
    /// What it would be for and come to; `None` where nobody can tell.
    pub outcome: Option<(Operation, Outcome)>,
    /// Why, in a sentence.
    pub explanation: String,
    /// What would change.
    pub changes: Vec<Value>,
}

struct LogWalk<'a> {
    db: &'a Database,
    organization: OrganizationId,
    filter: &'a LogFilter,
    selection: LogSelection,
    /// Keys of the subjects.
    keys: Vec<String>,
}

impl<'a> LogWalk<'a> {
    fn new(db: &'a Database, organization: OrganizationId, filter: &'a LogFilter) -> Self {
        let keys: Vec<String> = filter.subjects.iter().map(|subject| name(subject)).collect();
        let selection = match (keys.as_slice(), filter.outcomes.as_slice()) {
            // An id is its own key.
            ([key], _) => LogSelection::About(key.clone()),
            (_, []) => LogSelection::All,
            (_, outcomes) if outcomes.iter().all(|outcome| outcome.is_not_done()) => LogSelection::NotDone,
            _ => LogSelection::All,
        };
        LogWalk { db, organization, filter, selection, keys }
    }

    fn is_subject(&self, record: &LogRecord) -> bool {
        let name = name_of(record);
        let id = record.resource.map(|id| id.as_hyphenated().to_string());
        let mut subjects = self.filter.subjects.iter().zip(&self.keys);
        subjects.any(|(subject, key)| name.as_ref() == Some(key) || id.as_ref() == Some(subject))
    }
}

fn any<T: PartialEq>(wanted: &[T], value: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(value)
}

impl Walk for LogWalk<'_> {
    type Row = LogRecord;
    type Place = LogEntryId;

    fn place(&self, row: &LogRecord) -> LogEntryId {
        row.id
    }

    fn end(&self, newest: bool) -> LogEntryId {
        let bound = if newest { self.filter.to.unwrap_or(i64::MAX) } else { self.filter.from.unwrap_or(0) };
        // The first id of the time before: what the bound itself includes is judged by `keep`.
        if newest { LogEntryId::at(bound, u64::MAX) } else { LogEntryId::at(bound.saturating_sub(1), 0) }
    }

    fn print(&self, place: LogEntryId) -> Vec<Key> {
        vec![Key::Text(place.to_string())]
    }

    fn parse(&self, keys: &[Key]) -> Option<LogEntryId> {
        match keys {
            [Key::Text(id)] => ResourceId::parse(id).map(|id| LogEntryId(id.0)),
            _ => None,
        }
    }

    async fn load(&self, mut window: Window<LogEntryId>) -> storage::Result<Loaded<LogRecord>> {
        let (oldest, newest) = (self.end(false), self.end(true));
        loop {
            let page = self.db.log_records(self.organization, &self.selection, &window, false).await?;
            let rows: Vec<LogRecord> = page.entries.into_iter().map(|(record, _)| record).collect();
            let next = page.next.filter(|next| if window.backwards { *next > oldest } else { *next < newest });
            match next {
                Some(next) if rows.is_empty() => window.from = next,
                next => return Ok(Loaded { rows, is_last: next.is_none() }),
            }
            // On SQLite nothing else of the walk pends.
            tokio::task::yield_now().await;
        }
    }

    fn keep(&self, row: &LogRecord, backwards: bool) -> Keep {
        let filter = self.filter;
        let (too_old, too_new) =
            (filter.from.is_some_and(|from| row.at < from), filter.to.is_some_and(|to| row.at >= to));
        if (backwards && too_old) || (!backwards && too_new) {
            return Keep::End;
        }
        let fits = !too_old
            && !too_new
            && any(&filter.connections, |id| *id == row.connection)
            && any(&filter.outcomes, |outcome| outcome.as_str() == row.outcome)
            && any(&filter.operations, |operation| operation.as_str() == row.operation)
            && any(&filter.request_ids, |id| *id == row.request_id)
            && any(&filter.statuses, |status| *status == row.status)
            && (filter.subjects.is_empty() || self.is_subject(row));
        if fits { Keep::Yes } else { Keep::No }
    }
}

/// A page of entries, what this process has seen until now included.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(
    caller: &Caller,
    db: &Database,
    log: &Arc<ProvisioningLog>,
    filter: &LogFilter,
    request: &PageRequest,
) -> Result<Page<LogEntry>> {
    permitted(caller)?;
    log.flush().await;
    let page = windows::page(&LogWalk::new(db, caller.organization, filter), request).await?;
    let Page { rows, next, previous, total } = page;
    Ok(Page { rows: rows.into_iter().map(LogEntry::from).collect(), next, previous, total })
}

/// An entry with its bodies.
///
/// # Errors
/// `PermissionDenied`, `Missing`; those of storage.
pub async fn get(caller: &Caller, db: &Database, log: &Arc<ProvisioningLog>, id: LogEntryId) -> Result<WholeLogEntry> {
    permitted(caller)?;
    log.flush().await;
    let (record, bodies) = db.find_log_record(caller.organization, id).await?.ok_or(Refusal::Missing)?;
    Ok(WholeLogEntry::of(record, bodies))
}

/// What the request of an entry would do now. Changes nothing.
///
/// # Errors
/// `PermissionDenied`, `Missing`; those of storage.
pub async fn replay(
    caller: &Caller,
    db: &Database,
    limits: &Limits,
    brake: &Arc<Brake>,
    entry: &WholeLogEntry,
) -> Result<Replayed> {
    permitted(caller)?;
    let logged = &entry.entry.record;
    if let Some(why) = token_state(caller, db, logged).await? {
        return Ok(replayed(logged, 401, None, None, &Asked { rejected: Some(why), ..Asked::default() }));
    }
    let Some(kind) = kind(logged) else { return Ok(unknown("It names no user or group, so it changes nothing.")) };
    let id = target_of(&logged.path).1.unwrap_or_default();
    let body = entry.bodies.request.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let needs_body = matches!(logged.method.as_str(), "POST" | "PUT" | "PATCH");
    if logged.operation == Operation::Read.as_str() && (id.is_empty() || needs_body) {
        return Ok(unknown("It only searches, so it changes nothing."));
    }
    let Some(body) = body.or((!needs_body).then_some(Value::Null)) else {
        return Ok(unknown("Its body was not kept, so nobody can tell what it would do now."));
    };
    let ctx = context(caller, db, limits, brake, logged).await?;
    let answer = rehearse(&ctx, db, &logged.method, kind, id, &body).await;
    let asked = Asked { body: Some(&body), happened: ctx.trace.get(), rejected: None };
    match answer {
        Ok(status) => Ok(replayed(logged, status, None, None, &asked)),
        Err(ServiceError::Scim(error)) => {
            Ok(replayed(logged, error.status, error.scim_type, Some(&error.detail), &asked))
        }
        Err(error) => Err(error.into()),
    }
}

fn permitted(caller: &Caller) -> Result<()> {
    let needed = Permission::ProvisioningLogRead;
    if caller.may(needed) { Ok(()) } else { Err(Refusal::PermissionDenied(needed)) }
}

fn kind(logged: &LogRecord) -> Option<ResourceKind> {
    match target_of(&logged.path).0? {
        "Group" => Some(ResourceKind::Group),
        _ => Some(ResourceKind::User),
    }
}

/// Why the token of the request opens nothing, if so.
async fn token_state(caller: &Caller, db: &Database, logged: &LogRecord) -> Result<Option<RejectedToken>> {
    let connection = db.find_connection(caller.organization, ConnectionId(logged.connection)).await?;
    if connection.is_none_or(|connection| Access::of(&connection.state) == Access::None) {
        return Ok(Some(RejectedToken::Decommissioned));
    }
    let Some(token) = logged.token else { return Ok(None) };
    let Some(token) = db.find_token(caller.organization, TokenId(token)).await? else {
        return Ok(Some(RejectedToken::Revoked));
    };
    if token.revoked_at.is_some() {
        return Ok(Some(RejectedToken::Revoked));
    }
    Ok(token.expires_at.filter(|at| *at <= caller.now).map(|_| RejectedToken::Expired))
}

async fn context(
    caller: &Caller,
    db: &Database,
    limits: &Limits,
    brake: &Arc<Brake>,
    logged: &LogRecord,
) -> Result<Ctx> {
    let connection =
        db.find_connection(caller.organization, ConnectionId(logged.connection)).await?.ok_or(Refusal::Missing)?;
    let settings = ConnectionSettings::parse(&connection.settings);
    let settings =
        settings.map_err(|error| ServiceError::Internal(format!("settings of {}: {error}", connection.id)))?;
    Ok(Ctx {
        actor: caller.actor,
        scope: Scope { organization: caller.organization, connection: connection.id },
        access: Access::of(&connection.state),
        has_blocks: true,
        has_former: true,
        is_staged: State::of(&connection.state).is_staged(),
        now: caller.now,
        request_id: caller.request_id.as_str().into(),
        policy: Policy { repairs: settings.repairs(), limits: limits.clone() },
        settings,
        brake: Arc::clone(brake),
        effect: Effect::Rehearse,
        trace: Arc::new(OnceLock::new()),
    })
}

/// Does the request without effect; answers the status of success. `id` is empty for a collection.
async fn rehearse(
    ctx: &Ctx,
    db: &Database,
    method: &str,
    kind: ResourceKind,
    id: &str,
    body: &Value,
) -> crate::service::Result<u16> {
    let rt = Registry::builtin().resource_type(kind);
    let projection = Projection::parse(rt, None, None)?;
    let conditions = Conditions::default();
    let target = Target { kind, id, conditions: &conditions };
    match method {
        "POST" => {
            resources::create(ctx, db, kind, body.clone(), &projection).await?;
            Ok(201)
        }
        "PUT" => {
            resources::replace(ctx, db, target, body, &projection, Show::Nothing).await?;
            Ok(200)
        }
        "PATCH" => {
            resources::patch(ctx, db, target, body.clone(), &projection, Show::Nothing).await?;
            Ok(200)
        }
        "DELETE" => {
            resources::delete(ctx, db, target).await?;
            Ok(204)
        }
        _ => {
            resources::get(ctx, db, kind, id, &projection).await?;
            Ok(200)
        }
    }
}

#[derive(Default)]
struct Asked<'a> {
    body: Option<&'a Value>,
    happened: Option<&'a crate::domain::provisioning::Happened>,
    rejected: Option<RejectedToken>,
}

fn replayed(
    logged: &LogRecord,
    status: u16,
    scim_type: Option<ScimType>,
    detail: Option<&str>,
    asked: &Asked<'_>,
) -> Replayed {
    let scim_type = scim_type.map(ScimType::as_str);
    let verdict = Judged {
        method: &logged.method,
        target: &logged.path,
        body: asked.body,
        status,
        scim_type,
        detail,
        happened: asked.happened,
        subject: logged.subject.as_deref(),
        rejected: asked.rejected,
    }
    .verdict();
    let Verdict { operation, outcome, explanation, changes } = verdict;
    Replayed { status: Some(status), scim_type, outcome: Some((operation, outcome)), explanation, changes }
}

fn unknown(explanation: &str) -> Replayed {
    Replayed { status: None, scim_type: None, outcome: None, explanation: explanation.to_owned(), changes: Vec::new() }
}
