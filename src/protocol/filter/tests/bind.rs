//! Names and types.

use serde_json::json;

use super::RFC_EXAMPLES;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::filter::bind::bind;
use crate::protocol::filter::evaluate::evaluate;
use crate::protocol::filter::parse::parse;
use crate::protocol::filter::{BoundFilter, CompareOp, Filter, Literal, Operand};
use crate::protocol::policy::{Policy, Repairs};
use crate::protocol::schema::{Registry, ResourceType};

fn bound(text: &str, rt: &ResourceType, policy: &Policy) -> Result<BoundFilter, ScimError> {
    bind(&parse(text, &policy.limits)?, rt, policy)
}

fn user(text: &str) -> Result<BoundFilter, ScimError> {
    bound(text, &Registry::builtin().user, &Policy::default())
}

/// `path op operand` of a single comparison.
fn shown(filter: &BoundFilter) -> String {
    match filter {
        BoundFilter::And(all) => all.iter().map(shown).collect::<Vec<_>>().join(" & "),
        BoundFilter::Or(any) => any.iter().map(shown).collect::<Vec<_>>().join(" | "),
        BoundFilter::Not(inner) => format!("!({})", shown(inner)),
        BoundFilter::Present(attr) => format!("{} pr", attr.path()),
        BoundFilter::Element(attr, inner) => format!("{}[{}]", attr.path(), shown(inner)),
        BoundFilter::Compare(attr, op, operand) => {
            let operand = match operand {
                Operand::Bool(value) => value.to_string(),
                Operand::Number(value) => value.to_string(),
                Operand::Text { key, .. } => format!("'{key}'"),
                Operand::Instant(value) => format!("@{value}"),
            };
            format!("{} {op} {operand}", attr.path())
        }
    }
}

#[test]
fn rfc_7644_3_4_2_2_examples_bind_to_a_user() {
    for example in RFC_EXAMPLES.lines() {
        assert!(user(example).is_ok(), "{example}");
    }
}

#[test]
fn names_become_canonical_and_literals_typed() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let cases = [
        ("USERNAME eq \"Bjensen\"", "userName eq 'bjensen'".to_owned()),
        ("externalId eq \"Oid\"", "externalId eq 'Oid'".to_owned()),
        ("urn:ietf:params:scim:schemas:core:2.0:User:name.GIVENNAME sw \"J\"", "name.givenName sw 'j'".to_owned()),
        ("active eq \"True\"", "active eq true".to_owned()),
        ("active ne FALSE", "active ne false".to_owned()),
        ("meta.created ge \"1970-01-01T01:00:01+01:00\"", "meta.created ge @1000000".to_owned()),
        ("title eq null", "!(title pr)".to_owned()),
        ("name ne null", "name pr".to_owned()),
        // R40, and what RFC 7644 figure 2 does
        ("emails eq \"A@b\"", "emails.value eq 'a@b'".to_owned()),
        ("roles co \"Adm\"", "roles.value co 'adm'".to_owned()),
        ("groups eq \"Id\"", "groups.value eq 'Id'".to_owned()),
        ("emails[type eq \"Work\"].value eq \"x\"", "emails[emails.type eq 'work' & emails.value eq 'x']".to_owned()),
        ("roles[primary eq \"True\"]", "roles[roles.primary eq true]".to_owned()),
        (
            "name[givenName eq \"A\" and familyName pr]",
            "name pr & name.givenName eq 'a' & name.familyName pr".to_owned(),
        ),
        (&format!("{ENTERPRISE}:Department eq \"D\""), format!("{ENTERPRISE}:department eq 'd'")),
        // Entra's manager probe
        ("id eq \"U\" and manager eq \"M\"", format!("id eq 'U' & {ENTERPRISE}:manager.value eq 'M'")),
        ("department pr", format!("{ENTERPRISE}:department pr")),
    ];
    for (text, expected) in cases {
        assert_eq!(user(text).map(|filter| shown(&filter)), Ok(expected), "{text}");
    }
    let group = bound("id eq \"G\" and members eq \"U\"", &Registry::builtin().group, &Policy::default());
    assert_eq!(group.map(|filter| shown(&filter)), Ok("id eq 'G' & members.value eq 'U'".to_owned()));
}

#[test]
fn wrong_questions_are_invalid_filter() {
    let cases = [
        "unknown eq 1",
        "name.unknown pr",
        "userName.value pr",
        "urn:example:other:userName pr",
        "members eq \"x\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr",
        // secrets
        "password eq \"right\"",
        "password pr",
        "password eq null",
        // complex attributes without `value`
        "name eq \"Babs\"",
        "addresses co \"x\"",
        "meta eq \"x\"",
        // operators
        "active gt true",
        "active co \"t\"",
        "active sw true",
        "x509Certificates.value gt \"AA==\"",
        "x509Certificates co \"AA==\"",
        "meta.created co \"2011\"",
        "title gt null",
        "title co null",
        // literals
        "userName eq 5",
        "userName eq true",
        "active eq \"yes\"",
        "active eq 1",
        "meta.created eq \"yesterday\"",
        "meta.created gt 5",
        // brackets
        "userName[value eq \"x\"]",
        "schemas[value eq \"x\"]",
        "name.givenName[value eq \"x\"]",
        "emails[unknown eq 1]",
        "emails[emails.type eq \"work\"]",
        "emails[urn:x:type eq \"work\"]",
        "unknown[type eq \"work\"]",
    ];
    for text in cases {
        let error = user(text).expect_err(text);
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidFilter)), "{text}: {error}");
    }
}

#[test]
fn a_tree_with_brackets_inside_brackets_is_invalid_filter() {
    let path = |name: &str| crate::protocol::path::AttrPath { urn: None, name: name.into(), sub: None };
    let inner = Filter::Element(path("type"), Box::new(Filter::Present(path("value"))));
    let filter = Filter::Element(path("emails"), Box::new(inner));
    assert!(bind(&filter, &Registry::builtin().user, &Policy::default()).is_err());
    // The parser never makes this tree; null stays a matter of `eq` and `ne` in it too.
    let present = Filter::Compare(path("emails"), CompareOp::Ne, Literal::Null);
    assert!(bind(&present, &Registry::builtin().user, &Policy::default()).is_ok());
}

#[test]
fn without_repairs_dialects_are_invalid_filter() {
    let strict = Policy { repairs: Repairs::none(), ..Policy::default() };
    for text in ["active eq \"True\"", "manager eq \"M\"", "department pr"] {
        assert!(bound(text, &Registry::builtin().user, &strict).is_err(), "{text}");
    }
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    assert!(bound(&format!("{manager} eq \"M\""), &Registry::builtin().user, &strict).is_err());
    // Multi-valued attributes compare their value by RFC 7644 itself.
    assert!(bound("emails eq \"x\"", &Registry::builtin().user, &strict).is_ok());
}

#[test]
fn attributes_of_an_extension_are_found_in_its_object() {
    let resource = json!({
        "id": "U", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "M" } },
    });
    let holds = |text| evaluate(&user(text).unwrap(), resource.as_object().unwrap());
    assert!(holds("id eq \"U\" and manager eq \"M\""));
    assert!(!holds("id eq \"U\" and manager eq \"m\""));
}
