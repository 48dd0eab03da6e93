//! `rollcall user`.

use serde_json::{Value, json};

on_both! {
    fn a_person_has_the_names_and_roles_they_were_made_with(home: &Home) {
        let made = home.json(&["bootstrap", "--name", "Acme"]);
        let names = ["--given-name", "Ada", "--family-name", "Lovelace", "--role", "admin", "--role", "billing"];
        let ada = home.json(&[&["user", "create", "--organization", "acme", "--email", "ada@example.com"], &names[..]].concat());
        assert_eq!((&ada["user_name"], &ada["roles"]), (&json!("ada@example.com"), &json!(["admin", "billing"])));
        let server = home.serve(&[]);
        let path = format!("/api/v1/users/{}", ada["id"].as_str().expect("an id"));
        let (status, text) = server.get(&path, made["api"]["key"].as_str());
        assert_eq!(status, 200, "{text}");
        let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
        assert_eq!(body["name"], json!({ "given": "Ada", "family": "Lovelace", "display": "Ada Lovelace" }));
        assert_eq!((&body["status"], &body["managed"]["by"]), (&json!("active"), &json!("local")));
        let roles: Vec<(&Value, &Value)> =
            body["roles"].as_array().expect("roles").iter().map(|role| (&role["key"], &role["source"])).collect();
        assert_eq!(roles, [(&json!("admin"), &json!("direct")), (&json!("billing"), &json!("direct"))]);
    }

    fn what_cannot_be_is_refused(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        let create = |more: &[&str]| home.run(&[&["user", "create", "--organization", "acme"], more].concat());
        home.json(&["user", "create", "--organization", "acme", "--email", "ada@example.com"]);
        create(&["--email", "ADA@example.com"]).is_refused("already is a person with the user name `ADA@example.com`");
        create(&["--email", "ada"]).is_refused("is no e-mail address");
        create(&["--email", "ben@example.com", "--user-name", " ben"]).is_refused("userName");
        home.run(&["user", "create", "--organization", "other", "--email", "a@example.com"]).is_refused("no organization `other`");
        assert_eq!(create(&["--email", "ben@example.com", "--role", "owner"]).code, 2);
        assert_eq!(create(&[]).code, 2);
    }
}
