//! Who holds a role, and where it comes from: given to the person, to a group that holds them, or by their directory. The
//! union of all sources is effective. A directory hands out the guarded roles only where its connection may.

use super::{Role, RoleSet};
use crate::domain::connection::ConnectionSettings;
use crate::domain::ids::{ConnectionId, ResourceId};

/// Roles that a directory gives, by SCIM `roles` or by membership in its groups, only with the connection setting
/// `may_grant_admin`.
pub const GUARDED: [Role; 2] = [Role::Admin, Role::Billing];

/// Where a role comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleSource {
    /// Given to the person.
    Direct,
    /// Mapped to a group that holds the person, perhaps through groups in between.
    Group {
        /// The mapped group.
        id: ResourceId,
        /// Its name.
        name: String,
    },
    /// A value of SCIM `roles`.
    Directory,
}

impl RoleSource {
    /// Its name in the API.
    pub fn key(&self) -> &'static str {
        match self {
            RoleSource::Direct => "direct",
            RoleSource::Group { .. } => "group",
            RoleSource::Directory => "directory",
        }
    }
}

/// A role with one of its sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldRole {
    /// The role.
    pub role: Role,
    /// Where from.
    pub source: RoleSource,
}

/// The union over all sources.
pub fn effective(held: &[HeldRole]) -> RoleSet {
    held.iter().map(|held| held.role).collect()
}

/// The roles that were given to the person.
pub fn direct(held: &[HeldRole]) -> RoleSet {
    held.iter().filter(|held| held.source == RoleSource::Direct).map(|held| held.role).collect()
}

/// What the connections of an organization mean for roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directories {
    /// Those that hand out the guarded roles too.
    pub granting: Vec<ConnectionId>,
    /// Those whose people are staged, so that they hold no role yet.
    pub staged: Vec<ConnectionId>,
    /// Those that are given up, whose people a job still has to take from them: none of these stays an Admin.
    pub leaving: Vec<ConnectionId>,
}

impl Directories {
    /// Reads each connection's id, state and settings document. A document that cannot be read grants nothing.
    pub fn of<'a>(connections: impl IntoIterator<Item = (ConnectionId, &'a str, &'a str)>) -> Self {
        let mut directories = Directories::default();
        for (id, state, settings) in connections {
            if state == "decommissioned" {
                directories.leaving.push(id);
            }
            if matches!(state, "setup" | "observe") {
                directories.staged.extend([id, id.held()]);
            } else if ConnectionSettings::parse(settings).is_ok_and(|settings| settings.may_grant_admin) {
                directories.granting.extend([id, id.held()]);
            }
        }
        directories
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn all_sources_add_up() {
        let via = RoleSource::Group { id: ResourceId(Uuid::nil()), name: "Sales".to_owned() };
        let held = [
            HeldRole { role: Role::ReadOnly, source: RoleSource::Direct },
            HeldRole { role: Role::Billing, source: via },
            HeldRole { role: Role::Admin, source: RoleSource::Directory },
        ];
        assert_eq!(effective(&held), [Role::Admin, Role::ReadOnly, Role::Billing].into_iter().collect());
        assert_eq!(direct(&held), Role::ReadOnly.into());
        assert_eq!(held.each_ref().map(|held| held.source.key()), ["direct", "group", "directory"]);
        assert_eq!(effective(&[]), RoleSet::NONE);
    }

    /// The statements compare values of SCIM `roles` with these keys.
    #[test]
    fn a_guarded_role_is_named_by_its_key_alone() {
        for role in GUARDED {
            assert_eq!(role.spellings().collect::<Vec<_>>(), [role.key()]);
        }
    }

    #[test]
    fn a_connection_grants_where_its_settings_say_so_and_its_people_are_live() {
        let id = |n| ConnectionId(Uuid::from_u128(n));
        let on = r#"{"may_grant_admin":true}"#;
        let connections = [
            (id(1), "active", "{}"),
            (id(2), "active", on),
            (id(3), "paused", on),
            (id(4), "setup", on),
            (id(5), "observe", "{}"),
            (id(6), "active", "damaged"),
            (id(7), "decommissioned", on),
        ];
        let found = Directories::of(connections);
        let with_held = |ids: &[u128]| ids.iter().flat_map(|n| [id(*n), id(*n).held()]).collect::<Vec<_>>();
        assert_eq!(found.granting, with_held(&[2, 3, 7]));
        assert_eq!((found.staged, found.leaving), (with_held(&[4, 5]), vec![id(7)]));
    }
}
