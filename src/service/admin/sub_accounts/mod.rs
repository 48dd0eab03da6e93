//! Sub-accounts of the caller's organization, where the operator switched them on. Each is a tenant of its own: what is seen
//! and changed here is that it exists, what it is called and who of this organization reaches it.

mod access;

use serde_json::json;

use super::Caller;
use super::api_keys::{self, CreateApiKey, Issued};
use super::error::{Invalid, Refusal, Result};
use crate::domain::ids::OrganizationId;
use crate::domain::organization::{DEPTH, check_name, derive_slug, numbered_slug};
use crate::domain::permission::{Guarded, Permission, Role};
use crate::domain::sub_account::reach_of;
use crate::service::backoffice::tenants;
use crate::service::ids;
use crate::storage::cold::sub_accounts::{self, TwoDeeds};
use crate::storage::{Database, Db, NewOrganization, OrganizationRecord, StorageError, UniqueKey};
pub use access::{Access, check_target, grant, list as list_access, revoke};

/// Slugs that are tried when the derived one is taken.
const SLUGS: u32 = 5;
/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;
/// Sub-accounts that are read at once.
const PAGE: u32 = 200;

/// A sub-account to create.
#[derive(Debug, Clone, Default)]
pub struct CreateSubAccount {
    /// Name for people.
    pub name: String,
    /// Whether its first API key, of the role `admin`, is made with it.
    pub with_api_key: bool,
}

/// All sub-accounts of the caller's organization, in the order of their creation.
///
/// # Errors
/// `PermissionDenied`; `Missing` while the feature is off.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<OrganizationRecord>> {
    open(caller, db, &[Permission::SubAccountsRead]).await?;
    let mut all: Vec<OrganizationRecord> = Vec::new();
    loop {
        let page = db.list_sub_accounts(caller.organization, all.last().map(|last| last.id), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// Whether the caller may make sub-accounts, for a surface that judges this before what it was sent.
///
/// # Errors
/// `PermissionDenied`; `Missing` while the feature is off.
pub async fn check_open(caller: &Caller, db: &Database) -> Result<()> {
    open(caller, db, &[Permission::SubAccountsWrite]).await.map(drop)
}

/// One of them.
///
/// # Errors
/// `PermissionDenied`; `Missing` also while the feature is off, and for a sub-account of another organization.
pub async fn get(caller: &Caller, db: &Database, id: OrganizationId) -> Result<OrganizationRecord> {
    open(caller, db, &[Permission::SubAccountsRead]).await?;
    find(caller, db, id).await
}

/// Creates one. At first the Admins of the caller's organization reach it, and whoever makes it. Its first key makes whoever
/// holds it an Admin there, so only an Admin asks for it.
///
/// # Errors
/// `PermissionDenied`, `Missing` while the feature is off, `Guarded`, `Invalid`.
pub async fn create(
    caller: &Caller,
    db: &Database,
    asked: CreateSubAccount,
) -> Result<(OrganizationRecord, Option<Issued>)> {
    let parent = open(caller, db, &[Permission::SubAccountsWrite]).await?;
    check_name(&asked.name).map_err(|detail| Refusal::Invalid(vec![Invalid::new("/name", detail)]))?;
    if asked.with_api_key && !caller.is_admin() {
        return Err(Guarded::NeedsAdmin.into());
    }
    let slug = derive_slug(&format!("{} {}", parent.slug, asked.name));
    let mut attempt = 1;
    loop {
        let id = ids::organization();
        // By chance rather than by counting, so that it does not tell how many others have the name.
        let slug = if attempt == 1 { slug.clone() } else { numbered_slug(&slug, id.0.as_u128() as u32) };
        let new = NewOrganization { id, slug, name: asked.name.trim().to_owned() };
        match insert(caller, db, new, asked.with_api_key).await? {
            Outcome::SlugTaken if attempt < SLUGS => attempt += 1,
            Outcome::SlugTaken => return Err(StorageError::NotUnique(UniqueKey::OrganizationSlug).into()),
            Outcome::TooDeep => {
                let detail = format!("At most {DEPTH} organizations stand above each other.");
                return Err(Refusal::Invalid(vec![Invalid::new("", detail)]));
            }
            Outcome::Made(made) => return Ok(*made),
        }
    }
}

enum Outcome {
    Made(Box<(OrganizationRecord, Option<Issued>)>),
    SlugTaken,
    TooDeep,
}

/// The sub-account, the access of its maker and its key, all or none of it.
async fn insert(caller: &Caller, db: &Database, new: NewOrganization, with_api_key: bool) -> Result<Outcome> {
    let first = CreateApiKey {
        name: "First key".to_owned(),
        roles: vec![Role::Admin.key().to_owned()],
        ..CreateApiKey::default()
    };
    let grantable = Role::ALL.into_iter().collect();
    let key = with_api_key.then(|| api_keys::prepare(new.id, grantable, caller.now, first)).transpose()?;
    let parent = caller.organization;
    // A key belongs to its organization: it reaches no other one.
    let maker = caller.user().map(|user| (user, reach_of(caller.roles).to_string()));
    let (deeds, key_deed, access_deeds) = (two(caller), caller.deed(), two(caller));
    let deed = async move |db: &mut Db<'_>| -> std::result::Result<Outcome, StorageError> {
        if sub_accounts::depth(db, parent, DEPTH).await? >= DEPTH {
            return Ok(Outcome::TooDeep);
        }
        let stored = sub_accounts::insert(db, &deeds, parent, &new).await?;
        if let Some((user, roles)) = &maker {
            sub_accounts::grant(db, &access_deeds, parent, &stored, *user, roles).await?;
        }
        let issued = match key {
            Some((secret, key)) => Some(Issued { record: api_keys::insert(db, &key_deed, &key).await?, secret }),
            None => None,
        };
        Ok(Outcome::Made(Box::new((stored, issued))))
    };
    match db.transaction(deed).await {
        Err(StorageError::NotUnique(UniqueKey::OrganizationSlug)) => Ok(Outcome::SlugTaken),
        other => Ok(other?),
    }
}

/// Gives one another name.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Invalid`.
pub async fn rename(
    caller: &Caller,
    db: &Database,
    id: OrganizationId,
    expected: Option<i64>,
    name: Option<String>,
) -> Result<OrganizationRecord> {
    open(caller, db, &[Permission::SubAccountsWrite]).await?;
    let mut attempt = 1;
    loop {
        let read = current(find(caller, db, id).await?, expected)?;
        let Some(name) = name.as_deref() else { return Ok(read) };
        check_name(name).map_err(|detail| Refusal::Invalid(vec![Invalid::new("/name", detail)]))?;
        let name = name.trim().to_owned();
        if name == read.name {
            return Ok(read);
        }
        let detail = json!({ "changed": ["name"], "before": { "name": read.name }, "after": { "name": name } });
        let (parent, deeds, detail) = (caller.organization, two(caller), detail.to_string());
        let deed = async move |db: &mut Db<'_>| sub_accounts::rename(db, &deeds, parent, &read, &name, &detail).await;
        match db.transaction(deed).await {
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(other?),
        }
    }
}

/// Archives one, and whatever is below it: every credential is refused from now on, nothing is deleted, and only the operator
/// brings it back. Answers it, and the ids of all that are archived now.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`.
pub async fn archive(
    caller: &Caller,
    db: &Database,
    id: OrganizationId,
    expected: Option<i64>,
) -> Result<(OrganizationRecord, Vec<OrganizationId>)> {
    open(caller, db, &[Permission::SubAccountsWrite]).await?;
    let doer = caller.clone();
    let deed = async move |db: &mut Db<'_>| -> Result<(OrganizationRecord, Vec<OrganizationId>)> {
        let read = sub_accounts::find(db, doer.organization, id).await?.ok_or(Refusal::Missing)?;
        let read = current(read, expected)?;
        let archived = sub_accounts::archive(db, &two(&doer), doer.organization, &read).await?;
        let (mut all, mut at) = (vec![id], 0);
        while let Some(above) = all.get(at).copied() {
            at += 1;
            let mut last = None;
            loop {
                let page = sub_accounts::list(db, above, last, PAGE).await?;
                let Some(end) = page.last() else { break };
                last = Some(end.id);
                for below in &page {
                    sub_accounts::archive(db, &two(&doer), above, below).await?;
                    all.push(below.id);
                }
            }
        }
        Ok((archived, all))
    };
    db.transaction(deed).await
}

/// Judges permissions, then whether the feature is on; answers the caller's organization.
async fn open(caller: &Caller, db: &Database, permissions: &[Permission]) -> Result<OrganizationRecord> {
    for permission in permissions {
        caller.permitted(*permission)?;
    }
    let own = super::organization::get(caller, db).await?;
    if tenants::features(&own)?.sub_accounts { Ok(own) } else { Err(Refusal::Missing) }
}

async fn find(caller: &Caller, db: &Database, id: OrganizationId) -> Result<OrganizationRecord> {
    db.find_sub_account(caller.organization, id).await?.ok_or(Refusal::Missing)
}

fn current(read: OrganizationRecord, expected: Option<i64>) -> Result<OrganizationRecord> {
    if expected.is_none_or(|version| version == read.version) { Ok(read) } else { Err(Refusal::Stale) }
}

fn two(caller: &Caller) -> TwoDeeds {
    TwoDeeds { parent: caller.deed(), child: caller.deed() }
}
