//! `/provisioning-log`: what identity providers asked for, what they got, and why.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::NoBodyNeeded;
use super::choice::{LogOperation, LogOutcome};
use super::export::{self, Exported};
use super::form::Form;
use super::granted::{Exports, Format, Granted, ProvisioningLogRead};
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::problem::Problem;
use super::query::{NoQuery, invalid, named, time};
use super::{PathId, single, timed};
use crate::domain::ids::{LogEntryId, ResourceId};
use crate::domain::provisioning::{Operation, Outcome};
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::provisioning_log::{self, LogEntry, LogFilter, Replayed, WholeLogEntry};

/// What the log offers.
pub(crate) struct Log;

impl Listing for Log {
    const FILTERS: &'static [&'static str] =
        &["connection", "outcome", "operation", "subject", "request_id", "status", "from", "to"];
    const SORTS: &'static [&'static str] = &["at"];
    const DESCENDING: bool = true;
}

/// An entry never changes.
const VERSION: i64 = 1;

/// A change of a field; null: absent.
#[derive(ToSchema)]
#[schema(as = Change)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ChangeView {
    field: String,
    from: Option<Value>,
    to: Option<Value>,
}

/// A request of an identity provider.
#[derive(Serialize, ToSchema)]
#[schema(as = LogEntry)]
pub(crate) struct LogEntryView {
    id: String,
    #[schema(format = DateTime)]
    at: String,
    /// Id of the connection.
    connection: String,
    /// Id of the token that was used.
    token: Option<String>,
    /// Of a refused token: its first and last characters.
    fingerprint: Option<String>,
    method: String,
    /// Below the SCIM base URL.
    path: String,
    /// `User`, `Group`
    resource_type: Option<String>,
    resource_id: Option<String>,
    external_id: Option<String>,
    /// An e-mail address, a user name or the name of a group.
    subject: Option<String>,
    /// `create`, `update`, `activate`, `deactivate`, `delete`, `add_members`, `remove_members`, `read`
    operation: String,
    /// HTTP status of the answer.
    status: i16,
    /// `applied`, `no_change`, `held`, `refused`, `rejected_credential`
    outcome: String,
    /// `scimType` of the answer.
    scim_type: Option<String>,
    /// A sentence for people.
    explanation: String,
    duration_ms: f64,
    request_id: String,
    ip: Option<String>,
    #[schema(value_type = Vec<ChangeView>)]
    changes: Value,
}

/// A request with its bodies.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeLogEntry)]
pub(crate) struct WholeView {
    #[serde(flatten)]
    entry: LogEntryView,
    /// Of a write, without secrets; null where it was too large or could not be read.
    request_body: Option<Value>,
    /// Of the answer to a write.
    response_body: Option<Value>,
}

/// Requests, a page of them.
#[derive(ToSchema)]
#[schema(as = LogEntryList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct LogEntryListView {
    data: Vec<LogEntryView>,
    page: PageView,
}

/// What a request would do now.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub(crate) struct ReplayView {
    /// HTTP status of the answer; null where nobody can tell.
    status: Option<u16>,
    scim_type: Option<&'static str>,
    operation: Option<&'static str>,
    outcome: Option<&'static str>,
    /// A sentence for people.
    explanation: String,
    #[schema(value_type = Vec<ChangeView>)]
    changes: Vec<Value>,
}

impl LogEntryView {
    pub(in crate::http) fn of(entry: &LogEntry) -> Self {
        let LogEntry { record, resource_type, explanation, changes } = entry.clone();
        LogEntryView {
            id: record.id.to_string(),
            at: date_time(record.at),
            connection: record.connection.to_string(),
            token: record.token.map(|id| id.to_string()),
            fingerprint: record.fingerprint,
            method: record.method,
            path: record.path,
            resource_type: resource_type.map(str::to_owned),
            resource_id: record.resource.map(|id| ResourceId(id).to_string()),
            external_id: record.external_id,
            subject: record.subject,
            operation: record.operation,
            status: i16::try_from(record.status).unwrap_or_default(),
            outcome: record.outcome,
            scim_type: record.scim_type,
            explanation,
            duration_ms: record.duration_us as f64 / 1_000.0,
            request_id: record.request_id,
            ip: record.ip,
            changes: Value::Array(changes),
        }
    }
}

impl WholeView {
    fn of(whole: &WholeLogEntry) -> Self {
        let json = |body: &Option<String>| body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        WholeView {
            entry: LogEntryView::of(&whole.entry),
            request_body: json(&whole.bodies.request),
            response_body: json(&whole.bodies.response),
        }
    }
}

impl ReplayView {
    fn of(replayed: Replayed) -> Self {
        ReplayView {
            status: replayed.status,
            scim_type: replayed.scim_type,
            operation: replayed.outcome.map(|(operation, _)| operation.as_str()),
            outcome: replayed.outcome.map(|(_, outcome)| outcome.as_str()),
            explanation: replayed.explanation,
            changes: replayed.changes,
        }
    }
}

impl Exported for LogEntryView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "at",
        "connection",
        "operation",
        "subject",
        "outcome",
        "status",
        "explanation",
        "method",
        "path",
        "resource_type",
        "resource_id",
        "external_id",
        "scim_type",
        "fingerprint",
        "duration_ms",
        "request_id",
        "ip",
        "changes",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.at.clone(),
            self.connection.clone(),
            self.operation.clone(),
            text(&self.subject),
            self.outcome.clone(),
            self.status.to_string(),
            self.explanation.clone(),
            self.method.clone(),
            self.path.clone(),
            text(&self.resource_type),
            text(&self.resource_id),
            text(&self.external_id),
            text(&self.scim_type),
            text(&self.fingerprint),
            self.duration_ms.to_string(),
            self.request_id.clone(),
            text(&self.ip),
            self.changes.to_string(),
        ]
    }
}

pub(in crate::http) fn filter<L: Listing>(query: &ListQuery<L>) -> Result<LogFilter, Problem> {
    let id = |text: &&str| Uuid::try_parse(text).map_err(|_| invalid("connection takes ids of connections."));
    let status = |text: &&str| {
        let status = text.parse::<u16>().ok().filter(|status| (100..600).contains(status));
        status.ok_or_else(|| invalid("status takes HTTP statuses, such as 409."))
    };
    let owned = |name| query.filter(name).into_iter().map(str::to_owned).collect();
    Ok(LogFilter {
        connections: query.filter("connection").iter().map(id).collect::<Result<_, _>>()?,
        outcomes: named("outcome", &query.filter("outcome"), Outcome::parse, &Outcome::ALL.map(Outcome::as_str))?,
        operations: named(
            "operation",
            &query.filter("operation"),
            Operation::parse,
            &Operation::ALL.map(Operation::as_str),
        )?,
        subjects: owned("subject"),
        request_ids: owned("request_id"),
        statuses: query.filter("status").iter().map(status).collect::<Result<_, _>>()?,
        from: time("from", &query.filter("from"))?,
        to: time("to", &query.filter("to"))?,
    })
}

/// Requests of the organization's identity providers, the newest first. Reads that succeed are counted at their connection;
/// of many at once some have no entry.
#[utoipa::path(
    get, path = "/provisioning-log", tag = "Provisioning log", operation_id = "list_log_entries",
    params(
        ListParameters,
        ("connection" = Option<Vec<String>>, Query, description = "Ids of connections"),
        ("outcome" = Option<Vec<LogOutcome>>, Query, description = "applied, no_change, held, refused, rejected_credential"),
        ("operation" = Option<Vec<LogOperation>>, Query, description = "create, update, activate, deactivate, delete, add_members, remove_members, read"),
        ("subject" = Option<Vec<String>>, Query, description = "Whom or what it was about, by the whole name or the id"),
        ("request_id" = Option<Vec<String>>, Query, description = "Request ids"),
        ("status" = Option<Vec<u16>>, Query, description = "HTTP statuses"),
        ("from" = Option<String>, Query, format = DateTime, description = "From this time on"),
        ("to" = Option<String>, Query, format = DateTime, description = "Before this time"),
    ),
    responses((status = 200, description = "Entries", body = LogEntryListView))
)]
pub(super) async fn list(
    granted: Granted<ProvisioningLogRead, Exports>,
    query: ListQuery<Log>,
) -> Result<HttpResponse, Problem> {
    let filter = filter(&query)?;
    let (caller, shared) = (&granted.caller, &granted.shared);
    let state = &shared.state;
    match granted.format {
        Format::Json => {
            let load = provisioning_log::list(caller, &state.db, &state.provisioning_log, &filter, &query.page);
            Ok(query.answer(timed(shared, load).await?, LogEntryView::of))
        }
        format => {
            let (caller, state) = (caller.clone(), state.clone());
            let load = async move |request| {
                let load = provisioning_log::list(&caller, &state.db, &state.provisioning_log, &filter, &request);
                load.await
            };
            export::rows(format, query.whole()?, load, LogEntryView::of).await
        }
    }
}

/// One request with its bodies.
#[utoipa::path(
    get, path = "/provisioning-log/{id}", tag = "Provisioning log", operation_id = "get_log_entry",
    params(("id" = String, Path, description = "Id of the entry")),
    responses((status = 200, description = "The entry", body = WholeView))
)]
pub(super) async fn get(
    granted: Granted<ProvisioningLogRead>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let found = find(&granted, id).await?;
    single::read(&conditions.0, VERSION, WholeView::of(&found))
}

/// What the request would do now. Nothing is changed.
#[utoipa::path(
    post, path = "/provisioning-log/{id}/replay", tag = "Provisioning log", operation_id = "replay_log_entry",
    params(("id" = String, Path, description = "Id of the entry")),
    responses((status = 200, description = "The answer that it would get", body = ReplayView))
)]
pub(super) async fn replay(
    granted: Granted<ProvisioningLogRead>,
    id: PathId,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let found = find(&granted, id).await?;
    Form::of(&body.0)?.done()?;
    let shared = &granted.shared;
    let limits = &shared.state.settings.limits.protocol;
    let replay = provisioning_log::replay(&granted.caller, &shared.state.db, limits, &shared.brake, &found);
    Ok(HttpResponse::Ok().json(ReplayView::of(timed(shared, replay).await?)))
}

async fn find(granted: &Granted<ProvisioningLogRead>, id: PathId) -> Result<WholeLogEntry, Problem> {
    let state = &granted.shared.state;
    let id = LogEntryId(id.0);
    timed(&granted.shared, provisioning_log::get(&granted.caller, &state.db, &state.provisioning_log, id)).await
}
