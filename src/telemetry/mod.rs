//! What the service says about itself: log lines through `env_logger` and a bounded writer thread, one access line a
//! request, and the metrics of `/metrics`. Nothing here is given a header, a query string or a body, so no secret of a
//! request can reach a log.

mod access;
mod format;
mod metrics;
mod storage_metrics;
mod writer;

use std::time::Duration;

use crate::config::LogFormat;
use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};
use crate::state::Clock;
pub use metrics::Metrics;
pub use writer::LogWriter;

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

/// Starts logging to the standard error output, for the whole process. `filter` is what `RUST_LOG` says;
/// `env_logger` names a part of it that it does not understand, and goes on without.
///
/// # Errors
/// A second call, no thread.
pub fn start_logging(filter: &str, log_format: LogFormat) -> Result<LogWriter, String> {
    let writer = LogWriter::start(std::io::stderr()).map_err(|e| format!("cannot start the log thread: {e}"))?;
    let form = format::set(log_format);
    let clock = Clock::system();
    env_logger::Builder::new()
        .parse_filters(filter)
        .target(env_logger::Target::Pipe(Box::new(writer.clone())))
        .format(move |out, record| format::write(out, form, &clock, record))
        .try_init()
        .map_err(|e| e.to_string())?;
    Ok(writer)
}
