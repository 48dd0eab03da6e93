//! Who is asking: credentials, and how often each may ask.

pub mod api_key;
pub mod bearer;
mod memory;
pub mod operator_key;
pub mod rate_limit;
