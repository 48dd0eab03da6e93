//! Removes what is too old, in small transactions; and the lease by which one instance at a time does it.

use diesel::sql_types::{BigInt, Integer};
use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};
use uuid::Uuid;

use super::audit_log::{self, EventKey};
use super::provisioning_log::{self, Window};
use crate::domain::ids::{LogEntryId, OrganizationId};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::schema::{jobs, provisioning_segments};
use crate::storage::uid::Id;
use crate::storage::{Backend, Database};

/// Rows in one transaction.
const BATCH: u32 = 500;
/// Rows of the provisioning log, which hold many entries each.
const SEGMENTS: i64 = 50;
/// The one row of `jobs` that belongs to no organization.
const RETENTION: Id = Id(Uuid::from_u128(1));
const NOBODY: Id = Id(Uuid::nil());

hot!(DropEventsLite, Integer, "DELETE FROM events WHERE organization = ? AND position <= ?");
hot!(DropEventsPg, Integer, "DELETE FROM events WHERE organization = ? AND (tx, position) <= (?::text::xid8, ?)");
hot!(Indexed, BigInt, "SELECT position FROM user_trigram_state");

/// Where the removal of an organization's events stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// So many went; more may be left.
    Some(usize),
    /// None is old enough.
    Nothing,
    /// The search index has not seen the next ones yet.
    NotIndexed,
}

impl Database {
    /// Takes the lease of the retention until `until`, if nobody has it and it did not run since `not_since`.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn begin_retention(&self, now: i64, not_since: i64, until: i64) -> Result<bool> {
        self.transaction(async move |db: &mut Db<'_>| {
            // Never queued or running: the worker of jobs leaves it alone.
            let row = (
                (jobs::organization.eq(NOBODY), jobs::id.eq(RETENTION), jobs::kind.eq("retention")),
                (
                    jobs::arguments.eq("{}"),
                    jobs::state.eq("done"),
                    jobs::created.eq(now),
                    jobs::created_by.eq("system"),
                ),
                (jobs::done.eq(0), jobs::modified.eq(i64::MIN), jobs::request_id.eq(""), jobs::version.eq(1)),
            );
            diesel::insert_into(jobs::table).values(row).on_conflict_do_nothing().exec(db).await?;
            let free = jobs::leased_until.is_null().or(jobs::leased_until.assume_not_null().le(now));
            let due = jobs::table
                .filter(jobs::organization.eq(NOBODY).and(jobs::id.eq(RETENTION)))
                .filter(jobs::modified.le(not_since))
                .filter(free);
            let set = (jobs::leased_until.eq(until), jobs::modified.eq(now), jobs::version.eq(jobs::version + 1));
            Ok::<_, StorageError>(diesel::update(due).set(set).exec(db).await? == 1)
        })
        .await
    }

    /// Keeps the lease until `until`, or gives it back.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn keep_retention(&self, until: Option<i64>) -> Result<()> {
        self.transaction(async move |db: &mut Db<'_>| {
            let row = jobs::table.filter(jobs::organization.eq(NOBODY).and(jobs::id.eq(RETENTION)));
            diesel::update(row).set(jobs::leased_until.eq(until)).exec(db).await?;
            Ok::<_, StorageError>(())
        })
        .await
    }

    /// Removes some rows of an organization's log whose entries are all from before `bound`; answers how many entries.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn remove_log_entries(&self, organization: OrganizationId, bound: LogEntryId) -> Result<usize> {
        self.transaction(async move |db: &mut Db<'_>| {
            let organization = Id::from(organization);
            let old = provisioning_segments::table
                .filter(provisioning_segments::organization.eq(organization))
                .filter(provisioning_segments::slot.lt(provisioning_log::slot_of(bound)))
                .order(provisioning_segments::slot)
                .limit(SEGMENTS)
                .select(provisioning_segments::slot);
            let slots: Vec<i64> = old.all(db).await?;
            let Some(last) = slots.last() else { return Ok::<_, StorageError>(0) };
            let rows = provisioning_segments::table
                .filter(provisioning_segments::organization.eq(organization))
                .filter(provisioning_segments::slot.le(*last));
            let gone: Vec<i32> = diesel::delete(rows).returning(provisioning_segments::length).all(db).await?;
            Ok(gone.into_iter().filter_map(|length| usize::try_from(length).ok()).sum())
        })
        .await
    }

    /// Removes some events of an organization from before `bound`, in their order.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn remove_events(&self, organization: OrganizationId, bound: i64) -> Result<Removed> {
        let backend = self.backend();
        self.transaction(async move |db: &mut Db<'_>| {
            let oldest = Window { from: EventKey::FIRST, backwards: false, limit: BATCH };
            let events = audit_log::window(db, organization, &oldest).await?;
            let old = events.iter().take_while(|event| event.at < bound);
            if backend == Backend::Postgres {
                let Some(last) = old.last() else { return Ok::<_, StorageError>(Removed::Nothing) };
                let transaction = last.key.transaction.to_string();
                let binds = vec![Bind::Id(organization.into()), Bind::Text(&transaction), Bind::Big(last.key.position)];
                return Ok(Removed::Some(Hot::<DropEventsPg>::new(binds).exec(db).await?));
            }
            // The index of names follows the events: it has to have seen them.
            let indexed: i64 = Hot::<Indexed>::new(vec![]).one(db).await?;
            let mut last = None;
            for event in old {
                if event.key.position > indexed {
                    if last.is_none() {
                        return Ok(Removed::NotIndexed);
                    }
                    break;
                }
                last = Some(event.key.position);
            }
            let Some(last) = last else { return Ok(Removed::Nothing) };
            let binds = vec![Bind::Id(organization.into()), Bind::Big(last)];
            Ok(Removed::Some(Hot::<DropEventsLite>::new(binds).exec(db).await?))
        })
        .await
    }
}
