//! `rollcall serve`: first start, probes, metrics, stop.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use crate::helpers::{Done, Home, Kind, get};

on_both! {
    fn first_start_makes_an_organization_and_later_ones_none(home: &Home) {
        let server = home.serve(&[]);
        assert!(server.greeting.contains(&format!("SCIM base URL  http://{}/scim/v2", server.address)), "{}", server.greeting);
        assert_eq!(server.greeting.matches("rc_st_").count(), 2, "{}", server.greeting);
        assert!(server.greeting.contains(&format!("Admin API      http://{}/api/v1", server.address)), "{}", server.greeting);
        let key = server.greeting.split_whitespace().find(|word| word.starts_with("rc_ak_")).expect("an API key");
        assert_eq!(server.get("/api/v1/organization", Some(key)).0, 200);
        assert_eq!(server.stop().0, 0);

        let again = home.serve(&[]);
        assert!(!again.greeting.contains("rc_"), "{}", again.greeting);
        assert!(again.greeting.contains("rollcall token create"), "{}", again.greeting);
        assert_eq!(home.json(&["organization", "list"]).as_array().map(Vec::len), Some(1));
    }

    fn probes_are_public_and_metrics_are_on_their_own_listener(home: &Home) {
        let server = home.serve(&[("ROLLCALL_METRICS_LISTEN", "127.0.0.1:0")]);
        let (status, text) = server.get("/healthz", None);
        assert_eq!(status, 200, "{text}");
        let (status, text) = server.get("/readyz", None);
        assert!(status == 200 && text.ends_with("ready\n"), "{text}");
        assert_eq!(server.get("/metrics", None).0, 404);

        let port: u16 = server.greeting.split("Metrics: port ").nth(1).and_then(|t| t.split(',').next()).and_then(|p| p.parse().ok()).expect("a port");
        let (status, text) = get(&format!("127.0.0.1:{port}"), "/metrics", None);
        assert_eq!(status, 200);
        for name in ["rollcall_commit_batch_count", "rollcall_pool_wait_seconds_count", "rollcall_log_lines_dropped_total", "# EOF"] {
            assert!(text.contains(name), "{name}: {text}");
        }
    }

    fn stop_finishes_and_says_so(home: &Home) {
        let server = home.serve(&[]);
        let idle = std::net::TcpStream::connect(&server.address).expect("it listens");
        let log = home.path("server.log");
        let (code, rest) = server.stop();
        assert_eq!((code, rest.trim()), (0, ""));
        drop(idle);
        let log = std::fs::read_to_string(log).expect("a log");
        assert!(log.contains("SIGTERM received: finishing running requests"), "{log}");
        if home.kind == Kind::Sqlite {
            assert!(!home.path("test.db-wal").exists(), "the log of the database is not merged");
        }
    }

    fn a_silent_log_stops_nothing(home: &Home) {
        let server = home.serve(&[("RUST_LOG", "off")]);
        for _ in 0..50 {
            assert_eq!(server.get("/healthz", None).0, 200);
        }
        assert_eq!(server.stop().0, 0);
    }

    fn no_secret_is_in_a_log_at_its_most_talkative(home: &Home) {
        let mut bootstrap = home.command(&["bootstrap", "--json", "--name", "Acme"]);
        bootstrap.env("RUST_LOG", "trace");
        let done = Done::of(bootstrap);
        let made: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        let token = made["scim"]["token"].as_str().expect("a text");
        let api_key = made["api"]["key"].as_str().expect("a text");
        for secret in [token, api_key] {
            assert!(!done.stderr.contains(secret), "{}", done.stderr);
        }

        for format in ["text", "json"] {
            let server = home.serve(&[("RUST_LOG", "trace"), ("ROLLCALL_LOG_FORMAT", format)]);
            server.get("/scim/v2/Users?filter=userName%20eq%20%22s3cret-name%22", Some(token));
            server.get("/scim/v2/Users", Some("rc_st_s3cret-wrong"));
            server.get("/api/v1/roles", Some(api_key));
            server.get(&format!("/scim/v2/Users?access_token={token}"), None);
            assert_eq!(server.stop().0, 0);
            let log = std::fs::read_to_string(home.path("server.log")).expect("a log");
            assert!(log.contains("TRACE") && log.contains("SIGTERM received"), "{log}");
            for secret in [token, api_key, crate::helpers::SECRET_KEY, "s3cret"] {
                let line = log.lines().find(|l| l.contains(secret));
                assert_eq!(line, None, "{secret}");
            }
        }
    }

    fn address_in_use_is_refused(home: &Home) {
        let server = home.serve(&[]);
        home.run(&["serve", "--listen", &server.address]).is_refused(&format!("cannot listen on {}", server.address));
    }
}

#[test]
fn own_tls_listener_shows_its_certificate_and_serves() {
    let home = Home::new(Kind::Sqlite);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(home.path("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(home.path("key.pem"), made.signing_key.serialize_pem()).expect("written");
    std::fs::set_permissions(home.path("key.pem"), std::fs::Permissions::from_mode(0o600)).expect("set");
    let server = home.serve(&[("ROLLCALL_TLS_CERT", "cert.pem"), ("ROLLCALL_TLS_KEY", "key.pem")]);
    assert!(server.greeting.contains("SCIM base URL  https://127.0.0.1:"), "{}", server.greeting);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    tls.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    // Some servers end without a goodbye; what came before it counts.
    let _ = tls.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
