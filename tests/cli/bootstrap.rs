//! `rollcall bootstrap`.

use serde_json::Value;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

on_both! {
    fn prints_all_that_a_first_request_needs(home: &Home) {
        let made = home.json(&["bootstrap", "--name", "Acme & Söhne"]);
        assert_eq!(keys(&made), ["organization", "connection", "scim", "api", "backoffice"]);
        assert_eq!(keys(&made["organization"]), ["id", "slug"]);
        assert_eq!(keys(&made["connection"]), ["id"]);
        assert_eq!(keys(&made["scim"]), ["base_url", "token"]);
        assert_eq!(made["organization"]["slug"], "acme-sohne");
        assert_eq!(made["scim"]["base_url"], "http://127.0.0.1:8080/scim/v2");
        let token = made["scim"]["token"].as_str().expect("a text");
        assert!(token.starts_with("rc_st_") && token.len() == 55, "{token}");
        for (surface, path, prefix) in [("api", "/api/v1", "rc_ak_"), ("backoffice", "/backoffice/v1", "rc_ok_")] {
            assert_eq!(keys(&made[surface]), ["base_url", "key"]);
            assert_eq!(made[surface]["base_url"], format!("http://127.0.0.1:8080{path}"));
            let key = made[surface]["key"].as_str().expect("a text");
            assert!(key.starts_with(prefix) && key.len() == 55, "{key}");
        }

        let connections = home.json(&["connection", "list", "--organization", "acme-sohne"]);
        assert_eq!(connections[0]["id"], made["connection"]["id"]);
        assert_eq!((&connections[0]["provider"], &connections[0]["state"]), (&"custom".into(), &"active".into()));
    }

    fn base_url_follows_the_public_url(home: &Home) {
        let made = home.json(&["bootstrap", "--name", "A", "--public-url", "https://id.example.com/rollcall/"]);
        assert_eq!(made["scim"]["base_url"], "https://id.example.com/rollcall/scim/v2");
        assert_eq!(made["backoffice"]["base_url"], "https://id.example.com/rollcall/backoffice/v1");
        let own = home.json(&["bootstrap", "--name", "B", "--backoffice-listen", "127.0.0.1:9090"]);
        assert_eq!(own["backoffice"]["base_url"], "http://127.0.0.1:9090/backoffice/v1");
    }

    fn each_credential_opens_its_surface_and_no_other(home: &Home) {
        let server = home.serve(&[]);
        let made = home.json(&["bootstrap", "--name", "Acme"]);
        let (token, key) = (made["scim"]["token"].as_str(), made["api"]["key"].as_str());
        let operator_key = made["backoffice"]["key"].as_str();
        for (path, credential, status) in [
            ("/scim/v2/Users", token, 200),
            ("/scim/v2/Users", key, 401),
            ("/api/v1/organization", key, 200),
            ("/api/v1/organization", token, 401),
            ("/api/v1/organization", operator_key, 401),
            ("/backoffice/v1/organizations", operator_key, 200),
            ("/backoffice/v1/organizations", key, 401),
        ] {
            let (answered, text) = server.get(path, credential);
            assert_eq!(answered, status, "{path}: {text}");
        }
    }

    fn two_calls_make_two_organizations(home: &Home) {
        let (first, second) = (home.json(&["bootstrap", "--name", "Acme"]), home.json(&["bootstrap", "--name", "Acme"]));
        assert_ne!(first["organization"]["id"], second["organization"]["id"]);
        assert_ne!(first["scim"]["token"], second["scim"]["token"]);
        assert_eq!((&first["organization"]["slug"], &second["organization"]["slug"]), (&"acme".into(), &"acme-2".into()));
        let all = home.json(&["organization", "list"]);
        assert_eq!(all.as_array().map(Vec::len), Some(2));
    }

    fn slug_is_taken_or_malformed(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme", "--slug", "acme"]);
        home.run(&["bootstrap", "--name", "Other", "--slug", "acme"]).is_refused("already is an organization with the slug `acme`");
        home.run(&["bootstrap", "--name", "Other", "--slug", "A B"]).is_refused("a slug has 1 to 50");
        home.run(&["bootstrap", "--name", " "]).is_refused("a name has 1 to 200");
        assert_eq!(home.run(&["bootstrap"]).code, 2);
        assert_eq!(home.json(&["organization", "list"]).as_array().map(Vec::len), Some(1));
    }

    fn works_while_a_server_runs(home: &Home) {
        let server = home.serve(&[]);
        home.json(&["bootstrap", "--name", "Acme"]);
        assert_eq!(server.get("/readyz", None).0, 200);
        let slugs: Vec<Value> = home.json(&["organization", "list"]).as_array().expect("a list").iter().map(|o| o["slug"].clone()).collect();
        assert_eq!(slugs, ["example", "acme"]);
    }
}
