//! Direct roles of a person. Those from groups and directories are not theirs to change here.

use serde_json::json;

use super::{Subject, User, deed::noted, shown};
use crate::domain::event::EventKind;
use crate::domain::ids::ResourceId;
use crate::domain::permission::{Role, RoleSet, check_change_of_roles, direct};
use crate::domain::person::Action;
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::role_change::guarded;
use crate::service::admin::{Caller, role_keys};
use crate::storage::cold::{people, roles};
use crate::storage::{Database, Db};

/// Gives a person exactly these direct roles.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `ManagedExternally`, `Invalid`, `OwnAccount`, `LastAdmin`.
pub async fn set_roles(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    keys: &[String],
) -> Result<User> {
    let mut errors = Vec::new();
    let wanted = role_keys(keys, &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| within(db, &caller_of, id, expected, &|_| wanted).await;
    match guarded(caller, db, deed).await {
        Err(refused) => Err(noted(caller, db, id, Action::UpdateRoles, refused).await?),
        Ok(()) => shown(caller, db, id).await,
    }
}

/// `next` makes the roles of those that the person has.
pub(super) async fn within(
    db: &mut Db<'_>,
    caller: &Caller,
    id: ResourceId,
    expected: Option<i64>,
    next: &(dyn Fn(RoleSet) -> RoleSet + Sync),
) -> Result<()> {
    let subject = Subject::load(db, caller, id, expected, Action::UpdateRoles).await?;
    let before = direct(&subject.roles);
    let after = next(before);
    check_change_of_roles(before.difference(after), caller.user() == Some(id), caller.roles)?;
    if before == after {
        return Ok(());
    }
    let (organization, deed) = (caller.organization, caller.deed());
    let without = |a: RoleSet, b: RoleSet| a.iter().filter(|role| !b.contains(*role)).collect::<RoleSet>();
    roles::grant(db, &deed, organization, id, without(after, before)).await?;
    roles::revoke(db, organization, id, without(before, after)).await?;
    let account = people::touch_account(db, organization, id, caller.now).await?;
    let keys = |roles: RoleSet| json!({ "roles": roles.iter().map(Role::key).collect::<Vec<_>>() });
    let detail = json!({ "changed": ["roles"], "before": keys(before), "after": keys(after) }).to_string();
    let version = subject.record.version.saturating_add(account);
    let kind = EventKind::UserRolesChanged;
    Ok(people::record_deed(db, &deed, organization, kind, &subject.record, version, &detail).await?)
}
