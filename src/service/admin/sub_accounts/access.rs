//! Who of the caller's organization reaches a sub-account: its Admins always, others by grant. Nobody holds `admin` there
//! from here.

use super::{PAGE, find, open, two};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::permission::{Permission, Role, RoleSet, check_deed_on, effective};
use crate::domain::sub_account::{check_access, reach_of};
use crate::service::admin::Caller;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::admin::roles::role_keys;
use crate::service::admin::users;
use crate::storage::cold::sub_accounts::{self, AccessRecord};
use crate::storage::cold::{people, roles};
use crate::storage::{Database, Db};

/// Admins that are listed at most; an organization has a few.
const ADMINS: u32 = 1_000;
/// Naming people needs both.
const READS: [Permission; 2] = [Permission::SubAccountsRead, Permission::UsersRead];
const WRITES: [Permission; 2] = [Permission::SubAccountsWrite, Permission::UsersRead];

/// Somebody who reaches a sub-account, by one of two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who, in the caller's organization.
    pub user: ResourceId,
    /// The roles they hold there.
    pub roles: RoleSet,
    /// When and by whom it was granted; `None` for Admins, who need no grant.
    pub granted: Option<(i64, String)>,
}

impl Access {
    fn of(record: AccessRecord) -> Self {
        Access {
            user: record.user,
            roles: RoleSet::parse(&record.roles),
            granted: Some((record.granted_at, record.granted_by)),
        }
    }
}

/// Everybody who reaches it; an Admin to whom it was granted as well stands there twice.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn list(caller: &Caller, db: &Database, id: OrganizationId) -> Result<Vec<Access>> {
    open(caller, db, &READS).await?;
    find(caller, db, id).await?;
    let home = caller.organization;
    let admins = db.active_admins(home, ADMINS).await?.into_iter();
    let as_admin = reach_of(Role::Admin.into());
    let mut all: Vec<Access> = admins.map(|user| Access { user, roles: as_admin, granted: None }).collect();
    let mut last = None;
    loop {
        let page = db.list_sub_account_access(home, id, last, PAGE).await?;
        let Some(end) = page.last() else { return Ok(all) };
        last = Some(end.user);
        all.extend(page.into_iter().map(Access::of));
    }
}

/// Whether a sub-account and a person are there, for a surface that judges this before what it was sent.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn check_target(caller: &Caller, db: &Database, id: OrganizationId, user: ResourceId) -> Result<()> {
    open(caller, db, &WRITES).await?;
    find(caller, db, id).await?;
    if db.people_of_ids(caller.organization, &[user]).await?.is_empty() { Err(Refusal::Missing) } else { Ok(()) }
}

/// Gives somebody of the caller's organization access with exactly these roles.
///
/// # Errors
/// `PermissionDenied`; `Missing` sub-account or person; `ManagedExternally`; `Invalid`; `Guarded` where they would be `admin`
/// there, are the caller, or are an Admin and the caller is none.
pub async fn grant(
    caller: &Caller,
    db: &Database,
    id: OrganizationId,
    user: ResourceId,
    keys: &[String],
) -> Result<Access> {
    open(caller, db, &WRITES).await?;
    let mut errors = Vec::new();
    let given = role_keys(keys, &mut errors);
    if keys.is_empty() {
        errors.push(Invalid::new("/roles", "At least one role is needed; access without one is taken with DELETE."));
    }
    let doer = caller.clone();
    let deed = async move |db: &mut Db<'_>| -> Result<Access> {
        let stored = sub_accounts::find(db, doer.organization, id).await?.ok_or(Refusal::Missing)?;
        let target = roles_at_home(db, doer.organization, user).await?;
        users::check_access(db, &doer, user).await?;
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        check_access(given, doer.user() == Some(user))?;
        check_deed_on(target, doer.roles)?;
        let roles = given.to_string();
        let granted = sub_accounts::grant(db, &two(&doer), doer.organization, &stored, user, &roles).await?;
        Ok(Access::of(granted))
    };
    db.transaction(deed).await
}

/// Takes access from somebody. An Admin keeps it, being one.
///
/// # Errors
/// `PermissionDenied`; `Missing` sub-account, person or grant; `Guarded` as for `grant`.
pub async fn revoke(caller: &Caller, db: &Database, id: OrganizationId, user: ResourceId) -> Result<()> {
    open(caller, db, &WRITES).await?;
    let doer = caller.clone();
    let deed = async move |db: &mut Db<'_>| -> Result<()> {
        let stored = sub_accounts::find(db, doer.organization, id).await?.ok_or(Refusal::Missing)?;
        let target = roles_at_home(db, doer.organization, user).await?;
        check_access(RoleSet::NONE, doer.user() == Some(user))?;
        check_deed_on(target, doer.roles)?;
        Ok(sub_accounts::revoke(db, &two(&doer), doer.organization, &stored, user).await?)
    };
    db.transaction(deed).await
}

/// Effective roles of a person in their organization; `Missing` for who is not there, or not yet because the connection is
/// still being set up.
async fn roles_at_home(db: &mut Db<'_>, home: OrganizationId, user: ResourceId) -> Result<RoleSet> {
    let directories = roles::directories(db, home).await?;
    let person = people::of_ids(db, home, &[user]).await?.pop();
    let person = person.filter(|person| !directories.staged.contains(&person.connection));
    if person.is_none() {
        return Err(Refusal::Missing);
    }
    let held = roles::of_users(db, home, &directories, &[user]).await?;
    Ok(held.get(&user).map_or(RoleSet::NONE, |held| effective(held)))
}
