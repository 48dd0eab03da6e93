//! Settings: the only reader of the environment. A flag goes before the environment, that before the settings file,
//! that before the default. Secrets do not print.

mod secret;

use std::path::PathBuf;
use std::time::Duration;

use crate::protocol::policy;
pub use secret::{Secret, SecretKey};

/// Everything `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite://PATH` or `postgres://…`; may hold a password.
    pub database_url: Secret,
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Base of every URL we print, without trailing slash. Start-up puts the real port in where nobody set it.
    pub public_url: String,
    /// Whether `public_url` follows from `listen`, because nobody set it.
    pub public_url_is_derived: bool,
    /// Whether a public URL without TLS is fine though its host is not loopback.
    pub allow_http: bool,
    /// Certificate and key of our own TLS listener (PEM files).
    pub tls: Option<TlsFiles>,
    /// Where `/metrics` is served; off when `None`.
    pub metrics_listen: Option<String>,
    /// Address of the backoffice where it has its own.
    pub backoffice_listen: Option<String>,
    /// Mail server with its password; `None` captures mail.
    pub smtp_url: Option<Secret>,
    /// Sender of mail.
    pub mail_from: Option<String>,
    /// Where the key that seals secrets and cursors comes from.
    pub secret_key: SecretKeySource,
    /// Whether rate limits apply.
    pub rate_limit: bool,
    /// Proxies whose `X-Forwarded-*` count.
    pub trusted_proxies: Vec<Network>,
    /// Worker threads.
    pub workers: usize,
    /// Database connections over all workers.
    pub database_connections: usize,
    /// Whether a start applies pending migrations.
    pub migrate: bool,
    /// `RUST_LOG`: filter of log lines.
    pub log_filter: String,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Bounds.
    pub limits: Limits,
}

/// Files of our own TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, leaf first (PEM).
    pub cert: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
}

/// Where the secret key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKeySource {
    /// Given as such.
    Value(SecretKey),
    /// A file the operator made.
    File(PathBuf),
    /// A file that the first start makes (beside the SQLite file).
    Made(PathBuf),
    /// Not given, though the database needs it.
    Missing,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A CIDR block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: std::net::IpAddr,
    prefix: u8,
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

impl Default for Settings {
    /// What `rollcall serve` takes when nothing is said, less the secret key file.
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Settings {
            database_url: "sqlite://rollcall.db".into(),
            listen: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
            public_url_is_derived: true,
            allow_http: false,
            tls: None,
            metrics_listen: None,
            backoffice_listen: None,
            smtp_url: None,
            mail_from: None,
            secret_key: SecretKeySource::Made("rollcall.db.key".into()),
            rate_limit: true,
            trusted_proxies: Vec::new(),
            workers,
            database_connections: 4 * workers,
            migrate: true,
            log_filter: "info".into(),
            log_format: LogFormat::Text,
            limits: Limits::default(),
        }
    }
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
