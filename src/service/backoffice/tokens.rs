//! SCIM tokens of a connection. Several live ones may overlap, so that one can take over from another without a gap. The
//! secret is answered once, when it is made; only its hash is stored.

use std::fmt;

use super::{OperatorCtx, Refusal, Result, connections, organizations};
use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};
use crate::domain::organization::check_name;
use crate::domain::token::{self, Lifetime, SecretKind};
use crate::service::ids;
use crate::storage::{ConnectionRecord, Database, NewToken, TokenRecord};

/// A new token with its secret.
pub struct Issued {
    /// As stored.
    pub record: TokenRecord,
    /// To be shown once.
    pub secret: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("record", &self.record).field("secret", &"[redacted]").finish()
    }
}

/// A secret, and its token that is not stored yet.
pub(super) fn new(
    ctx: &OperatorCtx,
    organization: OrganizationId,
    connection: ConnectionId,
    name: &str,
    lifetime: Lifetime,
) -> Result<(String, NewToken)> {
    check_name(name).map_err(|e| Refusal::Invalid(format!("the token's name: {e}")))?;
    let secret = ids::secret(SecretKind::ScimToken)?;
    let new = NewToken {
        organization,
        id: ids::token(),
        connection,
        name: name.trim().to_owned(),
        hash: token::hash(&secret),
        fingerprint: token::fingerprint(SecretKind::ScimToken, &secret),
        expires_at: lifetime.ends_at(ctx.now),
    };
    Ok((secret, new))
}

/// Creates a token.
///
/// # Errors
/// `Invalid` name.
pub async fn create(
    ctx: &OperatorCtx,
    db: &Database,
    connection: &ConnectionRecord,
    name: &str,
    lifetime: Lifetime,
) -> Result<Issued> {
    let (secret, new) = new(ctx, connection.organization, connection.id, name, lifetime)?;
    let record = db.insert_token(ctx.deed(), new).await?;
    Ok(Issued { record, secret })
}

/// The tokens of a connection, or of all connections of the organization; revoked and expired ones included.
///
/// # Errors
/// `Missing` connection.
pub async fn list(db: &Database, organization: OrganizationId, connection: Option<&str>) -> Result<Vec<TokenRecord>> {
    let connections = match connection {
        Some(name) => vec![connections::load(db, organization, Some(name)).await?],
        None => connections::list(db, organization).await?,
    };
    let mut all = Vec::new();
    for connection in connections {
        all.extend(db.list_tokens(organization, connection.id).await?);
    }
    Ok(all)
}

/// Revokes a token: from now on it is refused. One that is revoked already stays so.
///
/// # Errors
/// `Missing`.
pub async fn revoke(ctx: &OperatorCtx, db: &Database, organization: Option<&str>, id: &str) -> Result<TokenRecord> {
    let missing = || Refusal::Missing { what: "token", name: id.to_owned() };
    // What was typed may be the secret itself, which must not be repeated.
    if token::is_well_formed(SecretKind::ScimToken, id) {
        return Err(Refusal::Invalid("name the token by its id, not by its secret".to_owned()));
    }
    let token = TokenId(uuid::Uuid::try_parse(id).map_err(|_| missing())?);
    let organizations = match organization {
        Some(name) => vec![organizations::load(db, name).await?],
        None => organizations::list(db).await?,
    };
    for organization in organizations {
        if db.find_token(organization.id, token).await?.is_some() {
            return Ok(db.revoke_token(ctx.deed(), organization.id, token).await?);
        }
    }
    Err(missing())
}
