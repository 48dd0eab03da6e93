//! Pages of an export, in an order that can be taken up again anywhere: people with their roles, groups with theirs, members
//! of groups. A page shows what is stored when it is read; what is written meanwhile may be in it or not.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Holdings;
use crate::domain::ids::{ResourceId, Scope};
use crate::domain::permission::Role;
use crate::domain::transfer::{Owner, Person, Record, columns};
use crate::service::backoffice::{Refusal, Result};
use crate::storage::Database;
use crate::storage::cold::transfer::ExportedUser;

/// Rows read at once.
const PAGE: u32 = 500;

/// How far an export has come; the next page begins here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// People after this one.
    Users(Option<uuid::Uuid>),
    /// Groups after this one.
    Groups(Option<uuid::Uuid>),
    /// Members of the group behind this one.
    Group(Option<uuid::Uuid>),
    /// Members of this group, after this member.
    Members(uuid::Uuid, uuid::Uuid),
    /// All is written.
    End,
}

/// Reads one owner's people and groups.
pub struct Export {
    db: Database,
    scope: Scope,
}

impl Export {
    /// Of what `holdings` names.
    pub fn new(db: &Database, holdings: &Holdings) -> Self {
        Export { db: db.clone(), scope: holdings.scope }
    }

    /// The records from a place on, and the place behind them.
    ///
    /// # Errors
    /// The database's.
    pub async fn page(&self, place: Place) -> Result<(Vec<Record>, Place)> {
        match place {
            Place::Users(after) => self.users(after).await,
            Place::Groups(after) => self.groups(after).await,
            Place::Group(after) => match self.db.groups_after(self.scope, after.map(ResourceId), 1).await?.first() {
                Some((group, _)) => self.members(*group, None).await,
                None => Ok((Vec::new(), Place::End)),
            },
            Place::Members(group, after) => self.members(ResourceId(group), Some(ResourceId(after))).await,
            Place::End => Ok((Vec::new(), Place::End)),
        }
    }

    /// Rows of people for CSV from a place on, and the place behind them: `End` after the last.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&self, place: Place) -> Result<(Vec<Vec<String>>, Place)> {
        let Place::Users(after) = place else { return Ok((Vec::new(), Place::End)) };
        let users = self.db.users_after(self.scope, after.map(ResourceId), PAGE).await?;
        let Some((last, roles)) = self.grants(&users).await? else { return Ok((Vec::new(), Place::End)) };
        let mut rows = Vec::with_capacity(users.len());
        for user in &users {
            let own: Vec<&str> = roles.iter().filter(|(id, _)| *id == user.id).map(|(_, role)| &**role).collect();
            let active = user.access && !user.invited && user.suspension.is_none();
            rows.push(columns::cells(&document(user.id, &user.document)?, active, &own.join(" ")));
        }
        Ok((rows, Place::Users(Some(last.0))))
    }

    async fn users(&self, after: Option<uuid::Uuid>) -> Result<(Vec<Record>, Place)> {
        let users = self.db.users_after(self.scope, after.map(ResourceId), PAGE).await?;
        let Some((last, roles)) = self.grants(&users).await? else { return Ok((Vec::new(), Place::Groups(None))) };
        let ids: std::collections::HashSet<ResourceId> = users.iter().map(|user| user.id).collect();
        let mut records = Vec::with_capacity(users.len());
        for user in users {
            let mut data = document(user.id, &user.document)?;
            // Whoever reads an absent `active` takes it for true.
            data.entry("active").or_insert(Value::Bool(user.access));
            let suspension = user.suspension.map(|hold| serde_json::from_str(&hold).unwrap_or(Value::String(hold)));
            let id = Some(user.id.to_string());
            records.push(Record::User(Person { id, data, invited: user.invited, suspension, roles: Vec::new() }));
        }
        // The range holds people of other owners too.
        for (id, role) in roles.into_iter().filter(|(id, _)| ids.contains(id)) {
            records.extend(known(&role).map(|role| Record::Role { owner: Owner::User(id.to_string()), role }));
        }
        Ok((records, Place::Users(Some(last.0))))
    }

    async fn groups(&self, after: Option<uuid::Uuid>) -> Result<(Vec<Record>, Place)> {
        let groups = self.db.groups_after(self.scope, after.map(ResourceId), PAGE).await?;
        let (Some((first, _)), Some((last, _))) = (groups.first(), groups.last()) else {
            return Ok((Vec::new(), Place::Group(None)));
        };
        let (first, last) = (*first, *last);
        let roles = self.db.mappings_within(self.scope.organization, (first, last)).await?;
        let ids: std::collections::HashSet<ResourceId> = groups.iter().map(|(id, _)| *id).collect();
        let mut records = Vec::with_capacity(groups.len());
        for (id, text) in groups {
            records.push(Record::Group { id: Some(id.to_string()), data: document(id, &text)? });
        }
        for (id, role) in roles.into_iter().filter(|(id, _)| ids.contains(id)) {
            records.extend(known(&role).map(|role| Record::Role { owner: Owner::Group(id.to_string()), role }));
        }
        Ok((records, Place::Groups(Some(last.0))))
    }

    async fn members(&self, group: ResourceId, after: Option<ResourceId>) -> Result<(Vec<Record>, Place)> {
        let members = self.db.members_after(self.scope.organization, group, after, PAGE).await?;
        let Some(last) = members.last() else { return Ok((Vec::new(), Place::Group(Some(group.0)))) };
        let place = Place::Members(group.0, last.0);
        let record = |member: &ResourceId| Record::Member { group: group.to_string(), member: member.to_string() };
        Ok((members.iter().map(record).collect(), place))
    }

    /// The last of some people and the direct roles between the first and the last; `None` of no people.
    async fn grants(&self, users: &[ExportedUser]) -> Result<Option<(ResourceId, Vec<(ResourceId, String)>)>> {
        let (Some(first), Some(last)) = (users.first(), users.last()) else { return Ok(None) };
        let roles = self.db.grants_within(self.scope.organization, (first.id, last.id)).await?;
        Ok(Some((last.id, roles)))
    }
}

fn document(id: ResourceId, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text)
        .map_err(|error| Refusal::Invalid(format!("the stored document of {id} is damaged: {error}")))
}

/// A stored role; one of a later version is left out.
fn known(key: &str) -> Option<Role> {
    Role::parse(key)
}
