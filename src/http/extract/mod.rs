//! What handlers take: each extractor reads one aspect of a request and refuses it in SCIM's terms.

pub(crate) mod conditions;
pub(crate) mod media;
pub(crate) mod paging;
pub(crate) mod scim_actor;
pub(crate) mod scim_body;
