//! What shares a batch. A write is told by its actor.

use super::*;
use crate::domain::ids::{ConnectionId, EventId, OrganizationId};
use crate::storage::write::{Change, UnknownMembers, UserColumns};

fn id(n: u128) -> ResourceId {
    ResourceId(Uuid::from_u128(n))
}

fn job(name: &str, connection: u128, action: Action) -> Job {
    let scope =
        Scope { organization: OrganizationId(Uuid::nil()), connection: ConnectionId(Uuid::from_u128(connection)) };
    let changes = vec![Change { action, event: EventId(Uuid::nil()), detail: String::new() }];
    let write = Write { scope, at: 0, actor: name.to_owned(), request_id: String::new(), changes, shows_group: false };
    let (answer, _) = tokio::sync::oneshot::channel();
    Job { kind: Kind::of(&write), write, answer }
}

fn columns(name: &str, document: String) -> UserColumns {
    UserColumns {
        user_name: name.to_owned(),
        user_name_key: name.to_owned(),
        external_id_key: None,
        active: None,
        access: true,
        display_name: None,
        display_name_key: None,
        document,
    }
}

fn insert(n: u128, name: &str) -> Job {
    let columns = columns(name, String::new());
    job(name, 1, Action::InsertUser { id: id(n), columns, values: vec![] })
}

fn replace(n: u128, bytes: usize) -> Job {
    let columns = columns("x", "x".repeat(bytes));
    let (add_values, remove_values) = (vec![], vec![]);
    let action = Action::ReplaceUser { id: id(n), expected: 1, columns, renames: false, add_values, remove_values };
    job(&format!("replace{n}"), 1, action)
}

fn delta(name: &str, connection: u128, group: u128, expected: Option<i64>, members: std::ops::Range<u128>) -> Job {
    let members = MemberChange::Delta { add: members.map(id).collect(), remove: vec![] };
    let unknown_members = UnknownMembers::Refuse;
    job(name, connection, Action::UpdateGroup { id: id(group), expected, columns: None, members, unknown_members })
}

fn delete(n: u128) -> Job {
    job(&format!("delete{n}"), 1, Action::DeleteUser { id: id(n), expected: None })
}

/// Batches until nothing is left.
fn batches(jobs: Vec<Job>) -> Vec<Vec<String>> {
    let mut held: VecDeque<Job> = jobs.into();
    let mut out = vec![];
    while !held.is_empty() {
        out.push(pick(&mut held).into_iter().map(|j| j.write.actor).collect());
    }
    out
}

#[test]
fn inserts_go_by_key_and_before_replacements_by_id() {
    let jobs = vec![replace(2, 0), insert(9, "b"), replace(1, 0), insert(8, "a")];
    assert_eq!(batches(jobs), [["a", "b", "replace1", "replace2"]]);
}

#[test]
fn a_key_or_a_target_comes_once_a_batch_and_in_order() {
    assert_eq!(batches(vec![insert(1, "a"), insert(2, "a"), insert(3, "b")]), [vec!["a", "b"], vec!["a"]]);
    assert_eq!(batches(vec![insert(1, "a"), replace(1, 0), replace(1, 0)]), [["a"], ["replace1"], ["replace1"]]);
}

#[test]
fn deltas_on_one_group_merge_in_order_of_arrival() {
    let jobs = vec![delta("b", 1, 5, None, 10..12), delta("a", 1, 5, None, 12..14), delta("c", 1, 4, None, 10..12)];
    assert_eq!(batches(jobs), [["c", "b", "a"]]);
}

#[test]
fn deltas_on_one_group_part_over_a_member_a_version_or_a_scope() {
    for later in [delta("b", 1, 5, None, 11..12), delta("b", 1, 5, Some(1), 20..21), delta("b", 2, 5, None, 20..21)] {
        let overtaker = delta("c", 1, 5, None, 30..31);
        let got = batches(vec![delta("a", 1, 5, None, 10..12), later, overtaker]);
        assert_eq!(got.first().map(Vec::as_slice), Some(&["a".to_owned()][..]));
        assert!(got.len() >= 2);
    }
}

#[test]
fn batches_are_bounded_by_writes_rows_and_bytes() {
    let sizes = |jobs| batches(jobs).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes((0..150).map(|n| replace(n, 10)).collect()), [64, 64, 22]);
    let rows = |group: u128, n: u128| delta("m", 1, group, None, 1_000 * group..1_000 * group + n);
    assert_eq!(sizes(vec![rows(1, 600), rows(2, 400), rows(3, 1)]), [2, 1]);
    assert_eq!(sizes(vec![rows(1, 10_000), rows(2, 1)]), [1, 1]);
    assert_eq!(sizes((0..3).map(|n| replace(n, 600_000)).collect()), [1, 1, 1]);
}

#[test]
fn kinds_of_the_rare_queue_do_not_mix() {
    let renames = |n| {
        let (columns, add_values, remove_values) = (columns("y", String::new()), vec![], vec![]);
        let action = Action::ReplaceUser { id: id(n), expected: 1, columns, renames: true, add_values, remove_values };
        job("rename", 1, action)
    };
    let jobs = vec![delete(3), renames(4), delete(1), renames(5), delete(3)];
    assert_eq!(batches(jobs), [vec!["delete1", "delete3"], vec!["rename"], vec!["rename"], vec!["delete3"]]);
}
