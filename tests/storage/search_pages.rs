//! Pages visit every resource once and in order, also while others come and go; totals are exact.

use std::cmp::Ordering;

use rollcall::protocol::compare;
use rollcall::protocol::schema::ResourceKind;
use rollcall::storage::write::Action;
use rollcall::storage::{References, Search};
use serde_json::Value;
use uuid::Uuid;

use crate::helpers::*;
use crate::search_data::*;

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

/// The key by which a resource sorts: primary value or first, folded unless exact.
fn key(whole: &Whole, path: &str, exact: bool) -> Option<Value> {
    let (_, resource) = whole;
    let (holder, path) = match path.rsplit_once(':') {
        Some((urn, rest)) => (resource.get(urn)?.as_object()?, rest),
        None => (resource, path),
    };
    let (name, sub) = path.split_once('.').unwrap_or((path, "value"));
    let top = match holder.get(name)? {
        Value::Array(all) => all.iter().find(|e| e["primary"] == true).or_else(|| all.first())?,
        single => single,
    };
    let value = if top.is_object() { top.get(sub)? } else { top };
    Some(match value {
        Value::String(text) if !exact => compare::fold(text).into_owned().into(),
        other => other.clone(),
    })
}

fn order(a: &Option<Value>, b: &Option<Value>) -> Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// Every page in turn, each beginning where the last one ended.
async fn walk(
    t: &TestDatabase,
    s: rollcall::domain::ids::Scope,
    kind: ResourceKind,
    asked: &Search,
) -> (Vec<u64>, Vec<Uuid>) {
    let (mut totals, mut out) = (Vec::new(), Vec::new());
    loop {
        let next = Search { start_index: out.len() as u64 + 1, ..asked.clone() };
        let (total, page) = ids(t, s, kind, &next).await;
        totals.push(total);
        if page.is_empty() {
            return (totals, out);
        }
        out.extend(page);
    }
}

on_both! {
    async fn pages_visit_each_once_in_the_order_of_any_attribute(t: &TestDatabase) {
        let (s, mut r, mut known) = (scope(), Random(5), Vec::new());
        for number in 0..37 {
            known.push(id());
            t.commit(s, insert(known[number], &user(&mut r, number, false))).await.expect("a user");
        }
        let whole = all(t, s, ResourceKind::User, &known).await;
        let paths = [
            "id", "userName", "displayName", "externalId", "title", "active", "name.familyName", "emails.value", "emails.type",
            "meta.created", "meta.version", DEPARTMENT,
        ];
        for path in paths {
            let exact = matches!(path, "id" | "externalId" | "meta.version" | "meta.created");
            for descending in [false, true] {
                for filter in [None, Some("active pr"), Some("title pr")] {
                    let present = |w: &&Whole| filter.is_none_or(|f| w.1.contains_key(f.trim_end_matches(" pr")));
                    let mut wanted: Vec<&Whole> = whole.iter().filter(present).collect();
                    wanted.sort_by(|a, b| order(&key(a, path, exact), &key(b, path, exact)).then(a.0.cmp(&b.0)));
                    if descending {
                        wanted.reverse();
                    }
                    let wanted: Vec<Uuid> = wanted.into_iter().map(|(id, _)| *id).collect();
                    let bound = filter.map(|f| (f, bound(ResourceKind::User, f)));
                    let mut asked = search(bound, 1, 5);
                    asked.sort = Some(sorted_by(ResourceKind::User, path, descending));
                    let name = format!("{path} {descending} {filter:?}");
                    let (totals, found) = walk(t, s, ResourceKind::User, &asked).await;
                    assert_eq!(found, wanted, "{name}");
                    assert!(totals.iter().all(|total| *total == wanted.len() as u64), "{name}: {totals:?}");
                    // Jumps, which follow no page.
                    for start in [4_u64, 11, 30, 36, 90] {
                        let jump = Search { start_index: start, count: 4, ..asked.clone() };
                        let of_page: Vec<Uuid> = wanted.iter().skip(start as usize - 1).take(4).copied().collect();
                        let found = ids(t, s, ResourceKind::User, &jump).await;
                        assert_eq!(found, (wanted.len() as u64, of_page), "{name} from {start}");
                    }
                }
            }
        }
    }

    async fn a_walk_misses_and_repeats_none_of_those_that_stay(t: &TestDatabase) {
        let s = scope();
        let mut stay = Vec::new();
        let mut go = Vec::new();
        for n in 0..30 {
            let user = id();
            t.commit(s, insert_user(user, &format!("user{n:02}"))).await.expect("a user");
            if n % 3 == 0 { go.push(user) } else { stay.push(user.0) }
        }
        for sort in [None, Some(sorted_by(ResourceKind::User, "userName", false))] {
            let mut found = Vec::new();
            let mut start = 1;
            loop {
                let asked = Search { sort: sort.clone(), ..search(None, start, 7) };
                let (_, page) = ids(t, s, ResourceKind::User, &asked).await;
                if page.is_empty() {
                    break;
                }
                start += page.len() as u64;
                found.extend(page);
                // Someone goes whom the walk has passed, and someone comes in front of it.
                if let Some(gone) = go.pop() {
                    t.commit(s, Action::DeleteUser { id: gone, expected: None }).await.expect("deleted");
                }
                let first = format!("aaa{}-{start}", sort.is_some());
                if sort.is_some() {
                    t.commit(s, insert_user(id(), &first)).await.expect("a user");
                }
            }
            let seen: Vec<Uuid> = found.iter().filter(|id| stay.contains(id)).copied().collect();
            assert_eq!(seen, stay);
            let mut distinct = found.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), found.len());
        }
    }

    async fn totals_follow_every_write(t: &TestDatabase) {
        let s = scope();
        let asked = |filter: &'static str, start, count| search(Some((filter, bound(ResourceKind::User, filter))), start, count);
        let filters = ["userName sw \"u\"", "userName co \"ser\"", "not (title pr)", "active eq true"];
        let mut known = Vec::new();
        for n in 0..12_u64 {
            let user = id();
            t.commit(s, insert_user(user, &format!("user{n}"))).await.expect("a user");
            known.push(user);
            for filter in filters {
                for (start, count) in [(1, 0), (1, 3), (4, 3)] {
                    let (total, _) = ids(t, s, ResourceKind::User, &asked(filter, start, count)).await;
                    assert_eq!(total, n + 1, "{filter} {start} {count}");
                }
            }
            assert_eq!(ids(t, s, ResourceKind::User, &search(None, 1, 0)).await, (n + 1, vec![]));
        }
        for (gone, n) in known.iter().zip((0..12_u64).rev()) {
            t.commit(s, Action::DeleteUser { id: *gone, expected: None }).await.expect("deleted");
            for filter in filters {
                assert_eq!(ids(t, s, ResourceKind::User, &asked(filter, 4, 3)).await.0, n, "{filter}");
            }
            assert_eq!(ids(t, s, ResourceKind::User, &search(None, 1, 5)).await.0, n);
        }
    }

    async fn scopes_never_meet(t: &TestDatabase) {
        let s = scope();
        let scopes = [s, other_connection(s), scope()];
        let mut r = Random(11);
        for (n, inside) in scopes.iter().enumerate() {
            for number in 0..9 {
                let user = insert(id(), &user(&mut r, 100 * n + number, false));
                t.commit(*inside, user).await.expect("a user");
            }
        }
        for sort in ["id", "userName", "displayName", "title"] {
            let mut seen = Vec::new();
            for inside in scopes {
                let asked = Search { sort: Some(sorted_by(ResourceKind::User, sort, false)), ..search(None, 1, 4) };
                let (totals, found) = walk(t, inside, ResourceKind::User, &asked).await;
                assert_eq!((found.len(), totals[0]), (9, 9), "{sort}");
                seen.extend(found);
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 27, "{sort}");
        }
    }

    async fn lists_bring_what_the_finders_bring(t: &TestDatabase) {
        let s = scope();
        let users = t.users(s, ["a", "b", "c"]).await;
        let inner = t.group(s, "Inner \u{1f}|:,", &users[..2]).await;
        let outer = t.group(s, "Outer", &[users[0], inner]).await;
        for references in [References::Skip, References::UpTo(1), References::All] {
            for filter in [None, Some("displayName pr")] {
                let user_filter = filter.map(|f| (f, bound(ResourceKind::User, f)));
                let asked = Search { references, ..search(user_filter, 1, 10) };
                let found = t.db.search_users(s, &asked).await.expect("answers").records;
                for (record, id) in found.iter().zip(users) {
                    assert_eq!(Some(record), t.db.find_user(s, id, references).await.expect("answers").as_ref());
                }
                assert_eq!(found.len(), 3);
                let group_filter = filter.map(|f| (f, bound(ResourceKind::Group, f)));
                let asked = Search { references, ..search(group_filter, 1, 10) };
                let found = t.db.search_groups(s, &asked).await.expect("answers").records;
                for (record, id) in found.iter().zip([inner, outer]) {
                    assert_eq!(Some(record), t.db.find_group(s, id, references).await.expect("answers").as_ref());
                }
                assert_eq!(found.len(), 2);
            }
        }
    }
}
