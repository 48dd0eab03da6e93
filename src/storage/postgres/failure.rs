//! What PostgreSQL's and the pool's errors mean to callers. diesel-async drops the SQLSTATE of most errors, so some are
//! told apart by their English text, which only matters for how a failure is named, never for what was written.

use diesel::result::{DatabaseErrorKind, Error};
use tokio_postgres::error::SqlState;

use crate::storage::db::unique_violation;
use crate::storage::{StorageError, UniqueKey};

/// A failure to connect: refusals of this client are `Broken`, everything that may pass by itself is `Busy`.
pub(super) fn of_connecting(error: &tokio_postgres::Error) -> StorageError {
    let text = match error.as_db_error() {
        Some(db) => format!("PostgreSQL: {}", db.message()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("PostgreSQL: {error}: {cause}"),
            None => format!("PostgreSQL: {error}"),
        },
    };
    let refused = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    if error.code().is_some_and(|code| refused.contains(code)) {
        StorageError::Broken(text)
    } else {
        StorageError::Busy(text)
    }
}

/// A failed statement.
pub(super) fn of_query(error: &Error) -> StorageError {
    if let Some(key) = unique_violation(error).and_then(|name| unique_key(&name)) {
        return StorageError::NotUnique(key);
    }
    match error {
        Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, info) => {
            StorageError::Busy(format!("PostgreSQL: {}", info.message()))
        }
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
            StorageError::Busy(format!("PostgreSQL: {}", info.message()))
        }
        Error::DatabaseError(_, info) if info.message().starts_with("canceling statement due to statement timeout") => {
            StorageError::TooSlow
        }
        Error::DatabaseError(_, info) if is_passing(info.message()) => {
            StorageError::Busy(format!("PostgreSQL: {}", info.message()))
        }
        other => StorageError::Broken(format!("PostgreSQL: {other}")),
    }
}

/// Deadlocks, lock time-outs, a server that stops or starts.
fn is_passing(message: &str) -> bool {
    ["deadlock detected", "canceling statement due to lock timeout", "terminating connection", "the database system is"]
        .iter()
        .any(|start| message.starts_with(start))
}

/// Our name of a unique index.
pub(super) fn unique_key(index: &str) -> Option<UniqueKey> {
    match index {
        "users_user_name_key" => Some(UniqueKey::UserName),
        "groups_unique_key" => Some(UniqueKey::GroupDisplayName),
        "organizations_slug_key" => Some(UniqueKey::OrganizationSlug),
        "connections_organization_name_key" => Some(UniqueKey::ConnectionName),
        _ => None,
    }
}
