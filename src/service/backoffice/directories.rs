//! Connections of all organizations, and how they do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Operator, OperatorCtx};
use crate::domain::connection::{State, Step};
use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::service::admin;
use crate::service::admin::connections::Connection;
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::paging::Page;
use crate::storage::cold::connections::{self, ConnectionColumns};
use crate::storage::cold::operator_log;
use crate::storage::write::EventKind;
pub use crate::storage::{ConnectionRecord, OrganizationRecord};
use crate::storage::{Database, Db, StorageError};

/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;

/// All connections, in the order of their creation.
///
/// # Errors
/// Those of storage.
pub async fn list(db: &Database) -> Result<Vec<ConnectionRecord>> {
    Ok(db.list_connections_across_organizations().await?)
}

/// The connection of that id, in whatever organization.
///
/// # Errors
/// `Missing`.
pub async fn get(db: &Database, id: ConnectionId) -> Result<ConnectionRecord> {
    db.find_connection_across_organizations(id).await?.ok_or(Refusal::Missing)
}

/// The same page with the health of each connection and its organization.
///
/// # Errors
/// Those of storage.
pub async fn with_health(
    operator: &Operator,
    db: &Database,
    page: Page<ConnectionRecord>,
) -> Result<Page<(Connection, OrganizationRecord)>> {
    let organizations: BTreeSet<OrganizationId> = page.rows.iter().map(|row| row.organization).collect();
    let mut known: BTreeMap<ConnectionId, (Connection, OrganizationRecord)> = BTreeMap::new();
    for id in organizations {
        let Some(organization) = db.find_organization(id).await? else { continue };
        for found in admin::connections::list(&operator.within(id), db).await? {
            known.insert(found.record.id, (found, organization.clone()));
        }
    }
    let rows = page.rows.iter().filter_map(|row| known.remove(&row.id)).collect();
    Ok(Page { rows, next: page.next, previous: page.previous, total: page.total })
}

/// Pauses an active connection: reads are answered, writes are to be repeated later.
///
/// # Errors
/// `Missing`, `Stale`; `ConnectionState` where it is not active.
pub async fn pause(
    ctx: &OperatorCtx,
    db: &Database,
    id: ConnectionId,
    expected: Option<i64>,
) -> Result<ConnectionRecord> {
    let mut attempt = 1;
    loop {
        let read = get(db, id).await?;
        if expected.is_some_and(|version| version != read.version) {
            return Err(Refusal::Stale);
        }
        let from = State::of(&read.state);
        let to = from.after(Step::Pause)?;
        let columns = ConnectionColumns {
            name: read.name.clone(),
            state: to.as_str().to_owned(),
            settings: read.settings.clone(),
        };
        let detail =
            json!({ "changed": ["state"], "before": { "state": from.as_str() }, "after": { "state": to.as_str() } });
        let deed = ctx.deed();
        let change = async move |db: &mut Db<'_>| -> std::result::Result<ConnectionRecord, StorageError> {
            let kind = EventKind::ConnectionPaused;
            let stored = connections::update(db, &deed, &read, &columns, kind, &detail.to_string()).await?;
            operator_log::copy(db, &deed, stored.organization).await?;
            Ok(stored)
        };
        match db.transaction(change).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(other?),
        }
    }
}
