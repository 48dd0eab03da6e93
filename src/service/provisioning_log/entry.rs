//! What an entry says, as people and programs read it: from what is stored of it.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::verdict::target_of;
use crate::domain::changes;
use crate::domain::ids::{ConnectionId, LogEntryId, TokenId};
use crate::domain::provisioning::{Answer, Operation, Outcome, explain, redact};
use crate::protocol::compare;
use crate::storage::{LogBodies, LogRecord, keys};

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
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
    pub resource_type: Option<&'static str>,
    /// Id of the user or group.
    pub resource: Option<Uuid>,
    /// As the identity provider calls it.
    pub external_id: Option<String>,
    /// Who or what it was about, for people.
    pub subject: Option<String>,
    /// `domain::provisioning::Operation`
    pub operation: String,
    /// Of the answer.
    pub status: u16,
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
    /// What changed: `{"field", "from", "to"}` each.
    pub changes: Vec<Value>,
}

/// An entry with its bodies.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeLogEntry {
    /// All but the bodies.
    pub entry: LogEntry,
    /// Of a write, without secrets.
    pub request_body: Option<String>,
    /// Of its answer, without secrets.
    pub response_body: Option<String>,
}

impl WholeLogEntry {
    /// An entry and its bodies, as stored.
    pub fn of(record: LogRecord, bodies: LogBodies) -> Self {
        WholeLogEntry { entry: record.into(), request_body: bodies.request, response_body: bodies.response }
    }
}

impl From<LogRecord> for LogEntry {
    fn from(record: LogRecord) -> Self {
        let resource_type = target_of(&record.path).0;
        let explanation =
            record.explanation.clone().unwrap_or_else(|| explained(&record, resource_type == Some("Group")));
        LogEntry {
            id: record.id,
            at: record.at,
            connection: ConnectionId(record.connection),
            token: record.token.map(TokenId),
            fingerprint: record.fingerprint,
            resource_type,
            method: record.method,
            path: record.path,
            resource: record.resource,
            external_id: record.external_id,
            subject: record.subject,
            operation: record.operation,
            status: record.status,
            outcome: record.outcome,
            scim_type: record.scim_type,
            explanation,
            duration_us: record.duration_us,
            request_id: record.request_id,
            ip: record.ip,
            changes: record.detail.as_deref().map(changed).unwrap_or_default(),
        }
    }
}

/// Of what was not refused: that has its explanation with it.
fn explained(record: &LogRecord, is_group: bool) -> String {
    let answer = Answer {
        operation: Operation::parse(&record.operation).unwrap_or(Operation::Update),
        outcome: Outcome::parse(&record.outcome).unwrap_or(Outcome::NoChange),
        status: record.status,
        scim_type: None,
        detail: None,
        subject: record.subject.as_deref(),
        is_group,
        rejected: None,
    };
    explain(&answer)
}

fn changed(detail: &str) -> Vec<Value> {
    let detail: Value = serde_json::from_str(detail).unwrap_or_default();
    let mut changes = changes::of_detail(&detail);
    changes.iter_mut().for_each(redact);
    changes
}

/// The name under which a subject is found.
pub fn name(subject: &str) -> String {
    keys::bounded(&compare::fold(subject))
}

/// The name of an entry's subject.
pub fn name_of(record: &LogRecord) -> Option<String> {
    record.subject.as_deref().map(name)
}

/// Whether a search asks for one of these names, as a value of its filter.
pub fn searches(path: &str, names: &BTreeSet<String>) -> bool {
    let Some((_, query)) = path.split_once('?') else { return false };
    let query = super::record::plain(query);
    let query = compare::fold(&String::from_utf8_lossy(&query)).into_owned();
    names.iter().any(|name| query.contains(&format!("\"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_names_whom_it_asks_for() {
        let names = BTreeSet::from(["ben@example.org".to_owned()]);
        for (path, expected) in [
            ("/Users?filter=userName%20eq%20%22Ben%40example.org%22", true),
            ("/Users?filter=emails.value+eq+\"ben@example.org\"&count=1", true),
            ("/Users?filter=userName%20eq%20%22uben%40example.org%22", false),
            ("/Users/ben@example.org", false),
        ] {
            assert_eq!(searches(path, &names), expected, "{path}");
        }
    }
}
