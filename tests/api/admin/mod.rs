//! The admin API: what holds on all of its routes, then the routes.

mod api_keys;
mod audit_events;
mod connections;
mod documents;
mod domains;
mod exports;
mod foreign;
mod group_members;
mod groups;
mod invitations;
mod lists;
mod organization;
mod problems;
mod provisioning_log;
mod rates;
mod retention;
mod routes;
mod security_settings;
mod sub_accounts;
mod user_export;
mod users;
