//! The list of people.

use super::{Setting, User, assemble};
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::domain::permission::{Directories, Permission, Role};
use crate::domain::person::Status;
use crate::protocol::compare;
use crate::service::admin::Caller;
use crate::service::admin::error::Result;
use crate::service::admin::paging::{Page, PageRequest, SortKey};
use crate::service::cursor::{Direction, Key, Position};
pub use crate::storage::PeopleRoleSource as RoleSourceKind;
use crate::storage::{Database, PeopleFilter, PeopleKey, PeopleOrder, PeoplePlace, PeopleQuery, PeopleRank, PlaceKey};

/// A second factor as far as this service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mfa {
    On,
    Off,
    AtIdentityProvider,
}

impl Mfa {
    /// Whom a directory manages signs in there; nobody else has one yet.
    pub fn of(is_managed: bool) -> Self {
        if is_managed { Mfa::AtIdentityProvider } else { Mfa::Off }
    }

    /// Its name in the API.
    pub fn key(self) -> &'static str {
        match self {
            Mfa::On => "on",
            Mfa::Off => "off",
            Mfa::AtIdentityProvider => "at_identity_provider",
        }
    }

    /// The one of that name.
    pub fn parse(key: &str) -> Option<Self> {
        [Mfa::On, Mfa::Off, Mfa::AtIdentityProvider].into_iter().find(|mfa| mfa.key() == key)
    }
}

/// Which people; an empty list selects all.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ListUsers {
    pub texts: Vec<String>,
    pub statuses: Vec<Status>,
    pub roles: Vec<Role>,
    pub sources: Vec<RoleSourceKind>,
    pub groups: Vec<ResourceId>,
    /// `true`: by a directory.
    pub managed: Vec<bool>,
    pub connections: Vec<ConnectionId>,
    pub mfa: Vec<Mfa>,
    pub inactive_since: Option<i64>,
    pub created_after: Option<i64>,
}

/// The order that a sort asks for: ranks (`status`, `managed_by`), then one field more at most; `None` for others.
pub fn order(sort: &[SortKey]) -> Option<PeopleOrder> {
    let mut ranks = Vec::new();
    let mut key = None;
    for SortKey { field, descending } in sort {
        let by = match *field {
            "status" | "managed_by" if key.is_none() => {
                let rank = if *field == "status" { PeopleRank::Status } else { PeopleRank::ManagedBy };
                ranks.push((rank, *descending));
                continue;
            }
            "name" => PeopleKey::Name,
            "email" => PeopleKey::Email,
            "last_active_at" => PeopleKey::LastActive,
            "created_at" => PeopleKey::Created,
            _ => return None,
        };
        if key.replace((by, *descending)).is_some() {
            return None;
        }
    }
    Some(PeopleOrder { ranks, key: key.unwrap_or((PeopleKey::Created, false)) })
}

/// A page of people. An order that there is none of is that of creation.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(caller: &Caller, db: &Database, wanted: &ListUsers, request: &PageRequest) -> Result<Page<User>> {
    caller.permitted(Permission::UsersRead)?;
    let setting = Setting::read(db, caller.organization).await?;
    let query = query(caller, &setting, wanted, request);
    let found = db.list_people(&query).await?;
    let ids: Vec<ResourceId> = found.places.iter().map(|place| place.id).collect();
    let records = db.people_of_ids(caller.organization, &ids).await?;
    let rows = assemble(caller, db, &setting, records).await?;
    let (has_before, has_behind) = match (&request.position, query.backward) {
        (None, _) => (false, found.has_more),
        (Some(_), false) => (true, found.has_more),
        (Some(_), true) => (found.has_more, true),
    };
    let at = |place: Option<&PeoplePlace>, direction| place.map(|place| position(place, direction));
    let next = if has_behind { at(found.places.last(), Direction::Forward) } else { None };
    let previous = if has_before { at(found.places.first(), Direction::Backward) } else { None };
    Ok(Page { rows, next, previous, total: found.total })
}

fn query(caller: &Caller, setting: &Setting, wanted: &ListUsers, request: &PageRequest) -> PeopleQuery {
    let is_managing = |id: &ConnectionId| setting.manager(*id).is_some();
    let order = order(&request.sort).unwrap_or(PeopleOrder { ranks: Vec::new(), key: (PeopleKey::Created, false) });
    let is_wanted = |id: &ConnectionId| {
        let is_managed = is_managing(id);
        setting.shows(*id)
            && (wanted.connections.is_empty() || wanted.connections.contains(&id.owner()))
            && (wanted.managed.is_empty() || wanted.managed.contains(&is_managed))
            && (wanted.mfa.is_empty() || wanted.mfa.contains(&Mfa::of(is_managed)))
    };
    // Whose deletion is held is a person of the directory like any other here.
    let all = setting.connections.keys().flat_map(|id| [*id, id.held()]).chain([ConnectionId::LOCAL]);
    let mut connections: Vec<ConnectionId> = all.filter(is_wanted).collect();
    connections.sort_unstable();
    let records = setting.connections.values();
    PeopleQuery {
        organization: caller.organization,
        managing: connections.iter().copied().filter(is_managing).collect(),
        connections,
        directories: Directories::of(records.map(|c| (c.id, c.state.as_str(), c.settings.as_str()))),
        filter: PeopleFilter {
            texts: wanted.texts.iter().map(|text| compare::fold(text).into_owned()).collect(),
            statuses: wanted.statuses.clone(),
            roles: wanted.roles.clone(),
            sources: wanted.sources.clone(),
            groups: wanted.groups.clone(),
            inactive_since: wanted.inactive_since,
            created_after: wanted.created_after,
        },
        from: request.position.as_ref().and_then(|position| place(position, order.ranks.len())),
        backward: request.position.as_ref().is_some_and(|position| position.direction == Direction::Backward),
        order,
        limit: request.limit,
        count: request.include_total,
    }
}

/// `[rank …, key, id]`; the order of creation has no key.
fn position(place: &PeoplePlace, direction: Direction) -> Position {
    let ranks = place.ranks.iter().map(|rank| Key::Number(*rank));
    let key = match &place.key {
        Some(PlaceKey::Number(number)) => Key::Number(*number),
        Some(PlaceKey::Text(text)) => Key::Text(text.clone()),
        None => Key::Absent,
    };
    Position { direction, keys: ranks.chain([key, Key::Text(place.id.to_string())]).collect() }
}

fn place(position: &Position, ranks: usize) -> Option<PeoplePlace> {
    let (first, rest) = position.keys.split_at_checked(ranks)?;
    let [key, Key::Text(id)] = rest else { return None };
    let number = |key: &Key| if let Key::Number(number) = key { Some(*number) } else { None };
    let key = match key {
        Key::Number(number) => Some(PlaceKey::Number(*number)),
        Key::Text(text) => Some(PlaceKey::Text(text.clone())),
        Key::Absent => None,
    };
    Some(PeoplePlace { ranks: first.iter().filter_map(number).collect(), key, id: ResourceId::parse(id)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&'static str, bool)]) -> Option<PeopleOrder> {
        let keys: Vec<SortKey> =
            fields.iter().map(|(field, descending)| SortKey { field, descending: *descending }).collect();
        order(&keys)
    }

    #[test]
    fn ranks_stand_before_one_key() {
        let found = asked(&[("status", true), ("managed_by", false), ("name", true)]).unwrap();
        assert_eq!(found.ranks, [(PeopleRank::Status, true), (PeopleRank::ManagedBy, false)]);
        assert_eq!(found.key, (PeopleKey::Name, true));
        assert_eq!(asked(&[("status", false)]).unwrap().key, (PeopleKey::Created, false));
        assert_eq!(asked(&[("name", false), ("email", false)]), None);
        assert_eq!(asked(&[("name", false), ("status", false)]), None);
    }

    #[test]
    fn a_place_is_sealed_and_opened_whole() {
        let id = ResourceId::parse("0192f3a0-0000-7000-8000-000000000000").unwrap();
        for key in [None, Some(PlaceKey::Number(-7)), Some(PlaceKey::Text("ängström".to_owned()))] {
            let there = PeoplePlace { ranks: vec![2, 0], key, id };
            assert_eq!(place(&position(&there, Direction::Forward), 2), Some(there));
        }
        assert_eq!(place(&Position { direction: Direction::Forward, keys: vec![Key::Absent] }, 0), None);
    }
}
