//! Domains of an organization: claimed, and verified by a DNS record or by the operator.

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::{Deed, Target, record};
use crate::domain::ids::OrganizationId;
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::verified_domains;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A stored domain.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = verified_domains)]
pub struct DomainRecord {
    /// In lower case.
    pub domain: String,
    /// `pending`, `verified`
    pub state: String,
    /// `dns`, `operator`: how it is or is to be verified.
    pub method: String,
    /// What the TXT record must say.
    pub value: String,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
    /// µs since 1970.
    pub checked_at: Option<i64>,
    /// µs since 1970.
    pub verified_at: Option<i64>,
}

/// The domains of an organization by name.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(db: &mut Db<'_>, organization: OrganizationId) -> Result<Vec<DomainRecord>> {
    let query = verified_domains::table
        .filter(verified_domains::organization.eq(Id::from(organization)))
        .order(verified_domains::domain);
    Ok(query.select(DomainRecord::cols()).all(db).await?)
}

/// One of them.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, organization: OrganizationId, domain: &str) -> Result<Option<DomainRecord>> {
    let query = verified_domains::table.find((Id::from(organization), domain.to_owned()));
    Ok(query.select(DomainRecord::cols()).opt(db).await?)
}

/// Claims a domain; one that is claimed already stays as it is, without event. Answers whether it is new.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn insert(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    domain: &str,
    value: &str,
) -> Result<bool> {
    let row = (
        verified_domains::organization.eq(Id::from(organization)),
        verified_domains::domain.eq(domain),
        verified_domains::state.eq("pending"),
        verified_domains::method.eq("dns"),
        verified_domains::value.eq(value),
        verified_domains::created.eq(deed.at),
        verified_domains::created_by.eq(&*deed.actor),
    );
    let insert = diesel::insert_into(verified_domains::table).values(row).on_conflict_do_nothing();
    let is_new = insert.exec(db).await? == 1;
    if is_new {
        record(db, deed, target(organization, EventKind::DomainAdded), &detail(domain, "dns")).await?;
    }
    Ok(is_new)
}

/// Notes a look at the DNS, and what it showed.
///
/// # Errors
/// `Missing`.
pub async fn check(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    domain: &str,
    is_verified: bool,
) -> Result<DomainRecord> {
    let row = verified_domains::table.find((Id::from(organization), domain.to_owned()));
    if diesel::update(row).set(verified_domains::checked_at.eq(Some(deed.at))).exec(db).await? == 0 {
        return Err(StorageError::Missing);
    }
    if is_verified {
        verify(db, deed, organization, domain, "dns").await?;
    }
    find(db, organization, domain).await?.ok_or(StorageError::Missing)
}

/// Takes a claimed domain for the organization's own. One that is so already keeps its time and method, without event. Answers
/// whether it was not so before.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn verify(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    domain: &str,
    method: &str,
) -> Result<bool> {
    let row = verified_domains::table
        .filter(verified_domains::organization.eq(Id::from(organization)))
        .filter(verified_domains::domain.eq(domain.to_owned()))
        .filter(verified_domains::state.ne("verified"));
    let set = (
        verified_domains::state.eq("verified"),
        verified_domains::method.eq(method.to_owned()),
        verified_domains::verified_at.eq(Some(deed.at)),
    );
    let is_newly_verified = diesel::update(row).set(set).exec(db).await? == 1;
    if is_newly_verified {
        record(db, deed, target(organization, EventKind::DomainVerified), &detail(domain, method)).await?;
    }
    Ok(is_newly_verified)
}

/// Takes a domain away.
///
/// # Errors
/// `Missing`.
pub async fn delete(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, domain: &str) -> Result<()> {
    let row = verified_domains::table.find((Id::from(organization), domain.to_owned()));
    if diesel::delete(row).exec(db).await? == 0 {
        return Err(StorageError::Missing);
    }
    let detail = serde_json::json!({ "before": { "domain": domain } }).to_string();
    record(db, deed, target(organization, EventKind::DomainRemoved), &detail).await
}

fn target(organization: OrganizationId, kind: EventKind) -> Target {
    Target { organization, connection: None, kind, resource: organization.0, version: 1 }
}

fn detail(domain: &str, method: &str) -> String {
    serde_json::json!({ "after": { "domain": domain, "method": method } }).to_string()
}

impl Database {
    /// The domains of an organization by name.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_domains(&self, organization: OrganizationId) -> Result<Vec<DomainRecord>> {
        self.cold_read(async |db| list(db, organization).await).await
    }
    /// One of them.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_domain(&self, organization: OrganizationId, domain: &str) -> Result<Option<DomainRecord>> {
        self.cold_read(async |db| find(db, organization, domain).await).await
    }
}
