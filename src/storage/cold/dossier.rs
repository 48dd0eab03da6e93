//! What the logs hold about one person, for an export of it. Events have no index by what they are about, since each write of
//! a directory would pay for it: an export walks all events of the organization in short windows instead.

use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _};

use serde::{Deserialize, Serialize};

use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::invitations;
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};
use crate::storage::write::EventKind;

/// Events of a window, whoever they are about.
const WINDOW: u32 = 5_000;

/// A place in the order of an organization's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventPlace {
    /// The transaction, on PostgreSQL; else 0.
    transaction: i64,
    position: i64,
}

/// An event about a person, or of a deed of theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct EventOfPerson {
    /// `EventKind`, as a number.
    pub kind: i16,
    /// `domain::actor::Actor`, printed.
    pub actor: String,
    /// What it was done to.
    pub resource: uuid::Uuid,
    /// µs since 1970.
    pub at: i64,
    /// JSON of what changed.
    pub detail: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// Code of the refusal.
    pub problem: Option<String>,
    /// What the doer gave as the reason.
    pub reason: Option<String>,
    /// Request id.
    pub request_id: String,
}

/// An invitation of a person, without its secret's hash.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct InvitationOfPerson {
    pub id: uuid::Uuid,
    pub email: String,
    pub delivery: String,
    pub message: String,
    pub state: String,
    pub expires_at: i64,
    pub sent_at: i64,
    pub created: i64,
    pub created_by: String,
    pub ended_at: Option<i64>,
}

/// The events of a window that are about a person or of their deeds, and where the window ends; `None`: with the last event.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn events(
    db: &mut Db<'_>,
    organization: OrganizationId,
    person: ResourceId,
    after: EventPlace,
) -> Result<(Vec<EventOfPerson>, Option<EventPlace>)> {
    type Types = (SmallInt, Text, Uid, BigInt, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Text);
    type Row = (i16, String, Id, i64, String, Option<String>, Option<String>, Option<String>, String);
    let (place, order) = match db {
        Db::Pg(_) => ("tx::text::bigint, position", "tx, position"),
        Db::Sqlite(_) => ("0, position", "position"),
    };
    let mut sql = Sql::new("SELECT ");
    sql.push(place)
        .push(" FROM events WHERE organization = ")
        .id(organization.0)
        .push(" AND ")
        .append(&beside(db, ">", after));
    sql.push(&format!(" ORDER BY {order} LIMIT 1 OFFSET {WINDOW}"));
    let end: Option<(i64, i64)> = sql.statement::<(BigInt, BigInt)>(true).opt(db).await?;
    let end = end.map(|(transaction, position)| EventPlace { transaction, position });

    let mut sql = Sql::new(
        "SELECT kind, actor, resource, at, detail, ip, problem, reason, request_id FROM events WHERE organization = ",
    );
    sql.id(organization.0).push(" AND ").append(&beside(db, ">", after));
    if let Some(end) = end {
        sql.push(" AND ").append(&beside(db, "<=", end));
    }
    sql.push(" AND (resource = ").id(person.0).push(" OR actor = ").text(format!("user:{person}"));
    sql.push(&format!(") ORDER BY {order}"));
    let rows: Vec<Row> = sql.statement::<Types>(true).all(db).await?;
    let event = |(kind, actor, resource, at, detail, ip, problem, reason, request_id): Row| EventOfPerson {
        kind,
        actor,
        resource: resource.0,
        at,
        detail,
        ip,
        problem,
        reason,
        request_id,
    };
    Ok((rows.into_iter().map(event).collect(), end))
}

/// Takes a person out of the events of a window: of those about them all but what was done, of their own deeds where they were.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn erase_events(
    db: &mut Db<'_>,
    organization: OrganizationId,
    person: ResourceId,
    after: EventPlace,
    end: Option<EventPlace>,
) -> Result<()> {
    let update = |db: &Db<'_>, set: &'static str| {
        let mut sql = Sql::new("UPDATE events SET ");
        sql.push(set).push(" WHERE organization = ").id(organization.0).push(" AND ").append(&beside(db, ">", after));
        if let Some(end) = end {
            sql.push(" AND ").append(&beside(db, "<=", end));
        }
        sql
    };
    let mut about = update(db, r#"detail = '{"erased":true}', reason = NULL"#);
    // Why somebody was erased is the operator's to answer for.
    about.push(" AND kind <> ").bind(Value::Big(EventKind::UserErased as i64)).push(" AND resource = ").id(person.0);
    about.statement::<()>(true).exec(db).await?;
    let mut by = update(db, "ip = NULL, user_agent = NULL");
    by.push(" AND actor = ").text(format!("user:{person}"));
    by.statement::<()>(true).exec(db).await?;
    Ok(())
}

/// `position > ?`; on PostgreSQL, whose order is that of transactions, `(tx, position) > (?, ?)`.
fn beside(db: &Db<'_>, sign: &str, place: EventPlace) -> Sql {
    let mut sql = Sql::default();
    match db {
        Db::Pg(_) => {
            sql.push(&format!("(tx, position) {sign} (")).text(place.transaction.to_string());
            // A transaction's number has no cast from a bigint.
            sql.push("::text::xid8, ").bind(Value::Big(place.position)).push(")");
        }
        Db::Sqlite(_) => {
            sql.push(&format!("position {sign} ")).bind(Value::Big(place.position));
        }
    }
    sql
}

/// The invitations of a person, in the order of their creation. Probes `invitations_user`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn invitations(
    db: &mut Db<'_>,
    organization: OrganizationId,
    person: ResourceId,
) -> Result<Vec<InvitationOfPerson>> {
    type Row = (Id, String, String, String, String, (i64, i64, i64), String, Option<i64>);
    use invitations as i;
    let rows = i::table
        .filter(i::organization.eq(Id::from(organization)))
        .filter(i::user_id.eq(Id::from(person)))
        .order(i::id)
        .select((
            i::id,
            i::email,
            i::delivery,
            i::message,
            i::state,
            (i::expires_at, i::sent_at, i::created),
            i::created_by,
            i::ended_at,
        ));
    let rows: Vec<Row> = rows.all(db).await?;
    let invitation = |(id, email, delivery, message, state, times, created_by, ended_at): Row| {
        let (expires_at, sent_at, created) = times;
        let id = id.0;
        InvitationOfPerson { id, email, delivery, message, state, expires_at, sent_at, created, created_by, ended_at }
    };
    Ok(rows.into_iter().map(invitation).collect())
}

impl Database {
    /// The events of a window that are about a person or of their deeds, and where the window ends; `None`: with the last
    /// event.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn events_of_person(
        &self,
        organization: OrganizationId,
        person: ResourceId,
        after: EventPlace,
    ) -> Result<(Vec<EventOfPerson>, Option<EventPlace>)> {
        self.cold_read(async |db| events(db, organization, person, after).await).await
    }
    /// The invitations of a person.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn invitations_of_person(
        &self,
        organization: OrganizationId,
        person: ResourceId,
    ) -> Result<Vec<InvitationOfPerson>> {
        self.cold_read(async |db| invitations(db, organization, person).await).await
    }
}
