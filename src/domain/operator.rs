//! Operators of the service: a kind of account of their own, with no path to it from any organization's account.

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperatorRole {
    /// Everything.
    Operator,
    /// Read.
    Support,
}

impl OperatorRole {
    /// All of them.
    pub const ALL: [OperatorRole; 2] = [OperatorRole::Operator, OperatorRole::Support];

    /// Its name in the API and in the database.
    pub fn key(self) -> &'static str {
        match self {
            OperatorRole::Operator => "operator",
            OperatorRole::Support => "support",
        }
    }

    /// The role of that key.
    pub fn parse(key: &str) -> Option<Self> {
        OperatorRole::ALL.into_iter().find(|role| role.key() == key)
    }

    /// Whether deeds are open to it.
    pub fn may_write(self) -> bool {
        self == OperatorRole::Operator
    }
}

/// Bounds of a reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// Whether a text is a reason for a deed.
///
/// # Errors
/// What a reason looks like.
pub fn check_reason(reason: &str) -> Result<(), String> {
    let is_text = !reason.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if is_text && REASON.contains(&reason.trim().chars().count()) {
        return Ok(());
    }
    Err(format!("Say why in {} to {} characters.", REASON.start(), REASON.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_roles_exactly() {
        for role in OperatorRole::ALL {
            assert_eq!(OperatorRole::parse(role.key()), Some(role));
        }
        for other in ["", "Operator", "admin"] {
            assert_eq!(OperatorRole::parse(other), None);
        }
        assert!(OperatorRole::Operator.may_write() && !OperatorRole::Support.may_write());
    }

    #[test]
    fn a_reason_has_ten_to_five_hundred_characters() {
        for (reason, fine) in [
            ("asked by mail".to_owned(), true),
            ("é".repeat(10), true),
            ("é".repeat(500), true),
            ("x".repeat(501), false),
            ("x".repeat(9), false),
            (format!("{:20}", "short"), false),
            (String::new(), false),
            ("with a \u{7} bell".to_owned(), false),
        ] {
            assert_eq!(check_reason(&reason).is_ok(), fine, "{reason:?}");
        }
    }
}
