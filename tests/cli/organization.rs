//! `rollcall organization` and `rollcall connection`.

on_both! {
    fn organization_is_created_listed_suspended_and_resumed(home: &Home) {
        let made = home.json(&["organization", "create", "--name", "Acme"]);
        assert_eq!((&made["slug"], &made["state"]), (&"acme".into(), &"active".into()));
        let id = made["id"].as_str().expect("an id");
        assert_eq!(home.json(&["organization", "suspend", "acme"])["state"], "suspended");
        assert_eq!(home.json(&["organization", "list"])[0]["state"], "suspended");
        assert_eq!(home.json(&["organization", "resume", id])["state"], "active");
        home.run(&["organization", "suspend", "nobody"]).is_refused("there is no organization `nobody`");
        let table = home.run(&["organization", "list"]).stdout;
        assert!(table.starts_with("SLUG") && table.contains(id), "{table}");
    }

    fn a_domain_is_verified_without_a_record(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        let verify = ["organization", "verify-domain", "--organization", "acme", "Example.COM"];
        let verified = home.json(&verify);
        assert_eq!((&verified["domain"], &verified["state"]), (&"example.com".into(), &"verified".into()));
        assert_eq!(verified["method"], "operator");
        assert_eq!(home.json(&verify), verified);
        home.run(&["organization", "verify-domain", "--organization", "acme", "com"]).is_refused("A domain is a name");
        home.run(&["organization", "verify-domain", "--organization", "other", "a.example"])
            .is_refused("no organization `other`");
        let key = home.json(&["api-key", "create", "--organization", "acme"]);
        let (status, list) = home.serve(&[]).get("/api/v1/domains", key["key"].as_str());
        assert!(status == 200 && list.contains(r#""domain":"example.com","state":"verified","method":"operator""#), "{list}");
    }

    fn connection_is_created_and_listed_and_its_name_is_unique(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        let create = ["connection", "create", "--organization", "acme", "--name", "Okta", "--provider", "okta"];
        let made = home.json(&create);
        assert_eq!((&made["provider"], &made["state"]), (&"okta".into(), &"active".into()));
        home.run(&create).is_refused("there already is a connection `Okta`");
        assert_eq!(home.json(&["connection", "list", "--organization", "acme"]), serde_json::json!([made]));
        let unknown = home.run(&["connection", "create", "--organization", "acme", "--name", "X", "--provider", "x"]);
        assert_eq!(unknown.code, 2);
    }
}
