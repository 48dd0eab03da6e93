//! A new link for an invitation that waits, and the end of one.

use serde_json::json;

use super::{ATTEMPTS, Sent, check_pace, link, load, shown};
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::permission::Permission;
use crate::service::admin::Caller;
use crate::service::admin::error::{Refusal, Result};
use crate::storage::cold::{invitations, people};
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, Write};

/// Makes a new link; the one before is dead, and the time begins anew.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `InvitationNotPending`; `TooManyRequests` within a minute of the last.
pub async fn resend(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<Sent> {
    caller.permitted(Permission::UsersInvite)?;
    let mut attempt = 1;
    loop {
        let caller_of = caller.clone();
        let deed = async move |db: &mut Db<'_>| {
            let caller = caller_of;
            let read = load(db, &caller, id, expected).await?;
            check_pace(&read, caller.now)?;
            let (secret, columns) = link(caller.now, &read.email, &read.message)?;
            let detail = json!({ "email": read.email, "user": read.user.to_string() }).to_string();
            let stored = invitations::renew(db, &caller.deed(), &read, &columns, &detail).await?;
            Ok::<_, Refusal>((stored, secret))
        };
        match db.transaction(deed).await {
            Err(Refusal::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            Err(refused) => return Err(refused),
            Ok((record, secret)) => {
                let invitation = shown(db, caller.organization, record, caller.now).await?;
                return Ok(Sent { invitation, secret: caller.is_admin().then_some(secret) });
            }
        }
    }
}

/// Withdraws an invitation; the person who has not joined is gone.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `InvitationNotPending`.
pub async fn withdraw(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<()> {
    caller.permitted(Permission::UsersInvite)?;
    let mut attempt = 1;
    loop {
        let caller_of = caller.clone();
        let deed = async move |db: &mut Db<'_>| withdraw_within(db, &caller_of, id, expected).await;
        match db.transaction(deed).await {
            Err(Refusal::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn withdraw_within(db: &mut Db<'_>, caller: &Caller, id: ResourceId, expected: Option<i64>) -> Result<()> {
    let read = load(db, caller, id, expected).await?;
    let organization = caller.organization;
    let person = people::lock(db, organization, read.user).await?;
    let detail = json!({ "email": read.email, "user": read.user.to_string() }).to_string();
    invitations::withdraw(db, &caller.deed(), &read, &detail).await?;
    // Whoever has joined meanwhile, or belongs to a directory now, stays.
    let Some(person) = person.filter(|p| p.invited && p.connection == ConnectionId::LOCAL) else { return Ok(()) };
    let deed = caller.deed();
    let write = Write {
        scope: Scope { organization, connection: ConnectionId::LOCAL },
        at: caller.now,
        actor: caller.actor.to_string(),
        request_id: caller.request_id.clone(),
        changes: vec![Change {
            action: Action::DeleteUser { id: person.id, expected: None },
            event: deed.event,
            detail: format!(r#"{{"before":{}}}"#, person.document),
        }],
        shows_group: false,
    };
    write.apply(db).await?;
    Ok(people::explain(db, &deed, organization).await?)
}
