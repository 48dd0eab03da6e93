//! `rollcall secret-key`: prints a new key for `ROLLCALL_SECRET_KEY`. It needs no settings and no database.

use std::process::ExitCode;

use serde_json::json;

use super::{Output, Refused, Result};
use crate::config::SecretKey;

/// Keep it: what it sealed cannot be read without it.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let key = SecretKey::generate().map_err(Refused)?.to_base64();
    arguments.output.print(&json!({ "secret_key": key }), || key.clone())?;
    Ok(ExitCode::SUCCESS)
}
