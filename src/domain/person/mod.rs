//! A person of an organization: what keeps them in or out, and what may be done to them. The directory's word and the local
//! hold are two things: the hold is never told to the directory, and the directory never lifts it.

mod action;
mod suspension;

pub use action::{Action, Denied, Doer, Policy, allowed_actions, judge};
pub use suspension::{Suspender, Suspension};

use super::ids::ConnectionId;
use super::ownership::Kind;
use super::permission::RoleSet;

/// What is known of a person when something is to be done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Who manages them.
    pub kind: Kind,
    /// Whether they have not joined yet.
    pub is_invited: bool,
    /// Whether a local hold keeps them out.
    pub is_held: bool,
    /// Whether the directory lets them in; true of local people.
    pub is_let_in: bool,
    /// Effective roles.
    pub roles: RoleSet,
    /// Whether the organization has no other Admin who can sign in, and this is one.
    pub is_last_admin: bool,
}

/// What the list of people shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Status {
    Active,
    Invited,
    Suspended,
}

impl Status {
    /// All of them, in the order in which they sort.
    pub const ALL: [Status; 3] = [Status::Active, Status::Invited, Status::Suspended];

    /// Effective access is the directory's yes without a local hold; who has not joined yet has none either. (A suspended
    /// organization shuts everybody out at the door.)
    pub fn of(is_invited: bool, is_held: bool, is_let_in: bool) -> Self {
        match (is_held || !is_let_in, is_invited) {
            (true, _) => Status::Suspended,
            (false, true) => Status::Invited,
            (false, false) => Status::Active,
        }
    }

    /// Its name in the API.
    pub fn key(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Invited => "invited",
            Status::Suspended => "suspended",
        }
    }

    /// The status of that name.
    pub fn parse(key: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.key() == key)
    }
}

/// Who manages a person. `is_managing`: whether the connection that they belong to manages people still; a decommissioned one
/// does not.
pub fn kind(connection: ConnectionId, is_managing: bool, is_let_in: bool, origin: Origin) -> Kind {
    match (connection != ConnectionId::LOCAL && is_managing, is_let_in, origin) {
        (true, false, _) => Kind::ExternalDeactivated,
        (true, true, Origin::Here) => Kind::Adopted,
        (true, true, _) => Kind::ExternalActive,
        (false, _, Origin::Directory) => Kind::Released,
        (false, _, _) => Kind::Local,
    }
}

/// Where a person was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere else.
    Same,
    /// Local, before a directory took them over.
    Here,
    /// Of a directory, before they were released.
    Directory,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hold_and_the_directory_keep_out_each_alone() {
        assert_eq!(Status::of(false, false, true), Status::Active);
        assert_eq!(Status::of(true, false, true), Status::Invited);
        for (invited, held, let_in) in
            [(false, true, true), (false, false, false), (false, true, false), (true, true, true)]
        {
            assert_eq!(Status::of(invited, held, let_in), Status::Suspended);
        }
        for status in Status::ALL {
            assert_eq!(Status::parse(status.key()), Some(status));
        }
    }

    #[test]
    fn a_connection_manages_people_until_it_is_decommissioned() {
        let connection = ConnectionId(Uuid::from_u128(1));
        assert_eq!(kind(connection, true, true, Origin::Same), Kind::ExternalActive);
        assert_eq!(kind(connection, true, false, Origin::Same), Kind::ExternalDeactivated);
        assert_eq!(kind(connection, true, true, Origin::Here), Kind::Adopted);
        assert_eq!(kind(connection, true, false, Origin::Here), Kind::ExternalDeactivated);
        assert_eq!(kind(connection, false, true, Origin::Same), Kind::Local);
        assert_eq!(kind(ConnectionId::LOCAL, true, true, Origin::Same), Kind::Local);
        assert_eq!(kind(ConnectionId::LOCAL, true, true, Origin::Directory), Kind::Released);
    }
}
