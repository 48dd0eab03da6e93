//! Groups: insert, columns, delete, find.

use rollcall::storage::References;
use rollcall::storage::write::{Action, GroupColumns, MemberChange, UnknownMembers};

use crate::helpers::*;

fn update(id: rollcall::domain::ids::ResourceId, expected: Option<i64>, columns: GroupColumns) -> Action {
    let members = MemberChange::None;
    Action::UpdateGroup { id, expected, columns: Some(columns), members, unknown_members: UnknownMembers::Refuse }
}

on_both! {
    async fn insert_stores_group_members_event_and_count(t: &TestDatabase) {
        let s = scope();
        let [ben, ann] = t.users(s, ["Ben", "Ann"]).await;
        let group = t.group(s, "Sales", &[ann, ben, ann]).await;
        let found = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
        assert_eq!((found.version, found.created, found.modified, &*found.document), (1, AT, AT, r#"{"displayName":"Sales"}"#));
        let members: Vec<_> = found.members.expect("asked for").into_iter().map(|m| (m.id, m.display, m.is_group)).collect();
        assert_eq!(members, [(ben.0, Some("The Ben".into()), false), (ann.0, Some("The Ann".into()), false)]);
        assert!(t.events(s).await.contains(&format!("{} 4 1", hex(group))));
        assert_eq!(t.totals(s).await, (2, 1));
    }

    async fn insert_of_a_taken_name_is_not_unique_in_the_whole_organization(t: &TestDatabase) {
        let s = scope();
        t.group(s, "Sales", &[]).await;
        for inside in [s, other_connection(s)] {
            assert_eq!(refusal(t.commit(inside, insert_group(id(), "SALES", &[])).await), "NotUnique(GroupDisplayName)");
        }
        assert_eq!(t.commit(scope(), insert_group(id(), "Sales", &[])).await.expect("another tenant's"), changed(1));
        assert_eq!(t.totals(s).await, (0, 1));
    }

    async fn names_may_repeat_where_the_connection_allows_it(t: &TestDatabase) {
        let s = scope();
        let free = GroupColumns { unique_name: false, ..group_columns("Sales") };
        for _ in 0..2 {
            let insert = Action::InsertGroup {
                id: id(), columns: free.clone(), members: vec![], unknown_members: UnknownMembers::Refuse,
            };
            assert_eq!(t.commit(s, insert).await.expect("inserted"), changed(1));
        }
        assert_eq!(t.commit(s, insert_group(id(), "Sales", &[])).await.expect("the only strict one"), changed(1));
        assert_eq!(t.totals(s).await, (0, 3));
    }

    async fn columns_change_once_and_repeated_are_no_change(t: &TestDatabase) {
        let s = scope();
        let group = t.group(s, "Sales", &[]).await;
        let columns = GroupColumns { external_id_key: Some("e".into()), ..group_columns("Marketing") };
        assert_eq!(t.commit(s, update(group, Some(1), columns.clone())).await.expect("updated"), changed(2));
        assert_eq!(t.commit(s, update(group, Some(2), columns.clone())).await.expect("the same"), unchanged(2));
        assert_eq!(refusal(t.commit(s, update(group, Some(1), columns)).await), "Stale");
        assert_eq!(t.commit(s, insert_group(id(), "Sales", &[])).await.expect("the name is free"), changed(1));
        let stored = "SELECT concat_ws('|', display_name, display_name_key, external_id_key, version) AS line \
             FROM groups WHERE external_id_key IS NOT NULL";
        assert_eq!(t.lines(stored).await, ["Marketing|marketing|e|2"]);
        assert_eq!(t.events(s).await.len(), 3);
    }

    async fn rename_to_a_taken_name_is_refused_with_its_members(t: &TestDatabase) {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        t.group(s, "Sales", &[]).await;
        let group = t.group(s, "Marketing", &[]).await;
        let both = Action::UpdateGroup {
            id: group,
            expected: Some(1),
            columns: Some(group_columns("sales")),
            members: MemberChange::Delta { add: vec![ben], remove: vec![] },
            unknown_members: UnknownMembers::Refuse,
        };
        assert_eq!(refusal(t.commit(s, both).await), "NotUnique(GroupDisplayName)");
        let found = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
        assert_eq!((found.version, found.members), (1, Some(vec![])));
    }

    async fn update_and_delete_of_what_the_scope_does_not_see_are_missing(t: &TestDatabase) {
        let s = scope();
        let group = t.group(s, "Sales", &[]).await;
        for (stranger, target) in [(other_connection(s), group), (scope(), group), (s, id())] {
            assert_eq!(refusal(t.commit(stranger, update(target, Some(1), group_columns("x"))).await), "Missing");
            assert_eq!(refusal(t.commit(stranger, Action::DeleteGroup { id: target, expected: None }).await), "Missing");
            assert_eq!(t.db.find_group(stranger, target, References::All).await.expect("answers"), None);
        }
    }

    async fn delete_takes_the_group_out_of_others_and_frees_its_name(t: &TestDatabase) {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        let group = t.group(s, "Sales", &[ben]).await;
        let parent = t.group(s, "All", &[group, ben]).await;
        assert_eq!(refusal(t.commit(s, Action::DeleteGroup { id: group, expected: Some(2) }).await), "Stale");
        let delete = Action::DeleteGroup { id: group, expected: Some(1) };
        assert_eq!(t.commit(s, delete.clone()).await.expect("deleted"), changed(2));
        assert_eq!(refusal(t.commit(s, delete).await), "Missing");
        assert_eq!(t.db.find_group(s, group, References::Skip).await.expect("answers"), None);
        let found = t.db.find_group(s, parent, References::All).await.expect("answers").expect("there");
        assert_eq!((found.version, found.members.map(|m| m.len())), (1, Some(1)));
        let user = t.db.find_user(s, ben, References::All).await.expect("answers").expect("there");
        assert_eq!(user.groups.len(), 1);
        assert_eq!(t.lines("SELECT concat_ws(' ', member_type) AS line FROM members").await, ["1"]);
        assert_eq!(t.totals(s).await, (1, 1));
        assert!(t.events(s).await.contains(&format!("{} 6 2", hex(group))));
        assert_eq!(t.commit(s, insert_group(id(), "sales", &[])).await.expect("the name is free"), changed(1));
    }
}
