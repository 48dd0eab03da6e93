//! SCIM tokens of a connection: they belong to it, never to a person. Few are alive at a time, so that one can take over from
//! another without a gap and none is forgotten. The secret is answered once.

use std::fmt;

use super::Caller;
use super::connections::{load, permitted};
use super::error::{Invalid, Refusal, Result};
use crate::domain::connection::State;
use crate::domain::ids::{ConnectionId, TokenId};
use crate::domain::organization::check_name;
use crate::domain::permission::Permission;
use crate::domain::token::{self, Lifetime, SecretKind};
use crate::service::ids;
pub use crate::storage::TokenRecord;
use crate::storage::cold::{connections, tokens};
use crate::storage::{ConnectionRecord, Database, Db, NewToken};

/// Tokens of a connection that may be alive at a time.
pub const MOST_ALIVE: i64 = 3;
/// Life of a token for which nothing else is asked.
pub const DEFAULT_LIFETIME: Lifetime = Lifetime::Days(365);
/// Hours that the former token works on after a rotation, unless asked otherwise.
pub const DEFAULT_OVERLAP_HOURS: u32 = 24;
const MOST_OVERLAP_HOURS: u32 = 168;
const HOUR: i64 = 3_600_000_000;
/// The longest life of a token that ends at a chosen time.
const LONGEST: Lifetime = Lifetime::Days(730);

/// When a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// After one of the lifetimes on offer.
    After(Lifetime),
    /// At that time, µs since 1970, which must be to come.
    At(i64),
}

/// A token with its secret.
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

/// The tokens of a connection that are not revoked, expired ones included, in the order of their creation.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn list(caller: &Caller, db: &Database, connection: ConnectionId) -> Result<Vec<TokenRecord>> {
    permitted(caller, Permission::ScimTokensWrite)?;
    load(caller, db, connection).await?;
    let mut all = db.list_tokens(caller.organization, connection).await?;
    all.retain(|token| token.revoked_at.is_none());
    Ok(all)
}

/// The token of that id, if it is not revoked.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, connection: ConnectionId, id: TokenId) -> Result<TokenRecord> {
    permitted(caller, Permission::ScimTokensWrite)?;
    let connection = load(caller, db, connection).await?;
    find(caller, db, &connection, id).await
}

/// Creates a token.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Invalid`, `TokenLimit`; `ConnectionState` of a decommissioned connection.
pub async fn create(
    caller: &Caller,
    db: &Database,
    connection: ConnectionId,
    name: &str,
    expiry: Option<Expiry>,
) -> Result<Issued> {
    permitted(caller, Permission::ScimTokensWrite)?;
    let connection = load(caller, db, connection).await?;
    let (secret, new) = prepare(caller, &connection, name, expiry)?;
    usable(&connection)?;
    let (deed, now) = (caller.deed(), caller.now);
    let insert = async move |db: &mut Db<'_>| {
        room(db, &new, now).await?;
        Ok::<_, Refusal>(tokens::insert(db, &deed, &new).await?)
    };
    Ok(Issued { record: db.transaction(insert).await?, secret })
}

/// Puts a new token of the same name and length of life in the place of one, which works for `overlap_hours` more.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Invalid`, `TokenLimit`; `ConnectionState` of a decommissioned connection.
pub async fn rotate(
    caller: &Caller,
    db: &Database,
    connection: ConnectionId,
    id: TokenId,
    overlap_hours: u32,
) -> Result<Issued> {
    permitted(caller, Permission::ScimTokensWrite)?;
    let connection = load(caller, db, connection).await?;
    let old = find(caller, db, &connection, id).await?;
    if overlap_hours > MOST_OVERLAP_HOURS {
        let detail = format!("overlap_hours is 0 to {MOST_OVERLAP_HOURS}.");
        return Err(Refusal::Invalid(vec![Invalid::new("/overlap_hours", detail)]));
    }
    let (secret, mut new) = prepare(caller, &connection, &old.name, None)?;
    new.expires_at = old.expires_at.map(|at| caller.now.saturating_add(at.saturating_sub(old.created)));
    usable(&connection)?;
    let (deed, now) = (caller.deed(), caller.now);
    let ends_at = (overlap_hours > 0).then(|| now.saturating_add(i64::from(overlap_hours) * HOUR));
    let swap = async move |db: &mut Db<'_>| {
        connections::lock(db, new.organization, new.connection).await?;
        let issued = tokens::rotate(db, &deed, &old, &new, ends_at).await?;
        if tokens::count_alive(db, new.organization, new.connection, now).await? > MOST_ALIVE {
            return Err(Refusal::TokenLimit);
        }
        Ok::<_, Refusal>(issued)
    };
    Ok(Issued { record: db.transaction(swap).await?, secret })
}

/// Revokes a token: from now on it is refused, and gone from the list.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn revoke(caller: &Caller, db: &Database, connection: ConnectionId, id: TokenId) -> Result<()> {
    permitted(caller, Permission::ScimTokensWrite)?;
    let connection = load(caller, db, connection).await?;
    let token = find(caller, db, &connection, id).await?;
    db.revoke_token(caller.deed(), caller.organization, token.id).await?;
    Ok(())
}

/// The token of that id, of that connection, that is not revoked.
async fn find(caller: &Caller, db: &Database, connection: &ConnectionRecord, id: TokenId) -> Result<TokenRecord> {
    let found = db.find_token(caller.organization, id).await?;
    found.filter(|token| token.connection == connection.id && token.revoked_at.is_none()).ok_or(Refusal::Missing)
}

/// A connection that is given up gets no token any more.
fn usable(connection: &ConnectionRecord) -> Result<()> {
    match State::of(&connection.state) {
        State::Decommissioned => Err(Refusal::Decommissioned),
        State::Setup | State::Observe | State::Active | State::Paused => Ok(()),
    }
}

/// Counts under the connection's lock, so that two requests at once do not both find the last place.
async fn room(db: &mut Db<'_>, new: &NewToken, now: i64) -> Result<()> {
    connections::lock(db, new.organization, new.connection).await?;
    if tokens::count_alive(db, new.organization, new.connection, now).await? >= MOST_ALIVE {
        return Err(Refusal::TokenLimit);
    }
    Ok(())
}

/// A secret, and its token that is not stored yet.
fn prepare(
    caller: &Caller,
    connection: &ConnectionRecord,
    name: &str,
    expiry: Option<Expiry>,
) -> Result<(String, NewToken)> {
    let mut errors = Vec::new();
    if let Err(detail) = check_name(name) {
        errors.push(Invalid::new("/name", detail));
    }
    let expires_at = match expiry.unwrap_or(Expiry::After(DEFAULT_LIFETIME)) {
        Expiry::After(lifetime) => lifetime.ends_at(caller.now),
        Expiry::At(at) => {
            if at <= caller.now || LONGEST.ends_at(caller.now).is_some_and(|most| at > most) {
                errors.push(Invalid::new("/expires_at", "The end of a token lies in the next two years."));
            }
            Some(at)
        }
    };
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let secret = ids::secret(SecretKind::ScimToken)?;
    let new = NewToken {
        organization: caller.organization,
        id: ids::token(),
        connection: connection.id,
        name: name.trim().to_owned(),
        hash: token::hash(&secret),
        fingerprint: token::fingerprint(SecretKind::ScimToken, &secret),
        expires_at,
    };
    Ok((secret, new))
}
