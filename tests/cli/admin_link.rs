//! `rollcall admin-link`.

on_both! {
    fn a_link_is_printed_for_an_organization(home: &Home) {
        home.json(&["organization", "create", "--name", "Acme"]);
        let make = ["admin-link", "--organization", "acme", "--public-url", "https://id.example.com/rollcall/"];
        let made = home.json(&make);
        let link = made["link"].as_str().expect("a link");
        assert!(link.starts_with("https://id.example.com/rollcall/console/admin-link/rc_al_"), "{link}");
        assert_ne!(home.json(&make)["link"], made["link"]);
        let text = home.run(&make).stdout;
        assert!(text.contains("/console/admin-link/rc_al_") && text.contains("Expires"), "{text}");
        home.run(&["admin-link", "--organization", "other"]).is_refused("no organization `other`");
        assert_eq!(home.run(&["admin-link"]).code, 2);
    }
}
