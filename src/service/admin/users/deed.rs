//! What all deeds on a person share: the look before the body is read, and the record of what was refused.

use super::{Setting, doer, facts, refusal, shown};
use crate::domain::event::EventKind;
use crate::domain::ids::ResourceId;
use crate::domain::person::{Action, judge};
use crate::service::admin::Caller;
use crate::service::admin::error::{Refusal, Result};
use crate::service::scim::resources::Conditions;
use crate::storage::{Database, RefusedDeed};

/// Judges, before the body is, existence, the client's conditions and whether the person's directory or the Admin guard stand
/// against the action (404, 412, 403 in that order). What the person's state has against it is said after the body. Answers
/// the version that the deed must find, where the client insists on one.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `ManagedExternally`.
pub async fn open(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    action: Action,
) -> Result<Option<i64>> {
    let setting = Setting::read(db, caller.organization).await?;
    if action == Action::Release && !setting.policy.tenant_release {
        return Err(Refusal::Missing);
    }
    let user = shown(caller, db, id).await?;
    conditions.check(user.version()).map_err(|_| Refusal::Stale)?;
    let admins = db.active_admins(caller.organization, 2).await?;
    let person = facts(&setting, &user.record, &user.roles, &admins);
    match judge(action, &person, &doer(caller, id), setting.policy) {
        Err(denied) if !denied.is_conflict() => {
            let refused = refusal(&setting, &user.record, action, denied);
            Err(noted(caller, db, id, action, refused).await?)
        }
        _ => Ok(conditions.if_match.is_some().then_some(user.version())),
    }
}

/// Writes the event of a refusal that matters to the organization, in a transaction of its own, and gives it back.
pub(super) async fn noted(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    action: Action,
    refused: Refusal,
) -> Result<Refusal> {
    let problem = match (&refused, action) {
        (Refusal::ManagedExternally(_), Action::Delete | Action::Release) => "managed-externally",
        (Refusal::Guarded(_), _) => "permission-denied",
        _ => return Ok(refused),
    };
    let kind = match action {
        Action::Update => EventKind::UserChanged,
        Action::UpdateRoles => EventKind::UserRolesChanged,
        Action::Suspend => EventKind::UserSuspended,
        Action::Unsuspend => EventKind::UserUnsuspended,
        Action::Delete => EventKind::UserDeleted,
        Action::Release => EventKind::UserReleased,
    };
    let connection = match &refused {
        Refusal::ManagedExternally(managed) => Some(managed.connection),
        _ => None,
    };
    let (organization, problem) = (caller.organization, problem.to_owned());
    let event = RefusedDeed { organization, connection, kind, resource: id.0, problem };
    db.record_refusal(caller.deed(), event).await?;
    Ok(refused)
}
