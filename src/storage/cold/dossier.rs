//! What the logs hold about one person, for an export of it. Events have no index by what they are about, since each write of
//! a directory would pay for it: an export walks all events of the organization in short windows instead.

use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
};

use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{invitations, provisioning_bodies, provisioning_log};
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};

/// Events of a window, whoever they are about.
const WINDOW: u32 = 5_000;

/// A place in the order of an organization's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// An entry of the provisioning log about a person.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct LogEntryOfPerson {
    pub id: uuid::Uuid,
    pub at: i64,
    pub connection: uuid::Uuid,
    pub method: String,
    pub path: String,
    pub external_id: Option<String>,
    pub subject: Option<String>,
    pub operation: String,
    pub status: i16,
    pub outcome: String,
    pub explanation: String,
    pub request_id: String,
    pub changes: String,
    pub request_body: Option<String>,
    pub response_body: Option<String>,
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

/// A page of the provisioning log's entries about a person, in the order of their ids, after one if given. Probes
/// `provisioning_log_resource`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn log_entries(
    db: &mut Db<'_>,
    organization: OrganizationId,
    person: ResourceId,
    after: Option<uuid::Uuid>,
    limit: u32,
) -> Result<Vec<LogEntryOfPerson>> {
    type Row = (
        (Id, i64, Id, String, String),
        (Option<String>, Option<String>, String, i16, String),
        (String, String, String),
        (Option<String>, Option<String>),
    );
    use {provisioning_bodies as b, provisioning_log as p};
    let from = after.map_or(Id(uuid::Uuid::nil()), Id);
    let page = p::table
        .left_join(b::table.on(b::organization.eq(p::organization).and(b::id.eq(p::id))))
        .filter(p::organization.eq(Id::from(organization)))
        .filter(p::resource.eq(Some(Id::from(person))))
        .filter(p::id.gt(from))
        .order(p::id)
        .limit(i64::from(limit))
        .select((
            (p::id, p::at, p::connection, p::method, p::path),
            (p::external_id, p::subject, p::operation, p::status, p::outcome),
            (p::explanation, p::request_id, p::changes),
            (b::request_body.nullable(), b::response_body.nullable()),
        ));
    let rows: Vec<Row> = page.all(db).await?;
    let entry = |(head, subject, rest, bodies): Row| {
        let (id, at, connection, method, path) = head;
        let (external_id, subject, operation, status, outcome) = subject;
        let (explanation, request_id, changes) = rest;
        let (request_body, response_body) = bodies;
        LogEntryOfPerson {
            id: id.0,
            at,
            connection: connection.0,
            method,
            path,
            external_id,
            subject,
            operation,
            status,
            outcome,
            explanation,
            request_id,
            changes,
            request_body,
            response_body,
        }
    };
    Ok(rows.into_iter().map(entry).collect())
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
    /// A page of the provisioning log's entries about a person.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn log_entries_of_person(
        &self,
        organization: OrganizationId,
        person: ResourceId,
        after: Option<uuid::Uuid>,
        limit: u32,
    ) -> Result<Vec<LogEntryOfPerson>> {
        self.cold_read(async |db| log_entries(db, organization, person, after, limit).await).await
    }
}
