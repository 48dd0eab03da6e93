//! A connection is given up: its people and groups become the organization's own, or its people leave. What is left to do is
//! what the connection still owns, so that every step begins where the last one ended.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{damaged, deed, progress, subject};
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope};
use crate::domain::person::{Suspender, Suspension, is_address};
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::service::admin::invitations;
use crate::service::adoption::primary_email;
use crate::service::{Result, ids};
use crate::storage::cold::held_changes::{self, HeldEnd};
use crate::storage::cold::hidden::{self, Memberships};
use crate::storage::cold::invitations::{self as stored, InvitationColumns, NewInvitation};
use crate::storage::cold::jobs;
use crate::storage::cold::leavers::{self, Tombstone};
use crate::storage::cold::ownership::{self, AccountOrigin, Handover, PersonRecord};
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, Deed, JobRecord, StorageError, Write, keys};

/// People of one step.
const BATCH: u32 = 100;
/// For this long after the connection ended, µs, a request that another process had let in before may still write: credentials
/// are remembered for a second.
const STRAGGLERS: i64 = 2_000_000;

/// Reason of the hold on whom a connection leaves behind.
const REASON: &str = "The connection that managed this person was decommissioned.";

/// What becomes of the people of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum People {
    /// Local, and suspended until an Admin lifts it.
    #[default]
    Suspend,
    /// Local and invited at their address; suspended, who was kept out, or has no address of their own.
    Invite,
    /// They leave.
    Delete,
}

impl People {
    /// All of them.
    pub const ALL: [People; 3] = [People::Suspend, People::Invite, People::Delete];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            People::Suspend => "suspend",
            People::Invite => "invite",
            People::Delete => "delete",
        }
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        People::ALL.into_iter().find(|people| people.as_str() == text)
    }
}

pub(super) async fn step(db: &Database, job: JobRecord, now: i64) -> Result<()> {
    let connection = ConnectionId(subject(&job)?);
    let arguments: Value =
        serde_json::from_str(&job.arguments).map_err(|error| damaged("arguments of a job", error))?;
    let choice = arguments.get("people").and_then(Value::as_str).and_then(People::parse).unwrap_or_default();
    let scope = Scope { organization: job.organization, connection };
    show_hidden(db, scope).await?;
    let people = db.list_people_of(job.organization, connection, None, BATCH).await?;
    let handover = Handover { organization: job.organization, from: connection, to: ConnectionId::LOCAL };
    let moved = people.iter().map(|person| Moved::of(person, choice, &job, now)).collect::<Result<Vec<_>>>()?;
    let work = async move |db: &mut Db<'_>| {
        let deed = deed(&job, now);
        held_changes::end_all(db, scope, HeldEnd::Discarded, now, &job.created_by).await?;
        let (done, groups) = if moved.is_empty() {
            (0, ownership::hand_over_groups(db, now, handover, BATCH).await?)
        } else if choice == People::Delete {
            (delete(db, &deed, handover, &moved).await?, 0)
        } else {
            (release(db, &job, &deed, handover, &moved).await?, 0)
        };
        let rest = done > 0 || groups > 0;
        let settled = job.created.saturating_add(STRAGGLERS);
        let wait = (!rest && now < settled).then_some(settled);
        let finished = !rest && wait.is_none();
        jobs::advance(db, &deed, &job, &progress(&job, done, finished, wait)).await?;
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(work).await?)
}

/// People whose deletion the brake held are among those of the connection again: what is held is decided by the choice for
/// all of them.
async fn show_hidden(db: &Database, scope: Scope) -> Result<()> {
    loop {
        let hidden = db.list_people_of(scope.organization, scope.connection.held(), None, BATCH).await?;
        if hidden.is_empty() {
            return Ok(());
        }
        let show = async move |db: &mut Db<'_>| {
            for person in hidden {
                hidden::show(db, scope, person.id, Memberships::Kept).await?;
            }
            Ok::<_, StorageError>(())
        };
        db.transaction(show).await?;
    }
}

/// A person with their new standing.
struct Moved {
    person: PersonRecord,
    action: Action,
    detail: String,
    /// SHA-256 of the folded primary e-mail.
    email_hash: Option<[u8; 32]>,
    /// The hold, as it is or as it is to be on who is not invited.
    hold: String,
    /// The invitation, where there is to be one. Its link is nobody's yet: an Admin sends it again, which shows a new one.
    invitation: Option<InvitationColumns>,
}

impl Moved {
    fn of(person: &PersonRecord, choice: People, job: &JobRecord, now: i64) -> Result<Self> {
        let before = Resource::from_document(&person.document).map_err(|error| damaged(person.id, error))?;
        let mut after = before.clone();
        // Both are the directory's word, which nobody gives any more.
        after.attributes.remove("externalId");
        after.attributes.insert("active".to_owned(), Value::Bool(true));
        let (columns, add_values, remove_values) = keys::user_change(&before, &after, true);
        let action = match choice {
            People::Delete => Action::DeleteUser { id: person.id, expected: None },
            People::Suspend | People::Invite => Action::ReplaceUser {
                id: person.id,
                expected: person.version,
                columns,
                renames: false,
                add_values,
                remove_values,
            },
        };
        let is_let_in = person.access && person.suspension.is_none();
        let address = if choice == People::Invite && is_let_in { address(person, &before) } else { None };
        let invitation = address.map(|email| invitations::link(now, &email, "").map(|(_, columns)| columns));
        let hold = || {
            let (by, reason, actor) = (Suspender::Admin, Some(REASON.to_owned()), job.created_by.clone());
            Suspension { by, at: now, reason, actor }.print()
        };
        Ok(Moved {
            detail: json!({ "changed": ["managed"], "before": { "connection": job.subject.map(|id| id.to_string()) } })
                .to_string(),
            hold: person.suspension.clone().unwrap_or_else(hold),
            invitation: invitation.transpose().map_err(|error| damaged("the system's random generator", error))?,
            email_hash: primary_email(&before).map(|email| Sha256::digest(compare::fold(&email).as_bytes()).into()),
            person: person.clone(),
            action,
        })
    }
}

/// Where a person is invited: the primary e-mail, or else the user name.
fn address(person: &PersonRecord, resource: &Resource) -> Option<String> {
    let candidates = primary_email(resource).into_iter().chain([person.user_name.clone()]);
    candidates.map(|text| text.trim().to_owned()).find(|text| is_address(text))
}

async fn delete(db: &mut Db<'_>, deed: &Deed, handover: Handover, people: &[Moved]) -> crate::storage::Result<usize> {
    let scope = Scope { organization: handover.organization, connection: handover.from };
    for moved in people {
        leavers::end(db, handover.organization, moved.person.id).await?;
        let tombstone = Tombstone { mode: "delete", email_hash: moved.email_hash };
        leavers::bury(db, deed, handover.organization, moved.person.id, &tombstone).await?;
    }
    write(deed, scope, people).apply(db).await?;
    Ok(people.len())
}

async fn release(
    db: &mut Db<'_>,
    job: &JobRecord,
    deed: &Deed,
    handover: Handover,
    people: &[Moved],
) -> crate::storage::Result<usize> {
    let ids: Vec<_> = people.iter().map(|moved| moved.person.id).collect();
    if ownership::hand_over_people(db, handover, &ids).await? != ids.len() {
        return Err(StorageError::Stale);
    }
    let scope = Scope { organization: handover.organization, connection: handover.to };
    let receipt = write(deed, scope, people).apply(db).await?;
    for (moved, applied) in people.iter().zip(receipt) {
        let person = &moved.person;
        let invitation = match &moved.invitation {
            // Two people share the address: it invites one of them.
            Some(columns) if stored::is_pending_at(db, handover.organization, &columns.email_key).await? => None,
            invitation => invitation.as_ref(),
        };
        let hold = if invitation.is_some() { None } else { Some(moved.hold.as_str()) };
        ownership::set_standing(db, handover.organization, person.id, hold, invitation.is_some()).await?;
        let origin = AccountOrigin {
            managed_since: None,
            former_connection: Some(handover.from),
            former_external_id: person.external_id_key.clone(),
        };
        ownership::set_origin(db, deed.at, handover.organization, person.id, &origin).await?;
        let deed = super::deed(job, deed.at);
        let kind = EventKind::UserReleased;
        ownership::record_handover(db, &deed, handover, kind, person.id, applied.version, &moved.detail).await?;
        if let Some(columns) = invitation {
            invite(db, &super::deed(job, deed.at), handover.organization, person.id, columns).await?;
        }
    }
    Ok(people.len())
}

async fn invite(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    user: ResourceId,
    columns: &InvitationColumns,
) -> crate::storage::Result<()> {
    stored::set_inviter(db, deed, organization, user).await?;
    let detail = json!({ "after": { "email": columns.email } }).to_string();
    let new = NewInvitation { organization, id: ids::resource(), user, columns: columns.clone() };
    stored::insert(db, deed, &new, &detail).await?;
    Ok(())
}

fn write(deed: &Deed, scope: Scope, people: &[Moved]) -> Write {
    let change =
        |moved: &Moved| Change { action: moved.action.clone(), event: ids::event(), detail: moved.detail.clone() };
    Write {
        scope,
        at: deed.at,
        actor: deed.actor.clone(),
        request_id: deed.request_id.clone(),
        changes: people.iter().map(change).collect(),
        shows_group: false,
    }
}
