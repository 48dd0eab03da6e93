//! The local hold as it is stored: who keeps a person out, since when and why.

use serde::{Deserialize, Serialize};

/// Who keeps a person out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suspender {
    /// Somebody of the organization.
    Admin,
    /// The directory; that is no hold and stored elsewhere.
    Directory,
    /// An operator of the service.
    Operator,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Who keeps the person out.
    pub by: Suspender,
    /// Since when, µs since 1970 UTC.
    pub at: i64,
    /// What was given as the reason.
    pub reason: Option<String>,
    /// `domain::actor::Actor`, printed.
    pub actor: String,
}

impl Suspender {
    /// Its name in the API.
    pub fn key(self) -> &'static str {
        match self {
            Suspender::Admin => "admin",
            Suspender::Directory => "directory",
            Suspender::Operator => "operator",
        }
    }
}

impl Suspension {
    /// Reads a stored hold; one that cannot be read still keeps the person out, by whom and since when is not known.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Suspension {
            by: Suspender::Operator,
            at: 0,
            reason: None,
            actor: String::new(),
        })
    }

    /// The text to store.
    pub fn print(&self) -> String {
        // Texts and numbers print without failure.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_read_as_it_was_printed() {
        let hold =
            Suspension { by: Suspender::Admin, at: 7, reason: Some("on leave".to_owned()), actor: "system".to_owned() };
        assert_eq!(hold.print(), r#"{"by":"admin","at":7,"reason":"on leave","actor":"system"}"#);
        assert_eq!(Suspension::parse(&hold.print()), hold);
        assert_eq!(Suspension::parse("damaged").by, Suspender::Operator);
    }
}
