//! Sub-accounts: organizations below another one. Each is a tenant of its own, so that no credential of the parent opens it.
//! People of the parent reach it as guests, with roles among which `admin` never is: that one is held by the sub-account's
//! own Admins only.

use super::permission::{Guarded, Role, RoleSet};

/// The roles with which somebody of the parent reaches a sub-account for what they are there: an Admin with all that a guest
/// may hold, whoever made it with their own.
pub fn reach_of(roles: RoleSet) -> RoleSet {
    let as_guest = |roles: RoleSet| roles.iter().filter(|role| *role != Role::Admin).collect();
    if roles.contains(Role::Admin) { as_guest(Role::ALL.into_iter().collect()) } else { as_guest(roles) }
}

/// Whether somebody may give or take access with these roles. `is_self`: it would be their own.
///
/// # Errors
/// `OwnRoles`, `AdminOfSubAccount`.
pub fn check_access(roles: RoleSet, is_self: bool) -> Result<(), Guarded> {
    if is_self {
        return Err(Guarded::OwnRoles);
    }
    if roles.contains(Role::Admin) {
        return Err(Guarded::AdminOfSubAccount);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_no_admin() {
        for role in Role::ALL {
            let reach = reach_of(role.into());
            assert!(!reach.contains(Role::Admin), "{role:?}");
            assert_eq!(reach.iter().count(), if role == Role::Admin { 5 } else { 1 }, "{role:?}");
            let expected = if role == Role::Admin { Err(Guarded::AdminOfSubAccount) } else { Ok(()) };
            assert_eq!(check_access(role.into(), false), expected);
            assert_eq!(check_access(role.into(), true), Err(Guarded::OwnRoles));
        }
    }
}
