//! The local hold: kept here only, whoever manages the person.

use serde_json::json;

use super::{Subject, User, deed::noted, shown};
use crate::domain::event::EventKind;
use crate::domain::ids::ResourceId;
use crate::domain::person::{Action, Suspender, Suspension};
use crate::service::admin::Caller;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::admin::role_change::guarded;
use crate::storage::cold::people;
use crate::storage::{Database, Db};

/// Longest reason, in characters.
const REASON: usize = 500;

/// Keeps a person out.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `Invalid`, `OwnAccount`, `LastAdmin`, `UserState`.
pub async fn suspend(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    reason: Option<String>,
) -> Result<User> {
    check_reason(reason.as_deref())?;
    change(caller, db, id, expected, Action::Suspend, reason).await
}

/// Lifts the hold. Whom a directory keeps out as well stays out.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `ManagedExternally`, `Invalid`, `UserState`.
pub async fn unsuspend(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    reason: Option<String>,
) -> Result<User> {
    check_reason(reason.as_deref())?;
    change(caller, db, id, expected, Action::Unsuspend, reason).await
}

pub(super) fn check_reason(reason: Option<&str>) -> Result<()> {
    let fine = |text: &str| text.chars().count() <= REASON && !text.chars().any(|c| c.is_control() && c != '\n');
    if reason.is_none_or(fine) {
        return Ok(());
    }
    let detail = format!("A reason has at most {REASON} characters, without control characters.");
    Err(Refusal::Invalid(vec![Invalid::new("/reason", detail)]))
}

async fn change(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    action: Action,
    reason: Option<String>,
) -> Result<User> {
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| within(db, &caller_of, id, expected, action, reason).await;
    match guarded(caller, db, deed).await {
        Err(refused) => Err(noted(caller, db, id, action, refused).await?),
        Ok(()) => shown(caller, db, id).await,
    }
}

pub(super) async fn within(
    db: &mut Db<'_>,
    caller: &Caller,
    id: ResourceId,
    expected: Option<i64>,
    action: Action,
    reason: Option<String>,
) -> Result<()> {
    let Subject { record, .. } = Subject::load(db, caller, id, expected, action).await?;
    let mut deed = caller.deed();
    let (hold, kind) = if action == Action::Suspend {
        let (at, actor) = (caller.now, deed.actor.clone());
        let hold = Suspension { by: Suspender::Admin, at, reason: reason.clone(), actor };
        (Some(hold.print()), EventKind::UserSuspended)
    } else {
        (None, EventKind::UserUnsuspended)
    };
    deed.reason = reason;
    let account = people::set_hold(db, caller.organization, id, caller.now, hold.as_deref()).await?;
    let is_held = |held: bool| json!({ "suspended": held });
    let detail = json!({
        "changed": ["suspended"], "before": is_held(hold.is_none()), "after": is_held(hold.is_some()),
    });
    let version = record.version.saturating_add(account);
    Ok(people::record_deed(db, &deed, caller.organization, kind, &record, version, &detail.to_string()).await?)
}
