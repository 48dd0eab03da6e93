//! API keys of the organization: create, list, change, rotate, revoke. A key outlives whoever made it; its roles never
//! exceed what its maker may give. The secret is answered once.

use std::fmt;

use serde_json::{Map, Value, json};

use super::error::{Invalid, Refusal, Result};
use super::{Caller, Credential};
use crate::config::Network;
use crate::domain::actor::Actor;
use crate::domain::ids::{OrganizationId, TokenId};
use crate::domain::organization::check_name;
use crate::domain::permission::{Guarded, Permission, Role, RoleSet, roles_for_a_key_by};
use crate::domain::token::{self, Lifetime, SecretKind};
use crate::service::auth::api_key::is_allowed;
use crate::service::ids;
pub use crate::storage::ApiKeyRecord;
use crate::storage::cold::api_keys::{self, ApiKeyColumns, NewApiKey, Sealed};
use crate::storage::{Database, Db, Deed, StorageError};

/// Life of a key for which nothing else is asked.
pub const DEFAULT_LIFETIME: Lifetime = Lifetime::Days(90);
/// Hours that the former secret works on after a rotation, unless asked otherwise.
pub const DEFAULT_OVERLAP_HOURS: u32 = 24;
const MOST_OVERLAP_HOURS: u32 = 168;
const HOUR: i64 = 3_600_000_000;
const DESCRIPTION: usize = 500;
/// Blocks of an allow-list.
const NETWORKS: usize = 50;
/// Keys that are read at once.
const PAGE: u32 = 200;
/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;

/// When a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At that time, µs since 1970, which must be to come.
    At(i64),
    /// Never.
    Never,
}

/// A key to create.
#[derive(Debug, Clone, Default)]
pub struct CreateApiKey {
    /// Name for people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Keys of roles, at least one.
    pub roles: Vec<String>,
    /// After 90 days where `None`.
    pub expires: Option<Expiry>,
    /// CIDR blocks; empty: any address.
    pub ip_allowlist: Vec<String>,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct PatchApiKey {
    pub name: Option<String>,
    pub description: Option<String>,
    pub roles: Option<Vec<String>>,
    pub expires: Option<Expiry>,
    pub ip_allowlist: Option<Vec<String>>,
}

/// A key with its new secret.
pub struct Issued {
    /// As stored.
    pub record: ApiKeyRecord,
    /// To be shown once.
    pub secret: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("record", &self.record).field("secret", &"[redacted]").finish()
    }
}

/// Creates a key.
///
/// # Errors
/// `PermissionDenied`, `Invalid`; `Guarded` where a role is above the caller's.
pub async fn create(caller: &Caller, db: &Database, new: CreateApiKey) -> Result<Issued> {
    permitted(caller, Permission::ApiKeysWrite)?;
    let (secret, new) = prepare(caller.organization, roles_for_a_key_by(caller.roles), caller.now, new)?;
    let deed = caller.deed();
    let record = db.transaction(async move |db: &mut Db<'_>| insert(db, &deed, &new).await).await?;
    Ok(Issued { record, secret })
}

/// A secret, and its key that is not stored yet. `grantable`: what its maker may give.
pub(crate) fn prepare(
    organization: OrganizationId,
    grantable: RoleSet,
    now: i64,
    new: CreateApiKey,
) -> Result<(String, NewApiKey)> {
    let mut errors = Vec::new();
    let columns = ApiKeyColumns {
        name: name(&new.name, &mut errors),
        description: description(&new.description, &mut errors),
        roles: roles(&new.roles, &mut errors).to_string(),
        ip_allowlist: allowlist(&new.ip_allowlist, &mut errors),
        expires_at: match new.expires {
            None => DEFAULT_LIFETIME.ends_at(now),
            Some(expiry) => ends_at(expiry, now, &mut errors),
        },
    };
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    covers(grantable, RoleSet::parse(&columns.roles))?;
    let (secret, sealed) = seal(SecretKind::ApiKey)?;
    Ok((secret, NewApiKey { organization, id: ids::token(), columns, secret: sealed }))
}

/// Stores it with its event.
pub(crate) async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewApiKey) -> crate::storage::Result<ApiKeyRecord> {
    let roles: Vec<&str> = RoleSet::parse(&new.columns.roles).iter().map(Role::key).collect();
    let after = json!({ "after": { "name": new.columns.name, "roles": roles } });
    api_keys::insert(db, deed, new, &after.to_string()).await
}

/// The keys that the caller may see, in the order of their creation: all, or those they made.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<ApiKeyRecord>> {
    permitted(caller, Permission::ApiKeysRead)?;
    let maker = caller.actor.to_string();
    let maker = if caller.may_fully(Permission::ApiKeysRead) { None } else { Some(&*maker) };
    let mut all: Vec<ApiKeyRecord> = Vec::new();
    loop {
        let page = db.list_api_keys(caller.organization, maker, all.last().map(|key| key.id), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The key of that id.
///
/// # Errors
/// `PermissionDenied`; `Missing` also where the caller may not see it.
pub async fn get(caller: &Caller, db: &Database, id: TokenId) -> Result<ApiKeyRecord> {
    permitted(caller, Permission::ApiKeysRead)?;
    visible(caller, db, id, Permission::ApiKeysRead).await
}

/// Changes a key.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Invalid`; `Guarded` where a role is above the caller's, or a key changes its own
/// roles.
pub async fn patch(
    caller: &Caller,
    db: &Database,
    id: TokenId,
    expected: Option<i64>,
    patch: PatchApiKey,
) -> Result<ApiKeyRecord> {
    permitted(caller, Permission::ApiKeysWrite)?;
    let mut attempt = 1;
    loop {
        let read = editable(caller, db, id, expected).await?;
        let columns = patched(caller, &read, &patch)?;
        let detail = difference(&read, &columns);
        let Some(detail) = detail else { return Ok(read) };
        let deed = caller.deed();
        let change = async move |db: &mut Db<'_>| api_keys::update(db, &deed, &read, &columns, &detail).await;
        match db.transaction(change).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(other?),
        }
    }
}

/// Gives a key a new secret; the one before works for `overlap_hours` more. Its life begins anew with the same length.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Invalid`.
pub async fn rotate(
    caller: &Caller,
    db: &Database,
    id: TokenId,
    expected: Option<i64>,
    overlap_hours: u32,
) -> Result<Issued> {
    permitted(caller, Permission::ApiKeysWrite)?;
    let mut attempt = 1;
    loop {
        let read = editable(caller, db, id, expected).await?;
        if overlap_hours > MOST_OVERLAP_HOURS {
            let detail = format!("overlap_hours is 0 to {MOST_OVERLAP_HOURS}.");
            return Err(Refusal::Invalid(vec![Invalid::new("/overlap_hours", detail)]));
        }
        let until = caller.now.saturating_add(i64::from(overlap_hours) * HOUR);
        // The former secret does not outlive what was promised of it.
        let until = (overlap_hours > 0).then(|| read.expires_at.map_or(until, |at| at.min(until)));
        let since = read.rotated_at.unwrap_or(read.created);
        let expires_at = read.expires_at.map(|at| caller.now.saturating_add(at.saturating_sub(since)));
        let (secret, sealed) = seal(SecretKind::ApiKey)?;
        let deed = caller.deed();
        let change = async move |db: &mut Db<'_>| api_keys::rotate(db, &deed, &read, &sealed, expires_at, until).await;
        match db.transaction(change).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(Issued { record: other?, secret }),
        }
    }
}

/// Revokes a key: from now on it is refused, and gone from the list.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`.
pub async fn revoke(caller: &Caller, db: &Database, id: TokenId, expected: Option<i64>) -> Result<()> {
    permitted(caller, Permission::ApiKeysWrite)?;
    let mut attempt = 1;
    loop {
        let read = visible(caller, db, id, Permission::ApiKeysWrite).await?;
        current(&read, expected)?;
        let deed = caller.deed();
        let change = async move |db: &mut Db<'_>| api_keys::revoke(db, &deed, &read).await;
        match db.transaction(change).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return other.map(drop).map_err(Refusal::from),
        }
    }
}

fn permitted(caller: &Caller, permission: Permission) -> Result<()> {
    if caller.may(permission) { Ok(()) } else { Err(Refusal::PermissionDenied(permission)) }
}

/// The key, if the permission reaches it.
async fn visible(caller: &Caller, db: &Database, id: TokenId, permission: Permission) -> Result<ApiKeyRecord> {
    let found = db.find_api_key(caller.organization, id).await?.ok_or(Refusal::Missing)?;
    if caller.may_fully(permission) || found.created_by == caller.actor.to_string() {
        Ok(found)
    } else {
        Err(Refusal::Missing)
    }
}

/// The key of the expected version, if the caller may hand out what it opens: who has lost a role since they made a key
/// must not take it back through the key.
async fn editable(caller: &Caller, db: &Database, id: TokenId, expected: Option<i64>) -> Result<ApiKeyRecord> {
    let read = visible(caller, db, id, Permission::ApiKeysWrite).await?;
    current(&read, expected)?;
    covers(roles_for_a_key_by(caller.roles), RoleSet::parse(&read.roles))?;
    Ok(read)
}

fn current(read: &ApiKeyRecord, expected: Option<i64>) -> Result<()> {
    if expected.is_some_and(|version| version != read.version) { Err(Refusal::Stale) } else { Ok(()) }
}

fn covers(grantable: RoleSet, asked: RoleSet) -> Result<()> {
    if grantable.covers(asked) { Ok(()) } else { Err(Refusal::Guarded(Guarded::AboveOwn)) }
}

fn patched(caller: &Caller, read: &ApiKeyRecord, patch: &PatchApiKey) -> Result<ApiKeyColumns> {
    let mut errors = Vec::new();
    let columns = ApiKeyColumns {
        name: patch.name.as_deref().map_or_else(|| read.name.clone(), |text| name(text, &mut errors)),
        description: patch
            .description
            .as_deref()
            .map_or_else(|| read.description.clone(), |text| description(text, &mut errors)),
        roles: match &patch.roles {
            Some(keys) => roles(keys, &mut errors).to_string(),
            None => read.roles.clone(),
        },
        ip_allowlist: match &patch.ip_allowlist {
            Some(blocks) => allowlist(blocks, &mut errors),
            None => read.ip_allowlist.clone(),
        },
        expires_at: match patch.expires {
            Some(expiry) => ends_at(expiry, caller.now, &mut errors),
            None => read.expires_at,
        },
    };
    let is_own = caller.credential == Credential::ApiKey(read.id) && caller.actor == Actor::ApiKey(read.id);
    if is_own && columns.ip_allowlist != read.ip_allowlist {
        let networks: Vec<Network> =
            columns.ip_allowlist.split(',').filter_map(|block| Network::parse(block).ok()).collect();
        if !is_allowed(&networks, caller.client_ip) {
            errors.push(Invalid::new("/ip_allowlist", "This would shut out the address that you are calling from."));
        }
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let (before, after) = (RoleSet::parse(&read.roles), RoleSet::parse(&columns.roles));
    if is_own && before != after {
        return Err(Refusal::Guarded(Guarded::OwnRoles));
    }
    covers(roles_for_a_key_by(caller.roles), after)?;
    Ok(columns)
}

/// What the event says; `None` where nothing differs.
fn difference(read: &ApiKeyRecord, columns: &ApiKeyColumns) -> Option<String> {
    let (mut before, mut after) = (Map::new(), Map::new());
    let mut note = |field: &str, old: Value, new: Value| {
        if old != new {
            before.insert(field.to_owned(), old);
            after.insert(field.to_owned(), new);
        }
    };
    note("name", json!(read.name), json!(columns.name));
    note("description", json!(read.description), json!(columns.description));
    note("roles", json!(read.roles), json!(columns.roles));
    note("ip_allowlist", json!(read.ip_allowlist), json!(columns.ip_allowlist));
    note("expires_at", json!(read.expires_at), json!(columns.expires_at));
    let changed: Vec<String> = after.keys().cloned().collect();
    if changed.is_empty() {
        return None;
    }
    Some(json!({ "changed": changed, "before": before, "after": after }).to_string())
}

/// A new secret, and what is stored of it.
pub(crate) fn seal(kind: SecretKind) -> Result<(String, Sealed)> {
    let secret = ids::secret(kind)?;
    let sealed = Sealed { hash: token::hash(&secret), fingerprint: token::fingerprint(kind, &secret) };
    Ok((secret, sealed))
}

fn name(text: &str, errors: &mut Vec<Invalid>) -> String {
    if let Err(detail) = check_name(text) {
        errors.push(Invalid::new("/name", detail));
    }
    text.trim().to_owned()
}

fn description(text: &str, errors: &mut Vec<Invalid>) -> String {
    if text.chars().count() > DESCRIPTION || text.chars().any(|c| c.is_control() && c != '\n') {
        let detail = format!("a description has at most {DESCRIPTION} characters, without control characters");
        errors.push(Invalid::new("/description", detail));
    }
    text.trim().to_owned()
}

fn roles(keys: &[String], errors: &mut Vec<Invalid>) -> RoleSet {
    let mut set = RoleSet::NONE;
    for (at, key) in keys.iter().enumerate() {
        match Role::parse(key) {
            Some(role) => set.insert(role),
            None => {
                let known: Vec<&str> = Role::ALL.into_iter().map(Role::key).collect();
                errors.push(Invalid::new(format!("/roles/{at}"), format!("a role is one of {}", known.join(", "))));
            }
        }
    }
    if keys.is_empty() {
        errors.push(Invalid::new("/roles", "a key has at least one role"));
    }
    set
}

fn allowlist(blocks: &[String], errors: &mut Vec<Invalid>) -> String {
    if blocks.len() > NETWORKS {
        errors.push(Invalid::new("/ip_allowlist", format!("an allow-list has at most {NETWORKS} blocks")));
    }
    for (at, block) in blocks.iter().enumerate() {
        if let Err(detail) = Network::parse(block) {
            errors.push(Invalid::new(format!("/ip_allowlist/{at}"), detail));
        }
    }
    blocks.join(",")
}

fn ends_at(expiry: Expiry, now: i64, errors: &mut Vec<Invalid>) -> Option<i64> {
    match expiry {
        Expiry::Never => None,
        Expiry::At(at) => {
            if at <= now {
                errors.push(Invalid::new("/expires_at", "the end of a key lies in the future"));
            }
            Some(at)
        }
    }
}
