//! Business rules, pure: identifiers, actors, roles and permissions, token format. It uses the protocol engine and nothing else.

pub mod actor;
pub mod connection;
pub mod csv;
pub mod event;
pub mod ids;
pub mod operator;
pub mod organization;
pub mod ownership;
pub mod permission;
pub mod person;
pub mod token;
pub mod transfer;
