//! Who is asking: credentials, and how often each may ask.

pub mod bearer;
pub mod rate_limit;
