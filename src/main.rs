//! The `rollcall` binary: arguments, then a command.

fn main() {}
