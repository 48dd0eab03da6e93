//! `rollcall doctor`.

use serde_json::Value;

use crate::helpers::{Done, Home, Kind};

/// Exit code and state of each check, by its name.
fn examine(home: &Home, settings: &[(&str, &str)]) -> (i32, Vec<(String, String, String)>) {
    let mut command = home.command(&["doctor", "--json"]);
    command.envs(settings.iter().copied());
    let done = Done::of(command);
    let checks: Vec<Value> = serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    let text = |c: &Value, key: &str| c[key].as_str().expect("a text").to_owned();
    (done.code, checks.iter().map(|c| (text(c, "check"), text(c, "state"), text(c, "detail"))).collect())
}

#[track_caller]
fn has(checks: &[(String, String, String)], check: &str, state: &str, part: &str) {
    let found = checks.iter().any(|(c, s, d)| c == check && s == state && d.contains(part));
    assert!(found, "{check} {state} {part}: {checks:?}");
}

on_both! {
    fn all_is_well_after_a_start(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let (code, checks) = examine(home, &[]);
        assert_eq!(code, 0, "{checks:?}");
        assert!(checks.iter().all(|(_, state, _)| state == "ok"), "{checks:?}");
        for name in ["settings", "secret key", "tls", "database", "migrations", "clock"] {
            assert!(checks.iter().any(|(check, ..)| check == name), "{name}: {checks:?}");
        }
    }

    fn wrong_settings_are_named_with_their_remedy(home: &Home) {
        let (code, checks) = examine(home, &[("ROLLCALL_LISTN", "x"), ("ROLLCALL_WORKERS", "none")]);
        assert_eq!(code, 1);
        has(&checks, "settings", "wrong", "did you mean ROLLCALL_LISTEN?");
        has(&checks, "settings", "wrong", "ROLLCALL_WORKERS: `none` must be a whole number");
    }

    fn pending_migrations_are_wrong_only_where_nothing_applies_them(home: &Home) {
        // Makes the database's file, without its tables.
        home.run(&["migrate", "--check"]);
        let (code, checks) = examine(home, &[]);
        assert_eq!(code, 0, "{checks:?}");
        has(&checks, "migrations", "ok", "the next start applies");
        let (code, checks) = examine(home, &[("ROLLCALL_NO_MIGRATE", "true")]);
        assert_eq!(code, 1, "{checks:?}");
        has(&checks, "migrations", "wrong", "run `rollcall migrate`");
    }
}

#[test]
fn doctor_makes_no_file() {
    let home = Home::new(Kind::Sqlite);
    let (code, checks) = examine(&home, &[]);
    assert_eq!(code, 0, "{checks:?}");
    has(&checks, "database", "ok", "the first start makes test.db");
    assert_eq!(std::fs::read_dir(home.folder.path()).expect("a folder").count(), 0);
    let (code, checks) = examine(&home, &[("ROLLCALL_DATABASE_URL", "sqlite://absent/test.db")]);
    assert_eq!(code, 1);
    has(&checks, "database", "wrong", "there is no folder absent");
}

#[test]
fn database_that_does_not_answer_is_wrong_and_its_password_stays_secret() {
    let home = Home::new(Kind::Postgres);
    let (code, checks) = examine(&home, &[("ROLLCALL_DATABASE_URL", "postgres://rollcall:hunter2@127.0.0.1:1/none")]);
    assert_eq!(code, 1);
    has(&checks, "database", "wrong", "look at ROLLCALL_DATABASE_URL");
    assert!(!format!("{checks:?}").contains("hunter2"), "{checks:?}");
}

#[test]
fn database_file_open_to_everybody_is_doubtful() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new(Kind::Sqlite);
    home.json(&["bootstrap", "--name", "Acme"]);
    std::fs::set_permissions(home.path("test.db"), std::fs::Permissions::from_mode(0o644)).expect("set");
    let (code, checks) = examine(&home, &[]);
    assert_eq!(code, 0);
    has(&checks, "database file", "doubtful", "chmod 600 test.db");
}
