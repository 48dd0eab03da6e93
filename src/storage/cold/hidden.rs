//! People whose deletion the brake holds. They stand under `ConnectionId::held`, out of SCIM's sight, and are members of the
//! directory's groups in a way that SCIM does not see; everything else of them is as it was.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::ownership::{self, Handover};
use super::people;
use crate::domain::ids::{ResourceId, Scope};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{groups, members, users};
use crate::storage::uid::Id;

/// `members.member_type` of a person whose deletion is held, in groups of the directory.
pub const HIDDEN_MEMBER: i16 = 3;
/// That of everybody else.
const MEMBER: i16 = 1;

/// Hides a person from SCIM, as a deletion would. `expected`: the version that must be stored.
///
/// # Errors
/// `Missing`, `Stale`; `Busy`, `Broken`.
pub async fn hide(db: &mut Db<'_>, scope: Scope, id: ResourceId, expected: Option<i64>) -> Result<()> {
    let groups = groups_of(db, scope, id).await?;
    lock_groups(db, scope, &groups).await?;
    // Fully, so that nobody adds a member meanwhile who is hidden afterwards.
    let person = people::lock(db, scope.organization, id).await?.filter(|person| person.connection == scope.connection);
    let person = person.ok_or(StorageError::Missing)?;
    if expected.is_some_and(|expected| expected != person.version) {
        return Err(StorageError::Stale);
    }
    let hidden = scope.connection.held();
    let handover = Handover { organization: scope.organization, from: scope.connection, to: hidden };
    ownership::hand_over_people(db, handover, &[id]).await?;
    let groups = groups_of(db, scope, id).await?;
    change_memberships(db, scope, id, &groups, MEMBER, Some(HIDDEN_MEMBER)).await
}

/// What becomes of the memberships of a hidden person in groups of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memberships {
    /// They are as before the deletion.
    Kept,
    /// They are gone, as the directory sees it.
    Dropped,
}

/// Shows a hidden person over SCIM again; nothing happens to anybody else. The version stays.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn show(db: &mut Db<'_>, scope: Scope, id: ResourceId, memberships: Memberships) -> Result<()> {
    let groups = groups_of(db, scope, id).await?;
    lock_groups(db, scope, &groups).await?;
    let hidden = scope.connection.held();
    let handover = Handover { organization: scope.organization, from: hidden, to: scope.connection };
    if ownership::hand_over_people(db, handover, &[id]).await? == 0 {
        return Ok(());
    }
    let to = (memberships == Memberships::Kept).then_some(MEMBER);
    change_memberships(db, scope, id, &groups, HIDDEN_MEMBER, to).await
}

/// The connection's groups that hold a person, in the order of their ids.
async fn groups_of(db: &mut Db<'_>, scope: Scope, id: ResourceId) -> Result<Vec<ResourceId>> {
    let groups = people::groups_of(db, scope.organization, &[id]).await?.remove(&id).unwrap_or_default();
    let own = groups.into_iter().filter(|group| group.connection == scope.connection);
    let mut ids: Vec<ResourceId> = own.map(|group| group.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Shuts out the deletion of groups, which would not see the rows that take the place of others. Groups come before people
/// and people before members, as with all writers.
async fn lock_groups(db: &mut Db<'_>, scope: Scope, ids: &[ResourceId]) -> Result<()> {
    if let Db::Pg(conn) = db {
        let rows = groups::table
            .filter(groups::organization.eq(Id::from(scope.organization)))
            .filter(groups::id.eq_any(ids.iter().copied().map(Id::from)))
            .order(groups::id)
            .select(groups::version)
            .for_key_share();
        diesel_async::RunQueryDsl::load::<i64>(rows, *conn).await?;
    }
    Ok(())
}

/// Puts rows in the place of others: statements that delete members count on rows that nobody updates.
async fn change_memberships(
    db: &mut Db<'_>,
    scope: Scope,
    id: ResourceId,
    groups: &[ResourceId],
    from: i16,
    to: Option<i16>,
) -> Result<()> {
    for group in groups {
        let place = (Id::from(scope.organization), Id::from(*group), Id::from(id));
        let row = members::table.find(place).filter(members::member_type.eq(from));
        let deleted = diesel::delete(row).exec(db).await?;
        if let (1, Some(to)) = (deleted, to) {
            let row = (
                members::organization.eq(place.0),
                members::group_id.eq(place.1),
                members::member_id.eq(place.2),
                members::member_type.eq(to),
            );
            diesel::insert_into(members::table).values(row).exec(db).await?;
        }
    }
    Ok(())
}

impl Database {
    /// The person of that userName key whom the connection's directory deleted while the brake holds it. Probes
    /// `users_user_name_key`.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_hidden(&self, scope: Scope, user_name_key: &str) -> Result<Option<ResourceId>> {
        let query = users::table
            .filter(users::organization.eq(Id::from(scope.organization)))
            .filter(users::user_name_key.eq(user_name_key.to_owned()))
            .filter(users::connection.eq(Some(Id::from(scope.connection.held()))))
            .filter(users::deleted.is_null())
            .select(users::id);
        let found: Option<Id> = self.cold_read(async |db| Ok(query.opt(db).await?)).await?;
        Ok(found.map(ResourceId::from))
    }
}
