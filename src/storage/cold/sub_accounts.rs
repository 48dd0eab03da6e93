//! Sub-accounts as their parent sees them, and who of the parent reaches them. What a deed changes of the sub-account itself
//! stands in the log of both organizations: each gets an event of its own.

use diesel::{ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _};

use super::organizations::{self, NewOrganization, OrganizationColumns, OrganizationState};
use super::{Deed, Target, record};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::rows::OrganizationRecord;
use crate::storage::schema::{organizations as table, sub_account_access, users};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A deed as both organizations log it.
#[derive(Debug, Clone)]
pub struct TwoDeeds {
    /// In the log of the parent.
    pub parent: Deed,
    /// In the log of the sub-account.
    pub child: Deed,
}

/// A person of the parent who was given access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRecord {
    /// Who, in the parent.
    pub user: ResourceId,
    /// Keys of roles, separated by commas.
    pub roles: String,
    /// µs since 1970.
    pub granted_at: i64,
    /// `domain::actor::Actor`, printed.
    pub granted_by: String,
}

/// Creates a sub-account of an organization, active, with no feature switched on.
///
/// # Errors
/// `NotUnique(OrganizationSlug)`.
pub async fn insert(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    parent: OrganizationId,
    new: &NewOrganization,
) -> Result<OrganizationRecord> {
    organizations::insert(db, &deeds.child, new).await?;
    let stored = organizations::place(db, new.id, Some(parent), "{}").await?;
    let detail = serde_json::json!({ "after": { "name": stored.name } }).to_string();
    record(db, &deeds.parent, target(parent, &stored, EventKind::SubAccountCreated), &detail).await?;
    Ok(stored)
}

/// A page of an organization's sub-accounts in the order of their ids, after one if given. Probes `organizations_parent`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(
    db: &mut Db<'_>,
    parent: OrganizationId,
    after: Option<OrganizationId>,
    limit: u32,
) -> Result<Vec<OrganizationRecord>> {
    let from = after.map_or(Id(uuid::Uuid::nil()), Id::from);
    let page = table::table
        .filter(table::parent.eq(Some(Id::from(parent))))
        .filter(table::id.gt(from))
        .order(table::id)
        .limit(i64::from(limit));
    Ok(page.select(OrganizationRecord::cols()).all(db).await?)
}

/// The sub-account of that id, if it is one of this organization.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, parent: OrganizationId, id: OrganizationId) -> Result<Option<OrganizationRecord>> {
    let row = table::table.find(Id::from(id)).filter(table::parent.eq(Some(Id::from(parent))));
    Ok(row.select(OrganizationRecord::cols()).opt(db).await?)
}

/// How many organizations stand above each other from this one up; at most `most` are looked at.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn depth(db: &mut Db<'_>, id: OrganizationId, most: usize) -> Result<usize> {
    let (mut depth, mut above) = (0, Some(id));
    while let Some(id) = above.filter(|_| depth < most) {
        depth += 1;
        above = organizations::find(db, id).await?.and_then(|found| found.parent);
    }
    Ok(depth)
}

/// Changes what a sub-account is called, of the version that was read. `detail` goes into both events.
///
/// # Errors
/// `Stale`.
pub async fn rename(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    parent: OrganizationId,
    read: &OrganizationRecord,
    name: &str,
    detail: &str,
) -> Result<OrganizationRecord> {
    let columns =
        OrganizationColumns { slug: read.slug.clone(), name: name.to_owned(), features: read.features.clone() };
    let stored = organizations::update(db, &deeds.child, read, &columns, detail).await?;
    record(db, &deeds.parent, target(parent, &stored, EventKind::SubAccountChanged), detail).await?;
    Ok(stored)
}

/// Archives a sub-account: from now on every credential of it is refused, and nothing is deleted. Archived already: as is,
/// without event.
///
/// # Errors
/// `Missing`.
pub async fn archive(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    parent: OrganizationId,
    read: &OrganizationRecord,
) -> Result<OrganizationRecord> {
    let archived = organizations::update_state(db, &deeds.child, read.id, OrganizationState::Archived).await?;
    if archived.version != read.version {
        record(db, &deeds.parent, target(parent, &archived, EventKind::SubAccountArchived), "{}").await?;
    }
    Ok(archived)
}

/// People of `home` who were given access to its sub-account and are still there, in the order of their ids, after one if
/// given.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list_access(
    db: &mut Db<'_>,
    home: OrganizationId,
    id: OrganizationId,
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<AccessRecord>> {
    use sub_account_access as a;
    let from = after.map_or(Id(uuid::Uuid::nil()), Id::from);
    let page = a::table
        .inner_join(users::table.on(users::organization.eq(a::home)))
        .filter(users::id.eq(a::user_id))
        .filter(users::deleted.is_null())
        .filter(a::organization.eq(Id::from(id)))
        .filter(a::home.eq(Id::from(home)))
        .filter(a::user_id.gt(from))
        .order(a::user_id)
        .limit(i64::from(limit))
        .select((a::user_id, a::roles, a::granted_at, a::granted_by));
    let rows: Vec<(Id, String, i64, String)> = page.all(db).await?;
    let access = |(user, roles, granted_at, granted_by): (Id, String, i64, String)| AccessRecord {
        user: user.into(),
        roles,
        granted_at,
        granted_by,
    };
    Ok(rows.into_iter().map(access).collect())
}

/// Sub-accounts that a person of `home` was given access to, with the keys of the roles. Probes `sub_account_access_home`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn reached_by(
    db: &mut Db<'_>,
    home: OrganizationId,
    user: ResourceId,
) -> Result<Vec<(OrganizationId, AccessRecord)>> {
    use sub_account_access as a;
    let rows = a::table
        .filter(a::home.eq(Id::from(home)))
        .filter(a::user_id.eq(Id::from(user)))
        .order(a::organization)
        .select((a::organization, a::roles, a::granted_at, a::granted_by));
    let rows: Vec<(Id, String, i64, String)> = rows.all(db).await?;
    let access = |(id, roles, granted_at, granted_by): (Id, String, i64, String)| {
        (id.into(), AccessRecord { user, roles, granted_at, granted_by })
    };
    Ok(rows.into_iter().map(access).collect())
}

/// Gives a person of `home` access to its sub-account with exactly these roles. With these already: as is, without event.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn grant(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    home: OrganizationId,
    stored: &OrganizationRecord,
    user: ResourceId,
    roles: &str,
) -> Result<AccessRecord> {
    use sub_account_access as a;
    let before = find_access(db, home, stored.id, user).await?;
    if let Some(same) = before.clone().filter(|before| before.roles == roles) {
        return Ok(same);
    }
    let row = (
        a::organization.eq(Id::from(stored.id)),
        a::home.eq(Id::from(home)),
        a::user_id.eq(Id::from(user)),
        a::roles.eq(roles.to_owned()),
        a::granted_at.eq(deeds.parent.at),
        a::granted_by.eq(deeds.parent.actor.clone()),
    );
    let set = (
        a::roles.eq(roles.to_owned()),
        a::granted_at.eq(deeds.parent.at),
        a::granted_by.eq(deeds.parent.actor.clone()),
    );
    let insert = diesel::insert_into(a::table).values(row).on_conflict((a::organization, a::home, a::user_id));
    insert.do_update().set(set).exec(db).await?;
    let before = before.map(|before| before.roles);
    let detail = access_detail(user, before.as_deref(), Some(roles));
    record_access(db, deeds, home, stored, EventKind::SubAccountAccessGranted, &detail).await?;
    let (granted_at, granted_by) = (deeds.parent.at, deeds.parent.actor.clone());
    Ok(AccessRecord { user, roles: roles.to_owned(), granted_at, granted_by })
}

/// Takes access from a person of `home`.
///
/// # Errors
/// `Missing` where they had none.
pub async fn revoke(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    home: OrganizationId,
    stored: &OrganizationRecord,
    user: ResourceId,
) -> Result<()> {
    use sub_account_access as a;
    let row = a::table.find((Id::from(stored.id), Id::from(home), Id::from(user)));
    let before: Option<String> = diesel::delete(row).returning(a::roles).opt(db).await?;
    let before = before.ok_or(StorageError::Missing)?;
    let detail = access_detail(user, Some(&before), None);
    record_access(db, deeds, home, stored, EventKind::SubAccountAccessRevoked, &detail).await
}

async fn find_access(
    db: &mut Db<'_>,
    home: OrganizationId,
    id: OrganizationId,
    user: ResourceId,
) -> Result<Option<AccessRecord>> {
    use sub_account_access as a;
    let row = a::table.find((Id::from(id), Id::from(home), Id::from(user)));
    let found: Option<(String, i64, String)> = row.select((a::roles, a::granted_at, a::granted_by)).opt(db).await?;
    Ok(found.map(|(roles, granted_at, granted_by)| AccessRecord { user, roles, granted_at, granted_by }))
}

/// What both logs say of it: the id of the person, and nothing else about them.
fn access_detail(user: ResourceId, before: Option<&str>, after: Option<&str>) -> String {
    fn roles(keys: Option<&str>) -> Option<Vec<&str>> {
        keys.map(|keys| keys.split(',').collect())
    }
    serde_json::json!({
        "changed": ["access"],
        "user": user.to_string(),
        "before": { "roles": roles(before) },
        "after": { "roles": roles(after) },
    })
    .to_string()
}

async fn record_access(
    db: &mut Db<'_>,
    deeds: &TwoDeeds,
    home: OrganizationId,
    stored: &OrganizationRecord,
    kind: EventKind,
    detail: &str,
) -> Result<()> {
    record(db, &deeds.parent, target(home, stored, kind), detail).await?;
    record(db, &deeds.child, target(stored.id, stored, kind), detail).await
}

/// The sub-account as the target of an event in the log of `organization`.
fn target(organization: OrganizationId, stored: &OrganizationRecord, kind: EventKind) -> Target {
    Target { organization, connection: None, kind, resource: stored.id.0, version: stored.version }
}

impl Database {
    /// A page of an organization's sub-accounts in the order of their ids.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_sub_accounts(
        &self,
        parent: OrganizationId,
        after: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<OrganizationRecord>> {
        self.cold_read(async |db| list(db, parent, after, limit).await).await
    }
    /// The sub-account of that id, if it is one of this organization.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_sub_account(
        &self,
        parent: OrganizationId,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRecord>> {
        self.cold_read(async |db| find(db, parent, id).await).await
    }
    /// People of `home` who were given access to its sub-account.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_sub_account_access(
        &self,
        home: OrganizationId,
        id: OrganizationId,
        after: Option<ResourceId>,
        limit: u32,
    ) -> Result<Vec<AccessRecord>> {
        self.cold_read(async |db| list_access(db, home, id, after, limit).await).await
    }
    /// Sub-accounts that a person of `home` was given access to.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn sub_accounts_reached_by(
        &self,
        home: OrganizationId,
        user: ResourceId,
    ) -> Result<Vec<(OrganizationId, AccessRecord)>> {
        self.cold_read(async |db| reached_by(db, home, user).await).await
    }
}
