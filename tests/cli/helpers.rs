//! Runs the binary, with nothing of the test's environment but what a test gives it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::Value;

/// Which backend a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Runs each body on both backends.
macro_rules! on_both {
    ($(fn $name:ident($home:ident: &Home) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a body may need nothing")]
            use super::*;
            fn body($home: &$crate::helpers::Home) $body
            #[test]
            fn sqlite() {
                body(&$crate::helpers::Home::new($crate::helpers::Kind::Sqlite));
            }
            #[test]
            fn postgres() {
                body(&$crate::helpers::Home::new($crate::helpers::Kind::Postgres));
            }
        }
    )*};
}

/// Base64 of 32 bytes, known to the tests alone.
pub(crate) const SECRET_KEY: &str = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=";

/// A folder and an empty database.
pub(crate) struct Home {
    pub(crate) kind: Kind,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database_url: String,
    /// Name of the database on the server, to be dropped.
    database: Option<String>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server_url() -> String {
    std::env::var("ROLLCALL_TEST_POSTGRES_URL").expect(
        "set ROLLCALL_TEST_POSTGRES_URL to a PostgreSQL server, e.g. postgres://user:password@127.0.0.1:5432/postgres",
    )
}

fn on_server(sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut conn = AsyncPgConnection::establish(&server_url()).await.expect("PostgreSQL answers");
        conn.batch_execute(sql).await.expect("the test user may create databases");
    });
}

impl Home {
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (database_url, database) = match kind {
            Kind::Sqlite => ("sqlite://test.db".to_owned(), None),
            Kind::Postgres => {
                let name = format!("rollcall_cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
                on_server(&format!("CREATE DATABASE {name}"));
                let server = server_url();
                let (authority, _) = server.rsplit_once('/').expect("a URL with a database name");
                (format!("{authority}/{name}"), Some(name))
            }
        };
        Home { kind, folder, database_url, database }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary with the settings that a backend needs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), arguments);
        command.env("ROLLCALL_DATABASE_URL", &self.database_url);
        if self.kind == Kind::Postgres {
            command.env("ROLLCALL_SECRET_KEY", SECRET_KEY);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments))
    }

    /// Runs a command that must succeed with `--json`; answers what it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut with_json = arguments.to_vec();
        with_json.push("--json");
        let done = self.run(&with_json);
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        assert_eq!(done.stdout.trim_end().lines().count(), 1, "{done:?}");
        serde_json::from_str(&done.stdout).expect("JSON")
    }

    /// Starts a server on a free port.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(settings.iter().copied());
        Server::start(command, self.path("server.log"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(name) = &self.database {
            on_server(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// The binary in a folder, without any setting.
pub(crate) fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Done { code: status.code().expect("an exit code"), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Asserts a refusal that says this.
    #[track_caller]
    pub(crate) fn is_refused(&self, text: &str) {
        assert_eq!(self.code, 1, "{self:?}");
        assert!(self.stderr.contains(text), "{text}: {self:?}");
    }
}

/// A running server. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    /// What it printed before it was ready to be asked.
    pub(crate) greeting: String,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = std::fs::File::create(&log).expect("a log file");
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut greeting = String::new();
        // The last line of both greetings names the API: the curl line, or how to make a token.
        while !greeting.contains("/scim/v2/Users") && !greeting.contains("token create") {
            let n = stdout.read_line(&mut greeting).expect("UTF-8");
            let log = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(n > 0, "the server ended: {greeting} {}", log());
        }
        let (_, after) = greeting.split_once("serves http").expect("an address");
        let after = after.trim_start_matches(['s', ':', '/']);
        let address = after.split_whitespace().next().expect("an address").to_owned();
        Server { child, stdout, greeting, address }
    }

    /// Status and whole text of a GET answer.
    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        get(&self.address, path, token)
    }

    /// Sends SIGTERM and waits; answers the exit code and what it printed since the greeting.
    pub(crate) fn stop(mut self) -> (i32, String) {
        self.signal("TERM");
        let code = self.child.wait().expect("it ends").code().expect("an exit code");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("UTF-8");
        (code, rest)
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and whole text of a GET answer.
pub(crate) fn get(address: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let authorization = token.map_or_else(String::new, |t| format!("Authorization: Bearer {t}\r\n"));
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {text}")), text)
}
