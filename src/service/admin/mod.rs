//! Deeds of an organization's administrators and programs: the admin API and, later, the pages call the same functions. The
//! caller says who asks and what their roles permit.

pub mod api_keys;
pub mod caller;
pub mod connections;
pub mod error;
pub mod organization;
pub mod paging;
pub mod roles;
pub mod scim_tokens;

pub use caller::{Caller, Credential};
pub use error::{Invalid, Refusal};
