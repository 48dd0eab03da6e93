//! What an entry of the provisioning log says: which operation a request was, what came of it, and why, in the words of
//! whoever administers the identity provider.

mod explanation;
mod operation;
mod redaction;

pub use explanation::{Answer, explain};
pub use operation::{Happened, Request, operation};
pub use redaction::{REDACTED, may_hold_secret, may_quote_secret, redact, redact_text, redacted};

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Create,
    Update,
    Activate,
    Deactivate,
    Delete,
    AddMembers,
    RemoveMembers,
    Read,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 8] = [
        Operation::Create,
        Operation::Update,
        Operation::Activate,
        Operation::Deactivate,
        Operation::Delete,
        Operation::AddMembers,
        Operation::RemoveMembers,
        Operation::Read,
    ];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Activate => "activate",
            Operation::Deactivate => "deactivate",
            Operation::Delete => "delete",
            Operation::AddMembers => "add_members",
            Operation::RemoveMembers => "remove_members",
            Operation::Read => "read",
        }
    }

    /// The operation of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|operation| operation.as_str() == name)
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Outcome {
    Applied,
    NoChange,
    Held,
    Refused,
    RejectedCredential,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 5] =
        [Outcome::Applied, Outcome::NoChange, Outcome::Held, Outcome::Refused, Outcome::RejectedCredential];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::NoChange => "no_change",
            Outcome::Held => "held",
            Outcome::Refused => "refused",
            Outcome::RejectedCredential => "rejected_credential",
        }
    }

    /// The outcome of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Whether what was asked for was not done, or not yet.
    pub fn is_not_done(self) -> bool {
        matches!(self, Outcome::Held | Outcome::Refused | Outcome::RejectedCredential)
    }
}

/// Why a known token opened nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RejectedToken {
    Expired,
    Revoked,
    Decommissioned,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for operation in Operation::ALL {
            assert_eq!(Operation::parse(operation.as_str()), Some(operation));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!((Operation::parse("x"), Outcome::parse("")), (None, None));
    }
}
