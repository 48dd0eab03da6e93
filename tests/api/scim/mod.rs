//! `/scim/v2`.

mod auth;
mod discovery;
mod groups;
mod isolation;
mod limits;
mod tenants;
mod timeouts;
mod users;
mod wire;
