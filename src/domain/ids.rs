//! Identifier newtypes: UUID version 7, made by the service layer, so that an id of one kind is never taken for another.

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
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
id!(/// An entry of the provisioning log: its time is in front, so that ids are in the order of time.
    LogEntryId);

impl OrganizationId {
    /// In place of an organization, for what belongs to none: the operator log, repeats of the operators' requests. No
    /// organization has this id.
    pub const SERVICE: OrganizationId = OrganizationId(Uuid::nil());
}

impl ConnectionId {
    /// In place of a connection, for people and groups that no directory owns: one set of keys serves both kinds. No
    /// connection has this id.
    pub const LOCAL: ConnectionId = ConnectionId(Uuid::nil());

    /// The first bit of an id, which is part of a time that no id has for the next millennia.
    const HELD: u128 = 1 << 127;

    /// In place of this connection for people whom its directory deleted while the brake holds that back: over SCIM nobody
    /// sees them there, and everything else of them stays.
    #[must_use]
    pub fn held(self) -> ConnectionId {
        ConnectionId(Uuid::from_u128(self.0.as_u128() | Self::HELD))
    }

    /// Whether it is the `held` of a connection.
    pub fn is_held(self) -> bool {
        self.0.as_u128() & Self::HELD != 0
    }

    /// The connection itself, where this may be its `held`.
    #[must_use]
    pub fn owner(self) -> ConnectionId {
        ConnectionId(Uuid::from_u128(self.0.as_u128() & !Self::HELD))
    }
}

impl LogEntryId {
    /// The id of an entry of a time (µs since 1970). Those of one µs differ by 62 bits of `tail`, in its order; with 0 it is
    /// the first that the time can have.
    pub fn at(at: i64, tail: u64) -> Self {
        // Of a time too far for 48 bits of milliseconds: the last that there is.
        let at = u64::try_from(at).unwrap_or(0).min((1 << 48) * 1000 - 1);
        // A UUID version 7 (RFC 9562 §5.7), whose 12 bits behind the milliseconds hold the rest of the time.
        let (millis, rest) = (u128::from(at / 1000), u128::from(at % 1000));
        let tail = u128::from(tail & (u64::MAX >> 2));
        LogEntryId(Uuid::from_u128(millis << 80 | 7 << 76 | rest << 64 | 2 << 62 | tail))
    }

    /// The time of its entry, in µs since 1970.
    pub fn time(self) -> i64 {
        let id = self.0.as_u128();
        let (millis, rest) = ((id >> 80) as i64, (id >> 64 & 0xfff) as i64);
        millis * 1000 + rest
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_the_log_sort_by_time_and_are_uuids() {
        let at = 1_700_000_000_123_456;
        let ids = [
            LogEntryId::at(at - 1, u64::MAX),
            LogEntryId::at(at, 0),
            LogEntryId::at(at, 1),
            LogEntryId::at(at, u64::MAX),
            LogEntryId::at(at + 1, 0),
            LogEntryId::at(at + 1_000, 0),
        ];
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.0.get_version_num() == 7 && id.0.get_variant() == uuid::Variant::RFC4122));
        assert_eq!(LogEntryId::at(-5, 0), LogEntryId::at(0, 0));
        assert!(LogEntryId::at(i64::MAX, 0) > LogEntryId::at(i64::MAX / 50, 0));
    }
}
