//! Who acts. Every event names it.

use super::ids::TokenId;

/// The doer of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An identity provider, by its SCIM token.
    ScimToken(TokenId),
    /// The command line or a job.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::ScimToken(id) => write!(f, "scim_token:{id}"),
            Actor::System => f.write_str("system"),
        }
    }
}
