//! What an entry says, as people and programs read it: from what is stored of it.

use serde_json::Value;

use super::verdict::target_of;
use crate::domain::changes;
use crate::domain::provisioning::{Answer, Operation, Outcome, explain, redact};
use crate::protocol::compare;
use crate::storage::{LogBodies, LogRecord, keys};

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// What is stored of it.
    pub record: LogRecord,
    /// `User`, `Group`
    pub resource_type: Option<&'static str>,
    /// A sentence for people.
    pub explanation: String,
    /// What changed: `{"field", "from", "to"}` each.
    pub changes: Vec<Value>,
}

/// An entry with its bodies.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeLogEntry {
    /// All but the bodies.
    pub entry: LogEntry,
    /// Of request and answer.
    pub bodies: LogBodies,
}

impl WholeLogEntry {
    /// An entry and its bodies, as stored.
    pub fn of(record: LogRecord, bodies: LogBodies) -> Self {
        WholeLogEntry { entry: record.into(), bodies }
    }
}

impl From<LogRecord> for LogEntry {
    fn from(record: LogRecord) -> Self {
        let resource_type = target_of(&record.path).0;
        let said = record.explanation.clone();
        LogEntry {
            resource_type,
            explanation: said.unwrap_or_else(|| explained(&record, resource_type == Some("Group"))),
            changes: record.detail.as_deref().map(changed).unwrap_or_default(),
            record,
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
