//! `rollcall migrate`: brings the database up to date; with `--check` only says whether it is.

use std::process::ExitCode;

use serde_json::json;

use super::{Output, Result};
use crate::config::Settings;
use crate::startup;

/// `serve` and the other commands do this by themselves, unless told `--no-migrate`.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Change nothing; exit with 1 when migrations are pending
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: &Arguments, settings: &Settings) -> Result<ExitCode> {
    let db = startup::open(settings).await?;
    let names = if arguments.check { db.pending_migrations().await } else { db.migrate().await };
    db.close().await;
    let names = names?;
    let (key, verb) = if arguments.check { ("pending", "Pending") } else { ("applied", "Applied") };
    arguments.output.print(&json!({ key: names }), || match names.as_slice() {
        [] => "The database is current.".to_owned(),
        names => format!("{verb}: {}", names.join(", ")),
    })?;
    let is_behind = arguments.check && !names.is_empty();
    Ok(if is_behind { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
