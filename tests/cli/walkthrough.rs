//! `docs/walkthrough.sh`, the story of the README, against a real server.

use std::process::Command;

use crate::helpers::{Done, Home, Server};

/// Lines that the story must print, in this order; others may stand between them.
const STORY: [&str; 26] = [
    "1. The operator makes the organization Northwind",
    "2. The Admin connects Okta",
    "   Token rc_st_…",
    "3. Okta pushes Anna, Ben and Chiara, and the group Stewards",
    "4. The Admin maps the group to Data Admin",
    "   Chiara holds data_admin through the group Stewards",
    "5. The Admin deletes Chiara: refused",
    "     \"code\": \"managed-externally\",",
    "     \"status\": 403,",
    "     \"detail\": \"Chiara Rossi is managed by Okta.",
    "       \"name\": \"Okta\",",
    "6. Okta deletes Chiara: she is gone.",
    "7. The operator removes Ben and blocks him.",
    "   Requests of Okta for this id are answered 404, and its attempts to create the person are refused",
    "8. Okta pushes Ben again: refused",
    "   Refused: The operator of this service removed and blocked the person",
    "9. The operator lifts the block",
    "10. The audit log of the organization has it all.",
    "   organization.created      ok       Service operator",
    "   group.roles_changed       ok       First key           Stewards",
    "   user.deleted              refused  First key           chiara@northwind.example",
    "   user.deleted              ok       Okta                chiara@northwind.example",
    "   user.deleted              ok       Service operator    ben@northwind.example (Asked for by the customer)",
    "   user.blocked              ok       Service operator    ben@northwind.example",
    "   user.unblocked            ok       Service operator    ben@northwind.example",
    "   user.created              ok       Okta                ben@northwind.example",
];

fn walk(home: &Home, server: &Server, operator_key: &str) -> Done {
    let temporary = home.path("temporary");
    std::fs::create_dir_all(&temporary).expect("a folder");
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/walkthrough.sh"));
    command.arg(format!("http://{}/", server.address));
    command.env("OPERATOR_KEY", operator_key).env("TMPDIR", &temporary).env_remove("BACKOFFICE_URL");
    let done = Done::of(command);
    assert_eq!(std::fs::read_dir(temporary).expect("a folder").count(), 0, "nothing is left behind: {done:?}");
    done
}

fn operator_key(home: &Home) -> String {
    let made = home.json(&["bootstrap", "--name", "Operators"]);
    made["backoffice"]["key"].as_str().expect("a key").to_owned()
}

on_both! {
    fn the_story_goes_as_it_is_told(home: &Home) {
        let key = operator_key(home);
        let server = home.serve(&[]);
        // The second organization of that name is as good a place for it.
        for _ in 0..2 {
            let done = walk(home, &server, &key);
            assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{done:?}");
            let mut lines = done.stdout.lines();
            for expected in STORY {
                assert!(lines.any(|line| line.starts_with(expected)), "{expected}\n{}", done.stdout);
            }
            for secret in [&*key, "rc_ok_", "rc_ak_"] {
                assert!(!done.stdout.contains(secret), "{}", done.stdout);
            }
        }
        assert_eq!(server.stop().0, 0);
    }

    fn it_stops_at_an_answer_that_is_not_the_expected_one(home: &Home) {
        let key = operator_key(home);
        std::fs::write(home.path("few.toml"), "[limits]\napi_rate = 3\n").expect("written");
        let server = home.serve(&[("ROLLCALL_CONFIG", "few.toml")]);
        let wrong_key = walk(home, &server, &format!("{key}x"));
        wrong_key.is_refused("walkthrough: step 1: POST ");
        wrong_key.is_refused(" answered 401, expected 201: {\"type\":");
        walk(home, &server, "").is_refused("OPERATOR_KEY is needed");
        // In the midst of the story.
        walk(home, &server, &key).is_refused(" answered 429, expected ");
        assert_eq!(server.stop().0, 0);
    }
}
