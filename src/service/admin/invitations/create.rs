//! `POST /invitations`: each address alone, so that one refusal keeps no other back.

use std::collections::HashSet;

use serde_json::json;

use super::{ATTEMPTS, Invitation, Sent, check_guard, check_pace, link, shown};
use crate::domain::connection::State;
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::invitation::{ADDRESSES, check_message};
use crate::domain::permission::{Permission, Role, RoleSet, check_change_of_roles};
use crate::domain::person::is_address;
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::admin::groups::{check_local, put_into};
use crate::service::admin::{Caller, role_keys};
use crate::service::{ServiceError, ids};
use crate::storage::cold::invitations::{self, InvitationColumns, Known, NewInvitation};
use crate::storage::cold::{connections, people, roles};
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, InvitationRecord, StorageError, UniqueKey, Write, keys};

/// Groups of one request.
const GROUPS: usize = 20;

/// How the link gets to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// The Admin who invites passes it on.
    #[default]
    Link,
}

/// People to invite.
#[derive(Debug, Clone, Default)]
pub struct CreateInvitations {
    /// Addresses, 1 to 50.
    pub emails: Vec<String>,
    /// Keys of roles, at least one.
    pub roles: Vec<String>,
    /// Ids of groups of the organization.
    pub groups: Vec<String>,
    /// For the people.
    pub message: String,
    /// How the link gets there.
    pub delivery: Delivery,
}

/// What became of an address.
#[derive(Debug)]
pub struct Outcome {
    /// As given.
    pub email: String,
    /// The invitation, and whether it is a renewed one; or why there is none.
    pub result: Result<(Sent, bool)>,
}

/// What all addresses of a request get.
#[derive(Clone)]
struct Gift {
    roles: RoleSet,
    groups: Vec<ResourceId>,
    message: String,
}

/// Invites people. Each address has its own outcome.
///
/// # Errors
/// `PermissionDenied`, `Invalid`, `ManagedExternally` for a group; `Guarded` where only an Admin may give these roles.
pub async fn create(caller: &Caller, db: &Database, new: CreateInvitations) -> Result<Vec<Outcome>> {
    caller.permitted(Permission::UsersInvite)?;
    let gift = check(caller, db, &new).await?;
    let mut outcomes = Vec::with_capacity(new.emails.len());
    for email in new.emails {
        let result = match invite(caller, db, email.trim(), &gift).await {
            // What fails for one address alone is its outcome; a failure of the service ends all.
            Err(Refusal::Service(ServiceError::Internal(cause))) => return Err(ServiceError::Internal(cause).into()),
            result => result,
        };
        outcomes.push(Outcome { email, result });
    }
    Ok(outcomes)
}

async fn check(caller: &Caller, db: &Database, new: &CreateInvitations) -> Result<Gift> {
    let mut errors = Vec::new();
    if new.emails.is_empty() || new.emails.len() > ADDRESSES {
        errors.push(Invalid::new("/emails", format!("Give 1 to {ADDRESSES} addresses.")));
    }
    let mut seen = HashSet::new();
    for (at, email) in new.emails.iter().enumerate().take(ADDRESSES) {
        if !is_address(email.trim()) {
            errors.push(Invalid::new(format!("/emails/{at}"), "This must be an e-mail address."));
        } else if !seen.insert(compare::fold(email.trim())) {
            errors.push(Invalid::new(format!("/emails/{at}"), "This address is given twice."));
        }
    }
    if new.roles.is_empty() {
        errors.push(Invalid::new("/roles", "Whoever is invited gets at least one role."));
    }
    let roles = role_keys(&new.roles, &mut errors);
    if let Err(detail) = check_message(&new.message) {
        errors.push(Invalid::new("/message", detail));
    }
    if new.groups.len() > GROUPS {
        errors.push(Invalid::new("/groups", format!("Give at most {GROUPS} groups.")));
    }
    let (mut groups, mut managed) = (Vec::new(), None);
    for (at, text) in new.groups.iter().enumerate().take(GROUPS) {
        let found = match ResourceId::parse(text) {
            Some(id) => db.find_group_entry(caller.organization, id).await?,
            None => None,
        };
        match found {
            Some(entry) => {
                managed = managed.or(check_local(&entry, "group.update_members").err());
                groups.push(entry.id);
            }
            None => errors.push(Invalid::new(format!("/groups/{at}"), "There is no group with this id.")),
        }
    }
    check_change_of_roles(roles, false, caller.roles)?;
    if let Some(refused) = managed {
        return Err(refused);
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    Ok(Gift { roles, groups, message: new.message.trim().to_owned() })
}

async fn invite(caller: &Caller, db: &Database, email: &str, gift: &Gift) -> Result<(Sent, bool)> {
    let mut attempt = 1;
    loop {
        let (secret, columns) = link(caller.now, email, &gift.message)?;
        let (caller_of, gift) = (caller.clone(), gift.clone());
        let deed = async move |db: &mut Db<'_>| invite_within(db, &caller_of, &columns, &gift).await;
        match db.transaction(deed).await {
            // Somebody invites the same address at this moment.
            Err(Refusal::EmailTaken | Refusal::Stale) if attempt < ATTEMPTS => attempt += 1,
            Err(refused) => return Err(refused),
            Ok((record, is_renewed)) => {
                let invitation: Invitation = shown(db, caller.organization, record, caller.now).await?;
                return Ok((Sent { invitation, secret: caller.is_admin().then_some(secret) }, is_renewed));
            }
        }
    }
}

async fn invite_within(
    db: &mut Db<'_>,
    caller: &Caller,
    columns: &InvitationColumns,
    gift: &Gift,
) -> Result<(InvitationRecord, bool)> {
    match invitations::who_has(db, caller.organization, &columns.email_key).await? {
        None => Ok((first(db, caller, columns, gift).await?, false)),
        Some(known) if known.invited && known.connection == ConnectionId::LOCAL => {
            again(db, caller, known.user, columns, gift).await
        }
        Some(known) => Err(whose(db, caller, known).await?),
    }
}

/// Why somebody who is there already is not invited.
async fn whose(db: &mut Db<'_>, caller: &Caller, known: Known) -> Result<Refusal> {
    let connection = connections::find(db, caller.organization, known.connection).await?;
    let managing = connection.filter(|c| matches!(State::of(&c.state), State::Active | State::Paused));
    Ok(match managing {
        Some(directory) if !known.access => Refusal::DeactivatedByDirectory(directory.name),
        _ => Refusal::AlreadyMember,
    })
}

/// A person who was not there, with their invitation.
async fn first(db: &mut Db<'_>, caller: &Caller, columns: &InvitationColumns, gift: &Gift) -> Result<InvitationRecord> {
    let (organization, user) = (caller.organization, ids::resource());
    let document = json!({ "userName": columns.email, "emails": [{ "value": columns.email, "primary": true }] });
    let resource = Resource::from_document(&document.to_string())
        .map_err(|error| ServiceError::Internal(format!("a document of our own: {error}")))?;
    let (row, values) = keys::user_columns(&resource, true);
    let created = caller.deed();
    let write = Write {
        scope: Scope { organization, connection: ConnectionId::LOCAL },
        at: caller.now,
        actor: caller.actor.to_string(),
        request_id: caller.request_id.clone(),
        changes: vec![Change {
            action: Action::InsertUser { id: user, columns: row, values },
            event: created.event,
            detail: json!({ "after": document }).to_string(),
        }],
        shows_group: false,
    };
    write.apply(db).await.map_err(|error| match error {
        StorageError::NotUnique(UniqueKey::UserName) => Refusal::EmailTaken,
        other => other.into(),
    })?;
    people::explain(db, &created, organization).await?;
    let deed = caller.deed();
    invitations::mark_invited(db, &deed, organization, user).await?;
    roles::grant(db, &deed, organization, user, gift.roles).await?;
    for group in &gift.groups {
        put_into(db, caller, *group, user).await?;
    }
    let new = NewInvitation { organization, id: ids::resource(), user, columns: columns.clone() };
    Ok(invitations::insert(db, &deed, &new, &detail(columns, gift)).await?)
}

/// Somebody who has not joined yet: the link is made anew, with the roles that are asked for now and these groups besides.
async fn again(
    db: &mut Db<'_>,
    caller: &Caller,
    user: ResourceId,
    columns: &InvitationColumns,
    gift: &Gift,
) -> Result<(InvitationRecord, bool)> {
    let organization = caller.organization;
    people::lock(db, organization, user).await?.filter(|person| person.invited).ok_or(Refusal::Stale)?;
    let before = check_guard(db, caller, user).await?;
    check_change_of_roles(before.difference(gift.roles), false, caller.roles)?;
    let open = invitations::find_open_of(db, organization, user).await?;
    if let Some(open) = &open {
        check_pace(open, caller.now)?;
    }
    let deed = caller.deed();
    let without = |a: RoleSet, b: RoleSet| a.iter().filter(|role| !b.contains(*role)).collect::<RoleSet>();
    roles::grant(db, &deed, organization, user, without(gift.roles, before)).await?;
    roles::revoke(db, organization, user, without(before, gift.roles)).await?;
    for group in &gift.groups {
        put_into(db, caller, *group, user).await?;
    }
    people::touch_account(db, organization, user, caller.now).await?;
    let detail = detail(columns, gift);
    match open {
        Some(open) => Ok((invitations::renew(db, &deed, &open, columns, &detail).await?, true)),
        None => {
            let new = NewInvitation { organization, id: ids::resource(), user, columns: columns.clone() };
            Ok((invitations::insert(db, &deed, &new, &detail).await?, false))
        }
    }
}

fn detail(columns: &InvitationColumns, gift: &Gift) -> String {
    let roles: Vec<&str> = gift.roles.iter().map(Role::key).collect();
    let groups: Vec<String> = gift.groups.iter().map(ToString::to_string).collect();
    json!({ "after": { "email": columns.email, "roles": roles, "groups": groups } }).to_string()
}
