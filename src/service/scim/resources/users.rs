//! Writes and reads of users.

use serde_json::Value;

use super::{Attempt, Conditions, Refused, Show, Stored, Written, commit, damaged, detail, held, local, once};
use crate::domain::ids::ResourceId;
use crate::protocol::compare;
use crate::protocol::error::ScimError;
use crate::protocol::patch::PatchRequest;
use crate::protocol::projection::Projection;
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Registry, ResourceKind, ResourceType};
use crate::protocol::splice::Head;
use crate::protocol::validate;
use crate::service::adoption::Judged;
use crate::service::scim::brake::Verdict;
use crate::service::{Ctx, Result, ids};
use crate::storage::write::{Action, Applied, UserColumns};
use crate::storage::{Database, References, StorageError, UniqueKey, UserRecord, keys};

const KIND: ResourceKind = ResourceKind::User;

fn resource_type() -> &'static ResourceType {
    Registry::builtin().resource_type(KIND)
}

/// Whether an answer by this projection needs the user's groups.
pub(in crate::service::scim) fn references(projection: &Projection) -> References {
    if projection.wants("groups") { References::All } else { References::Skip }
}

/// What an answer is made of.
pub(in crate::service::scim) fn stored(record: UserRecord, references: References) -> Stored {
    Stored {
        kind: KIND,
        head: Head { id: record.id.0, version: record.version, created: record.created, modified: record.modified },
        document: record.document,
        references: (references != References::Skip).then_some(record.groups),
    }
}

pub(super) async fn find(ctx: &Ctx, db: &Database, id: ResourceId, projection: &Projection) -> Result<Option<Stored>> {
    let references = references(projection);
    let record = match db.find_user(ctx.scope, id, references).await? {
        Some(record) => Some(record),
        None => Box::pin(local::by_id(ctx, db, id)).await?.as_ref().map(local::record),
    };
    Ok(record.map(|record| stored(record, references)))
}

pub(super) async fn create(ctx: &Ctx, db: &Database, body: Value) -> Result<Stored> {
    let resource = validate::create(body, resource_type(), &ctx.policy)?.resource;
    let id = ids::resource();
    let (columns, values) = keys::user_columns(&resource, resource.active().unwrap_or(true));
    validate::check_size(&columns.document, &ctx.policy)?;
    refuse_blocked(ctx, db, &columns).await?;
    let user_name_key = columns.user_name_key.clone();
    if let Some(relinked) = Box::pin(local::relink(ctx, db, &resource)).await? {
        return Ok(relinked);
    }
    let document = columns.document.clone();
    let action = Action::InsertUser { id, columns, values };
    let applied = match commit(ctx, db, action, detail::created(&document)).await {
        Err(Refused::Taken(UniqueKey::UserName)) => {
            if let Some(back) = Box::pin(held::bring_back(ctx, db, &user_name_key, &resource)).await? {
                return Ok(back);
            }
            match Box::pin(local::create(ctx, db, &resource)).await? {
                Some(adopted) => return Ok(adopted),
                None => return Err(StorageError::NotUnique(UniqueKey::UserName).into()),
            }
        }
        outcome => once(outcome)?,
    };
    let head = Head { id: id.0, version: applied.version, created: ctx.now, modified: ctx.now };
    Ok(Stored { kind: KIND, head, document, references: Some(Vec::new()) })
}

/// Nobody gets a name that the operator blocked. Without any block in the organization this asks nothing.
async fn refuse_blocked(ctx: &Ctx, db: &Database, columns: &UserColumns) -> Result<()> {
    if !ctx.has_blocks {
        return Ok(());
    }
    let block = db.find_block_of(ctx.scope, &columns.user_name_key, columns.external_id_key.as_deref()).await?;
    let Some(block) = block else { return Ok(()) };
    let (by, value) = if block.user_name_key == columns.user_name_key {
        ("userName", columns.user_name.as_str())
    } else {
        ("externalId", columns.external_id_key.as_deref().unwrap_or_default())
    };
    let detail = format!(
        "The operator of this service removed and blocked the person with the {by} {value}: unassign them, or ask the \
         operator to lift the block"
    );
    Err(ScimError::uniqueness(detail).into())
}

pub(super) async fn replace(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    body: &Value,
    projection: &Projection,
    show: Show,
) -> Attempt<Written> {
    let loaded = load(ctx, db, id, conditions, projection, show).await?;
    let next = validate::replace(body.clone(), resource_type(), &loaded.current, &ctx.policy)?.resource;
    store(ctx, db, loaded, &next, projection, show).await
}

pub(super) async fn patch(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    request: &PatchRequest,
    projection: &Projection,
    show: Show,
) -> Attempt<Written> {
    let loaded = load(ctx, db, id, conditions, projection, show).await?;
    let next = request.apply(resource_type(), &loaded.current, &[], &ctx.policy)?.resource;
    store(ctx, db, loaded, &next, projection, show).await
}

pub(super) async fn delete(ctx: &Ctx, db: &Database, id: ResourceId, conditions: &Conditions) -> Attempt<()> {
    let record = db.find_user(ctx.scope, id, References::Skip).await?.ok_or(Refused::Missing)?;
    conditions.check(record.version)?;
    let expected = (!conditions.is_indifferent()).then_some(record.version);
    let action = Action::DeleteUser { id, expected };
    if record.access && ctx.brake.judge(ctx, db, id).await? == Verdict::Hold {
        return Box::pin(held::delete(ctx, db, action, &record.document)).await;
    }
    let is_held = leave(ctx, db, action, detail::deleted(&record.document), record.access).await?.1;
    if is_held {
        return Ok(());
    }
    let current = Resource::from_document(&record.document).map_err(|error| damaged(id, &error))?;
    if record.access && current.active() == Some(false) {
        Box::pin(held::withdraw(ctx, db, id)).await?;
    }
    Ok(())
}

/// A user to be changed.
struct Loaded {
    record: UserRecord,
    current: Resource,
    /// Where the person is local still, and adopted by the change.
    local: Option<Judged>,
}

/// The stored user, in scope and of a version that the client means, with its groups where the answer shows them.
async fn load(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    projection: &Projection,
    show: Show,
) -> Attempt<Loaded> {
    let references = if show == Show::Nothing { References::Skip } else { references(projection) };
    let (record, local) = match db.find_user(ctx.scope, id, references).await? {
        Some(record) => (record, None),
        None => {
            let judged = Box::pin(local::by_id(ctx, db, id)).await?.ok_or(Refused::Missing)?;
            (local::record(&judged), Some(judged))
        }
    };
    conditions.check(record.version)?;
    let current = Resource::from_document(&record.document).map_err(|error| damaged(id, &error))?;
    Ok(Loaded { record, current, local })
}

/// Commits the new state where it differs, and answers from what was committed without reading it again.
async fn store(
    ctx: &Ctx,
    db: &Database,
    loaded: Loaded,
    next: &Resource,
    projection: &Projection,
    show: Show,
) -> Attempt<Written> {
    let Loaded { mut record, current, local } = loaded;
    if let Some(judged) = local {
        // A write by id adopts, whether it changes anything or not.
        validate::check_size(&next.to_document(), &ctx.policy)?;
        refuse_blocked(ctx, db, &keys::user_columns(next, true).0).await?;
        record.version = Box::pin(local::adopt(ctx, db, &judged, next)).await?;
        record.modified = ctx.now;
        record.document = next.to_document();
    } else if let Some((applied, document)) = save(ctx, db, &record, &current, next).await? {
        record.version = applied.version;
        record.modified = ctx.now;
        record.document = document;
    }
    let version = record.version;
    let stored = (show != Show::Nothing).then(|| stored(record, references(projection)));
    Ok(Written { version, stored })
}

/// Commits the new state where it differs; answers what came of it with the new document. Where the brake holds the
/// departure, the person is let in still.
async fn save(
    ctx: &Ctx,
    db: &Database,
    record: &UserRecord,
    current: &Resource,
    next: &Resource,
) -> Attempt<Option<(Applied, String)>> {
    if current.attributes == next.attributes {
        return Ok(None);
    }
    let was_held = record.access && current.active() == Some(false);
    let leaves = record.access && !was_held && next.active() == Some(false);
    let holds = leaves && ctx.brake.judge(ctx, db, record.id).await? == Verdict::Hold;
    // Access follows the last explicit `active`, but for a departure that is held.
    let access = holds || was_held || next.active().unwrap_or(record.access);
    let (columns, add_values, remove_values) = keys::user_change(current, next, access);
    validate::check_size(&columns.document, &ctx.policy)?;
    let renames = current.user_name().map(compare::fold) != next.user_name().map(compare::fold);
    if renames || current.external_id() != next.external_id() {
        refuse_blocked(ctx, db, &columns).await?;
    }
    let document = columns.document.clone();
    let action =
        Action::ReplaceUser { id: record.id, expected: record.version, renames, columns, add_values, remove_values };
    let detail = detail::changed(&current.attributes, &next.attributes, None);
    if holds {
        return Ok(Some((Box::pin(held::deactivate(ctx, db, action, detail)).await?, document)));
    }
    let (applied, is_held) = leave(ctx, db, action, detail, leaves).await?;
    let comes = next.active() == Some(true) && current.active() != Some(true);
    if comes {
        ctx.brake.came_back(ctx, record.id);
    }
    if !is_held && comes && record.access {
        Box::pin(held::withdraw(ctx, db, record.id)).await?;
    }
    Ok(Some((applied, document)))
}

/// Commits a change, which may be a departure that the brake let pass; answers whether it is held after all, since the
/// organization would have no Admin left.
async fn leave(ctx: &Ctx, db: &Database, action: Action, detail: String, leaves: bool) -> Attempt<(Applied, bool)> {
    if !leaves {
        return Ok((commit(ctx, db, action, detail).await?, false));
    }
    let id = action.target();
    let done = if ctx.brake.may_be_last_admin(ctx, db, id).await? {
        Box::pin(held::unless_last_admin(ctx, db, action, detail)).await
    } else {
        commit(ctx, db, action, detail).await.map(|applied| (applied, false))
    };
    if !matches!(done, Ok((_, false))) {
        ctx.brake.came_back(ctx, id);
    }
    done
}
