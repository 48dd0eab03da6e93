//! Writes of several changes: whole or nothing, in order.

use rollcall::storage::References;
use rollcall::storage::write::{Action, Applied};

use crate::helpers::*;

on_both! {
    async fn several_changes_apply_in_order_and_are_answered_each(t: &TestDatabase) {
        let (s, user, group) = (scope(), id(), id());
        let all = vec![
            insert_user(user, "Ben"),
            insert_group(group, "Sales", &[user]),
            replace_user(user, 1, "Ben"),
            add_members(group, &[user]),
        ];
        let applied = Applied::new;
        let receipt = t.db.commit(write(s, all)).await.expect("applied");
        assert_eq!(receipt, [applied(1, true), applied(1, true), applied(2, true), applied(1, false)]);
        assert_eq!(t.totals(s).await, (1, 1));
        assert_eq!(t.events(s).await.len(), 3);
    }

    async fn a_refused_change_undoes_those_before_it(t: &TestDatabase) {
        let s = scope();
        let [ben, ann] = t.users(s, ["Ben", "Ann"]).await;
        let sales = t.group(s, "Sales", &[ann]).await;
        let (user, group) = (id(), id());
        let before = t.events(s).await;
        let refusals = [
            (insert_user(id(), "ben"), "NotUnique(UserName)"),
            (replace_user(ben, 9, "Ben"), "Stale"),
            (replace_user(id(), 1, "Nobody"), "Missing"),
            (insert_group(id(), "SALES", &[]), "NotUnique(GroupDisplayName)"),
            (Action::DeleteGroup { id: sales, expected: Some(4) }, "Stale"),
        ];
        for (last, refused) in refusals {
            let all = vec![
                insert_user(user, "Carl"),
                insert_group(group, "Marketing", &[user, ben]),
                add_members(sales, &[user]),
                Action::DeleteUser { id: ann, expected: None },
                last,
            ];
            assert_eq!(refusal(t.db.commit(write(s, all)).await), refused);
        }
        assert_eq!(t.events(s).await, before);
        assert_eq!(t.totals(s).await, (2, 1));
        assert_eq!(t.db.find_user(s, user, References::Skip).await.expect("answers"), None);
        let found = t.db.find_group(s, sales, References::All).await.expect("answers").expect("there");
        assert_eq!((found.version, found.members.map(|m| m.len())), (1, Some(1)));
        let free = vec![insert_user(user, "Carl"), insert_group(group, "Marketing", &[user])];
        assert_eq!(t.db.commit(write(s, free)).await.expect("nothing was left behind").len(), 2);
    }

    async fn a_write_without_changes_is_applied(t: &TestDatabase) {
        assert_eq!(t.db.commit(write(scope(), vec![])).await.expect("applied"), []);
    }

    async fn events_carry_who_when_and_what(t: &TestDatabase) {
        let (s, user) = (scope(), id());
        let mut one = write(s, vec![insert_user(user, "Ben")]);
        one.actor = "scim_token:x".into();
        one.request_id = "req-1".into();
        one.changes[0].detail = r#"{"after":{}}"#.into();
        let event = one.changes[0].event;
        t.db.commit(one).await.expect("inserted");
        let sql = "SELECT concat_ws('|', {hex:id}, {hex:connection}, kind, actor, request_id, {hex:resource}, version, at, detail) AS line FROM events";
        let connection = s.connection.0.simple();
        let wanted = format!("{}|{connection}|1|scim_token:x|req-1|{}|1|{AT}|{{\"after\":{{}}}}", event.0.simple(), hex(user));
        assert_eq!(t.lines(sql).await, [wanted]);
    }

    async fn another_handle_sees_what_was_committed_and_writes_too(t: &TestDatabase) {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        let second = rollcall::storage::Database::open(&options(&t.url)).await.expect("opens");
        assert!(second.find_user(s, ben, References::All).await.expect("answers").is_some());
        let receipt = second.commit(write(s, vec![replace_user(ben, 1, "Ben")])).await.expect("replaced");
        assert_eq!(receipt, changed(2));
        second.close().await;
        assert_eq!(t.commit(s, replace_user(ben, 2, "Ben")).await.expect("replaced"), changed(3));
        assert_eq!(t.totals(s).await, (1, 0));
    }
}
