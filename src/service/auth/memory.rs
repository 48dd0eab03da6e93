//! What a process remembers of credentials: for a moment what a secret opens, and when each was last noted as used.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::ids::TokenId;
use crate::storage::{Backend, TOUCH_INTERVAL};

/// Age of what is remembered at most (design.md section 5: revocation is seen within a second).
const AGE: Duration = Duration::from_secs(1);
/// The same where a look-up is no round trip. Each commit voids what a reader had of the file in its memory, so that under
/// load a look-up costs more than the rest of authentication. A revocation by another process is seen this much later.
const AGE_EMBEDDED: Duration = Duration::from_millis(10);
/// Entries before old ones are swept out.
const ENTRIES: usize = 10_000;

/// What secrets open, by their SHA-256.
pub(super) struct Memory<V> {
    entries: Mutex<HashMap<[u8; 32], Entry<V>>>,
    forgotten: AtomicU64,
}

/// When it was found, and what.
type Entry<V> = (Instant, Arc<V>);

/// The moment before a look-up in the database, which what it finds is as old as.
pub(super) struct Asked {
    at: Instant,
    forgotten: u64,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Memory { entries: Mutex::default(), forgotten: AtomicU64::new(0) }
    }
}

impl<V> Memory<V> {
    /// What was found a moment ago.
    pub(super) fn get(&self, backend: Backend, hash: &[u8; 32]) -> Option<Arc<V>> {
        let age = match backend {
            Backend::Sqlite => AGE_EMBEDDED,
            Backend::Postgres => AGE,
        };
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = entries.get(hash)?;
        (at.elapsed() < age).then(|| Arc::clone(value))
    }

    /// What was found the last time, whenever that was.
    pub(super) fn last(&self, hash: &[u8; 32]) -> Option<Arc<V>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(hash).map(|(_, value)| Arc::clone(value))
    }

    /// To be called before the database is asked.
    pub(super) fn asked(&self) -> Asked {
        Asked { at: Instant::now(), forgotten: self.forgotten.load(Ordering::SeqCst) }
    }

    /// Remembers what was found, unless something was forgotten meanwhile: it may have been this.
    pub(super) fn put(&self, asked: &Asked, hash: [u8; 32], value: Arc<V>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.forgotten != self.forgotten.load(Ordering::SeqCst) {
            return;
        }
        if entries.len() >= ENTRIES {
            entries.retain(|_, (at, _)| at.elapsed() < AGE);
        }
        entries.insert(hash, (asked.at, value));
    }

    /// Forgets what `which` names, at once.
    pub(super) fn forget(&self, which: impl Fn(&V) -> bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        entries.retain(|_, (_, value)| !which(value));
    }
}

/// When credentials were last noted as used.
#[derive(Default)]
pub(super) struct Touches(Mutex<HashMap<TokenId, i64>>);

impl Touches {
    /// Whether a use is to be noted now: at most once a minute, and once only where several requests come at once.
    pub(super) fn due(&self, id: TokenId, last_used_at: Option<i64>, now: i64) -> bool {
        let due = |at: i64| now.saturating_sub(at) >= TOUCH_INTERVAL;
        if !last_used_at.is_none_or(due) {
            return false;
        }
        let mut touched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !touched.get(&id).is_none_or(|at| due(*at)) {
            return false;
        }
        if touched.len() >= ENTRIES {
            touched.retain(|_, at| !due(*at));
        }
        touched.insert(id, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ids;

    #[test]
    fn what_is_forgotten_is_not_remembered_by_a_look_up_that_began_before() {
        let memory = Memory::default();
        memory.put(&memory.asked(), [1; 32], Arc::new(1));
        memory.put(&memory.asked(), [2; 32], Arc::new(2));
        let asked = memory.asked();
        memory.forget(|n| *n == 1);
        let get = |n: u8| memory.get(Backend::Postgres, &[n; 32]);
        assert_eq!((get(1), get(2)), (None, Some(Arc::new(2))));
        memory.put(&asked, [1; 32], Arc::new(1));
        assert_eq!(get(1), None);
        memory.put(&memory.asked(), [1; 32], Arc::new(3));
        assert_eq!(get(1), Some(Arc::new(3)));
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let (touches, id) = (Touches::default(), ids::token());
        let start = 1_000_000_000;
        assert!(touches.due(id, None, start));
        assert!(!touches.due(id, None, start + TOUCH_INTERVAL - 1));
        assert!(touches.due(id, Some(start), start + TOUCH_INTERVAL));
        assert!(!touches.due(ids::token(), Some(start), start + 1));
    }
}
