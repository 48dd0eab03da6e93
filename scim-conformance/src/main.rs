//! `scim-conformance`: load generator and conformance checks for any SCIM server.

fn main() {}
