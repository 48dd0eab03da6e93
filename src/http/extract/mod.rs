//! What handlers take: each extractor reads one aspect of a request. Those named `scim_` refuse it in SCIM's
//! terms; the admin API's own are in `http/admin`.

pub(crate) mod body;
pub(crate) mod conditions;
pub(crate) mod media;
pub(crate) mod paging;
pub(crate) mod query;
pub(crate) mod scim_actor;
pub(crate) mod scim_body;
