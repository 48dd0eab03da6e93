//! Invitations: how long a link lives, what state one is in, what may be sent with it.

/// How long a link can be used, µs.
pub const LIFETIME: i64 = 7 * 24 * 3_600_000_000;
/// A link to one address is made at most this often, µs.
pub const AGAIN_AFTER: i64 = 60_000_000;
/// Addresses of one request.
pub const ADDRESSES: usize = 50;
/// Longest message, in characters.
const MESSAGE: usize = 500;

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// The link can be used.
    Pending,
    /// It can no longer; it may be sent again.
    Expired,
    /// The person joined.
    Accepted,
    /// It was withdrawn.
    Revoked,
}

impl InvitationState {
    /// All of them.
    pub const ALL: [InvitationState; 4] =
        [InvitationState::Pending, InvitationState::Expired, InvitationState::Accepted, InvitationState::Revoked];

    /// The state of what is stored.
    pub fn of(stored: &str, expires_at: i64, now: i64) -> Self {
        match stored {
            "accepted" => InvitationState::Accepted,
            "pending" if now < expires_at => InvitationState::Pending,
            "pending" => InvitationState::Expired,
            _ => InvitationState::Revoked,
        }
    }

    /// Its name in the API.
    pub fn key(self) -> &'static str {
        match self {
            InvitationState::Pending => "pending",
            InvitationState::Expired => "expired",
            InvitationState::Accepted => "accepted",
            InvitationState::Revoked => "revoked",
        }
    }

    /// The state of that name.
    pub fn parse(key: &str) -> Option<Self> {
        InvitationState::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Whether it waits for the person still: it can be sent again or withdrawn.
    pub fn is_open(self) -> bool {
        matches!(self, InvitationState::Pending | InvitationState::Expired)
    }
}

/// Whether a text can go with an invitation.
///
/// # Errors
/// What a message looks like.
pub fn check_message(text: &str) -> Result<(), String> {
    let fine = text.chars().count() <= MESSAGE && !text.chars().any(|c| c.is_control() && c != '\n');
    if fine { Ok(()) } else { Err(format!("A message has at most {MESSAGE} characters, without control characters.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_invitation_expires_on_time() {
        assert_eq!(InvitationState::of("pending", 10, 9), InvitationState::Pending);
        assert_eq!(InvitationState::of("pending", 10, 10), InvitationState::Expired);
        assert_eq!(InvitationState::of("accepted", 10, 11), InvitationState::Accepted);
        assert_eq!(InvitationState::of("revoked", 10, 9), InvitationState::Revoked);
        for state in InvitationState::ALL {
            assert_eq!(InvitationState::parse(state.key()), Some(state));
        }
        assert_eq!(InvitationState::ALL.map(InvitationState::is_open), [true, true, false, false]);
    }

    #[test]
    fn messages_have_bounds() {
        assert_eq!(check_message("Welcome,\nAnn"), Ok(()));
        assert!(check_message("\u{7}").is_err() && check_message(&"x".repeat(501)).is_err());
    }
}
