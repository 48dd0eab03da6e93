//! Operators of the service. Each is made with a key, whose secret is answered once.

use std::fmt;

use serde_json::json;

use super::{Operator, OperatorCtx};
use crate::domain::ids::{OperatorId, TokenId};
use crate::domain::operator::OperatorRole;
use crate::domain::organization::check_name;
use crate::domain::token::{Lifetime, SecretKind};
use crate::service::admin::api_keys::seal;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::ids;
use crate::storage::cold::operators::{self, NewOperator, NewOperatorKey};
pub use crate::storage::cold::operators::{OperatorKeyRecord, OperatorRecord};
use crate::storage::{Database, Db, Deed, StorageError};

/// Life of an operator's key for which nothing else is asked.
pub const LIFETIME: Lifetime = Lifetime::Days(365);

/// An operator to create.
#[derive(Debug, Clone, Default)]
pub struct CreateOperator {
    /// Name for people.
    pub name: String,
    /// Key of a role.
    pub role: String,
}

/// An operator with a key and its secret.
pub struct Issued {
    /// As stored.
    pub operator: OperatorRecord,
    /// As stored.
    pub key: OperatorKeyRecord,
    /// To be shown once.
    pub secret: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Issued { operator, key, .. } = self;
        f.debug_struct("Issued").field("operator", operator).field("key", key).field("secret", &"[redacted]").finish()
    }
}

/// Creates an operator with a key.
///
/// # Errors
/// `Invalid`; those of storage.
pub async fn create(ctx: &OperatorCtx, db: &Database, asked: CreateOperator) -> Result<Issued> {
    let prepared = prepare(ctx, &asked)?;
    db.transaction(async move |db: &mut Db<'_>| prepared.insert(db).await.map_err(Refusal::from)).await
}

/// An operator with a key, not stored yet.
pub(super) struct Prepared {
    operator: NewOperator,
    key: NewOperatorKey,
    secret: String,
    deeds: [Deed; 2],
}

/// Checks and makes what is to be stored.
pub(super) fn prepare(ctx: &OperatorCtx, asked: &CreateOperator) -> Result<Prepared> {
    let mut errors = Vec::new();
    if let Err(detail) = check_name(&asked.name) {
        errors.push(Invalid::new("/name", detail));
    }
    let role = OperatorRole::parse(&asked.role);
    if role.is_none() {
        let roles = OperatorRole::ALL.map(OperatorRole::key).join(", ");
        errors.push(Invalid::new("/role", format!("role is one of {roles}.")));
    }
    let Some(role) = role.filter(|_| errors.is_empty()) else { return Err(Refusal::Invalid(errors)) };
    let id = ids::operator();
    let operator = NewOperator { id, name: asked.name.trim().to_owned(), role: role.key().to_owned() };
    let (secret, sealed) = seal(SecretKind::OperatorKey)?;
    let key = NewOperatorKey {
        operator: id,
        id: ids::token(),
        name: operator.name.clone(),
        secret: sealed,
        expires_at: LIFETIME.ends_at(ctx.now),
    };
    Ok(Prepared { operator, key, secret, deeds: [ctx.deed(), ctx.deed()] })
}

impl Prepared {
    /// Stores both with their events.
    pub(super) async fn insert(self, db: &mut Db<'_>) -> std::result::Result<Issued, StorageError> {
        let [first, second] = &self.deeds;
        let detail = json!({ "after": { "name": self.operator.name, "role": self.operator.role } }).to_string();
        let operator = operators::insert(db, first, &self.operator, &detail).await?;
        let key = operators::insert_key(db, second, &self.key).await?;
        Ok(Issued { operator, key, secret: self.secret })
    }
}

/// All operators with their keys, in the order of their creation.
///
/// # Errors
/// Those of storage.
pub async fn list(db: &Database) -> Result<Vec<(OperatorRecord, Vec<OperatorKeyRecord>)>> {
    let operators = db.list_operators().await?;
    let keys = db.list_operator_keys().await?;
    let of = |id: OperatorId| keys.iter().filter(|key| key.operator == id).cloned().collect();
    Ok(operators.into_iter().map(|operator| (operator.clone(), of(operator.id))).collect())
}

/// The operator of that id with their keys.
///
/// # Errors
/// `Missing`.
pub async fn get(db: &Database, id: OperatorId) -> Result<(OperatorRecord, Vec<OperatorKeyRecord>)> {
    list(db).await?.into_iter().find(|(operator, _)| operator.id == id).ok_or(Refusal::Missing)
}

/// Removes an operator: their keys are refused from now on. Nobody removes themselves, so that one is always left. Answers
/// the keys.
///
/// # Errors
/// `Missing`, `OwnAccount`.
pub async fn remove(caller: &Operator, reason: String, db: &Database, id: OperatorId) -> Result<Vec<TokenId>> {
    get(db, id).await?;
    if caller.id == id {
        return Err(Refusal::OwnAccount);
    }
    let deed = caller.ctx(reason).deed();
    Ok(db.transaction(async move |db: &mut Db<'_>| operators::remove(db, &deed, id).await).await?)
}
