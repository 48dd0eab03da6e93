//! Business rules, pure: identifiers, actors, token format. It uses the protocol engine and nothing else.

pub mod actor;
pub mod connection;
pub mod ids;
pub mod organization;
pub mod token;
