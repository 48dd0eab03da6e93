//! Members of groups: delta, exactly, nested, unknown, large.

use futures_util::future::join_all;
use rollcall::domain::ids::{ConnectionId, ResourceId, Scope};
use rollcall::storage::write::{Action, MemberChange, UnknownMembers};
use rollcall::storage::{References, SMALL_GROUP};

use crate::helpers::*;

async fn members(t: &TestDatabase, s: Scope, group: ResourceId) -> (i64, Vec<ResourceId>) {
    let found = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
    (found.version, found.members.expect("asked for").into_iter().map(|m| ResourceId(m.id)).collect())
}

fn exactly(group: ResourceId, wanted: &[ResourceId]) -> Action {
    member_change(group, MemberChange::Exactly(wanted.to_vec()))
}

fn ignoring(group: ResourceId, members: MemberChange) -> Action {
    Action::UpdateGroup { id: group, expected: None, columns: None, members, unknown_members: UnknownMembers::Ignore }
}

on_both! {
    async fn delta_touches_named_rows_and_counts_as_change_only_if_any_differed(t: &TestDatabase) {
        let s = scope();
        let [a, b, c] = t.users(s, ["a", "b", "c"]).await;
        let group = t.group(s, "G", &[a]).await;
        let delta = |add: &[ResourceId], remove: &[ResourceId]| {
            member_change(group, MemberChange::Delta { add: add.to_vec(), remove: remove.to_vec() })
        };
        assert_eq!(t.commit(s, delta(&[b, b], &[])).await.expect("added"), changed(2));
        assert_eq!(t.commit(s, delta(&[a, b], &[c])).await.expect("nothing to do"), unchanged(2));
        assert_eq!(t.commit(s, delta(&[c], &[a, b])).await.expect("moved"), changed(3));
        assert_eq!(t.commit(s, delta(&[], &[])).await.expect("empty"), unchanged(3));
        assert_eq!(members(t, s, group).await, (3, vec![c]));
        assert_eq!(t.events(s).await.iter().filter(|e| e.starts_with(&hex(group))).count(), 3);
    }

    async fn exactly_leaves_these_members_and_no_others(t: &TestDatabase) {
        let s = scope();
        let [a, b, c] = t.users(s, ["a", "b", "c"]).await;
        let group = t.group(s, "G", &[a, b]).await;
        assert_eq!(t.commit(s, exactly(group, &[c, b, c])).await.expect("set"), changed(2));
        assert_eq!(t.commit(s, exactly(group, &[b, c])).await.expect("the same"), unchanged(2));
        assert_eq!(members(t, s, group).await, (2, vec![b, c]));
        assert_eq!(t.commit(s, exactly(group, &[])).await.expect("emptied"), changed(3));
        assert_eq!(members(t, s, group).await, (3, vec![]));
    }

    async fn unknown_members_refuse_the_whole_write_and_are_named(t: &TestDatabase) {
        let s = scope();
        let [a, gone] = t.users(s, ["a", "gone"]).await;
        t.commit(s, Action::DeleteUser { id: gone, expected: None }).await.expect("deleted");
        let [stranger] = t.users(other_connection(s), ["stranger"]).await;
        let group = t.group(s, "G", &[]).await;
        let nobody = id();
        let named = |ids: &[ResourceId]| {
            let mut ids: Vec<String> = ids.iter().map(|id| hex(*id)).collect();
            ids.sort();
            format!("MissingMembers({})", ids.join(","))
        };
        let wrong = [nobody, stranger, gone, group];
        let all = [a, nobody, stranger, gone, group];
        assert_eq!(refusal(t.commit(s, add_members(group, &all)).await), named(&wrong));
        assert_eq!(refusal(t.commit(s, exactly(group, &all)).await), named(&wrong));
        let own = id();
        let insert = insert_group(own, "New", &[a, nobody, own]);
        assert_eq!(refusal(t.commit(s, insert).await), named(&[nobody, own]));
        assert_eq!(members(t, s, group).await, (1, vec![]));
        assert_eq!(t.totals(s).await, (1, 1));
    }

    async fn unknown_members_are_left_out_where_the_connection_ignores_them(t: &TestDatabase) {
        let s = scope();
        let [a, b] = t.users(s, ["a", "b"]).await;
        let (group, nobody) = (id(), id());
        let insert = Action::InsertGroup {
            id: group,
            columns: group_columns("G"),
            members: vec![nobody, a, group],
            unknown_members: UnknownMembers::Ignore,
        };
        assert_eq!(t.commit(s, insert).await.expect("inserted"), changed(1));
        assert_eq!(members(t, s, group).await, (1, vec![a]));
        let delta = MemberChange::Delta { add: vec![nobody], remove: vec![] };
        assert_eq!(t.commit(s, ignoring(group, delta)).await.expect("nothing to do"), unchanged(1));
        let set = MemberChange::Exactly(vec![nobody, b, group]);
        assert_eq!(t.commit(s, ignoring(group, set)).await.expect("set"), changed(2));
        assert_eq!(members(t, s, group).await, (2, vec![b]));
    }

    async fn groups_may_hold_groups_of_the_same_connection(t: &TestDatabase) {
        let s = scope();
        let inner = t.group(s, "Inner", &[]).await;
        let [a] = t.users(s, ["a"]).await;
        let outer = t.group(s, "Outer", &[inner, a]).await;
        let found = t.db.find_group(s, outer, References::All).await.expect("answers").expect("there");
        let got: Vec<_> = found.members.expect("asked for").into_iter().map(|m| (m.id, m.display, m.is_group)).collect();
        assert_eq!(got, [(inner.0, Some("Inner".into()), true), (a.0, Some("The a".into()), false)]);
        let elsewhere = t.group(other_connection(s), "Elsewhere", &[]).await;
        assert!(refusal(t.commit(s, add_members(outer, &[elsewhere])).await).starts_with("MissingMembers"));
        // A cycle is the client's affair: nothing here follows it.
        assert_eq!(t.commit(s, add_members(inner, &[outer])).await.expect("added"), changed(2));
    }

    async fn member_changes_of_another_version_are_stale(t: &TestDatabase) {
        let s = scope();
        let [a] = t.users(s, ["a"]).await;
        let group = t.group(s, "G", &[]).await;
        let at = |expected, wanted: &[ResourceId]| Action::UpdateGroup {
            id: group,
            expected: Some(expected),
            columns: None,
            members: MemberChange::Exactly(wanted.to_vec()),
            unknown_members: UnknownMembers::Refuse,
        };
        assert_eq!(t.commit(s, at(1, &[a])).await.expect("set"), changed(2));
        assert_eq!(refusal(t.commit(s, at(1, &[])).await), "Stale");
        assert_eq!(members(t, s, group).await, (2, vec![a]));
    }

    async fn display_follows_the_member_and_leaves_the_group_version(t: &TestDatabase) {
        let s = scope();
        let [a] = t.users(s, ["a"]).await;
        let group = t.group(s, "G", &[a]).await;
        let mut columns = user_columns("a");
        columns.display_name = Some("New".into());
        columns.display_name_key = Some("new".into());
        let replace = Action::ReplaceUser {
            id: a, expected: 1, columns, renames: false, add_values: vec![], remove_values: vec![],
        };
        t.commit(s, replace).await.expect("replaced");
        let found = t.db.find_group(s, group, References::UpTo(5)).await.expect("answers").expect("there");
        assert_eq!(found.version, 1);
        assert_eq!(found.members.expect("asked for")[0].display.as_deref(), Some("New"));
    }

    async fn members_of_a_small_group_come_whole_and_of_a_large_one_not_at_all(t: &TestDatabase) {
        let s = scope();
        let ids: Vec<ResourceId> = (0..=SMALL_GROUP).map(|_| id()).collect();
        let users = ids.iter().map(|id| insert_user(*id, &id.to_string())).collect();
        t.db.commit(write(s, users)).await.expect("users");
        for (members, loaded) in [(&ids[..0], true), (&ids[..3], true), (&ids[..100], true), (&ids[..], false)] {
            let group = t.group(s, &members.len().to_string(), members).await;
            let found = t.db.find_small_group(s, group).await.expect("answers").expect("there");
            let whole = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
            let members = if loaded { whole.members.clone() } else { None };
            assert_eq!(found, rollcall::storage::GroupRecord { members, ..whole });
            assert_eq!(t.db.find_small_group(scope(), group).await.expect("answers"), None);
        }
    }

    async fn a_receipt_holds_the_written_group_where_it_is_asked_to(t: &TestDatabase) {
        let s = scope();
        let ids: Vec<ResourceId> = (0..=SMALL_GROUP).map(|_| id()).collect();
        let users = ids.iter().map(|id| insert_user(*id, &id.to_string())).collect();
        t.db.commit(write(s, users)).await.expect("users");
        let (small, large) = (t.group(s, "Small", &ids[..2]).await, t.group(s, "Large", &ids[1..]).await);
        let delta = |group, add: &[ResourceId], remove: &[ResourceId]| {
            member_change(group, MemberChange::Delta { add: add.to_vec(), remove: remove.to_vec() })
        };
        let shown = |group, add: &[ResourceId], remove: &[ResourceId]| rollcall::storage::Write {
            shows_group: true,
            ..write(s, vec![delta(group, add, remove)])
        };
        // Together, so that some share a commit; each sees its own change.
        let writes = (2..50).map(|n| t.db.commit(shown(small, &ids[n..=n], &[])));
        for (n, receipt) in (2..50).zip(join_all(writes).await) {
            let applied = receipt.expect("committed").remove(0);
            let group = applied.group.expect("asked for");
            assert!(applied.changed && group.version >= applied.version);
            assert!(group.members.expect("few").iter().any(|m| m.id == ids[n].0));
        }
        let unchanged = t.db.commit(shown(small, &ids[..1], &ids[60..61])).await.expect("committed").remove(0);
        let found = t.db.find_small_group(s, small).await.expect("answers");
        assert_eq!((unchanged.changed, unchanged.version, unchanged.group), (false, 49, found));
        let columns = Action::UpdateGroup {
            id: small, expected: Some(49), columns: Some(group_columns("Renamed")), members: MemberChange::None,
            unknown_members: UnknownMembers::Refuse,
        };
        let renamed = rollcall::storage::Write { shows_group: true, ..write(s, vec![columns]) };
        let group = t.db.commit(renamed).await.expect("committed").remove(0).group.expect("asked for");
        assert_eq!((group.version, group.members.map(|m| m.len())), (50, Some(50)));
        let applied = t.db.commit(shown(large, &ids[..1], &ids[1..2])).await.expect("committed").remove(0);
        let found = t.db.find_group(s, large, References::All).await.expect("answers").expect("there");
        assert_eq!(found.members.expect("asked for").len(), 100);
        assert!(applied.group.expect("asked for").members.is_some());
        let applied = t.db.commit(shown(large, &ids[1..2], &[])).await.expect("committed").remove(0);
        let group = applied.group.expect("asked for");
        assert_eq!((group.id, group.version, group.members), (large, applied.version, None));
        let silent = t.db.commit(write(s, vec![delta(small, &ids[70..71], &[])])).await.expect("committed").remove(0);
        assert_eq!(silent.group, None);
        assert!(t.db.commit(shown(id(), &ids[..1], &[])).await.is_err());
    }

    async fn a_group_of_no_directory_holds_those_of_every_connection(t: &TestDatabase) {
        let there = scope();
        let here = Scope { connection: ConnectionId::LOCAL, ..there };
        let foreign = Scope { connection: ConnectionId::LOCAL, ..scope() };
        let [ann] = t.users(here, ["ann"]).await;
        let [ben] = t.users(there, ["ben"]).await;
        let [cem] = t.users(other_connection(there), ["cem"]).await;
        let [eve] = t.users(foreign, ["eve"]).await;
        let theirs = t.group(there, "Theirs", &[ben]).await;
        let group = t.group(here, "All", &[ann, ben]).await;
        // Alone and several in one commit.
        assert_eq!(t.commit(here, add_members(group, &[cem])).await.expect("added"), changed(2));
        let (one, two) = futures_util::future::join(
            t.commit(here, add_members(group, &[theirs])),
            t.commit(here, member_change(group, MemberChange::Delta { add: vec![], remove: vec![ann] })),
        )
        .await;
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        let mut expected = vec![ben, cem, theirs];
        expected.sort();
        assert_eq!(members(t, here, group).await, (4, expected));
        assert_eq!(t.commit(here, exactly(group, &[ann, theirs])).await.expect("set"), changed(5));
        for stranger in [eve, group, id()] {
            let refused = refusal(t.commit(here, add_members(group, &[stranger])).await);
            assert_eq!(refused, format!("MissingMembers({})", hex(stranger)));
        }
        // A directory's holds its own only.
        for stranger in [ann, cem, group] {
            let refused = refusal(t.commit(there, add_members(theirs, &[stranger])).await);
            assert_eq!(refused, format!("MissingMembers({})", hex(stranger)));
        }
    }

    async fn large_groups_are_written_and_read_whole(t: &TestDatabase) {
        let s = scope();
        let ids: Vec<ResourceId> = (0..1200).map(|_| id()).collect();
        for part in ids.chunks(300) {
            let users = part.iter().map(|id| insert_user(*id, &id.to_string())).collect();
            t.db.commit(write(s, users)).await.expect("users");
        }
        let group = t.group(s, "G", &ids).await;
        assert_eq!(members(t, s, group).await, (1, ids.clone()));
        for (limit, n) in [(0, 0), (1, 1), (501, 501), (700, 700), (5000, 1200)] {
            let found = t.db.find_group(s, group, References::UpTo(limit)).await.expect("answers").expect("there");
            assert_eq!(found.members.map(|m| m.len()), Some(n), "at most {limit}");
        }
        let found = t.db.find_group(s, group, References::Skip).await.expect("answers").expect("there");
        assert_eq!(found.members, None);
        assert_eq!(t.commit(s, exactly(group, &ids[600..])).await.expect("halved"), changed(2));
        assert_eq!(members(t, s, group).await, (2, ids[600..].to_vec()));
        assert_eq!(t.totals(s).await, (1200, 1));
    }
}
