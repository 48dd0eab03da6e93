//! `rollcall token`.

use serde_json::Value;

use crate::helpers::Home;

fn states(home: &Home) -> Vec<(String, String)> {
    let all = home.json(&["token", "list", "--organization", "acme"]);
    let text = |t: &Value, key: &str| t[key].as_str().expect("a text").to_owned();
    all.as_array().expect("a list").iter().map(|t| (text(t, "name"), text(t, "state"))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

on_both! {
    fn tokens_overlap_until_one_is_revoked(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let second = home.json(&["token", "create", "--organization", "acme", "--name", "second"]);
        assert_eq!(states(home), pairs(&[("bootstrap", "live"), ("second", "live")]));
        let id = second["id"].as_str().expect("an id");
        let revoked = home.json(&["token", "revoke", id]);
        assert_eq!((&revoked["state"], revoked["revoked_at"].is_string()), (&"revoked".into(), true));
        assert_eq!(states(home), pairs(&[("bootstrap", "live"), ("second", "revoked")]));
        let again = home.json(&["token", "revoke", id, "--organization", "acme"]);
        assert_eq!(again["revoked_at"], revoked["revoked_at"]);
    }

    fn secret_is_shown_once(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let made = home.json(&["token", "create", "--organization", "acme"]);
        let secret = made["token"].as_str().expect("a text");
        let list = home.run(&["token", "list", "--organization", "acme"]).stdout;
        assert!(list.contains(made["fingerprint"].as_str().expect("a text")), "{list}");
        assert!(!list.contains(secret) && !home.json(&["token", "list", "--organization", "acme"]).to_string().contains(secret));
        let by_secret = home.run(&["token", "revoke", secret]);
        by_secret.is_refused("name the token by its id");
        assert!(!by_secret.stderr.contains(secret));
    }

    fn token_ends_when_it_was_said_to(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let create = |expires: &str| home.json(&["token", "create", "--organization", "acme", "--expires", expires]);
        let seconds = |token: &Value| {
            let time = |key: &str| chrono::DateTime::parse_from_rfc3339(token[key].as_str().expect("a time")).expect("a time");
            (time("expires_at") - time("created_at")).num_days()
        };
        for (name, days) in [("90d", 90), ("1y", 365), ("2y", 730)] {
            assert_eq!(seconds(&create(name)), days);
        }
        assert_eq!(create("never")["expires_at"], Value::Null);
        assert_eq!(home.run(&["token", "create", "--organization", "acme", "--expires", "10y"]).code, 2);
    }

    fn connection_must_be_named_where_there_are_several(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        home.run(&["token", "create", "--organization", "acme"]).is_refused("has no connection");
        for name in ["one", "two"] {
            home.json(&["connection", "create", "--organization", "acme", "--name", name]);
        }
        home.run(&["token", "create", "--organization", "acme"]).is_refused("has 2 connections; say which one");
        home.json(&["token", "create", "--organization", "acme", "--connection", "two"]);
        home.run(&["token", "create", "--organization", "acme", "--connection", "three"]).is_refused("no connection `three`");
        home.run(&["token", "revoke", "three"]).is_refused("no token `three`");
    }
}
