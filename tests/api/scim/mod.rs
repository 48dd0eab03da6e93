//! `/scim/v2`.

mod auth;
mod discovery;
mod groups;
mod isolation;
mod limits;
mod users;
mod wire;
