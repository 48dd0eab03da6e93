//! Create, get, replace, patch and delete of users and groups (RFC 7644 §3.3 to §3.6): read, ask the pure engine, commit
//! one `Write`. A write that lost a race reads again and repeats, unless the client named the version it meant.

pub(in crate::service) mod detail;
pub(super) mod groups;
mod held;
pub(super) mod local;
pub(super) mod users;

use std::time::Duration;

use serde_json::Value;

use crate::domain::connection::Access;
use crate::domain::ids::ResourceId;
use crate::domain::provisioning::Happened;
use crate::protocol::error::ScimError;
use crate::protocol::etag::Condition;
use crate::protocol::projection::Projection;
use crate::protocol::schema::ResourceKind;
use crate::protocol::splice::{Head, Reference};
use crate::service::{Ctx, Effect, Result, ServiceError, ids};
use crate::storage::write::{Action, Applied, Change, Receipt, UnknownMembers};
use crate::storage::{Database, StorageError, UniqueKey, Write};

/// Repetitions of a write that lost a race.
const ATTEMPTS: u32 = 10;
/// Longest first pause before a repetition; it doubles each time.
const PAUSE: Duration = Duration::from_millis(1);

/// A resource as it is stored: what an answer is spliced from.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// User or group.
    pub kind: ResourceKind,
    /// Id, version, times.
    pub head: Head,
    /// The stored text.
    pub document: String,
    /// `groups` of a user, `members` of a group; `None` where nobody asked for them.
    pub references: Option<Vec<Reference>>,
}

/// What a PUT or PATCH came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Version now stored.
    pub version: i64,
    /// The resource, where the answer is to show it.
    pub stored: Option<Stored>,
}

/// How much of the resource the answer to a PUT or PATCH shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Nothing (`Prefer: return=minimal`).
    Nothing,
    /// The resource, but for a patched group of more than a hundred members.
    Usual,
    /// The resource.
    Whole,
}

/// The conditions of a request (RFC 9110 §13). A malformed `If-Match` matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// `If-Match`
    pub if_match: Option<Condition>,
    /// `If-None-Match`
    pub if_none_match: Option<Condition>,
}

impl Conditions {
    /// Whether a write may go on from the stored version.
    ///
    /// # Errors
    /// 412.
    pub fn check(&self, version: i64) -> std::result::Result<(), ScimError> {
        let fails = self.if_match.as_ref().is_some_and(|condition| !condition.matches(version))
            || self.if_none_match.as_ref().is_some_and(|condition| condition.matches(version));
        if fails { Err(ScimError::precondition_failed()) } else { Ok(()) }
    }

    /// Whether the client already has the stored version.
    pub fn is_unmodified(&self, version: i64) -> bool {
        self.if_none_match.as_ref().is_some_and(|condition| condition.matches(version))
    }

    /// Whether a write can go without looking at the stored version first.
    fn is_indifferent(&self) -> bool {
        self.if_none_match.is_none() && matches!(self.if_match, None | Some(Condition::Any))
    }
}

/// POST of a new resource.
///
/// # Errors
/// Those of `validate::create`; 409 `uniqueness`; 400 `invalidValue` for unknown members; 503 while paused.
pub async fn create(
    ctx: &Ctx,
    db: &Database,
    kind: ResourceKind,
    body: Value,
    projection: &Projection,
) -> Result<Stored> {
    check_writable(ctx)?;
    match kind {
        ResourceKind::User => users::create(ctx, db, body).await,
        ResourceKind::Group => groups::create(ctx, db, body, projection).await,
    }
}

/// GET by id.
///
/// # Errors
/// 404.
pub async fn get(ctx: &Ctx, db: &Database, kind: ResourceKind, id: &str, projection: &Projection) -> Result<Stored> {
    let found = match (kind, ResourceId::parse(id)) {
        (_, None) => None,
        (ResourceKind::User, Some(id)) => users::find(ctx, db, id, projection).await?,
        (ResourceKind::Group, Some(id)) => groups::find(ctx, db, id, projection).await?,
    };
    found.ok_or_else(|| ScimError::not_found(id).into())
}

/// PUT: the body replaces what the client may write.
///
/// # Errors
/// 404, 412; those of `validate::replace`; 409 `uniqueness`; 400 `invalidValue` for unknown members; 503 while paused.
pub async fn replace(
    ctx: &Ctx,
    db: &Database,
    target: Target<'_>,
    body: &Value,
    projection: &Projection,
    show: Show,
) -> Result<Written> {
    check_writable(ctx)?;
    let id = target.id()?;
    repeat(ctx, db, target, async || match target.kind {
        ResourceKind::User => users::replace(ctx, db, id, target.conditions, body, projection, show).await,
        ResourceKind::Group => groups::replace(ctx, db, id, target.conditions, body, projection, show).await,
    })
    .await
}

/// PATCH: all operations or none.
///
/// # Errors
/// 404, 412; those of `PatchRequest`; 409 `uniqueness`; 400 `invalidValue` for unknown members; 503 while paused.
pub async fn patch(
    ctx: &Ctx,
    db: &Database,
    target: Target<'_>,
    body: Value,
    projection: &Projection,
    show: Show,
) -> Result<Written> {
    check_writable(ctx)?;
    let request = parse_patch(ctx, target.kind, body)?;
    let id = target.id()?;
    repeat(ctx, db, target, async || match target.kind {
        ResourceKind::User => users::patch(ctx, db, id, target.conditions, &request, projection, show).await,
        ResourceKind::Group => groups::patch(ctx, db, id, target.conditions, &request, projection, show).await,
    })
    .await
}

/// DELETE.
///
/// # Errors
/// 404, 412; 503 while paused.
pub async fn delete(ctx: &Ctx, db: &Database, target: Target<'_>) -> Result<()> {
    check_writable(ctx)?;
    let id = target.id()?;
    repeat(ctx, db, target, async || match target.kind {
        ResourceKind::User => users::delete(ctx, db, id, target.conditions).await,
        ResourceKind::Group => groups::delete(ctx, db, id, target.conditions).await,
    })
    .await
}

/// The resource that a write is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// User or group.
    pub kind: ResourceKind,
    /// As it stands in the path.
    pub id: &'a str,
    /// Versions that the client insists on.
    pub conditions: &'a Conditions,
}

impl Target<'_> {
    fn id(&self) -> Result<ResourceId> {
        ResourceId::parse(self.id).ok_or_else(|| ScimError::not_found(self.id).into())
    }
}

/// Why one attempt of a write did not succeed.
enum Refused {
    /// The version that was read is not stored any more.
    Stale,
    /// The resource does not exist.
    Missing,
    /// A unique key is taken.
    Taken(UniqueKey),
    /// Members that the connection does not see.
    MissingMembers(Vec<ResourceId>),
    /// Anything that a repetition would not change.
    Final(ServiceError),
}

impl Refused {
    fn of(error: StorageError) -> Self {
        match error {
            StorageError::Stale => Refused::Stale,
            StorageError::Missing => Refused::Missing,
            StorageError::NotUnique(key) => Refused::Taken(key),
            StorageError::MissingMembers(ids) => Refused::MissingMembers(ids),
            error => Refused::Final(error.into()),
        }
    }
}

impl<E: Into<ServiceError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused::Final(error.into())
    }
}

type Attempt<T> = std::result::Result<T, Refused>;

/// Repeats a write while it loses races. Where `If-Match` names versions, the attempt reads again and finds another one,
/// which is 412, so that only writes without such a condition go round.
async fn repeat<T>(ctx: &Ctx, db: &Database, target: Target<'_>, attempt: impl AsyncFn() -> Attempt<T>) -> Result<T> {
    for round in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Refused::Missing) => return Err(ScimError::not_found(target.id).into()),
            Err(Refused::Final(error)) => return Err(error),
            Err(Refused::Stale) => tokio::time::sleep(pause(round)).await,
            Err(Refused::Taken(key)) => return Err(StorageError::NotUnique(key).into()),
            // Local people whom the connection may adopt are as good as its own.
            Err(Refused::MissingMembers(ids)) if Box::pin(local::adopt_members(ctx, db, &ids)).await? => {}
            Err(Refused::MissingMembers(ids)) => return Err(StorageError::MissingMembers(ids).into()),
        }
    }
    Err(StorageError::Stale.into())
}

/// A random share of a pause that doubles, so that the losers of a race do not meet again.
fn pause(round: u32) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    (PAUSE * 2u32.saturating_pow(round.min(6))).mul_f64(share)
}

fn check_writable(ctx: &Ctx) -> Result<()> {
    match ctx.access {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly | Access::None => {
            Err(ScimError::new(503, None, "The connection is paused: repeat the request when it is resumed").into())
        }
    }
}

fn parse_patch(ctx: &Ctx, kind: ResourceKind, body: Value) -> Result<crate::protocol::patch::PatchRequest> {
    let rt = crate::protocol::schema::Registry::builtin().resource_type(kind);
    Ok(crate::protocol::patch::PatchRequest::parse(body, rt, &ctx.policy)?)
}

/// Commits one change with its event.
async fn commit(ctx: &Ctx, db: &Database, action: Action, detail: String) -> Attempt<Applied> {
    commit_and_show(ctx, db, action, detail, false).await
}

/// The same, with the written group in the receipt where `shows_group`.
async fn commit_and_show(
    ctx: &Ctx,
    db: &Database,
    action: Action,
    detail: String,
    shows_group: bool,
) -> Attempt<Applied> {
    let write = Write { shows_group, ..write_of(ctx, action, detail) };
    let traced = happened(&write);
    let outcome = match ctx.effect {
        Effect::Commit => db.commit(write).await,
        Effect::Rehearse => match Box::pin(db.rehearse(write.clone())).await {
            // Who would be adopted first is nobody's member before.
            Err(StorageError::MissingMembers(ids)) if Box::pin(local::adopt_members(ctx, db, &ids)).await? => {
                Box::pin(db.rehearse(without_unknown_members(write))).await
            }
            outcome => outcome,
        },
    };
    first(ctx, traced, outcome)
}

fn without_unknown_members(mut write: Write) -> Write {
    for change in &mut write.changes {
        if let Action::InsertGroup { unknown_members, .. } | Action::UpdateGroup { unknown_members, .. } =
            &mut change.action
        {
            *unknown_members = UnknownMembers::Ignore;
        }
    }
    write
}

/// One change with its event.
fn write_of(ctx: &Ctx, action: Action, detail: String) -> Write {
    Write {
        shows_group: false,
        scope: ctx.scope,
        at: ctx.now,
        actor: ctx.actor.to_string(),
        request_id: ctx.request_id.to_string(),
        changes: vec![Change { action, event: ids::event(), detail }],
    }
}

/// What a write of one change comes to, for the log.
fn happened(write: &Write) -> Option<Happened> {
    let change = write.changes.first()?;
    let (resource, kind) = (change.action.target(), change.action.event_kind());
    Some(Happened { resource, kind, changed: true, detail: change.detail.clone() })
}

/// What a write of one change came to; the log is told.
fn first(ctx: &Ctx, traced: Option<Happened>, outcome: std::result::Result<Receipt, StorageError>) -> Attempt<Applied> {
    let applied = outcome.map_err(Refused::of)?.into_iter().next();
    let applied =
        applied.ok_or_else(|| Refused::Final(ServiceError::Internal("a commit without receipt".to_owned())))?;
    if let Some(happened) = traced {
        // Once a request: only the attempt that succeeds comes here.
        _ = ctx.trace.set(Happened { changed: applied.changed, ..happened });
    }
    Ok(applied)
}

/// Outcome of an attempt at a resource that cannot be missing or stale.
fn once<T>(outcome: Attempt<T>) -> Result<T> {
    outcome.map_err(|refused| match refused {
        Refused::Final(error) => error,
        Refused::Stale => StorageError::Stale.into(),
        Refused::Missing => StorageError::Missing.into(),
        Refused::Taken(key) => StorageError::NotUnique(key).into(),
        Refused::MissingMembers(ids) => StorageError::MissingMembers(ids).into(),
    })
}

/// A damaged row is our fault; its id goes to the log.
fn damaged(id: ResourceId, error: &serde_json::Error) -> ServiceError {
    ServiceError::Internal(format!("document of resource {id}: {error}"))
}
