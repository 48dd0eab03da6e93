//! Paths: grammar and names.

use proptest::prelude::*;

use super::AttrPath;
use super::parse::{parse_attr, parse_patch};
use super::resolve::resolve;
use crate::protocol::error::ScimType;
use crate::protocol::policy::{Limits, Policy, Repairs};
use crate::protocol::schema::Registry;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn rfc_7644_3_5_2_paths_and_dialects_print_back() {
    let cases = [
        // figure 8
        "members",
        "name.familyName",
        "addresses[type eq \"work\"]",
        "members[value eq \"2819c223-7f76-453a-919d-413861904646\"]",
        "members[value eq \"2819c223-7f76-453a-919d-413861904646\"].displayName",
        // section 3.10
        "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
        "urn:ietf:params:scim:schemas:exampleCo:2.0:hr:age",
        // dialects
        "emails[type eq \"other\"].Value",
        "manager.$ref",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ];
    for text in cases {
        let path = parse_patch(text, &Limits::default()).unwrap();
        assert_eq!(path.to_string(), text);
    }
    let bare = parse_patch("members[value eq\"x\"]", &Limits::default()).unwrap();
    assert_eq!(bare.to_string(), "members[value eq \"x\"]");
}

#[test]
fn malformed_paths_are_invalid_path() {
    let deep = format!("a[{}b pr{}]", "(".repeat(32), ")".repeat(32));
    let long = format!("a[b eq \"{}\"]", "x".repeat(9_000));
    let heavy = "(".repeat(100_000);
    let cases = [
        " ",
        "a b",
        " a",
        "a ",
        "a.",
        ".a",
        "a.b.c",
        "a[",
        "a[]",
        "a[b]",
        "a[b pr",
        "a[b pr]c",
        "a[b pr].",
        "a[b pr].c.d",
        "a.b[c pr]",
        "a[b pr].c[d pr]",
        "a[b[c pr]]",
        "a eq 1",
        "1",
        "é",
        "a/b",
        "urn:",
        ":a",
        &deep,
        &long,
        &heavy,
    ];
    for text in cases {
        let error = parse_patch(text, &Limits::default()).expect_err(text);
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidPath)), "{text}: {error}");
    }
}

#[test]
fn a_short_extension_name_resolves_by_policy_only() {
    let user = &Registry::builtin().user;
    let strict = Policy { repairs: Repairs::none(), ..Policy::default() };
    let path =
        |text: &str, policy: &Policy| resolve(&parse_attr(text).unwrap(), user, policy).map(|found| found.path());
    assert_eq!(path("MANAGER.value", &Policy::default()), Some(format!("{ENTERPRISE}:manager.value")));
    assert_eq!(path("manager", &strict), None);
    assert_eq!(path(&format!("{ENTERPRISE}:manager"), &strict), Some(format!("{ENTERPRISE}:manager")));
    assert_eq!(path("unknown", &Policy::default()), None);
    // A core attribute of that name is meant even where only the extension's has the sub-attribute.
    assert_eq!(path("userName.value", &Policy::default()), None);
}

#[test]
fn an_ambiguous_short_name_resolves_to_nothing() {
    let mut user = Registry::builtin().user.clone();
    let mut twin = user.extensions[0].clone();
    twin.id = "urn:example:twin".into();
    user.extensions.push(twin);
    let path = AttrPath { urn: None, name: "department".into(), sub: None };
    assert_eq!(resolve(&path, &user, &Policy::default()), None);
}

proptest! {
    #[test]
    fn parsing_any_text_ends_in_a_path_or_a_refusal(text in any::<String>()) {
        let _ = parse_patch(&text, &Limits::default());
    }

    #[test]
    fn a_printed_path_parses_to_the_same(text in "[a-z]{1,4}(\\[[a-z]{1,3} (eq|co) \"[a-z]{0,3}\"\\])?(\\.[a-z]{1,3})?") {
        let limits = Limits::default();
        if let Ok(path) = parse_patch(&text, &limits) {
            prop_assert_eq!(parse_patch(&path.to_string(), &limits), Ok(path));
        }
    }
}
