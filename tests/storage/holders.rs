//! The list of people by role: every page in every order is what `roles_of_users` says, wherever the roles come from.

use std::collections::HashMap;

use futures_util::future::join_all;
use rollcall::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope};
use rollcall::domain::permission::{Directories, Role, RoleSource};
use rollcall::storage::cold::{connections::NewConnection, roles};
use rollcall::storage::write::{Action, AttributeValue, UserColumns};
use rollcall::storage::{
    Db, NewOrganization, PeopleFilter, PeopleKey, PeopleOrder, PeoplePlace, PeopleQuery, PeopleRoleSource, PlaceKey,
};

use crate::helpers::*;

/// An organization with an active connection, whose directory may not give guarded roles.
async fn organization(t: &TestDatabase) -> (Scope, Scope) {
    let organization = OrganizationId(uuid());
    let new = NewOrganization { id: organization, slug: format!("o{}", organization.0.simple()), name: "Acme".into() };
    t.db.insert_organization(deed(), new).await.expect("inserted");
    let id = ConnectionId(uuid());
    let (provider, name, state, settings) = ("custom".into(), "directory".into(), "active".into(), "{}".into());
    t.db.insert_connection(deed(), NewConnection { organization, id, provider, name, state, settings })
        .await
        .expect("made");
    (Scope { organization, connection: ConnectionId::LOCAL }, Scope { organization, connection: id })
}

fn literal(t: &TestDatabase, id: uuid::Uuid) -> String {
    match t.kind {
        Kind::Sqlite => format!("x'{}'", id.simple()),
        Kind::Postgres => format!("'{id}'"),
    }
}

fn called(user: &str, name: Option<&str>) -> UserColumns {
    let name = name.map(ToOwned::to_owned);
    UserColumns { display_name: name.clone(), display_name_key: name, ..user_columns(user) }
}

fn spelled(value: &str, kind: &str) -> AttributeValue {
    AttributeValue { attribute: 6, value_key: value.into(), type_key: kind.into(), primary: false }
}

async fn grant(t: &TestDatabase, here: Scope, user: ResourceId, role: Role) {
    let organization = here.organization;
    let done =
        t.db.transaction(async move |db: &mut Db<'_>| roles::grant(db, &deed(), organization, user, role.into()).await);
    done.await.expect("granted");
}

async fn map(t: &TestDatabase, here: Scope, group: ResourceId, role: Role) {
    let organization = here.organization;
    let done =
        t.db.transaction(async move |db: &mut Db<'_>| roles::map(db, &deed(), organization, group, role.into()).await);
    done.await.expect("mapped");
}

/// A person as the test knows them.
#[derive(Debug, Clone)]
struct Known {
    id: ResourceId,
    scope: Scope,
    name: Option<String>,
    active_at: Option<i64>,
}

/// Twenty-four people, some of one name and some of none, with roles from all sources, some from several at once.
async fn populate(t: &TestDatabase, here: Scope, there: Scope) -> Vec<Known> {
    let mut people = Vec::new();
    for at in 0..24_usize {
        let (id, scope) = (id(), if at % 3 == 0 { here } else { there });
        let name = (at % 5 != 4).then(|| format!("name {}", at * 7 % 10));
        let mut values = Vec::new();
        if at % 4 == 1 && scope == there {
            // Twice the same, and one that this directory may not give.
            values = vec![spelled("read_only", ""), spelled("read_only", "work"), spelled("billing", "")];
        }
        let columns = called(&format!("user{at}"), name.as_deref());
        t.commit(scope, Action::InsertUser { id, columns, values }).await.expect("a person");
        people.push(Known { id, scope, name, active_at: None });
    }
    let ids = |wanted: &dyn Fn(usize) -> bool| -> Vec<ResourceId> {
        people.iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, known)| known.id).collect()
    };
    let inner = t.group(there, "Inner", &ids(&|at| at % 3 != 0 && at % 2 == 0)).await;
    let mut members = ids(&|at| at % 3 == 0 && at < 12);
    let local = t.group(here, "Local", &members).await;
    members = ids(&|at| at % 3 != 0 && at > 18);
    members.push(inner);
    let outer = t.group(there, "Outer", &members).await;
    for (group, role) in [(outer, Role::ReadOnly), (local, Role::Billing), (inner, Role::Billing)] {
        map(t, here, group, role).await;
    }
    for known in people.iter().step_by(2) {
        grant(t, here, known.id, Role::Billing).await;
    }
    for known in people.iter().skip(5).take(9) {
        grant(t, here, known.id, Role::ReadOnly).await;
    }
    // Whose deletion is held is one of the people still, in the directory's groups too.
    let [held, connection, to] =
        [people[4].id.0, there.connection.0, there.connection.held().0].map(|id| literal(t, id));
    t.execute(&format!("UPDATE members SET member_type = 3 WHERE member_id = {held}")).await;
    t.execute(&format!("UPDATE users SET connection = {to} WHERE id = {held} AND connection = {connection}")).await;
    people
}

/// Names and activity change after the roles were given; one leaves.
async fn go_on(t: &TestDatabase, people: &mut Vec<Known>) {
    let organization = literal(t, people[0].scope.organization.0);
    for (round, at) in [3, 7, 8, 9, 10, 12, 20].into_iter().enumerate() {
        let known = &mut people[at];
        known.name = (round % 3 != 2).then(|| format!("name {}", round * 3));
        let columns = called(&format!("user{at}"), known.name.as_deref());
        let (id, add_values, remove_values) = (known.id, Vec::new(), Vec::new());
        let renamed = Action::ReplaceUser { id, expected: 1, columns, renames: false, add_values, remove_values };
        t.commit(known.scope, renamed).await.expect("renamed");
    }
    for (at, known) in people.iter_mut().enumerate().filter(|(at, _)| at % 3 != 1) {
        let (user, first, last) = (literal(t, known.id.0), at as i64 % 4, at as i64 % 6);
        t.execute(&format!("INSERT INTO activity VALUES ({organization}, {user}, {first})")).await;
        t.execute(&format!("UPDATE activity SET last_active_at = {last} WHERE user_id = {user}")).await;
        known.active_at = Some(last);
    }
    let gone = people.remove(14);
    t.commit(gone.scope, Action::DeleteUser { id: gone.id, expected: None }).await.expect("deleted");
}

fn query(here: Scope, there: Scope, filter: PeopleFilter, key: PeopleKey, descending: bool) -> PeopleQuery {
    let directory = there.connection;
    PeopleQuery {
        organization: here.organization,
        connections: vec![ConnectionId::LOCAL, directory, directory.held()],
        managing: vec![directory, directory.held()],
        directories: Directories::of([(directory, "active", "{}")]),
        filter,
        order: PeopleOrder { ranks: vec![], key: (key, descending) },
        from: None,
        backward: false,
        limit: 3,
        count: true,
    }
}

/// Whom the filter selects, in the order of the query.
async fn expected(t: &TestDatabase, people: &[Known], query: &PeopleQuery) -> Vec<ResourceId> {
    let ids: Vec<ResourceId> = people.iter().map(|known| known.id).collect();
    let held = t.db.roles_of_users(query.organization, &ids).await.expect("answers");
    let source = |source: &RoleSource| match source {
        RoleSource::Direct => PeopleRoleSource::Direct,
        RoleSource::Group { .. } => PeopleRoleSource::Group,
        RoleSource::Directory => PeopleRoleSource::Directory,
    };
    let filter = &query.filter;
    let is_wanted = |known: &&Known| {
        held.get(&known.id).into_iter().flatten().any(|role| {
            (filter.roles.is_empty() || filter.roles.contains(&role.role))
                && (filter.sources.is_empty() || filter.sources.contains(&source(&role.source)))
        })
    };
    let mut rows: Vec<(Option<PlaceKey>, ResourceId)> =
        people.iter().filter(is_wanted).map(|k| (key(k, query), k.id)).collect();
    rows.sort();
    if query.order.key.1 {
        rows.reverse();
    }
    rows.sort_by_key(|(key, _)| key.is_none());
    rows.into_iter().map(|(_, id)| id).collect()
}

fn key(known: &Known, query: &PeopleQuery) -> Option<PlaceKey> {
    match query.order.key.0 {
        PeopleKey::Name => known.name.clone().map(PlaceKey::Text),
        PeopleKey::LastActive => known.active_at.map(PlaceKey::Number),
        PeopleKey::Email | PeopleKey::Created => None,
    }
}

/// All pages, from the first on, each of which tells the total.
async fn walk(
    t: &TestDatabase,
    mut query: PeopleQuery,
    keys: &HashMap<ResourceId, Option<PlaceKey>>,
) -> Vec<ResourceId> {
    let (mut all, mut total) = (Vec::new(), 0);
    loop {
        let mut page = t.db.list_people(&query).await.expect("a page");
        total = page.total.unwrap_or(total);
        for PeoplePlace { key, id, .. } in &page.places {
            assert_eq!(key, &keys[id], "{query:?}");
        }
        all.extend(page.places.iter().map(|place| place.id));
        if !page.has_more {
            break;
        }
        query.from = page.places.pop();
    }
    assert_eq!(total, all.len() as u64, "{query:?}");
    all
}

on_both! {
    async fn every_page_of_holders_is_who_holds_the_role(t: &TestDatabase) {
        let (here, there) = organization(t).await;
        let mut people = populate(t, here, there).await;
        // Another organization's rows are never among them.
        let (other, elsewhere) = organization(t).await;
        populate(t, other, elsewhere).await;
        go_on(t, &mut people).await;
        let filters = [
            PeopleFilter { roles: vec![Role::Billing], ..PeopleFilter::default() },
            PeopleFilter { roles: vec![Role::ReadOnly], ..PeopleFilter::default() },
            PeopleFilter { roles: vec![Role::ReadOnly, Role::Billing], ..PeopleFilter::default() },
            PeopleFilter { sources: vec![PeopleRoleSource::Direct], ..PeopleFilter::default() },
            PeopleFilter { sources: vec![PeopleRoleSource::Group], ..PeopleFilter::default() },
            PeopleFilter { sources: vec![PeopleRoleSource::Directory], ..PeopleFilter::default() },
            PeopleFilter { roles: vec![Role::SubAccounts], ..PeopleFilter::default() },
        ];
        for filter in filters {
            for key_of in [PeopleKey::Created, PeopleKey::Name, PeopleKey::LastActive] {
                for descending in [false, true] {
                    let mut query = query(here, there, filter.clone(), key_of, descending);
                    let keys = people.iter().map(|known| (known.id, key(known, &query))).collect();
                    let mut wanted = expected(t, &people, &query).await;
                    assert_eq!(wanted.is_empty(), filter.roles == [Role::SubAccounts]);
                    assert_eq!(walk(t, query.clone(), &keys).await, wanted, "{query:?}");
                    // And back from behind the last.
                    if let Some(last) = wanted.pop() {
                        query.from = Some(PeoplePlace { ranks: vec![], key: keys[&last].clone(), id: last });
                        (query.backward, query.count) = (true, false);
                        let mut back = Vec::new();
                        loop {
                            let page = t.db.list_people(&query).await.expect("a page");
                            back.extend(page.places.iter().rev().map(|place| place.id));
                            let Some(first) = page.places.into_iter().next().filter(|_| page.has_more) else { break };
                            query.from = Some(first);
                        }
                        wanted.reverse();
                        assert_eq!(back, wanted, "{query:?}");
                    }
                }
            }
        }
    }

    async fn a_name_that_changes_while_a_role_is_given_is_the_holders(t: &TestDatabase) {
        let (here, there) = organization(t).await;
        for round in 0..5 {
            let names: Vec<String> = (0..8).map(|at| format!("r{round}u{at}")).collect();
            let mut people = Vec::new();
            for name in &names {
                let [id] = t.users(there, [&**name]).await;
                people.push((name, id));
            }
            let deeds = people.iter().map(|(name, id)| async move {
                let columns = called(name, Some(&format!("later {name}")));
                let (add_values, remove_values) = (Vec::new(), Vec::new());
                let renamed = Action::ReplaceUser { id: *id, expected: 1, columns, renames: false, add_values, remove_values };
                let (renamed, ()) = futures_util::future::join(t.commit(there, renamed), grant(t, here, *id, Role::Billing)).await;
                renamed.expect("renamed");
            });
            join_all(deeds).await;
        }
        let sql = "SELECT concat(r.name_key, u.display_name_key) AS line FROM role_grants r JOIN users u ON u.id = r.user_id \
                   AND u.organization = r.organization WHERE r.name_key IS DISTINCT FROM u.display_name_key";
        assert_eq!(t.lines(sql).await, Vec::<String>::new());
    }
}
