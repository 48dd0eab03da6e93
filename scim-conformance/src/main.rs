//! `scim-conformance`: load generator, later also conformance checks, for any SCIM 2.0 server.
//!
//! A plain HTTP client: it shares no type and no code with the server in this workspace, so that a mistake there
//! cannot hide here. Each subcommand is a module with its own arguments; this file only chooses one.
//! Exit codes: 0 nothing wrong, 1 wrong answers or no usable server, 2 wrong usage.

mod client;
mod load;
mod model;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools that talk to a SCIM 2.0 server as an identity provider would.
#[derive(Parser)]
#[command(name = "scim-conformance", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Put a server under load in a closed loop, checking every answer.
    Load(load::LoadArgs),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Load(args) => load::run(args),
    }
}
