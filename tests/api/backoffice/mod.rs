//! The operators' surface: what holds on all of its routes, then the routes.

mod admin_links;
mod blocks;
mod connections;
mod credentials;
mod deletion;
mod domains;
mod logs;
mod operators;
mod organizations;
mod people;
mod routes;

/// A reason that is one.
pub(super) const REASON: &str = "asked for in ticket 4711";
