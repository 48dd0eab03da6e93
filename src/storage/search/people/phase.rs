//! An order as phases that follow each other: within one the ranks are the same, and people have a key or have none.

use super::{PeopleKey, PeoplePlace, PeopleQuery, PeopleRank};
use crate::domain::person::Status;

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phase {
    /// Values of the ranks.
    pub(super) ranks: Vec<i64>,
    /// The status that a rank stands for.
    pub(super) status: Option<Status>,
    /// Whether a directory manages the person, where a rank says so.
    pub(super) is_managed: Option<bool>,
    /// Whether it is of those without key.
    pub(super) keyless: bool,
}

/// The phases from the query's place on, in the order of reading, the first with that place.
pub(super) fn remaining(query: &PeopleQuery) -> Vec<(Phase, Option<&PeoplePlace>)> {
    let mut all = phases(query);
    if query.backward {
        all.reverse();
    }
    let Some(place) = &query.from else { return all.into_iter().map(|phase| (phase, None)).collect() };
    let keyless = query.order.key.0 != PeopleKey::Created && place.key.is_none();
    let is_there = |phase: &Phase| phase.ranks == place.ranks && phase.keyless == keyless;
    let current = all.iter().position(is_there);
    // A place that no phase holds is beyond all of them: nothing was sealed so.
    let rest = all.into_iter().skip(current.unwrap_or(usize::MAX)).enumerate();
    rest.map(|(at, phase)| (phase, (at == 0).then_some(place))).collect()
}

fn phases(query: &PeopleQuery) -> Vec<Phase> {
    let mut all = vec![Phase { ranks: Vec::new(), status: None, is_managed: None, keyless: false }];
    for (rank, descending) in &query.order.ranks {
        let mut values: Vec<i64> = match rank {
            PeopleRank::Status => (0..).take(Status::ALL.len()).collect(),
            PeopleRank::ManagedBy => vec![0, 1],
        };
        if *descending {
            values.reverse();
        }
        all = all.iter().flat_map(|phase| values.iter().map(|value| phase.with(*rank, *value))).collect();
    }
    if query.order.key.0 == PeopleKey::Created {
        return all;
    }
    all.into_iter().flat_map(|phase| [phase.clone(), Phase { keyless: true, ..phase }]).collect()
}

impl Phase {
    fn with(&self, rank: PeopleRank, value: i64) -> Phase {
        let mut phase = self.clone();
        phase.ranks.push(value);
        match rank {
            PeopleRank::Status => {
                phase.status = usize::try_from(value).ok().and_then(|at| Status::ALL.get(at)).copied()
            }
            PeopleRank::ManagedBy => phase.is_managed = Some(value == 1),
        }
        phase
    }
}
