//! Everything that is stored about one person, for the organization. The document holds their part of the audit log and of the
//! provisioning log, so it is for who may read these.

use super::get;
use crate::domain::ids::ResourceId;
use crate::domain::permission::Permission;
use crate::service::admin::Caller;
use crate::service::admin::error::Result;
use crate::service::person_export::{self, Export};
use crate::storage::Database;

/// Begins the document of a person.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn export(caller: &Caller, db: &Database, id: ResourceId) -> Result<Export> {
    for permission in [Permission::UsersRead, Permission::AuditRead, Permission::ProvisioningLogRead] {
        caller.permitted(permission)?;
    }
    // Whom the organization does not see yet, it does not export.
    get(caller, db, id).await?;
    person_export::begin(db, caller.organization, id, caller.deed()).await
}
