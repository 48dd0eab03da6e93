//! Credentials kept for at most a second, since every request asks for one. A revocation therefore holds within a
//! second on every instance; the one that does it calls `forget` and holds at once. Unknown hashes are not kept: a token
//! works the moment it exists, and guesses cannot fill the memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::storage::Credential;

/// Longest use of a kept credential.
const KEPT: Duration = Duration::from_millis(900);
/// Most entries; beyond, old ones go first.
const MOST: usize = 10_000;

/// Credentials by hash.
#[derive(Default)]
pub(super) struct Credentials(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: HashMap<[u8; 32], (Instant, Credential)>,
    /// Counts `forget`: what was read before it may be stale.
    generation: u64,
}

impl Credentials {
    /// A kept one, or the generation to give to `put` with what the database says.
    pub(super) fn get(&self, hash: &[u8; 32], now: Instant) -> Result<Credential, u64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.entries.get(hash) {
            Some((read_at, credential)) if now.duration_since(*read_at) < KEPT => Ok(credential.clone()),
            _ => Err(kept.generation),
        }
    }

    /// Keeps what was asked for at `read_at`, unless something was revoked since.
    pub(super) fn put(&self, hash: [u8; 32], credential: Credential, read_at: Instant, generation: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.generation != generation {
            return;
        }
        if kept.entries.len() >= MOST {
            kept.entries.retain(|_, (at, _)| read_at.saturating_duration_since(*at) < KEPT);
            if kept.entries.len() >= MOST {
                kept.entries.clear();
            }
        }
        kept.entries.insert(hash, (read_at, credential));
    }

    /// Something about credentials has changed.
    pub(super) fn forget(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.generation += 1;
        kept.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};

    fn credential() -> Credential {
        Credential {
            token: TokenId(uuid::Uuid::nil()),
            organization: OrganizationId(uuid::Uuid::nil()),
            organization_suspended: false,
            connection: ConnectionId(uuid::Uuid::nil()),
            connection_state: "active".to_owned(),
            connection_settings: "{}".to_owned(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_credential_is_kept_for_less_than_a_second() {
        let (kept, start) = (Credentials::default(), Instant::now());
        let generation = kept.get(&[1; 32], start).unwrap_err();
        kept.put([1; 32], credential(), start, generation);
        assert!(kept.get(&[1; 32], start + Duration::from_millis(899)).is_ok());
        assert!(kept.get(&[1; 32], start + Duration::from_secs(1)).is_err());
        assert!(kept.get(&[2; 32], start).is_err());
    }

    #[test]
    fn what_was_read_before_a_revocation_is_not_kept() {
        let (kept, start) = (Credentials::default(), Instant::now());
        let generation = kept.get(&[1; 32], start).unwrap_err();
        kept.forget();
        kept.put([1; 32], credential(), start, generation);
        assert!(kept.get(&[1; 32], start).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let (kept, start) = (Credentials::default(), Instant::now());
        for n in 0..2 * MOST {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_be_bytes());
            kept.put(hash, credential(), start, 0);
        }
        assert!(kept.0.lock().unwrap().entries.len() <= MOST);
    }
}
