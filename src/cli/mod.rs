//! The command line: a file per command. Exit codes: 0 done, 1 refused (with a sentence on the standard error output),
//! 2 wrong usage. What a command prints for others to read goes to the standard output, `--json` makes it one JSON line.

mod admin_link;
mod api_key;
mod bootstrap;
mod connection;
mod doctor;
mod migrate;
mod openapi;
mod organization;
mod output;
mod secret_key;
mod serve;
mod token;
mod transfer;
mod user;

use std::process::ExitCode;

use clap::{Args as _, CommandFactory, FromArgMatches as _, Parser, Subcommand};

use crate::config::{Given, Settings};
use crate::service::backoffice::OperatorCtx;
use crate::startup::{self, StartError};
use crate::state::Clock;
use crate::storage::Database;
use crate::telemetry::{self, LogWriter};
use output::Output;

/// Rollcall lets identity providers create, change and deactivate people and groups over SCIM 2.0.
///
/// Without a command it serves. The first start makes everything that is needed, and prints a SCIM base URL and a token.
#[derive(Parser)]
#[command(name = "rollcall", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (what happens without a command)
    Serve,
    /// Create an organization with an active connection, and a credential for each surface, and print them
    Bootstrap(bootstrap::Arguments),
    /// Bring the database up to date
    Migrate(migrate::Arguments),
    /// Create, list, suspend and resume organizations, and verify their domains
    #[command(subcommand)]
    Organization(organization::Command),
    /// Create and list connections to identity providers
    #[command(subcommand)]
    Connection(connection::Command),
    /// Create, list and revoke SCIM tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Read people, groups, memberships and roles from a file (JSON Lines, or CSV of people)
    ///
    /// What was interrupted goes on where it stopped when the same command is given again.
    Import(transfer::import::Arguments),
    /// Write people, groups, memberships and roles as JSON Lines, or people as CSV
    Export(transfer::export::Arguments),
    /// Create API keys
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Print a one-time link for the first Admin of an organization
    AdminLink(admin_link::Arguments),
    /// Create people whom no directory manages
    #[command(subcommand)]
    User(user::Command),
    /// Print the OpenAPI document of the admin API
    Openapi,
    /// Print a new key for ROLLCALL_SECRET_KEY
    SecretKey(secret_key::Arguments),
    /// Check settings, database, clock and files, and say how to mend what is wrong
    Doctor(doctor::Arguments),
}

/// What a server logs by default; its sockets and threads are its own affair.
const SERVE_LOG: &str = "info,actix_server=warn";

/// Why a command was not done; the text is for people.
#[derive(Debug)]
struct Refused(String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused(error.to_string())
    }
}

type Result<T> = std::result::Result<T, Refused>;

/// Parses the process's arguments and does what they say.
pub fn run() -> ExitCode {
    let command = Given::augment_args(Cli::command());
    let matches = command.get_matches();
    let (cli, given) = match (Cli::from_arg_matches(&matches), Given::from_arg_matches(&matches)) {
        (Ok(cli), Ok(given)) => (cli, given),
        (Err(e), _) | (_, Err(e)) => e.exit(),
    };
    match dispatch(cli.command.unwrap_or(Command::Serve), given) {
        Ok(code) => code,
        Err(Refused(text)) => {
            output::complain(&text);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, given: Given) -> Result<ExitCode> {
    match command {
        // These work with settings that are wrong, or none.
        Command::Openapi => openapi::run(),
        Command::SecretKey(arguments) => secret_key::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments, given),
        command => {
            let settings = Settings::load(given)?;
            let is_serve = matches!(command, Command::Serve);
            let filter = settings.log_filter.as_deref().unwrap_or(if is_serve { SERVE_LOG } else { "warn" });
            let log = telemetry::start_logging(filter, settings.log_format).map_err(Refused)?;
            let result = block_on(execute(command, settings, log.clone()));
            log.flush();
            result
        }
    }
}

async fn execute(command: Command, settings: Settings, log: LogWriter) -> Result<ExitCode> {
    let done = match command {
        Command::Serve => serve::run(settings, log).await,
        Command::Bootstrap(arguments) => bootstrap::run(&arguments, &settings).await,
        Command::Migrate(arguments) => return migrate::run(&arguments, &settings).await,
        Command::Organization(command) => organization::run(&command, &settings).await,
        Command::Connection(command) => connection::run(&command, &settings).await,
        Command::Token(command) => token::run(&command, &settings).await,
        Command::Import(arguments) => return transfer::import::run(&arguments, &settings).await,
        Command::Export(arguments) => transfer::export::run(&arguments, &settings).await,
        Command::ApiKey(command) => api_key::run(&command, &settings).await,
        Command::AdminLink(arguments) => admin_link::run(&arguments, &settings).await,
        Command::User(command) => user::run(&command, &settings).await,
        Command::SecretKey(_) | Command::Doctor(_) | Command::Openapi => Ok(()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// One thread: request threads are the server's own, and the database's connections stay on the thread that opened them.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Opens the database for a command, which works while a server runs on it. It migrates, except where told not to.
async fn open(settings: &Settings) -> std::result::Result<Database, StartError> {
    let one_at_a_time = Settings { workers: 1, database_connections: 1, ..settings.clone() };
    let db = startup::open(&one_at_a_time).await?;
    startup::migrate(&db, settings.migrate).await?;
    Ok(db)
}

fn operator() -> OperatorCtx {
    OperatorCtx::system(Clock::system().now())
}
