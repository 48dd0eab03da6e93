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
    if error.code().is_some_and(|code| refused.contains(code)) || is_untrusted(error) {
        StorageError::Broken(text)
    } else {
        StorageError::Busy(text)
    }
}

/// Whether it was we who refused, because of the server's certificate.
fn is_untrusted(error: &tokio_postgres::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|e| e.downcast_ref::<std::io::Error>());
    let tls = io.and_then(std::io::Error::get_ref).and_then(|e| e.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}
