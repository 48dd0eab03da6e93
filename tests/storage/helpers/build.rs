//! Short ways to make scopes, ids and writes.

use std::sync::atomic::{AtomicU64, Ordering};

use rollcall::domain::ids::{ConnectionId, EventId, OrganizationId, ResourceId, Scope, TokenId};
use rollcall::protocol::compare;
use rollcall::storage::write::{
    Action, Applied, AttributeValue, Change, GroupColumns, MemberChange, UnknownMembers, UserColumns,
};
use rollcall::storage::{Deed, Receipt, Result, StorageError, Write, keys};
use uuid::Uuid;

use super::TestDatabase;

/// A time of the tests, µs since 1970.
pub(crate) const AT: i64 = 1_700_000_000_000_000;

/// A fresh id; later ones sort later.
pub(crate) fn uuid() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

pub(crate) fn id() -> ResourceId {
    ResourceId(uuid())
}

pub(crate) fn hex(id: ResourceId) -> String {
    id.0.simple().to_string()
}

/// A scope of ids alone: users and groups need no rows of organizations or connections.
pub(crate) fn scope() -> Scope {
    Scope { organization: OrganizationId(uuid()), connection: ConnectionId(uuid()) }
}

/// Another connection of the same organization.
pub(crate) fn other_connection(scope: Scope) -> Scope {
    Scope { connection: ConnectionId(uuid()), ..scope }
}

pub(crate) fn token_id() -> TokenId {
    TokenId(uuid())
}

pub(crate) fn deed() -> Deed {
    Deed {
        event: EventId(uuid()),
        at: AT,
        actor: "system".into(),
        request_id: "r".into(),
        ip: None,
        user_agent: None,
        reason: None,
    }
}

pub(crate) fn write(scope: Scope, actions: Vec<Action>) -> Write {
    let change = |action| Change { action, event: EventId(uuid()), detail: "{}".into() };
    Write {
        scope,
        at: AT,
        actor: "system".into(),
        request_id: "r".into(),
        changes: actions.into_iter().map(change).collect(),
        shows_group: false,
    }
}

pub(crate) fn user_columns(name: &str) -> UserColumns {
    UserColumns {
        user_name: name.into(),
        user_name_key: keys::bounded(&compare::fold(name)),
        external_id_key: Some(format!("ext-{name}")),
        active: Some(true),
        access: true,
        display_name: Some(format!("The {name}")),
        display_name_key: Some(compare::fold(&format!("The {name}")).into_owned()),
        document: format!("{{\"userName\":\"{name}\"}}"),
    }
}

pub(crate) fn group_columns(name: &str) -> GroupColumns {
    GroupColumns {
        display_name: name.into(),
        display_name_key: keys::bounded(&compare::fold(name)),
        unique_name: true,
        external_id_key: None,
        document: format!("{{\"displayName\":\"{name}\"}}"),
    }
}

pub(crate) fn email(value: &str, kind: &str, primary: bool) -> AttributeValue {
    AttributeValue { attribute: 1, value_key: value.into(), type_key: kind.into(), primary }
}

pub(crate) fn insert_user(id: ResourceId, name: &str) -> Action {
    Action::InsertUser { id, columns: user_columns(name), values: vec![] }
}

pub(crate) fn replace_user(id: ResourceId, expected: i64, name: &str) -> Action {
    Action::ReplaceUser {
        id,
        expected,
        columns: user_columns(name),
        renames: false,
        add_values: vec![],
        remove_values: vec![],
    }
}

pub(crate) fn insert_group(id: ResourceId, name: &str, members: &[ResourceId]) -> Action {
    Action::InsertGroup {
        id,
        columns: group_columns(name),
        members: members.to_vec(),
        unknown_members: UnknownMembers::Refuse,
    }
}

pub(crate) fn member_change(id: ResourceId, members: MemberChange) -> Action {
    Action::UpdateGroup { id, expected: None, columns: None, members, unknown_members: UnknownMembers::Refuse }
}

pub(crate) fn add_members(id: ResourceId, add: &[ResourceId]) -> Action {
    member_change(id, MemberChange::Delta { add: add.to_vec(), remove: vec![] })
}

pub(crate) fn changed(version: i64) -> Receipt {
    vec![Applied::new(version, true)]
}

pub(crate) fn unchanged(version: i64) -> Receipt {
    vec![Applied::new(version, false)]
}

impl TestDatabase {
    pub(crate) async fn commit(&self, scope: Scope, action: Action) -> Result<Receipt> {
        self.db.commit(write(scope, vec![action])).await
    }

    /// Inserts users of these names.
    pub(crate) async fn users<const N: usize>(&self, scope: Scope, names: [&str; N]) -> [ResourceId; N] {
        let ids = names.map(|_| id());
        for (id, name) in ids.iter().zip(names) {
            self.commit(scope, insert_user(*id, name)).await.expect("a user");
        }
        ids
    }

    /// Inserts a group.
    pub(crate) async fn group(&self, scope: Scope, name: &str, members: &[ResourceId]) -> ResourceId {
        let id = id();
        self.commit(scope, insert_group(id, name, members)).await.expect("a group");
        id
    }

    /// `resource kind version` of every event of an organization.
    pub(crate) async fn events(&self, scope: Scope) -> Vec<String> {
        let sql =
            "SELECT concat_ws(' ', {hex:resource}, kind, version) AS line FROM events WHERE {hex:organization} = 'ORG'";
        self.lines(&sql.replace("ORG", &scope.organization.0.simple().to_string())).await
    }

    /// Exact totals of users and groups of a scope.
    pub(crate) async fn totals(&self, scope: Scope) -> (i64, i64) {
        let sql = "SELECT concat_ws(' ', type, CAST(sum(n) AS bigint)) AS line FROM counts \
             WHERE {hex:organization} = 'ORG' AND {hex:connection} = 'CON' GROUP BY type";
        let sql = sql
            .replace("ORG", &scope.organization.0.simple().to_string())
            .replace("CON", &scope.connection.0.simple().to_string());
        let (mut users, mut groups) = (0, 0);
        for line in self.lines(&sql).await {
            match line.split_once(' ').expect("type and sum") {
                ("1", n) => users = n.parse().expect("a number"),
                (_, n) => groups = n.parse().expect("a number"),
            }
        }
        (users, groups)
    }
}

/// A refusal, comparable.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> String {
    match answer {
        Err(StorageError::MissingMembers(ids)) => {
            let mut ids: Vec<String> = ids.into_iter().map(hex).collect();
            ids.sort();
            format!("MissingMembers({})", ids.join(","))
        }
        Err(e) => format!("{e:?}"),
        Ok(value) => panic!("not refused: {value:?}"),
    }
}
