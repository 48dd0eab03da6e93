//! Removes entries of the provisioning log and events that are older than the settings keep them: once an hour, on one
//! instance at a time, in small transactions.

use super::Result;
use crate::config::Limits;
use crate::domain::ids::LogEntryId;
use crate::state::Clock;
use crate::storage::{Database, OrganizationRecord, Removed};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// How long an instance that does not say so again has the lease.
const LEASE: i64 = HOUR / 6;
/// Organizations read at once.
const PAGE: u32 = 100;

/// What a run removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// Entries of the provisioning log.
    pub entries: usize,
    /// Events.
    pub events: usize,
}

/// Removes what is too old, unless another instance does it or did so within the hour: `None`.
///
/// # Errors
/// Those of storage.
pub async fn run_due(db: &Database, limits: &Limits, clock: &Clock) -> Result<Option<Cleared>> {
    let now = clock.now();
    if !db.begin_retention(now, now.saturating_sub(HOUR), now.saturating_add(LEASE)).await? {
        return Ok(None);
    }
    let cleared = clear(db, limits, clock).await;
    db.keep_retention(None).await?;
    cleared.map(Some)
}

async fn clear(db: &Database, limits: &Limits, clock: &Clock) -> Result<Cleared> {
    let mut cleared = Cleared::default();
    let mut last: Option<OrganizationRecord> = None;
    loop {
        let page = db.list_organizations_across_organizations(last.as_ref().map(|o| o.id), PAGE).await?;
        for organization in &page {
            clear_one(db, limits, clock, organization, &mut cleared).await?;
        }
        match page.into_iter().next_back() {
            Some(organization) => last = Some(organization),
            None => return Ok(cleared),
        }
    }
}

async fn clear_one(
    db: &Database,
    limits: &Limits,
    clock: &Clock,
    organization: &OrganizationRecord,
    cleared: &mut Cleared,
) -> Result<()> {
    let id = organization.id;
    let ago =
        |days: usize| clock.now().saturating_sub(i64::try_from(days).unwrap_or(i64::MAX / DAY).saturating_mul(DAY));
    let bound = LogEntryId::at(ago(limits.provisioning_log_days), 0);
    loop {
        let removed = db.remove_log_entries(id, bound).await?;
        cleared.entries += removed;
        db.keep_retention(Some(clock.now().saturating_add(LEASE))).await?;
        if removed == 0 {
            break;
        }
    }
    let bound = ago(limits.event_days);
    let mut followed = false;
    loop {
        match db.remove_events(id, bound).await? {
            Removed::Some(removed) => cleared.events += removed,
            Removed::NotIndexed if !followed => {
                db.follow_search_index().await?;
                followed = true;
            }
            Removed::Nothing | Removed::NotIndexed => return Ok(()),
        }
        db.keep_retention(Some(clock.now().saturating_add(LEASE))).await?;
    }
}
