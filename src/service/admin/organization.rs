//! The caller's own organization.

use super::Caller;
use crate::service::{Result, ServiceError};
use crate::storage::{Database, OrganizationRecord};

/// The organization of the caller's credential.
///
/// # Errors
/// `Internal` where it is gone though its credential is not; those of storage.
pub async fn get(caller: &Caller, db: &Database) -> Result<OrganizationRecord> {
    let found = db.find_organization(caller.organization).await?;
    found.ok_or_else(|| ServiceError::Internal(format!("organization {} is gone", caller.organization)))
}
