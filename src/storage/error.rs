//! What storage can answer instead of a result. `unique_violation` maps both backends' words to our key names.

use diesel::result::{DatabaseErrorKind, Error};

use crate::domain::ids::ResourceId;

/// The unique key that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueKey {
    /// `userName` in the organization.
    UserName,
    /// A group's `displayName` in the organization.
    GroupDisplayName,
    /// An organization's slug.
    OrganizationSlug,
    /// A connection's name in its organization.
    ConnectionName,
}

/// A refusal or failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A unique key is taken.
    #[error("{0:?} is taken")]
    NotUnique(UniqueKey),
    /// The stored version is not the expected one.
    #[error("stale version")]
    Stale,
    /// The target does not exist in this scope.
    #[error("missing")]
    Missing,
    /// Members that do not exist in this scope.
    #[error("{} members are missing", .0.len())]
    MissingMembers(Vec<ResourceId>),
    /// Locked, no connection in time, or the database is away: repeat later.
    #[error("busy: {0}")]
    Busy(String),
    /// The query's deadline passed.
    #[error("the query took too long")]
    TooSlow,
    /// Anything else, with its cause for the log.
    #[error("{0}")]
    Broken(String),
}

/// Result of storage.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

impl StorageError {
    /// Whether the database was away or locked, so that the same write may succeed later.
    pub fn is_busy(&self) -> bool {
        matches!(self, StorageError::Busy(_))
    }
}

impl UniqueKey {
    /// By the name of the constraint or index, as `unique_violation` gives it.
    fn from_constraint(name: &str) -> Option<Self> {
        Some(match name {
            "users_user_name_key" | "users_organization_user_name_key_key" => UniqueKey::UserName,
            "groups_unique_key" | "groups_organization_unique_key_key" => UniqueKey::GroupDisplayName,
            "organizations_slug_key" => UniqueKey::OrganizationSlug,
            "connections_organization_name_key" => UniqueKey::ConnectionName,
            _ => return None,
        })
    }
}

impl From<Error> for StorageError {
    fn from(e: Error) -> Self {
        if let Some(key) = unique_violation(&e).as_deref().and_then(UniqueKey::from_constraint) {
            return StorageError::NotUnique(key);
        }
        match &e {
            Error::NotFound => StorageError::Missing,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure,
                info,
            ) => StorageError::Busy(info.message().to_owned()),
            Error::DatabaseError(_, info) => from_message(info.message()).unwrap_or_else(|| broken(&e)),
            _ => broken(&e),
        }
    }
}

fn broken(e: &Error) -> StorageError {
    StorageError::Broken(e.to_string())
}

/// Neither backend gives diesel a code for these, so the words decide.
fn from_message(message: &str) -> Option<StorageError> {
    const TOO_SLOW: [&str; 3] = ["interrupted", "canceling statement due to statement timeout", "deadline passed"];
    const BUSY: [&str; 6] = [
        "database is locked",
        "database table is locked",
        "deadlock detected",
        "canceling statement due to lock timeout",
        "the database system is",
        "terminating connection",
    ];
    if TOO_SLOW.iter().any(|words| message.contains(words)) {
        return Some(StorageError::TooSlow);
    }
    BUSY.iter().any(|words| message.contains(words)).then(|| StorageError::Busy(message.to_owned()))
}

/// Name of the violated unique constraint, in PostgreSQL's default spelling on both backends.
/// SQLite says "UNIQUE constraint failed: t.a, t.b" (or "index 'name'"): `t_a_b_key`.
pub(crate) fn unique_violation(e: &Error) -> Option<String> {
    let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = e else { return None };
    if let Some(name) = info.constraint_name() {
        return Some(name.to_owned());
    }
    let columns = info.message().strip_prefix("UNIQUE constraint failed: ")?;
    if let Some(index) = columns.strip_prefix("index '") {
        return Some(index.trim_end_matches('\'').to_owned());
    }
    let mut out = String::new();
    for (n, column) in columns.split(", ").enumerate() {
        let (table, name) = column.split_once('.')?;
        if n == 0 {
            out.push_str(table);
        }
        out.push('_');
        out.push_str(name);
    }
    Some(out + "_key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: DatabaseErrorKind, message: &str) -> Error {
        Error::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn unique_violations_name_our_keys() {
        for (message, key) in [
            ("UNIQUE constraint failed: organizations.slug", Some(UniqueKey::OrganizationSlug)),
            ("UNIQUE constraint failed: connections.organization, connections.name", Some(UniqueKey::ConnectionName)),
            ("UNIQUE constraint failed: users.organization, users.user_name_key", Some(UniqueKey::UserName)),
            ("UNIQUE constraint failed: groups.organization, groups.unique_key", Some(UniqueKey::GroupDisplayName)),
            ("UNIQUE constraint failed: index 'users_user_name_key'", Some(UniqueKey::UserName)),
            ("UNIQUE constraint failed: scim_tokens.hash", None),
        ] {
            let error = StorageError::from(failure(DatabaseErrorKind::UniqueViolation, message));
            match (error, key) {
                (StorageError::NotUnique(found), Some(key)) => assert_eq!(found, key, "{message}"),
                (StorageError::Broken(_), None) => {}
                (other, _) => panic!("{message}: {other:?}"),
            }
        }
    }

    #[test]
    fn messages_tell_busy_slow_and_broken_apart() {
        let of = |message| StorageError::from(failure(DatabaseErrorKind::Unknown, message));
        assert!(of("database is locked").is_busy());
        assert!(of("deadlock detected").is_busy());
        assert!(matches!(of("canceling statement due to statement timeout"), StorageError::TooSlow));
        assert!(matches!(of("database or disk is full"), StorageError::Broken(_)));
        assert!(matches!(StorageError::from(Error::NotFound), StorageError::Missing));
    }
}
