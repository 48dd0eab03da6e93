//! Domains of the organization: claimed by an Admin, and its own once a DNS record says so (or the operator does). Adoption
//! by policy rests on them.

use std::net::SocketAddr;

use super::Caller;
use super::connections::permitted;
use super::error::{Invalid, Refusal, Result};
use crate::domain::adoption::check_domain;
use crate::domain::ids::OrganizationId;
use crate::domain::permission::Permission;
use crate::service::{dns, ids};
use crate::storage::cold::domains;
pub use crate::storage::cold::domains::DomainRecord;
use crate::storage::{Database, Db, Deed};

/// Label under which the record of a domain stands.
const LABEL: &str = "_rollcall";
/// What the text of the record begins with.
const PREFIX: &str = "rollcall-domain-verification=";
/// Domains of an organization.
const MOST: usize = 100;
/// TXT records that an answer shows at most.
const MOST_SHOWN: usize = 10;

/// Name of the TXT record that verifies a domain.
pub fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// The domains of the organization by name.
///
/// # Errors
/// `PermissionDenied`.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<DomainRecord>> {
    permitted(caller, Permission::ConnectionsRead)?;
    Ok(db.list_domains(caller.organization).await?)
}

/// One of them.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, domain: &str) -> Result<DomainRecord> {
    permitted(caller, Permission::ConnectionsRead)?;
    db.find_domain(caller.organization, domain).await?.ok_or(Refusal::Missing)
}

/// Claims a domain; one that is claimed already stays as it is.
///
/// # Errors
/// `PermissionDenied`, `Invalid`.
pub async fn create(caller: &Caller, db: &Database, domain: &str) -> Result<DomainRecord> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let claim = Claim::of(domain)?;
    let (deed, organization) = (caller.deed(), caller.organization);
    let stored = async move |db: &mut Db<'_>| {
        claim.insert(db, &deed, organization).await?;
        domains::find(db, organization, &claim.domain).await?.ok_or(Refusal::Missing)
    };
    db.transaction(stored).await
}

/// A domain to claim, with what its record would have to say.
pub(crate) struct Claim {
    /// As it is stored.
    pub(crate) domain: String,
    value: String,
}

impl Claim {
    /// Checks a domain and makes the text of its record.
    ///
    /// # Errors
    /// `Invalid`.
    pub(crate) fn of(domain: &str) -> Result<Self> {
        let invalid = |detail: String| Refusal::Invalid(vec![Invalid::new("/domain", detail)]);
        Ok(Claim { domain: check_domain(domain).map_err(invalid)?, value: format!("{PREFIX}{}", ids::challenge()?) })
    }

    /// Stores it, unless it is claimed already; answers whether it is new.
    ///
    /// # Errors
    /// `Invalid` where there are too many.
    pub(crate) async fn insert(&self, db: &mut Db<'_>, deed: &Deed, organization: OrganizationId) -> Result<bool> {
        let known = domains::list(db, organization).await?;
        if known.len() >= MOST && known.iter().all(|known| known.domain != self.domain) {
            let detail = format!("An organization has at most {MOST} domains.");
            return Err(Refusal::Invalid(vec![Invalid::new("/domain", detail)]));
        }
        Ok(domains::insert(db, deed, organization, &self.domain, &self.value).await?)
    }
}

/// Looks for the record of a domain and takes the domain for the organization's own where it is there; answers also what was
/// found in its place. One that is verified already is not asked for again.
///
/// # Errors
/// `PermissionDenied`, `Missing`; `Unavailable` where no DNS server answers.
pub async fn verify(
    caller: &Caller,
    db: &Database,
    server: Option<SocketAddr>,
    domain: &str,
) -> Result<(DomainRecord, Option<Vec<String>>)> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let record = get(caller, db, domain).await?;
    if record.state == "verified" {
        return Ok((record, None));
    }
    let mut texts = dns::txt(server, &record_name(&record.domain)).await?;
    let is_verified = texts.contains(&record.value);
    texts.truncate(MOST_SHOWN);
    let instead = (!is_verified).then_some(texts);
    let (deed, organization) = (caller.deed(), caller.organization);
    let note = async move |db: &mut Db<'_>| domains::check(db, &deed, organization, &record.domain, is_verified).await;
    Ok((db.transaction(note).await?, instead))
}

/// Takes a domain away. Who was adopted by it stays adopted.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn delete(caller: &Caller, db: &Database, domain: &str) -> Result<()> {
    permitted(caller, Permission::ConnectionsWrite)?;
    let (deed, organization, domain) = (caller.deed(), caller.organization, domain.to_owned());
    let take = async move |db: &mut Db<'_>| domains::delete(db, &deed, organization, &domain).await;
    Ok(db.transaction(take).await?)
}
