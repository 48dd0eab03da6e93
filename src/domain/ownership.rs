//! Who may do what to a person, by who manages them: the matrix as data. It says nothing about roles (`permission` does) nor
//! about the state of the organization; a rule names the setting it hangs on.

/// Who manages a person, and how that came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Invited, imported or made here.
    Local,
    /// Provisioned by a directory that lists them as active.
    ExternalActive,
    /// Provisioned by a directory that has deactivated them.
    ExternalDeactivated,
    /// Local once, taken over by a directory.
    Adopted,
    /// Of a directory once, local now.
    Released,
}

/// Where a deed comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The organization's people and programs, one person at a time.
    Api,
    /// The same, many at once.
    Bulk,
    /// The directory that manages the person, where one does; any directory otherwise.
    Scim,
    /// An operator of the service.
    Operator,
}

/// What is done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The person goes.
    Delete,
    /// Name, e-mail, user name, phone, job fields.
    EditIdentity,
    /// Locale, time zone, notes.
    EditPreferences,
    /// Roles given to the person.
    EditRoles,
    /// Membership in groups made here.
    EditLocalGroups,
    /// Membership in groups of the directory.
    EditDirectoryGroups,
    /// Password and second factor.
    ResetCredentials,
    /// The local hold: set it, lift it.
    Hold,
    /// Letting in whom the directory keeps out.
    LiftDirectorySuspension,
    /// Ending sessions.
    EndSessions,
    /// From the directory to local.
    Release,
}

/// Whether it may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It may.
    Yes,
    /// The directory's business: 403 `managed-externally`.
    Managed,
    /// As the organization's `roles_for_managed_users` says: `Managed` with `directory_only`.
    UnlessDirectoryOnly,
    /// Where the operator switched on the feature `tenant_release`; else there is no such thing.
    TenantRelease,
    /// There is no such thing here.
    None,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] =
        [Kind::Local, Kind::ExternalActive, Kind::ExternalDeactivated, Kind::Adopted, Kind::Released];

    /// Whether a directory manages the person.
    pub fn is_external(self) -> bool {
        matches!(self, Kind::ExternalActive | Kind::ExternalDeactivated | Kind::Adopted)
    }
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 4] = [Way::Api, Way::Bulk, Way::Scim, Way::Operator];
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 11] = [
        Operation::Delete,
        Operation::EditIdentity,
        Operation::EditPreferences,
        Operation::EditRoles,
        Operation::EditLocalGroups,
        Operation::EditDirectoryGroups,
        Operation::ResetCredentials,
        Operation::Hold,
        Operation::LiftDirectorySuspension,
        Operation::EndSessions,
        Operation::Release,
    ];
}

use Operation as O;
use Rule::{Managed as M, None as N, TenantRelease as T, UnlessDirectoryOnly as U, Yes as Y};

/// Rules of the five kinds, in the order of `Kind::ALL`: local, external active, external deactivated, adopted, released.
type Row = [Rule; Kind::ALL.len()];

/// For each operation the rules by way: API and bulk alike, SCIM, operator. A directory sees whom it manages only, and a
/// person who is not its own is not there for it.
#[rustfmt::skip]
const MATRIX: [(Operation, Row, Row, Row); Operation::ALL.len()] = [
    //                            API and bulk     SCIM             operator
    (O::Delete,                  [Y, M, M, M, Y], [N, Y, Y, Y, N], [Y, Y, Y, Y, Y]),
    (O::EditIdentity,            [Y, M, M, M, Y], [N, Y, Y, Y, N], [N, N, N, N, N]),
    (O::EditPreferences,         [Y, Y, Y, Y, Y], [N, N, N, N, N], [N, N, N, N, N]),
    (O::EditRoles,               [Y, U, U, U, Y], [N, N, N, N, N], [N, N, N, N, N]),
    (O::EditLocalGroups,         [Y, U, U, U, Y], [N, N, N, N, N], [N, N, N, N, N]),
    (O::EditDirectoryGroups,     [N, M, M, M, N], [N, Y, Y, Y, N], [N, N, N, N, N]),
    (O::ResetCredentials,        [Y, M, M, M, Y], [N, N, N, N, N], [N, N, N, N, N]),
    (O::Hold,                    [Y, Y, Y, Y, Y], [N, N, N, N, N], [N, N, N, N, N]),
    (O::LiftDirectorySuspension, [N, N, M, N, N], [N, Y, Y, Y, N], [N, N, N, N, N]),
    (O::EndSessions,             [Y, Y, Y, Y, Y], [N, N, N, N, N], [Y, Y, Y, Y, Y]),
    (O::Release,                 [N, M, T, M, N], [N, N, N, N, N], [N, Y, Y, Y, N]),
];

/// What holds for an operation on a person of that kind, on that way.
pub fn rule(operation: Operation, way: Way, kind: Kind) -> Rule {
    let row = MATRIX.iter().find(|row| row.0 == operation).map(|(_, api, scim, operator)| match way {
        Way::Api | Way::Bulk => api,
        Way::Scim => scim,
        Way::Operator => operator,
    });
    let at = Kind::ALL.iter().position(|known| *known == kind);
    row.zip(at).and_then(|(row, at)| row.get(at)).copied().unwrap_or(Rule::None)
}

/// Members of a person, as the admin API names them, that only the directory of an external one changes.
pub const LOCKED_FIELDS: [&str; 6] = ["email", "user_name", "name", "phone", "title", "department"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification, operation by operation: on the API for a local and for an external person.
    const SPECIFIED: [(Operation, Rule, Rule); 8] = [
        (O::Delete, Y, M),
        (O::EditIdentity, Y, M),
        (O::EditPreferences, Y, Y),
        (O::EditRoles, Y, U),
        (O::EditLocalGroups, Y, U),
        (O::ResetCredentials, Y, M),
        (O::Hold, Y, Y),
        (O::EndSessions, Y, Y),
    ];

    #[test]
    fn the_table_has_each_operation_once_in_order() {
        assert_eq!(MATRIX.map(|row| row.0), Operation::ALL);
    }

    #[test]
    fn the_api_and_bulk_do_what_is_specified() {
        for way in [Way::Api, Way::Bulk] {
            for (operation, local, external) in SPECIFIED {
                for kind in Kind::ALL {
                    let expected = if kind.is_external() { external } else { local };
                    assert_eq!(rule(operation, way, kind), expected, "{operation:?} {way:?} {kind:?}");
                }
            }
            assert_eq!(rule(O::LiftDirectorySuspension, way, Kind::ExternalDeactivated), M);
        }
    }

    #[test]
    fn nobody_but_directory_and_operator_ends_an_external_person() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_external()) {
            for way in Way::ALL {
                let may = matches!(way, Way::Scim | Way::Operator);
                assert_eq!(rule(O::Delete, way, kind) == Y, may, "{way:?} {kind:?}");
            }
            // Release before delete would be a way around: only for whom the directory has let go of.
            assert_eq!(rule(O::Release, Way::Api, kind) == T, kind == Kind::ExternalDeactivated);
        }
    }

    #[test]
    fn a_directory_has_no_say_about_people_of_the_organization() {
        for operation in Operation::ALL {
            for kind in [Kind::Local, Kind::Released] {
                assert_eq!(rule(operation, Way::Scim, kind), N, "{operation:?}");
            }
        }
    }

    #[test]
    fn where_a_person_comes_from_makes_no_difference() {
        for operation in Operation::ALL {
            for way in Way::ALL {
                let of = |kind| rule(operation, way, kind);
                assert_eq!(of(Kind::Adopted), of(Kind::ExternalActive), "{operation:?} {way:?}");
                assert_eq!(of(Kind::Released), of(Kind::Local), "{operation:?} {way:?}");
                assert_eq!(rule(operation, Way::Bulk, Kind::Local), rule(operation, Way::Api, Kind::Local));
            }
        }
    }
}
