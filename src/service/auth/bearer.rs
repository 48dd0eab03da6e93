//! SCIM tokens: from the presented text to the caller. A token is looked up by its SHA-256 through a unique index, so
//! nothing is compared byte by byte with a stored secret, and what timing could tell is the position in an index of
//! hashes that a caller cannot steer.

use std::sync::Arc;

use super::memory::{Memory, Touches};
use crate::domain::connection::{Access, ConnectionSettings, State};
use crate::domain::ids::{OrganizationId, Scope, TokenId};
use crate::domain::provisioning::RejectedToken;
use crate::domain::token::{self, SecretKind};
use crate::protocol::error::ScimError;
use crate::protocol::policy::{Limits, Policy};
use crate::service::provisioning_log::Rejected;
use crate::service::{Result, ServiceError, Unauthenticated};
use crate::storage::{Credential, Database};

/// Longest text that is hashed; ours have 55 characters.
const TOKEN_BYTES: usize = 512;

/// The bearer of a valid token.
#[derive(Debug)]
pub struct Caller {
    /// The token.
    pub token: TokenId,
    /// What it opens.
    pub scope: Scope,
    /// What the connection's state allows.
    pub access: Access,
    /// Whether anybody is blocked in the organization.
    pub has_blocks: bool,
    /// Whether anybody came from this connection and is local now.
    pub has_former: bool,
    /// Whether the connection's people are staged.
    pub is_staged: bool,
    /// The organization's choices for this connection.
    pub settings: ConnectionSettings,
    /// The engine's choices for this connection.
    pub policy: Policy,
}

/// Authenticates SCIM tokens. One for the process.
pub struct Bearer {
    limits: Limits,
    memory: Memory<Found>,
    touches: Touches,
}

/// A credential with what was derived from it once.
struct Found {
    credential: Credential,
    caller: Arc<Caller>,
}

/// A valid token, and whether its use should be noted now (`touch`).
pub struct Authenticated {
    /// The bearer.
    pub caller: Arc<Caller>,
    /// At most once a minute.
    pub touch_due: bool,
}

/// Why a token was not let in, and whose it is where that is known.
#[derive(Debug)]
pub struct NotAdmitted {
    /// What is answered.
    pub error: ServiceError,
    /// For the log of the connection.
    pub known: Option<Rejected>,
}

impl<E: Into<ServiceError>> From<E> for NotAdmitted {
    fn from(error: E) -> Self {
        NotAdmitted { error: error.into(), known: None }
    }
}

impl Bearer {
    /// `limits` go into every caller's policy.
    pub fn new(limits: Limits) -> Self {
        Bearer { limits, memory: Memory::default(), touches: Touches::default() }
    }

    /// The caller behind a presented token.
    ///
    /// # Errors
    /// `Unauthenticated(Invalid)`; 403 while the organization is suspended; those of storage.
    pub async fn authenticate(
        &self,
        db: &Database,
        presented: &str,
        now: i64,
    ) -> std::result::Result<Authenticated, NotAdmitted> {
        const INVALID: ServiceError = ServiceError::Unauthenticated(Unauthenticated::Invalid);
        if presented.len() > TOKEN_BYTES {
            return Err(INVALID.into());
        }
        let found = self.find(db, &token::hash(presented)).await?.ok_or(INVALID)?;
        let credential = &found.credential;
        let known = |why| {
            let (scope, token) = (found.caller.scope, credential.token);
            Some(Rejected { scope, token, fingerprint: token::fingerprint(SecretKind::ScimToken, presented), why })
        };
        let why = if found.caller.access == Access::None {
            Some(RejectedToken::Decommissioned)
        } else if credential.revoked_at.is_some() {
            Some(RejectedToken::Revoked)
        } else {
            credential.expires_at.filter(|at| *at <= now).map(|_| RejectedToken::Expired)
        };
        if why.is_some() {
            return Err(NotAdmitted { error: INVALID, known: known(why) });
        }
        if credential.organization_suspended {
            let error = ScimError::new(403, None, "The organization of this token is suspended").into();
            return Err(NotAdmitted { error, known: known(None) });
        }
        let touch_due = self.touches.due(credential.token, credential.last_used_at, now);
        Ok(Authenticated { caller: Arc::clone(&found.caller), touch_due })
    }

    /// Something that tokens of an organization depend on was changed here: from now on what is stored counts.
    pub fn forget(&self, organization: OrganizationId) {
        self.memory.forget(|found| found.credential.organization == organization);
    }

    /// One look-up by the hash, whose answer, "unknown" excepted, serves for a moment (`Memory`).
    async fn find(&self, db: &Database, hash: &[u8; 32]) -> Result<Option<Arc<Found>>> {
        if let Some(found) = self.memory.get(db.backend(), hash) {
            return Ok(Some(found));
        }
        let asked = self.memory.asked();
        let Some(credential) = db.find_credential_across_organizations(hash).await? else { return Ok(None) };
        // What follows from the same credential is the same, however old.
        let known = self.memory.last(hash).filter(|found| found.credential == credential);
        let found = match known {
            Some(found) => found,
            None => Arc::new(Found { caller: Arc::new(self.caller(&credential)?), credential }),
        };
        self.memory.put(&asked, *hash, Arc::clone(&found));
        Ok(Some(found))
    }

    fn caller(&self, credential: &Credential) -> Result<Caller> {
        let settings = ConnectionSettings::parse(&credential.connection_settings).map_err(|error| {
            ServiceError::Internal(format!("settings of connection {}: {error}", credential.connection))
        })?;
        Ok(Caller {
            token: credential.token,
            scope: Scope { organization: credential.organization, connection: credential.connection },
            access: Access::of(&credential.connection_state),
            has_blocks: credential.has_blocks,
            has_former: credential.has_former,
            is_staged: State::of(&credential.connection_state).is_staged(),
            policy: Policy { repairs: settings.repairs(), limits: self.limits.clone() },
            settings,
        })
    }
}

/// Notes the use of a token. Meant to run beside the request, which neither waits for it nor fails with it.
///
/// # Errors
/// Those of storage.
pub async fn touch(db: &Database, caller: &Caller, now: i64, address: Option<String>) -> Result<()> {
    db.touch_token(caller.scope.organization, caller.token, now, address).await?;
    Ok(())
}
