//! CPU time of storage alone: point reads and writes by 1, 8 and 32 clients, in µs per operation of this process (and of
//! all PostgreSQL processes of the machine). `cargo bench --bench storage [-- URL]`; without URL a SQLite file beside
//! the build, which is removed. Budgets are in `docs/performance.md`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rollcall::domain::ids::{ConnectionId, EventId, OrganizationId, ResourceId, Scope};
use rollcall::storage::write::{
    Action, AttributeValue, Change, GroupColumns, MemberChange, UnknownMembers, UserColumns, Write,
};
use rollcall::storage::{Backend, Database, DatabaseOptions, References};
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USERS: u64 = 20_000;
const GROUPS: u64 = 32;
const WARM_UP: Duration = Duration::from_millis(300);
const MEASURED: Duration = Duration::from_millis(2500);

#[derive(Debug, Clone, Copy)]
enum Workload {
    Get,
    Insert,
    Patch,
    Member,
}

/// Ids in the shape of UUIDv7: the kind of thing above the number.
fn uuid(kind: u128, n: u64) -> Uuid {
    Uuid::from_u128((0x0190_0000_0000_7000_8000_u128 << 48) + (kind << 40) + u128::from(n))
}

fn user(n: u64) -> ResourceId {
    ResourceId(uuid(1, n))
}

fn group(n: u64) -> ResourceId {
    ResourceId(uuid(2, n))
}

fn scope() -> Scope {
    Scope { organization: OrganizationId(uuid(3, 1)), connection: ConnectionId(uuid(4, 1)) }
}

fn write(action: Action) -> Write {
    static EVENTS: AtomicU64 = AtomicU64::new(0);
    let event = EventId(uuid(5, EVENTS.fetch_add(1, Relaxed)));
    let detail = r#"{"changed":["active"],"before":{"active":true},"after":{"active":false}}"#.to_owned();
    let at = 1_700_000_000_000_000;
    let actor = "scim_token:01900000-0000-7000-8000-000000000000".to_owned();
    let request_id = "01900000-0000-7000-8000-000000000001".to_owned();
    Write { scope: scope(), at, actor, request_id, changes: vec![Change { action, event, detail }], shows_group: false }
}

fn columns(n: u64, active: bool) -> UserColumns {
    let name = format!("user{n}@example.com");
    let document = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{name}","active":{active},"filler":"{}"}}"#,
        "x".repeat(780)
    );
    UserColumns {
        user_name_key: name.clone(),
        user_name: name,
        external_id_key: Some(format!("external-{n}")),
        active: Some(active),
        access: active,
        display_name: Some(format!("User Number {n}")),
        display_name_key: Some(format!("user number {n}")),
        document,
    }
}

fn insert(n: u64) -> Action {
    let value = |value_key: String, type_key: &str, primary| AttributeValue {
        attribute: 1,
        value_key,
        type_key: type_key.to_owned(),
        primary,
    };
    let values = vec![
        value(format!("user{n}@example.com"), "work", true),
        value(format!("user{n}@home.example.org"), "home", false),
    ];
    Action::InsertUser { id: user(n), columns: columns(n, true), values }
}

fn replace(n: u64, expected: i64) -> Action {
    let columns = columns(n, expected % 2 == 0);
    Action::ReplaceUser { id: user(n), expected, columns, renames: false, add_values: vec![], remove_values: vec![] }
}

fn members(n: u64, members: MemberChange) -> Action {
    let unknown_members = UnknownMembers::Refuse;
    Action::UpdateGroup { id: group(n), expected: None, columns: None, members, unknown_members }
}

/// Users, and groups of ten; the first users are in two groups.
async fn seed(db: &Database) -> Result<()> {
    db.migrate().await?;
    for chunk in (0..USERS).collect::<Vec<_>>().chunks(500) {
        let mut all = write(insert(0));
        all.changes = chunk.iter().flat_map(|n| write(insert(*n)).changes).collect();
        db.commit(all).await?;
    }
    for n in 0..GROUPS {
        let display_name = format!("Group {n}");
        let columns = GroupColumns {
            display_name_key: display_name.to_lowercase(),
            display_name,
            unique_name: true,
            external_id_key: None,
            document: format!(r#"{{"displayName":"Group {n}"}}"#),
        };
        let members = (0..10).map(|m| user((n / 2) * 10 + m)).collect();
        let unknown_members = UnknownMembers::Refuse;
        db.commit(write(Action::InsertGroup { id: group(n), columns, members, unknown_members })).await?;
    }
    Ok(())
}

struct Shared {
    db: Database,
    clients: u64,
    /// Of the seeded users; each has one client that patches it, so that nothing need be read.
    versions: Arc<Vec<AtomicI64>>,
    next: AtomicU64,
    done: AtomicU64,
    stop: AtomicBool,
}

async fn client(shared: Arc<Shared>, workload: Workload, me: u64) -> Result<()> {
    let mut own = me;
    while !shared.stop.load(Relaxed) {
        match workload {
            Workload::Get => {
                // Many for each look at the clock: a read takes a few microseconds and never yields.
                for _ in 0..16 {
                    own = (own + 7919) % (GROUPS / 2 * 10);
                    let found = shared.db.find_user(scope(), user(own), References::All).await?;
                    if found.is_none_or(|u| u.groups.len() != 2) {
                        return Err("a user with two groups was expected".into());
                    }
                }
                shared.done.fetch_add(15, Relaxed);
                tokio::task::yield_now().await;
            }
            Workload::Insert => {
                shared.db.commit(write(insert(shared.next.fetch_add(1, Relaxed)))).await?;
            }
            Workload::Patch => {
                own = (own + shared.clients) % (USERS - USERS % shared.clients);
                let version = usize::try_from(own).ok().and_then(|n| shared.versions.get(n)).ok_or("a seeded user")?;
                shared.db.commit(write(replace(own, version.load(Relaxed)))).await?;
                version.fetch_add(1, Relaxed);
            }
            Workload::Member => {
                let n = shared.next.fetch_add(1, Relaxed);
                let (member, round) = (user(1000 + n % 8000), n / 8000);
                let one = vec![member];
                let change = if round % 2 == 0 {
                    MemberChange::Delta { add: one, remove: vec![] }
                } else {
                    MemberChange::Delta { add: vec![], remove: one }
                };
                shared.db.commit(write(members(n % GROUPS, change))).await?;
            }
        }
        shared.done.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// CPU time of a process in µs (ticks of 10 ms).
fn cpu_of(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * 10_000)
}

fn own_cpu() -> u64 {
    std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_of(&stat)).unwrap_or(0)
}

/// All PostgreSQL processes of the machine, so it must serve nobody else meanwhile; one that ends takes its time along.
fn server_cpu(db: &Database) -> u64 {
    if db.backend() == Backend::Sqlite {
        return 0;
    }
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter(|stat| stat.contains("(postgres)")).filter_map(|stat| cpu_of(&stat)).sum()
}

fn measure(
    runtime: &tokio::runtime::Runtime,
    db: &Database,
    versions: &Arc<Vec<AtomicI64>>,
    workload: Workload,
    clients: u64,
    first: u64,
) -> Result<u64> {
    let shared = Arc::new(Shared {
        db: db.clone(),
        clients,
        versions: versions.clone(),
        next: AtomicU64::new(first),
        done: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..clients).map(|n| local.spawn_local(client(shared.clone(), workload, n))).collect();
        let observer = shared.clone();
        let observed = local.spawn_local(async move {
            tokio::time::sleep(WARM_UP).await;
            let (began, done) = (Instant::now(), observer.done.load(Relaxed));
            let (own, other) = (own_cpu(), server_cpu(&observer.db));
            tokio::time::sleep(MEASURED).await;
            let operations = (observer.done.load(Relaxed) - done).max(1);
            let (own, other) = (own_cpu() - own, server_cpu(&observer.db).saturating_sub(other));
            observer.stop.store(true, Relaxed);
            let each = |cpu: u64| cpu as f64 / operations as f64;
            println!(
                "{:8} {clients:3} clients {:8.0}/s  cpu {:6.1} + {:6.1} = {:6.1} us",
                format!("{workload:?}").to_lowercase(),
                operations as f64 / began.elapsed().as_secs_f64(),
                each(own),
                each(other),
                each(own + other),
            );
        });
        local
            .run_until(async {
                observed.await?;
                for task in tasks {
                    task.await??;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
            .await
    })?;
    Ok(shared.next.load(Relaxed))
}

fn main() -> Result<()> {
    let given = std::env::args().skip(1).find(|argument| argument.contains("://"));
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let url = given.unwrap_or_else(|| format!("sqlite://{}", directory.path().join("bench.db").display()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = DatabaseOptions {
        url,
        connections: 8,
        workers: 1,
        pool_wait: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
    };
    let db = runtime.block_on(Database::open(&options))?;
    runtime.block_on(seed(&db))?;
    let mut inserted = USERS;
    let versions = Arc::new((0..USERS).map(|_| AtomicI64::new(1)).collect());
    for workload in [Workload::Get, Workload::Insert, Workload::Patch, Workload::Member] {
        for clients in [1, 8, 32] {
            let next = match workload {
                Workload::Insert => inserted,
                _ => 0,
            };
            let next = measure(&runtime, &db, &versions, workload, clients, next)?;
            if let Workload::Insert = workload {
                inserted = next;
            }
        }
    }
    runtime.block_on(db.close());
    Ok(())
}
