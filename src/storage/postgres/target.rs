//! Where a `postgres://` URL points and how much TLS it asks for. tokio-postgres knows three values of `sslmode`; the
//! other two, and `sslrootcert`, are read and taken out here. Meanings are libpq's, with one exception: without
//! `sslmode` a server on this host is reached in the clear, since encrypting loopback costs CPU and protects nothing.

use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use crate::storage::{Result, StorageError};

/// How a server proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Not at all: encryption against listeners only (`prefer`, `require`).
    Anyone,
    /// By a certificate of a known authority (`verify-ca`).
    Authority,
    /// By a certificate of a known authority for this host name (`verify-full`).
    Host,
}

/// A parsed URL.
#[derive(Clone)]
pub(super) struct Target {
    /// Everything tokio-postgres understands, `ssl_mode` included.
    pub(super) config: tokio_postgres::Config,
    /// Meaningless where `ssl_mode` is `Disable`.
    pub(super) trust: Trust,
    /// PEM file of authorities; the public ones otherwise.
    pub(super) root_file: Option<String>,
}

/// Reads a database URL.
///
/// # Errors
/// `Broken`, without the URL, which may hold a password.
pub(super) fn parse(url: &str) -> Result<Target> {
    let (mut mode, mut root_file) = (None, None);
    let (head, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => root_file = Some(percent_decoded(value)?),
            _ => kept.push(pair),
        }
    }
    let plain = if kept.is_empty() { head.to_owned() } else { format!("{head}?{}", kept.join("&")) };
    let mut config: tokio_postgres::Config =
        plain.parse().map_err(|e| StorageError::Broken(format!("the database URL is invalid: {e}")))?;
    let (ssl_mode, trust) = match mode.as_deref() {
        None if is_local(&config) => (SslMode::Disable, Trust::Anyone),
        None | Some("prefer" | "allow") => (SslMode::Prefer, Trust::Anyone),
        Some("disable") => (SslMode::Disable, Trust::Anyone),
        // libpq verifies the chain where the file of authorities is named.
        Some("require") if root_file.is_some() => (SslMode::Require, Trust::Authority),
        Some("require") => (SslMode::Require, Trust::Anyone),
        Some("verify-ca") => (SslMode::Require, Trust::Authority),
        Some("verify-full") => (SslMode::Require, Trust::Host),
        Some(other) => {
            return Err(StorageError::Broken(format!(
                "sslmode={other} is unknown; use disable, prefer, require, verify-ca or verify-full"
            )));
        }
    };
    config.ssl_mode(ssl_mode);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    // A peer that vanished without a word must not hold a commit queue until the kernel gives up (15 minutes).
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(15));
    }
    config.keepalives_idle(Duration::from_secs(30));
    Ok(Target { config, trust, root_file })
}

/// Whether every host of the URL is this machine.
fn is_local(config: &tokio_postgres::Config) -> bool {
    let hosts = config.get_hosts();
    !hosts.is_empty()
        && hosts.iter().all(|host| match host {
            Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

/// `%2F` and its like in a path.
fn percent_decoded(text: &str) -> Result<String> {
    let invalid = || StorageError::Broken("sslrootcert is not a percent-encoded path".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let hex = after.get(..2).ok_or_else(invalid)?;
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| invalid())?);
        rest = after.get(2..).ok_or_else(invalid)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_decides_encryption_and_trust() {
        for (url, mode, trust) in [
            ("postgres://u@db.example.com/d", SslMode::Prefer, Trust::Anyone),
            ("postgres://u@127.0.0.1/d", SslMode::Disable, Trust::Anyone),
            ("postgres://u@localhost:5433/d", SslMode::Disable, Trust::Anyone),
            ("postgres://u@127.0.0.1/d?sslmode=prefer", SslMode::Prefer, Trust::Anyone),
            ("postgresql://u@db.example.com/d?sslmode=disable", SslMode::Disable, Trust::Anyone),
            ("postgres://u@db.example.com/d?application_name=x&sslmode=require", SslMode::Require, Trust::Anyone),
            ("postgres://u@h/d?sslmode=require&sslrootcert=/ca.pem", SslMode::Require, Trust::Authority),
            ("postgres://u@h/d?sslmode=verify-ca&sslrootcert=/ca.pem", SslMode::Require, Trust::Authority),
            ("postgres://u@h/d?sslmode=verify-full", SslMode::Require, Trust::Host),
        ] {
            let target = parse(url).unwrap();
            assert_eq!((target.config.get_ssl_mode(), target.trust), (mode, trust), "{url}");
        }
    }

    #[test]
    fn other_parameters_reach_the_server() {
        let target = parse("postgres://u:p@h:1/d?sslrootcert=%2Fetc%2Fca.pem&options=-csearch_path%3Dx").unwrap();
        assert_eq!(target.root_file.as_deref(), Some("/etc/ca.pem"));
        assert_eq!(target.config.get_options(), Some("-csearch_path=x"));
    }

    #[test]
    fn errors_do_not_repeat_the_password() {
        for url in [
            "postgres://u:secret@h/d?sslmode=maybe",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h?sslrootcert=%zz",
        ] {
            let error = parse(url).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
