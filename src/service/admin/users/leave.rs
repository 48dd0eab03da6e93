//! People who leave the organization, or the directory that managed them.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{PersonRecord, Subject, User, deed::noted, resource, shown};
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope};
use crate::domain::person::{Action, Profile, Suspender, Suspension};
use crate::protocol::compare;
use crate::service::admin::Caller;
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::role_change::guarded;
use crate::service::ids;
use crate::storage::cold::held_changes::{self, HeldEnd};
use crate::storage::cold::leavers::{self, Tombstone};
use crate::storage::cold::ownership::{self, AccountOrigin, Handover};
use crate::storage::cold::people;
use crate::storage::write::{self, Change};
use crate::storage::{Database, Db, Deed, Write, keys};

/// Deletes a person whom no directory manages, with roles, account and invitations; a tombstone stays.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `ManagedExternally`, `OwnAccount`, `LastAdmin`.
pub async fn delete(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<()> {
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| delete_within(db, &caller_of, id, expected).await;
    match guarded(caller, db, deed).await {
        Err(refused) => Err(noted(caller, db, id, Action::Delete, refused).await?),
        Ok(()) => Ok(()),
    }
}

pub(super) async fn delete_within(
    db: &mut Db<'_>,
    caller: &Caller,
    id: ResourceId,
    expected: Option<i64>,
) -> Result<()> {
    let Subject { record, .. } = Subject::load(db, caller, id, expected, Action::Delete).await?;
    let organization = caller.organization;
    let email = Profile::of(&resource(&record)?).email;
    let email_hash = email.map(|email| Sha256::digest(compare::fold(&email).as_bytes()).into());
    let deed = caller.deed();
    leavers::bury(db, &deed, organization, id, &Tombstone { mode: "delete", email_hash }).await?;
    leavers::end(db, organization, id).await?;
    let detail = format!(r#"{{"before":{}}}"#, record.document);
    let action = write::Action::DeleteUser { id, expected: None };
    let change = Change { action, event: deed.event, detail };
    write(caller, Scope { organization, connection: record.connection }, change).apply(db).await?;
    Ok(people::explain(db, &deed, organization).await?)
}

/// Makes a person local whom the directory has deactivated, and suspended until somebody lifts it.
///
/// # Errors
/// `PermissionDenied`, `Missing` (also while the feature is off), `Stale`, `Guarded`, `ManagedExternally`, `UserState`.
pub async fn release(caller: &Caller, db: &Database, id: ResourceId, expected: Option<i64>) -> Result<User> {
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| release_within(db, &caller_of, id, expected).await;
    match guarded(caller, db, deed).await {
        Err(refused) => Err(noted(caller, db, id, Action::Release, refused).await?),
        Ok(()) => shown(caller, db, id).await,
    }
}

async fn release_within(db: &mut Db<'_>, caller: &Caller, id: ResourceId, expected: Option<i64>) -> Result<()> {
    let Subject { setting, record, .. } = Subject::load(db, caller, id, expected, Action::Release).await?;
    let name = setting.manager(record.connection).map(|manager| manager.name.clone()).unwrap_or_default();
    let_go(db, &caller.deed(), caller.organization, &record, &name, Suspender::Admin).await
}

/// Makes a person local whom a directory manages, and suspended by whoever does it. `directory`: its name.
pub(crate) async fn let_go(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    record: &PersonRecord,
    directory: &str,
    by: Suspender,
) -> Result<()> {
    let (id, owner) = (record.id, record.connection.owner());
    let handover = Handover { organization, from: record.connection, to: ConnectionId::LOCAL };
    let before = resource(record)?;
    let mut after = before.clone();
    // All three are the directory's word, which nobody gives any more.
    after.attributes.remove("externalId");
    after.attributes.remove("roles");
    after.attributes.insert("active".to_owned(), Value::Bool(true));
    let (columns, add_values, remove_values) = keys::user_change(&before, &after, true);
    let action =
        write::Action::ReplaceUser { id, expected: record.version, columns, renames: false, add_values, remove_values };
    let hold = record.suspension.clone().unwrap_or_else(|| {
        let reason = Some(format!("Released from {directory}."));
        Suspension { by, at: deed.at, reason, actor: deed.actor.clone() }.print()
    });
    if ownership::hand_over_people(db, handover, &[id]).await? != 1 {
        return Err(Refusal::Missing);
    }
    held_changes::end(db, organization, id, None, HeldEnd::Withdrawn, deed.at, &deed.actor).await?;
    people::leave_groups_of(db, organization, id, owner).await?;
    ownership::set_standing(db, organization, id, Some(&hold), false).await?;
    let origin = AccountOrigin {
        managed_since: None,
        former_connection: Some(owner),
        former_external_id: before.external_id().map(str::to_owned),
    };
    ownership::set_origin(db, deed.at, organization, id, &origin).await?;
    let detail = json!({ "changed": ["managed"], "before": { "connection": owner.to_string() } }).to_string();
    let change = Change { action, event: ids::event(), detail: detail.clone() };
    let scope = Scope { organization, connection: ConnectionId::LOCAL };
    let receipt = write_of(deed, scope, change).apply(db).await?;
    let version = receipt.first().map_or(record.version, |applied| applied.version);
    let handover = Handover { from: owner, ..handover };
    ownership::record_handover(db, deed, handover, EventKind::UserReleased, id, version, &detail).await?;
    Ok(())
}

pub(super) fn write(caller: &Caller, scope: Scope, change: Change) -> Write {
    write_of(&caller.deed(), scope, change)
}

fn write_of(deed: &Deed, scope: Scope, change: Change) -> Write {
    Write {
        scope,
        at: deed.at,
        actor: deed.actor.clone(),
        request_id: deed.request_id.clone(),
        changes: vec![change],
        shows_group: false,
    }
}
