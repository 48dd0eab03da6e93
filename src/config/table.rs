//! The settings by name: one table feeds the flags, the environment, the keys of the settings file and the help.

/// Name, meaning and kind of one setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Key in the settings file.
    pub(super) key: &'static str,
    /// Flag, without its dashes.
    pub(super) flag: &'static str,
    /// Variable of the environment.
    pub(super) variable: &'static str,
    /// What stands for the value in help.
    pub(super) value: &'static str,
    /// Sentence of help, with the default.
    pub(super) help: &'static str,
    /// How it is shown and given.
    pub(super) kind: Kind,
}

/// How a setting is shown and given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// Holds or may hold a secret: help does not show the present value.
    Secret,
    /// The bare flag means `true`.
    Switch,
}

const fn text(
    key: &'static str,
    flag: &'static str,
    variable: &'static str,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, flag, variable, value, help, kind: Kind::Text }
}

const fn secret(
    key: &'static str,
    flag: &'static str,
    variable: &'static str,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, flag, variable, value, help, kind: Kind::Secret }
}

const fn switch(key: &'static str, flag: &'static str, variable: &'static str, help: &'static str) -> Setting {
    Setting { key, flag, variable, value: "true|false", help, kind: Kind::Switch }
}

/// Every setting, in the order of help.
pub(super) const SETTINGS: &[Setting] = &[
    text(
        "config",
        "config",
        "ROLLCALL_CONFIG",
        "FILE",
        "Settings file (TOML). Its keys are the names of these flags with _ for -, and [limits]. Not in the file itself",
    ),
    secret(
        "database_url",
        "database-url",
        "ROLLCALL_DATABASE_URL",
        "URL",
        "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME (TLS by ?sslmode=) [default: sqlite://rollcall.db]",
    ),
    text(
        "listen",
        "listen",
        "ROLLCALL_LISTEN",
        "ADDRESS",
        "Address and port to serve on; port 0 takes a free one and prints it [default: 127.0.0.1:8080]",
    ),
    text(
        "public_url",
        "public-url",
        "ROLLCALL_PUBLIC_URL",
        "URL",
        "How clients reach this service: the base of every URL it prints. Must be https unless its host is loopback \
         [default: http://{listen}, https with a certificate]",
    ),
    switch(
        "allow_http",
        "allow-http",
        "ROLLCALL_ALLOW_HTTP",
        "Accept a public URL without https though its host is not loopback: tokens then travel in clear text",
    ),
    text(
        "tls_cert",
        "tls-cert",
        "ROLLCALL_TLS_CERT",
        "FILE",
        "Certificate chain (PEM) of our own TLS listener; read again when it changes",
    ),
    text("tls_key", "tls-key", "ROLLCALL_TLS_KEY", "FILE", "Private key (PEM) that belongs to the certificate"),
    text(
        "metrics_listen",
        "metrics-listen",
        "ROLLCALL_METRICS_LISTEN",
        "ADDRESS",
        "Address of a second listener with /metrics in the Prometheus format [default: off]",
    ),
    text(
        "dns_server",
        "dns-server",
        "ROLLCALL_DNS_SERVER",
        "ADDRESS",
        "IP address and port of the DNS server that is asked for the records of domains [default: the system's]",
    ),
    text(
        "backoffice_listen",
        "backoffice-listen",
        "ROLLCALL_BACKOFFICE_LISTEN",
        "ADDRESS",
        "Address of a listener of its own for the backoffice [default: that of --listen]",
    ),
    secret(
        "secret_key",
        "secret-key",
        "ROLLCALL_SECRET_KEY",
        "BASE64",
        "Key that seals stored secrets and cursors: 32 bytes in base64, as `rollcall secret-key` prints. Required with \
         PostgreSQL [default: made beside the SQLite file]",
    ),
    text(
        "secret_key_file",
        "secret-key-file",
        "ROLLCALL_SECRET_KEY_FILE",
        "FILE",
        "File that holds the secret key instead; others must not be able to read it",
    ),
    secret(
        "smtp_url",
        "smtp-url",
        "ROLLCALL_SMTP_URL",
        "URL",
        "Mail server, smtp[s]://USER:PASSWORD@HOST:PORT [default: mail is captured, not sent]",
    ),
    text("mail_from", "mail-from", "ROLLCALL_MAIL_FROM", "ADDRESS", "Sender of mail; needed with a mail server"),
    text(
        "rate_limit",
        "rate-limit",
        "ROLLCALL_RATE_LIMIT",
        "on|off",
        "Rate limits; off where a limiter stands in front [default: on]",
    ),
    text(
        "trusted_proxies",
        "trusted-proxies",
        "ROLLCALL_TRUSTED_PROXIES",
        "CIDR,…",
        "Networks of proxies whose X-Forwarded-* count, as in 10.0.0.0/8,::1 [default: none]",
    ),
    text("workers", "workers", "ROLLCALL_WORKERS", "N", "Threads that serve requests [default: cores]"),
    text(
        "database_connections",
        "database-connections",
        "ROLLCALL_DATABASE_CONNECTIONS",
        "N",
        "Database connections over all workers [default: 4 × workers]",
    ),
    switch(
        "no_migrate",
        "no-migrate",
        "ROLLCALL_NO_MIGRATE",
        "Do not migrate the database; refuse to start where it is not current",
    ),
    text(
        "rust_log",
        "rust-log",
        "RUST_LOG",
        "FILTER",
        "What is logged, as in info,rollcall::access=off [default: info, for commands warn]",
    ),
    text("log_format", "log-format", "ROLLCALL_LOG_FORMAT", "text|json", "Form of log lines [default: text]"),
];

/// Variables that begin like ours and are no setting: the tests' database.
const NOT_SETTINGS: &[&str] = &["ROLLCALL_TEST_POSTGRES_URL"];

/// What is wrong with a variable of this name, if it looks like a setting and is none.
pub(super) fn check_variable(name: &str) -> Result<(), String> {
    let known = SETTINGS.iter().any(|s| s.variable == name) || NOT_SETTINGS.contains(&name);
    if known || !name.starts_with("ROLLCALL_") {
        return Ok(());
    }
    let hint = nearest(name, SETTINGS.iter().map(|s| s.variable));
    Err(format!("{name}: there is no such setting{hint}; `rollcall serve --help` lists them all"))
}

/// `; did you mean …?` for the closest of some names, or nothing when none is close.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let best = names.map(|n| (distance(name, n), n)).min();
    match best {
        Some((d, n)) if d <= 3.max(name.len() / 4) => format!("; did you mean {n}?"),
        _ => String::new(),
    }
}

/// Levenshtein distance over bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let substituted = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = substituted.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    // The first cell is only right for an empty `a`; it is never the answer for a non-empty `b`.
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_variable_and_key_of_a_setting_are_one_name() {
        for s in SETTINGS {
            assert_eq!(s.flag, s.key.replace('_', "-"));
            if s.key != "rust_log" {
                assert_eq!(s.variable, format!("ROLLCALL_{}", s.key.to_uppercase()));
            }
        }
    }

    #[test]
    fn unknown_variable_is_refused_with_the_nearest_name() {
        let cases = [
            ("ROLLCALL_LISTEN", None),
            ("ROLLCALL_TEST_POSTGRES_URL", None),
            ("RUST_LOG", None),
            ("HOME", None),
            ("ROLLCALL_LISTN", Some("did you mean ROLLCALL_LISTEN?")),
            ("ROLLCALL_DATABASE", Some("did you mean ROLLCALL_DATABASE_URL?")),
            ("ROLLCALL_", Some("no such setting")),
        ];
        for (name, expected) in cases {
            match (check_variable(name), expected) {
                (Ok(()), None) => {}
                (Err(text), Some(part)) => assert!(text.contains(part), "{name}: {text}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, d) in
            [("", "abc", 3), ("abc", "abc", 0), ("abc", "axc", 1), ("abc", "bc", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
