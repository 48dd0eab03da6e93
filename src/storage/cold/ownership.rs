//! People and groups change hands: from a connection to the organization, or the other way. The document of a person and
//! what hangs on it changes by a `Write` in the same transaction; here is what only a change of hands touches.

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{accounts, counts, groups, users};
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// Writer of the count rows that deeds on cold tables change; the queues have positive numbers.
const WRITER: i32 = -1;

/// A person as seen by whoever moves them.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct PersonRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: ResourceId,
    /// As sent.
    pub user_name: String,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
    /// As sent.
    pub display_name: Option<String>,
    /// Whether the directory lets the person in.
    pub access: bool,
    /// Whether the person has not joined yet.
    pub invited: bool,
    /// The local hold (JSON).
    pub suspension: Option<String>,
    /// SCIM JSON.
    pub document: String,
    /// Version.
    pub version: i64,
    /// µs since 1970.
    pub created: i64,
}

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handover {
    /// The tenant.
    pub organization: OrganizationId,
    /// The owner until now.
    pub from: ConnectionId,
    /// The owner from now on.
    pub to: ConnectionId,
}

/// A page of an owner's people in the order of their ids, after one if given.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn people(
    db: &mut Db<'_>,
    organization: OrganizationId,
    connection: ConnectionId,
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<PersonRecord>> {
    let page = users::table
        .filter(users::organization.eq(Id::from(organization)))
        .filter(users::connection.eq(Some(Id::from(connection))))
        .filter(users::deleted.is_null())
        .filter(users::id.gt(after.map_or(Id(uuid::Uuid::nil()), Id::from)))
        .order(users::id)
        .limit(i64::from(limit));
    Ok(page.select(PersonRecord::cols()).all(db).await?)
}

/// Hands people over; of those who are not the owner's (any more) nothing changes. Answers how many were. Versions stay:
/// the `Write` that follows raises them.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn hand_over_people(db: &mut Db<'_>, handover: Handover, ids: &[ResourceId]) -> Result<usize> {
    let Handover { organization, from, to } = handover;
    let mut moved = 0;
    let mut ids = ids.to_vec();
    // Rows are locked in the order of all writers.
    ids.sort_unstable();
    for id in ids {
        let row = users::table
            .find((Id::from(organization), Id::from(id)))
            .filter(users::connection.eq(Some(Id::from(from))))
            .filter(users::deleted.is_null());
        moved += diesel::update(row).set(users::connection.eq(Some(Id::from(to)))).exec(db).await?;
    }
    count(db, handover, 1, moved).await?;
    Ok(moved)
}

/// Hands over at most `limit` of the owner's groups, with a new version each; answers how many.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn hand_over_groups(db: &mut Db<'_>, at: i64, handover: Handover, limit: u32) -> Result<usize> {
    let Handover { organization, from, to } = handover;
    let page = groups::table
        .filter(groups::organization.eq(Id::from(organization)))
        .filter(groups::connection.eq(Some(Id::from(from))))
        .filter(groups::deleted.is_null())
        .order(groups::id)
        .limit(i64::from(limit))
        .select(groups::id);
    let ids: Vec<Id> = page.all(db).await?;
    for id in &ids {
        let set = (
            groups::connection.eq(Some(Id::from(to))),
            groups::external_id_key.eq(None::<String>),
            groups::modified.eq(at),
            groups::version.eq(groups::version + 1),
        );
        diesel::update(groups::table.find((Id::from(organization), *id))).set(set).exec(db).await?;
    }
    count(db, handover, 2, ids.len()).await?;
    Ok(ids.len())
}

/// Sets the local hold (JSON) and whether the person is invited; nothing keeps the directory's word from before.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn set_standing(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: ResourceId,
    suspension: Option<&str>,
    invited: bool,
) -> Result<()> {
    let set = (
        users::suspension.eq(suspension.map(str::to_owned)),
        users::invited.eq(invited),
        users::deactivated_at.eq(None::<i64>),
    );
    diesel::update(users::table.find((Id::from(organization), Id::from(id)))).set(set).exec(db).await?;
    Ok(())
}

/// What an account keeps of a change of hands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountOrigin {
    /// Since when a directory manages the person; `None`: none does.
    pub managed_since: Option<i64>,
    /// The directory that the person came from, for relinking.
    pub former_connection: Option<ConnectionId>,
    /// What that directory called the person.
    pub former_external_id: Option<String>,
}

/// Writes it, and the account where there is none yet.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn set_origin(
    db: &mut Db<'_>,
    at: i64,
    organization: OrganizationId,
    id: ResourceId,
    origin: &AccountOrigin,
) -> Result<()> {
    let set = (
        accounts::managed_since.eq(origin.managed_since),
        accounts::former_connection.eq(origin.former_connection.map(Id::from)),
        accounts::former_external_id.eq(origin.former_external_id.clone()),
        accounts::modified.eq(at),
        accounts::version.eq(accounts::version + 1),
    );
    let row = accounts::table.find((Id::from(organization), Id::from(id)));
    if diesel::update(row).set(set).exec(db).await? == 1 {
        return Ok(());
    }
    let row = (
        accounts::organization.eq(Id::from(organization)),
        accounts::user_id.eq(Id::from(id)),
        accounts::managed_since.eq(origin.managed_since),
        accounts::former_connection.eq(origin.former_connection.map(Id::from)),
        accounts::former_external_id.eq(origin.former_external_id.clone()),
        accounts::created.eq(at),
        accounts::modified.eq(at),
        accounts::version.eq(1),
    );
    diesel::insert_into(accounts::table).values(row).exec(db).await?;
    Ok(())
}

/// The event of a person who changed hands: `user.released`, `user.adopted`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn record_handover(
    db: &mut Db<'_>,
    deed: &Deed,
    handover: Handover,
    kind: EventKind,
    id: ResourceId,
    version: i64,
    detail: &str,
) -> Result<()> {
    let connection = if handover.to == ConnectionId::LOCAL { handover.from } else { handover.to };
    let target =
        Target { organization: handover.organization, connection: Some(connection), kind, resource: id.0, version };
    record(db, deed, target, detail).await
}

/// Moves `n` from one owner's count to the other's, in one order for all.
async fn count(db: &mut Db<'_>, handover: Handover, kind: i16, n: usize) -> Result<()> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    if n == 0 {
        return Ok(());
    }
    let mut sides = [(handover.from, -n), (handover.to, n)];
    sides.sort_unstable();
    for (connection, n) in sides {
        let place = (Id::from(handover.organization), Id::from(connection), kind, WRITER);
        let row = counts::table.find(place);
        if diesel::update(row).set(counts::n.eq(counts::n + n)).exec(db).await? == 0 {
            let row = (
                counts::organization.eq(place.0),
                counts::connection.eq(place.1),
                counts::kind.eq(kind),
                counts::writer.eq(WRITER),
                counts::n.eq(n),
            );
            diesel::insert_into(counts::table).values(row).exec(db).await?;
        }
    }
    Ok(())
}

impl Database {
    /// A page of an owner's people in the order of their ids, after one if given.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_people_of(
        &self,
        organization: OrganizationId,
        connection: ConnectionId,
        after: Option<ResourceId>,
        limit: u32,
    ) -> Result<Vec<PersonRecord>> {
        self.cold_read(async |db| people(db, organization, connection, after, limit).await).await
    }
}
