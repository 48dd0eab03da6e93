//! Domains of any organization, which the operator may take for its own without a DNS record: adoption by policy then works as
//! if there were one.

use super::{OperatorCtx, api_keys, organizations, tenants};
use crate::domain::ids::OrganizationId;
use crate::service::admin::domains::Claim;
use crate::service::admin::error::{Refusal, Result};
use crate::service::backoffice;
pub use crate::storage::cold::domains::DomainRecord;
use crate::storage::cold::{domains, operator_log};
use crate::storage::{Database, Db, StorageError};

/// The domains of an organization by name.
///
/// # Errors
/// `Missing` organization.
pub async fn list(db: &Database, organization: OrganizationId) -> Result<Vec<DomainRecord>> {
    tenants::get(db, organization).await?;
    Ok(db.list_domains(organization).await?)
}

/// One of them.
///
/// # Errors
/// `Missing`.
pub async fn get(db: &Database, organization: OrganizationId, domain: &str) -> Result<DomainRecord> {
    db.find_domain(organization, domain).await?.ok_or(Refusal::Missing)
}

/// Takes a domain for the organization's own, claimed there or not. One that is verified already keeps its time and method.
///
/// # Errors
/// `Missing` organization, `Invalid`.
pub async fn verify(
    ctx: &OperatorCtx,
    db: &Database,
    organization: OrganizationId,
    domain: &str,
) -> Result<DomainRecord> {
    tenants::get(db, organization).await?;
    let claim = Claim::of(domain)?;
    let deeds = [ctx.deed(), ctx.deed()];
    let take = async move |db: &mut Db<'_>| {
        let [first, second] = &deeds;
        if claim.insert(db, first, organization).await? {
            operator_log::copy(db, first, organization).await?;
        }
        if domains::verify(db, second, organization, &claim.domain, "operator").await? {
            operator_log::copy(db, second, organization).await?;
        }
        domains::find(db, organization, &claim.domain).await?.ok_or(Refusal::Missing)
    };
    db.transaction(take).await
}

/// The same for the command line, which names the organization by its slug or id.
///
/// # Errors
/// `Missing` organization, `Invalid`.
pub async fn verify_named(
    ctx: &OperatorCtx,
    db: &Database,
    slug_or_id: &str,
    domain: &str,
) -> backoffice::Result<DomainRecord> {
    let organization = organizations::load(db, slug_or_id).await?.id;
    verify(ctx, db, organization, domain).await.map_err(api_keys::refusal)
}

/// Takes a domain away. Who was adopted by it stays adopted.
///
/// # Errors
/// `Missing`.
pub async fn remove(ctx: &OperatorCtx, db: &Database, organization: OrganizationId, domain: &str) -> Result<()> {
    let (deed, domain) = (ctx.deed(), domain.to_owned());
    let take = async move |db: &mut Db<'_>| {
        domains::delete(db, &deed, organization, &domain).await?;
        operator_log::copy(db, &deed, organization).await?;
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(take).await?)
}
