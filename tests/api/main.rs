//! The HTTP surfaces from outside: each test runs the real application on a free port with a fresh database, on both
//! backends, as `name::sqlite` and `name::postgres`. Folders mirror the URLs. PostgreSQL is the server of
//! `ROLLCALL_TEST_POSTGRES_URL`, whose user may create databases.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop; clippy.toml exempts only functions that are marked as tests"
)]
#[macro_use]
mod helpers;

mod acceptance;
mod admin;
mod backoffice;
mod idp;
mod scim;
