//! What the service says about itself: log lines through `env_logger` and a bounded writer thread, one access line a
//! request, and the metrics of `/metrics`. Nothing here is given a header, a query string or a body, so no secret of a
//! request can reach a log.

mod access;
mod metrics;

use std::time::Duration;

use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};
pub use metrics::Metrics;

/// What one answered request was; `Metrics::observe` counts it and writes its access line.
#[derive(Debug, Clone, Copy)]
pub struct RequestFacts<'a> {
    /// Pattern of the route (`/scim/v2/Users/{id}`), or `unrouted`; static, so that its number is bounded.
    pub route: &'static str,
    /// Method as sent.
    pub method: &'a str,
    /// Path as sent, without the query string.
    pub path: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// From the head of the request to the answer being ready.
    pub elapsed: Duration,
    /// Also in the answer's `X-Request-Id`.
    pub request_id: &'a str,
    /// Tenant, once known.
    pub organization: Option<OrganizationId>,
    /// Connection, once known.
    pub connection: Option<ConnectionId>,
    /// Credential, once known; its id, never its text.
    pub token: Option<TokenId>,
}
