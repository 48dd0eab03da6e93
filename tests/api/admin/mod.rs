//! The admin API: what holds on all of its routes, then the routes.

mod api_keys;
mod connections;
mod documents;
mod exports;
mod lists;
mod organization;
mod problems;
mod rates;
mod routes;
