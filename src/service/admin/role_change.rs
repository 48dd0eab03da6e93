//! Deeds that may change who holds which role: done between two looks at the organization's Admins, in one transaction. It
//! is the outcome that is judged, so that no way around exists: a mapping, a membership, a group or a person that goes.

use super::Caller;
use super::error::{Refusal, Result};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::permission::{Directories, Guarded, RoleSet, effective};
use crate::storage::cold::roles;
use crate::storage::{Database, Db};

/// Does `deed` unless it leaves an organization that had an Admin who can sign in without one, or changes the roles of the
/// caller. What it did is undone then.
///
/// # Errors
/// Those of the deed; `LastAdmin`, `Guarded(OwnRoles)`.
pub async fn guarded<T, F>(caller: &Caller, db: &Database, deed: F) -> Result<T>
where
    F: AsyncFnOnce(&mut Db<'_>) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let caller = caller.clone();
    db.transaction(async move |db: &mut Db<'_>| guarded_within(db, &caller, deed).await).await
}

/// The same inside a transaction, which must be undone where it refuses.
///
/// # Errors
/// As `guarded`.
pub(super) async fn guarded_within<T>(
    db: &mut Db<'_>,
    caller: &Caller,
    deed: impl AsyncFnOnce(&mut Db<'_>) -> Result<T>,
) -> Result<T> {
    let (organization, doer) = (caller.organization, caller.user());
    roles::lock_admins(db, organization).await?;
    let directories = roles::directories(db, organization).await?;
    let had_admin = has_admin(db, organization, &directories).await?;
    let before = roles_of(db, organization, &directories, doer).await?;
    let done = deed(db).await?;
    // What the directories may say can be what the deed changed.
    let directories = roles::directories(db, organization).await?;
    if had_admin && !has_admin(db, organization, &directories).await? {
        return Err(Refusal::LastAdmin);
    }
    if roles_of(db, organization, &directories, doer).await? != before {
        return Err(Refusal::Guarded(Guarded::OwnRoles));
    }
    Ok(done)
}

async fn has_admin(db: &mut Db<'_>, organization: OrganizationId, directories: &Directories) -> Result<bool> {
    Ok(!roles::active_admins(db, organization, directories, 1).await?.is_empty())
}

/// Effective roles of a person; a key's do not hang on anybody's.
async fn roles_of(
    db: &mut Db<'_>,
    organization: OrganizationId,
    directories: &Directories,
    user: Option<ResourceId>,
) -> Result<RoleSet> {
    let Some(user) = user else { return Ok(RoleSet::NONE) };
    let held = roles::of_users(db, organization, directories, &[user]).await?;
    Ok(held.get(&user).map_or(RoleSet::NONE, |held| effective(held)))
}
