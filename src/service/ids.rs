//! The only maker of ids and secrets. Ids are UUID version 7: they sort by creation and cannot be guessed from a
//! client's data. Secrets come from the operating system's generator.

use uuid::Uuid;

use crate::domain::ids::{BlockId, ConnectionId, EventId, OperatorId, OrganizationId, ResourceId, TokenId};
use crate::domain::token::{self, SecretKind};

#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
fn uuid() -> Uuid {
    Uuid::now_v7()
}

/// Id of a new organization.
pub fn organization() -> OrganizationId {
    OrganizationId(uuid())
}

/// Id of a new connection.
pub fn connection() -> ConnectionId {
    ConnectionId(uuid())
}

/// Id of a new credential.
pub fn token() -> TokenId {
    TokenId(uuid())
}

/// Id of a new block.
pub fn block() -> BlockId {
    BlockId(uuid())
}

/// Id of a new operator.
pub fn operator() -> OperatorId {
    OperatorId(uuid())
}

/// Id of a new user or group.
pub fn resource() -> ResourceId {
    ResourceId(uuid())
}

/// Id of an event.
pub fn event() -> EventId {
    EventId(uuid())
}

/// Id of a job.
pub fn job() -> Uuid {
    uuid()
}

/// A new secret: 256 bits of the operating system's generator in the format of `domain::token`. It is shown once.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn secret(kind: SecretKind) -> Result<String, getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(token::format(kind, &random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation() {
        let made: Vec<_> = (0..1_000).map(|_| resource()).collect();
        assert!(made.is_sorted());
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn secrets_are_well_formed_and_differ() {
        let (first, second) = (secret(SecretKind::ScimToken).unwrap(), secret(SecretKind::ScimToken).unwrap());
        assert!(token::is_well_formed(SecretKind::ScimToken, &first));
        assert_ne!(first, second);
    }
}
