//! One deed on many people. Each obeys all rules alone; a rehearsal does what the deed would do, one after the other, and
//! undoes all of it.

use super::deed::noted;
use super::{hold, leave, role};
use crate::domain::ids::ResourceId;
use crate::domain::permission::{Permission, RoleSet};
use crate::domain::person::Action;
use crate::service::admin::Caller;
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::groups;
use crate::service::admin::role_change::{guarded, guarded_within};
use crate::storage::{Database, Db, StorageError};

/// People at most.
pub const MOST: usize = 200;

/// What is done to each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BulkDeed {
    Suspend { reason: Option<String> },
    Unsuspend { reason: Option<String> },
    Delete,
    AddRoles(RoleSet),
    RemoveRoles(RoleSet),
    AddToGroup(ResourceId),
    RemoveFromGroup(ResourceId),
}

/// What it came to for each person, in the order that was given.
pub type BulkResult = Vec<Result<()>>;

impl BulkDeed {
    fn permission(&self) -> Permission {
        match self {
            BulkDeed::Delete => Permission::UsersDelete,
            BulkDeed::AddToGroup(_) | BulkDeed::RemoveFromGroup(_) => Permission::GroupsWrite,
            _ => Permission::UsersWrite,
        }
    }

    fn action(&self) -> Action {
        match self {
            BulkDeed::Suspend { .. } => Action::Suspend,
            BulkDeed::Unsuspend { .. } => Action::Unsuspend,
            BulkDeed::Delete => Action::Delete,
            _ => Action::UpdateRoles,
        }
    }
}

/// Does it to each of these people, or rehearses it; `None` is an id that nobody can have.
///
/// # Errors
/// `PermissionDenied`, `Invalid`, `Missing` for the group; those of storage.
pub async fn bulk(
    caller: &Caller,
    db: &Database,
    deed: BulkDeed,
    ids: Vec<Option<ResourceId>>,
    rehearse: bool,
) -> Result<BulkResult> {
    caller.permitted(deed.permission())?;
    match &deed {
        BulkDeed::Suspend { reason } | BulkDeed::Unsuspend { reason } => hold::check_reason(reason.as_deref())?,
        BulkDeed::AddToGroup(group) | BulkDeed::RemoveFromGroup(group) => {
            groups::check_local(&groups::get(caller, db, *group).await?, "group.update_members")?;
        }
        _ => {}
    }
    if rehearse { rehearsed(caller, db, deed, ids).await } else { done(caller, db, &deed, ids).await }
}

async fn done(caller: &Caller, db: &Database, deed: &BulkDeed, ids: Vec<Option<ResourceId>>) -> Result<BulkResult> {
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(id) = id else {
            results.push(Err(Refusal::Missing));
            continue;
        };
        let (caller_of, deed_of) = (caller.clone(), deed.clone());
        let one = async move |db: &mut Db<'_>| perform(db, &caller_of, id, &deed_of).await;
        results.push(match guarded(caller, db, one).await {
            Err(Refusal::Service(failure)) => return Err(failure.into()),
            Err(refused) => Err(noted(caller, db, id, deed.action(), refused).await?),
            Ok(()) => Ok(()),
        });
    }
    Ok(results)
}

/// Carries the results out of the transaction that is undone.
enum Rehearsal {
    Over(BulkResult),
    Failed(Refusal),
}

impl From<StorageError> for Rehearsal {
    fn from(error: StorageError) -> Self {
        Rehearsal::Failed(error.into())
    }
}

async fn rehearsed(caller: &Caller, db: &Database, deed: BulkDeed, ids: Vec<Option<ResourceId>>) -> Result<BulkResult> {
    let caller = caller.clone();
    let play = async move |db: &mut Db<'_>| {
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            results.push(match id {
                None => Err(Refusal::Missing),
                Some(id) => match rehearse_one(db, &caller, id, &deed).await {
                    Err(Refusal::Service(failure)) => return Err(Rehearsal::Failed(failure.into())),
                    other => other,
                },
            });
        }
        Err::<(), _>(Rehearsal::Over(results))
    };
    match db.transaction(play).await {
        Err(Rehearsal::Over(results)) => Ok(results),
        Err(Rehearsal::Failed(failure)) => Err(failure),
        Ok(()) => Ok(Vec::new()),
    }
}

async fn rehearse_one(db: &mut Db<'_>, caller: &Caller, id: ResourceId, deed: &BulkDeed) -> Result<()> {
    db.tx(async |db: &mut Db<'_>| {
        guarded_within(db, caller, async |db: &mut Db<'_>| perform(db, caller, id, deed).await).await
    })
    .await
}

async fn perform(db: &mut Db<'_>, caller: &Caller, id: ResourceId, deed: &BulkDeed) -> Result<()> {
    match deed {
        BulkDeed::Suspend { reason } => hold::within(db, caller, id, None, Action::Suspend, reason.clone()).await,
        BulkDeed::Unsuspend { reason } => hold::within(db, caller, id, None, Action::Unsuspend, reason.clone()).await,
        BulkDeed::Delete => leave::delete_within(db, caller, id, None).await,
        BulkDeed::AddRoles(roles) => role::within(db, caller, id, None, &|held| held.union(*roles)).await,
        BulkDeed::RemoveRoles(roles) => {
            let without = |held: RoleSet| held.iter().filter(|role| !roles.contains(*role)).collect();
            role::within(db, caller, id, None, &without).await
        }
        BulkDeed::AddToGroup(group) => groups::put_into(db, caller, *group, id).await,
        BulkDeed::RemoveFromGroup(group) => groups::take_out_of(db, caller, *group, id).await,
    }
}
