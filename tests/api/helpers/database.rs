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

    /// Everything that some tables hold, as text.
    pub(super) async fn dump(&self, tables: &[&str]) -> String {
        let mut all = String::new();
        for table in tables {
            let rows: Vec<Line> = match self.url.strip_prefix("sqlite://") {
                Some(path) => {
                    use diesel::Connection as _;
                    let mut conn = diesel::SqliteConnection::establish(path).expect("opens");
                    let columns = format!(
                        "SELECT group_concat('CASE typeof(' || name || ') WHEN ''blob'' THEN hex(' || name || ') \
                         ELSE coalesce(CAST(' || name || ' AS TEXT), '''') END', ' || ''|'' || ') AS line \
                         FROM pragma_table_info('{table}')"
                    );
                    let columns: Vec<Line> =
                        diesel::RunQueryDsl::load(diesel::sql_query(columns), &mut conn).expect("columns");
                    let query = format!("SELECT {} AS line FROM {table}", columns[0].line);
                    diesel::RunQueryDsl::load(diesel::sql_query(query), &mut conn).expect("rows")
                }
                None => {
                    let mut conn = AsyncPgConnection::establish(&self.url).await.expect("connect");
                    let query = format!("SELECT t::text AS line FROM {table} t");
                    diesel_async::RunQueryDsl::load(diesel::sql_query(query), &mut conn).await.expect("rows")
                }
            };
            rows.iter().for_each(|row| all += &format!("{}\n", row.line));
        }
        all
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
}
