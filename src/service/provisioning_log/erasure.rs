//! Takes a person out of the log. What was done stays: when, through which connection, with which answer.

use std::collections::BTreeSet;

use super::entry::name_of;
use super::record::plain;
use crate::domain::ids::ResourceId;
use crate::domain::provisioning::Outcome;
use crate::protocol::compare;
use crate::storage::{LogBodies, LogRecord};

/// Destroys what entries and their bodies say of a person who was known by these names until a time, µs; answers whether that
/// was anything. Of entries about the person, about somebody of one of the names without an id, or that refused somebody the
/// name, all is forgotten but what was done. Others lose bodies that name the person's id, such as members of groups, and
/// searches for a name. Whoever has such a name and another id keeps theirs, and who has it afterwards keeps all.
pub fn forget(
    entries: &mut [LogRecord],
    bodies: &mut [LogBodies],
    person: ResourceId,
    (names, until): (&BTreeSet<String>, i64),
) -> bool {
    let id = person.to_string();
    let mut changed = false;
    let nobody = BTreeSet::new();
    for (entry, bodies) in entries.iter_mut().zip(bodies) {
        let names = if entry.at <= until { names } else { &nobody };
        if is_about(entry, bodies, person, names) {
            changed |= forget_all(entry);
            changed |= std::mem::take(bodies) != LogBodies::default();
        } else {
            changed |= drop_if_names(&mut bodies.request, &id) | drop_if_names(&mut bodies.response, &id);
        }
        if searches(&entry.path, names) {
            entry.path.truncate(entry.path.find('?').unwrap_or(entry.path.len()));
            changed = true;
        }
    }
    changed
}

fn is_about(entry: &LogRecord, bodies: &LogBodies, person: ResourceId, names: &BTreeSet<String>) -> bool {
    let is_refused = entry.outcome == Outcome::Refused.as_str();
    let is_named = || name_of(entry).is_some_and(|name| names.contains(&name));
    // Somebody else who was to get the name, by a PATCH for instance.
    let asks_for = || bodies.request.as_ref().is_some_and(|text| quotes(&compare::fold(text), names));
    entry.resource == Some(person.0)
        || ((entry.resource.is_none() || is_refused) && is_named())
        || (is_refused && !names.is_empty() && asks_for())
}

/// Whether a folded text holds one of the names as a whole string.
fn quotes(text: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| text.contains(&format!("\"{name}\"")))
}

fn drop_if_names(text: &mut Option<String>, id: &str) -> bool {
    text.take_if(|text| text.contains(id)).is_some()
}

fn forget_all(entry: &mut LogRecord) -> bool {
    let said = Some("Erased.".to_owned());
    let changed = entry.explanation != said;
    (entry.external_id, entry.subject, entry.detail, entry.explanation) = (None, None, None, said);
    changed
}

/// Whether a search asks for one of these names, as a value of its filter.
fn searches(path: &str, names: &BTreeSet<String>) -> bool {
    let Some((_, query)) = path.split_once('?') else { return false };
    let query = plain(query);
    quotes(&compare::fold(&String::from_utf8_lossy(&query)), names)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::LogEntryId;

    fn entry(resource: Option<Uuid>, subject: &str, outcome: Outcome) -> (LogRecord, LogBodies) {
        let record = LogRecord {
            id: LogEntryId::at(1, 1),
            at: 1,
            connection: Uuid::nil(),
            token: None,
            fingerprint: None,
            method: "PUT".into(),
            path: "/Users".into(),
            resource,
            external_id: Some("e1".into()),
            subject: Some(subject.into()),
            operation: "update".into(),
            status: 200,
            outcome: outcome.as_str().into(),
            scim_type: None,
            explanation: None,
            duration_us: 1,
            request_id: "r".into(),
            ip: None,
            detail: Some("{}".into()),
        };
        (record, LogBodies { request: Some("{}".into()), response: None })
    }

    #[test]
    fn of_a_person_all_is_forgotten_but_what_was_done() {
        let (person, eva) = (ResourceId(Uuid::from_u128(7)), Uuid::from_u128(8));
        let names = BTreeSet::from(["ben@x.org".to_owned()]);
        for (resource, subject, outcome, forgets) in [
            (Some(person.0), "Benny", Outcome::Applied, true),
            (None, "BEN@x.org", Outcome::Refused, true),
            (Some(eva), "Ben@x.org", Outcome::Refused, true),
            (Some(eva), "ben@x.org", Outcome::Applied, false),
            (None, "eva@x.org", Outcome::Refused, false),
        ] {
            let (before, bodies) = entry(resource, subject, outcome);
            let (mut entries, mut kept) = ([before.clone()], [bodies.clone()]);
            assert_eq!(forget(&mut entries, &mut kept, person, (&names, 1)), forgets, "{subject} {outcome:?}");
            assert!(!forget(&mut entries, &mut kept, person, (&names, 1)), "nothing is left to forget");
            let [after] = entries;
            if forgets {
                let said = (after.subject, after.external_id, after.detail, after.explanation.as_deref());
                assert_eq!(said, (None, None, None, Some("Erased.")));
                assert_eq!(
                    (after.operation, after.resource, &kept[0]),
                    (before.operation, resource, &LogBodies::default())
                );
            } else {
                assert_eq!((after, &kept[0]), (before, &bodies));
            }
        }
    }

    #[test]
    fn bodies_that_name_the_id_and_searches_for_the_name_go() {
        let (person, names) = (ResourceId(Uuid::from_u128(7)), BTreeSet::from(["ben@x.org".to_owned()]));
        let (mut record, mut bodies) = entry(Some(Uuid::from_u128(9)), "Staff", Outcome::Applied);
        record.path = "/Users?filter=userName%20eq%20%22BEN%40x.org%22".into();
        bodies.response = Some(format!(r#"{{"members":[{{"value":"{person}","display":"Ben"}}]}}"#));
        let (mut entries, mut kept) = ([record], [bodies]);
        assert!(forget(&mut entries, &mut kept, person, (&names, 1)));
        assert_eq!((entries[0].path.as_str(), entries[0].subject.as_deref()), ("/Users", Some("Staff")));
        assert_eq!((kept[0].request.as_deref(), &kept[0].response), (Some("{}"), &None));
    }

    #[test]
    fn a_search_names_whom_it_asks_for() {
        let names = BTreeSet::from(["ben@example.org".to_owned()]);
        for (path, expected) in [
            ("/Users?filter=userName%20eq%20%22Ben%40example.org%22", true),
            ("/Users?filter=emails.value+eq+\"ben@example.org\"&count=1", true),
            ("/Users?filter=userName%20eq%20%22uben%40example.org%22", false),
            ("/Users/ben@example.org", false),
        ] {
            assert_eq!(searches(path, &names), expected, "{path}");
        }
    }

    #[test]
    fn who_was_refused_the_name_before_is_forgotten_and_who_has_it_later_is_not() {
        let (person, eva) = (ResourceId(Uuid::from_u128(7)), Uuid::from_u128(8));
        let names = BTreeSet::from(["ben@x.org".to_owned()]);
        let body = r#"{"Operations":[{"op":"replace","path":"userName","value":"Ben@x.org"}]}"#;
        for (outcome, until, forgets) in
            [(Outcome::Refused, 1, true), (Outcome::Applied, 1, false), (Outcome::Refused, 0, false)]
        {
            let (entry, bodies) = entry(Some(eva), "eva@x.org", outcome);
            let (mut entries, mut bodies) = ([entry], [LogBodies { request: Some(body.into()), ..bodies }]);
            assert_eq!(forget(&mut entries, &mut bodies, person, (&names, until)), forgets);
            assert_eq!(bodies[0].request.is_none(), forgets);
        }
        let (entry, bodies) = entry(None, "ben@x.org", Outcome::Refused);
        assert!(!forget(&mut [entry], &mut [bodies], person, (&names, 0)), "somebody new");
    }
}
