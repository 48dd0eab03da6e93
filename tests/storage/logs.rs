//! Retention of log entries and events, and the lease under which one instance does it.

use rollcall::domain::ids::{ConnectionId, LogEntryId, OrganizationId, TokenId};
use rollcall::storage::{Backend, EventKey, LogEntry, LogSelection, NewLogEntry, Removed, Window};

use crate::helpers::*;

const DAY: i64 = 86_400_000_000;

fn entry(organization: OrganizationId, at: i64, tail: u64) -> NewLogEntry {
    let entry = LogEntry {
        organization,
        id: LogEntryId::at(at, tail),
        at,
        connection: ConnectionId(uuid()),
        token: Some(TokenId(uuid())),
        fingerprint: None,
        method: "POST".into(),
        path: "/Users".into(),
        resource_type: Some("User".into()),
        resource: Some(uuid()),
        external_id: None,
        subject: Some("Ben".into()),
        operation: "create".into(),
        status: 201,
        outcome: if tail.is_multiple_of(2) { "applied".into() } else { "refused".into() },
        scim_type: None,
        explanation: "Created Ben.".into(),
        duration_us: 7,
        request_id: "r".into(),
        ip: Some("::1".into()),
        changes: "[]".into(),
    };
    NewLogEntry { entry, request_body: Some("{}".into()), response_body: None }
}

async fn log(t: &TestDatabase, organization: OrganizationId, selection: &LogSelection) -> Vec<LogEntryId> {
    let all = Window { from: LogEntryId::at(0, 0), backwards: false, limit: 5_000 };
    let rows = t.db.log_window(organization, selection, &all).await.expect("answers");
    rows.into_iter().map(|entry| entry.id).collect()
}

on_both! {
    async fn entries_are_stored_whole_and_selected_by_index(t: &TestDatabase) {
        let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
        let entries: Vec<_> = (0..5).map(|n| entry(one, AT, n)).chain([entry(other, AT, 0)]).collect();
        t.db.insert_log_entries(entries.clone(), vec![]).await.expect("inserted");
        let found = t.db.find_log_entry(one, entries[1].entry.id).await.expect("answers");
        assert_eq!(found.as_ref(), Some(&entries[1]));
        assert_eq!(t.db.find_log_entry(other, entries[1].entry.id).await.expect("answers"), None);
        let ids: Vec<_> = entries[..5].iter().map(|new| new.entry.id).collect();
        assert_eq!(log(t, one, &LogSelection::All).await, ids);
        assert_eq!(log(t, one, &LogSelection::NotDone).await, [ids[1], ids[3]]);
        assert_eq!(log(t, one, &LogSelection::Subject("ben".into())).await, ids);
        let resource = entries[2].entry.resource.expect("an id");
        assert_eq!(log(t, one, &LogSelection::Resource(resource)).await, [ids[2]]);
        let back = Window { from: ids[3], backwards: true, limit: 2 };
        let rows = t.db.log_window(one, &LogSelection::All, &back).await.expect("answers");
        assert_eq!(rows.iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[2], ids[1]]);
    }

    async fn old_entries_go_with_their_bodies(t: &TestDatabase) {
        let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
        let old = (0..700).map(|n| entry(one, AT - DAY, n));
        t.db.insert_log_entries(old.chain([entry(one, AT, 0), entry(other, AT - DAY, 0)]).collect(), vec![]).await.expect("inserted");
        let bound = LogEntryId::at(AT, 0);
        let mut removed = Vec::new();
        loop {
            match t.db.remove_log_entries(one, bound).await.expect("removes") {
                0 => break,
                n => removed.push(n),
            }
        }
        assert_eq!(removed, [500, 200]);
        assert_eq!(log(t, one, &LogSelection::All).await, [LogEntryId::at(AT, 0)]);
        assert_eq!(log(t, other, &LogSelection::All).await.len(), 1);
        assert_eq!(t.lines("SELECT concat_ws('', count(*)) AS line FROM provisioning_bodies").await, ["2"]);
    }

    async fn old_events_go_once_the_search_index_has_seen_them(t: &TestDatabase) {
        let scope = scope();
        t.users(scope, ["ann", "ben", "cem"]).await;
        let sql = format!("UPDATE events SET at = at + {DAY} WHERE kind = 1 AND position = (SELECT max(position) FROM events)");
        t.execute(&sql).await;
        let remove = async || t.db.remove_events(scope.organization, AT + 1).await.expect("answers");
        if t.db.backend() == Backend::Sqlite {
            assert_eq!(remove().await, Removed::NotIndexed);
            t.db.follow_search_index().await.expect("follows");
        }
        assert_eq!(remove().await, Removed::Some(2));
        assert_eq!(remove().await, Removed::Nothing);
        let all = Window { from: EventKey::FIRST, backwards: false, limit: 10 };
        let left = t.db.event_window(scope.organization, &all).await.expect("answers");
        assert_eq!(left.len(), 1);
        assert_eq!(t.db.find_event(scope.organization, left[0].key).await.expect("answers").as_ref(), left.first());
        assert_eq!(t.db.find_event(OrganizationId(uuid()), left[0].key).await.expect("answers"), None);
    }

    async fn one_instance_has_the_lease_and_once_an_hour(t: &TestDatabase) {
        let (hour, lease) = (DAY / 24, DAY / 144);
        let begin = async |now: i64| t.db.begin_retention(now, now - hour, now + lease).await.expect("answers");
        let (one, two) = futures_util::future::join(begin(AT), begin(AT)).await;
        assert!(one != two, "exactly one");
        t.db.keep_retention(None).await.expect("given back");
        assert!(!begin(AT + hour - 1).await);
        assert!(begin(AT + hour).await);
        t.db.keep_retention(Some(AT + 3 * hour)).await.expect("kept");
        assert!(!begin(AT + 3 * hour - 1).await, "another instance still has it");
        assert!(begin(AT + 3 * hour).await);
    }

    async fn a_rehearsed_write_answers_and_leaves_nothing(t: &TestDatabase) {
        let scope = scope();
        let [ben] = t.users(scope, ["ben"]).await;
        let events = t.events(scope).await;
        let rehearse = async |action| t.db.rehearse(write(scope, vec![action])).await;
        assert_eq!(rehearse(insert_user(id(), "ann")).await.expect("would do"), changed(1));
        assert_eq!(refusal(rehearse(insert_user(id(), "ben")).await), "NotUnique(UserName)");
        assert_eq!(refusal(rehearse(replace_user(ben, 7, "ben")).await), "Stale");
        assert_eq!(refusal(rehearse(replace_user(id(), 1, "ben")).await), "Missing");
        assert_eq!(t.events(scope).await, events);
        assert_eq!(t.totals(scope).await, (1, 0));
    }
}
