//! POST requests that are done once however often they are sent: the first one with a key takes it, later ones are answered
//! from what it left. A request whose process dies leaves its key taken until it expires: whether the deed was done is then
//! not known, and doing it twice is what the key is there to prevent.

use sha2::{Digest as _, Sha256};

use super::Result;
use super::admin::Credential;
use crate::domain::ids::OrganizationId;
use crate::storage::{Database, IdempotencyKey, KeptAnswer};

/// How long an answer is kept, µs.
const KEPT: i64 = 24 * 3600 * 1_000_000;

/// What a request with a key meets.
#[derive(Debug)]
pub enum Claim {
    /// Nobody: it is to be done, and its answer to be given to `finish`.
    New(Claimed),
    /// The same request, which still runs.
    Running,
    /// Another request.
    Mismatch,
    /// The same request, done; its answer.
    Done(Answer),
    /// The same request, done; its answer held a secret.
    SecretShown,
}

/// Whose keys these are, of whichever surface.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    /// The credential's tenant; `OrganizationId::SERVICE` for an operator.
    pub organization: OrganizationId,
    /// The credential.
    pub credential: Credential,
    /// Time of the request, µs since 1970 UTC.
    pub now: i64,
}

/// A key that is taken.
#[derive(Debug)]
pub struct Claimed(IdempotencyKey);

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers that belong to it.
    pub headers: Vec<(String, String)>,
    /// Body; `None` where it holds a secret.
    pub body: Option<String>,
}

/// Hash of a request, each part as a whole.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Takes a key for a request, or tells what has it.
///
/// # Errors
/// Those of storage.
pub async fn claim(holder: Holder, db: &Database, key: &str, fingerprint: [u8; 32]) -> Result<Claim> {
    let key =
        IdempotencyKey { organization: holder.organization, credential: holder.credential.id(), key: key.to_owned() };
    let expired = holder.now.saturating_sub(KEPT);
    let Some(found) = db.claim_idempotency_key(key.clone(), fingerprint, holder.now, expired).await? else {
        return Ok(Claim::New(Claimed(key)));
    };
    if found.fingerprint != fingerprint {
        return Ok(Claim::Mismatch);
    }
    Ok(match found.status.and_then(|status| u16::try_from(status).ok()) {
        None => Claim::Running,
        Some(_) if found.is_secret => Claim::SecretShown,
        Some(status) => {
            let headers = found.headers.as_deref().map(serde_json::from_str).and_then(std::result::Result::ok);
            Claim::Done(Answer { status, headers: headers.unwrap_or_default(), body: found.body })
        }
    })
}

/// Keeps the answer of a claimed request.
///
/// # Errors
/// Those of storage.
pub async fn finish(claimed: Claimed, db: &Database, answer: Answer) -> Result<()> {
    let headers = serde_json::to_string(&answer.headers).unwrap_or_default();
    let is_secret = answer.body.is_none();
    let status = i16::try_from(answer.status).unwrap_or_default();
    db.keep_answer(claimed.0, KeptAnswer { status, headers, body: answer.body, is_secret }).await?;
    Ok(())
}

/// Gives a key back: the request was not done.
///
/// # Errors
/// Those of storage.
pub async fn release(claimed: Claimed, db: &Database) -> Result<()> {
    db.release_idempotency_key(claimed.0).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_where_a_part_ends() {
        let of = |parts: &[&str]| fingerprint(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "bc"]), of(&["a", "bc"]));
        assert_ne!(of(&["a", "bc"]), of(&["ab", "c"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
