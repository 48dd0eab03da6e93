//! What import and export need beside the hot paths: everything of one owner in pages by key, and what an import sets that
//! no directory could.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, people, record};
use crate::domain::ids::{OrganizationId, ResourceId, Scope};
use crate::domain::permission::Role;
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{groups, members, role_grants, role_mappings, users};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A user as an export needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedUser {
    /// Id.
    pub id: ResourceId,
    /// SCIM JSON without `id meta groups password`.
    pub document: String,
    /// Last explicit `active`.
    pub access: bool,
    /// Whether the person has not joined yet.
    pub invited: bool,
    /// The local hold (JSON).
    pub suspension: Option<String>,
}

/// A range of ids, both ends in it.
pub type Range = (ResourceId, ResourceId);

/// What has roles of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A person, directly.
    User(ResourceId),
    /// A group, for its members.
    Group(ResourceId),
}

/// The first id of all.
const START: ResourceId = ResourceId(uuid::Uuid::nil());

/// Gives a role; answers whether the holder did not have it before. `None` where the organization has no such holder.
/// Leaves an event row where something changed.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn give(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    holder: Holder,
    role: Role,
) -> Result<Option<bool>> {
    let tenant = Id::from(organization);
    let (stored, kind, id) = match holder {
        Holder::User(id) => {
            let row = users::table.find((tenant, Id::from(id))).filter(users::deleted.is_null());
            (row.select(users::version).opt::<i64>(db).await?, EventKind::UserRolesChanged, id)
        }
        Holder::Group(id) => {
            let row = groups::table.find((tenant, Id::from(id))).filter(groups::deleted.is_null());
            (row.select(groups::version).opt::<i64>(db).await?, EventKind::GroupRolesChanged, id)
        }
    };
    let Some(version) = stored else { return Ok(None) };
    let added = match holder {
        Holder::User(id) => {
            let row = (
                role_grants::organization.eq(tenant),
                role_grants::user_id.eq(Id::from(id)),
                role_grants::role.eq(role.key()),
                role_grants::granted_at.eq(deed.at),
                role_grants::granted_by.eq(&*deed.actor),
            );
            diesel::insert_into(role_grants::table).values(row).on_conflict_do_nothing().exec(db).await?
        }
        Holder::Group(id) => {
            let row = (
                role_mappings::organization.eq(tenant),
                role_mappings::group_id.eq(Id::from(id)),
                role_mappings::role.eq(role.key()),
                role_mappings::mapped_at.eq(deed.at),
                role_mappings::mapped_by.eq(&*deed.actor),
            );
            diesel::insert_into(role_mappings::table).values(row).on_conflict_do_nothing().exec(db).await?
        }
    };
    if added == 0 {
        return Ok(Some(false));
    }
    if matches!(holder, Holder::User(_)) {
        people::touch_account(db, organization, id, deed.at).await?;
    }
    let target = Target { organization, connection: None, kind, resource: id.0, version };
    record(db, deed, target, &format!(r#"{{"changed":["roles"],"added":["{}"]}}"#, role.key())).await?;
    Ok(Some(true))
}

/// Puts a user who was just inserted under a local hold, or marks them as not joined yet.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn hold(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: ResourceId,
    invited: bool,
    suspension: Option<&str>,
) -> Result<()> {
    let row = users::table
        .filter(users::organization.eq(Id::from(organization)))
        .filter(users::id.eq(Id::from(id)))
        .filter(users::deleted.is_null());
    diesel::update(row).set((users::invited.eq(invited), users::suspension.eq(suspension))).exec(db).await?;
    Ok(())
}

/// Records that an import or export of an owner's people began or ended.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn note(
    db: &mut Db<'_>,
    deed: &Deed,
    scope: Scope,
    kind: EventKind,
    job: uuid::Uuid,
    detail: &str,
) -> Result<()> {
    let Scope { organization, connection } = scope;
    let target = Target { organization, connection: Some(connection), kind, resource: job, version: 1 };
    record(db, deed, target, detail).await
}

impl Database {
    /// Users of a scope in the order of their ids, after one of them.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn users_after(&self, scope: Scope, after: Option<ResourceId>, limit: u32) -> Result<Vec<ExportedUser>> {
        let query = users::table
            .filter(users::organization.eq(Id::from(scope.organization)))
            .filter(users::connection.eq(Id::from(scope.connection)))
            .filter(users::deleted.is_null())
            .filter(users::id.gt(Id::from(after.unwrap_or(START))))
            .order(users::id)
            .limit(i64::from(limit))
            .select((users::id, users::document, users::access, users::invited, users::suspension));
        type Row = (Id, String, bool, bool, Option<String>);
        let rows: Vec<Row> = self.cold_read(async |db| Ok(query.all(db).await?)).await?;
        let user = |(id, document, access, invited, suspension): Row| ExportedUser {
            id: id.into(),
            document,
            access,
            invited,
            suspension,
        };
        Ok(rows.into_iter().map(user).collect())
    }

    /// Ids and documents of the groups of a scope in the order of their ids, after one of them.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn groups_after(
        &self,
        scope: Scope,
        after: Option<ResourceId>,
        limit: u32,
    ) -> Result<Vec<(ResourceId, String)>> {
        let query = groups::table
            .filter(groups::organization.eq(Id::from(scope.organization)))
            .filter(groups::connection.eq(Id::from(scope.connection)))
            .filter(groups::deleted.is_null())
            .filter(groups::id.gt(Id::from(after.unwrap_or(START))))
            .order(groups::id)
            .limit(i64::from(limit))
            .select((groups::id, groups::document));
        let rows: Vec<(Id, String)> = self.cold_read(async |db| Ok(query.all(db).await?)).await?;
        Ok(rows.into_iter().map(|(id, document)| (id.into(), document)).collect())
    }

    /// Members of a group in the order of their ids, after one of them.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn members_after(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        after: Option<ResourceId>,
        limit: u32,
    ) -> Result<Vec<ResourceId>> {
        let query = members::table
            .filter(members::organization.eq(Id::from(organization)))
            .filter(members::group_id.eq(Id::from(group)))
            .filter(members::member_id.gt(Id::from(after.unwrap_or(START))))
            .order(members::member_id)
            .limit(i64::from(limit))
            .select(members::member_id);
        let rows: Vec<Id> = self.cold_read(async |db| Ok(query.all(db).await?)).await?;
        Ok(rows.into_iter().map(ResourceId::from).collect())
    }

    /// Direct roles of the people whose ids lie in a range, of whatever owner.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn grants_within(
        &self,
        organization: OrganizationId,
        (first, last): Range,
    ) -> Result<Vec<(ResourceId, String)>> {
        let query = role_grants::table
            .filter(role_grants::organization.eq(Id::from(organization)))
            .filter(role_grants::user_id.between(Id::from(first), Id::from(last)))
            .order((role_grants::user_id, role_grants::role))
            .select((role_grants::user_id, role_grants::role));
        let rows: Vec<(Id, String)> = self.cold_read(async |db| Ok(query.all(db).await?)).await?;
        Ok(rows.into_iter().map(|(id, role)| (id.into(), role)).collect())
    }

    /// Roles that groups whose ids lie in a range give their members.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn mappings_within(
        &self,
        organization: OrganizationId,
        (first, last): Range,
    ) -> Result<Vec<(ResourceId, String)>> {
        let query = role_mappings::table
            .filter(role_mappings::organization.eq(Id::from(organization)))
            .filter(role_mappings::group_id.between(Id::from(first), Id::from(last)))
            .order((role_mappings::group_id, role_mappings::role))
            .select((role_mappings::group_id, role_mappings::role));
        let rows: Vec<(Id, String)> = self.cold_read(async |db| Ok(query.all(db).await?)).await?;
        Ok(rows.into_iter().map(|(id, role)| (id.into(), role)).collect())
    }

    /// Those of some userName keys that a user of the organization has, whatever the owner.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn taken_user_names(&self, organization: OrganizationId, keys: Vec<String>) -> Result<Vec<String>> {
        let query = users::table
            .filter(users::organization.eq(Id::from(organization)))
            .filter(users::deleted.is_null())
            .filter(users::user_name_key.eq_any(keys))
            .select(users::user_name_key);
        self.cold_read(async |db| Ok(query.all(db).await?)).await
    }
}
