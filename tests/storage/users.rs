//! Users: insert, replace, delete, find.

use rollcall::domain::ids::ResourceId;
use rollcall::storage::References;
use rollcall::storage::write::Action;

use crate::helpers::*;

async fn values(t: &TestDatabase, id: ResourceId) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', attribute, value_key, type_key, CASE WHEN is_primary THEN 'primary' ELSE '-' END) AS line \
         FROM attribute_values WHERE {hex:resource} = 'ID'";
    t.lines(&sql.replace("ID", &hex(id))).await
}

fn with_values(id: ResourceId, name: &str) -> Action {
    Action::InsertUser {
        id,
        columns: user_columns(name),
        values: vec![email("a@x", "work", true), email("a@x", "home", false)],
    }
}

on_both! {
    async fn insert_stores_every_column_values_event_and_count(t: &TestDatabase) {
        let (s, user) = (scope(), id());
        assert_eq!(t.commit(s, with_values(user, "Ben")).await.expect("inserted"), changed(1));
        let found = t.db.find_user(s, user, References::All).await.expect("answers").expect("there");
        assert_eq!((found.id, found.version, found.created, found.modified), (user, 1, AT, AT));
        assert!(found.access);
        assert_eq!(found.document, r#"{"userName":"Ben"}"#);
        assert_eq!(found.groups, vec![]);
        let columns = "SELECT concat_ws('|', user_name, user_name_key, external_id_key, display_name, display_name_key, \
             CASE WHEN active THEN 'active' END, CASE WHEN suspension IS NULL THEN 'free' END) AS line FROM users";
        assert_eq!(t.lines(columns).await, ["Ben|ben|ext-Ben|The Ben|the ben|active|free"]);
        assert_eq!(values(t, user).await, ["1 a@x home -", "1 a@x work primary"]);
        assert_eq!(t.events(s).await, [format!("{} 1 1", hex(user))]);
        assert_eq!(t.totals(s).await, (1, 0));
    }

    async fn insert_of_a_taken_name_is_not_unique_in_the_whole_organization(t: &TestDatabase) {
        let s = scope();
        let [_] = t.users(s, ["Ben"]).await;
        for inside in [s, other_connection(s)] {
            let refused = t.commit(inside, insert_user(id(), "BEN")).await;
            assert_eq!(refusal(refused), "NotUnique(UserName)");
        }
        assert_eq!(t.commit(scope(), insert_user(id(), "ben")).await.expect("another tenant's"), changed(1));
        assert_eq!(t.totals(s).await, (1, 0));
        assert_eq!(t.events(s).await.len(), 1);
    }

    async fn names_longer_than_an_index_entry_are_unique_by_all_their_characters(t: &TestDatabase) {
        let s = scope();
        let long = "\u{1d4b3}".repeat(3000);
        assert_eq!(t.commit(s, insert_user(id(), &long)).await.expect("inserted"), changed(1));
        assert_eq!(refusal(t.commit(s, insert_user(id(), &long)).await), "NotUnique(UserName)");
        assert_eq!(t.commit(s, insert_user(id(), &format!("{long}x"))).await.expect("another"), changed(1));
    }

    async fn replace_sets_columns_and_names_value_rows(t: &TestDatabase) {
        let (s, user) = (scope(), id());
        t.commit(s, with_values(user, "Ben")).await.expect("inserted");
        let mut columns = user_columns("BEN");
        columns.active = None;
        columns.access = false;
        columns.external_id_key = None;
        columns.display_name = None;
        columns.display_name_key = None;
        let replace = Action::ReplaceUser {
            id: user,
            expected: 1,
            columns,
            renames: false,
            add_values: vec![email("a@x", "home", true), email("b@x", "", false)],
            remove_values: vec![email("a@x", "work", true)],
        };
        assert_eq!(t.commit(s, replace).await.expect("replaced"), changed(2));
        let found = t.db.find_user(s, user, References::Skip).await.expect("answers").expect("there");
        assert_eq!((found.version, found.access, &*found.document), (2, false, r#"{"userName":"BEN"}"#));
        let columns = "SELECT concat_ws('|', user_name, user_name_key, CASE WHEN active IS NULL THEN 'unset' END, \
             coalesce(external_id_key, '-'), coalesce(display_name, '-'), coalesce(display_name_key, '-')) AS line FROM users";
        assert_eq!(t.lines(columns).await, ["BEN|ben|unset|-|-|-"]);
        assert_eq!(values(t, user).await, ["1 a@x home primary", "1 b@x  -"]);
        assert_eq!(t.events(s).await, [format!("{} 1 1", hex(user)), format!("{} 2 2", hex(user))]);
        assert_eq!(t.totals(s).await, (1, 0));
    }

    async fn replace_without_new_keys_keeps_them_findable(t: &TestDatabase) {
        let s = scope();
        let [user] = t.users(s, ["Ben"]).await;
        let mut columns = user_columns("Ben");
        columns.document = r#"{"userName":"Ben","title":"x"}"#.into();
        let replace = Action::ReplaceUser {
            id: user, expected: 1, columns, renames: false, add_values: vec![], remove_values: vec![],
        };
        assert_eq!(t.commit(s, replace).await.expect("replaced"), changed(2));
        let keys = "SELECT concat_ws('|', external_id_key, display_name_key, document) AS line FROM users";
        assert_eq!(t.lines(keys).await, [r#"ext-Ben|the ben|{"userName":"Ben","title":"x"}"#]);
    }

    async fn replace_of_another_version_is_stale_and_of_nobody_missing(t: &TestDatabase) {
        let s = scope();
        let [user] = t.users(s, ["Ben"]).await;
        assert_eq!(refusal(t.commit(s, replace_user(user, 2, "Ben")).await), "Stale");
        assert_eq!(refusal(t.commit(s, replace_user(id(), 1, "Ben")).await), "Missing");
        for stranger in [other_connection(s), scope()] {
            assert_eq!(refusal(t.commit(stranger, replace_user(user, 1, "Ben")).await), "Missing");
        }
        assert_eq!(t.events(s).await.len(), 1);
    }

    async fn rename_frees_the_old_name_and_refuses_a_taken_one(t: &TestDatabase) {
        let s = scope();
        let [ben, ann] = t.users(s, ["Ben", "Ann"]).await;
        let rename = |id, expected, name| Action::ReplaceUser {
            id, expected, columns: user_columns(name), renames: true, add_values: vec![], remove_values: vec![],
        };
        assert_eq!(refusal(t.commit(s, rename(ben, 1, "ANN")).await), "NotUnique(UserName)");
        assert_eq!(refusal(t.commit(s, rename(ben, 7, "Carl")).await), "Stale");
        assert_eq!(t.commit(s, rename(ann, 1, "Carl")).await.expect("renamed"), changed(2));
        assert_eq!(t.commit(s, rename(ben, 1, "Ann")).await.expect("renamed"), changed(2));
        assert_eq!(t.lines("SELECT user_name_key AS line FROM users").await, ["ann", "carl"]);
        assert_eq!(t.events(s).await.len(), 4);
    }

    async fn delete_leaves_a_tombstone_frees_the_name_and_keeps_group_versions(t: &TestDatabase) {
        let (s, user) = (scope(), id());
        t.commit(s, with_values(user, "Ben")).await.expect("inserted");
        let [ann] = t.users(s, ["Ann"]).await;
        let group = t.group(s, "Sales", &[user, ann]).await;
        let delete = Action::DeleteUser { id: user, expected: Some(1) };
        assert_eq!(t.commit(s, delete.clone()).await.expect("deleted"), changed(2));
        assert_eq!(refusal(t.commit(s, delete).await), "Missing");
        assert_eq!(t.db.find_user(s, user, References::All).await.expect("answers"), None);
        assert_eq!(values(t, user).await, Vec::<String>::new());
        let tombstone = "SELECT concat_ws('|', version, length(document), CASE WHEN deleted IS NOT NULL THEN 'deleted' END) AS line \
             FROM users WHERE user_name = 'Ben'";
        assert_eq!(t.lines(tombstone).await, ["2|0|deleted"]);
        let found = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
        assert_eq!((found.version, found.members.map(|m| m.len())), (1, Some(1)));
        assert_eq!(t.totals(s).await, (1, 1));
        assert_eq!(t.commit(s, insert_user(id(), "ben")).await.expect("the name is free"), changed(1));
        assert_eq!(t.totals(s).await, (2, 1));
    }

    async fn delete_of_another_version_is_stale_and_of_anothers_user_missing(t: &TestDatabase) {
        let s = scope();
        let [user] = t.users(s, ["Ben"]).await;
        let delete = |expected| Action::DeleteUser { id: user, expected };
        assert_eq!(refusal(t.commit(s, delete(Some(2))).await), "Stale");
        assert_eq!(refusal(t.commit(other_connection(s), delete(None)).await), "Missing");
        assert_eq!(refusal(t.commit(scope(), delete(None)).await), "Missing");
        assert_eq!(t.commit(s, delete(None)).await.expect("deleted"), changed(2));
        assert_eq!(t.totals(s).await, (0, 0));
    }

    async fn find_sees_only_its_own_scope(t: &TestDatabase) {
        let s = scope();
        let [user] = t.users(s, ["Ben"]).await;
        for stranger in [other_connection(s), scope()] {
            assert_eq!(t.db.find_user(stranger, user, References::All).await.expect("answers"), None);
        }
        assert_eq!(t.db.find_user(s, id(), References::All).await.expect("answers"), None);
    }

    async fn find_lists_the_groups_that_hold_the_user_directly(t: &TestDatabase) {
        let s = scope();
        let [ben, ann] = t.users(s, ["Ben", "Ann"]).await;
        let odd = "3:x \u{1f}|é\"";
        let first = t.group(s, odd, &[ben]).await;
        let second = t.group(s, "Sales", &[ann, ben]).await;
        t.group(s, "Parents", &[second]).await;
        let groups = |found: Option<rollcall::storage::UserRecord>| {
            let groups = found.expect("there").groups;
            groups.into_iter().map(|g| (g.id, g.display.unwrap_or_default(), g.is_group)).collect::<Vec<_>>()
        };
        let all = groups(t.db.find_user(s, ben, References::All).await.expect("answers"));
        assert_eq!(all, [(first.0, odd.to_owned(), true), (second.0, "Sales".to_owned(), true)]);
        assert_eq!(groups(t.db.find_user(s, ben, References::UpTo(1)).await.expect("answers")), all[..1]);
        assert_eq!(groups(t.db.find_user(s, ben, References::Skip).await.expect("answers")), []);
        assert_eq!(groups(t.db.find_user(s, ann, References::All).await.expect("answers")), all[1..]);
    }
}
