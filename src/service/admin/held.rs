//! Changes of a directory that the brake holds: see them, let them take effect, or undo them.

use serde_json::{Value, json};

use super::connections::{load, permitted};
use super::error::Result;
use super::paging::{Page, PageRequest};
use super::role_change::guarded;
use super::{Caller, Refusal};
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::permission::Permission;
use crate::protocol::resource::Resource;
use crate::service::cursor::{Direction, Key, Position};
use crate::service::{ServiceError, ids};
use crate::storage::cold::brake;
pub use crate::storage::cold::held_changes::HeldRecord;
use crate::storage::cold::held_changes::{self, HeldDeed, HeldEnd, HeldPage};
use crate::storage::cold::hidden::{self, Memberships};
use crate::storage::cold::operator_log;
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, Deed, References, StorageError, Write, keys};

/// Changes decided by one request; what is left is told.
const MOST: usize = 1_000;
/// Changes read at once.
const BATCH: u32 = 100;
/// Times that a change is tried again when another write came between.
const ATTEMPTS: u32 = 5;

/// What becomes of held changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They take effect.
    Release,
    /// They are undone, over SCIM as well.
    Discard,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Changes decided.
    pub decided: usize,
    /// Changes that are held still.
    pub remaining: u64,
}

/// Held changes of a connection in the order of their ids.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn list(caller: &Caller, db: &Database, id: ConnectionId, ask: &PageRequest) -> Result<Page<HeldRecord>> {
    permitted(caller, Permission::ConnectionsRead)?;
    let scope = scope(caller, load(caller, db, id).await?.id);
    let descending = ask.sort.first().is_some_and(|sort| sort.descending);
    let backward = ask.position.as_ref().is_some_and(|position| position.direction == Direction::Backward);
    let beside = match ask.position.as_ref().and_then(|position| position.keys.last()) {
        Some(Key::Text(id)) => ResourceId::parse(id),
        _ => None,
    };
    let limit = u32::try_from(ask.limit).unwrap_or(u32::MAX).saturating_add(1);
    let mut rows = db.held_changes(scope, HeldPage { beside, rising: descending == backward, limit }).await?;
    let more = rows.len() > ask.limit;
    rows.truncate(ask.limit);
    if backward {
        rows.reverse();
    }
    let at = |row: Option<&HeldRecord>, direction| {
        row.map(|row| Position { direction, keys: vec![Key::Number(row.created), Key::Text(row.id.to_string())] })
    };
    let (has_before, has_behind) = if backward { (more, true) } else { (ask.position.is_some(), more) };
    Ok(Page {
        next: if has_behind { at(rows.last(), Direction::Forward) } else { None },
        previous: if has_before { at(rows.first(), Direction::Backward) } else { None },
        total: if ask.include_total { Some(db.count_held_changes(scope).await?) } else { None },
        rows,
    })
}

/// Decides on held changes of a connection: those of `wanted`, or all; not more than a thousand at once. `reason`: an
/// operator's, whose log is told as well.
///
/// # Errors
/// `PermissionDenied`, `Missing` connection, `LastAdmin` where the person was named.
pub async fn decide(
    caller: &Caller,
    db: &Database,
    id: ConnectionId,
    decision: Decision,
    wanted: Option<&[ResourceId]>,
    reason: Option<String>,
) -> Result<Decided> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let scope = scope(caller, load(caller, db, id).await?.id);
    let mut decided = 0;
    if let Some(wanted) = wanted {
        for held in &db.held_changes_named(scope, wanted).await? {
            decided += usize::from(one(caller, db, scope, held, decision, &reason).await?);
        }
    } else {
        let mut beside = None;
        while decided < MOST {
            let limit = BATCH.min(u32::try_from(MOST - decided).unwrap_or(BATCH));
            let page = db.held_changes(scope, HeldPage { beside, rising: true, limit }).await?;
            let Some(last) = page.last() else { break };
            beside = Some(last.id);
            for held in &page {
                match one(caller, db, scope, held, decision, &reason).await {
                    // Who must not go stays held; the others are not kept waiting for that.
                    Err(Refusal::LastAdmin) => {}
                    done => decided += usize::from(done?),
                }
            }
        }
    }
    if decided > 0 && decision == Decision::Release {
        // Whoever lets them go expects more of them.
        db.transaction(async move |db: &mut Db<'_>| brake::end_window(db, scope).await).await?;
    }
    Ok(Decided { decided, remaining: db.count_held_changes(scope).await? })
}

/// Decides on one change, in a transaction with its event; answers whether it was held still.
async fn one(
    caller: &Caller,
    db: &Database,
    scope: Scope,
    held: &HeldRecord,
    decision: Decision,
    reason: &Option<String>,
) -> Result<bool> {
    for _ in 0..ATTEMPTS {
        let write = write(caller, db, scope, held, decision).await?;
        let (user, deed, end) = (held.user_id, HeldDeed::of(&held.deed), end_of(decision));
        let (at, by) = (caller.now, caller.actor.to_string());
        let told = Deed { reason: reason.clone(), ..caller.deed() };
        let done = guarded(caller, db, async move |db: &mut Db<'_>| {
            if deed == HeldDeed::Delete {
                // To be deleted or to stay: as one of the connection's people.
                hidden::show(db, scope, user, Memberships::Kept).await?;
            }
            if !held_changes::end(db, scope.organization, user, Some(deed), end, at, &by).await? {
                // Decided meanwhile, or changed: what was shown is hidden again.
                return Err(Refusal::Missing);
            }
            if (deed, decision) == (HeldDeed::Deactivate, Decision::Release) {
                held_changes::keep_out(db, scope, user, at).await?;
            }
            if let Some(write) = write {
                match write.apply(db).await {
                    // The person left another way.
                    Ok(_) | Err(StorageError::Missing) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            held_changes::record_decision(db, &told, scope, (user, deed), end).await?;
            if told.reason.is_some() {
                operator_log::copy(db, &told, scope.organization).await?;
            }
            Ok(())
        });
        match done.await {
            Err(Refusal::Stale) => {}
            Err(Refusal::Missing) => return Ok(false),
            done => return done.map(|()| true),
        }
    }
    Err(Refusal::Service(ServiceError::Unavailable("stale after all repetitions".to_owned())))
}

/// The change of the person that belongs to a decision, where there is one.
async fn write(
    caller: &Caller,
    db: &Database,
    scope: Scope,
    held: &HeldRecord,
    decision: Decision,
) -> Result<Option<Write>> {
    let id = held.user_id;
    let (action, detail) = match (HeldDeed::of(&held.deed), decision) {
        (HeldDeed::Delete, Decision::Release) => {
            let hidden = Scope { connection: scope.connection.held(), ..scope };
            let Some(record) = db.find_user(hidden, id, References::Skip).await? else { return Ok(None) };
            (Action::DeleteUser { id, expected: None }, format!(r#"{{"before":{}}}"#, record.document))
        }
        (HeldDeed::Deactivate, Decision::Discard) => {
            let Some(record) = db.find_user(scope, id, References::Skip).await? else { return Ok(None) };
            let damaged = |error| ServiceError::Internal(format!("document of resource {id}: {error}"));
            let mut next = Resource::from_document(&record.document).map_err(damaged)?;
            if next.active() == Some(true) {
                return Ok(None);
            }
            next.attributes.insert("active".to_owned(), Value::Bool(true));
            let (columns, _) = keys::user_columns(&next, true);
            let action = Action::ReplaceUser {
                id,
                expected: record.version,
                columns,
                renames: false,
                add_values: Vec::new(),
                remove_values: Vec::new(),
            };
            let detail = json!({ "changed": ["active"], "before": { "active": false }, "after": { "active": true } });
            (action, detail.to_string())
        }
        (HeldDeed::Delete, Decision::Discard) | (HeldDeed::Deactivate, Decision::Release) => return Ok(None),
    };
    Ok(Some(Write {
        scope,
        at: caller.now,
        actor: caller.actor.to_string(),
        request_id: caller.request_id.clone(),
        changes: vec![Change { action, event: ids::event(), detail }],
        shows_group: false,
    }))
}

fn end_of(decision: Decision) -> HeldEnd {
    match decision {
        Decision::Release => HeldEnd::Released,
        Decision::Discard => HeldEnd::Discarded,
    }
}

fn scope(caller: &Caller, connection: ConnectionId) -> Scope {
    Scope { organization: caller.organization, connection }
}
