//! Who acts. Every event names it.

use super::ids::{OperatorId, ResourceId, TokenId};

/// The doer of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An identity provider, by its SCIM token.
    ScimToken(TokenId),
    /// A program of the organization, by its API key.
    ApiKey(TokenId),
    /// A person of the organization.
    User(ResourceId),
    /// An operator of the service.
    Operator(OperatorId),
    /// The command line or a job.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::ScimToken(id) => write!(f, "scim_token:{id}"),
            Actor::ApiKey(id) => write!(f, "api_key:{id}"),
            Actor::User(id) => write!(f, "user:{id}"),
            Actor::Operator(id) => write!(f, "operator:{id}"),
            Actor::System => f.write_str("system"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_actor_prints_its_kind_and_id() {
        let id = Uuid::nil();
        for (actor, kind) in [
            (Actor::ScimToken(TokenId(id)), "scim_token"),
            (Actor::ApiKey(TokenId(id)), "api_key"),
            (Actor::User(ResourceId(id)), "user"),
            (Actor::Operator(OperatorId(id)), "operator"),
        ] {
            assert_eq!(actor.to_string(), format!("{kind}:{id}"));
        }
        assert_eq!(Actor::System.to_string(), "system");
    }
}
