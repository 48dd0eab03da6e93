//! `/audit-events`: who did what to whom.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::choice::AuditResult;
use super::export::{self, Exported};
use super::granted::{AuditRead, Exports, Format, Granted};
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::problem::Problem;
use super::provisioning_log::ChangeView;
use super::query::{NoQuery, named, time};
use super::{single, timed};
use crate::domain::event::EventKind;
use crate::domain::ids::OrganizationId;
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::audit_log::{self, AuditEvent, AuditFilter, EventKey, Party};

/// What is shown where no time is given, µs.
const NINETY_DAYS: i64 = 90 * 86_400_000_000;
/// An event never changes.
const VERSION: i64 = 1;

/// What the audit log offers.
pub(crate) struct Audit;

impl Listing for Audit {
    const FILTERS: &'static [&'static str] = &["actor", "action", "target", "result", "ip", "from", "to"];
    const SORTS: &'static [&'static str] = &["at"];
    const DESCENDING: bool = true;
}

/// The `{id}` of a path: the place of an event; `None` for what no event has.
pub(crate) struct EventId(Option<EventKey>);

impl FromRequest for EventId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(EventId(request.match_info().get("id").and_then(audit_log::parse_key))))
    }
}

/// Who did something, or what it was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = Party)]
pub(crate) struct PartyView {
    /// Of an actor `user`, `api_key`, `scim`, `operator`, `system`.
    #[serde(rename = "type")]
    kind: String,
    /// null: not for the organization to know.
    id: Option<String>,
    /// What people call it; null where nobody knows any more.
    label: Option<String>,
}

/// A deed, or the attempt at one.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(crate) struct AuditEventView {
    id: String,
    #[schema(format = DateTime)]
    at: String,
    /// Name of the event, such as `user.updated`.
    action: String,
    actor: PartyView,
    target: PartyView,
    /// Id of the organization.
    organization: String,
    /// `ok`, `refused`
    result: &'static str,
    /// Code of the refusal.
    problem_code: Option<String>,
    ip: Option<String>,
    /// Of deeds on the admin surfaces.
    user_agent: Option<String>,
    request_id: String,
    /// What the doer gave as the reason.
    reason: Option<String>,
    #[schema(value_type = Vec<ChangeView>)]
    changes: Vec<Value>,
}

/// Events, a page of them.
#[derive(ToSchema)]
#[schema(as = AuditEventList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct AuditEventListView {
    data: Vec<AuditEventView>,
    page: PageView,
}

impl AuditEventView {
    pub(in crate::http) fn of(organization: OrganizationId, event: &AuditEvent) -> Self {
        let party = |party: &Party| {
            let Party { kind, id, label } = party.clone();
            PartyView { kind, id, label }
        };
        AuditEventView {
            id: audit_log::print_key(event.key),
            at: date_time(event.at),
            action: event.action.clone(),
            actor: party(&event.actor),
            target: party(&event.target),
            organization: event.organization.clone().unwrap_or_else(|| organization.to_string()),
            result: if event.refused { "refused" } else { "ok" },
            problem_code: event.problem.clone(),
            ip: event.ip.clone(),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            reason: event.reason.clone(),
            changes: event.changes.clone(),
        }
    }
}

impl Exported for AuditEventView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "at",
        "action",
        "result",
        "actor_type",
        "actor_id",
        "actor_label",
        "target_type",
        "target_id",
        "target_label",
        "problem_code",
        "ip",
        "user_agent",
        "request_id",
        "reason",
        "changes",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.at.clone(),
            self.action.clone(),
            self.result.to_owned(),
            self.actor.kind.clone(),
            text(&self.actor.id),
            text(&self.actor.label),
            self.target.kind.clone(),
            text(&self.target.id),
            text(&self.target.label),
            text(&self.problem_code),
            text(&self.ip),
            text(&self.user_agent),
            self.request_id.clone(),
            text(&self.reason),
            Value::Array(self.changes.clone()).to_string(),
        ]
    }
}

pub(in crate::http) fn filter<L: Listing>(query: &ListQuery<L>, now: i64) -> Result<AuditFilter, Problem> {
    let owned = |name| query.filter(name).into_iter().map(str::to_owned).collect();
    let action = |name: &str| EventKind::parse(name).map(|kind| kind.name().to_owned());
    let refused = |name: &str| match name {
        "ok" => Some(false),
        "refused" => Some(true),
        _ => None,
    };
    Ok(AuditFilter {
        actors: owned("actor"),
        actions: named("action", &query.filter("action"), action, &["names of events, such as user.updated"])?,
        targets: owned("target"),
        refused: named("result", &query.filter("result"), refused, &["ok", "refused"])?,
        ips: owned("ip"),
        from: time("from", &query.filter("from"))?.unwrap_or_else(|| now.saturating_sub(NINETY_DAYS)),
        to: time("to", &query.filter("to"))?,
    })
}

/// What was done in the organization, the newest first; of the last 90 days unless `from` says otherwise. Refused deeds that
/// matter are there too.
#[utoipa::path(
    get, path = "/audit-events", tag = "Audit log", operation_id = "list_audit_events",
    params(
        ListParameters,
        ("actor" = Option<Vec<String>>, Query, description = "A type of actor, an id, or both with a colon between them"),
        ("action" = Option<Vec<String>>, Query, description = "Names of events; refused deeds have the name of the event that they would have left"),
        ("target" = Option<Vec<String>>, Query, description = "Ids of what it was done to"),
        ("result" = Option<Vec<AuditResult>>, Query, description = "ok, refused"),
        ("ip" = Option<Vec<String>>, Query, description = "Addresses"),
        ("from" = Option<String>, Query, format = DateTime, description = "From this time on"),
        ("to" = Option<String>, Query, format = DateTime, description = "Before this time"),
    ),
    responses((status = 200, description = "Events", body = AuditEventListView))
)]
pub(super) async fn list(
    granted: Granted<AuditRead, Exports>,
    query: ListQuery<Audit>,
) -> Result<HttpResponse, Problem> {
    let filter = filter(&query, granted.caller.now)?;
    let (caller, shared) = (&granted.caller, &granted.shared);
    let organization = caller.organization;
    let view = move |event: &AuditEvent| AuditEventView::of(organization, event);
    match granted.format {
        Format::Json => {
            let page = timed(shared, audit_log::list(caller, &shared.state.db, &filter, &query.page)).await?;
            Ok(query.answer(page, view))
        }
        format => {
            let (caller, db) = (caller.clone(), shared.state.db.clone());
            let load = async move |request| audit_log::list(&caller, &db, &filter, &request).await;
            export::rows(format, query.whole()?, load, view).await
        }
    }
}

/// One event.
#[utoipa::path(
    get, path = "/audit-events/{id}", tag = "Audit log", operation_id = "get_audit_event",
    params(("id" = String, Path, description = "Id of the event")),
    responses((status = 200, description = "The event", body = AuditEventView))
)]
pub(super) async fn get(
    granted: Granted<AuditRead>,
    id: EventId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let (caller, shared) = (&granted.caller, &granted.shared);
    let key = id.0.ok_or_else(Problem::not_found)?;
    let found = timed(shared, audit_log::get(caller, &shared.state.db, key)).await?;
    single::read(&conditions.0, VERSION, AuditEventView::of(caller.organization, &found))
}
