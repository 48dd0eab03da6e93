//! Business rules, pure: identifiers, actors, roles and permissions, token format. It uses the protocol engine and nothing else.

pub mod actor;
pub mod adoption;
pub mod changes;
pub mod connection;
pub mod csv;
pub mod event;
pub mod group;
pub mod ids;
pub mod invitation;
pub mod operator;
pub mod organization;
pub mod ownership;
pub mod permission;
pub mod person;
pub mod provisioning;
pub mod security_settings;
pub mod sub_account;
pub mod token;
pub mod transfer;
