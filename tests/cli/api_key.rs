//! `rollcall api-key`.

use serde_json::json;

on_both! {
    fn a_key_has_the_roles_and_the_life_it_was_made_with(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        let made = home.json(&["api-key", "create", "--organization", "acme"]);
        assert_eq!(made["roles"], json!(["admin"]));
        assert_eq!(made["base_url"], "http://127.0.0.1:8080/api/v1");
        let days = |key: &serde_json::Value| {
            let time = |member: &str| {
                chrono::DateTime::parse_from_rfc3339(key[member].as_str().expect("a time")).expect("a time")
            };
            (time("expires_at") - time("created_at")).num_days()
        };
        assert_eq!(days(&made), 90);
        let arguments = ["--name", "Reports", "--role", "read_only", "--role", "billing", "--expires", "1y"];
        let narrow = home.json(&[&["api-key", "create", "--organization", "acme"], &arguments[..]].concat());
        assert_eq!((&narrow["name"], &narrow["roles"]), (&"Reports".into(), &json!(["read_only", "billing"])));
        assert_eq!(days(&narrow), 365);
        let never = home.json(&["api-key", "create", "--organization", "acme", "--expires", "never"]);
        assert_eq!(never["expires_at"], serde_json::Value::Null);

        let server = home.serve(&[]);
        let get = |path: &str, key: &serde_json::Value| server.get(path, key["key"].as_str()).0;
        assert_eq!((get("/api/v1/api-keys", &made), get("/api/v1/api-keys", &narrow)), (200, 200));
        let (_, list) = server.get("/api/v1/api-keys", made["key"].as_str());
        for key in [&made, &narrow, &never] {
            assert!(list.contains(key["fingerprint"].as_str().expect("a text")), "{list}");
            assert!(!list.contains(key["key"].as_str().expect("a text")));
        }
    }

    fn what_cannot_be_is_refused(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        home.run(&["api-key", "create", "--organization", "other"]).is_refused("no organization `other`");
        home.run(&["api-key", "create", "--organization", "acme", "--name", " "]).is_refused("a name has 1 to 200");
        for wrong in [["--role", "owner"], ["--expires", "10y"]] {
            assert_eq!(home.run(&[&["api-key", "create", "--organization", "acme"], &wrong[..]].concat()).code, 2);
        }
        assert_eq!(home.run(&["api-key", "create"]).code, 2);
    }
}
