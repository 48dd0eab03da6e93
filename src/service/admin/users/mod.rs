//! People of an organization: local ones and those that its directories manage, side by side. Whether something may be done
//! to one is `domain::person::judge`'s to say, for the routes as for the menus.

use std::collections::HashMap;

use super::Caller;
use super::error::{Managed, Refusal, Result};
use crate::domain::connection::State;
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::ownership::LOCKED_FIELDS;
use crate::domain::permission::{HeldRole, Permission, effective};
use crate::domain::person::{
    self, Action, Denied, Doer, Origin, Person, Policy, Profile, Status, Suspension, allowed_actions, judge,
};
use crate::protocol::resource::Resource;
use crate::service::ServiceError;
use crate::storage::cold::people::GroupOf;
pub use crate::storage::cold::people::{PersonRecord, Preferences};
use crate::storage::cold::{connections, people, roles};
use crate::storage::{ConnectionRecord, Database, Db};

mod bulk;
mod deed;
mod directory_only;
mod export;
mod hold;
mod leave;
mod list;
mod profile;
mod role;

pub use bulk::{BulkDeed, BulkResult, MOST, bulk};
pub use deed::open;
pub(super) use directory_only::{check_access, check_mapping, check_membership};
pub use export::export;
pub use hold::{suspend, unsuspend};
pub(crate) use leave::let_go;
pub use leave::{delete, release};
pub use list::{ListUsers, Mfa, RoleSourceKind, list, order};
pub use profile::{PatchUser, check_locked, patch};
pub use role::set_roles;

/// What holds in an organization for all of its people.
pub(super) struct Setting {
    connections: HashMap<ConnectionId, ConnectionRecord>,
    policy: Policy,
}

impl Setting {
    async fn read(db: &Database, organization: OrganizationId) -> Result<Self> {
        let connections = db.list_connections(organization).await?;
        let (features, settings) = db.organization_switches(organization).await?;
        Ok(Setting::of(connections, Policy::parse(&features, &settings)))
    }

    /// The same within a deed.
    async fn within(db: &mut Db<'_>, organization: OrganizationId) -> Result<Self> {
        let connections = connections::list(db, organization).await?;
        let (features, settings) = people::switches(db, organization).await?;
        Ok(Setting::of(connections, Policy::parse(&features, &settings)))
    }

    fn of(connections: Vec<ConnectionRecord>, policy: Policy) -> Self {
        Setting { connections: connections.into_iter().map(|record| (record.id, record)).collect(), policy }
    }

    /// Whether people of this connection are the organization's: those of one that is set up or observed are staged.
    fn shows(&self, id: ConnectionId) -> bool {
        id == ConnectionId::LOCAL || self.connections.get(&id.owner()).is_some_and(|c| !State::of(&c.state).is_staged())
    }

    /// The directory that manages the people of this connection, if one does.
    fn manager(&self, id: ConnectionId) -> Option<&ConnectionRecord> {
        let manages = |c: &&ConnectionRecord| matches!(State::of(&c.state), State::Active | State::Paused);
        self.connections.get(&id.owner()).filter(manages)
    }
}

/// A person as the admin API shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// As stored.
    pub record: PersonRecord,
    /// What is shown of the document.
    pub profile: Profile,
    /// Roles with their sources.
    pub roles: Vec<HeldRole>,
    /// Groups that hold the person directly; `true`: a directory manages it.
    pub groups: Vec<(GroupOf, bool)>,
    /// The directory that manages the person.
    pub manager: Option<ConnectionRecord>,
    /// `active`, `invited`, `suspended`
    pub status: Status,
    /// The local hold.
    pub hold: Option<Suspension>,
    /// What the caller may do.
    pub allowed: Vec<Action>,
}

impl User {
    /// The version for people and programs.
    pub fn version(&self) -> i64 {
        self.record.etag_version()
    }
}

/// The person of that id.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, id: ResourceId) -> Result<User> {
    caller.permitted(Permission::UsersRead)?;
    shown(caller, db, id).await
}

/// The same for who may act on the person, whatever they may read.
async fn shown(caller: &Caller, db: &Database, id: ResourceId) -> Result<User> {
    let setting = Setting::read(db, caller.organization).await?;
    let records = db.people_of_ids(caller.organization, &[id]).await?;
    assemble(caller, db, &setting, records).await?.pop().ok_or(Refusal::Missing)
}

/// Everything that is shown of these people, but for those who are not shown.
async fn assemble(caller: &Caller, db: &Database, setting: &Setting, records: Vec<PersonRecord>) -> Result<Vec<User>> {
    let records: Vec<PersonRecord> = records.into_iter().filter(|record| setting.shows(record.connection)).collect();
    let ids: Vec<ResourceId> = records.iter().map(|record| record.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut roles = db.roles_of_users(caller.organization, &ids).await?;
    let mut groups = db.groups_of_people(caller.organization, &ids).await?;
    let admins = db.active_admins(caller.organization, 2).await?;
    let mut users = Vec::with_capacity(records.len());
    for record in records {
        let resource = resource(&record)?;
        let roles = roles.remove(&record.id).unwrap_or_default();
        let person = facts(setting, &record, &roles, &admins);
        let allowed = allowed_actions(&person, &doer(caller, record.id), setting.policy).collect();
        let groups = groups.remove(&record.id).unwrap_or_default();
        let is_managed = |group: GroupOf| {
            let is_managed = setting.manager(group.connection).is_some();
            (group, is_managed)
        };
        users.push(User {
            profile: Profile::of(&resource),
            roles,
            groups: groups.into_iter().filter(|g| setting.shows(g.connection)).map(is_managed).collect(),
            manager: setting.manager(record.connection).cloned(),
            status: Status::of(person.is_invited, person.is_held, person.is_let_in),
            hold: record.suspension.as_deref().map(Suspension::parse),
            allowed,
            record,
        });
    }
    Ok(users)
}

/// What `judge` is told of a person; `admins`: at most two of those who can sign in.
fn facts(setting: &Setting, record: &PersonRecord, roles: &[HeldRole], admins: &[ResourceId]) -> Person {
    let origin = match (record.was_managed, record.managed_since) {
        (true, _) => Origin::Directory,
        (false, Some(_)) => Origin::Here,
        (false, None) => Origin::Same,
    };
    let is_managed = setting.manager(record.connection).is_some();
    Person {
        kind: person::kind(record.connection, is_managed, record.access, origin),
        is_invited: record.invited,
        is_held: record.suspension.is_some(),
        is_let_in: record.access,
        roles: effective(roles),
        is_last_admin: admins == [record.id],
    }
}

fn doer(caller: &Caller, target: ResourceId) -> Doer {
    Doer { roles: caller.roles, permissions: caller.permissions, is_target: caller.user() == Some(target) }
}

/// A damaged row is our fault; its id goes to the log.
fn resource(record: &PersonRecord) -> Result<Resource> {
    let damaged = |error| ServiceError::Internal(format!("document of resource {}: {error}", record.id));
    Ok(Resource::from_document(&record.document).map_err(damaged)?)
}

/// A person as seen within a deed, locked.
struct Subject {
    setting: Setting,
    record: PersonRecord,
    roles: Vec<HeldRole>,
    person: Person,
}

impl Subject {
    /// Locks the person and judges the action, whether or not the route has done so before.
    async fn load(
        db: &mut Db<'_>,
        caller: &Caller,
        id: ResourceId,
        expected: Option<i64>,
        action: Action,
    ) -> Result<Self> {
        let organization = caller.organization;
        let setting = Setting::within(db, organization).await?;
        let record = people::lock(db, organization, id).await?.ok_or(Refusal::Missing)?;
        if !setting.shows(record.connection) {
            return Err(Refusal::Missing);
        }
        if expected.is_some_and(|expected| expected != record.etag_version()) {
            return Err(Refusal::Stale);
        }
        let directories = roles::directories(db, organization).await?;
        let mut held = roles::of_users(db, organization, &directories, &[id]).await?;
        let roles = held.remove(&id).unwrap_or_default();
        let admins = roles::active_admins(db, organization, &directories, 2).await?;
        let person = facts(&setting, &record, &roles, &admins);
        let subject = Subject { setting, record, roles, person };
        let judged = judge(action, &subject.person, &doer(caller, id), subject.setting.policy);
        judged.map_err(|denied| refusal(&subject.setting, &subject.record, action, denied))?;
        Ok(subject)
    }
}

/// What the caller is told.
fn refusal(setting: &Setting, record: &PersonRecord, action: Action, denied: Denied) -> Refusal {
    match denied {
        Denied::Permission(permission) => Refusal::PermissionDenied(permission),
        Denied::NotOffered => Refusal::Missing,
        Denied::Guarded(guarded) => Refusal::Guarded(guarded),
        Denied::Oneself => Refusal::OwnAccount,
        Denied::LastAdmin => Refusal::LastAdmin,
        Denied::Status => Refusal::UserState(match action {
            Action::Suspend => "This person is suspended here already.",
            Action::Unsuspend => "No suspension from here keeps this person out.",
            _ => "No identity provider manages this person.",
        }),
        Denied::Managed => managed(setting, record, action.deed()),
    }
}

/// 403 with the directory that manages the person.
fn managed(setting: &Setting, record: &PersonRecord, action: &'static str) -> Refusal {
    let Some(manager) = setting.manager(record.connection) else { return Refusal::Missing };
    let profile = resource(record).map(|resource| Profile::of(&resource)).unwrap_or_default();
    Refusal::ManagedExternally(Box::new(Managed {
        action,
        kind: "user",
        id: record.id,
        name: profile.label().to_owned(),
        connection: manager.id,
        connection_name: manager.name.clone(),
        provider: manager.provider.clone(),
        locked_fields: &LOCKED_FIELDS,
    }))
}
