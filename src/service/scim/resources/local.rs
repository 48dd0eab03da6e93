//! Local people as a connection meets them: found and taken over where its adoption policy lets it, and otherwise only a name
//! that is taken. Look-ups and creates ask the same judge, so that they agree.

use super::{Attempt, Refused, Stored, detail};
use crate::domain::adoption::Verdict;
use crate::domain::connection::AdoptionPolicy;
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::provisioning::Happened;
use crate::protocol::compare;
use crate::protocol::error::ScimError;
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Resolved, ResourceKind};
use crate::protocol::splice::Head;
use crate::service::adoption::{self, Judged};
use crate::service::scim::brake::{self, Hold};
use crate::service::{Ctx, Effect, Result, ServiceError, ids};
use crate::storage::cold::adoptions::{self, Sought};
use crate::storage::cold::held_changes::HeldDeed;
use crate::storage::cold::roles;
use crate::storage::{Database, Db, Deed, References, Search, StorageError, UserRecord, keys};

/// Local people of one e-mail that are looked at.
const SAME_EMAIL: u64 = 10;

/// Whether the connection may get anybody at all.
fn may_adopt(ctx: &Ctx) -> bool {
    !ctx.is_staged && ctx.settings.adoption != AdoptionPolicy::Refuse
}

/// The local person of that id, where the connection may take them over.
pub(super) async fn by_id(ctx: &Ctx, db: &Database, id: ResourceId) -> Result<Option<Judged>> {
    adoptable(ctx, db, &Sought::Id(id)).await
}

async fn adoptable(ctx: &Ctx, db: &Database, sought: &Sought) -> Result<Option<Judged>> {
    if !may_adopt(ctx) {
        return Ok(None);
    }
    let found = adoption::find(db, ctx.scope, ctx.settings.adoption, sought).await?;
    Ok(found.filter(|judged| judged.verdict == Verdict::Adopt))
}

/// The person as a finder answers one: groups of the organization do not show.
pub(super) fn record(judged: &Judged) -> UserRecord {
    let person = &judged.record.person;
    UserRecord {
        id: person.id,
        version: person.version,
        created: person.created,
        modified: person.modified,
        access: person.access,
        document: person.document.clone(),
        groups: Vec::new(),
    }
}

/// What an equality look-up finds among local people: whom a create of the same would take over.
pub(in crate::service::scim) async fn look_up(ctx: &Ctx, db: &Database, search: &Search) -> Result<Vec<UserRecord>> {
    let Some(filter) = search.filter.as_ref().filter(|_| may_adopt(ctx)) else { return Ok(Vec::new()) };
    let found = match Identity::of(filter) {
        None => Vec::new(),
        Some(Identity::UserName(key)) => adoptable(ctx, db, &Sought::UserName(key)).await?.into_iter().collect(),
        Some(Identity::ExternalId(key)) => {
            adoptable(ctx, db, &Sought::Former(ctx.scope.connection, key)).await?.into_iter().collect()
        }
        Some(Identity::Email) => by_email(ctx, db, search).await?,
    };
    Ok(found.iter().map(record).collect())
}

async fn by_email(ctx: &Ctx, db: &Database, search: &Search) -> Result<Vec<Judged>> {
    let search =
        Search { start_index: 1, count: SAME_EMAIL, references: References::Skip, sort: None, ..search.clone() };
    let scope = Scope { connection: ConnectionId::LOCAL, ..ctx.scope };
    let mut found = Vec::new();
    for record in db.search_users(scope, &search).await?.records {
        found.extend(by_id(ctx, db, record.id).await?);
    }
    Ok(found)
}

/// What a filter asks for, where it asks for one person.
enum Identity {
    UserName(String),
    ExternalId(String),
    Email,
}

impl Identity {
    fn of(filter: &BoundFilter) -> Option<Self> {
        let is_email = |attr: &Resolved| attr.extension.is_none() && &*attr.name == "emails";
        match filter {
            BoundFilter::Compare(attr, CompareOp::Eq, Operand::Text { key, .. }) => match () {
                () if attr.is("userName") => Some(Identity::UserName(keys::bounded(key))),
                () if attr.is("externalId") => Some(Identity::ExternalId(keys::bounded(key))),
                () if is_email(attr) && attr.sub.as_deref() == Some("value") => Some(Identity::Email),
                () => None,
            },
            BoundFilter::Element(attr, inner) if is_email(attr) && asks_value(inner) => Some(Identity::Email),
            _ => None,
        }
        .filter(
            |identity| !matches!(identity, Identity::UserName(key) | Identity::ExternalId(key) if key.contains('\0')),
        )
    }
}

/// `value eq "…"`, perhaps with more beside it.
fn asks_value(filter: &BoundFilter) -> bool {
    match filter {
        BoundFilter::And(all) => all.iter().any(asks_value),
        BoundFilter::Compare(attr, CompareOp::Eq, Operand::Text { .. }) => attr.sub.as_deref() == Some("value"),
        _ => false,
    }
}

/// Whom this connection managed before and that was released since: its own again, whatever they are called now.
pub(super) async fn relink(ctx: &Ctx, db: &Database, resource: &Resource) -> Result<Option<Stored>> {
    let Some(external_id) = resource.external_id().filter(|_| ctx.has_former) else { return Ok(None) };
    let sought = Sought::Former(ctx.scope.connection, keys::bounded(external_id));
    create_on(ctx, db, resource, &sought).await
}

/// A create whose userName is taken: by a local person whom the connection gets, or by somebody else, which is 409.
pub(super) async fn create(ctx: &Ctx, db: &Database, resource: &Resource) -> Result<Option<Stored>> {
    let key = keys::bounded(&compare::fold(resource.user_name().unwrap_or_default()));
    create_on(ctx, db, resource, &Sought::UserName(key)).await
}

async fn create_on(ctx: &Ctx, db: &Database, resource: &Resource, sought: &Sought) -> Result<Option<Stored>> {
    for round in 0..super::ATTEMPTS {
        let Some(judged) = adoption::find(db, ctx.scope, ctx.settings.adoption, sought).await? else { return Ok(None) };
        let refused = |detail: &str| Err(ScimError::uniqueness(detail.to_owned()).into());
        match judged.verdict {
            Verdict::Refuse => {
                return refused(
                    "userName belongs to a person who is managed here and whom this connection may not adopt: choose another \
                     value, or ask an Admin of the organization to verify the domain or to change the adoption policy",
                );
            }
            _ if ctx.is_staged => {
                keep(ctx, db, &judged, resource, "previewed").await?;
                return refused(
                    "userName belongs to a person who is managed here: the adoption was noted and is decided when the connection \
                     is activated",
                );
            }
            Verdict::Wait => {
                keep(ctx, db, &judged, resource, "pending").await?;
                return refused(
                    "userName belongs to a person who is managed here: the adoption waits for an Admin of the organization",
                );
            }
            Verdict::Adopt => match adopt(ctx, db, &judged, resource).await {
                Ok(version) => return Ok(Some(stored(ctx, &judged, resource, version))),
                Err(Refused::Stale | Refused::Missing) => tokio::time::sleep(super::pause(round)).await,
                Err(Refused::Taken(key)) => return Err(StorageError::NotUnique(key).into()),
                Err(Refused::MissingMembers(ids)) => return Err(StorageError::MissingMembers(ids).into()),
                Err(Refused::Final(error)) => return Err(error),
            },
        }
    }
    Err(StorageError::Stale.into())
}

fn stored(ctx: &Ctx, judged: &Judged, resource: &Resource, version: i64) -> Stored {
    let person = &judged.record.person;
    let head = Head { id: person.id.0, version, created: person.created, modified: ctx.now };
    Stored { kind: ResourceKind::User, head, document: resource.to_document(), references: Some(Vec::new()) }
}

/// Takes a local person over, as `next`; answers the new version. The log is told.
pub(super) async fn adopt(ctx: &Ctx, db: &Database, judged: &Judged, next: &Resource) -> Attempt<i64> {
    let (version, is_held) = take_over(ctx, db, judged, next).await?;
    let kind = if is_held { EventKind::ProvisioningHeld } else { EventKind::UserAdopted };
    let detail = detail::changed(&judged.resource.attributes, &next.attributes, None);
    // Once a request: only the attempt that succeeds comes here.
    _ = ctx.trace.set(Happened { resource: judged.record.person.id, kind, changed: true, detail });
    Ok(version)
}

/// The same unknown to the log; answers also whether the person goes on being let in, though `next` keeps them out: like
/// the departure of one of the connection's own, it may be held.
async fn take_over(ctx: &Ctx, db: &Database, judged: &Judged, next: &Resource) -> Attempt<(i64, bool)> {
    let person = &judged.record.person;
    let leaves = person.access && !person.invited && next.active() == Some(false);
    let must_hold = leaves && ctx.brake.judge(ctx, db, person.id).await? == brake::Verdict::Hold;
    if ctx.effect == Effect::Rehearse {
        return Ok((person.version.saturating_add(1), must_hold));
    }
    let hold = Hold::new(ctx, person.id, HeldDeed::Deactivate);
    let (scope, judged, next, id) = (ctx.scope, judged.clone(), next.clone(), person.id);
    let deed = deed(ctx);
    let work = async move |db: &mut Db<'_>| {
        let is_last = leaves && roles::is_last_admin(db, scope.organization, id).await?;
        let holds = must_hold || is_last;
        let version = adoption::adopt(db, deed, scope, &judged, &next, holds).await?;
        if holds {
            hold.apply(db, is_last).await?;
        }
        Ok::<_, StorageError>((version, holds))
    };
    let done = db.transaction(work).await.map_err(Refused::of);
    if leaves && !matches!(done, Ok((_, false))) {
        ctx.brake.came_back(ctx, id);
    }
    done
}

/// Keeps what the directory would have, for people to see.
async fn keep(ctx: &Ctx, db: &Database, judged: &Judged, next: &Resource, state: &'static str) -> Result<()> {
    if ctx.effect == Effect::Rehearse {
        return Ok(());
    }
    let (scope, deed, incoming) = (ctx.scope, deed(ctx), adoption::incoming(judged, next, state));
    let work = async move |db: &mut Db<'_>| {
        let (_, is_news) = adoptions::put(db, &deed(), scope, &incoming).await?;
        if is_news && state == "pending" {
            adoptions::record_about(db, &deed(), scope, EventKind::AdoptionWaiting, incoming.user).await?;
        }
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(work).await?)
}

/// Makes the connection's own those of `ids` who are local, where that is all of them.
pub(super) async fn adopt_members(ctx: &Ctx, db: &Database, ids: &[ResourceId]) -> Result<bool> {
    let mut members = Vec::with_capacity(ids.len());
    for id in ids {
        match by_id(ctx, db, *id).await? {
            Some(judged) => members.push(judged),
            None => return Ok(false),
        }
    }
    for judged in &members {
        match take_over(ctx, db, judged, &judged.resource).await {
            // Somebody was faster; the next attempt tells.
            Ok(_) | Err(Refused::Stale | Refused::Missing) => {}
            Err(Refused::Final(error)) => return Err(error),
            Err(_) => return Err(ServiceError::Internal("an adoption without a change was refused".to_owned())),
        }
    }
    Ok(!members.is_empty())
}

fn deed(ctx: &Ctx) -> impl Fn() -> Deed + Send + 'static {
    let (at, actor, request_id) = (ctx.now, ctx.actor.to_string(), ctx.request_id.to_string());
    move || Deed {
        event: ids::event(),
        at,
        actor: actor.clone(),
        request_id: request_id.clone(),
        ip: None,
        user_agent: None,
        reason: None,
    }
}
