//! Takes a person out of the log. What was done stays: when, by whom, with which answer.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{LogBodies, LogRecord, segment};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::provisioning_segments as segments;
use crate::storage::uid::Id;

/// Rows that are looked at in one statement.
const AT_ONCE: i64 = 32;

/// How an entry names people.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The name of an entry's subject, as `LogSelection::About` has it.
    pub subject: fn(&LogRecord) -> Option<String>,
    /// Whether what a request searched for names somebody.
    pub searches: fn(&str, &BTreeSet<String>) -> bool,
}

/// Destroys what the log says of a person: of entries about them, or about somebody of one of `names` without an id, all but
/// what was done; of others the bodies that name their id, such as members of groups. Reads the whole log of the organization.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn erase(
    db: &mut Db<'_>,
    organization: OrganizationId,
    person: ResourceId,
    names: &[String],
    named: Named,
) -> Result<()> {
    let mut names: BTreeSet<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    // Under whatever name the directory had them before.
    walk(db, organization, |entries, _| {
        let own = entries.iter().filter(|entry| entry.resource == Some(person.0));
        names.extend(own.filter_map(named.subject));
        false
    })
    .await?;
    let id = person.to_string();
    walk(db, organization, |entries, bodies| {
        let mut changed = false;
        for (entry, bodies) in entries.iter_mut().zip(bodies) {
            let is_of = |entry: &LogRecord| (named.subject)(entry).is_some_and(|name| names.contains(&name));
            if entry.resource == Some(person.0) || is_of(entry) {
                changed |= forget(entry);
                changed |= std::mem::take(bodies) != LogBodies::default();
            } else {
                changed |= drop_if_names(&mut bodies.request, &id) | drop_if_names(&mut bodies.response, &id);
            }
            if (named.searches)(&entry.path, &names) {
                entry.path.truncate(entry.path.find('?').unwrap_or(entry.path.len()));
                changed = true;
            }
        }
        changed
    })
    .await
}

fn drop_if_names(text: &mut Option<String>, id: &str) -> bool {
    let names = text.as_ref().is_some_and(|text| text.contains(id));
    if names {
        *text = None;
    }
    names
}

fn forget(entry: &mut LogRecord) -> bool {
    let said = Some("Erased.".to_owned());
    let changed = entry.explanation != said;
    (entry.external_id, entry.subject, entry.detail, entry.explanation) = (None, None, None, said);
    changed
}

/// Shows each row's entries and bodies; stores them where `change` says that it changed them. The filters stay: they hold no
/// name, and find entries that are looked at then.
async fn walk(
    db: &mut Db<'_>,
    organization: OrganizationId,
    mut change: impl FnMut(&mut [LogRecord], &mut [LogBodies]) -> bool,
) -> Result<()> {
    type Row = (i64, Id, i16, Vec<u8>, Vec<u8>);
    let organization = Id::from(organization);
    let mut place = (i64::MIN, Id(uuid::Uuid::nil()));
    loop {
        let behind = diesel::BoolExpressionMethods::or(
            segments::slot.gt(place.0),
            diesel::BoolExpressionMethods::and(segments::slot.eq(place.0), segments::id.gt(place.1)),
        );
        let rows = segments::table
            .filter(segments::organization.eq(organization))
            .filter(segments::slot.ge(place.0))
            .filter(behind)
            .order((segments::slot, segments::id))
            .limit(AT_ONCE)
            .select((segments::slot, segments::id, segments::format, segments::entries, segments::bodies));
        let rows: Vec<Row> = rows.all(db).await?;
        let Some((slot, id, ..)) = rows.last() else { return Ok(()) };
        place = (*slot, *id);
        for (slot, id, format, entries, bodies) in rows {
            let (mut entries, mut bodies) = (segment::entries(format, &entries)?, segment::bodies(&bodies)?);
            if change(&mut entries, &mut bodies) {
                let (entries, bodies) = segment::repack(&entries, &bodies)?;
                let row = segments::table.find((organization, slot, id));
                let set = (segments::entries.eq(entries), segments::bodies.eq(bodies));
                diesel::update(row).set(set).exec(db).await?;
            }
        }
    }
}
