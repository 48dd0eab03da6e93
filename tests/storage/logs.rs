//! The provisioning log; retention of log entries and events, and the lease under which one instance does it.

use rollcall::domain::ids::{LogEntryId, OrganizationId};
use rollcall::storage::cold::provisioning_log::{LogPlace, rewrite};
use rollcall::storage::{Backend, Db, EventKey, LogBodies, LogRecord, LogSelection, NewLogRecord, Removed, Window};

use crate::helpers::*;

const DAY: i64 = 86_400_000_000;

fn record(at: i64, tail: u64) -> LogRecord {
    LogRecord {
        id: LogEntryId::at(at, tail),
        at,
        connection: uuid(),
        token: Some(uuid()),
        fingerprint: None,
        method: "POST".into(),
        path: "/Users".into(),
        resource: Some(uuid()),
        external_id: None,
        subject: Some("Ben".into()),
        operation: "create".into(),
        status: 201,
        outcome: if tail.is_multiple_of(2) { "applied".into() } else { "refused".into() },
        scim_type: None,
        explanation: None,
        duration_us: 7,
        request_id: "r".into(),
        ip: Some("::1".into()),
        detail: Some("{}".into()),
    }
}

fn new(organization: OrganizationId, record: LogRecord) -> NewLogRecord {
    let names = record.resource.iter().map(ToString::to_string).chain(["ben".to_owned()]).collect();
    let bodies = LogBodies { request: Some("{}".into()), response: None };
    NewLogRecord { organization, record, bodies, names }
}

fn entry(organization: OrganizationId, at: i64, tail: u64) -> NewLogRecord {
    new(organization, record(at, tail))
}

/// Everything that windows of one slot after the other find.
async fn walk(
    t: &TestDatabase,
    organization: OrganizationId,
    selection: &LogSelection,
    backwards: bool,
) -> Vec<LogEntryId> {
    let from = if backwards { LogEntryId::at(i64::MAX, u64::MAX) } else { LogEntryId::at(0, 0) };
    let (mut window, mut all) = (Window { from, backwards, limit: 1 }, Vec::new());
    loop {
        let page = t.db.log_records(organization, selection, &window, false).await.expect("answers");
        all.extend(page.entries.into_iter().map(|(entry, _)| entry.id));
        match page.next {
            Some(next) => window.from = next,
            None => return all,
        }
    }
}

async fn log(t: &TestDatabase, organization: OrganizationId, selection: &LogSelection) -> Vec<LogEntryId> {
    let found = walk(t, organization, selection, false).await;
    let mut back = walk(t, organization, selection, true).await;
    back.reverse();
    assert_eq!(found, back, "{selection:?}");
    found
}

on_both! {
    async fn entries_are_stored_whole_and_selected_by_row(t: &TestDatabase) {
        let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
        let entries: Vec<_> = (0..5).map(|n| entry(one, AT, n)).chain([entry(other, AT, 0)]).collect();
        // In any order, in two commits, as of two instances.
        t.db.insert_log_records([4, 1, 5].map(|n: usize| entries[n].clone()).to_vec(), vec![]).await.expect("inserted");
        t.db.insert_log_records([2, 0].map(|n: usize| entries[n].clone()).to_vec(), vec![]).await.expect("inserted");
        t.db.insert_log_records(vec![entries[3].clone()], vec![]).await.expect("inserted");
        let found = t.db.find_log_record(one, entries[1].record.id).await.expect("answers");
        assert_eq!(found, Some((entries[1].record.clone(), entries[1].bodies.clone())));
        assert_eq!(t.db.find_log_record(other, entries[1].record.id).await.expect("answers"), None);
        assert_eq!(t.db.find_log_record(one, LogEntryId::at(AT, 9)).await.expect("answers"), None);
        let ids: Vec<_> = entries[..5].iter().map(|new| new.record.id).collect();
        assert_eq!(log(t, one, &LogSelection::All).await, ids);
        // Whole rows: the first one has one that was refused, and one that was not.
        assert_eq!(log(t, one, &LogSelection::NotDone).await, [ids[1], ids[3], ids[4]]);
        assert_eq!(log(t, one, &LogSelection::About("ben".into())).await, ids);
        let resource = entries[3].record.resource.expect("an id").to_string();
        assert_eq!(log(t, one, &LogSelection::About(resource)).await, [ids[3]]);
        for (backwards, expected) in [(true, vec![ids[2], ids[1], ids[0]]), (false, vec![ids[4]])] {
            let window = Window { from: ids[3], backwards, limit: 2 };
            let page = t.db.log_records(one, &LogSelection::All, &window, true).await.expect("answers");
            assert_eq!(page.entries.iter().map(|(entry, _)| entry.id).collect::<Vec<_>>(), expected);
            assert!(page.entries.iter().all(|(_, bodies)| bodies.request.is_some()) && page.next.is_none());
        }
    }

    async fn a_walk_meets_every_entry_once_in_the_order_of_time(t: &TestDatabase) {
        let one = OrganizationId(uuid());
        // More rows than one statement looks at, some slots with several, some rows that are cut by their size.
        let mut entries: Vec<_> = (0..900).map(|n| entry(one, AT + n * 100_000, 0)).collect();
        for n in 0..600 {
            entries.push(entry(one, AT + 7_000_000, 2 + n));
        }
        let mut large = entry(one, AT + 8_000_000, 1);
        large.bodies.request = Some("x".repeat(600_000));
        entries.extend([large.clone(), large.clone()]);
        entries[1501].record.id = LogEntryId::at(AT + 8_000_000, 3);
        let mut ids: Vec<_> = entries.iter().map(|new| new.record.id).collect();
        ids.sort_unstable();
        t.db.insert_log_records(entries, vec![]).await.expect("inserted");
        assert_eq!(log(t, one, &LogSelection::All).await, ids);
        let in_slot = "SELECT concat_ws('', count(*)) AS line FROM provisioning_segments GROUP BY slot HAVING count(*) > 1";
        assert_eq!(t.lines(in_slot).await, ["3", "3"]);
        // A filter may take one name for another, seldom.
        assert!(log(t, one, &LogSelection::About("nobody".into())).await.len() < 300);
        let found = t.db.find_log_record(one, large.record.id).await.expect("answers").expect("there");
        assert_eq!(found.1, large.bodies);
    }

    async fn old_entries_go_with_their_bodies(t: &TestDatabase) {
        let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
        let old = (0..700).map(|n| entry(one, AT - DAY + n * 250_000, 0));
        let new = [entry(one, AT, 0), entry(other, AT - DAY, 0)];
        t.db.insert_log_records(old.chain(new).collect(), vec![]).await.expect("inserted");
        let bound = LogEntryId::at(AT, 0);
        let mut removed = Vec::new();
        loop {
            match t.db.remove_log_entries(one, bound).await.expect("removes") {
                0 => break,
                n => removed.push(n),
            }
        }
        assert_eq!(removed, [50; 14]);
        assert_eq!(log(t, one, &LogSelection::All).await, [LogEntryId::at(AT, 0)]);
        assert_eq!(log(t, other, &LogSelection::All).await.len(), 1);
    }

    async fn rows_are_walked_and_stored_again_unless_they_changed(t: &TestDatabase) {
        let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
        let all: Vec<_> = (0..40).map(|n| entry(one, AT + n * 1_000_000, 0)).collect();
        t.db.insert_log_records(all.clone().into_iter().chain([entry(other, AT, 0)]).collect(), vec![]).await.expect("inserted");
        let (mut after, mut seen) = (LogPlace::FIRST, Vec::new());
        loop {
            let rows = t.db.log_rows(one, after).await.expect("answers");
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            seen.extend(rows.into_iter().flat_map(|(_, row)| row.entries));
        }
        assert_eq!(seen, all.iter().map(|new| new.record.clone()).collect::<Vec<_>>());
        let since = t.db.log_rows(one, LogPlace::before(AT + 38_000_000)).await.expect("answers");
        assert_eq!(since.len(), 2);
        let (mut first, mut second) = (t.db.log_rows(one, LogPlace::FIRST).await, t.db.log_rows(one, LogPlace::FIRST).await);
        let mut row = first.as_mut().expect("answers").remove(0).1;
        let mut stale = second.as_mut().expect("answers").remove(0).1;
        (row.entries[0].subject, row.bodies[0]) = (None, LogBodies::default());
        stale.entries[0].subject = Some("other".into());
        t.db.transaction(async move |db: &mut Db<'_>| rewrite(db, one, &row).await).await.expect("stored");
        let outcome = t.db.transaction(async move |db: &mut Db<'_>| rewrite(db, one, &stale).await).await;
        assert_eq!(refusal(outcome), "Stale");
        let found = t.db.find_log_record(one, all[0].record.id).await.expect("answers").expect("there");
        assert_eq!((found.0.subject, found.1), (None, LogBodies::default()));
        assert_eq!(t.db.find_log_record(one, all[1].record.id).await.expect("answers").expect("there").1, all[1].bodies);
    }

    async fn entries_are_found_by_a_name_through_the_filters(t: &TestDatabase) {
        let one = OrganizationId(uuid());
        let mut all: Vec<_> = (0..1_500).map(|n| entry(one, AT + n * 250_000, 0)).collect();
        let person = all[1_200].record.resource.expect("an id");
        all[1_400].names.push(person.to_string());
        t.db.insert_log_records(all.clone(), vec![]).await.expect("inserted");
        let (mut after, mut found, mut looks) = (LogPlace::FIRST, Vec::new(), 0);
        loop {
            let (some, next) = t.db.log_records_naming(one, &person.to_string(), after).await.expect("answers");
            found.extend(some.into_iter().map(|record| record.id));
            looks += 1;
            let Some(next) = next else { break };
            after = next;
        }
        assert_eq!(looks, 2);
        assert!([1_200, 1_400].iter().all(|n| found.contains(&all[*n].record.id)) && found.len() < 300, "{}", found.len());
    }

    async fn a_window_reads_no_more_rows_than_are_good_for_it(t: &TestDatabase) {
        let one = OrganizationId(uuid());
        let all = (0..200).map(|n| entry(one, AT + n * 250_000, 0));
        t.db.insert_log_records(all.collect(), vec![]).await.expect("inserted");
        let window = Window { from: LogEntryId::at(0, 0), backwards: false, limit: 1_000 };
        let page = t.db.log_records(one, &LogSelection::All, &window, false).await.expect("answers");
        assert!(page.entries.len() == 64 && page.next.is_some(), "{}", page.entries.len());
        assert_eq!(log(t, one, &LogSelection::All).await.len(), 200);
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
