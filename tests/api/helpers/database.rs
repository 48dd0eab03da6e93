//! Makes and removes the database of one test.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};

/// Which backend a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A database that goes when the test ends.
pub(super) struct Home {
    pub(super) url: String,
    directory: Option<tempfile::TempDir>,
    database: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// A transaction of somebody else, which ends when this is dropped.
#[allow(dead_code, reason = "held, not read")]
pub(crate) enum Lock {
    Sqlite(Box<diesel::SqliteConnection>),
    Postgres(Box<AsyncPgConnection>),
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

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

impl Home {
    pub(super) async fn make(kind: Kind, test: &str) -> Self {
        match kind {
            Kind::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory");
                let url = format!("sqlite://{}", directory.path().join("test.db").display());
                Home { url, directory: Some(directory), database: None }
            }
            Kind::Postgres => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let short: String = test.chars().take(30).collect();
                let name = format!("rollcall_api_{}_{number}_{short}", std::process::id());
                on_server(format!("CREATE DATABASE {name}")).await;
                Home { url: url_of(&name), directory: None, database: Some(name) }
            }
        }
    }

    pub(super) async fn remove(self) {
        if let Some(name) = self.database {
            on_server(format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        drop(self.directory);
    }

    /// Rows of a query with one text column `line`, in order; `{nil}` is the nil id.
    pub(super) async fn lines(&self, sql: &str) -> Vec<String> {
        let sqlite = self.url.strip_prefix("sqlite://");
        let nil = if sqlite.is_some() { "zeroblob(16)" } else { "'00000000-0000-0000-0000-000000000000'::uuid" };
        let query = diesel::sql_query(format!("SELECT line FROM ({}) AS q ORDER BY line", sql.replace("{nil}", nil)));
        let rows: Vec<Line> = match sqlite {
            Some(path) => {
                use diesel::Connection as _;
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                diesel::RunQueryDsl::load(query, &mut conn).expect("query")
            }
            None => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                diesel_async::RunQueryDsl::load(query, &mut conn).await.expect("query")
            }
        };
        rows.into_iter().map(|row| row.line).collect()
    }

    /// Every row of every table as text.
    pub(super) async fn dump(&self) -> Vec<String> {
        // Each line of these is a query. Tables of SQLite's search index hold no text of their own.
        let queries = if self.url.starts_with("sqlite://") {
            r#"SELECT 'SELECT concat_ws(''|'', ''' || m.name || ''', quote("' || group_concat(p.name, '"), quote("') || '")) AS line FROM ' || m.name AS line
               FROM sqlite_master m JOIN pragma_table_info(m.name) p
               WHERE m.type = 'table' AND m.sql NOT LIKE '%fts5%' AND m.name NOT LIKE '%search%' GROUP BY m.name"#
        } else {
            "SELECT format('SELECT concat_ws(''|'', %L, t::text) AS line FROM %I t', table_name, table_name) AS line \
             FROM information_schema.tables WHERE table_schema = current_schema"
        };
        let mut all = Vec::new();
        for query in self.lines(queries).await {
            all.extend(self.lines(&query).await);
        }
        all
    }

    /// Number of rows of a query.
    pub(super) async fn rows(&self, sql: &str) -> usize {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                use diesel::Connection as _;
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                diesel::RunQueryDsl::execute(diesel::sql_query("PRAGMA busy_timeout=20000"), &mut conn)
                    .expect("pragma");
                let counted = format!("SELECT count(*) AS n FROM ({sql}) AS counted");
                let rows: Vec<Count> =
                    diesel::RunQueryDsl::load(diesel::sql_query(counted), &mut conn).expect("a query");
                rows[0].n as usize
            }
            None => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                let counted = format!("SELECT count(*) AS n FROM ({sql}) AS counted");
                let rows: Vec<Count> =
                    diesel_async::RunQueryDsl::load(diesel::sql_query(counted), &mut conn).await.expect("a query");
                rows[0].n as usize
            }
        }
    }

    /// The number that a query answers as `n`.
    pub(super) async fn count(&self, sql: &str) -> i64 {
        let query = diesel::sql_query(sql);
        let row: Count = match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                use diesel::Connection as _;
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                diesel::RunQueryDsl::get_result(query, &mut conn).expect("a row")
            }
            None => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                diesel_async::RunQueryDsl::get_result(query, &mut conn).await.expect("a row")
            }
        };
        row.n
    }

    /// Runs statements beside the application.
    pub(super) async fn execute(&self, sql: &str) {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                use diesel::Connection as _;
                use diesel::connection::SimpleConnection as _;
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                conn.batch_execute("PRAGMA busy_timeout=20000").expect("pragma");
                conn.batch_execute(sql).expect("statements");
            }
            None => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                conn.batch_execute(sql).await.expect("statements");
            }
        }
    }

    /// Keeps the application from writing, and on PostgreSQL from reading people too, until it is dropped.
    pub(super) async fn lock(&self) -> Lock {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                use diesel::Connection as _;
                use diesel::connection::SimpleConnection as _;
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                conn.batch_execute("PRAGMA busy_timeout=20000; BEGIN IMMEDIATE").expect("a lock");
                Lock::Sqlite(Box::new(conn))
            }
            None => {
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                conn.batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
                Lock::Postgres(Box::new(conn))
            }
        }
    }

    /// The number that a query of one number answers.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        let sql = diesel::sql_query(format!("SELECT CAST(({sql}) AS BIGINT) AS number"));
        let row: Number = match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                use diesel::{Connection as _, RunQueryDsl as _};
                let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                sql.get_result(&mut conn).expect("a number")
            }
            None => {
                use diesel_async::RunQueryDsl as _;
                let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                sql.get_result(&mut conn).await.expect("a number")
            }
        };
        row.number
    }
}
