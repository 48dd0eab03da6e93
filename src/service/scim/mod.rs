//! The operations of the SCIM surface (RFC 7644 §3): resources, search, discovery.

pub mod brake;
pub mod discovery;
pub mod resources;
pub mod search;
