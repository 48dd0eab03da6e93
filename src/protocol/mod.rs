//! The SCIM engine, pure: no I/O, clock, randomness, logging, async. It knows RFC 7643 and RFC 7644 and the dialects
//! of their clients; it does not know tenants, permissions, HTTP or SQL.

pub mod compare;
pub mod error;
pub mod etag;
pub mod filter;
pub mod list;
pub mod patch;
pub mod path;
pub mod policy;
pub mod projection;
pub mod resource;
pub mod schema;
pub mod splice;
pub mod urn;
pub mod validate;
