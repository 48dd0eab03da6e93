//! The compiled filter is true for just the resources that the reference evaluator accepts, whatever the data and the
//! filter, with and without SQLite's trigram index.

use rollcall::domain::ids::ResourceId;
use rollcall::protocol::schema::ResourceKind;
use rollcall::storage::References;
use rollcall::storage::write::Action;
use uuid::Uuid;

use crate::helpers::*;
use crate::search_data::*;

/// Filters of each kind that are tried on one set of data.
const FILTERS: usize = 150;

async fn fill(
    t: &TestDatabase,
    r: &mut Random,
    long: bool,
) -> (rollcall::domain::ids::Scope, Vec<ResourceId>, Vec<ResourceId>) {
    let s = scope();
    let mut users = Vec::new();
    for number in 0..40 {
        let user_id = id();
        t.commit(s, insert(user_id, &user(r, number, long))).await.expect("a user");
        users.push(user_id);
    }
    let mut groups: Vec<ResourceId> = Vec::new();
    for number in 0..12 {
        let mut members: Vec<ResourceId> = (0..r.below(6)).map(|_| users[r.below(users.len())]).collect();
        members.extend(groups.last().filter(|_| r.one_in(2)));
        members.sort();
        members.dedup();
        let group = id();
        t.commit(s, insert_named_group(r, group, number, members)).await.expect("a group");
        groups.push(group);
    }
    // Neighbours that must never show: the organization's other connection, and another organization.
    for elsewhere in [other_connection(s), scope()] {
        for number in 100..110 {
            t.commit(elsewhere, insert(id(), &user(r, number, long))).await.expect("a neighbour");
        }
    }
    (s, users, groups)
}

async fn compare_all(t: &TestDatabase, seed: u64, long: bool) {
    let mut r = Random(seed);
    let (s, users, groups) = fill(t, &mut r, long).await;
    let pool: Vec<Uuid> = users.iter().chain(&groups).map(|id| id.0).collect();
    for round in 0..2 {
        for (kind, known) in [(ResourceKind::User, &users), (ResourceKind::Group, &groups)] {
            let whole = all(t, s, kind, known).await;
            for _ in 0..FILTERS {
                let text = filter(&mut r, kind, &whole, &pool, 2);
                check(t, s, kind, &whole, &text).await;
            }
        }
        if round == 0 {
            // Afterwards the index knows most users, an older state of some, and some that are gone.
            t.db.follow_search_index().await.expect("follows");
            for user_id in users.iter().take(8) {
                let stored = t.db.find_user(s, *user_id, References::Skip).await.expect("answers").expect("there");
                let old = rollcall::protocol::resource::Resource::from_document(&stored.document).expect("JSON");
                let new = user(&mut r, 200 + users.iter().position(|u| u == user_id).unwrap_or(0), long);
                let (columns, add_values, remove_values) = rollcall::storage::keys::user_change(&old, &new, true);
                let replace = Action::ReplaceUser {
                    id: *user_id,
                    expected: stored.version,
                    columns,
                    renames: true,
                    add_values,
                    remove_values,
                };
                t.commit(s, replace).await.expect("replaced");
            }
            for gone in users.iter().rev().take(3) {
                t.commit(s, Action::DeleteUser { id: *gone, expected: None }).await.expect("deleted");
            }
        }
    }
}

on_both! {
    async fn compiled_filters_say_what_the_reference_says(t: &TestDatabase) {
        for seed in [1, 2] {
            compare_all(t, seed, false).await;
        }
    }

    async fn compiled_filters_say_what_the_reference_says_of_texts_longer_than_keys(t: &TestDatabase) {
        compare_all(t, 3, true).await;
    }

    async fn wildcards_and_quotes_stand_for_themselves(t: &TestDatabase) {
        let s = scope();
        let names = ["100%", "1000", "a_b", "aXb", "c\\d", "c\\\\d", "it's", "say \"x\"", "who?", "*"];
        let mut known = Vec::new();
        for name in names {
            let mut r = Random(9);
            let mut user = user(&mut r, 0, false);
            user.attributes.insert("userName".into(), name.into());
            user.attributes.insert("emails".into(), serde_json::json!([{ "value": format!("{name}@x.org") }]));
            known.push(id());
            t.commit(s, insert(known[known.len() - 1], &user)).await.expect("a user");
        }
        let whole = all(t, s, ResourceKind::User, &known).await;
        for round in 0..2 {
            for part in ["%", "_", "\\", "'", "\"", "?", "*", "00%", "a_b", "c\\d", "say \"", "o?", "it's"] {
                for path in ["userName", "emails.value"] {
                    for op in ["co", "sw", "ew", "eq"] {
                        let filter = format!("{path} {op} {}", serde_json::Value::from(part));
                        check(t, s, ResourceKind::User, &whole, &filter).await;
                    }
                }
            }
            if round == 0 {
                t.db.follow_search_index().await.expect("follows");
            }
        }
    }

    async fn a_user_is_found_by_name_with_its_groups_whatever_the_letter_case(t: &TestDatabase) {
        let s = scope();
        let [ben, _] = t.users(s, ["Ben", "Anna"]).await;
        let group = t.group(s, "Staff", &[ben]).await;
        let bound = bound(ResourceKind::User, "userName eq \"BEN\"");
        for references in [References::Skip, References::UpTo(5), References::All] {
            let mut asked = search(Some(("userName eq \"BEN\"", bound.clone())), 1, 100);
            asked.references = references;
            let found = t.db.search_users(s, &asked).await.expect("answers");
            let by_id = t.db.find_user(s, ben, references).await.expect("answers").expect("there");
            assert_eq!((found.total, found.records), (1, vec![by_id]));
        }
        let elsewhere = t.db.search_users(other_connection(s), &search(Some(("x", bound.clone())), 1, 100)).await;
        assert_eq!(elsewhere.expect("answers").total, 0);
        assert_eq!(ids(t, s, ResourceKind::User, &search(Some(("x", bound.clone())), 2, 100)).await, (1, vec![]));
        assert_eq!(ids(t, s, ResourceKind::User, &search(Some(("x", bound)), 1, 0)).await, (1, vec![]));
        t.commit(s, Action::DeleteGroup { id: group, expected: None }).await.expect("deleted");
    }
}
