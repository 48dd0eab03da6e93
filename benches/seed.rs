//! Fills a database with users and groups through storage, for figures at sizes that HTTP would take long to reach.
//!
//! `cargo run --release --example seed -- --database-url URL --token TOKEN --users N [--group-members M]`
//! writes into the organization and connection of the SCIM token. Users are `seed-0000001@example.com` and so on; with
//! `--group-members` one group holds the first M of them.

#![allow(clippy::expect_used, reason = "a tool for figures: it ends at the first failure")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use rollcall::domain::ids::{EventId, ResourceId, Scope};
use rollcall::domain::token;
use rollcall::protocol::resource::Resource;
use rollcall::state::Clock;
use rollcall::storage::write::{Action, Change, MemberChange, UnknownMembers};
use rollcall::storage::{Database, DatabaseOptions, Write, keys};
use serde_json::json;
use uuid::Uuid;

#[derive(Parser)]
struct Arguments {
    /// `sqlite://PATH` or `postgres://…`
    #[arg(long, env = "ROLLCALL_DATABASE_URL")]
    database_url: String,
    /// SCIM token of the connection to fill.
    #[arg(long, env = "SCIM_TOKEN")]
    token: String,
    /// How many users.
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
    /// How many of them become members of one group.
    #[arg(long, default_value_t = 0)]
    group_members: usize,
    /// Writes waiting at once.
    #[arg(long, default_value_t = 256)]
    clients: u64,
}

#[expect(clippy::disallowed_methods, reason = "ids of seeded rows")]
fn id() -> Uuid {
    Uuid::now_v7()
}

fn write(scope: Scope, action: Action) -> Write {
    Write {
        scope,
        at: Clock::system().now(),
        actor: "system".into(),
        request_id: "seed".into(),
        changes: vec![Change { action, event: EventId(id()), detail: "{}".into() }],
        shows_group: false,
    }
}

/// About 1 kB, with the attributes that Entra maps by default.
fn user(n: u64) -> Resource {
    let name = format!("seed-{n:07}@example.com");
    let value = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName": name, "externalId": format!("00u{n:09}"), "active": true,
        "displayName": format!("Seed Person {n:07}"),
        "name": {"formatted": format!("Seed Person {n:07}"), "familyName": format!("Person {n:07}"), "givenName": "Seed"},
        "title": "Engineer of provisioning", "preferredLanguage": "en-US", "locale": "en-US", "timezone": "Europe/Berlin",
        "userType": "Employee", "nickName": "Seed",
        "emails": [{"value": name, "type": "work", "primary": true}, {"value": format!("home-{n:07}@example.org"), "type": "home"}],
        "phoneNumbers": [{"value": format!("+1 555 {n:07}"), "type": "work"}],
        "addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA",
            "postalCode": "91608", "country": "US", "formatted": "100 Universal City Plaza, Hollywood, CA 91608 US", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            {"employeeNumber": format!("{n}"), "costCenter": "4130", "organization": "Example", "division": "Theme Park", "department": "Tour Operations"}
    });
    Resource::from_document(&value.to_string()).expect("an object")
}

async fn seed_users(db: &Database, scope: Scope, arguments: &Arguments) -> Vec<ResourceId> {
    let next = Arc::new(AtomicU64::new(0));
    let tasks = (0..arguments.clients).map(|_| {
        let (db, next, total) = (db.clone(), next.clone(), arguments.users);
        tokio::spawn(async move {
            let mut made = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= total {
                    return made;
                }
                let (columns, values) = keys::user_columns(&user(n), true);
                let user = ResourceId(id());
                db.commit(write(scope, Action::InsertUser { id: user, columns, values })).await.expect("insert");
                made.push((n, user));
            }
        })
    });
    let mut made = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        made.extend(task.await.expect("task"));
    }
    made.sort_unstable();
    made.into_iter().map(|(_, id)| id).collect()
}

async fn seed_group(db: &Database, scope: Scope, members: &[ResourceId]) -> ResourceId {
    let group = ResourceId(id());
    let document =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Seed {}", group)});
    let columns = keys::group_columns(&Resource::from_document(&document.to_string()).expect("an object"), true);
    let insert = Action::InsertGroup { id: group, columns, members: vec![], unknown_members: UnknownMembers::Refuse };
    db.commit(write(scope, insert)).await.expect("group");
    for part in members.chunks(5_000) {
        let members = MemberChange::Delta { add: part.to_vec(), remove: vec![] };
        let update = Action::UpdateGroup {
            id: group,
            expected: None,
            columns: None,
            members,
            unknown_members: UnknownMembers::Refuse,
        };
        db.commit(write(scope, update)).await.expect("members");
    }
    group
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let db = Database::open(&DatabaseOptions {
        url: arguments.database_url.clone(),
        connections: 4,
        workers: 1,
        pool_wait: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(60),
    })
    .await
    .expect("open");
    let credential = db
        .find_credential_across_organizations(&token::hash(&arguments.token))
        .await
        .expect("database")
        .expect("token");
    let scope = Scope { organization: credential.organization, connection: credential.connection };
    let start = Instant::now();
    let users = seed_users(&db, scope, &arguments).await;
    println!("{} users in {:.1} s", users.len(), start.elapsed().as_secs_f64());
    if arguments.group_members > 0 {
        let start = Instant::now();
        let members = users.get(..arguments.group_members).unwrap_or(&users);
        let group = seed_group(&db, scope, members).await;
        println!("group {group} of {} members in {:.1} s", members.len(), start.elapsed().as_secs_f64());
    }
    db.close().await;
}
