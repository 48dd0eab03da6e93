//! The admin API: what holds on all of its routes, then the routes.

mod api_keys;
mod documents;
mod exports;
mod group_members;
mod groups;
mod invitations;
mod lists;
mod organization;
mod problems;
mod rates;
mod routes;
mod users;
