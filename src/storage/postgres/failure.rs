//! What a failure to connect means to callers.

use tokio_postgres::error::SqlState;

use crate::storage::StorageError;

/// A failure to connect: refusals of this client are `Broken`, everything that may pass by itself is `Busy`.
pub(super) fn connecting(error: &tokio_postgres::Error) -> StorageError {
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
