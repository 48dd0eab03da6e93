//! The dry run: what would become of lines, without a write. It remembers the ids and names of the file, 16 bytes each.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::import::{Made, set, taken};
use super::{Line, Outcome};
use crate::domain::ids::{ResourceId, Scope};
use crate::domain::transfer::{Import, Owner, Record, Source};
use crate::service::backoffice::Result;
use crate::storage::write::Action;
use crate::storage::{Database, References, UniqueKey};

/// What lines before have made.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashSet<ResourceId>,
    names: HashSet<[u8; 16]>,
}

impl Seen {
    /// Whether a name is new; keeps it.
    fn name(&mut self, kind: u8, key: &str) -> bool {
        let digest = Sha256::new().chain_update([kind]).chain_update(key).finalize();
        let mut short = [0; 16];
        short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        self.names.insert(short)
    }
}

pub(super) async fn apply(
    db: &Database,
    scope: Scope,
    import: &Import,
    seen: &mut Seen,
    lines: &[Line],
    made: Vec<Made>,
    mut outcomes: Vec<Outcome>,
) -> Result<Vec<Outcome>> {
    let keys: Vec<String> = made.iter().filter_map(|made| user_name(made).map(str::to_owned)).collect();
    let stored: HashSet<String> = db.taken_user_names(scope.organization, keys).await?.into_iter().collect();
    for made in made {
        let outcome = match &made.action {
            Action::InsertUser { columns, .. } => {
                if stored.contains(&columns.user_name_key) {
                    let own = db.find_user(scope, made.id, References::Skip).await?.is_some();
                    if own { Outcome::Present } else { refused(UniqueKey::UserName) }
                } else if seen.name(1, &columns.user_name_key) {
                    Outcome::Done
                } else {
                    refused(UniqueKey::UserName)
                }
            }
            Action::InsertGroup { columns, .. } if columns.unique_name && !seen.name(2, &columns.display_name_key) => {
                refused(UniqueKey::GroupDisplayName)
            }
            _ if db.find_group(scope, made.id, References::Skip).await?.is_some() => Outcome::Present,
            _ => Outcome::Done,
        };
        if !matches!(outcome, Outcome::Refused(_)) {
            seen.ids.insert(made.id);
        }
        set(&mut outcomes, made.at, outcome);
    }
    let mut known = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let named: Vec<&str> = match &line.record {
            Record::Member { group, member } => vec![group, member],
            Record::Role { owner: Owner::User(id) | Owner::Group(id), .. } => vec![id],
            Record::User(_) | Record::Group { .. } => continue,
        };
        let mut outcome = Outcome::Done;
        for text in named {
            let id = import.id_of(Source::Id(text));
            let is_there = match known.get(&id) {
                Some(known) => *known,
                None => seen.ids.contains(&id) || is_stored(db, scope, id).await?,
            };
            known.insert(id, is_there);
            if !is_there {
                outcome = Outcome::Refused(format!("no line before has the id `{text:.60}`, or it was refused"));
            }
        }
        set(&mut outcomes, at, outcome);
    }
    Ok(outcomes)
}

async fn is_stored(db: &Database, scope: Scope, id: ResourceId) -> Result<bool> {
    Ok(db.find_user(scope, id, References::Skip).await?.is_some()
        || db.find_group(scope, id, References::Skip).await?.is_some())
}

fn user_name(made: &Made) -> Option<&str> {
    match &made.action {
        Action::InsertUser { columns, .. } => Some(&columns.user_name_key),
        _ => None,
    }
}

fn refused(key: UniqueKey) -> Outcome {
    Outcome::Refused(taken(key).to_owned())
}
