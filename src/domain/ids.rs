//! Identifier newtypes: UUID version 7, made by the service layer, so that an id of one kind is never taken for another.

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }
    };
}

id!(/// A tenant.
    OrganizationId);
id!(/// A connection of an organization to an identity provider.
    ConnectionId);
id!(/// A credential: SCIM token, API key, operator key.
    TokenId);
id!(/// An operator of the service.
    OperatorId);
id!(/// A user or a group.
    ResourceId);
id!(/// A block that keeps somebody from being created again.
    BlockId);
id!(/// A person's session in a browser.
    SessionId);
id!(/// An event; ours, so that a lost commit can be looked up.
    EventId);

impl OrganizationId {
    /// In place of an organization, for what belongs to none: the operator log, repeats of the operators' requests. No
    /// organization has this id.
    pub const SERVICE: OrganizationId = OrganizationId(Uuid::nil());
}

impl ConnectionId {
    /// In place of a connection, for people and groups that no directory owns: one set of keys serves both kinds. No
    /// connection has this id.
    pub const LOCAL: ConnectionId = ConnectionId(Uuid::nil());
}

impl ResourceId {
    /// Reads the canonical text form; anything else is an id that cannot exist.
    pub fn parse(text: &str) -> Option<Self> {
        // `id` is caseExact (RFC 7643 §3.1): the digits we print are lower case.
        if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        Uuid::try_parse(text).ok().map(ResourceId)
    }
}

/// Whose data an operation may touch: always taken from the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The tenant.
    pub organization: OrganizationId,
    /// The connection whose people and groups are visible.
    pub connection: ConnectionId,
}
