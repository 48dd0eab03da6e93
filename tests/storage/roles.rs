//! Who holds which role from where: direct grants, mappings of groups through nesting, SCIM `roles`.

use rollcall::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope};
use rollcall::domain::permission::{Role, RoleSet};
use rollcall::storage::cold::connections::NewConnection;
use rollcall::storage::cold::roles;
use rollcall::storage::write::{Action, AttributeValue};
use rollcall::storage::{Db, NewOrganization, StorageError};

use crate::helpers::*;

/// An organization, and the scope of its local people and groups.
async fn local(t: &TestDatabase) -> Scope {
    let id = OrganizationId(uuid());
    let new = NewOrganization { id, slug: format!("o{}", id.0.simple()), name: "Acme".into() };
    t.db.insert_organization(deed(), new).await.expect("inserted");
    Scope { organization: id, connection: ConnectionId::LOCAL }
}

/// A connection of the organization.
async fn connection(t: &TestDatabase, local: Scope, state: &str, settings: &str) -> Scope {
    let id = ConnectionId(uuid());
    let new = NewConnection {
        organization: local.organization,
        id,
        provider: "custom".into(),
        name: id.to_string(),
        state: state.into(),
        settings: settings.into(),
    };
    t.db.insert_connection(deed(), new).await.expect("inserted");
    Scope { connection: id, ..local }
}

async fn grant(t: &TestDatabase, scope: Scope, user: ResourceId, set: impl Into<RoleSet>) {
    let set = set.into();
    let done =
        t.db.transaction(async move |db: &mut Db<'_>| roles::grant(db, &deed(), scope.organization, user, set).await);
    done.await.expect("granted");
}

async fn map(t: &TestDatabase, scope: Scope, group: ResourceId, set: impl Into<RoleSet>) {
    let set = set.into();
    let done =
        t.db.transaction(async move |db: &mut Db<'_>| roles::map(db, &deed(), scope.organization, group, set).await);
    done.await.expect("mapped");
}

/// A user with these values of SCIM `roles`.
async fn user_with_roles(t: &TestDatabase, scope: Scope, name: &str, values: &[&str]) -> ResourceId {
    let id = id();
    let value = |value: &&str| AttributeValue {
        attribute: 6,
        value_key: (*value).into(),
        type_key: String::new(),
        primary: false,
    };
    let insert = Action::InsertUser { id, columns: user_columns(name), values: values.iter().map(value).collect() };
    t.commit(scope, insert).await.expect("a user");
    id
}

/// `role source` of each that a user holds.
async fn held(t: &TestDatabase, scope: Scope, user: ResourceId) -> Vec<String> {
    let mut all = t.db.roles_of_users(scope.organization, &[user]).await.expect("answers");
    let line = |held: rollcall::domain::permission::HeldRole| {
        let via = match &held.source {
            rollcall::domain::permission::RoleSource::Group { name, .. } => format!(" {name}"),
            _ => String::new(),
        };
        format!("{} {}{via}", held.role.key(), held.source.key())
    };
    all.remove(&user).unwrap_or_default().into_iter().map(line).collect()
}

async fn admins(t: &TestDatabase, scope: Scope) -> Vec<ResourceId> {
    let mut found = t.db.active_admins(scope.organization, 10).await.expect("answers");
    found.sort();
    found
}

/// `role all direct group directory`
async fn counts(t: &TestDatabase, scope: Scope) -> Vec<String> {
    let found = t.db.role_holders(scope.organization).await.expect("answers");
    let line = |role: &Role| {
        let h = found.get(role)?;
        Some(format!("{} {} {} {} {}", role.key(), h.all, h.direct, h.group, h.directory))
    };
    Role::ALL.iter().filter_map(line).collect()
}

const GRANTS: &str = r#"{"may_grant_admin":true}"#;

on_both! {
    async fn direct_roles_are_given_and_taken(t: &TestDatabase) {
        let here = local(t).await;
        let [ann, ben] = t.users(here, ["Ann", "Ben"]).await;
        let two: RoleSet = [Role::Admin, Role::Billing].into_iter().collect();
        grant(t, here, ann, two).await;
        grant(t, here, ann, Role::Admin).await;
        assert_eq!(held(t, here, ann).await, ["admin direct", "billing direct"]);
        assert_eq!(held(t, here, ben).await, Vec::<String>::new());
        assert_eq!(admins(t, here).await, [ann]);
        let organization = here.organization;
        t.db.transaction(async move |db: &mut Db<'_>| roles::revoke(db, organization, ann, Role::Admin.into()).await).await.expect("revoked");
        assert_eq!(held(t, here, ann).await, ["billing direct"]);
        assert_eq!((admins(t, here).await, counts(t, here).await), (vec![], vec!["billing 1 1 0 0".to_owned()]));
    }

    async fn a_mapping_reaches_members_of_nested_groups(t: &TestDatabase) {
        let here = local(t).await;
        let [ann, ben, cem] = t.users(here, ["Ann", "Ben", "Cem"]).await;
        let inner = t.group(here, "Inner", &[ann]).await;
        let outer = t.group(here, "Outer", &[inner, ben]).await;
        // A circle does no harm.
        t.commit(here, add_members(inner, &[outer])).await.expect("added");
        map(t, here, outer, Role::DataAdmin).await;
        map(t, here, inner, Role::ReadOnly).await;
        for user in [ann, ben] {
            assert_eq!(held(t, here, user).await, ["data_admin group Outer", "read_only group Inner"]);
        }
        assert_eq!(held(t, here, cem).await, Vec::<String>::new());
        grant(t, here, ann, Role::ReadOnly).await;
        assert_eq!(held(t, here, ann).await, ["data_admin group Outer", "read_only direct", "read_only group Inner"]);
        assert_eq!(counts(t, here).await, ["data_admin 2 0 2 0", "read_only 2 1 2 0"]);
        let all = t.db.roles_of_users(here.organization, &[ann, ben, cem]).await.expect("answers");
        assert_eq!((all.len(), all[&ann].len(), all[&ben].len()), (2, 3, 2));
        t.commit(here, Action::DeleteGroup { id: outer, expected: None }).await.expect("deleted");
        assert_eq!(held(t, here, ben).await, Vec::<String>::new());
    }

    async fn a_directory_gives_guarded_roles_only_where_it_may(t: &TestDatabase) {
        let here = local(t).await;
        let values = ["admin", "billing", "data admin", "sub_accounts", "owner", ""];
        for (settings, expected, admin) in [
            ("{}", vec!["data_admin directory", "sub_accounts directory"], 0),
            (GRANTS, vec!["admin directory", "data_admin directory", "sub_accounts directory", "billing directory"], 1),
        ] {
            let there = connection(t, here, "active", settings).await;
            let user = user_with_roles(t, there, &format!("u{admin}"), &values).await;
            assert_eq!(held(t, here, user).await, expected);
            assert_eq!(admins(t, here).await.contains(&user), admin == 1);
        }
        assert_eq!(counts(t, here).await, ["admin 1 0 0 1", "data_admin 2 0 0 2", "sub_accounts 2 0 0 2", "billing 1 0 0 1"]);
    }

    async fn a_directory_gives_guarded_roles_through_its_groups_only_where_it_may(t: &TestDatabase) {
        let here = local(t).await;
        let roles: RoleSet = [Role::Admin, Role::ReadOnly].into_iter().collect();
        for (name, settings, grants) in [("a", "{}", false), ("b", GRANTS, true)] {
            let there = connection(t, here, "paused", settings).await;
            let [member, other] = t.users(there, [&format!("{name}1"), &format!("{name}2")].map(|n| &**n)).await;
            let theirs = t.group(there, &format!("{name} theirs"), &[member]).await;
            map(t, here, theirs, roles).await;
            let expected = |group: &str| if grants {
                vec![format!("admin group {group}"), format!("read_only group {group}")]
            } else {
                vec![format!("read_only group {group}")]
            };
            assert_eq!(held(t, here, member).await, expected(&format!("{name} theirs")));
            assert_eq!(admins(t, here).await.contains(&member), grants);
            // A grant of the organization's own counts.
            grant(t, here, other, Role::Admin).await;
            assert_eq!(held(t, here, other).await, ["admin direct"]);
        }
    }

    async fn who_cannot_sign_in_is_no_admin(t: &TestDatabase) {
        let here = local(t).await;
        let staged = connection(t, here, "observe", GRANTS).await;
        let [ann, ben, cem, dee] = t.users(here, ["Ann", "Ben", "Cem", "Dee"]).await;
        let eve = user_with_roles(t, staged, "Eve", &["admin"]).await;
        for user in [ann, ben, cem, dee, eve] {
            grant(t, here, user, Role::Admin).await;
        }
        assert_eq!(admins(t, here).await, [ann, ben, cem, dee]);
        assert_eq!(held(t, here, eve).await, Vec::<String>::new());
        assert_eq!(t.db.active_admins(here.organization, 1).await.expect("answers").len(), 1);
        for (name, set) in [("Ann", "suspension = '{}'"), ("Ben", "invited = TRUE"), ("Cem", "access = FALSE")] {
            t.execute(&format!("UPDATE users SET {set} WHERE user_name = '{name}'")).await;
        }
        assert_eq!(admins(t, here).await, [dee]);
        assert_eq!(held(t, here, ann).await, ["admin direct"]);
        t.commit(here, Action::DeleteUser { id: dee, expected: None }).await.expect("deleted");
        assert_eq!(admins(t, here).await, []);
        assert_eq!(counts(t, here).await, ["admin 3 3 0 0"]);
    }

    async fn roles_of_another_organization_are_none_here(t: &TestDatabase) {
        let (here, other) = (local(t).await, local(t).await);
        let [ann] = t.users(here, ["Ann"]).await;
        let group = t.group(here, "All", &[ann]).await;
        grant(t, here, ann, Role::Admin).await;
        map(t, here, group, Role::ReadOnly).await;
        // Rows that name ids of another tenant give nothing there or here.
        grant(t, other, ann, Role::Billing).await;
        map(t, other, group, Role::Billing).await;
        assert_eq!(held(t, here, ann).await, ["admin direct", "read_only group All"]);
        assert_eq!(held(t, other, ann).await, Vec::<String>::new());
        assert_eq!((admins(t, other).await, counts(t, other).await), (vec![], vec![]));
        assert_eq!(counts(t, here).await, ["admin 1 1 0 0", "read_only 1 0 1 0"]);
    }

    async fn one_deed_at_a_time_holds_the_admins(t: &TestDatabase) {
        let here = local(t).await;
        let [ann, ben] = t.users(here, ["Ann", "Ben"]).await;
        for user in [ann, ben] {
            grant(t, here, user, Role::Admin).await;
        }
        let take = |user: ResourceId| {
            let organization = here.organization;
            t.db.transaction(async move |db: &mut Db<'_>| {
                roles::lock_admins(db, organization).await?;
                let directories = roles::directories(db, organization).await?;
                roles::revoke(db, organization, user, Role::Admin.into()).await?;
                match roles::active_admins(db, organization, &directories, 1).await?.is_empty() {
                    true => Err(StorageError::Stale),
                    false => Ok(()),
                }
            })
        };
        let (one, two) = futures_util::future::join(take(ann), take(ben)).await;
        assert_eq!([one.is_ok(), two.is_ok()].into_iter().filter(|done| *done).count(), 1);
        assert_eq!(admins(t, here).await.len(), 1);
    }
}
