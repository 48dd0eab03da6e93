//! `/scim/v2`.

mod groups;
mod users;
