//! Operator keys: from the presented text to the operator. Unknown, expired, revoked and those of a removed operator are one
//! answer.

use std::sync::Arc;

use super::api_key::Circumstances;
use super::memory::{Memory, Touches};
use crate::domain::ids::OperatorId;
use crate::domain::operator::OperatorRole;
use crate::domain::token::{self, SecretKind};
use crate::service::backoffice::Operator;
use crate::service::{Result, ServiceError, Unauthenticated};
use crate::storage::Database;
use crate::storage::cold::operators::OperatorKeyCredential;

/// A valid key, and whether its use should be noted now (`touch`).
#[derive(Debug)]
pub struct Authenticated {
    /// Who asks.
    pub operator: Operator,
    /// At most once a minute.
    pub touch_due: bool,
}

/// Authenticates operator keys. One for the process.
#[derive(Default)]
pub struct OperatorKeys {
    memory: Memory<OperatorKeyCredential>,
    touches: Touches,
}

impl OperatorKeys {
    /// The operator behind a presented key.
    ///
    /// # Errors
    /// `Unauthenticated(Invalid)`; those of storage.
    pub async fn authenticate(
        &self,
        db: &Database,
        presented: &str,
        circumstances: Circumstances<'_>,
    ) -> Result<Authenticated> {
        const INVALID: ServiceError = ServiceError::Unauthenticated(Unauthenticated::Invalid);
        if !token::is_well_formed(SecretKind::OperatorKey, presented) {
            return Err(INVALID);
        }
        let Circumstances { now, client_ip, user_agent, request_id } = circumstances;
        let found = self.find(db, &token::hash(presented)).await?.ok_or(INVALID)?;
        let is_expired = found.expires_at.is_some_and(|at| at <= now);
        if is_expired || found.revoked_at.is_some() || found.removed_at.is_some() {
            return Err(INVALID);
        }
        // A role of a later version opens nothing here.
        let role = OperatorRole::parse(&found.role).ok_or(INVALID)?;
        let operator = Operator {
            id: found.operator,
            key: found.id,
            role,
            now,
            request_id: request_id.to_owned(),
            client_ip,
            user_agent: user_agent.map(str::to_owned),
        };
        Ok(Authenticated { operator, touch_due: self.touches.due(found.id, found.last_used_at, now) })
    }

    /// An operator was removed here: from now on what is stored counts.
    pub fn forget(&self, operator: OperatorId) {
        self.memory.forget(|found| found.operator == operator);
    }

    /// As for API keys.
    async fn find(&self, db: &Database, hash: &[u8; 32]) -> Result<Option<Arc<OperatorKeyCredential>>> {
        if let Some(found) = self.memory.get(db.backend(), hash) {
            return Ok(Some(found));
        }
        let asked = self.memory.asked();
        let Some(credential) = db.find_operator_key_by_hash(hash).await? else { return Ok(None) };
        let found = Arc::new(credential);
        self.memory.put(&asked, *hash, Arc::clone(&found));
        Ok(Some(found))
    }
}

/// Notes the use of a key. Meant to run beside the request, which neither waits for it nor fails with it.
///
/// # Errors
/// Those of storage.
pub async fn touch(db: &Database, operator: &Operator) -> Result<()> {
    let address = operator.client_ip.map(|ip| ip.to_string());
    db.touch_operator_key(operator.key, operator.now, address).await?;
    Ok(())
}
