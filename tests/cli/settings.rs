//! Settings that are refused, and where they come from.

use std::os::unix::fs::PermissionsExt as _;

use crate::helpers::{Done, Home, Kind, SECRET_KEY, bare};

fn with(home: &Home, name: &str, value: &str) -> Done {
    let mut command = home.command(&["organization", "list"]);
    command.env(name, value);
    Done::of(command)
}

on_both! {
    fn unknown_and_unsafe_settings_are_refused(home: &Home) {
        with(home, "ROLLCALL_LISTN", "x").is_refused("did you mean ROLLCALL_LISTEN?");
        with(home, "ROLLCALL_PUBLIC_URL", "http://rollcall.example.com").is_refused("would send tokens in clear text");
        with(home, "ROLLCALL_LISTEN", "0.0.0.0:8080").is_refused("ROLLCALL_PUBLIC_URL: must say how clients reach");
        with(home, "ROLLCALL_TLS_CERT", "cert.pem").is_refused("set both or none");
        with(home, "ROLLCALL_RATE_LIMIT", "maybe").is_refused("ROLLCALL_RATE_LIMIT: `maybe` must be on or off");
        assert_eq!(home.run(&["--listn", "x"]).code, 2);
        assert_eq!(home.run(&["frobnicate"]).code, 2);
    }

    fn harmless_surroundings_are_not_refused(home: &Home) {
        for (name, value) in [
            ("ROLLCALL_TEST_POSTGRES_URL", "x"),
            ("ROLLCALL_TLS_CERT", ""),
            ("ROLLCALLER", "x"),
            ("RUST_LOG", "trace"),
        ] {
            let done = with(home, name, value);
            assert_eq!(done.code, 0, "{name}: {done:?}");
        }
    }
}

#[test]
fn flag_goes_before_environment_before_file() {
    let home = Home::new(Kind::Sqlite);
    std::fs::write(
        home.path("rollcall.toml"),
        "database_url = \"sqlite://file.db\"\n[limits]\npage_most = 7\npage_default = 5\n",
    )
    .expect("written");
    let list = ["organization", "list", "--config", "rollcall.toml"];
    assert_eq!(Done::of(bare(home.folder.path(), &list)).code, 0);
    assert!(home.path("file.db").exists());
    let mut by_environment = bare(home.folder.path(), &list);
    by_environment.env("ROLLCALL_DATABASE_URL", "sqlite://environment.db");
    assert_eq!(Done::of(by_environment).code, 0);
    assert!(home.path("environment.db").exists() && !home.path("flag.db").exists());
    let mut by_flag = bare(home.folder.path(), &[&list[..], &["--database-url", "sqlite://flag.db"]].concat());
    by_flag.env("ROLLCALL_DATABASE_URL", "sqlite://other.db");
    assert_eq!(Done::of(by_flag).code, 0);
    assert!(home.path("flag.db").exists() && !home.path("other.db").exists());
}

#[test]
fn unknown_key_of_the_file_is_refused() {
    let home = Home::new(Kind::Sqlite);
    std::fs::write(home.path("rollcall.toml"), "listn = \"x\"\n[limits]\npage_mots = 1\n").expect("written");
    let done = home.run(&["--config", "rollcall.toml", "organization", "list"]);
    done.is_refused("listn in rollcall.toml: there is no such setting; did you mean listen?");
    done.is_refused("limits.page_mots: there is no such limit; did you mean page_most?");
}

#[test]
fn postgres_server_needs_a_secret_key_and_a_command_does_not() {
    let home = Home::new(Kind::Postgres);
    let mut serve = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env_remove("ROLLCALL_SECRET_KEY");
    Done::of(serve).is_refused("must be set with PostgreSQL");
    let mut list = home.command(&["organization", "list"]);
    list.env_remove("ROLLCALL_SECRET_KEY");
    assert_eq!(Done::of(list).code, 0);
}

#[test]
fn printed_key_is_one_and_differs_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let print = || Done::of(bare(folder.path(), &["secret-key"])).stdout.trim_end().to_owned();
    let (first, second) = (print(), print());
    assert_ne!(first, second);
    let mut doctor = bare(folder.path(), &["doctor"]);
    doctor.env("ROLLCALL_SECRET_KEY", &first);
    let done = Done::of(doctor);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.stdout.contains(&first));
}

#[test]
fn key_file_that_everybody_can_read_is_refused() {
    let home = Home::new(Kind::Sqlite);
    let path = home.path("key");
    std::fs::write(&path, SECRET_KEY).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    let serve = || home.run(&["serve", "--listen", "127.0.0.1:0", "--secret-key-file", "key"]);
    serve().is_refused("every user of this machine can use the secret key file key (mode 0644)");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::write(&path, "short").expect("written");
    serve().is_refused("the secret key file key");
}

#[test]
fn tls_key_that_everybody_can_read_is_refused() {
    let home = Home::new(Kind::Sqlite);
    for name in ["cert.pem", "key.pem"] {
        std::fs::write(home.path(name), "x").expect("written");
        std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(0o644)).expect("set");
    }
    let serve = || home.run(&["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    serve().is_refused("every user of this machine can use the private key key.pem");
    std::fs::set_permissions(home.path("key.pem"), std::fs::Permissions::from_mode(0o600)).expect("set");
    serve().is_refused("cert.pem holds no certificate");
}
