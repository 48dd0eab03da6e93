//! People of all organizations: found by name, and taken from the directory that manages them.

use super::{Operator, OperatorCtx};
use crate::domain::connection::State;
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::person::Suspender;
use crate::service::admin;
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::paging::{Page, PageRequest};
use crate::service::admin::users::{ListUsers, User, let_go};
use crate::service::cursor::{Direction, Key, Position};
use crate::storage::cold::{connections, operator_log, people};
use crate::storage::{Database, Db, OrganizationRecord};

/// Organizations that one page looks into: a search that finds little must end all the same.
const LOOKED_INTO: u32 = 200;

/// A page of the people whose name, user name or e-mail holds one of these texts, organization by organization. A page that
/// has looked into many organizations ends early, with a place to go on from; there is no way back.
///
/// # Errors
/// Those of storage.
pub async fn search(
    operator: &Operator,
    db: &Database,
    texts: Vec<String>,
    request: &PageRequest,
) -> Result<Page<(User, OrganizationRecord)>> {
    let wanted = ListUsers { texts, ..ListUsers::default() };
    let (mut place, begun) = begin(request);
    let mut due = Vec::new();
    if let Some((organization, inner)) = begun {
        // It may be gone since the page before.
        due.extend(db.find_organization(organization).await?.map(|found| (found, Some(inner))));
    }
    let behind = db.list_organizations_across_organizations(place, LOOKED_INTO).await?;
    let is_last = behind.len() < LOOKED_INTO as usize;
    due.extend(behind.into_iter().map(|organization| (organization, None)));
    let mut rows = Vec::new();
    for (organization, position) in due {
        let left = request.limit.saturating_sub(rows.len());
        if left == 0 {
            return Ok(page(rows, place.map(|id| position_of(id, Vec::new()))));
        }
        let asked = PageRequest { limit: left, position, include_total: false, ..request.clone() };
        let found = admin::users::list(&operator.within(organization.id), db, &wanted, &asked).await?;
        rows.extend(found.rows.into_iter().map(|user| (user, organization.clone())));
        if let Some(next) = found.next {
            return Ok(page(rows, Some(position_of(organization.id, next.keys))));
        }
        place = Some(organization.id);
    }
    let next = if is_last { None } else { place.map(|id| position_of(id, Vec::new())) };
    Ok(page(rows, next))
}

fn page<T>(rows: Vec<T>, next: Option<Position>) -> Page<T> {
    Page { rows, next, previous: None, total: None }
}

/// An organization, and a place among its people; without one it is done with.
fn position_of(organization: OrganizationId, inner: Vec<Key>) -> Position {
    let keys = std::iter::once(Key::Text(organization.to_string())).chain(inner).collect();
    Position { direction: Direction::Forward, keys }
}

/// The organization behind which a page begins, and the one that it begins within.
fn begin(request: &PageRequest) -> (Option<OrganizationId>, Option<(OrganizationId, Position)>) {
    let keys = request.position.as_ref().map(|position| position.keys.as_slice()).unwrap_or_default();
    let Some((Key::Text(organization), inner)) = keys.split_first() else { return (None, None) };
    let organization = ResourceId::parse(organization).map(|id| OrganizationId(id.0));
    let within = organization.filter(|_| !inner.is_empty());
    let position = Position { direction: Direction::Forward, keys: inner.to_vec() };
    (organization, within.map(|organization| (organization, position)))
}

/// Makes a person local whom a directory manages, and suspended until somebody lifts it.
///
/// # Errors
/// `Missing`, `Stale`; `UserState` where no directory manages the person.
pub async fn release(
    ctx: &OperatorCtx,
    db: &Database,
    organization: OrganizationId,
    id: ResourceId,
    expected: Option<i64>,
) -> Result<()> {
    let deed = ctx.deed();
    db.transaction(async move |db: &mut Db<'_>| {
        let record = people::lock(db, organization, id).await?.ok_or(Refusal::Missing)?;
        if expected.is_some_and(|version| version != record.etag_version()) {
            return Err(Refusal::Stale);
        }
        let manager = match record.connection {
            ConnectionId::LOCAL => None,
            connection => connections::find(db, organization, connection.owner()).await?,
        };
        let manager = manager.filter(|found| State::of(&found.state) != State::Decommissioned);
        let manager = manager.ok_or(Refusal::UserState("No directory manages this person."))?;
        let_go(db, &deed, organization, &record, &manager.name, Suspender::Operator).await?;
        Ok(operator_log::copy(db, &deed, organization).await?)
    })
    .await
}
