//! The storage contract: every test runs on both backends, as `name::sqlite` and `name::postgres`. PostgreSQL is the
//! server of `ROLLCALL_TEST_POSTGRES_URL`, whose user may create databases; each test gets one of its own.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop; clippy.toml exempts only functions that are marked as tests"
)]

#[macro_use]
mod helpers;

mod api_keys;
mod cold;
mod failure;
mod groups;
mod holders;
mod logs;
mod members;
mod postgres;
mod postgres_queue;
mod property;
mod race;
mod roles;
mod schema;
mod search_data;
mod search_filters;
mod search_pages;
mod users;
mod write_in_deed;
mod writes;
