//! The command line, as a user meets it: every test runs the built binary in a folder of its own, on a database of its
//! own, as `name::sqlite` and `name::postgres`. PostgreSQL is the server of `ROLLCALL_TEST_POSTGRES_URL`, whose user may
//! create databases.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[macro_use]
mod helpers;

mod admin_link;
mod api_key;
mod bootstrap;
mod crash;
mod doctor;
mod migrate;
mod organization;
mod readme;
mod serve;
mod settings;
mod token;
mod transfer;
mod user;
mod walkthrough;
