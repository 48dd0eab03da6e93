//! People as the console knows them: their row in `users` with account and activity, whoever owns it, and the deeds on what is
//! no part of the SCIM document. A hold is told to no directory, so it leaves the document's version alone and raises the
//! account's.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{accounts, members, organizations, users};
use crate::storage::sql::Sql;
use crate::storage::uid::{Id, Uid};
use crate::storage::write::EventKind;

/// A person who is not deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonRecord {
    /// Id.
    pub id: ResourceId,
    /// Who owns them.
    pub connection: ConnectionId,
    /// As sent.
    pub user_name: String,
    /// SCIM JSON without `id meta groups password`.
    pub document: String,
    /// Version of the document.
    pub version: i64,
    /// µs since 1970.
    pub created: i64,
    /// Last change of the document, µs since 1970.
    pub modified: i64,
    /// Whether the directory lets them in.
    pub access: bool,
    /// Whether they have not joined yet.
    pub invited: bool,
    /// Since when the directory keeps them out, where that is known.
    pub deactivated_at: Option<i64>,
    /// The local hold (JSON).
    pub suspension: Option<String>,
    /// Version of the account; 0 where there is none yet.
    pub account_version: i64,
    /// Last change of the account.
    pub account_modified: Option<i64>,
    /// Set here, whoever manages the person.
    pub locale: Option<String>,
    /// Set here, whoever manages the person.
    pub time_zone: Option<String>,
    /// For people.
    pub notes: Option<String>,
    /// Who invited them: an actor, printed.
    pub invited_by: Option<String>,
    /// Since when a directory manages who was local before.
    pub managed_since: Option<i64>,
    /// Whether a directory managed them before they became local.
    pub was_managed: bool,
    /// Last activity.
    pub last_active_at: Option<i64>,
}

impl PersonRecord {
    /// What the ETag of the admin API tells.
    pub fn etag_version(&self) -> i64 {
        self.version.saturating_add(self.account_version)
    }
}

type Types = (
    (Uid, Uid, Text, Text, BigInt, BigInt, BigInt, Bool, Bool),
    (Nullable<BigInt>, Nullable<Text>, BigInt, Nullable<BigInt>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<BigInt>, Integer, Nullable<BigInt>),
);

type Row = (
    (Id, Id, String, String, i64, i64, i64, bool, bool),
    (Option<i64>, Option<String>, i64, Option<i64>),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<i64>, i32, Option<i64>),
);

/// A group that holds a person directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOf {
    /// Id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub connection: ConnectionId,
}

/// The people of these ids who are there, in the order of the ids. Probes `users_pkey`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn of_ids(db: &mut Db<'_>, organization: OrganizationId, ids: &[ResourceId]) -> Result<Vec<PersonRecord>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT u.id, u.connection, u.user_name, u.document, u.version, u.created, u.modified, u.access, u.invited, \
         u.deactivated_at, u.suspension, coalesce(a.version, 0), a.modified, a.locale, a.time_zone, a.notes, a.invited_by, \
         a.managed_since, CASE WHEN a.former_connection IS NULL THEN 0 ELSE 1 END, t.last_active_at FROM users u \
         LEFT JOIN accounts a ON a.organization = u.organization AND a.user_id = u.id \
         LEFT JOIN activity t ON t.organization = u.organization AND t.user_id = u.id WHERE u.organization = ",
    );
    let backend = db.backend();
    sql.id(organization.0).push(" AND u.deleted IS NULL AND ").any_of(backend, "u.id", ids.iter().map(|id| id.0));
    let rows: Vec<Row> = sql.statement::<Types>(Sql::keeps(backend, ids.len())).all(db).await?;
    let mut found: HashMap<ResourceId, PersonRecord> =
        rows.into_iter().map(person).map(|person| (person.id, person)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

fn person((head, standing, account): Row) -> PersonRecord {
    let (id, connection, user_name, document, version, created, modified, access, invited) = head;
    let (deactivated_at, suspension, account_version, account_modified) = standing;
    let (locale, time_zone, notes, invited_by, managed_since, was_managed, last_active_at) = account;
    PersonRecord {
        id: id.into(),
        connection: connection.into(),
        user_name,
        document,
        version,
        created,
        modified,
        access,
        invited,
        deactivated_at,
        suspension,
        account_version,
        account_modified,
        locale,
        time_zone,
        notes,
        invited_by,
        managed_since,
        was_managed: was_managed != 0,
        last_active_at,
    }
}

/// The person of that id, locked to the end of the transaction, so that what is judged stays so.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn lock(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<Option<PersonRecord>> {
    if let Db::Pg(conn) = db {
        let row = users::table.find((Id::from(organization), Id::from(id))).select(users::version).for_update();
        diesel_async::RunQueryDsl::load::<i64>(row, *conn).await?;
    }
    Ok(of_ids(db, organization, &[id]).await?.pop())
}

/// The groups that hold each of these people directly, by name. Probes `members_of`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn groups_of(
    db: &mut Db<'_>,
    organization: OrganizationId,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, Vec<GroupOf>>> {
    let mut found: HashMap<ResourceId, Vec<GroupOf>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut sql = Sql::new(
        "SELECT m.member_id, g.id, g.display_name, g.connection FROM members m \
         JOIN groups g ON g.organization = m.organization AND g.id = m.group_id AND g.deleted IS NULL WHERE m.organization = ",
    );
    let backend = db.backend();
    sql.id(organization.0).push(" AND ").any_of(backend, "m.member_id", ids.iter().map(|id| id.0));
    sql.push(" ORDER BY g.display_name_key, g.id");
    let statement = sql.statement::<(Uid, Uid, Text, Uid)>(Sql::keeps(backend, ids.len()));
    let rows: Vec<(Id, Id, String, Id)> = statement.all(db).await?;
    for (person, id, name, connection) in rows {
        let group = GroupOf { id: id.into(), name, connection: connection.into() };
        found.entry(person.into()).or_default().push(group);
    }
    Ok(found)
}

/// The features and the settings of an organization (JSON).
///
/// # Errors
/// `Missing`.
pub async fn switches(db: &mut Db<'_>, organization: OrganizationId) -> Result<(String, String)> {
    let row = organizations::table.find(Id::from(organization));
    row.select((organizations::features, organizations::settings)).opt(db).await?.ok_or(StorageError::Missing)
}

/// Whether an address, folded, is another person's e-mail or user name. Probes `attribute_values_find`, `users_user_name_key`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn is_address_taken(
    db: &mut Db<'_>,
    organization: OrganizationId,
    key: &str,
    by_others_than: ResourceId,
) -> Result<bool> {
    let mut sql = Sql::new("SELECT CASE WHEN EXISTS (SELECT 1 FROM users u WHERE u.organization = ");
    sql.id(organization.0).push(" AND u.deleted IS NULL AND u.user_name_key = ").text(key).push(" AND u.id <> ");
    sql.id(by_others_than.0).push(") OR EXISTS (SELECT 1 FROM attribute_values v WHERE v.organization = ");
    sql.id(organization.0).push(" AND v.attribute = 1 AND v.value_key = ").text(key).push(" AND v.resource <> ");
    sql.id(by_others_than.0).push(") THEN 1 ELSE 0 END");
    let taken: i32 = sql.statement::<Integer>(true).one(db).await?;
    Ok(taken == 1)
}

/// Raises the version of an account, which is made where there is none yet; answers the new one.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn touch_account(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId, at: i64) -> Result<i64> {
    let row = (
        accounts::organization.eq(Id::from(organization)),
        accounts::user_id.eq(Id::from(id)),
        accounts::created.eq(at),
        accounts::modified.eq(at),
        accounts::version.eq(1),
    );
    let insert =
        diesel::insert_into(accounts::table).values(row).on_conflict((accounts::organization, accounts::user_id));
    let set = (accounts::version.eq(accounts::version + 1), accounts::modified.eq(at));
    Ok(insert.do_update().set(set).returning(accounts::version).one(db).await?)
}

/// What is set here of a person, whoever manages them; `None` leaves as it is, `Some(None)` takes away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// `locale`
    pub locale: Option<Option<String>>,
    /// `time_zone`
    pub time_zone: Option<Option<String>>,
    /// `notes`
    pub notes: Option<Option<String>>,
}

/// Sets preferences; answers the version of the account.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn set_preferences(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: ResourceId,
    at: i64,
    preferences: &Preferences,
) -> Result<i64> {
    let version = touch_account(db, organization, id, at).await?;
    let row = || accounts::table.find((Id::from(organization), Id::from(id)));
    if let Some(locale) = &preferences.locale {
        diesel::update(row()).set(accounts::locale.eq(locale.clone())).exec(db).await?;
    }
    if let Some(time_zone) = &preferences.time_zone {
        diesel::update(row()).set(accounts::time_zone.eq(time_zone.clone())).exec(db).await?;
    }
    if let Some(notes) = &preferences.notes {
        diesel::update(row()).set(accounts::notes.eq(notes.clone())).exec(db).await?;
    }
    Ok(version)
}

/// Sets or lifts the local hold (JSON); the document's version stays.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn set_hold(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: ResourceId,
    at: i64,
    suspension: Option<&str>,
) -> Result<i64> {
    let row = users::table.find((Id::from(organization), Id::from(id)));
    diesel::update(row).set(users::suspension.eq(suspension.map(str::to_owned))).exec(db).await?;
    touch_account(db, organization, id, at).await
}

/// Takes a person out of the groups of a connection, whose versions stay: nobody wrote to them.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn leave_groups_of(
    db: &mut Db<'_>,
    organization: OrganizationId,
    id: ResourceId,
    connection: ConnectionId,
) -> Result<()> {
    let groups = groups_of(db, organization, &[id]).await?.remove(&id).unwrap_or_default();
    for group in groups.into_iter().filter(|group| group.connection == connection) {
        let row = members::table.find((Id::from(organization), Id::from(group.id), Id::from(id)));
        diesel::delete(row).exec(db).await?;
    }
    Ok(())
}

/// The event of a deed on a person that is no change of the document. `version` is that of the ETag afterwards.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn record_deed(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    kind: EventKind,
    person: &PersonRecord,
    version: i64,
    detail: &str,
) -> Result<()> {
    let connection = (person.connection != ConnectionId::LOCAL).then_some(person.connection.owner());
    record(db, deed, Target { organization, connection, kind, resource: person.id.0, version }, detail).await
}

/// Writes into the event of a `Write` what it does not tell: from where it came and why.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn explain(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId) -> Result<()> {
    if let Some(ip) = &deed.ip {
        amend(db, deed, organization, "ip", ip).await?;
    }
    if let Some(user_agent) = &deed.user_agent {
        amend(db, deed, organization, "user_agent", user_agent).await?;
    }
    if let Some(reason) = &deed.reason {
        amend(db, deed, organization, "reason", reason).await?;
    }
    Ok(())
}

/// Events of the last transaction are found without a scan: they are the latest ones.
async fn amend(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, column: &str, value: &str) -> Result<()> {
    let mut sql = Sql::new("UPDATE events SET ");
    sql.push(column).push(" = ").text(value).push(" WHERE organization = ").id(organization.0).push(match db {
        Db::Pg(_) => " AND tx = pg_current_xact_id() AND id = ",
        Db::Sqlite(_) => " AND position > (SELECT max(position) FROM events) - 1000 AND id = ",
    });
    sql.id(deed.event.0);
    sql.statement::<()>(true).exec(db).await?;
    Ok(())
}

impl Database {
    /// The people of these ids who are there, in the order of the ids.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn people_of_ids(&self, organization: OrganizationId, ids: &[ResourceId]) -> Result<Vec<PersonRecord>> {
        self.cold_read(async |db| of_ids(db, organization, ids).await).await
    }
    /// The groups that hold each of these people directly.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn groups_of_people(
        &self,
        organization: OrganizationId,
        ids: &[ResourceId],
    ) -> Result<HashMap<ResourceId, Vec<GroupOf>>> {
        self.cold_read(async |db| groups_of(db, organization, ids).await).await
    }
    /// The features and the settings of an organization (JSON).
    ///
    /// # Errors
    /// `Missing`, `Busy`, `Broken`.
    pub async fn organization_switches(&self, organization: OrganizationId) -> Result<(String, String)> {
        self.cold_read(async |db| switches(db, organization).await).await
    }
}
