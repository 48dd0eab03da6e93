//! Settings: the only reader of the environment. A flag goes before the environment, that before the settings file,
//! that before the default. Secrets do not print.

mod given;
mod limits;
mod network;
mod public_url;
mod resolve;
mod secret;
mod secret_key;
mod table;

use std::path::PathBuf;

pub use given::Given;
pub use limits::Limits;
pub use network::Network;
pub use resolve::Problems;
pub use secret::{Secret, SecretKey};
pub use secret_key::SecretKeySource;

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
    /// DNS server that is asked for records of domains; `None` asks the system's.
    pub dns_server: Option<std::net::SocketAddr>,
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
    /// `RUST_LOG`: filter of log lines, where one was given.
    pub log_filter: Option<String>,
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

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
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
            dns_server: None,
            smtp_url: None,
            mail_from: None,
            secret_key: SecretKeySource::Made("rollcall.db.key".into()),
            rate_limit: true,
            trusted_proxies: Vec::new(),
            workers,
            database_connections: 4 * workers,
            migrate: true,
            log_filter: None,
            log_format: LogFormat::Text,
            limits: Limits::default(),
        }
    }
}
