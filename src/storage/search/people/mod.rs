//! The list of people across the connections of an organization, in keyset order. Each order is walked along an index that a
//! directory's writes keep anyway, connection by connection, and the pages are merged. A filter by role walks the roles' rows
//! instead (`holders`). Another filter that selects few people drives the page, whatever the order; who is found by id is
//! read in `users_keys` (SQLite). What is found are places; the caller reads the people by id.
//!
//! Index of each order: name `users_display_name`, e-mail `attribute_values_find`, last active `activity_last`, created (and
//! people without name, address or activity, who come last either way) `users_page`. Of each filter: status
//! `users_not_active`, role `role_grants_role`, `role_grants_name`, `role_grants_active`, `members_pkey`,
//! `attribute_values_find`, group `members_pkey`, created after `users_pkey`, text the trigram indexes, connection `counts`.

mod condition;
mod driver;
mod holders;
mod phase;
mod reading;
mod text;
mod walk;

use std::time::Instant;

use diesel::Connection as _;

use super::{at_once, deadline, follow_later, trigram};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::permission::{Directories, Role};
use crate::domain::person::Status;
use crate::storage::db::Db;
use crate::storage::{AnyBackend, Database, Result};
use condition::Conditions;

/// People that a filter may select to drive a page: so many are read and sorted for one.
const FEW: usize = 4_000;

/// What a list is sorted by, before the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleKey {
    /// `displayName`, folded.
    Name,
    /// The primary e-mail address, else the least one; folded.
    Email,
    /// The last activity.
    LastActive,
    /// The creation, by id: ids are made in its order.
    Created,
}

/// A field of few values that may stand before the key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleRank {
    /// By `Status`.
    Status,
    /// Local people, then those of directories.
    ManagedBy,
}

/// An order of the list; `true` is descending. The id goes with the key. Who has no key comes last either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleOrder {
    /// Ranks, the foremost first.
    pub ranks: Vec<(PeopleRank, bool)>,
    /// The key.
    pub key: (PeopleKey, bool),
}

/// Where a role comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PeopleRoleSource {
    Direct,
    Group,
    Directory,
}

/// Which people; an empty list selects all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleFilter {
    /// Texts, folded, of which name, user name or an address contains one.
    pub texts: Vec<String>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// Effective roles.
    pub roles: Vec<Role>,
    /// Sources of these roles, or of any.
    pub sources: Vec<PeopleRoleSource>,
    /// Groups that hold the person directly.
    pub groups: Vec<ResourceId>,
    /// Not active since then; µs since 1970.
    pub inactive_since: Option<i64>,
    /// Created after; µs since 1970.
    pub created_after: Option<i64>,
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePlace {
    /// Values of the ranks.
    pub ranks: Vec<i64>,
    /// Value of the key; `None` for those without one, and in the order of creation.
    pub key: Option<PlaceKey>,
    /// The person.
    pub id: ResourceId,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlaceKey {
    /// Of a time.
    Number(i64),
    /// Of a text.
    Text(String),
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleQuery {
    /// The tenant.
    pub organization: OrganizationId,
    /// Whose people: connections that are not staged, `ConnectionId::LOCAL` for local people.
    pub connections: Vec<ConnectionId>,
    /// Those of them that manage their people.
    pub managing: Vec<ConnectionId>,
    /// What the connections mean for roles.
    pub directories: Directories,
    /// Which of them.
    pub filter: PeopleFilter,
    /// In which order.
    pub order: PeopleOrder,
    /// The place before the page; behind it where `backward`.
    pub from: Option<PeoplePlace>,
    /// Whether the page lies before `from`.
    pub backward: bool,
    /// People at most.
    pub limit: usize,
    /// Whether all are counted.
    pub count: bool,
}

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePlaces {
    /// In the order of the list.
    pub places: Vec<PeoplePlace>,
    /// Whether more lie beyond them, in the direction of the page.
    pub has_more: bool,
    /// Number of all, where asked for.
    pub total: Option<u64>,
}

impl Database {
    /// A page of the list of people.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn list_people(&self, query: &PeopleQuery) -> Result<PeoplePlaces> {
        match &self.inner.backend {
            AnyBackend::Sqlite(sqlite) => {
                let end = Instant::now() + self.inner.searches.timeout;
                let asked = query.clone();
                let (found, is_behind) = sqlite
                    .with_scan_reader(move |conn| {
                        deadline::within(end, || {
                            conn.transaction(|conn| {
                                let mut db = Db::Sqlite(conn);
                                let conditions = at_once(Conditions::of(&mut db, &asked))?;
                                let found = at_once(page(&mut db, &asked, &conditions))?;
                                let is_text = !asked.filter.texts.is_empty();
                                Ok((found, is_text && at_once(trigram::is_behind(&mut db))?))
                            })
                        })
                    })
                    .await?;
                if is_behind {
                    follow_later(self);
                }
                Ok(found)
            }
            AnyBackend::Postgres(postgres) => {
                // Looked up by key, where plans are kept.
                let mut conn = postgres.read().await?;
                let conditions = Conditions::of(&mut Db::Pg(&mut conn), query).await;
                conn.done();
                let conditions = conditions?;
                let mut conn = postgres.connection().await?;
                let found = page(&mut Db::Pg(&mut conn), query, &conditions).await;
                conn.done();
                found
            }
        }
    }
}

async fn page(db: &mut Db<'_>, query: &PeopleQuery, conditions: &Conditions) -> Result<PeoplePlaces> {
    let mut places: Vec<PeoplePlace> = Vec::new();
    for (phase, from) in phase::remaining(query) {
        let missing = (query.limit + 1).saturating_sub(places.len());
        if missing == 0 {
            break;
        }
        places.extend(walk::read(db, query, conditions, &phase, from, missing).await?);
    }
    let has_more = places.len() > query.limit;
    places.truncate(query.limit);
    if query.backward {
        places.reverse();
    }
    let total = if query.count { Some(walk::count(db, query, conditions).await?) } else { None };
    Ok(PeoplePlaces { places, has_more, total })
}
