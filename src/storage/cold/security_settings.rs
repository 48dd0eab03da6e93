//! Security settings of an organization: its settings document, and the mark of the protected Admin on an account
//! (`accounts_protected_key`: at most one). Their version is the organization's.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, people, record};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{accounts, organizations};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// What is stored of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRecord {
    /// The organization's settings (JSON).
    pub settings: String,
    /// The protected Admin.
    pub protected: Option<ResourceId>,
    /// The organization's version.
    pub version: i64,
}

/// The security settings of an organization.
///
/// # Errors
/// `Missing`.
pub async fn load(db: &mut Db<'_>, organization: OrganizationId) -> Result<SecurityRecord> {
    let row =
        organizations::table.find(Id::from(organization)).select((organizations::settings, organizations::version));
    let found: Option<(String, i64)> = row.opt(db).await?;
    let (settings, version) = found.ok_or(StorageError::Missing)?;
    Ok(SecurityRecord { settings, protected: find_protected(db, organization).await?, version })
}

/// The protected Admin. Probes `accounts_protected_key`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_protected(db: &mut Db<'_>, organization: OrganizationId) -> Result<Option<ResourceId>> {
    let row = accounts::table.filter(accounts::organization.eq(Id::from(organization))).filter(accounts::is_protected);
    let found: Option<Id> = row.select(accounts::user_id).opt(db).await?;
    Ok(found.map(ResourceId::from))
}

/// Protects this person and nobody else any more. Part of a deed that records its event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn protect(db: &mut Db<'_>, at: i64, organization: OrganizationId, person: Option<ResourceId>) -> Result<()> {
    let former =
        accounts::table.filter(accounts::organization.eq(Id::from(organization))).filter(accounts::is_protected);
    diesel::update(former).set(accounts::is_protected.eq(false)).exec(db).await?;
    if let Some(id) = person {
        people::touch_account(db, organization, id, at).await?;
        let account = accounts::table.find((Id::from(organization), Id::from(id)));
        diesel::update(account).set(accounts::is_protected.eq(true)).exec(db).await?;
    }
    Ok(())
}

/// Ends the protection of a person who goes, if there is one: the settings get a new version, the event is the person's. To be
/// done under `roles::lock_admins`, like all that changes who is protected.
///
/// # Errors
/// `Busy`, `Broken`.
pub(super) async fn forget(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<()> {
    let account = accounts::table
        .filter(accounts::organization.eq(Id::from(organization)))
        .filter(accounts::user_id.eq(Id::from(id)))
        .filter(accounts::is_protected);
    if diesel::update(account).set(accounts::is_protected.eq(false)).exec(db).await? == 1 {
        let row = organizations::table.find(Id::from(organization));
        diesel::update(row).set(organizations::version.eq(organizations::version + 1)).exec(db).await?;
    }
    Ok(())
}

/// Sets the document, of the version that was read, and records what else the deed did: `detail` goes into the event. Answers
/// the new version.
///
/// # Errors
/// `Stale`.
pub async fn update(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    read: &SecurityRecord,
    settings: &str,
    detail: &str,
) -> Result<i64> {
    let of_version = organizations::table.find(Id::from(organization)).filter(organizations::version.eq(read.version));
    let set = (
        organizations::settings.eq(settings.to_owned()),
        organizations::modified.eq(deed.at),
        organizations::version.eq(organizations::version + 1),
    );
    let changed: Option<i64> = diesel::update(of_version).set(set).returning(organizations::version).opt(db).await?;
    let version = changed.ok_or(StorageError::Stale)?;
    let kind = EventKind::SecuritySettingsChanged;
    let target = Target { organization, connection: None, kind, resource: organization.0, version };
    record(db, deed, target, detail).await?;
    Ok(version)
}

impl Database {
    /// The security settings of an organization.
    ///
    /// # Errors
    /// `Missing`, `Busy`, `Broken`.
    pub async fn load_security_settings(&self, organization: OrganizationId) -> Result<SecurityRecord> {
        self.cold_read(async |db| load(db, organization).await).await
    }
}
