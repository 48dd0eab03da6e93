//! Groups: those of the organization, which people and keys change, and those of its directories, of which only the role
//! mapping is theirs to change.

use serde_json::{Map, Value, json};

use super::error::{Invalid, Managed, Refusal, Result};
use super::paging::{Page, PageRequest, keyset, of_keyset};
use super::role_change::guarded;
use super::{Caller, role_keys, users};
use crate::domain::group::{self, LOCKED_FIELDS, check_description, check_name};
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::permission::{Permission, RoleSet, check_change_of_roles};
use crate::protocol::compare;
use crate::service::cursor::Key;
use crate::service::ids;
use crate::storage::cold::groups::{self, GroupSort};
pub use crate::storage::cold::groups::{GroupEntry, GroupFilter};
use crate::storage::cold::{people, roles};
use crate::storage::write::{Action, Change, GroupColumns, MemberChange, UnknownMembers};
use crate::storage::{Database, Db, Receipt, StorageError, Write, keys};

mod mapping;
mod members;

pub use mapping::map;
pub use members::{MemberFilter, MemberRow, add_member, list_members, remove_member};
pub(super) use members::{put_into, take_out_of};

/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;
/// Members that a new group may be given.
const MEMBERS: usize = 1_000;

/// A group to create.
#[derive(Debug, Clone, Default)]
pub struct CreateGroup {
    /// Unique in the organization, letter case aside.
    pub name: String,
    /// For people.
    pub description: String,
    /// Ids of people and groups.
    pub members: Vec<String>,
    /// Keys of roles.
    pub roles: Vec<String>,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct PatchGroup {
    pub name: Option<String>,
    pub description: Option<String>,
}

/// The version of a group for people and programs, its mapping included.
pub fn version(entry: &GroupEntry) -> i64 {
    entry.version + entry.mapping_version
}

/// What people wrote about a group.
pub fn description(entry: &GroupEntry) -> String {
    group::text_of(&entry.document, "description").unwrap_or_default()
}

/// A page of groups.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(
    caller: &Caller,
    db: &Database,
    filter: &GroupFilter,
    request: &PageRequest,
) -> Result<Page<GroupEntry>> {
    caller.permitted(Permission::GroupsRead)?;
    let page = keyset(request, |field| match field {
        "name" => Some(GroupSort::Name),
        "created_at" => Some(GroupSort::Created),
        "updated_at" => Some(GroupSort::Modified),
        _ => None,
    });
    let (rows, total) = db.list_groups(caller.organization, filter, &page, request.include_total).await?;
    let key = |row: &GroupEntry, field: &str| match field {
        "created_at" => Key::Number(row.created),
        "updated_at" => Key::Number(row.modified),
        _ => Key::Text(row.name_key.clone()),
    };
    Ok(of_keyset(rows, total, request, key, |row| row.id.to_string()))
}

/// The group of that id.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, id: ResourceId) -> Result<GroupEntry> {
    caller.permitted(Permission::GroupsRead)?;
    db.find_group_entry(caller.organization, id).await?.ok_or(Refusal::Missing)
}

/// Creates a group of the organization.
///
/// # Errors
/// `PermissionDenied`, `ManagedExternally` for a member, `Invalid`, `GroupNameTaken`; `Guarded` where only an Admin may map it
/// so, or the caller would gain a role.
pub async fn create(caller: &Caller, db: &Database, new: CreateGroup) -> Result<GroupEntry> {
    caller.permitted(Permission::GroupsWrite)?;
    let mut errors = Vec::new();
    check(&new.name, &new.description, &mut errors);
    let members = member_ids(&new.members, &mut errors);
    let roles = role_keys(&new.roles, &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    check_change_of_roles(roles, false, caller.roles)?;
    let columns = columns(&new.name, &new.description);
    let (id, caller_of, mapping) = (ids::resource(), caller.clone(), caller.deed());
    let after =
        json!({ "after": { "name": columns.display_name, "description": new.description, "members": new.members } });
    let insert = Action::InsertGroup { id, columns, members: members.clone(), unknown_members: UnknownMembers::Refuse };
    let deed = async move |db: &mut Db<'_>| {
        let caller = caller_of;
        let directories = roles::directories(db, caller.organization).await?;
        users::check_membership(db, &caller, &members).await?;
        members::check_all(db, &caller, &directories, &members).await?;
        apply(db, &caller, insert, after.to_string()).await.map_err(|error| unknown_members(&members, error))?;
        let made = groups::find(db, caller.organization, &directories, id).await?.ok_or(Refusal::Missing)?;
        if roles.is_empty() {
            return Ok(made);
        }
        let detail = mapping::detail(RoleSet::NONE, roles);
        groups::set_mapping(db, &mapping, caller.organization, &made, roles, &detail).await?;
        groups::find(db, caller.organization, &directories, id).await?.ok_or(Refusal::Missing)
    };
    guarded(caller, db, deed).await
}

/// Changes a group of the organization.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `ManagedExternally`, `Invalid`, `GroupNameTaken`.
pub async fn patch(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    patch: PatchGroup,
) -> Result<GroupEntry> {
    caller.permitted(Permission::GroupsWrite)?;
    let mut attempt = 1;
    loop {
        let read = current(caller, db, id, expected).await?;
        check_local(&read, "group.update")?;
        let old = description(&read);
        let name = patch.name.as_deref().unwrap_or(&read.name);
        let text = patch.description.as_deref().unwrap_or(&old);
        let mut errors = Vec::new();
        check(name, text, &mut errors);
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        let columns = columns(name, text);
        if columns.document == read.document {
            return Ok(read);
        }
        let detail = difference(&read, &old, &columns, text);
        let action = Action::UpdateGroup {
            id,
            expected: Some(read.version),
            columns: Some(columns),
            members: MemberChange::None,
            unknown_members: UnknownMembers::Refuse,
        };
        let caller_of = caller.clone();
        let deed = async move |db: &mut Db<'_>| apply(db, &caller_of, action, detail).await;
        match db.transaction(deed).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => {
                other?;
                return db.find_group_entry(caller.organization, id).await?.ok_or(Refusal::Missing);
            }
        }
    }
}

/// Deletes a group of the organization. Its people lose what it brought them.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `ManagedExternally`, `LastAdmin`; `Guarded` where only an Admin may take what it
/// brings, or the caller would lose a role.
pub async fn delete(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<()> {
    caller.permitted(Permission::GroupsWrite)?;
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| {
        let caller = caller_of;
        let (read, _) = load(db, &caller, id, expected).await?;
        check_local(&read, "group.delete")?;
        let brings = groups::conferred(db, caller.organization, id).await?;
        check_change_of_roles(brings, false, caller.roles)?;
        roles::unmap(db, caller.organization, id, read.roles).await?;
        let before = json!({ "before": { "name": read.name, "description": description(&read) } });
        let action = Action::DeleteGroup { id, expected: expected.map(|_| read.version) };
        apply(db, &caller, action, before.to_string()).await?;
        Ok(())
    };
    guarded(caller, db, deed).await
}

/// The group as read, if it is the expected version.
async fn current(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<GroupEntry> {
    let read = db.find_group_entry(caller.organization, id).await?.ok_or(Refusal::Missing)?;
    if expected.is_some_and(|expected| expected != version(&read)) { Err(Refusal::Stale) } else { Ok(read) }
}

/// The same within a deed, with what the connections mean.
async fn load(
    db: &mut Db<'_>,
    caller: &Caller,
    id: ResourceId,
    expected: Option<i64>,
) -> Result<(GroupEntry, crate::domain::permission::Directories)> {
    let directories = roles::directories(db, caller.organization).await?;
    let read = groups::find(db, caller.organization, &directories, id).await?.ok_or(Refusal::Missing)?;
    if expected.is_some_and(|expected| expected != version(&read)) {
        return Err(Refusal::Stale);
    }
    Ok((read, directories))
}

/// Refuses what only a group's directory does to it.
///
/// # Errors
/// `ManagedExternally`.
pub fn check_local(entry: &GroupEntry, action: &'static str) -> Result<()> {
    if entry.connection == ConnectionId::LOCAL {
        return Ok(());
    }
    Err(Refusal::ManagedExternally(Box::new(Managed {
        action,
        kind: "group",
        id: entry.id,
        name: entry.name.clone(),
        connection: entry.connection,
        connection_name: entry.connection_name.clone().unwrap_or_default(),
        provider: entry.provider.clone().unwrap_or_default(),
        locked_fields: &LOCKED_FIELDS,
    })))
}

fn check(name: &str, description: &str, errors: &mut Vec<Invalid>) {
    if let Err(detail) = check_name(name) {
        errors.push(Invalid::new("/name", detail));
    }
    if let Err(detail) = check_description(description) {
        errors.push(Invalid::new("/description", detail));
    }
}

fn member_ids(texts: &[String], errors: &mut Vec<Invalid>) -> Vec<ResourceId> {
    if texts.len() > MEMBERS {
        errors.push(Invalid::new("/members", format!("A new group is given at most {MEMBERS} members.")));
        return Vec::new();
    }
    let mut ids = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match ResourceId::parse(text) {
            Some(id) => ids.push(id),
            None => errors.push(unknown_member(at)),
        }
    }
    ids
}

fn unknown_member(at: usize) -> Invalid {
    Invalid::new(format!("/members/{at}"), "There is no person or group with this id.")
}

fn unknown_members(asked: &[ResourceId], error: StorageError) -> Refusal {
    match error {
        StorageError::MissingMembers(missing) => {
            let places = asked.iter().enumerate().filter(|(_, id)| missing.contains(id));
            Refusal::Invalid(places.map(|(at, _)| unknown_member(at)).collect())
        }
        other => other.into(),
    }
}

fn columns(name: &str, description: &str) -> GroupColumns {
    let name = name.trim();
    GroupColumns {
        display_name: name.to_owned(),
        display_name_key: keys::bounded(&compare::fold(name)),
        unique_name: true,
        external_id_key: None,
        document: group::document(name, description.trim()),
    }
}

fn difference(read: &GroupEntry, old: &str, columns: &GroupColumns, new: &str) -> String {
    let (mut before, mut after) = (Map::new(), Map::new());
    for (field, was, is) in [("name", &*read.name, &*columns.display_name), ("description", old, new.trim())] {
        if was != is {
            before.insert(field.to_owned(), was.into());
            after.insert(field.to_owned(), is.into());
        }
    }
    let changed: Vec<Value> = after.keys().map(|field| field.as_str().into()).collect();
    json!({ "changed": changed, "before": before, "after": after }).to_string()
}

/// Does a change of what belongs to no directory, as a part of a deed.
async fn apply(
    db: &mut Db<'_>,
    caller: &Caller,
    action: Action,
    detail: String,
) -> std::result::Result<Receipt, StorageError> {
    let deed = caller.deed();
    let write = Write {
        scope: Scope { organization: caller.organization, connection: ConnectionId::LOCAL },
        at: caller.now,
        actor: caller.actor.to_string(),
        request_id: caller.request_id.clone(),
        changes: vec![Change { action, event: deed.event, detail }],
        shows_group: false,
    };
    let receipt = write.apply(db).await?;
    people::explain(db, &deed, caller.organization).await?;
    Ok(receipt)
}
