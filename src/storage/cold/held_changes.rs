//! Changes that the brake holds: what the directory did, of whom, and what became of it.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _, Queryable, Selectable,
};

use super::brake::{alarm, key};
use super::{Deed, Target, record};
use crate::domain::ids::{OrganizationId, ResourceId, Scope};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{held_changes, users};
use crate::storage::sql::Sql;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// What the directory did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldDeed {
    /// `active` is false over SCIM; the person is let in still.
    Deactivate,
    /// The person is gone over SCIM.
    Delete,
}

impl HeldDeed {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            HeldDeed::Deactivate => "deactivate",
            HeldDeed::Delete => "delete",
        }
    }

    /// Reads a stored deed.
    pub fn of(text: &str) -> Self {
        if text == "delete" { HeldDeed::Delete } else { HeldDeed::Deactivate }
    }
}

/// What became of a held change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HeldEnd {
    Released,
    Discarded,
    /// The directory took it back.
    Withdrawn,
}

impl HeldEnd {
    fn as_str(self) -> &'static str {
        match self {
            HeldEnd::Released => "released",
            HeldEnd::Discarded => "discarded",
            HeldEnd::Withdrawn => "withdrawn",
        }
    }
}

/// Detail of the event that tells of the first change that is held in a window; its resource is the connection.
pub const ALARM: &str = r#"{"alarm":true}"#;
/// State of a change that is held.
const HELD: &str = "held";

/// A held change with whom it is of.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = held_changes)]
pub struct HeldRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: ResourceId,
    /// Whose departure.
    #[diesel(deserialize_as = Id)]
    pub user_id: ResourceId,
    /// As sent.
    #[diesel(select_expression = users::user_name)]
    pub user_name: String,
    /// As sent.
    #[diesel(select_expression = users::display_name)]
    pub display_name: Option<String>,
    /// `deactivate`, `delete`
    pub deed: String,
    /// µs since 1970.
    pub created: i64,
    /// Request that asked for it.
    pub request_id: String,
}

/// A change to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct NewHeld {
    /// Id, not used before.
    pub id: ResourceId,
    /// Whose departure.
    pub user: ResourceId,
    /// What the directory did.
    pub deed: HeldDeed,
}

/// Holds a change, and tells of the first one of a window by an event of its own. `deeds` are three. `is_last_admin`: it is
/// held since nobody else could sign in as an Admin, which is told as well.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn hold(db: &mut Db<'_>, deeds: &[Deed; 3], scope: Scope, new: &NewHeld, is_last_admin: bool) -> Result<()> {
    let (organization, connection) = key(scope);
    let [deed, first, pending] = deeds;
    let held = held_changes::table
        .filter(held_changes::organization.eq(organization))
        .filter(held_changes::user_id.eq(Id::from(new.user)))
        .filter(held_changes::state.eq(HELD));
    // A person whose deactivation is held may be deleted behind it.
    if diesel::update(held).set(held_changes::deed.eq(new.deed.as_str())).exec(db).await? == 0 {
        let row = users::table.find((organization, Id::from(new.user)));
        let user_name_key: String = row.select(users::user_name_key).one(db).await?;
        let row = (
            held_changes::organization.eq(organization),
            held_changes::id.eq(Id::from(new.id)),
            held_changes::connection.eq(connection),
            held_changes::user_id.eq(Id::from(new.user)),
            held_changes::deed.eq(new.deed.as_str()),
            held_changes::user_name_key.eq(user_name_key),
            held_changes::written.eq("{}"),
            held_changes::state.eq(HELD),
            held_changes::created.eq(deed.at),
            held_changes::request_id.eq(&*deed.request_id),
        );
        diesel::insert_into(held_changes::table).values(row).exec(db).await?;
    }
    let target = |resource| Target {
        organization: scope.organization,
        connection: Some(scope.connection),
        kind: EventKind::ProvisioningHeld,
        resource,
        version: 1,
    };
    record(db, deed, target(new.user.0), &format!(r#"{{"deed":"{}"}}"#, new.deed.as_str())).await?;
    if is_last_admin {
        let organization = scope.organization.0;
        let target = Target { kind: EventKind::LastAdminPending, ..target(organization) };
        record(db, pending, target, &format!(r#"{{"user":"{}","deed":"{}"}}"#, new.user, new.deed.as_str())).await?;
    } else if alarm(db, scope).await? {
        record(db, first, target(scope.connection.0), ALARM).await?;
    }
    Ok(())
}

/// Lets nobody in any more whom the directory keeps out. The version rises, though SCIM shows the same: a write that is
/// under way would otherwise let the person in again.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn keep_out(db: &mut Db<'_>, scope: Scope, id: ResourceId, at: i64) -> Result<()> {
    let row = users::table
        .find((Id::from(scope.organization), Id::from(id)))
        .filter(users::connection.eq(Id::from(scope.connection)))
        .filter(users::deleted.is_null())
        // Let in again meanwhile?
        .filter(users::active.is_null().or(users::active.eq(false)));
    let set = (users::access.eq(false), users::deactivated_at.eq(Some(at)), users::version.eq(users::version + 1));
    if diesel::update(row).set(set).exec(db).await? == 1 && matches!(db, Db::Pg(_)) {
        let mut sql = Sql::new("INSERT INTO users_without_access (organization, user_id) VALUES (");
        sql.id(scope.organization.0).push(", ").id(id.0).push(") ON CONFLICT DO NOTHING");
        sql.statement::<()>(true).exec(db).await?;
    }
    Ok(())
}

/// Ends the hold on a person, of one deed where given; answers whether there was one.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn end(
    db: &mut Db<'_>,
    organization: OrganizationId,
    user: ResourceId,
    deed: Option<HeldDeed>,
    end: HeldEnd,
    at: i64,
    by: &str,
) -> Result<bool> {
    let held = held_changes::table
        .filter(held_changes::organization.eq(Id::from(organization)))
        .filter(held_changes::user_id.eq(Id::from(user)))
        .filter(held_changes::state.eq(HELD));
    let set = (
        held_changes::state.eq(end.as_str()),
        held_changes::decided_at.eq(Some(at)),
        held_changes::decided_by.eq(Some(by)),
    );
    let ended = match deed {
        Some(deed) => diesel::update(held.filter(held_changes::deed.eq(deed.as_str()))).set(set).exec(db).await?,
        None => diesel::update(held).set(set).exec(db).await?,
    };
    Ok(ended > 0)
}

/// Ends all holds of a connection.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn end_all(db: &mut Db<'_>, scope: Scope, end: HeldEnd, at: i64, by: &str) -> Result<()> {
    let (organization, connection) = key(scope);
    let held = held_changes::table
        .filter(held_changes::organization.eq(organization))
        .filter(held_changes::connection.eq(connection))
        .filter(held_changes::state.eq(HELD));
    let set = (
        held_changes::state.eq(end.as_str()),
        held_changes::decided_at.eq(Some(at)),
        held_changes::decided_by.eq(Some(by)),
    );
    diesel::update(held).set(set).exec(db).await?;
    Ok(())
}

/// The event that somebody decided on what was held of a person.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn record_decision(
    db: &mut Db<'_>,
    deed: &Deed,
    scope: Scope,
    (user, held): (ResourceId, HeldDeed),
    end: HeldEnd,
) -> Result<()> {
    let kind = match end {
        HeldEnd::Released | HeldEnd::Withdrawn => EventKind::HeldChangesReleased,
        HeldEnd::Discarded => EventKind::HeldChangesDiscarded,
    };
    let target = Target {
        organization: scope.organization,
        connection: Some(scope.connection),
        kind,
        resource: user.0,
        version: 1,
    };
    record(db, deed, target, &format!(r#"{{"deed":"{}"}}"#, held.as_str())).await
}

/// Where a page of held changes lies: behind an id or before it, in the order of the ids or against it.
#[derive(Debug, Clone, Copy)]
pub struct HeldPage {
    /// The id beside it.
    pub beside: Option<ResourceId>,
    /// Whether ids rise.
    pub rising: bool,
    /// Rows at most.
    pub limit: u32,
}

impl Database {
    /// Held changes of a connection.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn held_changes(&self, scope: Scope, page: HeldPage) -> Result<Vec<HeldRecord>> {
        let (organization, connection) = key(scope);
        let rows = held_changes::table
            .inner_join(
                users::table
                    .on(users::organization.eq(held_changes::organization).and(users::id.eq(held_changes::user_id))),
            )
            .filter(held_changes::organization.eq(organization))
            .filter(held_changes::connection.eq(connection))
            .filter(held_changes::state.eq(HELD))
            .limit(i64::from(page.limit))
            .select(HeldRecord::cols());
        let least = Id(uuid::Uuid::nil());
        let most = Id(uuid::Uuid::max());
        if page.rising {
            let beside = page.beside.map_or(least, Id::from);
            let query = rows.filter(held_changes::id.gt(beside)).order(held_changes::id.asc());
            self.cold_read(async |db| Ok(query.all(db).await?)).await
        } else {
            let beside = page.beside.map_or(most, Id::from);
            let query = rows.filter(held_changes::id.lt(beside)).order(held_changes::id.desc());
            self.cold_read(async |db| Ok(query.all(db).await?)).await
        }
    }

    /// Those of these ids that are held for a connection; probes `held_changes_pkey`.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn held_changes_named(&self, scope: Scope, ids: &[ResourceId]) -> Result<Vec<HeldRecord>> {
        let (organization, connection) = key(scope);
        let query = held_changes::table
            .inner_join(
                users::table
                    .on(users::organization.eq(held_changes::organization).and(users::id.eq(held_changes::user_id))),
            )
            .filter(held_changes::organization.eq(organization))
            .filter(held_changes::id.eq_any(ids.iter().copied().map(Id::from).collect::<Vec<_>>()))
            .filter(held_changes::connection.eq(connection))
            .filter(held_changes::state.eq(HELD))
            .order(held_changes::id)
            .select(HeldRecord::cols());
        self.cold_read(async |db| Ok(query.all(db).await?)).await
    }

    /// How many changes of a connection are held.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn count_held_changes(&self, scope: Scope) -> Result<u64> {
        let (organization, connection) = key(scope);
        let query = held_changes::table
            .filter(held_changes::organization.eq(organization))
            .filter(held_changes::connection.eq(connection))
            .filter(held_changes::state.eq(HELD))
            .count();
        let count: i64 = self.cold_read(async |db| Ok(query.one(db).await?)).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The directory lets a person in again whose deactivation was held, or keeps a person out for good.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn withdraw_held(&self, scope: Scope, user: ResourceId, at: i64, by: String) -> Result<bool> {
        self.transaction(async move |db: &mut Db<'_>| {
            end(db, scope.organization, user, None, HeldEnd::Withdrawn, at, &by).await
        })
        .await
    }
}
