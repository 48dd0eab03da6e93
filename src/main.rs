//! The `rollcall` binary: arguments, then a command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rollcall::cli::run()
}
