//! What somebody may do to a person: one function, which the routes ask before they do it and the list of people asks for its
//! menus, so that the two never differ. Refusals come in the order of all surfaces: permission, what does not exist, what the
//! directory manages, and at last what the person's state does not allow.

use serde_json::Value;

use super::Person;
use crate::domain::ownership::{Operation, Rule, Way, rule};
use crate::domain::permission::{Guarded, Permission, PermissionSet, RoleSet, check_deed_on};
use crate::domain::security_settings::RolesForManagedUsers;

/// Something that is done to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Action {
    Update,
    UpdateRoles,
    Suspend,
    Unsuspend,
    Delete,
    Release,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doer {
    /// Effective roles.
    pub roles: RoleSet,
    /// What these roles permit.
    pub permissions: PermissionSet,
    /// Whether it is the person.
    pub is_target: bool,
}

/// What the organization and its operator have set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// `roles_for_managed_users: directory_only`
    pub directory_only: bool,
    /// Feature `tenant_release`
    pub tenant_release: bool,
}

impl Policy {
    /// Reads the organization's documents (JSON) of features and settings; what cannot be read is off.
    pub fn parse(features: &str, settings: &str) -> Self {
        let features: Option<Value> = serde_json::from_str(features).ok();
        Policy {
            directory_only: RolesForManagedUsers::of_document(settings) == RolesForManagedUsers::DirectoryOnly,
            tenant_release: features.is_some_and(|features| features.get("tenant_release") == Some(&true.into())),
        }
    }
}

/// Why it may not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The doer's roles do not permit it.
    #[error("the permission {} is missing", .0.key())]
    Permission(Permission),
    /// There is no such thing in this organization.
    #[error("not offered")]
    NotOffered,
    /// The Admin guard.
    #[error(transparent)]
    Guarded(#[from] Guarded),
    /// The directory's business.
    #[error("managed externally")]
    Managed,
    /// The doer is the person.
    #[error("nobody does this to themselves")]
    Oneself,
    /// No Admin who can sign in would be left.
    #[error("the last Admin")]
    LastAdmin,
    /// The person is not in a state that this begins in.
    #[error("not in this state")]
    Status,
}

impl Denied {
    /// Whether it is about the person's state, so that what is wrong with a body is said first.
    pub fn is_conflict(self) -> bool {
        matches!(self, Denied::Oneself | Denied::LastAdmin | Denied::Status)
    }
}

impl Action {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Action; 6] =
        [Action::Update, Action::UpdateRoles, Action::Suspend, Action::Unsuspend, Action::Release, Action::Delete];

    /// Its name among `allowed_actions`.
    pub fn key(self) -> &'static str {
        match self {
            Action::Update => "update",
            Action::UpdateRoles => "update_roles",
            Action::Suspend => "suspend",
            Action::Unsuspend => "unsuspend",
            Action::Delete => "delete",
            Action::Release => "release",
        }
    }

    /// Its name in refusals and events.
    pub fn deed(self) -> &'static str {
        match self {
            Action::Update => "user.update",
            Action::UpdateRoles => "user.update_roles",
            Action::Suspend => "user.suspend",
            Action::Unsuspend => "user.unsuspend",
            Action::Delete => "user.delete",
            Action::Release => "user.release",
        }
    }

    fn permissions(self) -> &'static [Permission] {
        match self {
            Action::Update | Action::UpdateRoles | Action::Suspend | Action::Unsuspend => &[Permission::UsersWrite],
            Action::Delete => &[Permission::UsersDelete],
            Action::Release => &[Permission::UsersDelete, Permission::ConnectionsWrite],
        }
    }

    /// The row of the ownership matrix. An update is of preferences at least; which fields it may touch is judged by field.
    fn operation(self, person: &Person) -> Operation {
        match self {
            Action::Update => Operation::EditPreferences,
            Action::UpdateRoles => Operation::EditRoles,
            Action::Suspend => Operation::Hold,
            Action::Unsuspend if !person.is_held && !person.is_let_in => Operation::LiftDirectorySuspension,
            Action::Unsuspend => Operation::Hold,
            Action::Delete => Operation::Delete,
            Action::Release => Operation::Release,
        }
    }
}

/// Whether `doer` may do this to `person`.
///
/// # Errors
/// The first reason why not, in the order of `Denied`.
pub fn judge(action: Action, person: &Person, doer: &Doer, policy: Policy) -> Result<(), Denied> {
    for permission in action.permissions() {
        if !doer.permissions.allows(*permission) {
            return Err(Denied::Permission(*permission));
        }
    }
    if action == Action::Release && !policy.tenant_release {
        return Err(Denied::NotOffered);
    }
    check_deed_on(person.roles, doer.roles)?;
    match rule(action.operation(person), Way::Api, person.kind) {
        Rule::Yes | Rule::TenantRelease => {}
        Rule::UnlessDirectoryOnly if !policy.directory_only => {}
        Rule::Managed | Rule::UnlessDirectoryOnly => return Err(Denied::Managed),
        Rule::None => return Err(Denied::Status),
    }
    let ends_access = matches!(action, Action::Suspend | Action::Delete);
    if doer.is_target && (ends_access || action == Action::UpdateRoles) {
        return Err(Denied::Oneself);
    }
    if ends_access && person.is_last_admin {
        return Err(Denied::LastAdmin);
    }
    match action {
        Action::Suspend if person.is_held => Err(Denied::Status),
        Action::Unsuspend if !person.is_held => Err(Denied::Status),
        _ => Ok(()),
    }
}

/// What `doer` may do to `person`.
pub fn allowed_actions(person: &Person, doer: &Doer, policy: Policy) -> impl Iterator<Item = Action> {
    Action::ALL.into_iter().filter(move |action| judge(*action, person, doer, policy).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ownership::Kind;
    use crate::domain::permission::Role;

    fn person(kind: Kind) -> Person {
        let is_let_in = kind != Kind::ExternalDeactivated;
        Person { kind, is_invited: false, is_held: false, is_let_in, roles: RoleSet::NONE, is_last_admin: false }
    }

    fn doer(role: Role) -> Doer {
        let roles = RoleSet::from(role);
        Doer { roles, permissions: PermissionSet::of(roles), is_target: false }
    }

    fn allowed(person: Person, doer: Doer, policy: Policy) -> Vec<&'static str> {
        allowed_actions(&person, &doer, policy).map(Action::key).collect()
    }

    const USUAL: Policy = Policy { directory_only: false, tenant_release: false };

    #[test]
    fn an_admin_deletes_local_people_and_no_others() {
        let admin = doer(Role::Admin);
        for kind in [Kind::Local, Kind::Released] {
            assert_eq!(allowed(person(kind), admin, USUAL), ["update", "update_roles", "suspend", "delete"]);
        }
        for kind in [Kind::ExternalActive, Kind::ExternalDeactivated, Kind::Adopted] {
            assert_eq!(allowed(person(kind), admin, USUAL), ["update", "update_roles", "suspend"]);
            assert_eq!(judge(Action::Delete, &person(kind), &admin, USUAL), Err(Denied::Managed));
        }
    }

    #[test]
    fn settings_are_off_unless_they_are_said() {
        assert_eq!(Policy::parse("{}", "{}"), USUAL);
        assert_eq!(Policy::parse("x", r#"{"roles_for_managed_users":"local"}"#), USUAL);
        let both = Policy::parse(r#"{"tenant_release":true}"#, r#"{"roles_for_managed_users":"directory_only"}"#);
        assert_eq!(both, Policy { directory_only: true, tenant_release: true });
    }

    #[test]
    fn settings_take_roles_away_and_give_release() {
        let admin = doer(Role::Admin);
        let policy = Policy { directory_only: true, tenant_release: true };
        assert_eq!(allowed(person(Kind::ExternalActive), admin, policy), ["update", "suspend"]);
        assert_eq!(allowed(person(Kind::ExternalDeactivated), admin, policy), ["update", "suspend", "release"]);
        assert_eq!(allowed(person(Kind::Local), admin, policy), ["update", "update_roles", "suspend", "delete"]);
        let release = |kind| judge(Action::Release, &person(kind), &admin, policy);
        assert_eq!((release(Kind::ExternalActive), release(Kind::Local)), (Err(Denied::Managed), Err(Denied::Status)));
        assert_eq!(judge(Action::Release, &person(Kind::ExternalActive), &admin, USUAL), Err(Denied::NotOffered));
    }

    #[test]
    fn a_hold_is_lifted_here_and_a_directorys_suspension_there() {
        let admin = doer(Role::Admin);
        let held = |kind| Person { is_held: true, ..person(kind) };
        let lift = |person| judge(Action::Unsuspend, &person, &admin, USUAL);
        for kind in Kind::ALL {
            assert_eq!(lift(held(kind)), Ok(()), "{kind:?}");
            assert_eq!(judge(Action::Suspend, &held(kind), &admin, USUAL), Err(Denied::Status));
        }
        assert_eq!(lift(person(Kind::ExternalDeactivated)), Err(Denied::Managed));
        assert_eq!(lift(person(Kind::ExternalActive)), Err(Denied::Status));
        assert_eq!(lift(person(Kind::Local)), Err(Denied::Status));
    }

    #[test]
    fn only_an_admin_touches_an_admin() {
        let target = Person { roles: Role::Admin.into(), ..person(Kind::Local) };
        let team = doer(Role::TeamManagement);
        assert_eq!(allowed(target, team, USUAL), Vec::<&str>::new());
        assert_eq!(judge(Action::Suspend, &target, &team, USUAL), Err(Denied::Guarded(Guarded::NeedsAdmin)));
        assert_eq!(allowed(person(Kind::Local), team, USUAL), ["update", "update_roles", "suspend"]);
        assert_eq!(allowed(person(Kind::Local), doer(Role::ReadOnly), USUAL), Vec::<&str>::new());
    }

    #[test]
    fn nobody_ends_themselves_or_the_last_admin() {
        let target = Person { roles: Role::Admin.into(), is_last_admin: true, ..person(Kind::Local) };
        let admin = doer(Role::Admin);
        assert_eq!(allowed(target, admin, USUAL), ["update", "update_roles"]);
        let oneself = Doer { is_target: true, ..admin };
        assert_eq!(allowed(target, oneself, USUAL), ["update"]);
        assert_eq!(judge(Action::Delete, &target, &oneself, USUAL), Err(Denied::Oneself));
        let external = Person { kind: Kind::ExternalActive, ..target };
        assert_eq!(judge(Action::Delete, &external, &admin, USUAL), Err(Denied::Managed));
        assert_eq!(judge(Action::Suspend, &external, &admin, USUAL), Err(Denied::LastAdmin));
    }
}
