//! Roles and what they permit: the one table that the routes' checks, `GET /roles` and the test of every role on every
//! route read. The Admin guard stands here too, because it is about roles only. Who holds which role is stored elsewhere.

mod guard;
mod held;
mod role;

pub use guard::{Guarded, check_change_of_roles, check_deed_on};
pub use held::{Directories, GUARDED, HeldRole, RoleSource, direct, effective};
pub use role::{Role, RoleSet};

/// One thing that a role may permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Permission {
    ProfileSelf,
    OrganizationRead,
    UsersRead,
    GroupsRead,
    RolesRead,
    UsersInvite,
    UsersWrite,
    UsersDelete,
    GroupsWrite,
    SessionsRead,
    SessionsRevoke,
    ConnectionsRead,
    ProvisioningLogRead,
    ConnectionsWrite,
    ScimTokensWrite,
    AdoptionsWrite,
    SecurityRead,
    SecurityWrite,
    ApiKeysRead,
    ApiKeysWrite,
    WebhooksRead,
    WebhooksWrite,
    AuditRead,
    SubAccountsRead,
    SubAccountsWrite,
    BillingRead,
    BillingWrite,
    DataRead,
    DataWrite,
}

/// How far a permission reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Not at all.
    None,
    /// Part of it. Of `organization.read` the name only; of `api_keys.read` and `api_keys.write` one's own keys only.
    Limited,
    /// All of it.
    Full,
}

use Permission as P;
use Reach::{Full as F, Limited as L, None as N};

/// For each permission how far it reaches with each role, in the order of `Role::ALL`: admin, data_admin, read_only,
/// sub_accounts, team_management, billing.
#[rustfmt::skip]
const MATRIX: [(Permission, &str, [Reach; Role::ALL.len()]); 29] = [
    (P::ProfileSelf,         "profile.self",          [F, F, F, F, F, F]),
    (P::OrganizationRead,    "organization.read",     [F, F, F, F, F, L]),
    (P::UsersRead,           "users.read",            [F, F, F, N, F, N]),
    (P::GroupsRead,          "groups.read",           [F, F, F, N, F, N]),
    (P::RolesRead,           "roles.read",            [F, F, F, N, F, N]),
    (P::UsersInvite,         "users.invite",          [F, N, N, N, F, N]),
    (P::UsersWrite,          "users.write",           [F, N, N, N, F, N]),
    (P::UsersDelete,         "users.delete",          [F, N, N, N, N, N]),
    (P::GroupsWrite,         "groups.write",          [F, N, N, N, F, N]),
    (P::SessionsRead,        "sessions.read",         [F, N, F, N, F, N]),
    (P::SessionsRevoke,      "sessions.revoke",       [F, N, N, N, F, N]),
    (P::ConnectionsRead,     "connections.read",      [F, N, F, N, F, N]),
    (P::ProvisioningLogRead, "provisioning_log.read", [F, N, F, N, F, N]),
    (P::ConnectionsWrite,    "connections.write",     [F, N, N, N, N, N]),
    (P::ScimTokensWrite,     "scim_tokens.write",     [F, N, N, N, N, N]),
    (P::AdoptionsWrite,      "adoptions.write",       [F, N, N, N, N, N]),
    (P::SecurityRead,        "security.read",         [F, N, F, N, N, N]),
    (P::SecurityWrite,       "security.write",        [F, N, N, N, N, N]),
    (P::ApiKeysRead,         "api_keys.read",         [F, L, F, N, N, N]),
    (P::ApiKeysWrite,        "api_keys.write",        [F, L, N, N, N, N]),
    (P::WebhooksRead,        "webhooks.read",         [F, F, F, N, N, N]),
    (P::WebhooksWrite,       "webhooks.write",        [F, N, N, N, N, N]),
    (P::AuditRead,           "audit.read",            [F, N, F, N, N, N]),
    (P::SubAccountsRead,     "sub_accounts.read",     [F, N, F, F, N, N]),
    (P::SubAccountsWrite,    "sub_accounts.write",    [F, N, N, F, N, N]),
    (P::BillingRead,         "billing.read",          [F, N, F, N, N, F]),
    (P::BillingWrite,        "billing.write",         [F, N, N, N, N, F]),
    (P::DataRead,            "data.read",             [F, F, F, N, N, N]),
    (P::DataWrite,           "data.write",            [F, F, N, N, N, N]),
];

impl Permission {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Permission> {
        MATRIX.iter().map(|(permission, ..)| *permission)
    }

    /// Its name in the API: `users.read`.
    pub fn key(self) -> &'static str {
        MATRIX.get(self as usize).map_or("", |(_, key, _)| key)
    }
}

/// What somebody may do: the permissions of all their roles together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionSet([Reach; MATRIX.len()]);

impl PermissionSet {
    /// Nothing.
    pub const NONE: PermissionSet = PermissionSet([Reach::None; MATRIX.len()]);

    /// The union over roles: of a permission that several give, the widest reach.
    pub fn of(roles: RoleSet) -> Self {
        let mut set = Self::NONE;
        for (reach, (_, _, row)) in set.0.iter_mut().zip(&MATRIX) {
            let given = Role::ALL.iter().zip(row).filter(|(role, _)| roles.contains(**role)).map(|(_, reach)| *reach);
            *reach = given.max().unwrap_or(Reach::None);
        }
        set
    }

    /// How far a permission reaches.
    pub fn reach(&self, permission: Permission) -> Reach {
        self.0.get(permission as usize).copied().unwrap_or(Reach::None)
    }

    /// Whether a permission is there, if only for a part. A route that serves a part asks `reach` as well.
    pub fn allows(&self, permission: Permission) -> bool {
        self.reach(permission) != Reach::None
    }

    /// Whether all of another set is there, each permission as far.
    pub fn covers(&self, other: &PermissionSet) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own >= other)
    }

    /// What is there, with its reach, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Permission, Reach)> + '_ {
        Permission::all().zip(self.0).filter(|(_, reach)| *reach != Reach::None)
    }
}

/// The roles that permit nothing beyond what a role permits, itself left out.
pub fn roles_within(role: Role) -> impl Iterator<Item = Role> {
    let set = PermissionSet::of(role.into());
    Role::ALL.into_iter().filter(move |other| *other != role && set.covers(&PermissionSet::of((*other).into())))
}

/// The roles that an API key may be given by somebody: all by an Admin, `data_admin` and `read_only` by a Data Admin, none by
/// others.
pub fn roles_for_a_key_by(creator: RoleSet) -> RoleSet {
    if creator.contains(Role::Admin) {
        Role::ALL.into_iter().collect()
    } else if creator.contains(Role::DataAdmin) {
        [Role::DataAdmin, Role::ReadOnly].into_iter().collect()
    } else {
        RoleSet::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_permissions() {
        for (at, (permission, ..)) in MATRIX.iter().enumerate() {
            assert_eq!(*permission as usize, at);
        }
        assert_eq!(P::DataWrite as usize + 1, MATRIX.len());
        let keys: std::collections::BTreeSet<_> = Permission::all().map(Permission::key).collect();
        assert_eq!(keys.len(), MATRIX.len());
    }

    /// The table of the specification, copied: permission, then admin, data_admin, read_only, sub_accounts,
    /// team_management, billing.
    const SPECIFIED: &str = "
        profile.self yes yes yes yes yes yes
        organization.read yes yes yes yes yes part
        users.read yes yes yes - yes -
        groups.read yes yes yes - yes -
        roles.read yes yes yes - yes -
        users.invite yes - - - yes -
        users.write yes - - - yes -
        users.delete yes - - - - -
        groups.write yes - - - yes -
        sessions.read yes - yes - yes -
        sessions.revoke yes - - - yes -
        connections.read yes - yes - yes -
        provisioning_log.read yes - yes - yes -
        connections.write yes - - - - -
        scim_tokens.write yes - - - - -
        adoptions.write yes - - - - -
        security.read yes - yes - - -
        security.write yes - - - - -
        api_keys.read yes part yes - - -
        api_keys.write yes part - - - -
        webhooks.read yes yes yes - - -
        webhooks.write yes - - - - -
        audit.read yes - yes - - -
        sub_accounts.read yes - yes yes - -
        sub_accounts.write yes - - yes - -
        billing.read yes - yes - - yes
        billing.write yes - - - - yes
        data.read yes yes yes - - -
        data.write yes yes - - - -";

    #[test]
    fn each_role_permits_what_is_specified() {
        let lines: Vec<_> = SPECIFIED.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines.len(), MATRIX.len());
        for (permission, line) in Permission::all().zip(lines) {
            let mut words = line.split_whitespace();
            assert_eq!(words.next(), Some(permission.key()));
            for role in Role::ALL {
                let expected = match words.next() {
                    Some("yes") => Reach::Full,
                    Some("part") => Reach::Limited,
                    _ => Reach::None,
                };
                let set = PermissionSet::of(role.into());
                assert_eq!(set.reach(permission), expected, "{permission:?} {role:?}");
                assert_eq!(set.allows(permission), expected != Reach::None);
            }
        }
    }

    #[test]
    fn permissions_of_several_roles_add_up_to_the_widest_reach() {
        let set = PermissionSet::of([Role::Billing, Role::DataAdmin].into_iter().collect());
        assert_eq!(set.reach(P::OrganizationRead), Reach::Full);
        assert_eq!(set.reach(P::ApiKeysRead), Reach::Limited);
        assert!(set.allows(P::BillingWrite) && set.allows(P::DataWrite) && !set.allows(P::UsersWrite));
        let set = PermissionSet::of([Role::ReadOnly, Role::DataAdmin].into_iter().collect());
        assert_eq!(set.reach(P::ApiKeysRead), Reach::Full);
        assert_eq!(PermissionSet::of(RoleSet::NONE), PermissionSet::NONE);
        assert_eq!(PermissionSet::NONE.iter().count(), 0);
        assert_eq!(PermissionSet::of(Role::Admin.into()).iter().count(), MATRIX.len());
    }

    /// An export of a person holds their part of both logs.
    #[test]
    fn who_reads_the_audit_log_reads_the_provisioning_log() {
        for role in Role::ALL {
            let set = PermissionSet::of(role.into());
            assert!(!set.allows(P::AuditRead) || set.allows(P::ProvisioningLogRead), "{role:?}");
        }
    }

    #[test]
    fn only_an_admin_may_all_that_another_role_permits() {
        for role in Role::ALL {
            assert_eq!(roles_within(role).count(), if role == Role::Admin { 5 } else { 0 }, "{role:?}");
        }
    }

    #[test]
    fn a_key_gets_no_role_above_its_creators() {
        assert_eq!(roles_for_a_key_by(Role::Admin.into()).iter().count(), 6);
        let by_data_admin: Vec<_> = roles_for_a_key_by(Role::DataAdmin.into()).iter().collect();
        assert_eq!(by_data_admin, [Role::DataAdmin, Role::ReadOnly]);
        for role in [Role::ReadOnly, Role::SubAccounts, Role::TeamManagement, Role::Billing] {
            assert_eq!(roles_for_a_key_by(role.into()), RoleSet::NONE);
        }
    }
}
