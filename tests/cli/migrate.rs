//! `rollcall migrate` and `--no-migrate`.

on_both! {
    fn check_says_what_is_pending_and_changes_nothing(home: &Home) {
        let before = home.run(&["migrate", "--check", "--json"]);
        assert_eq!(before.code, 1, "{before:?}");
        let pending: serde_json::Value = serde_json::from_str(&before.stdout).expect("JSON");
        assert!(pending["pending"].as_array().is_some_and(|p| !p.is_empty()));
        assert_eq!(home.run(&["migrate", "--check", "--json"]).stdout, before.stdout);
        assert_eq!(home.json(&["migrate"])["applied"], pending["pending"]);
        assert_eq!(home.run(&["migrate", "--check"]).code, 0);
        assert_eq!(home.json(&["migrate"])["applied"], serde_json::json!([]));
    }

    fn nothing_migrates_against_the_operators_will(home: &Home) {
        for arguments in [&["serve", "--no-migrate", "--listen", "127.0.0.1:0"][..], &["--no-migrate", "organization", "list"]] {
            home.run(arguments).is_refused("run `rollcall migrate`");
        }
        assert_eq!(home.run(&["migrate"]).code, 0);
        assert_eq!(home.run(&["--no-migrate", "organization", "list"]).code, 0);
    }
}
