//! Organizations: create, with or without all that a first SCIM request needs; find, list, suspend, resume.

use super::{OperatorCtx, Refusal, Result, api_keys, connections, operators, tokens};
use crate::domain::ids::OrganizationId;
use crate::domain::organization::{check_name, check_slug, derive_slug, numbered_slug};
use crate::domain::token::Lifetime;
use crate::service::admin::api_keys::Issued;
use crate::service::{admin, ids};
use crate::storage::cold;
use crate::storage::{
    ConnectionRecord, Database, Db, NewOrganization, OrganizationRecord, OrganizationState, StorageError, UniqueKey,
};

/// Slugs that are tried when the derived one is taken.
const ATTEMPTS: u32 = 1_000;
/// Organizations that are read at once.
const PAGE: u32 = 200;

/// An organization with an active connection and a token.
#[derive(Debug)]
pub struct Bootstrapped {
    /// The organization.
    pub organization: OrganizationRecord,
    /// Its connection (provider `custom`).
    pub connection: ConnectionRecord,
    /// The connection's token.
    pub token: tokens::Issued,
    /// A key of the admin API with the role `admin`.
    pub api_key: Issued,
    /// An operator with a key, where one was asked for.
    pub operator: Option<operators::Issued>,
}

/// Creates an organization. Without a slug, one is derived from the name and numbered where it is taken.
///
/// # Errors
/// `Invalid` name or slug, `Taken` slug.
pub async fn create(ctx: &OperatorCtx, db: &Database, name: &str, slug: Option<&str>) -> Result<OrganizationRecord> {
    let mut attempt = 1;
    loop {
        let new = new_organization(name, slug, attempt)?;
        match db.insert_organization(ctx.deed(), new.clone()).await {
            Err(StorageError::NotUnique(UniqueKey::OrganizationSlug)) => attempt = next(slug, attempt, new.slug)?,
            other => return Ok(other?),
        }
    }
}

/// Creates an organization with an active connection, a SCIM token and an API key, all or none of it.
///
/// # Errors
/// As `create`.
pub async fn bootstrap(ctx: &OperatorCtx, db: &Database, name: &str, slug: Option<&str>) -> Result<Bootstrapped> {
    bootstrap_numbered(ctx, db, name, slug, false).await
}

/// The same with an operator of the service.
///
/// # Errors
/// As `create`.
pub async fn bootstrap_with_operator(
    ctx: &OperatorCtx,
    db: &Database,
    name: &str,
    slug: Option<&str>,
) -> Result<Bootstrapped> {
    bootstrap_numbered(ctx, db, name, slug, true).await
}

async fn bootstrap_numbered(
    ctx: &OperatorCtx,
    db: &Database,
    name: &str,
    slug: Option<&str>,
    with_operator: bool,
) -> Result<Bootstrapped> {
    let mut attempt = 1;
    loop {
        let new = new_organization(name, slug, attempt)?;
        match insert_all(ctx, db, new.clone(), with_operator).await {
            Err(Refusal::Storage(StorageError::NotUnique(UniqueKey::OrganizationSlug))) => {
                attempt = next(slug, attempt, new.slug)?;
            }
            other => return other,
        }
    }
}

async fn insert_all(
    ctx: &OperatorCtx,
    db: &Database,
    organization: NewOrganization,
    with_operator: bool,
) -> Result<Bootstrapped> {
    let connection = connections::new(organization.id, "custom", "SCIM")?;
    let (secret, token) = tokens::new(ctx, organization.id, connection.id, "bootstrap", Lifetime::Days(365))?;
    let (api_secret, api_key) = api_keys::first(ctx, organization.id)?;
    let operator = operators::CreateOperator { name: organization.name.clone(), role: "operator".to_owned() };
    let operator = with_operator.then(|| operators::prepare(ctx, &operator)).transpose();
    let operator = operator.map_err(|refusal| Refusal::Invalid(refusal.to_string()))?;
    let deeds = [ctx.deed(), ctx.deed(), ctx.deed(), ctx.deed()];
    let stored = async move |db: &mut Db<'_>| -> Result<Bootstrapped> {
        let [first, second, third, fourth] = &deeds;
        let organization = cold::organizations::insert(db, first, &organization).await?;
        let connection = cold::connections::insert(db, second, &connection).await?;
        let record = cold::tokens::insert(db, third, &token).await?;
        let token = tokens::Issued { record, secret };
        let record = admin::api_keys::insert(db, fourth, &api_key).await?;
        let api_key = Issued { record, secret: api_secret };
        let operator = match operator {
            Some(prepared) => Some(prepared.insert(db).await?),
            None => None,
        };
        Ok(Bootstrapped { organization, connection, token, api_key, operator })
    };
    db.transaction(stored).await
}

pub(super) fn new_organization(name: &str, slug: Option<&str>, attempt: u32) -> Result<NewOrganization> {
    check_name(name).map_err(|e| Refusal::Invalid(format!("the organization's name: {e}")))?;
    let slug = match slug {
        Some(slug) => slug.to_owned(),
        None if attempt == 1 => derive_slug(name),
        None => numbered_slug(&derive_slug(name), attempt),
    };
    check_slug(&slug).map_err(|e| Refusal::Invalid(format!("the slug `{slug}`: {e}")))?;
    Ok(NewOrganization { id: ids::organization(), slug, name: name.trim().to_owned() })
}

pub(super) fn next(slug: Option<&str>, attempt: u32, tried: String) -> Result<u32> {
    if slug.is_some() || attempt == ATTEMPTS {
        return Err(Refusal::Taken { what: "an organization with the slug", name: tried });
    }
    Ok(attempt + 1)
}

/// The organization of that slug or id.
///
/// # Errors
/// `Missing`.
pub async fn load(db: &Database, slug_or_id: &str) -> Result<OrganizationRecord> {
    let found = match uuid::Uuid::try_parse(slug_or_id) {
        Ok(id) => db.find_organization(OrganizationId(id)).await?,
        Err(_) => None,
    };
    let found = match found {
        Some(organization) => Some(organization),
        None => db.find_organization_by_slug_across_organizations(slug_or_id).await?,
    };
    found.ok_or_else(|| Refusal::Missing { what: "organization", name: slug_or_id.to_owned() })
}

/// Whether there is none at all.
///
/// # Errors
/// The database's.
pub async fn is_empty(db: &Database) -> Result<bool> {
    Ok(db.list_organizations_across_organizations(None, 1).await?.is_empty())
}

/// All organizations, in the order of their creation.
///
/// # Errors
/// The database's.
pub async fn list(db: &Database) -> Result<Vec<OrganizationRecord>> {
    let mut all: Vec<OrganizationRecord> = Vec::new();
    loop {
        let page = db.list_organizations_across_organizations(all.last().map(|o| o.id), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// Suspends: from now on every credential of the organization is refused, and nothing is deleted.
///
/// # Errors
/// `Missing`.
pub async fn suspend(ctx: &OperatorCtx, db: &Database, slug_or_id: &str) -> Result<OrganizationRecord> {
    let id = load(db, slug_or_id).await?.id;
    Ok(db.update_organization_state(ctx.deed(), id, OrganizationState::Suspended).await?)
}

/// Ends a suspension.
///
/// # Errors
/// `Missing`.
pub async fn resume(ctx: &OperatorCtx, db: &Database, slug_or_id: &str) -> Result<OrganizationRecord> {
    let id = load(db, slug_or_id).await?.id;
    Ok(db.update_organization_state(ctx.deed(), id, OrganizationState::Active).await?)
}
