//! Organizations. Most finders here serve start-up, the command line and the backoffice, so they see all tenants.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, record};
use crate::domain::ids::OrganizationId;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::organizations;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;
use crate::storage::{Database, OrganizationRecord};

/// An organization to create, active.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrganization {
    /// Id, not used before.
    pub id: OrganizationId,
    /// Unique short name.
    pub slug: String,
    /// Name for people.
    pub name: String,
}

/// Whether an organization's credentials work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OrganizationState {
    Active,
    Suspended,
}

impl OrganizationState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            OrganizationState::Active => "active",
            OrganizationState::Suspended => "suspended",
        }
    }
}

/// Inserts an organization.
///
/// # Errors
/// `NotUnique(OrganizationSlug)`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewOrganization) -> Result<OrganizationRecord> {
    let row = (
        organizations::id.eq(Id::from(new.id)),
        organizations::slug.eq(&*new.slug),
        organizations::name.eq(&*new.name),
        organizations::created.eq(deed.at),
        organizations::modified.eq(deed.at),
        organizations::version.eq(1),
    );
    let insert = diesel::insert_into(organizations::table).values(row).returning(OrganizationRecord::cols());
    let stored: OrganizationRecord = insert.one(db).await?;
    record(db, deed, target(&stored, EventKind::OrganizationCreated), "{}").await?;
    Ok(stored)
}

/// The organization of that id.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, id: OrganizationId) -> Result<Option<OrganizationRecord>> {
    Ok(organizations::table.find(Id::from(id)).select(OrganizationRecord::cols()).opt(db).await?)
}

/// The organization of that slug.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_by_slug_across_organizations(db: &mut Db<'_>, slug: &str) -> Result<Option<OrganizationRecord>> {
    let query = organizations::table.filter(organizations::slug.eq(slug.to_owned()));
    Ok(query.select(OrganizationRecord::cols()).opt(db).await?)
}

/// A page of organizations in the order of their ids, after one if given.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list_across_organizations(
    db: &mut Db<'_>,
    after: Option<OrganizationId>,
    limit: u32,
) -> Result<Vec<OrganizationRecord>> {
    let from = after.map_or(Id(uuid::Uuid::nil()), Id::from);
    let page = organizations::table.filter(organizations::id.gt(from)).order(organizations::id).limit(i64::from(limit));
    Ok(page.select(OrganizationRecord::cols()).all(db).await?)
}

/// Places a new organization under a parent, with these features; part of its creation, so without an event.
///
/// # Errors
/// `Missing`; `Broken` where the parent does not exist.
pub async fn place(
    db: &mut Db<'_>,
    id: OrganizationId,
    parent: Option<OrganizationId>,
    features: &str,
) -> Result<OrganizationRecord> {
    let set = (organizations::parent.eq(parent.map(Id::from)), organizations::features.eq(features.to_owned()));
    let update = diesel::update(organizations::table.find(Id::from(id))).set(set);
    Ok(update.returning(OrganizationRecord::cols()).one(db).await?)
}

/// What an operator sets of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationColumns {
    /// Unique short name.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// `domain::organization::Features` (JSON).
    pub features: String,
}

/// Sets it, of the version that was read. `detail` goes into the event.
///
/// # Errors
/// `Stale`, `NotUnique(OrganizationSlug)`.
pub async fn update(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &OrganizationRecord,
    columns: &OrganizationColumns,
    detail: &str,
) -> Result<OrganizationRecord> {
    let of_version = organizations::table.find(Id::from(read.id)).filter(organizations::version.eq(read.version));
    let set = (
        organizations::slug.eq(columns.slug.clone()),
        organizations::name.eq(columns.name.clone()),
        organizations::features.eq(columns.features.clone()),
        organizations::modified.eq(deed.at),
        organizations::version.eq(organizations::version + 1),
    );
    let changed: Option<OrganizationRecord> =
        diesel::update(of_version).set(set).returning(OrganizationRecord::cols()).opt(db).await?;
    let stored = changed.ok_or(StorageError::Stale)?;
    record(db, deed, target(&stored, EventKind::OrganizationChanged), detail).await?;
    Ok(stored)
}

/// Suspends or resumes an organization. In that state already: as is, without event.
///
/// # Errors
/// `Missing`.
pub async fn update_state(
    db: &mut Db<'_>,
    deed: &Deed,
    id: OrganizationId,
    state: OrganizationState,
) -> Result<OrganizationRecord> {
    let update = diesel::update(
        organizations::table.filter(organizations::id.eq(Id::from(id))).filter(organizations::state.ne(state.as_str())),
    )
    .set((
        organizations::state.eq(state.as_str()),
        organizations::modified.eq(deed.at),
        organizations::version.eq(organizations::version + 1),
    ))
    .returning(OrganizationRecord::cols());
    let changed: Option<OrganizationRecord> = update.opt(db).await?;
    let Some(stored) = changed else { return find(db, id).await?.ok_or(StorageError::Missing) };
    let detail = match state {
        OrganizationState::Active => r#"{"changed":["state"],"after":{"state":"active"}}"#,
        OrganizationState::Suspended => r#"{"changed":["state"],"after":{"state":"suspended"}}"#,
    };
    record(db, deed, target(&stored, EventKind::OrganizationChanged), detail).await?;
    Ok(stored)
}

fn target(stored: &OrganizationRecord, kind: EventKind) -> Target {
    Target { organization: stored.id, connection: None, kind, resource: stored.id.0, version: stored.version }
}

impl Database {
    /// `organizations::insert` in a transaction of its own.
    ///
    /// # Errors
    /// `NotUnique(OrganizationSlug)`, `Busy`, `Broken`.
    pub async fn insert_organization(&self, deed: Deed, new: NewOrganization) -> Result<OrganizationRecord> {
        self.transaction(async move |db: &mut Db<'_>| insert(db, &deed, &new).await).await
    }
    /// The organization of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_organization(&self, id: OrganizationId) -> Result<Option<OrganizationRecord>> {
        self.cold_read(async |db| find(db, id).await).await
    }
    /// The organization of that slug.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_organization_by_slug_across_organizations(
        &self,
        slug: &str,
    ) -> Result<Option<OrganizationRecord>> {
        self.cold_read(async |db| find_by_slug_across_organizations(db, slug).await).await
    }
    /// A page of organizations in the order of their ids (which is that of creation), after one if given.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_organizations_across_organizations(
        &self,
        after: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<OrganizationRecord>> {
        self.cold_read(async |db| list_across_organizations(db, after, limit).await).await
    }
    /// `organizations::update_state` in a transaction of its own.
    ///
    /// # Errors
    /// `Missing`, `Busy`, `Broken`.
    pub async fn update_organization_state(
        &self,
        deed: Deed,
        id: OrganizationId,
        state: OrganizationState,
    ) -> Result<OrganizationRecord> {
        self.transaction(async move |db: &mut Db<'_>| update_state(db, &deed, id, state).await).await
    }
}
