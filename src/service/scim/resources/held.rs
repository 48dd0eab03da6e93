//! Departures that the brake holds, as the directory meets them: done over SCIM, waiting here. A request that is only tried
//! holds nothing and ends no hold; the log is told the same.

use super::{Attempt, Refused, Stored, damaged, detail, first, happened, once, write_of};
use crate::domain::event::EventKind;
use crate::domain::ids::{ResourceId, Scope};
use crate::domain::provisioning::Happened;
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::protocol::schema::ResourceKind;
use crate::protocol::splice::Head;
use crate::service::scim::brake::{self, Stay};
use crate::service::{Ctx, Effect, Result};
use crate::storage::write::{Action, Applied};
use crate::storage::{Database, References, StorageError, UserRecord, Write, keys};

/// Deletes a person over SCIM alone.
pub(super) async fn delete(ctx: &Ctx, db: &Database, action: Action, document: &str) -> Attempt<()> {
    let (id, expected) = match &action {
        Action::DeleteUser { id, expected } => (*id, *expected),
        other => (other.target(), None),
    };
    let write = write_of(ctx, action, detail::deleted(document));
    let told = told(&write);
    let outcome = match ctx.effect {
        Effect::Rehearse => db.rehearse(write).await,
        Effect::Commit => brake::hide(ctx, db, id, expected).await.map(|()| vec![Applied::new(0, true)]),
    };
    first(ctx, told, outcome)?;
    Ok(())
}

/// Deactivates a person over SCIM alone.
pub(super) async fn deactivate(ctx: &Ctx, db: &Database, action: Action, detail: String) -> Attempt<Applied> {
    let (id, write) = (action.target(), write_of(ctx, action, detail));
    let told = told(&write);
    let outcome = match ctx.effect {
        Effect::Rehearse => db.rehearse(write).await,
        Effect::Commit => brake::hold(ctx, db, id, write).await,
    };
    first(ctx, told, outcome)
}

/// A departure of one who may be the last Admin; answers what came of it, and whether it is held.
pub(super) async fn unless_last_admin(
    ctx: &Ctx,
    db: &Database,
    action: Action,
    detail: String,
) -> Attempt<(Applied, bool)> {
    let id = action.target();
    let stay = match &action {
        Action::DeleteUser { expected, .. } => Stay::Hide(*expected),
        action => Stay::Hold(write_of(ctx, let_in(action.clone()), detail.clone())),
    };
    let leave = write_of(ctx, action, detail);
    let done = happened(&leave);
    let (outcome, is_held) = match ctx.effect {
        Effect::Rehearse => (db.rehearse(leave).await, false),
        Effect::Commit => match brake::leave_unless_last_admin(ctx, db, id, leave, stay).await {
            Ok((receipt, is_held)) => (Ok(receipt), is_held),
            Err(error) => (Err(error), false),
        },
    };
    let kind = |happened: Happened| {
        if is_held { Happened { kind: EventKind::ProvisioningHeld, ..happened } } else { happened }
    };
    Ok((first(ctx, done.map(kind), outcome)?, is_held))
}

fn let_in(mut action: Action) -> Action {
    if let Action::ReplaceUser { columns, .. } = &mut action {
        columns.access = true;
    }
    action
}

/// The directory takes back that it deactivated a person, or has done it for good.
pub(super) async fn withdraw(ctx: &Ctx, db: &Database, id: ResourceId) -> Result<()> {
    if ctx.effect == Effect::Commit {
        db.withdraw_held(ctx.scope, id, ctx.now, ctx.actor.to_string()).await?;
    }
    Ok(())
}

/// A create of a name whose owner this directory deleted while the brake held that: the same person, as the body says.
pub(super) async fn bring_back(
    ctx: &Ctx,
    db: &Database,
    user_name_key: &str,
    next: &Resource,
) -> Result<Option<Stored>> {
    for round in 0..super::ATTEMPTS {
        let Some(id) = db.find_hidden(ctx.scope, user_name_key).await? else { return Ok(None) };
        let Some(record) = db.find_user(hidden(ctx.scope), id, References::Skip).await? else { return Ok(None) };
        match replaced(ctx, db, &record, next).await {
            Err(Refused::Stale | Refused::Missing) => tokio::time::sleep(super::pause(round)).await,
            outcome => {
                let head = Head { id: id.0, version: once(outcome)?, created: record.created, modified: ctx.now };
                let (kind, document) = (ResourceKind::User, next.to_document());
                return Ok(Some(Stored { kind, head, document, references: Some(Vec::new()) }));
            }
        }
    }
    Err(StorageError::Stale.into())
}

/// The write of a person who comes back; answers the new version.
async fn replaced(ctx: &Ctx, db: &Database, record: &UserRecord, next: &Resource) -> Attempt<i64> {
    let current = Resource::from_document(&record.document).map_err(|error| damaged(record.id, &error))?;
    // Who is created inactive does not leave, but stays held.
    let (columns, add_values, remove_values) = keys::user_change(&current, next, true);
    let action = Action::ReplaceUser {
        id: record.id,
        expected: record.version,
        renames: current.user_name().map(compare::fold) != next.user_name().map(compare::fold),
        columns,
        add_values,
        remove_values,
    };
    let is_let_in = next.active() != Some(false);
    let write = write_of(ctx, action, detail::changed(&current.attributes, &next.attributes, None));
    let told = if is_let_in { happened(&write) } else { told(&write) };
    let outcome = match ctx.effect {
        Effect::Rehearse => db.rehearse(Write { scope: hidden(ctx.scope), ..write }).await,
        Effect::Commit => brake::bring_back(ctx, db, record.id, write, is_let_in).await,
    };
    let version = first(ctx, told, outcome)?.version;
    ctx.brake.came_back(ctx, record.id);
    Ok(version)
}

/// Where those stand whom the directory deleted while the brake held that.
fn hidden(scope: Scope) -> Scope {
    Scope { connection: scope.connection.held(), ..scope }
}

/// What the log is told: the change as written, and that it is held.
fn told(write: &Write) -> Option<Happened> {
    happened(write).map(|happened| Happened { kind: EventKind::ProvisioningHeld, ..happened })
}
