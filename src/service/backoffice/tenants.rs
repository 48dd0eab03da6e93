//! Organizations as the backoffice serves them: created with parent, features and a first key; changed, suspended, resumed.

use serde_json::{Map, Value, json};

use super::{OperatorCtx, api_keys, organizations};
use crate::domain::ids::OrganizationId;
use crate::domain::organization::{DEPTH, Features, check_name, check_slug};
use crate::service::admin::api_keys::Issued;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::service::{ServiceError, admin, backoffice};
use crate::storage::cold::organizations::OrganizationColumns;
use crate::storage::cold::{self, operator_log};
use crate::storage::{Database, Db, Deed, NewOrganization, StorageError, UniqueKey};
pub use crate::storage::{OrganizationRecord, OrganizationState};

/// Times that a change is tried again when another came between, where the caller named no version.
const ATTEMPTS: u32 = 5;

/// An organization to create.
#[derive(Debug, Clone, Default)]
pub struct CreateOrganization {
    /// Name for people.
    pub name: String,
    /// Short unique name; made from the name where `None`.
    pub slug: Option<String>,
    /// The organization that it is to be a sub-account of.
    pub parent: Option<OrganizationId>,
    /// What is switched on.
    pub features: Features,
    /// Whether an Admin API key is made with it.
    pub with_api_key: bool,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct PatchOrganization {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub sub_accounts: Option<bool>,
    pub tenant_release: Option<bool>,
}

/// What an organization's record says of its features.
///
/// # Errors
/// `Internal` where it is damaged.
pub fn features(record: &OrganizationRecord) -> Result<Features> {
    let features = Features::parse(&record.features);
    Ok(features.map_err(|error| ServiceError::Internal(format!("features of organization {}: {error}", record.id)))?)
}

/// The organization of that id.
///
/// # Errors
/// `Missing`.
pub async fn get(db: &Database, id: OrganizationId) -> Result<OrganizationRecord> {
    db.find_organization(id).await?.ok_or(Refusal::Missing)
}

/// All organizations, in the order of their creation.
///
/// # Errors
/// The database's.
pub async fn list(db: &Database) -> Result<Vec<OrganizationRecord>> {
    organizations::list(db).await.map_err(refusal)
}

/// Creates an organization, with a key of the role `admin` where asked for, all or none of it.
///
/// # Errors
/// `Invalid`, `NameTaken`.
pub async fn create(
    ctx: &OperatorCtx,
    db: &Database,
    asked: CreateOrganization,
) -> Result<(OrganizationRecord, Option<Issued>)> {
    let mut errors = Vec::new();
    check(Some(&asked.name), asked.slug.as_deref(), &mut errors);
    if let Some(parent) = asked.parent
        && let Err(detail) = check_parent(db, parent).await?
    {
        errors.push(Invalid::new("/parent", detail));
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let slug = asked.slug.as_deref();
    let mut attempt = 1;
    loop {
        let new = organizations::new_organization(&asked.name, slug, attempt).map_err(refusal)?;
        match insert(ctx, db, new.clone(), &asked).await {
            Err(StorageError::NotUnique(UniqueKey::OrganizationSlug)) => {
                attempt = organizations::next(slug, attempt, new.slug).map_err(refusal)?;
            }
            other => return Ok(other?),
        }
    }
}

async fn insert(
    ctx: &OperatorCtx,
    db: &Database,
    new: NewOrganization,
    asked: &CreateOrganization,
) -> std::result::Result<(OrganizationRecord, Option<Issued>), StorageError> {
    let key = asked.with_api_key.then(|| api_keys::first(ctx, new.id)).transpose();
    let key = key.map_err(|refusal| StorageError::Broken(refusal.to_string()))?;
    let (parent, features) = (asked.parent, document(asked.features));
    let deeds = [ctx.deed(), ctx.deed()];
    db.transaction(async move |db: &mut Db<'_>| {
        let [first, second] = &deeds;
        cold::organizations::insert(db, first, &new).await?;
        let stored = cold::organizations::place(db, new.id, parent, &features).await?;
        operator_log::copy(db, first, new.id).await?;
        let issued = match key {
            Some((secret, key)) => {
                let record = admin::api_keys::insert(db, second, &key).await?;
                operator_log::copy(db, second, new.id).await?;
                Some(Issued { record, secret })
            }
            None => None,
        };
        Ok((stored, issued))
    })
    .await
}

/// Changes an organization.
///
/// # Errors
/// `Missing`, `Stale`, `Invalid`, `NameTaken`.
pub async fn patch(
    ctx: &OperatorCtx,
    db: &Database,
    id: OrganizationId,
    expected: Option<i64>,
    patch: PatchOrganization,
) -> Result<OrganizationRecord> {
    let mut errors = Vec::new();
    check(patch.name.as_deref(), patch.slug.as_deref(), &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let mut attempt = 1;
    loop {
        let read = get(db, id).await?;
        if expected.is_some_and(|version| version != read.version) {
            return Err(Refusal::Stale);
        }
        let (columns, detail) = patched(&read, &patch)?;
        let Some(detail) = detail else { return Ok(read) };
        let (deed, slug) = (ctx.deed(), columns.slug.clone());
        let change = async move |db: &mut Db<'_>| -> std::result::Result<OrganizationRecord, StorageError> {
            let stored = cold::organizations::update(db, &deed, &read, &columns, &detail).await?;
            operator_log::copy(db, &deed, stored.id).await?;
            Ok(stored)
        };
        match db.transaction(change).await {
            Err(StorageError::NotUnique(UniqueKey::OrganizationSlug)) => return Err(taken(&slug)),
            Err(StorageError::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(other?),
        }
    }
}

/// The new columns, and the event's detail where something differs.
fn patched(read: &OrganizationRecord, patch: &PatchOrganization) -> Result<(OrganizationColumns, Option<String>)> {
    let before = features(read)?;
    let after = Features {
        sub_accounts: patch.sub_accounts.unwrap_or(before.sub_accounts),
        tenant_release: patch.tenant_release.unwrap_or(before.tenant_release),
    };
    let columns = OrganizationColumns {
        name: patch.name.as_deref().unwrap_or(&read.name).trim().to_owned(),
        slug: patch.slug.clone().unwrap_or_else(|| read.slug.clone()),
        features: if before == after { read.features.clone() } else { document(after) },
    };
    let sides = [
        ("name", Value::from(&*read.name), Value::from(&*columns.name)),
        ("slug", Value::from(&*read.slug), Value::from(&*columns.slug)),
        ("features", json!(before), json!(after)),
    ];
    let (mut old, mut new) = (Map::new(), Map::new());
    for (name, before, after) in sides.into_iter().filter(|(_, before, after)| before != after) {
        old.insert(name.to_owned(), before);
        new.insert(name.to_owned(), after);
    }
    let changed: Vec<&String> = new.keys().collect();
    let detail = (!changed.is_empty()).then(|| json!({ "changed": changed, "before": old, "after": new }).to_string());
    Ok((columns, detail))
}

/// Suspends or resumes an organization: suspended, every credential of it is refused, and nothing is deleted.
///
/// # Errors
/// `Missing`.
pub async fn set_state(
    ctx: &OperatorCtx,
    db: &Database,
    id: OrganizationId,
    state: OrganizationState,
) -> Result<OrganizationRecord> {
    let deed: Deed = ctx.deed();
    let change = async move |db: &mut Db<'_>| -> std::result::Result<OrganizationRecord, StorageError> {
        let read = cold::organizations::find(db, id).await?.ok_or(StorageError::Missing)?;
        let stored = cold::organizations::update_state(db, &deed, id, state).await?;
        // In that state already: there was no deed.
        if stored.version != read.version {
            operator_log::copy(db, &deed, id).await?;
        }
        Ok(stored)
    };
    Ok(db.transaction(change).await?)
}

fn check(name: Option<&str>, slug: Option<&str>, errors: &mut Vec<Invalid>) {
    if let Some(Err(detail)) = name.map(check_name) {
        errors.push(Invalid::new("/name", detail));
    }
    if let Some(Err(detail)) = slug.map(check_slug) {
        errors.push(Invalid::new("/slug", detail));
    }
}

/// Whether an organization may have another one below it; what speaks against it.
async fn check_parent(db: &Database, parent: OrganizationId) -> Result<std::result::Result<(), String>> {
    let mut above = Some(parent);
    for depth in 0..DEPTH {
        let Some(id) = above else { return Ok(Ok(())) };
        let Some(found) = db.find_organization(id).await? else {
            return Ok(Err("There is no such organization.".to_owned()));
        };
        if depth == 0 && !features(&found)?.sub_accounts {
            return Ok(Err("The feature sub_accounts is off in this organization.".to_owned()));
        }
        above = found.parent;
    }
    Ok(Err(format!("At most {DEPTH} organizations stand above each other.")))
}

fn document(features: Features) -> String {
    json!(features).to_string()
}

fn taken(slug: &str) -> Refusal {
    Refusal::NameTaken(format!("Another organization has the slug {slug}."))
}

/// In the words of the surface.
fn refusal(refusal: backoffice::Refusal) -> Refusal {
    match refusal {
        backoffice::Refusal::Invalid(detail) => Refusal::Invalid(vec![Invalid::new("", detail)]),
        backoffice::Refusal::Missing { .. } => Refusal::Missing,
        backoffice::Refusal::Taken { name, .. } => taken(&name),
        backoffice::Refusal::NoRandom(error) => error.into(),
        backoffice::Refusal::Storage(error) => error.into(),
    }
}
