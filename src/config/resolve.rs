//! From the texts that were given to `Settings`. Every problem is found in one go, each named after what gave it.

use std::fmt;
use std::path::PathBuf;

use super::public_url::PublicUrl;
use super::{Given, Limits, LogFormat, Network, Secret, SecretKey, SecretKeySource, Settings, TlsFiles, public_url};

/// What is wrong with the settings, a sentence each; never a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl Settings {
    /// Settings of flags, environment and settings file.
    ///
    /// # Errors
    /// Everything that is wrong, unknown `ROLLCALL_*` variables included.
    pub fn load(mut given: Given) -> Result<Self, Problems> {
        let mut problems = Given::check_environment();
        if let Some(file) = given.get("config").map(|v| PathBuf::from(v.text.reveal())) {
            problems.extend(given.add_file(&file));
        }
        let mut resolver = Resolver { given: &given, problems };
        let settings = resolver.settings();
        if resolver.problems.is_empty() { Ok(settings) } else { Err(Problems(resolver.problems)) }
    }

    /// The same with the port that the system chose, where the public URL follows from it.
    #[must_use]
    pub fn listening_on(mut self, port: u16) -> Self {
        if let (true, Some((host, _))) = (self.public_url_is_derived, self.listen.rsplit_once(':')) {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            self.public_url = format!("{scheme}://{host}:{port}");
        }
        self
    }

    /// Base of the backoffice's URLs: the public URL, unless it has a listener of its own.
    pub fn backoffice_url(&self) -> String {
        match &self.backoffice_listen {
            None => self.public_url.clone(),
            Some(address) => {
                let scheme = if self.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{address}")
            }
        }
    }
}

struct Resolver<'a> {
    given: &'a Given,
    problems: Vec<String>,
}

impl Resolver<'_> {
    fn settings(&mut self) -> Settings {
        let default = Settings::default();
        let workers = self.or("workers", count, default.workers);
        let mut limits = Limits::default();
        self.problems.extend(limits.apply(&self.given.limits));
        let tls = self.tls();
        let listen = self.or("listen", address, default.listen);
        let allow_http = self.or("allow_http", switch, false);
        let (public_url, public_url_is_derived) = self.public_url(&listen, tls.is_some(), allow_http);
        let database_url = self.or("database_url", database_url, default.database_url);
        let secret_key = self.secret_key(&database_url);
        let smtp_url = self.get("smtp_url", smtp_url);
        let mail_from = self.get("mail_from", mail_address);
        if smtp_url.is_some() && self.given.get("mail_from").is_none() {
            self.problems.push("ROLLCALL_MAIL_FROM: must be set with a mail server".to_owned());
        }
        Settings {
            database_url,
            listen,
            public_url,
            public_url_is_derived,
            allow_http,
            tls,
            metrics_listen: self.get("metrics_listen", address),
            backoffice_listen: self.get("backoffice_listen", address),
            smtp_url,
            mail_from,
            secret_key,
            rate_limit: self.or("rate_limit", switch, true),
            trusted_proxies: self.or("trusted_proxies", networks, Vec::new()),
            workers,
            database_connections: self.or("database_connections", count, 4 * workers),
            migrate: !self.or("no_migrate", switch, false),
            log_filter: self.get("rust_log", |t| Ok(t.to_owned())),
            log_format: self.or("log_format", log_format, LogFormat::Text),
            limits,
        }
    }

    /// The value of a setting, where one was given and it is fine.
    fn get<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let value = self.given.get(key)?;
        match parse(value.text.reveal()) {
            Ok(parsed) => Some(parsed),
            Err(e) => {
                self.problems.push(format!("{}: {e}", value.origin));
                None
            }
        }
    }

    fn or<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>, default: T) -> T {
        self.get(key, parse).unwrap_or(default)
    }

    fn tls(&mut self) -> Option<TlsFiles> {
        let path =
            |text: &str| if text.is_empty() { Err("must name a file".to_owned()) } else { Ok(PathBuf::from(text)) };
        match (self.get("tls_cert", path), self.get("tls_key", path)) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            _ => {
                let text = "ROLLCALL_TLS_CERT and ROLLCALL_TLS_KEY: set both or none; one alone makes no TLS listener";
                self.problems.push(text.to_owned());
                None
            }
        }
    }

    fn public_url(&mut self, listen: &str, tls: bool, allow_http: bool) -> (String, bool) {
        let mend = "use https, or set ROLLCALL_ALLOW_HTTP=true if the way to the service is safe otherwise";
        if let Some(value) = self.given.get("public_url") {
            let origin = value.origin.clone();
            let Some(PublicUrl { text, https, loopback }) = self.get("public_url", public_url::parse) else {
                return (String::new(), false);
            };
            if !(https || loopback || allow_http) {
                self.problems.push(format!("{origin}: `{text}` would send tokens in clear text; {mend}"));
            }
            return (text, false);
        }
        let scheme = if tls { "https" } else { "http" };
        let text = format!("{scheme}://{listen}");
        // Port 0 is fine here: the real one takes its place before anything is printed.
        let host = text.rsplit_once(':').map_or(text.as_str(), |(host, _)| host);
        let loopback = public_url::parse(host).is_ok_and(|u| u.loopback);
        if !(tls || loopback || allow_http) {
            self.problems.push(format!(
                "ROLLCALL_PUBLIC_URL: must say how clients reach a service that listens on {listen}, and {mend}"
            ));
        }
        (text, true)
    }

    fn secret_key(&mut self, database: &Secret) -> SecretKeySource {
        if let (Some(a), Some(b)) = (self.given.get("secret_key"), self.given.get("secret_key_file")) {
            self.problems.push(format!("{} and {}: set one of them, not both", a.origin, b.origin));
        }
        let value = self.get("secret_key", SecretKey::parse).map(SecretKeySource::Value);
        let file = self.get("secret_key_file", |text| Ok(SecretKeySource::File(PathBuf::from(text))));
        value.or(file).unwrap_or_else(|| match database.reveal().strip_prefix("sqlite://") {
            Some(path) => SecretKeySource::Made(PathBuf::from(format!("{path}.key"))),
            None => SecretKeySource::Missing,
        })
    }
}

fn count(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=10_000).contains(n));
    n.ok_or_else(|| format!("`{text}` must be a whole number from 1 to 10000"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(format!("`{text}` must be on or off (or true or false)")),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` must be text or json")),
    }
}

/// `host:port`; names are looked up when the listener is opened.
fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, port)| {
        let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        !host.is_empty() && !bare_v6 && port.parse::<u16>().is_ok()
    });
    match parts {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("`{text}` must be an address and a port, like 127.0.0.1:8080 or [::1]:8080")),
    }
}

/// Which backend, and roughly its shape; the database's own parser judges the rest.
fn database_url(text: &str) -> Result<Secret, String> {
    let shape = "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME";
    match text.split_once("://") {
        Some(("sqlite", "")) => Err(format!("names no file; write {shape}")),
        Some(("sqlite", path)) if path.contains(":memory:") => {
            Err("a database in memory cannot be shared by the workers and is gone at the end; name a file".to_owned())
        }
        Some(("sqlite" | "postgres" | "postgresql", _)) => Ok(Secret::new(text)),
        Some((scheme, _)) => Err(format!("there is no database of the kind `{scheme}`; write {shape}")),
        None => Err(format!("is no URL; write {shape}")),
    }
}

fn smtp_url(text: &str) -> Result<Secret, String> {
    match text.split_once("://") {
        Some(("smtp" | "smtps", rest)) if !rest.is_empty() => Ok(Secret::new(text)),
        _ => Err("must be smtp://USER:PASSWORD@HOST:PORT or smtps://…".to_owned()),
    }
}

fn mail_address(text: &str) -> Result<String, String> {
    let bare = text.strip_suffix('>').and_then(|t| t.rsplit_once('<')).map_or(text, |(_, a)| a);
    let fine =
        bare.rsplit_once('@').is_some_and(|(l, d)| !l.is_empty() && !d.is_empty()) && !text.contains(['\r', '\n']);
    if fine {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` must be a mail address, like Rollcall <rollcall@example.com>"))
    }
}

fn networks(text: &str) -> Result<Vec<Network>, String> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(Network::parse).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
