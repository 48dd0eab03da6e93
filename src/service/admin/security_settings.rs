//! Security settings of the organization: who gives roles to people whom a directory manages, and the protected Admin, the way
//! back in where a directory fails. No directory adopts the protected Admin. The protection stays with the person, whatever
//! becomes of their roles or of a hold, until it is given to another one or the person is deleted.

use serde_json::{Map, Value, json};

use super::Caller;
use super::error::{Invalid, Refusal, Result};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::permission::{Permission, Role, effective};
use crate::domain::person::Status;
pub use crate::domain::security_settings::RolesForManagedUsers;
use crate::service::ServiceError;
use crate::storage::cold::security_settings::{self, SecurityRecord};
use crate::storage::cold::{people, roles};
use crate::storage::{Database, Db};

/// What is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecuritySettings {
    /// Who gives roles to people whom a directory manages.
    pub roles_for_managed_users: RolesForManagedUsers,
    /// The Admin whom no directory adopts.
    pub protected_admin: Option<ResourceId>,
    /// The organization's version.
    pub version: i64,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct PatchSecuritySettings {
    pub roles_for_managed_users: Option<RolesForManagedUsers>,
    /// An id; `Some(None)` protects nobody any more.
    pub protected_admin: Option<Option<String>>,
}

impl SecuritySettings {
    fn of(record: &SecurityRecord) -> Self {
        SecuritySettings {
            roles_for_managed_users: RolesForManagedUsers::of_document(&record.settings),
            protected_admin: record.protected,
            version: record.version,
        }
    }
}

/// The settings of the caller's organization.
///
/// # Errors
/// `PermissionDenied`.
pub async fn get(caller: &Caller, db: &Database) -> Result<SecuritySettings> {
    caller.permitted(Permission::SecurityRead)?;
    Ok(SecuritySettings::of(&db.load_security_settings(caller.organization).await?))
}

/// Changes them.
///
/// # Errors
/// `PermissionDenied`, `Stale`; `Invalid` for who is no active Admin whom no directory manages.
pub async fn patch(
    caller: &Caller,
    db: &Database,
    expected: Option<i64>,
    patch: PatchSecuritySettings,
) -> Result<SecuritySettings> {
    caller.permitted(Permission::SecurityWrite)?;
    let caller = caller.clone();
    db.transaction(async move |db: &mut Db<'_>| patch_within(db, &caller, expected, &patch).await).await
}

async fn patch_within(
    db: &mut Db<'_>,
    caller: &Caller,
    expected: Option<i64>,
    patch: &PatchSecuritySettings,
) -> Result<SecuritySettings> {
    let organization = caller.organization;
    // Neither these settings nor who is an Admin changes before the end.
    roles::lock_admins(db, organization).await?;
    let read = security_settings::load(db, organization).await?;
    if expected.is_some_and(|expected| expected != read.version) {
        return Err(Refusal::Stale);
    }
    let before = SecuritySettings::of(&read);
    let mut after = before;
    if let Some(choice) = patch.roles_for_managed_users {
        after.roles_for_managed_users = choice;
    }
    if let Some(asked) = &patch.protected_admin {
        after.protected_admin = protected(db, organization, &before, asked.as_deref()).await?;
    }
    let Some(detail) = difference(&before, &after) else { return Ok(before) };
    if before.protected_admin != after.protected_admin {
        security_settings::protect(db, caller.now, organization, after.protected_admin).await?;
    }
    let damaged = |error| ServiceError::Internal(format!("settings of organization {organization}: {error}"));
    let settings = after.roles_for_managed_users.into_document(&read.settings).map_err(damaged)?;
    let version = security_settings::update(db, &caller.deed(), organization, &read, &settings, &detail).await?;
    Ok(SecuritySettings { version, ..after })
}

/// The person whom to protect. Who is protected already is not judged again, so that what was read can be sent back.
async fn protected(
    db: &mut Db<'_>,
    organization: OrganizationId,
    before: &SecuritySettings,
    asked: Option<&str>,
) -> Result<Option<ResourceId>> {
    let Some(asked) = asked else { return Ok(None) };
    match ResourceId::parse(asked) {
        Some(id) if before.protected_admin == Some(id) || is_local_admin(db, organization, id).await? => Ok(Some(id)),
        _ => {
            let detail = "This must be the id of an active person with the role admin whom no directory manages.";
            Err(Refusal::Invalid(vec![Invalid::new("/protected_admin", detail)]))
        }
    }
}

/// Whether a person is an Admin who can sign in and is the organization's own; they stay so to the end of the transaction.
/// People of a connection that is given up are not its own yet: a job deletes or releases them.
async fn is_local_admin(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<bool> {
    let Some(person) = people::lock(db, organization, id).await? else { return Ok(false) };
    let status = Status::of(person.invited, person.suspension.is_some(), person.access);
    if person.connection != ConnectionId::LOCAL || status != Status::Active {
        return Ok(false);
    }
    let directories = roles::directories(db, organization).await?;
    let held = roles::of_users(db, organization, &directories, &[id]).await?;
    Ok(held.get(&id).is_some_and(|held| effective(held).contains(Role::Admin)))
}

/// The event's detail; `None` where nothing differs.
fn difference(before: &SecuritySettings, after: &SecuritySettings) -> Option<String> {
    let members = |settings: &SecuritySettings| {
        [
            ("roles_for_managed_users", Value::from(settings.roles_for_managed_users.key())),
            ("protected_admin", json!(settings.protected_admin.map(|id| id.to_string()))),
        ]
    };
    let (mut old, mut new) = (Map::new(), Map::new());
    for ((name, was), (_, is)) in members(before).into_iter().zip(members(after)).filter(|(was, is)| was != is) {
        old.insert(name.to_owned(), was);
        new.insert(name.to_owned(), is);
    }
    let changed: Vec<&String> = new.keys().collect();
    (!changed.is_empty()).then(|| json!({ "changed": changed, "before": old, "after": new }).to_string())
}
