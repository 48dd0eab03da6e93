//! Settings: the only reader of the environment. Secrets do not print.

use std::time::Duration;

use crate::protocol::policy;

/// Everything `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite://PATH` or `postgres://…`; may hold a password, so it does not print (wrap it).
    pub database_url: String,
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Base of every URL we print, without trailing slash.
    pub public_url: String,
    /// Whether rate limits apply.
    pub rate_limit: bool,
    /// Worker threads.
    pub workers: usize,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of `[limits]` in the settings file (security.md section 9).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bounds the engine keeps.
    pub protocol: policy::Limits,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Bytes of all header fields.
    pub header_bytes: usize,
    /// Bytes of the request line.
    pub request_line_bytes: usize,
    /// Time to receive the headers.
    pub header_timeout: Duration,
    /// Time to receive the body.
    pub body_timeout: Duration,
    /// Time a handler may take.
    pub handler_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// Idle time of a kept-alive connection.
    pub keep_alive: Duration,
    /// Open connections.
    pub connections: usize,
    /// Requests in work at once.
    pub in_flight: usize,
    /// Longest wait for a database connection.
    pub pool_wait: Duration,
    /// Requests a second for one SCIM token.
    pub token_rate: u32,
    /// Requests above the rate that may come at once.
    pub token_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            protocol: policy::Limits::default(),
            body_bytes: 1024 * 1024,
            header_bytes: 64 * 1024,
            request_line_bytes: 16 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            handler_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            connections: 25_000,
            in_flight: 1_000,
            pool_wait: Duration::from_secs(2),
            token_rate: 100,
            token_burst: 500,
        }
    }
}
