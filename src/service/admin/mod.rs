//! Deeds of an organization's administrators and programs: the admin API and, later, the pages call the same functions. The
//! caller says who asks and what their roles permit.

pub mod adoptions;
pub mod api_keys;
pub mod audit_log;
pub mod caller;
pub mod connections;
pub mod domains;
pub mod error;
pub mod groups;
pub mod held;
pub mod invitations;
pub mod organization;
pub mod paging;
pub mod provisioning_log;
pub mod role_change;
pub mod roles;
pub mod scim_tokens;
pub mod security_settings;
pub mod sub_accounts;
pub mod users;
mod windows;

pub use caller::{Caller, Credential};
pub use error::{Invalid, Managed, Refusal};

use roles::role_keys;
