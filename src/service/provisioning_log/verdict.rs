//! What came of a request, in the words of the log: the same for an entry and for a replay.

use serde_json::Value;

use crate::domain::changes;
use crate::domain::event::EventKind;
use crate::domain::provisioning::{
    Answer, Happened, Operation, Outcome, RejectedToken, Request, explain, operation, redact,
};

/// A request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// As sent.
    pub method: &'a str,
    /// Path below the base, with or without query string.
    pub target: &'a str,
    /// The body of the request, where it could be read.
    pub body: Option<&'a Value>,
    /// Of the answer.
    pub status: u16,
    /// `scimType` of a refusal.
    pub scim_type: Option<&'a str>,
    /// `detail` of a refusal.
    pub detail: Option<&'a str>,
    /// What it came to.
    pub happened: Option<&'a Happened>,
    /// Who or what it was about.
    pub subject: Option<&'a str>,
    /// Why a known token opened nothing.
    pub rejected: Option<RejectedToken>,
}

/// What the log says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it was for.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub explanation: String,
    /// What changed.
    pub changes: Vec<Value>,
}

/// The type of resource and the id in a target.
pub fn target_of(target: &str) -> (Option<&'static str>, Option<&str>) {
    let path = target.split('?').next().unwrap_or_default();
    let mut segments = path.trim_start_matches('/').split('/');
    let kind = match segments.next() {
        Some("Users") => Some("User"),
        Some("Groups") => Some("Group"),
        _ => None,
    };
    (kind, segments.next().filter(|id| kind.is_some() && !id.is_empty() && *id != ".search"))
}

/// Whether a request only reads.
pub(super) fn reads(method: &str, target: &str) -> bool {
    match method {
        "PUT" | "PATCH" | "DELETE" => false,
        "POST" => is_search(target),
        _ => true,
    }
}

fn is_search(target: &str) -> bool {
    target.split('?').next().is_some_and(|path| path.ends_with("/.search"))
}

impl Judged<'_> {
    /// What the log says.
    pub fn verdict(&self) -> Verdict {
        let detail = self.event();
        let operation = self.operation_by(detail.as_ref());
        let outcome = self.outcome();
        let answer = Answer {
            operation,
            outcome,
            status: self.status,
            scim_type: self.scim_type,
            detail: self.detail,
            subject: self.subject,
            is_group: self.is_group(),
            rejected: self.rejected,
        };
        let mut changes = match (&detail, outcome) {
            (Some(detail), Outcome::Applied | Outcome::Held) => changes::of_detail(detail),
            _ => Vec::new(),
        };
        changes.iter_mut().for_each(redact);
        Verdict { operation, outcome, explanation: explain(&answer), changes }
    }

    fn event(&self) -> Option<Value> {
        self.happened.and_then(|happened| serde_json::from_str(&happened.detail).ok())
    }

    fn is_group(&self) -> bool {
        target_of(self.target).0 == Some("Group")
    }

    fn operation_by(&self, detail: Option<&Value>) -> Operation {
        let (is_search, is_group) = (is_search(self.target), self.is_group());
        operation(Request { method: self.method, is_search, is_group, body: self.body }, detail)
    }

    /// What the request was for.
    pub(super) fn operation(&self) -> Operation {
        // Others are told by the method alone.
        let needs_event = matches!(self.method, "PUT" | "PATCH");
        self.operation_by(if needs_event { self.event() } else { None }.as_ref())
    }

    /// What came of it.
    pub(super) fn outcome(&self) -> Outcome {
        match self.happened {
            _ if self.rejected.is_some() => Outcome::RejectedCredential,
            _ if self.status >= 400 => Outcome::Refused,
            Some(happened) if happened.kind == EventKind::ProvisioningHeld => Outcome::Held,
            Some(happened) if happened.changed => Outcome::Applied,
            _ => Outcome::NoChange,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_type_and_id() {
        for (target, expected, reads_by_post) in [
            ("/Users/7?attributes=id", (Some("User"), Some("7")), false),
            ("/Users", (Some("User"), None), false),
            ("/Groups/", (Some("Group"), None), false),
            ("/Users/.search", (Some("User"), None), true),
            ("/.search?x=/.search", (None, None), true),
            ("/Schemas/urn:x", (None, None), false),
            ("", (None, None), false),
        ] {
            assert_eq!(target_of(target), expected, "{target}");
            assert_eq!(reads("POST", target), reads_by_post, "{target}");
            assert!(reads("GET", target) && !reads("PATCH", target));
        }
    }
}
