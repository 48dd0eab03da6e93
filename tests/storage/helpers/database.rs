//! Makes and removes the database of one test.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use rollcall::storage::{Database, DatabaseOptions};

/// Which backend a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one test.
pub(crate) struct TestDatabase {
    pub(crate) db: Database,
    pub(crate) kind: Kind,
    pub(crate) url: String,
}

/// What to remove afterwards.
enum Home {
    Directory { _dir: tempfile::TempDir },
    Database(String),
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> String {
    std::env::var("ROLLCALL_TEST_POSTGRES_URL").expect(
        "set ROLLCALL_TEST_POSTGRES_URL to a PostgreSQL server, e.g. postgres://user:password@127.0.0.1:5432/postgres",
    )
}

/// The server's URL with another database name.
fn url_of(name: &str) -> String {
    let server = server();
    let (head, query) = server.split_once('?').unwrap_or((&server, ""));
    let (authority, _) = head.rsplit_once('/').expect("a URL with a database name");
    if query.is_empty() { format!("{authority}/{name}") } else { format!("{authority}/{name}?{query}") }
}

async fn on_server(sql: String) {
    let mut conn = AsyncPgConnection::establish(&server()).await.expect("PostgreSQL answers");
    conn.batch_execute(&sql).await.expect("the test user may create databases");
}

pub(crate) fn options(url: &str) -> DatabaseOptions {
    DatabaseOptions {
        url: url.to_owned(),
        connections: 4,
        workers: 1,
        pool_wait: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    }
}

/// Runs `body` in a runtime like that of a server's worker, with a fresh, migrated database.
pub(crate) fn run(kind: Kind, name: &str, body: impl AsyncFnOnce(&TestDatabase)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (url, home) = make(&runtime, kind, name);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let db = Database::open(&options(&url)).await.expect("opens");
            db.migrate().await.expect("migrates");
            let test = TestDatabase { db, kind, url };
            body(&test).await;
            test.db.close().await;
        });
    }));
    if let Home::Database(name) = home {
        runtime.block_on(on_server(format!("DROP DATABASE {name} WITH (FORCE)")));
    }
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

fn make(runtime: &tokio::runtime::Runtime, kind: Kind, name: &str) -> (String, Home) {
    match kind {
        Kind::Sqlite => {
            let dir = tempfile::tempdir().expect("a directory");
            (format!("sqlite://{}", dir.path().join("test.db").display()), Home::Directory { _dir: dir })
        }
        Kind::Postgres => {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let short: String = name.chars().take(30).collect();
            let name = format!("rollcall_{}_{number}_{short}", std::process::id());
            runtime.block_on(on_server(format!("CREATE DATABASE {name}")));
            (url_of(&name), Home::Database(name))
        }
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl TestDatabase {
    /// Rows of a query with one text column, in order. `{hex:x}` renders an id as 32 digits on both backends.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        let query = format!("SELECT line FROM ({}) AS q ORDER BY line", self.spell(sql));
        let rows: Vec<Line> = match self.kind {
            Kind::Sqlite => {
                let mut conn = self.open_file();
                diesel::RunQueryDsl::load(diesel::sql_query(query), &mut conn).expect("query")
            }
            Kind::Postgres => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                diesel_async::RunQueryDsl::load(diesel::sql_query(query), &mut conn).await.expect("query")
            }
        };
        rows.into_iter().map(|row| row.line).collect()
    }

    /// Runs statements beside the database handle.
    pub(crate) async fn execute(&self, sql: &str) {
        match self.kind {
            Kind::Sqlite => {
                diesel::connection::SimpleConnection::batch_execute(&mut self.open_file(), sql).expect("statements");
            }
            Kind::Postgres => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                conn.batch_execute(sql).await.expect("statements");
            }
        }
    }

    /// Another process's write on the file, until the answer is dropped.
    pub(crate) fn hold_write_lock(&self) -> SqliteConnection {
        let mut conn = self.open_file();
        diesel::connection::SimpleConnection::batch_execute(&mut conn, "BEGIN IMMEDIATE").expect("the lock");
        conn
    }

    fn open_file(&self) -> SqliteConnection {
        let path = self.url.strip_prefix("sqlite://").expect("a file");
        let mut conn = SqliteConnection::establish(path).expect("opens");
        diesel::connection::SimpleConnection::batch_execute(&mut conn, "PRAGMA busy_timeout=20000").expect("pragma");
        conn
    }

    fn spell(&self, sql: &str) -> String {
        let mut out = String::new();
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once("{hex:") {
            let (column, tail) = after.split_once('}').expect("a closing brace");
            out.push_str(before);
            out.push_str(&match self.kind {
                Kind::Sqlite => format!("lower(hex({column}))"),
                Kind::Postgres => format!("replace({column}::text, '-', '')"),
            });
            rest = tail;
        }
        out + rest
    }
}
