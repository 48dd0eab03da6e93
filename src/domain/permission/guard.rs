//! The Admin guard: only an Admin touches an Admin or the role `admin`, and nobody changes their own roles. It comes on top
//! of the permission that the route asks for.

use super::{Role, RoleSet};

/// Why the guard refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Guarded {
    /// The deed needs the role `admin`.
    #[error("only an Admin may do this to an Admin, or give or take the role Admin")]
    NeedsAdmin,
    /// The deed would change the doer's own roles.
    #[error("nobody changes their own roles")]
    OwnRoles,
    /// The deed would hand out roles that the doer may not.
    #[error("a key gets no role above those of whoever makes it")]
    AboveOwn,
    /// The deed would make a guest an Admin of a sub-account.
    #[error("only the sub-account's own Admins hold the role admin there")]
    AdminOfSubAccount,
}

/// Whether somebody with `roles` may edit, suspend, sign out, delete or bulk-act on somebody with the effective roles
/// `target`.
///
/// # Errors
/// `NeedsAdmin`.
pub fn check_deed_on(target: RoleSet, roles: RoleSet) -> Result<(), Guarded> {
    needs_admin(target, roles)
}

/// Whether somebody with `roles` may do what gives or takes the roles `changed`: direct ones, the role mapping of a group, or
/// membership in a group that is mapped to them. `is_self`: the doer is among those whose roles change.
///
/// # Errors
/// `OwnRoles`, `NeedsAdmin`.
pub fn check_change_of_roles(changed: RoleSet, is_self: bool, roles: RoleSet) -> Result<(), Guarded> {
    if is_self && !changed.is_empty() {
        return Err(Guarded::OwnRoles);
    }
    needs_admin(changed, roles)
}

fn needs_admin(touched: RoleSet, roles: RoleSet) -> Result<(), Guarded> {
    if touched.contains(Role::Admin) && !roles.contains(Role::Admin) {
        return Err(Guarded::NeedsAdmin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_admin_touches_an_admin() {
        for role in Role::ALL {
            let expected = if role == Role::Admin { Ok(()) } else { Err(Guarded::NeedsAdmin) };
            let target = [Role::Admin, Role::Billing].into_iter().collect();
            assert_eq!(check_deed_on(target, role.into()), expected, "{role:?}");
            assert_eq!(check_change_of_roles(Role::Admin.into(), false, role.into()), expected, "{role:?}");
            assert_eq!(check_deed_on(Role::Billing.into(), role.into()), Ok(()));
            assert_eq!(check_deed_on(RoleSet::NONE, role.into()), Ok(()));
            assert_eq!(check_change_of_roles(Role::DataAdmin.into(), false, role.into()), Ok(()));
        }
    }

    #[test]
    fn nobody_changes_their_own_roles() {
        for role in Role::ALL {
            assert_eq!(check_change_of_roles(Role::Billing.into(), true, role.into()), Err(Guarded::OwnRoles));
            assert_eq!(check_change_of_roles(Role::Admin.into(), true, role.into()), Err(Guarded::OwnRoles));
            assert_eq!(check_change_of_roles(RoleSet::NONE, true, role.into()), Ok(()));
        }
    }
}
