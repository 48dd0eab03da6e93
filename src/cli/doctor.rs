//! `rollcall doctor`: checks what a start needs, changes nothing, and says how to mend what is wrong. It looks at every
//! part it can reach, so that one mistake does not hide the next.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Output, Result, block_on, output};
use crate::config::{Given, SecretKeySource, Settings};
use crate::startup::{self, Certificate};
use crate::state::Clock;
use crate::storage::Database;

/// Clocks further apart than this are told, µs.
const CLOCKS_APART: i64 = 5_000_000;

/// Exits with 1 when something is wrong.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    output: Output,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Fine(String),
    /// Worth a look; a start succeeds.
    Doubtful(String),
    /// A start fails, or is unsafe.
    Wrong(String),
}

struct Check {
    part: &'static str,
    finding: Finding,
}

pub(super) fn run(arguments: &Arguments, given: Given) -> Result<ExitCode> {
    let checks = match Settings::load(given) {
        Ok(settings) => block_on(async { Ok(check_all(&settings).await) })?,
        Err(problems) => {
            problems.0.into_iter().map(|p| Check { part: "settings", finding: Finding::Wrong(p) }).collect()
        }
    };
    show(arguments.output, &checks)?;
    let is_wrong = checks.iter().any(|c| matches!(c.finding, Finding::Wrong(_)));
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(output: Output, checks: &[Check]) -> Result<()> {
    let parts = |check: &Check| match &check.finding {
        Finding::Fine(text) => ("ok", text.clone()),
        Finding::Doubtful(text) => ("doubtful", text.clone()),
        Finding::Wrong(text) => ("wrong", text.clone()),
    };
    let view = |check: &Check| {
        let (state, detail) = parts(check);
        json!({ "check": check.part, "state": state, "detail": detail })
    };
    let row = |check: &Check| {
        let (state, detail) = parts(check);
        vec![state.to_owned(), check.part.to_owned(), detail]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    let json = Value::Array(checks.iter().map(view).collect());
    Ok(output.print(&json, || output::table(&["STATE", "CHECK", "DETAIL"], &rows))?)
}

async fn check_all(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![
        Check { part: "settings", finding: Finding::Fine(format!("clients reach {}", settings.public_url)) },
        Check { part: "public url", finding: check_public_url(settings) },
        Check { part: "secret key", finding: check_secret_key(settings) },
        Check { part: "tls", finding: check_tls(settings) },
        Check { part: "mail", finding: check_mail(settings) },
    ];
    checks.extend(check_database(settings).await);
    checks
}

fn check_public_url(settings: &Settings) -> Finding {
    if settings.public_url.starts_with("https://") {
        Finding::Fine("https".to_owned())
    } else if settings.allow_http {
        Finding::Doubtful("http: tokens travel in clear text, as ROLLCALL_ALLOW_HTTP says".to_owned())
    } else {
        Finding::Fine("http, on loopback only".to_owned())
    }
}

fn check_secret_key(settings: &Settings) -> Finding {
    match (settings.check_secret_key(), &settings.secret_key) {
        (Err(e), _) => Finding::Wrong(e),
        (Ok(()), SecretKeySource::Made(path)) if !path.exists() => {
            Finding::Fine(format!("the first start makes {}", path.display()))
        }
        (Ok(()), SecretKeySource::Made(path) | SecretKeySource::File(path)) => {
            Finding::Fine(format!("{}; keep a copy of it", path.display()))
        }
        (Ok(()), _) => Finding::Fine("set".to_owned()),
    }
}

fn check_tls(settings: &Settings) -> Finding {
    match settings.tls.as_ref().map(Certificate::load) {
        None => Finding::Fine("no listener of our own".to_owned()),
        Some(Ok(_)) => Finding::Fine("certificate and key belong together".to_owned()),
        Some(Err(e)) => Finding::Wrong(e),
    }
}

fn check_mail(settings: &Settings) -> Finding {
    match settings.smtp_url {
        Some(_) => Finding::Fine("a mail server is set".to_owned()),
        None => Finding::Fine("no mail server: mail is captured, not sent".to_owned()),
    }
}

async fn check_database(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(path) = settings.database_url.reveal().strip_prefix("sqlite://").map(Path::new) {
        // Opening would make it, and a doctor changes nothing.
        if !path.exists() {
            return vec![Check { part: "database", finding: check_folder(path) }];
        }
        checks.push(Check { part: "database file", finding: check_file(path) });
    }
    let one = Settings { workers: 1, database_connections: 1, ..settings.clone() };
    match startup::open(&one).await {
        Err(e) => checks.push(Check {
            part: "database",
            finding: Finding::Wrong(format!("{e}; look at ROLLCALL_DATABASE_URL, and whether the database runs")),
        }),
        Ok(db) => {
            checks.push(Check { part: "database", finding: check_answer(&db).await });
            checks.push(Check { part: "migrations", finding: check_migrations(&db, settings).await });
            checks.push(Check { part: "clock", finding: check_clock(&db).await });
            db.close().await;
        }
    }
    checks
}

fn check_folder(path: &Path) -> Finding {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(m) if m.is_dir() => Finding::Fine(format!("the first start makes {}", path.display())),
        _ => Finding::Wrong(format!("there is no folder {} for the database; make it", folder.display())),
    }
}

fn check_file(path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(e) => Finding::Wrong(format!("cannot look at {shown}: {e}")),
        Ok(m) if m.permissions().mode() & 0o007 != 0 => Finding::Doubtful(format!(
            "every user of this machine can use {shown}, which holds personal data: `chmod 600 {shown}`"
        )),
        Ok(_) => Finding::Fine(format!("{shown} is closed to other users")),
    }
}

async fn check_answer(db: &Database) -> Finding {
    match db.ping().await {
        Ok(()) => Finding::Fine("answers".to_owned()),
        Err(e) => Finding::Wrong(format!("does not answer: {e}")),
    }
}

async fn check_migrations(db: &Database, settings: &Settings) -> Finding {
    match db.pending_migrations().await {
        Err(e) => Finding::Wrong(format!("cannot be read: {e}")),
        Ok(names) if names.is_empty() => Finding::Fine("current".to_owned()),
        Ok(names) if settings.migrate => Finding::Fine(format!("the next start applies {}", names.join(", "))),
        Ok(names) => {
            Finding::Wrong(format!("pending, with --no-migrate: {}; run `rollcall migrate`", names.join(", ")))
        }
    }
}

async fn check_clock(db: &Database) -> Finding {
    let clock = Clock::system();
    let before = clock.now();
    let theirs = match db.time().await {
        Ok(theirs) => theirs,
        Err(e) => return Finding::Wrong(format!("the database does not tell the time: {e}")),
    };
    // Fair to a slow answer: the database looked at its clock somewhere in between.
    let apart = if theirs < before { before - theirs } else { (theirs - clock.now()).max(0) };
    if apart > CLOCKS_APART {
        let seconds = apart / 1_000_000;
        return Finding::Doubtful(format!(
            "{seconds} s apart from the database's: synchronize both, with NTP for example"
        ));
    }
    Finding::Fine("agrees with the database's".to_owned())
}
