//! The audit log: the events of an organization, with what people call the doers and the targets.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::Caller;
use super::error::{Refusal, Result};
use super::paging::{Page, PageRequest};
use super::windows::{self, Keep, Loaded, Walk};
use crate::domain::changes;
use crate::domain::event::EventKind;
use crate::domain::ids::OrganizationId;
use crate::domain::permission::Permission;
use crate::domain::provisioning::redact;
use crate::service::cursor::Key;
pub use crate::storage::EventKey;
use crate::storage::cold::held_changes::ALARM;
use crate::storage::{self, Database, EventRecord, Labelled, Window};

/// Times of events that follow each other differ by less, µs: instances' clocks and long transactions.
const DISORDER: i64 = 3_600_000_000;
/// What stands for every operator in the log of an organization.
const OPERATOR: &str = "Service operator";
const SYSTEM: &str = "System";

/// Which events a list holds: of each filter any value, all filters.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// `user`, `user:<id>` or an id.
    pub actors: Vec<String>,
    /// Names of events.
    pub actions: Vec<String>,
    /// Ids.
    pub targets: Vec<String>,
    /// Whether it was refused.
    pub refused: Vec<bool>,
    /// Addresses.
    pub ips: Vec<String>,
    /// µs since 1970, itself included.
    pub from: i64,
    /// µs since 1970, itself excluded.
    pub to: Option<i64>,
}

/// Who did it, or what it was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// `user`, `api_key` …
    pub kind: String,
    /// `None` where it is not for the organization to know.
    pub id: Option<String>,
    /// What people call it, if that is known.
    pub label: Option<String>,
}

/// An event as the log shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its place, which is its id.
    pub key: EventKey,
    /// µs since 1970.
    pub at: i64,
    /// What was done.
    pub action: String,
    /// Who did it.
    pub actor: Party,
    /// What it was done to.
    pub target: Party,
    /// Whether it was refused.
    pub refused: bool,
    /// Code of the refusal.
    pub problem: Option<String>,
    /// Address of the client.
    pub ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Request id.
    pub request_id: String,
    /// What the doer gave as the reason.
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Value>,
    /// In the operator log: the organization that it was done to.
    pub organization: Option<String>,
}

/// The text of an event's place.
pub fn print_key(key: EventKey) -> String {
    match key.transaction {
        0 => key.position.to_string(),
        transaction => format!("{transaction}-{}", key.position),
    }
}

/// The place of an id; `None` for what no event has.
pub fn parse_key(id: &str) -> Option<EventKey> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
    let key = match id.split_once('-') {
        Some((transaction, position)) => EventKey { transaction: number(transaction)?, position: number(position)? },
        None => EventKey { transaction: 0, position: number(id)? },
    };
    (print_key(key) == id).then_some(key)
}

/// A page of events.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(
    caller: &Caller,
    db: &Database,
    filter: &AuditFilter,
    request: &PageRequest,
) -> Result<Page<AuditEvent>> {
    permitted(caller)?;
    let walk = EventWalk { db, organization: caller.organization, filter };
    let Page { rows, next, previous, total } = windows::page(&walk, request).await?;
    let rows = shown(db, caller.organization, rows).await?;
    Ok(Page { rows, next, previous, total })
}

/// One event.
///
/// # Errors
/// `PermissionDenied`, `Missing`; those of storage.
pub async fn get(caller: &Caller, db: &Database, key: EventKey) -> Result<AuditEvent> {
    permitted(caller)?;
    let found = db.find_event(caller.organization, key).await?.ok_or(Refusal::Missing)?;
    let shown = shown(db, caller.organization, vec![found]).await?;
    shown.into_iter().next().ok_or(Refusal::Missing)
}

fn permitted(caller: &Caller) -> Result<()> {
    let needed = Permission::AuditRead;
    if caller.may(needed) { Ok(()) } else { Err(Refusal::PermissionDenied(needed)) }
}

struct EventWalk<'a> {
    db: &'a Database,
    organization: OrganizationId,
    filter: &'a AuditFilter,
}

impl Walk for EventWalk<'_> {
    type Row = EventRecord;
    type Place = EventKey;

    fn place(&self, row: &EventRecord) -> EventKey {
        row.key
    }

    fn end(&self, newest: bool) -> EventKey {
        if newest { EventKey::LAST } else { EventKey::FIRST }
    }

    fn print(&self, place: EventKey) -> Vec<Key> {
        vec![Key::Number(place.transaction), Key::Number(place.position)]
    }

    fn parse(&self, keys: &[Key]) -> Option<EventKey> {
        match keys {
            [Key::Number(transaction), Key::Number(position)] => {
                Some(EventKey { transaction: *transaction, position: *position })
            }
            _ => None,
        }
    }

    async fn load(&self, window: Window<EventKey>) -> storage::Result<Loaded<EventRecord>> {
        let rows = self.db.event_window(self.organization, &window).await?;
        let is_last = rows.len() < window.limit as usize;
        Ok(Loaded { rows, is_last })
    }

    fn keep(&self, row: &EventRecord, backwards: bool) -> Keep {
        let filter = self.filter;
        let to = filter.to.unwrap_or(i64::MAX);
        let ends = if backwards {
            row.at < filter.from.saturating_sub(DISORDER)
        } else {
            row.at >= to.saturating_add(DISORDER)
        };
        if ends {
            return Keep::End;
        }
        let fits = (filter.from..to).contains(&row.at)
            && any(&filter.actors, |wanted| is_actor(&row.actor, wanted))
            && any(&filter.targets, |wanted| *wanted == row.resource.as_hyphenated().to_string())
            && any(&filter.refused, |refused| *refused == is_refused(row))
            && any(&filter.ips, |ip| row.ip.as_ref() == Some(ip))
            && (filter.actions.is_empty() || filter.actions.contains(&action(row)));
        if fits { Keep::Yes } else { Keep::No }
    }
}

fn any<T>(wanted: &[T], value: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(value)
}

/// An organization does not learn which operator it was.
fn is_actor(actor: &str, wanted: &str) -> bool {
    let (kind, id) = actor.split_once(':').unwrap_or((actor, ""));
    let shown = shown_kind(kind);
    if kind == "operator" {
        return wanted == shown;
    }
    wanted == shown || (!id.is_empty() && (wanted == id || wanted.strip_prefix(shown) == Some(&format!(":{id}"))))
}

fn shown_kind(kind: &str) -> &str {
    if kind == "scim_token" { "scim" } else { kind }
}

fn is_refused(event: &EventRecord) -> bool {
    let refusals = [EventKind::DeedRefused as i16, EventKind::ProvisioningRefused as i16];
    event.problem.is_some() || refusals.contains(&event.kind)
}

/// The name of an event; of a refused deed, that of the event it would have left.
fn action(event: &EventRecord) -> String {
    match EventKind::from_number(event.kind) {
        Some(EventKind::DeedRefused) => {
            let detail: Option<Value> = serde_json::from_str(&event.detail).ok();
            let named = detail.as_ref().and_then(|detail| detail.get("action")).and_then(Value::as_str);
            named.unwrap_or(EventKind::DeedRefused.name()).to_owned()
        }
        Some(kind) => kind.name().to_owned(),
        None => format!("event.{}", event.kind),
    }
}

/// The events with their labels.
async fn shown(db: &Database, organization: OrganizationId, events: Vec<EventRecord>) -> Result<Vec<AuditEvent>> {
    let mut wanted = Vec::new();
    for event in &events {
        wanted.extend(doer(&event.actor));
        wanted.extend(aim(event));
    }
    let labels = db.labels(organization, wanted).await?;
    let is_operator_log = organization == OrganizationId::SERVICE;
    Ok(events.into_iter().map(|event| show(event, &labels, is_operator_log)).collect())
}

/// `is_operator_log`: operators may know which of them it was, and where.
fn show(event: EventRecord, labels: &HashMap<(Labelled, Uuid), String>, is_operator_log: bool) -> AuditEvent {
    let action = action(&event);
    let label = |thing: Option<(Labelled, Uuid)>| thing.and_then(|thing| labels.get(&thing).cloned());
    let (kind, id) = event.actor.split_once(':').unwrap_or((&event.actor, ""));
    let actor = match kind {
        "operator" if is_operator_log => {
            Party { kind: kind.to_owned(), id: Some(id.to_owned()), label: label(doer(&event.actor)) }
        }
        "operator" => Party { kind: kind.to_owned(), id: None, label: Some(OPERATOR.to_owned()) },
        "system" => Party { kind: kind.to_owned(), id: None, label: Some(SYSTEM.to_owned()) },
        _ => Party { kind: shown_kind(kind).to_owned(), id: Some(id.to_owned()), label: label(doer(&event.actor)) },
    };
    let target = Party {
        kind: target_kind(&action).to_owned(),
        id: Some(event.resource.as_hyphenated().to_string()),
        label: label(aim(&event)),
    };
    let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let mut changes = changes::of_detail(&detail);
    changes.iter_mut().for_each(redact);
    AuditEvent {
        key: event.key,
        at: event.at,
        refused: is_refused(&event),
        action,
        actor,
        target,
        organization: detail.get("organization").and_then(Value::as_str).filter(|_| is_operator_log).map(str::to_owned),
        problem: event.problem,
        ip: event.ip,
        user_agent: event.user_agent,
        request_id: event.request_id,
        reason: event.reason,
        changes,
    }
}

fn doer(actor: &str) -> Option<(Labelled, Uuid)> {
    let (kind, id) = actor.split_once(':')?;
    let kind = match kind {
        "user" => Labelled::User,
        "api_key" => Labelled::ApiKey,
        "scim_token" => Labelled::ScimToken,
        "operator" => Labelled::Operator,
        _ => return None,
    };
    Some((kind, Uuid::try_parse(id).ok()?))
}

/// What an action is done to, by its name.
fn target_kind(action: &str) -> &str {
    match action.split('.').next().unwrap_or(action) {
        // Invitations, adoptions and what the directory does are about people.
        "invitation" | "adoption" | "provisioning" => "user",
        "security_settings" | "domain" => "organization",
        kind => kind,
    }
}

fn aim(event: &EventRecord) -> Option<(Labelled, Uuid)> {
    let kind = match target_kind(&action(event)) {
        "user" => Labelled::User,
        "group" => Labelled::Group,
        "connection" => Labelled::Connection,
        "scim_token" => Labelled::ScimToken,
        "api_key" => Labelled::ApiKey,
        "organization" => Labelled::Organization,
        "operator" => Labelled::Operator,
        _ => return None,
    };
    // The alarm of the brake is the one event among those about people that is about the connection.
    let kind = if event.detail == ALARM { Labelled::Connection } else { kind };
    Some((kind, event.resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_in_its_one_form() {
        for key in [EventKey { transaction: 0, position: 7 }, EventKey { transaction: 745, position: 1 }] {
            assert_eq!(parse_key(&print_key(key)), Some(key));
        }
        for wrong in ["", "0", "07", "+7", "-7", "7-", "0-7", "7-07", "7-7-7", "x", "99999999999999999999"] {
            assert_eq!(parse_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_actor_is_found_by_kind_and_id() {
        for (actor, wanted, found) in [
            ("user:7", "user", true),
            ("user:7", "user:7", true),
            ("user:7", "7", true),
            ("user:7", "8", false),
            ("user:7", "", false),
            ("scim_token:7", "scim", true),
            ("scim_token:7", "scim:7", true),
            ("operator:7", "operator", true),
            ("operator:7", "7", false),
            ("operator:7", "operator:7", false),
            ("system", "system", true),
            ("system", "", false),
        ] {
            assert_eq!(is_actor(actor, wanted), found, "{actor} {wanted}");
        }
    }
}
