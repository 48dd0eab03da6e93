//! The six built-in roles, and sets of them.

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Role {
    Admin,
    DataAdmin,
    ReadOnly,
    SubAccounts,
    TeamManagement,
    Billing,
}

impl Role {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Role; 6] =
        [Role::Admin, Role::DataAdmin, Role::ReadOnly, Role::SubAccounts, Role::TeamManagement, Role::Billing];

    /// Its name in the API, in the database and over SCIM.
    pub fn key(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::DataAdmin => "data_admin",
            Role::ReadOnly => "read_only",
            Role::SubAccounts => "sub_accounts",
            Role::TeamManagement => "team_management",
            Role::Billing => "billing",
        }
    }

    /// The role of that key.
    pub fn parse(key: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.key() == key)
    }

    /// What names it over SCIM, letter case aside: its key, or its name for people.
    pub fn spellings(self) -> impl Iterator<Item = String> {
        let (key, name) = (self.key().to_owned(), self.name().to_lowercase());
        let name = if name == key { None } else { Some(name) };
        std::iter::once(key).chain(name)
    }

    /// The role that a folded value of SCIM `roles` names.
    pub fn of_directory(value: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.spellings().any(|spelling| spelling == value))
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "Admin",
            Role::DataAdmin => "Data Admin",
            Role::ReadOnly => "Read Only",
            Role::SubAccounts => "Sub-accounts",
            Role::TeamManagement => "Team Management",
            Role::Billing => "Billing",
        }
    }

    /// What it is for, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Role::Admin => "Everything, including who else is an Admin.",
            Role::DataAdmin => "Works with the organization's data and has keys of its own for it.",
            Role::ReadOnly => "Sees everything and changes nothing.",
            Role::SubAccounts => "Creates sub-accounts and decides who reaches them.",
            Role::TeamManagement => "Invites people, edits and suspends them, and keeps groups and roles in order.",
            Role::Billing => "Sees and pays the bills.",
        }
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RoleSet(u8);

impl RoleSet {
    /// No role.
    pub const NONE: RoleSet = RoleSet(0);

    /// Whether it holds a role.
    pub fn contains(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Whether it holds no role.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds every role of another set.
    pub fn covers(self, other: RoleSet) -> bool {
        other.0 & !self.0 == 0
    }

    /// The roles of either set.
    #[must_use]
    pub fn union(self, other: RoleSet) -> RoleSet {
        RoleSet(self.0 | other.0)
    }

    /// The roles that one of the sets holds and the other does not.
    #[must_use]
    pub fn difference(self, other: RoleSet) -> RoleSet {
        RoleSet(self.0 ^ other.0)
    }

    /// Adds a role.
    pub fn insert(&mut self, role: Role) {
        self.0 |= bit(role);
    }

    /// Its roles, in the order of `Role::ALL`.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }

    /// Reads a list of keys, as stored: separated by commas. Keys that this version does not know are left out.
    pub fn parse(list: &str) -> Self {
        list.split(',').filter_map(Role::parse).collect()
    }
}

fn bit(role: Role) -> u8 {
    1 << (role as u8)
}

impl From<Role> for RoleSet {
    fn from(role: Role) -> Self {
        RoleSet(bit(role))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(RoleSet::NONE, |set, role| RoleSet(set.0 | bit(role)))
    }
}

/// Keys separated by commas, as stored.
impl std::fmt::Display for RoleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, role) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(role.key())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_roles_exactly() {
        let keys = Role::ALL.map(Role::key);
        assert_eq!(keys, ["admin", "data_admin", "read_only", "sub_accounts", "team_management", "billing"]);
        for role in Role::ALL {
            assert_eq!(Role::parse(role.key()), Some(role));
        }
        for other in ["", "Admin", "owner", "admin ", "data-admin"] {
            assert_eq!(Role::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_directory_names_a_role_by_key_or_name() {
        for (value, role) in [
            ("admin", Some(Role::Admin)),
            ("data_admin", Some(Role::DataAdmin)),
            ("data admin", Some(Role::DataAdmin)),
            ("sub_accounts", Some(Role::SubAccounts)),
            ("sub-accounts", Some(Role::SubAccounts)),
            ("owner", None),
            ("", None),
        ] {
            assert_eq!(Role::of_directory(value), role, "{value}");
        }
        assert_eq!(Role::Admin.spellings().collect::<Vec<_>>(), ["admin"]);
        assert_eq!(Role::ReadOnly.spellings().collect::<Vec<_>>(), ["read_only", "read only"]);
    }

    #[test]
    fn sets_print_and_read_back_in_one_order() {
        let set: RoleSet = [Role::Billing, Role::Admin, Role::Billing].into_iter().collect();
        assert_eq!(set.to_string(), "admin,billing");
        assert_eq!(RoleSet::parse("admin,billing"), set);
        assert_eq!(RoleSet::parse("billing,of a later version,admin"), set);
        assert_eq!(RoleSet::parse(""), RoleSet::NONE);
        assert_eq!(format!("{set:?}"), "{Admin, Billing}");
        assert!(RoleSet::NONE.is_empty() && !set.is_empty());
    }

    #[test]
    fn sets_compare_role_by_role() {
        let both: RoleSet = [Role::Admin, Role::ReadOnly].into_iter().collect();
        let one = RoleSet::from(Role::Admin);
        assert!(both.covers(one) && !one.covers(both) && one.covers(RoleSet::NONE));
        assert_eq!(both.difference(one), Role::ReadOnly.into());
        assert_eq!(one.union(Role::ReadOnly.into()), both);
        let mut grown = one;
        grown.insert(Role::ReadOnly);
        assert_eq!(grown, both);
    }
}
