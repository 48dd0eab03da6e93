//! Business rules, pure: identifiers, actors, roles and permissions, token format. It uses the protocol engine and nothing else.

pub mod actor;
pub mod changes;
pub mod connection;
pub mod event;
pub mod ids;
pub mod organization;
pub mod permission;
pub mod provisioning;
pub mod token;
