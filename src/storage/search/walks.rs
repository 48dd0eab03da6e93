//! What is remembered between the pages of one listing: where each page ended, so that the next one begins there instead of
//! counting from the start, and the total as long as nothing was written. Bounded; in memory of this process only. A page
//! that is not the next of a remembered one is found by counting.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::order::{Order, Place};
use crate::domain::ids::Scope;
use crate::protocol::schema::ResourceKind;

/// Listings that are remembered; the one unused for longest goes.
const MOST_WALKS: usize = 512;
/// Page ends of one listing: a client needs the last one, and several clients may list at the same time.
const MOST_PLACES: usize = 64;
/// How long a page end is good: meanwhile rows may come and go before it, and the next page still begins where the last
/// ended.
const GOOD_FOR: Duration = Duration::from_secs(300);
/// Statements that stay prepared, since diesel's cache has no bound.
const MOST_PREPARED: usize = 256;

/// Which listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WalkKey {
    scope: Scope,
    kind: ResourceKind,
    /// Hash of filter and order.
    what: [u8; 32],
}

impl WalkKey {
    pub(super) fn new(scope: Scope, kind: ResourceKind, filter: Option<&str>, order: &Order) -> Self {
        let mut hash = Sha256::new();
        hash.update(order.name());
        hash.update(b"\0");
        hash.update(filter.unwrap_or_default());
        WalkKey { scope, kind, what: hash.finalize().into() }
    }
}

/// A point in the sequence of writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stamp {
    /// SQLite: the organization's last event.
    Position(i64),
    /// PostgreSQL: `pg_snapshot` as text.
    Snapshot(String),
}

#[derive(Default)]
struct Walk {
    /// (1-based index, the place before it, when).
    places: VecDeque<(u64, Place, Instant)>,
    total: Option<(u64, Stamp)>,
    used: u64,
}

/// All listings of a database.
#[derive(Default)]
pub(super) struct Walks {
    inner: Mutex<Inner>,
    prepared: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

#[derive(Default)]
struct Inner {
    walks: HashMap<WalkKey, Walk>,
    clock: u64,
}

impl Inner {
    fn walk(&mut self, key: &WalkKey) -> &mut Walk {
        self.clock += 1;
        if !self.walks.contains_key(key) && self.walks.len() >= MOST_WALKS {
            let oldest = self.walks.iter().min_by_key(|(_, walk)| walk.used).map(|(key, _)| *key);
            oldest.map(|key| self.walks.remove(&key));
        }
        let walk = self.walks.entry(*key).or_default();
        walk.used = self.clock;
        walk
    }
}

impl Walks {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place after which index `start` begins, if a page ended there lately.
    pub(super) fn before(&self, key: &WalkKey, start: u64) -> Option<Place> {
        let inner = self.lock();
        let found = inner.walks.get(key)?.places.iter().rev().find(|(index, ..)| *index == start);
        found.filter(|(.., at)| at.elapsed() < GOOD_FOR).map(|(_, place, _)| place.clone())
    }

    /// A page ended at `place`; index `next` follows.
    pub(super) fn ended(&self, key: &WalkKey, next: u64, place: Place) {
        let mut inner = self.lock();
        let places = &mut inner.walk(key).places;
        places.retain(|(index, ..)| *index != next);
        if places.len() >= MOST_PLACES {
            places.pop_front();
        }
        places.push_back((next, place, Instant::now()));
    }

    /// The total of a filter, and when it was true.
    pub(super) fn total(&self, key: &WalkKey) -> Option<(u64, Stamp)> {
        self.lock().walks.get(key)?.total.clone()
    }

    pub(super) fn counted(&self, key: &WalkKey, total: u64, stamp: Stamp) {
        self.lock().walk(key).total = Some((total, stamp));
    }

    /// Whether a statement may stay prepared: the first so many may.
    pub(super) fn keeps_prepared(&self, sql: &str) -> bool {
        let hash = self.hasher.hash_one(sql);
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.contains(&hash) {
            return true;
        }
        prepared.len() < MOST_PREPARED && prepared.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConnectionId, OrganizationId};
    use uuid::Uuid;

    fn key(connection: u128, filter: &str) -> WalkKey {
        let scope = Scope {
            organization: OrganizationId(Uuid::from_u128(1)),
            connection: ConnectionId(Uuid::from_u128(connection)),
        };
        WalkKey::new(scope, ResourceKind::User, Some(filter), &Order::new(ResourceKind::User, None))
    }

    fn place(id: u128) -> Place {
        Place { key: None, id: Uuid::from_u128(id) }
    }

    #[test]
    fn a_page_end_is_found_by_its_listing_and_index_only() {
        let walks = Walks::default();
        walks.ended(&key(1, "a"), 101, place(7));
        walks.ended(&key(1, "a"), 201, place(8));
        walks.ended(&key(1, "a"), 101, place(9));
        assert_eq!(walks.before(&key(1, "a"), 101), Some(place(9)));
        assert_eq!(walks.before(&key(1, "a"), 201), Some(place(8)));
        assert_eq!(walks.before(&key(1, "a"), 102), None);
        assert_eq!(walks.before(&key(2, "a"), 101), None);
        assert_eq!(walks.before(&key(1, "b"), 101), None);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_stay() {
        let walks = Walks::default();
        for n in 0..2 * MOST_PLACES as u64 {
            walks.ended(&key(1, "a"), n, place(1));
        }
        assert_eq!(walks.lock().walks[&key(1, "a")].places.len(), MOST_PLACES);
        assert!(walks.before(&key(1, "a"), 2 * MOST_PLACES as u64 - 1).is_some());
        for n in 0..2 * MOST_WALKS {
            walks.counted(&key(1, &n.to_string()), 1, Stamp::Position(1));
        }
        assert_eq!(walks.lock().walks.len(), MOST_WALKS);
        let admitted = (0..1000).filter(|n| walks.keeps_prepared(&format!("SELECT {n}"))).count();
        assert_eq!(admitted, MOST_PREPARED);
        assert!(walks.keeps_prepared("SELECT 0"));
    }
}
