//! Writes and reads of groups. Changes of members never load the group: storage applies them as rows.

use serde_json::{Value, json};

use super::{
    Attempt, Conditions, Refused, Show, Stored, Written, commit, commit_and_show, damaged, detail, local, once,
};
use crate::domain::connection::{DuplicateGroupNames, UnknownMembers};
use crate::domain::ids::ResourceId;
use crate::protocol::etag::Condition;
use crate::protocol::patch::{Member, MemberPlan, PatchRequest};
use crate::protocol::projection::Projection;
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Registry, ResourceKind, ResourceType};
use crate::protocol::splice::{Head, Reference};
use crate::protocol::validate;
use crate::service::error::missing_members;
use crate::service::{Ctx, Result, ServiceError, ids};
use crate::storage::write::{self, Action, Applied, GroupColumns, MemberChange};
use crate::storage::{Database, GroupRecord, References, keys};

const KIND: ResourceKind = ResourceKind::Group;

fn resource_type() -> &'static ResourceType {
    Registry::builtin().resource_type(KIND)
}

/// Whether an answer by this projection needs the group's members.
pub(in crate::service::scim) fn references(projection: &Projection) -> References {
    if projection.wants("members") { References::All } else { References::Skip }
}

/// What an answer is made of.
pub(in crate::service::scim) fn stored(record: GroupRecord) -> Stored {
    Stored {
        kind: KIND,
        head: Head { id: record.id.0, version: record.version, created: record.created, modified: record.modified },
        document: record.document,
        references: record.members,
    }
}

pub(super) async fn find(ctx: &Ctx, db: &Database, id: ResourceId, projection: &Projection) -> Result<Option<Stored>> {
    Ok(db.find_group(ctx.scope, id, references(projection)).await?.map(stored))
}

pub(super) async fn create(ctx: &Ctx, db: &Database, body: Value, projection: &Projection) -> Result<Stored> {
    let validated = validate::create(body, resource_type(), &ctx.policy)?;
    let members = known_form(ctx, validated.members.unwrap_or_default())?;
    let id = ids::resource();
    let columns = columns(ctx, &validated.resource)?;
    let document = columns.document.clone();
    let has_members = !members.is_empty();
    let insert = Action::InsertGroup { id, columns, members, unknown_members: unknown_members(ctx) };
    let mut applied = commit(ctx, db, insert.clone(), detail::created(&document)).await;
    if let Err(Refused::MissingMembers(ids)) = &applied
        && Box::pin(local::adopt_members(ctx, db, ids)).await?
    {
        applied = commit(ctx, db, insert, detail::created(&document)).await;
    }
    let applied = once(applied)?;
    // Displays are the members' own, and some may have been left out: what is shown is read.
    if has_members
        && references(projection) != References::Skip
        && let Some(record) = db.find_group(ctx.scope, id, References::All).await?
    {
        return Ok(stored(record));
    }
    let head = Head { id: id.0, version: applied.version, created: ctx.now, modified: ctx.now };
    Ok(Stored { kind: KIND, head, document, references: Some(Vec::new()) })
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
    let (record, current) = load(ctx, db, id, conditions, References::Skip).await?;
    let validated = validate::replace(body.clone(), resource_type(), &current, &ctx.policy)?;
    let members = known_form(ctx, validated.members.unwrap_or_default())?;
    let asked = json!({ "exactly": members.iter().map(ToString::to_string).collect::<Vec<_>>() });
    // Absent members are cleared, so the whole group is known to the client only from the answer.
    let show = if show == Show::Usual { Show::Whole } else { show };
    let change = Update {
        current: &current,
        next: &validated.resource,
        members: MemberChange::Exactly(members),
        asked: Some(asked),
        shows_group: shows_small(projection, show),
    };
    let outcome = update(ctx, db, &record, !conditions.is_indifferent(), change).await?;
    answer(ctx, db, id, outcome, projection, show).await
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
    let shows_group = shows_small(projection, show);
    let outcome = match expected_without_read(conditions) {
        Some(expected) if request.only_members() => patch_members(ctx, db, id, expected, request, shows_group).await?,
        _ => patch_whole(ctx, db, id, conditions, request, shows_group).await?,
    };
    answer(ctx, db, id, outcome, projection, show).await
}

pub(super) async fn delete(ctx: &Ctx, db: &Database, id: ResourceId, conditions: &Conditions) -> Attempt<()> {
    let record = db.find_group(ctx.scope, id, References::Skip).await?.ok_or(Refused::Missing)?;
    conditions.check(record.version)?;
    let expected = (!conditions.is_indifferent()).then_some(record.version);
    let action = Action::DeleteGroup { id, expected };
    commit(ctx, db, action, detail::deleted(&record.document)).await?;
    Ok(())
}

/// The version that storage has to find (`None` for any), where the conditions can be left to it.
fn expected_without_read(conditions: &Conditions) -> Option<Option<i64>> {
    if conditions.is_indifferent() {
        return Some(None);
    }
    match (&conditions.if_match, &conditions.if_none_match) {
        (Some(Condition::Versions(versions)), None) => match versions.as_slice() {
            [version] => Some(Some(*version)),
            _ => None,
        },
        _ => None,
    }
}

/// A PATCH of nothing but members by id: one commit, whatever the group's size.
async fn patch_members(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    request: &PatchRequest,
    shows_group: bool,
) -> Attempt<Applied> {
    let plan = request.apply(resource_type(), &Resource::default(), &[], &ctx.policy)?.members;
    let action = Action::UpdateGroup {
        id,
        expected,
        columns: None,
        members: member_change(ctx, &plan)?,
        unknown_members: unknown_members(ctx),
    };
    let empty = serde_json::Map::new();
    let detail = detail::changed(&empty, &empty, detail::member_plan(&plan));
    match commit_and_show(ctx, db, action, detail, shows_group).await {
        // The one version that the client meant is gone: reading again could not help.
        Err(Refused::Stale) if expected.is_some() => {
            Err(crate::protocol::error::ScimError::precondition_failed().into())
        }
        outcome => outcome,
    }
}

/// A PATCH that reads or writes attributes of the group as well.
async fn patch_whole(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    request: &PatchRequest,
    shows_group: bool,
) -> Attempt<Applied> {
    let wanted = if request.needs_members() { References::All } else { References::Skip };
    let (record, current) = load(ctx, db, id, conditions, wanted).await?;
    let members: Vec<Member> = record.members.iter().flatten().map(member).collect();
    let outcome = request.apply(resource_type(), &current, &members, &ctx.policy)?;
    let change = Update {
        current: &current,
        next: &outcome.resource,
        members: member_change(ctx, &outcome.members)?,
        asked: detail::member_plan(&outcome.members),
        shows_group,
    };
    // Members were chosen by what was read, so that what is stored must still be that.
    update(ctx, db, &record, request.needs_members() || !conditions.is_indifferent(), change).await
}

/// A group's state as read and as it shall be.
struct Update<'a> {
    current: &'a Resource,
    next: &'a Resource,
    members: MemberChange,
    /// What the event tells of members.
    asked: Option<Value>,
    /// Whether the outcome is to hold the group.
    shows_group: bool,
}

/// Commits what differs. Without new columns the version that was read matters only
/// where `strict`: changes of members commute.
async fn update(ctx: &Ctx, db: &Database, record: &GroupRecord, strict: bool, change: Update<'_>) -> Attempt<Applied> {
    let differs = change.current.attributes != change.next.attributes;
    if !differs && change.members == MemberChange::None {
        return Ok(Applied::new(record.version, false));
    }
    let detail = detail::changed(&change.current.attributes, &change.next.attributes, change.asked);
    let action = Action::UpdateGroup {
        id: record.id,
        expected: (strict || differs).then_some(record.version),
        columns: differs.then(|| columns(ctx, change.next)).transpose()?,
        members: change.members,
        unknown_members: unknown_members(ctx),
    };
    commit_and_show(ctx, db, action, detail, change.shows_group).await
}

/// Whether the answer may hold a group of few members with these: it is read with the commit then.
fn shows_small(projection: &Projection, show: Show) -> bool {
    show != Show::Nothing && references(projection) == References::All
}

/// What the client gets to see of a written group: up to a hundred members a PATCH answers with it.
async fn answer(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    outcome: Applied,
    projection: &Projection,
    show: Show,
) -> Attempt<Written> {
    let version = outcome.version;
    let record = match (show, references(projection), outcome.group) {
        (Show::Nothing, ..) => return Ok(Written { version, stored: None }),
        (_, References::All, Some(group)) if group.members.is_some() => group,
        (Show::Usual, References::All, read) => {
            let group = match read {
                Some(large) => large,
                None => db.find_small_group(ctx.scope, id).await?.ok_or(Refused::Missing)?,
            };
            if group.members.is_none() {
                return Ok(Written { version, stored: None });
            }
            group
        }
        (_, wanted, _) => db.find_group(ctx.scope, id, wanted).await?.ok_or(Refused::Missing)?,
    };
    Ok(Written { version: record.version, stored: Some(stored(record)) })
}

/// The stored group, in scope and of a version that the client means.
async fn load(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    conditions: &Conditions,
    members: References,
) -> Attempt<(GroupRecord, Resource)> {
    let record = db.find_group(ctx.scope, id, members).await?.ok_or(Refused::Missing)?;
    conditions.check(record.version)?;
    let current = Resource::from_document(&record.document).map_err(|error| damaged(id, &error))?;
    Ok((record, current))
}

fn columns(ctx: &Ctx, resource: &Resource) -> Result<GroupColumns> {
    let columns = keys::group_columns(resource, ctx.settings.duplicate_group_names == DuplicateGroupNames::Refuse);
    validate::check_size(&columns.document, &ctx.policy)?;
    Ok(columns)
}

fn unknown_members(ctx: &Ctx) -> write::UnknownMembers {
    match ctx.settings.unknown_members {
        UnknownMembers::Refuse => write::UnknownMembers::Refuse,
        UnknownMembers::Ignore => write::UnknownMembers::Ignore,
    }
}

fn member(reference: &Reference) -> Member {
    Member {
        value: reference.id.as_hyphenated().to_string(),
        kind: if reference.is_group { "Group" } else { "User" },
        display: reference.display.clone(),
    }
}

/// The ids of new members. What has not the form of an id is an id that does not exist.
fn known_form(ctx: &Ctx, members: Vec<String>) -> std::result::Result<Vec<ResourceId>, ServiceError> {
    let mut unknown = Vec::new();
    let mut known = Vec::with_capacity(members.len());
    for member in members {
        match ResourceId::parse(&member) {
            Some(id) => known.push(id),
            None => unknown.push(member),
        }
    }
    if !unknown.is_empty() && ctx.settings.unknown_members == UnknownMembers::Refuse {
        return Err(missing_members(unknown.iter()).into());
    }
    Ok(known)
}

fn member_change(ctx: &Ctx, plan: &MemberPlan) -> std::result::Result<MemberChange, ServiceError> {
    let add = known_form(ctx, plan.add.clone())?;
    if plan.clear {
        return Ok(MemberChange::Exactly(add));
    }
    // Whoever does not exist is no member already (R11).
    let remove: Vec<_> = plan.remove.iter().filter_map(|id| ResourceId::parse(id)).collect();
    if add.is_empty() && remove.is_empty() { Ok(MemberChange::None) } else { Ok(MemberChange::Delta { add, remove }) }
}
