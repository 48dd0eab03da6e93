//! Time of searches at size, through storage alone: pages by id and by name, jumps, filters with and without an index.
//! `cargo bench --bench search -- URL [USERS]` fills an empty database first (SQLite: a file that stays). Prints the best
//! of five, in ms; budgets are in `docs/performance.md`.

use std::error::Error;
use std::time::{Duration, Instant};

use rollcall::domain::ids::{ConnectionId, EventId, OrganizationId, ResourceId, Scope};
use rollcall::protocol::filter::{bind::bind, parse::parse};
use rollcall::protocol::list::Sort;
use rollcall::protocol::policy::Policy;
use rollcall::protocol::resource::Resource;
use rollcall::protocol::schema::{Registry, ResourceKind};
use rollcall::storage::write::{Action, Change, Write};
use rollcall::storage::{Database, DatabaseOptions, References, Search, StorageError, keys};
use serde_json::json;
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Ids in the shape of UUIDv7: the kind of thing above the number.
fn uuid(kind: u128, n: u64) -> Uuid {
    Uuid::from_u128((0x0190_0000_0000_7000_8000_u128 << 48) + (kind << 40) + u128::from(n))
}

fn scope() -> Scope {
    Scope { organization: OrganizationId(uuid(3, 1)), connection: ConnectionId(uuid(4, 1)) }
}

fn insert(n: u64) -> Change {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("{:x}-{n}@example.com", mixed >> 44),
        "externalId": format!("00u{n:09}"), "displayName": format!("Person {:x} of {n}", mixed >> 48),
        "active": !n.is_multiple_of(10), "title": format!("Title {}", n % 1000),
        "emails": [{"value": format!("{n}@work.example.com"), "type": "work", "primary": true},
                   {"value": format!("{:x}@home.example.org", mixed >> 40), "type": "home"}],
        "filler": "x".repeat(550)
    });
    let user = Resource { attributes: user.as_object().cloned().unwrap_or_default() };
    let (columns, values) = keys::user_columns(&user, true);
    let action = Action::InsertUser { id: ResourceId(uuid(1, n)), columns, values };
    Change { action, event: EventId(uuid(5, n)), detail: "{}".to_owned() }
}

async fn fill(db: &Database, users: u64) -> Result<()> {
    db.migrate().await?;
    let found = db.search_users(scope(), &search(None, None, 1, 0)?).await?.total;
    let began = Instant::now();
    let numbers: Vec<u64> = (found..users).collect();
    for chunk in numbers.chunks(500) {
        let changes = chunk.iter().map(|n| insert(*n)).collect();
        let (at, actor, request_id) = (1_700_000_000_000_000, "system".to_owned(), "bench".to_owned());
        db.commit(Write { scope: scope(), at, actor, request_id, changes, shows_group: false }).await?;
    }
    println!("filled {} users in {:.1} s", numbers.len(), began.elapsed().as_secs_f64());
    let began = Instant::now();
    let followed = db.follow_search_index().await?;
    println!("indexed {followed} users in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn search(filter: Option<&str>, sort: Option<&str>, start_index: u64, count: u64) -> Result<Search> {
    let users = Registry::builtin().resource_type(ResourceKind::User);
    let policy = Policy::default();
    let bound = filter.map(|text| bind(&parse(text, &policy.limits)?, users, &policy)).transpose()?;
    let by = sort.and_then(|name| users.resolve(None, name, None));
    Ok(Search {
        filter: bound,
        filter_text: filter.map(str::to_owned),
        sort: by.map(|by| Sort { by, descending: false }),
        start_index,
        count,
        references: References::All,
    })
}

/// The best of five runs of one search; `before` runs unmeasured in front of each.
async fn measure(db: &Database, what: &str, before: Option<&Search>, asked: &Search) -> Result<()> {
    let mut best = Duration::MAX;
    let mut answer = String::new();
    for _ in 0..5 {
        if let Some(before) = before {
            db.search_users(scope(), before).await?;
        }
        let began = Instant::now();
        answer = match db.search_users(scope(), asked).await {
            Ok(found) => format!("{} of {}", found.records.len(), found.total),
            Err(StorageError::TooSlow) => "too slow".to_owned(),
            Err(e) => return Err(e.into()),
        };
        best = best.min(began.elapsed());
    }
    println!("{what:<60} {:>10.3} ms   {answer}", best.as_secs_f64() * 1000.0);
    Ok(())
}

async fn pages(db: &Database, users: u64) -> Result<()> {
    let last = users - 99;
    for sort in [None, Some("displayName"), Some("userName")] {
        let name = sort.unwrap_or("id");
        let page = |start| search(None, sort, start, 100);
        measure(db, &format!("page by {name}: first"), None, &page(1)?).await?;
        measure(db, &format!("page by {name}: second, after the first"), Some(&page(1)?), &page(101)?).await?;
        measure(db, &format!("page by {name}: last, by jump"), None, &page(last)?).await?;
        measure(db, &format!("page by {name}: last, after the one before"), Some(&page(last - 100)?), &page(last)?)
            .await?;
    }
    walk(db, users).await?;
    measure(db, "page by title (document): first", None, &search(None, Some("title"), 1, 100)?).await
}

/// All pages by id in turn: what one costs among the first and among the last.
async fn walk(db: &Database, users: u64) -> Result<()> {
    let all = users / 100;
    let mut spent = Vec::new();
    for page in 0..all {
        let asked = search(None, None, page * 100 + 1, 100)?;
        let began = Instant::now();
        db.search_users(scope(), &asked).await?;
        spent.push(began.elapsed());
    }
    let mean = |part: &[Duration]| part.iter().sum::<Duration>().as_secs_f64() * 1000.0 / part.len().max(1) as f64;
    let part = spent.len().min(500);
    let (first, last) = (spent.get(..part).unwrap_or_default(), spent.get(spent.len() - part..).unwrap_or_default());
    println!("walk by id, mean of the first and the last {part} pages {:>14.3} ms {:.3} ms", mean(first), mean(last));
    Ok(())
}

async fn filters(db: &Database, users: u64) -> Result<()> {
    let n = users / 2;
    let name = insert(n);
    let Action::InsertUser { columns, .. } = name.action else { return Ok(()) };
    for filter in [
        format!("userName eq \"{}\"", columns.user_name),
        format!("externalId eq \"00u{n:09}\""),
        format!("emails[type eq \"work\" and value eq \"{n}@work.example.com\"]"),
        format!("emails.value eq \"{n}@work.example.com\" and title pr"),
        "userName sw \"ab\"".to_owned(),
        "emails.value sw \"ab\"".to_owned(),
        format!("displayName co \"of {n}\""),
        format!("emails.value co \"{n}@work\""),
        "displayName co \"person\"".to_owned(),
        "displayName co \"of\"".to_owned(),
        format!("userName ew \"-{n}@example.com\""),
        "active eq true".to_owned(),
        "title eq \"Title 7\"".to_owned(),
    ] {
        measure(db, &filter, None, &search(Some(&filter), None, 1, 100)?).await?;
    }
    let active = |start| search(Some("active eq true"), None, start, 100);
    measure(db, "active eq true: second page, after the first", Some(&active(1)?), &active(101)?).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let Some(url) = arguments.first() else {
        println!("usage: cargo bench --bench search -- URL [USERS]");
        return Ok(());
    };
    let users: u64 = arguments.get(1).map_or(Ok(200_000), |n| n.parse())?;
    let options = DatabaseOptions {
        url: url.clone(),
        connections: 4,
        workers: 1,
        pool_wait: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(30),
    };
    let db = Database::open(&options).await?;
    fill(&db, users).await?;
    pages(&db, users).await?;
    filters(&db, users).await?;
    db.close().await;
    Ok(())
}
