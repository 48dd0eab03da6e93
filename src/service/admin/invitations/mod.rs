//! Invitations by link. Whoever is invited has a row among the people at once, with roles and groups, and cannot sign in
//! before they joined. A withdrawn invitation takes that row away, and who deletes the row withdraws the invitation.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::Caller;
use super::error::{Refusal, Result};
use super::paging::{Page, PageRequest, keyset, of_keyset};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::invitation::{AGAIN_AFTER, InvitationState, LIFETIME};
use crate::domain::permission::{Permission, RoleSet, check_deed_on, direct, effective};
use crate::domain::token::{self, SecretKind};
use crate::protocol::compare;
use crate::service::cursor::Key;
use crate::service::ids;
pub use crate::storage::InvitationRecord;
pub use crate::storage::cold::invitations::InvitationFilter;
use crate::storage::cold::invitations::{self, InvitationColumns, InvitationSort};
use crate::storage::cold::people::GroupOf;
use crate::storage::cold::roles;
use crate::storage::{Database, Db, keys};

mod create;
mod renew;

pub use create::{CreateInvitations, Delivery, Outcome, create};
pub use renew::{resend, withdraw};

/// Times that a change is tried again when another came between.
const ATTEMPTS: u32 = 5;

/// An invitation with what it brings the person.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// As stored.
    pub record: InvitationRecord,
    /// What became of it.
    pub state: InvitationState,
    /// Roles given to the person.
    pub roles: RoleSet,
    /// Groups that hold the person.
    pub groups: Vec<GroupOf>,
}

/// An invitation with its new link.
pub struct Sent {
    /// The invitation.
    pub invitation: Invitation,
    /// End of the link, to be shown once and only to Admins; `None` for all others.
    pub secret: Option<String>,
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("invitation", &self.invitation).field("secret", &"[redacted]").finish()
    }
}

/// A page of invitations.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(
    caller: &Caller,
    db: &Database,
    filter: &InvitationFilter,
    request: &PageRequest,
) -> Result<Page<Invitation>> {
    caller.permitted(Permission::UsersInvite)?;
    let page = keyset(request, |field| match field {
        "created_at" => Some(InvitationSort::Created),
        "email" => Some(InvitationSort::Email),
        "expires_at" => Some(InvitationSort::Expires),
        _ => None,
    });
    let organization = caller.organization;
    let (rows, total) = db.list_invitations(organization, caller.now, filter, &page, request.include_total).await?;
    let key = |row: &Invitation, field: &str| match field {
        "email" => Key::Text(row.record.email_key.clone()),
        "expires_at" => Key::Number(row.record.expires_at),
        _ => Key::Number(row.record.created),
    };
    let users: Vec<ResourceId> = rows.iter().map(|row| row.user).collect();
    let mut held = db.roles_of_users(organization, &users).await?;
    let mut groups = db.groups_of_people(organization, &users).await?;
    let shown = |record: InvitationRecord| Invitation {
        state: InvitationState::of(&record.state, record.expires_at, caller.now),
        roles: held.remove(&record.user).map_or(RoleSet::NONE, |held| direct(&held)),
        groups: groups.remove(&record.user).unwrap_or_default(),
        record,
    };
    Ok(of_keyset(rows.into_iter().map(shown).collect(), total, request, key, |row| row.record.id.to_string()))
}

/// The version of an invitation, if there is one.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn version(caller: &Caller, db: &Database, id: ResourceId) -> Result<i64> {
    caller.permitted(Permission::UsersInvite)?;
    let found = db.find_invitation(caller.organization, id).await?;
    found.map(|record| record.version).ok_or(Refusal::Missing)
}

/// What a stored invitation brings, as it is shown.
async fn shown(db: &Database, organization: OrganizationId, record: InvitationRecord, now: i64) -> Result<Invitation> {
    let held: HashMap<_, _> = db.roles_of_users(organization, &[record.user]).await?;
    let groups = db.groups_of_people(organization, &[record.user]).await?.remove(&record.user);
    Ok(Invitation {
        state: InvitationState::of(&record.state, record.expires_at, now),
        roles: held.get(&record.user).map_or(RoleSet::NONE, |held| direct(held)),
        groups: groups.unwrap_or_default(),
        record,
    })
}

/// A secret, and what is stored of it.
pub(in crate::service) fn link(
    now: i64,
    email: &str,
    message: &str,
) -> std::result::Result<(String, InvitationColumns), getrandom::Error> {
    let secret = ids::secret(SecretKind::Invitation)?;
    let columns = InvitationColumns {
        email: email.to_owned(),
        email_key: keys::bounded(&compare::fold(email)),
        hash: token::hash(&secret),
        delivery: "link",
        message: message.to_owned(),
        expires_at: now.saturating_add(LIFETIME),
    };
    Ok((secret, columns))
}

/// Refuses a new link too soon after the last one to the same address.
fn check_pace(record: &InvitationRecord, now: i64) -> Result<()> {
    let wait = record.sent_at.saturating_add(AGAIN_AFTER).saturating_sub(now);
    match u64::try_from(wait) {
        Ok(wait) if wait > 0 => Err(Refusal::InvitedJustNow(Duration::from_micros(wait))),
        _ => Ok(()),
    }
}

/// The open invitation of that id, if the caller may touch whom it invites.
async fn load(db: &mut Db<'_>, caller: &Caller, id: ResourceId, expected: Option<i64>) -> Result<InvitationRecord> {
    let read = invitations::find(db, caller.organization, id).await?.ok_or(Refusal::Missing)?;
    if expected.is_some_and(|expected| expected != read.version) {
        return Err(Refusal::Stale);
    }
    check_guard(db, caller, read.user).await?;
    if InvitationState::of(&read.state, read.expires_at, caller.now).is_open() {
        Ok(read)
    } else {
        Err(Refusal::InvitationNotPending)
    }
}

/// The Admin guard around a person; answers the direct roles.
async fn check_guard(db: &mut Db<'_>, caller: &Caller, user: ResourceId) -> Result<RoleSet> {
    let directories = roles::directories(db, caller.organization).await?;
    let held = roles::of_users(db, caller.organization, &directories, &[user]).await?.remove(&user).unwrap_or_default();
    check_deed_on(effective(&held), caller.roles)?;
    Ok(direct(&held))
}
