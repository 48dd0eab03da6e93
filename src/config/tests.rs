//! Settings from texts: what is taken over, what is refused, and that nothing secret prints.

use super::*;
use crate::config::Network;

fn given(pairs: &[(&str, &str)]) -> Given {
    pairs.iter().fold(Given::default(), |g, (key, text)| g.with(key, text))
}

/// Settings without the environment of the test.
fn resolve(given: &Given) -> Result<Settings, Vec<String>> {
    let mut resolver = Resolver { given, problems: Vec::new() };
    let settings = resolver.settings();
    if resolver.problems.is_empty() { Ok(settings) } else { Err(resolver.problems) }
}

#[test]
fn nothing_given_means_the_defaults() {
    let settings = resolve(&Given::default()).unwrap();
    assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn each_setting_is_taken_over() {
    let settings = resolve(&given(&[
        ("database_url", "postgres://u:p@h/n"),
        ("listen", "0.0.0.0:0"),
        ("public_url", "https://id.example.com/rollcall/"),
        ("tls_cert", "c.pem"),
        ("tls_key", "k.pem"),
        ("metrics_listen", "[::1]:9100"),
        ("smtp_url", "smtps://u:p@mail:465"),
        ("mail_from", "Rollcall <a@example.com>"),
        ("rate_limit", "off"),
        ("dns_server", "192.0.2.53:5353"),
        ("trusted_proxies", "10.0.0.0/8, ::1"),
        ("workers", "3"),
        ("no_migrate", "true"),
        ("rust_log", "warn"),
        ("log_format", "json"),
    ]))
    .unwrap();
    assert_eq!(settings.database_url.reveal(), "postgres://u:p@h/n");
    assert_eq!(settings.public_url, "https://id.example.com/rollcall");
    assert_eq!(settings.tls, Some(TlsFiles { cert: "c.pem".into(), key: "k.pem".into() }));
    assert_eq!(settings.metrics_listen.as_deref(), Some("[::1]:9100"));
    assert_eq!(settings.trusted_proxies, [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::1").unwrap()]);
    assert_eq!((settings.workers, settings.database_connections), (3, 12));
    assert_eq!(settings.dns_server, "192.0.2.53:5353".parse().ok());
    assert!(!settings.rate_limit && !settings.migrate);
    assert_eq!((settings.log_filter.as_deref(), settings.log_format), (Some("warn"), LogFormat::Json));
    assert_eq!(settings.secret_key, SecretKeySource::Missing);
}

#[test]
fn senseless_settings_are_refused_by_their_name() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("listen", "8080")], "--listen: `8080` must be an address"),
        (&[("listen", "::1:80")], "--listen: `::1:80` must be an address"),
        (&[("listen", "127.0.0.1:65536")], "--listen"),
        (&[("database_url", "mysql://u:hunter2@h/n")], "--database-url: there is no database of the kind `mysql`"),
        (&[("database_url", "sqlite://")], "--database-url: names no file"),
        (&[("database_url", "sqlite://:memory:")], "--database-url: a database in memory"),
        (&[("public_url", "http://rollcall.example.com")], "--public-url: `http://rollcall.example.com` would send"),
        (&[("public_url", "rollcall.example.com")], "--public-url: `rollcall.example.com` is no URL"),
        (&[("listen", "0.0.0.0:8080")], "ROLLCALL_PUBLIC_URL: must say how clients reach"),
        (&[("tls_cert", "c.pem")], "ROLLCALL_TLS_CERT and ROLLCALL_TLS_KEY: set both or none"),
        (&[("secret_key", "hunter2")], "--secret-key: is not base64"),
        (
            &[("secret_key_file", "a"), ("secret_key", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=")],
            "--secret-key and",
        ),
        (&[("smtp_url", "mail.example.com:hunter2")], "--smtp-url: must be smtp://"),
        (&[("smtp_url", "smtp://mail.example.com")], "ROLLCALL_MAIL_FROM: must be set"),
        (&[("mail_from", "nobody")], "--mail-from: `nobody` must be a mail address"),
        (&[("dns_server", "dns.example:53")], "--dns-server: `dns.example:53` must be an IP address and a port"),
        (&[("rate_limit", "maybe")], "--rate-limit: `maybe` must be on or off"),
        (&[("trusted_proxies", "10.0.0.0/40")], "--trusted-proxies: `10.0.0.0/40` is no network"),
        (&[("workers", "0")], "--workers: `0` must be a whole number"),
        (&[("database_connections", "-1")], "--database-connections"),
        (&[("log_format", "xml")], "--log-format: `xml` must be text or json"),
    ];
    for (pairs, expected) in cases {
        let problems = resolve(&given(pairs)).unwrap_err();
        assert!(problems.iter().any(|p| p.starts_with(expected)), "{pairs:?}: {problems:?}");
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn all_problems_come_at_once() {
    let problems = resolve(&given(&[("listen", "x"), ("workers", "x"), ("log_format", "x")])).unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn clear_text_is_accepted_on_loopback_and_when_the_operator_says_so() {
    for pairs in [
        &[("public_url", "http://localhost:1")][..],
        &[("public_url", "http://rollcall.internal"), ("allow_http", "true")],
        &[("listen", "0.0.0.0:8080"), ("allow_http", "true")],
        &[("listen", "0.0.0.0:8080"), ("tls_cert", "c"), ("tls_key", "k")],
        &[("listen", "[::1]:8080")],
        &[("listen", "localhost:0")],
    ] {
        assert!(resolve(&given(pairs)).is_ok(), "{pairs:?}");
    }
}

#[test]
fn derived_public_url_gets_the_real_port_and_a_given_one_stays() {
    let at = |pairs: &[(&str, &str)]| resolve(&given(pairs)).unwrap().listening_on(4711).public_url;
    assert_eq!(at(&[("listen", "127.0.0.1:0")]), "http://127.0.0.1:4711");
    assert_eq!(at(&[("listen", "[::1]:0"), ("tls_cert", "c"), ("tls_key", "k")]), "https://[::1]:4711");
    assert_eq!(at(&[("public_url", "https://a.example")]), "https://a.example");
}

#[test]
fn file_fills_what_flag_and_environment_left_open() {
    let mut given = given(&[("listen", "127.0.0.1:1")]);
    let table = "listen = \"127.0.0.1:2\"\nworkers = 2\nno_migrate = true\ntrusted_proxies = [\"::1\", \"10.0.0.0/8\"]\n\
                 [limits]\npage_most = 150";
    assert_eq!(given.add_table(table.parse().unwrap(), "rollcall.toml"), Vec::<String>::new());
    let settings = resolve(&given).unwrap();
    assert_eq!((settings.listen.as_str(), settings.workers, settings.migrate), ("127.0.0.1:1", 2, false));
    assert_eq!((settings.trusted_proxies.len(), settings.limits.protocol.page_most), (2, 150));
}

#[test]
fn unknown_keys_of_the_file_are_refused() {
    let cases = [
        ("listn = \"x\"", "listn in f: there is no such setting; did you mean listen?"),
        ("config = \"x\"", "config in f: there is no such setting"),
        ("limit = 5", "limit in f: there is no such setting; did you mean limits?"),
        ("listen = {}", "listen in f: must be a text"),
    ];
    for (text, expected) in cases {
        let problems = Given::default().add_table(text.parse().unwrap(), "f");
        assert!(matches!(problems.as_slice(), [p] if p.starts_with(expected)), "{text}: {problems:?}");
    }
}

#[test]
fn broken_file_is_named_with_its_line_and_without_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollcall.toml");
    std::fs::write(&path, "listen = \"127.0.0.1:1\"\nsmtp_url = \"smtp://u:hunter2@h\n").unwrap();
    let problems = Given::default().add_file(&path);
    assert!(matches!(problems.as_slice(), [p] if p.contains("(line 2)") && !p.contains("hunter2")), "{problems:?}");
    assert_eq!(Given::default().add_file(&folder.path().join("absent.toml")).len(), 1);
}

#[test]
fn no_type_of_settings_prints_a_secret() {
    let secrets = ["s3cret-db", "s3cret-mail", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISEhISE="];
    let given = given(&[
        ("database_url", "postgres://rollcall:s3cret-db@localhost/rollcall"),
        ("smtp_url", "smtp://rollcall:s3cret-mail@localhost:25"),
        ("mail_from", "a@example.com"),
        ("secret_key", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISEhISE="),
    ]);
    let settings = resolve(&given).unwrap();
    let key = settings.load_secret_key().unwrap();
    let bytes = format!("{:?}", key.reveal());
    let printed = [
        format!("{given:?}"),
        format!("{settings:#?}"),
        format!("{:?}", settings.secret_key),
        format!("{key:?}"),
        format!("{:?}", settings.database_url),
    ];
    for text in printed {
        assert!(text.contains("[redacted]"), "{text}");
        assert!(secrets.iter().all(|s| !text.contains(s)) && !text.contains(bytes.trim_matches(['[', ']'])), "{text}");
    }
}
