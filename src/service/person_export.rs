//! Everything that is stored about one person as one JSON document, for whoever asks what that is (GDPR, article 15): of an
//! organization, or the operator. Made piece by piece, so that the memory that it takes does not grow with the logs. What
//! others are or did is left out: of a deed of the person's on others its changes, of a deed of others' their address.

use futures_util::Stream;
use futures_util::stream;
use serde_json::{Map, Value, json};

use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, LogEntryId, OrganizationId, ResourceId};
use crate::domain::permission::{HeldRole, RoleSet, RoleSource};
use crate::domain::person::Suspension;
use crate::protocol::splice::date_time;
use crate::service::ServiceError;
use crate::service::admin::error::{Refusal, Result};
use crate::service::provisioning_log::WholeLogEntry;
use crate::storage::cold::dossier::{EventOfPerson, EventPlace, InvitationOfPerson};
use crate::storage::cold::people::{self, GroupOf, PersonRecord};
use crate::storage::cold::sub_accounts::AccessRecord;
use crate::storage::{Database, Db, Deed, LogSelection, Window};

/// Entries of the provisioning log that are read at once; they may have bodies.
const PAGE: u32 = 100;

/// A document that was begun: what is small is read, and the event says that it was given out.
#[derive(Debug)]
pub struct Export {
    organization: OrganizationId,
    person: ResourceId,
    head: String,
}

/// Begins the document of a person who is not deleted. The event is in the organization's log, whoever did it.
///
/// # Errors
/// `Missing`; those of storage.
pub async fn begin(db: &Database, organization: OrganizationId, id: ResourceId, deed: Deed) -> Result<Export> {
    let exported_at = deed.at;
    let note = async move |db: &mut Db<'_>| -> Result<PersonRecord> {
        let person = people::of_ids(db, organization, &[id]).await?.pop().ok_or(Refusal::Missing)?;
        let version = person.etag_version();
        people::record_deed(db, &deed, organization, EventKind::UserExported, &person, version, "{}").await?;
        Ok(person)
    };
    let person = db.transaction(note).await?;
    let roles = db.roles_of_users(organization, &[id]).await?.remove(&id).unwrap_or_default();
    let groups = db.groups_of_people(organization, &[id]).await?.remove(&id).unwrap_or_default();
    let invitations = db.invitations_of_person(organization, id).await?;
    let reached = db.sub_accounts_reached_by(organization, id).await?;
    let parts = [
        ("exported_at", Value::from(date_time(exported_at))),
        ("organization", organization.to_string().into()),
        ("user", user(&person)),
        ("scim", scim(&person)?),
        ("roles", roles.iter().map(role).collect()),
        ("groups", groups.iter().map(group).collect()),
        ("invitations", invitations.iter().map(invitation).collect()),
        ("sub_accounts", reached.iter().map(sub_account).collect()),
    ];
    let parts: Vec<String> = parts.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    Ok(Export { organization, person: id, head: format!("{{{}", parts.join(",")) })
}

/// What comes next of a document.
enum Step {
    Head(String),
    Events { after: EventPlace, is_first: bool },
    Log { after: LogEntryId, is_first: bool },
    Over,
}

impl Export {
    /// The document in pieces, in order. A failure breaks it off.
    pub fn pieces(self, db: Database) -> impl Stream<Item = std::result::Result<String, ServiceError>> {
        let Export { organization, person, head } = self;
        stream::try_unfold(Step::Head(head), move |step| {
            let db = db.clone();
            async move { next(&db, organization, person, step).await }
        })
    }
}

/// A piece, and what comes behind it.
type Piece = Option<(String, Step)>;

async fn next(
    db: &Database,
    organization: OrganizationId,
    person: ResourceId,
    step: Step,
) -> std::result::Result<Piece, ServiceError> {
    match step {
        Step::Head(head) => {
            let events = Step::Events { after: EventPlace::default(), is_first: true };
            Ok(Some((format!("{head},\"events\":["), events)))
        }
        Step::Events { after, is_first } => {
            let (found, end) = db.events_of_person(organization, person, after).await?;
            let mut text = list(is_first, found.iter().map(|found| event(found, person)));
            let is_first = is_first && found.is_empty();
            let following = match end {
                Some(after) => Step::Events { after, is_first },
                None => {
                    text.push_str("],\"provisioning_log\":[");
                    Step::Log { after: LogEntryId::at(0, 0), is_first: true }
                }
            };
            Ok(Some((text, following)))
        }
        Step::Log { after, is_first } => {
            let selection = LogSelection::About(person.to_string());
            let window = Window { from: after, backwards: false, limit: PAGE };
            let page = db.log_records(organization, &selection, &window, true).await?;
            let of_person = page.entries.into_iter().filter(|(entry, _)| entry.resource == Some(person.0));
            let found: Vec<_> = of_person.map(|(entry, bodies)| WholeLogEntry::of(entry, bodies)).collect();
            let mut text = list(is_first, found.iter().map(log_entry));
            let following = match page.next {
                Some(after) => Step::Log { after, is_first: is_first && found.is_empty() },
                None => {
                    text.push_str("]}\n");
                    Step::Over
                }
            };
            Ok(Some((text, following)))
        }
        Step::Over => Ok(None),
    }
}

/// Elements of a JSON array, with a comma between them and those before.
fn list(is_first: bool, values: impl Iterator<Item = Value>) -> String {
    let mut text = String::new();
    for (at, value) in values.enumerate() {
        if at > 0 || !is_first {
            text.push(',');
        }
        text.push_str(&value.to_string());
    }
    text
}

fn user(person: &PersonRecord) -> Value {
    let hold = person
        .suspension
        .as_deref()
        .map(Suspension::parse)
        .map(|hold| json!({ "by": hold.by.key(), "at": date_time(hold.at), "reason": hold.reason }));
    json!({
        "id": person.id.to_string(),
        "user_name": person.user_name,
        "locale": person.locale,
        "time_zone": person.time_zone,
        "notes": person.notes,
        "invited": person.invited,
        "invited_by": person.invited_by.as_deref().map(doer),
        "let_in_by_directory": person.access,
        "deactivated_at": person.deactivated_at.map(date_time),
        "suspension": hold,
        "connection": (person.connection != ConnectionId::LOCAL).then(|| person.connection.owner().to_string()),
        "managed_since": person.managed_since.map(date_time),
        "last_active_at": person.last_active_at.map(date_time),
        "created_at": date_time(person.created),
        "updated_at": date_time(person.account_modified.map_or(person.modified, |at| at.max(person.modified))),
    })
}

/// The document as a directory reads it, but for what follows from elsewhere: `groups` are told apart.
fn scim(person: &PersonRecord) -> std::result::Result<Value, ServiceError> {
    let damaged = |error| ServiceError::Internal(format!("document of user {}: {error}", person.id));
    let mut document: Map<String, Value> = serde_json::from_str(&person.document).map_err(damaged)?;
    document.insert("id".to_owned(), person.id.to_string().into());
    let meta = json!({
        "resourceType": "User",
        "created": date_time(person.created),
        "lastModified": date_time(person.modified),
        "version": format!("W/\"{}\"", person.version),
    });
    document.insert("meta".to_owned(), meta);
    Ok(document.into())
}

fn role(held: &HeldRole) -> Value {
    let via = match &held.source {
        RoleSource::Group { id, name } => json!({ "group_id": id.to_string(), "name": name }),
        RoleSource::Direct | RoleSource::Directory => Value::Null,
    };
    json!({ "key": held.role.key(), "source": held.source.key(), "via": via })
}

fn group(group: &GroupOf) -> Value {
    json!({ "id": group.id.to_string(), "name": group.name })
}

fn invitation(found: &InvitationOfPerson) -> Value {
    json!({
        "id": found.id.to_string(),
        "email": found.email,
        "delivery": found.delivery,
        "message": found.message,
        "state": found.state,
        "sent_at": date_time(found.sent_at),
        "expires_at": date_time(found.expires_at),
        "ended_at": found.ended_at.map(date_time),
        "created_at": date_time(found.created),
        "created_by": doer(&found.created_by),
    })
}

fn sub_account((id, access): &(OrganizationId, AccessRecord)) -> Value {
    json!({
        "id": id.to_string(),
        "roles": RoleSet::parse(&access.roles).iter().map(|role| role.key()).collect::<Vec<_>>(),
        "granted_at": date_time(access.granted_at),
        "granted_by": doer(&access.granted_by),
    })
}

fn event(found: &EventOfPerson, person: ResourceId) -> Value {
    let is_theirs = found.actor == format!("user:{person}");
    let is_about_them = found.resource == person.0;
    json!({
        "at": date_time(found.at),
        "action": EventKind::from_number(found.kind).map(EventKind::name),
        "actor": doer(&found.actor),
        "target": found.resource.to_string(),
        "result": if found.problem.is_some() { "refused" } else { "ok" },
        "problem_code": found.problem,
        "reason": is_about_them.then_some(&found.reason),
        "ip": is_theirs.then_some(&found.ip),
        "request_id": found.request_id,
        "detail": if is_about_them { parsed(&found.detail) } else { Value::Null },
    })
}

fn log_entry(found: &WholeLogEntry) -> Value {
    let (entry, record) = (&found.entry, &found.entry.record);
    json!({
        "id": record.id.to_string(),
        "at": date_time(record.at),
        "connection": record.connection.to_string(),
        "method": record.method,
        "path": record.path,
        "external_id": record.external_id,
        "subject": record.subject,
        "operation": record.operation,
        "status": record.status,
        "outcome": record.outcome,
        "explanation": entry.explanation,
        "request_id": record.request_id,
        "changes": entry.changes,
        "request_body": found.bodies.request.as_deref().map(parsed),
        "response_body": found.bodies.response.as_deref().map(parsed),
    })
}

/// Stored JSON as such; a body that is none, or was cut off, as a text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Which operator it was is not for the organization to know.
fn doer(actor: &str) -> &str {
    if actor.starts_with("operator:") { "operator" } else { actor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(actor: &str, resource: ResourceId, person: ResourceId) -> Value {
        let found = EventOfPerson {
            kind: EventKind::UserChanged as i16,
            actor: actor.to_owned(),
            resource: resource.0,
            at: 0,
            detail: r#"{"changed":["title"]}"#.to_owned(),
            ip: Some("192.0.2.1".to_owned()),
            problem: None,
            reason: Some("asked".to_owned()),
            request_id: "r".to_owned(),
        };
        event(&found, person)
    }

    #[test]
    fn an_event_tells_nothing_of_others() {
        let (person, other) = (crate::service::ids::resource(), crate::service::ids::resource());
        let about = of("operator:x", person, person);
        assert_eq!((&about["actor"], &about["ip"]), (&"operator".into(), &Value::Null));
        assert_eq!((&about["detail"]["changed"][0], &about["reason"]), (&"title".into(), &"asked".into()));
        let theirs = of(&format!("user:{person}"), other, person);
        assert_eq!((&theirs["ip"], &theirs["detail"]), (&"192.0.2.1".into(), &Value::Null));
        assert_eq!((&theirs["reason"], &theirs["target"]), (&Value::Null, &other.to_string().into()));
    }

    #[test]
    fn elements_have_commas_between_them_across_pieces() {
        let pieces = [list(true, [json!(1), json!(2)].into_iter()), list(false, [json!(3)].into_iter())];
        assert_eq!(pieces.concat(), "1,2,3");
        assert_eq!(list(true, std::iter::empty()), "");
    }
}
