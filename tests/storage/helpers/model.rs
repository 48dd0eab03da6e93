//! What storage should hold: a plain model of `Write`, for the property tests.

use std::collections::{BTreeMap, BTreeSet};

use rollcall::domain::ids::{ResourceId, Scope};
use rollcall::storage::write::{
    Action, Applied, AttributeValue, GroupColumns, MemberChange, UnknownMembers, UserColumns,
};
use rollcall::storage::{Receipt, Write};

use super::{Kind, TestDatabase, hex};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelUser {
    pub(crate) scope: Scope,
    pub(crate) version: i64,
    pub(crate) columns: UserColumns,
    pub(crate) values: BTreeMap<(String, String), bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelGroup {
    pub(crate) scope: Scope,
    pub(crate) version: i64,
    pub(crate) columns: GroupColumns,
    pub(crate) members: BTreeSet<ResourceId>,
}

/// Live users and groups, and the events so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) users: BTreeMap<ResourceId, ModelUser>,
    pub(crate) groups: BTreeMap<ResourceId, ModelGroup>,
    pub(crate) events: Vec<String>,
}

/// Every refusal that fits; a backend may answer any of them.
pub(crate) type Refusals = Vec<String>;

impl Model {
    /// Applies whole or not at all.
    pub(crate) fn commit(&mut self, write: &Write) -> Result<Receipt, Refusals> {
        let mut next = self.clone();
        let mut receipt = Vec::new();
        for change in &write.changes {
            let applied = next.apply(write.scope, &change.action)?;
            if applied.changed {
                let target = hex(change.action.target());
                next.events.push(format!("{target} {} {}", change.action.event_kind() as i16, applied.version));
            }
            receipt.push(applied);
        }
        *self = next;
        Ok(receipt)
    }

    fn apply(&mut self, scope: Scope, action: &Action) -> Result<Applied, Refusals> {
        match action {
            Action::InsertUser { id, columns, values } => {
                self.check_user_name(scope, *id, &columns.user_name_key)?;
                let mut user = ModelUser { scope, version: 1, columns: columns.clone(), values: BTreeMap::new() };
                put(&mut user.values, values);
                self.users.insert(*id, user);
                Ok(changed(1))
            }
            Action::ReplaceUser { id, expected, columns, renames, add_values, remove_values } => {
                self.check_version(scope, *id, Some(*expected))?;
                if *renames {
                    self.check_user_name(scope, *id, &columns.user_name_key)?;
                }
                let user = self.users.get_mut(id).expect("checked");
                user.columns = columns.clone();
                for value in remove_values {
                    user.values.remove(&(value.value_key.clone(), value.type_key.clone()));
                }
                put(&mut user.values, add_values);
                user.version += 1;
                Ok(changed(user.version))
            }
            Action::DeleteUser { id, expected } | Action::DeleteGroup { id, expected } => {
                let is_user = matches!(action, Action::DeleteUser { .. });
                if self.users.contains_key(id) != is_user {
                    return Err(vec!["Missing".into()]);
                }
                let version = self.check_version(scope, *id, *expected)?;
                self.users.remove(id);
                self.groups.remove(id);
                self.groups.values_mut().for_each(|g| {
                    g.members.remove(id);
                });
                Ok(changed(version + 1))
            }
            Action::InsertGroup { id, columns, members, unknown_members } => {
                let (known, mut refusals) = self.known(scope, *id, members, *unknown_members);
                refusals.extend(self.name_refusal(scope, *id, columns));
                if !refusals.is_empty() {
                    return Err(refusals);
                }
                let columns = columns.clone();
                self.groups.insert(*id, ModelGroup { scope, version: 1, columns, members: known });
                Ok(changed(1))
            }
            Action::UpdateGroup { .. } => self.update_group(scope, action),
        }
    }

    fn update_group(&mut self, scope: Scope, action: &Action) -> Result<Applied, Refusals> {
        let Action::UpdateGroup { id, expected, columns, members, unknown_members } = action else {
            panic!("not an update");
        };
        let Some(group) = self.groups.get(id).filter(|g| g.scope == scope).cloned() else {
            return Err(vec!["Missing".into()]);
        };
        let mut refusals: Refusals = vec![];
        if expected.is_some_and(|e| e != group.version) {
            refusals.push("Stale".into());
        }
        let mut next = group.clone();
        match members {
            MemberChange::None => {}
            MemberChange::Delta { add, remove } => {
                let (known, missing) = self.known(scope, *id, add, *unknown_members);
                refusals.extend(missing);
                next.members.extend(known);
                next.members.retain(|m| !remove.contains(m));
            }
            MemberChange::Exactly(wanted) => {
                let (known, missing) = self.known(scope, *id, wanted, *unknown_members);
                refusals.extend(missing);
                next.members = known;
            }
        }
        if let Some(columns) = columns {
            refusals.extend(self.name_refusal(scope, *id, columns));
            next.columns = columns.clone();
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        if next == group {
            return Ok(Applied::new(group.version, false));
        }
        next.version += 1;
        let version = next.version;
        self.groups.insert(*id, next);
        Ok(changed(version))
    }

    fn check_version(&self, scope: Scope, id: ResourceId, expected: Option<i64>) -> Result<i64, Refusals> {
        let user = self.users.get(&id).filter(|u| u.scope == scope).map(|u| u.version);
        let group = self.groups.get(&id).filter(|g| g.scope == scope).map(|g| g.version);
        match user.or(group) {
            None => Err(vec!["Missing".into()]),
            Some(stored) if expected.is_some_and(|e| e != stored) => Err(vec!["Stale".into()]),
            Some(stored) => Ok(stored),
        }
    }

    fn check_user_name(&self, scope: Scope, id: ResourceId, key: &str) -> Result<(), Refusals> {
        let taken = self.users.iter().any(|(other, u)| {
            *other != id && u.scope.organization == scope.organization && u.columns.user_name_key == key
        });
        if taken { Err(vec!["NotUnique(UserName)".into()]) } else { Ok(()) }
    }

    fn name_refusal(&self, scope: Scope, id: ResourceId, columns: &GroupColumns) -> Option<String> {
        let taken = self.groups.iter().any(|(other, g)| {
            *other != id
                && g.scope.organization == scope.organization
                && g.columns.unique_name
                && g.columns.display_name_key == columns.display_name_key
        });
        (columns.unique_name && taken).then(|| "NotUnique(GroupDisplayName)".into())
    }

    fn known(
        &self,
        scope: Scope,
        group: ResourceId,
        ids: &[ResourceId],
        unknown: UnknownMembers,
    ) -> (BTreeSet<ResourceId>, Refusals) {
        let sees = |id: &ResourceId| {
            *id != group
                && (self.users.get(id).is_some_and(|u| u.scope == scope)
                    || self.groups.get(id).is_some_and(|g| g.scope == scope))
        };
        let (known, missing): (BTreeSet<ResourceId>, BTreeSet<ResourceId>) = ids.iter().partition(|id| sees(id));
        let named: Vec<String> = missing.iter().map(|id| hex(*id)).collect();
        let refused = unknown == UnknownMembers::Refuse && !named.is_empty();
        (known, if refused { vec![format!("MissingMembers({})", named.join(","))] } else { vec![] })
    }

    /// Compares everything stored for the scopes' organizations with the model.
    pub(crate) async fn check(&self, t: &TestDatabase, scopes: &[Scope]) {
        let organizations: BTreeSet<String> =
            scopes.iter().map(|s| format!("'{}'", s.organization.0.simple())).collect();
        let list = organizations.into_iter().collect::<Vec<_>>().join(",");
        let stored = async |sql: &str| t.lines(&sql.replace("ORGS", &list)).await;
        let bit = |b: bool| if b { "1" } else { "0" };

        let users = stored(
            "SELECT concat_ws('|', {hex:id}, {hex:connection}, version, user_name, user_name_key, coalesce(external_id_key, '-'), \
               CASE WHEN active THEN '1' WHEN active IS NULL THEN '-' ELSE '0' END, CASE WHEN access THEN '1' ELSE '0' END, \
               coalesce(display_name, '-'), coalesce(display_name_key, '-'), document) AS line \
             FROM users WHERE deleted IS NULL AND {hex:organization} IN (ORGS)",
        );
        let wanted = self.users.iter().map(|(id, u)| {
            let c = &u.columns;
            let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
            [
                hex(*id),
                u.scope.connection.0.simple().to_string(),
                u.version.to_string(),
                c.user_name.clone(),
                c.user_name_key.clone(),
                text(&c.external_id_key),
                c.active.map_or("-", bit).into(),
                bit(c.access).into(),
                text(&c.display_name),
                text(&c.display_name_key),
                c.document.clone(),
            ]
            .join("|")
        });
        same("users", users.await, wanted);

        if t.kind == Kind::Postgres {
            let list = "SELECT {hex:user_id} AS line FROM users_without_access WHERE {hex:organization} IN (ORGS)";
            let kept_out = self.users.iter().filter(|(_, u)| !u.columns.access);
            same("users without access", stored(list).await, kept_out.map(|(id, _)| hex(*id)));
        }

        let values = stored(
            "SELECT concat_ws('|', {hex:resource}, attribute, value_key, type_key, CASE WHEN is_primary THEN '1' ELSE '0' END) AS line \
             FROM attribute_values WHERE {hex:organization} IN (ORGS)",
        );
        let wanted = self.users.iter().flat_map(|(id, u)| {
            u.values
                .iter()
                .map(move |((value, kind), primary)| format!("{}|1|{value}|{kind}|{}", hex(*id), bit(*primary)))
        });
        same("values", values.await, wanted);

        let groups = stored(
            "SELECT concat_ws('|', {hex:id}, {hex:connection}, version, display_name, display_name_key, coalesce(unique_key, '-'), \
               coalesce(external_id_key, '-'), document) AS line \
             FROM groups WHERE deleted IS NULL AND {hex:organization} IN (ORGS)",
        );
        let wanted = self.groups.iter().map(|(id, g)| {
            let c = &g.columns;
            let unique = if c.unique_name { &*c.display_name_key } else { "-" };
            let external = c.external_id_key.as_deref().unwrap_or("-");
            let (id, connection) = (hex(*id), g.scope.connection.0.simple());
            let (name, key) = (&c.display_name, &c.display_name_key);
            format!("{id}|{connection}|{}|{name}|{key}|{unique}|{external}|{}", g.version, c.document)
        });
        same("groups", groups.await, wanted);

        let members = stored(
            "SELECT concat_ws('|', {hex:group_id}, {hex:member_id}, member_type) AS line \
             FROM members WHERE {hex:organization} IN (ORGS)",
        );
        let wanted = self.groups.iter().flat_map(|(id, g)| {
            let kind = |member| if self.users.contains_key(member) { 1 } else { 2 };
            g.members.iter().map(move |m| format!("{}|{}|{}", hex(*id), hex(*m), kind(m)))
        });
        same("members", members.await, wanted);

        let events = stored(
            "SELECT concat_ws(' ', {hex:resource}, kind, version) AS line FROM events WHERE {hex:organization} IN (ORGS)",
        );
        same("events", events.await, self.events.iter().cloned());

        for scope in scopes {
            let users = self.users.values().filter(|u| u.scope == *scope).count();
            let groups = self.groups.values().filter(|g| g.scope == *scope).count();
            assert_eq!(t.totals(*scope).await, (users as i64, groups as i64), "totals");
        }
    }
}

fn changed(version: i64) -> Applied {
    Applied::new(version, true)
}

fn put(values: &mut BTreeMap<(String, String), bool>, rows: &[AttributeValue]) {
    for row in rows {
        values.insert((row.value_key.clone(), row.type_key.clone()), row.primary);
    }
}

fn same(what: &str, stored: Vec<String>, wanted: impl Iterator<Item = String>) {
    // Collations differ, so the order is ours.
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(stored), sorted(wanted.collect()), "{what}");
}
