//! Tables of bodies and what becomes of them.

use serde_json::json;

use super::*;
use crate::protocol::error::ScimType;
use crate::protocol::policy::{Limits, Repairs};
use crate::protocol::schema::Registry;
use crate::protocol::urn;

mod values;

fn user() -> &'static ResourceType {
    &Registry::builtin().user
}

fn group() -> &'static ResourceType {
    &Registry::builtin().group
}

/// Puts `schemas` and `userName` in front where the case leaves them out.
fn user_body(part: Value) -> Value {
    let mut body = json!({ "schemas": [urn::USER], "userName": "babs" });
    body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    body
}

fn group_body(part: Value) -> Value {
    let mut body = json!({ "schemas": [urn::GROUP], "displayName": "Guides" });
    body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    body
}

fn strict() -> Policy {
    Policy { repairs: Repairs::none(), limits: Limits::default() }
}

/// What a user's body stores beside `schemas`, `userName` and the default `active`.
fn stored(part: Value, policy: &Policy) -> Value {
    let validated = create(user_body(part.clone()), user(), policy).unwrap_or_else(|e| panic!("{part}: {e}"));
    let mut attributes = validated.resource.attributes;
    for name in ["schemas", "userName", "active"] {
        attributes.shift_remove(name);
    }
    Value::Object(attributes)
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ScimError>) -> Option<ScimType> {
    let error = result.unwrap_err();
    assert_eq!(error.status, 400, "{error}");
    error.scim_type
}

#[test]
fn schemas_must_hold_the_own_urn_and_are_stored_as_what_has_data() {
    let body = |schemas: Value| json!({ "schemas": schemas, "userName": "babs" });
    for refused in
        [json!(null), json!([]), json!([urn::GROUP]), json!(urn::USER), json!([urn::USER, 7]), json!({}), json!([null])]
    {
        let result = create(body(refused.clone()), user(), &Policy::default());
        assert_eq!(refusal(result), Some(ScimType::InvalidSyntax), "{refused}");
    }
    let missing = create(json!({ "userName": "babs" }), user(), &Policy::default());
    assert_eq!(refusal(missing), Some(ScimType::InvalidSyntax));
    for refused in [json!([]), json!("x"), json!(null), json!(7)] {
        assert_eq!(refusal(create(refused, user(), &Policy::default())), Some(ScimType::InvalidSyntax));
    }
    let schemas = |part: Value| {
        create(user_body(part), user(), &Policy::default()).unwrap().resource.attributes["schemas"].clone()
    };
    let accepted = json!({ "schemas": ["urn:x", urn::USER.to_uppercase(), urn::ENTERPRISE_USER, urn::USER] });
    assert_eq!(schemas(accepted), json!([urn::USER]), "an extension without data and unknown URNs go");
    let unlisted = json!({ urn::ENTERPRISE_USER: { "department": "D" } });
    assert_eq!(schemas(unlisted), json!([urn::USER, urn::ENTERPRISE_USER]), "an unlisted extension is added (R15)");
}

#[test]
fn the_order_of_the_body_is_kept_with_schemas_first() {
    let body = json!({ "title": "T", "userName": "b", "active": true, "emails": [{ "type": "x", "value": "y" }], "schemas": [urn::USER] });
    let document = create(body, user(), &Policy::default()).unwrap().resource.to_document();
    let expected = r#""title":"T","userName":"b","active":true,"emails":[{"type":"x","value":"y"}]}"#;
    assert_eq!(document, format!("{{\"schemas\":[\"{}\"],{expected}", urn::USER));
}

#[test]
fn user_names_that_people_could_confuse_are_invalid() {
    let long = "é".repeat(512);
    for good in ["b", "bjensen@example.com", "a b", "a#EXT#@x", "Åsa", "李雷", "o'neil\"", long.as_str()] {
        let result = create(user_body(json!({ "userName": good })), user(), &Policy::default());
        assert_eq!(result.map(|v| v.resource.user_name() == Some(good)), Ok(true), "{good}");
    }
    let too_long = "é".repeat(513);
    let bad = [
        "",
        " ",
        "\u{3000}",
        " a",
        "a ",
        "a\u{a0}",
        "a\tb",
        "a\nb",
        "a\u{7f}",
        "a\u{85}b",
        "a\u{200b}b",
        "a\u{200d}b",
        "a\u{feff}",
        "\u{202e}a",
        "a\u{2066}b",
        "a\u{ad}b",
        "a\u{2028}b",
        "a\u{e0041}b",
        "\u{3164}",
        "a\0b",
        too_long.as_str(),
    ];
    for bad in bad {
        let result = create(user_body(json!({ "userName": bad })), user(), &Policy::default());
        assert_eq!(refusal(result), Some(ScimType::InvalidValue), "{bad:?}");
    }
}

#[test]
fn a_group_needs_a_display_name() {
    for refused in [json!({ "displayName": null }), json!({ "displayName": "" }), json!({ "displayName": "  " })] {
        let result = create(group_body(refused.clone()), group(), &Policy::default());
        assert_eq!(refusal(result), Some(ScimType::InvalidValue), "{refused}");
    }
}

#[test]
fn members_are_read_as_ids_each_once() {
    let ids = |members: Value| {
        create(group_body(json!({ "members": members })), group(), &Policy::default()).map(|v| v.members)
    };
    let some = |ids: &[&str]| Ok(Some(ids.iter().map(|id| (*id).to_owned()).collect()));
    assert_eq!(ids(json!(null)), Ok(None));
    assert_eq!(ids(json!([])), some(&[]));
    let sent = json!([
        { "value": "b", "display": "B", "$ref": null }, null, { "VALUE": "a", "type": "User", "displayName": "A" }, { "value": "b" },
    ]);
    assert_eq!(ids(sent), some(&["b", "a"]));
    for bad in [
        json!("a"),
        json!({ "value": "a" }),
        json!(["a"]),
        json!([{}]),
        json!([{ "value": null }]),
        json!([{ "value": 7 }]),
        json!([{ "value": "" }]),
        json!([{ "value": "a\0" }]),
        json!([{ "$ref": "../Users/a" }]),
    ] {
        assert_eq!(refusal(ids(bad.clone())), Some(ScimType::InvalidValue), "{bad}");
    }
    assert_eq!(refusal(ids(json!([{ "value": "a", "Value": "b" }]))), Some(ScimType::InvalidSyntax));
    let validated = create(group_body(json!({ "members": [{ "value": "a" }] })), group(), &Policy::default()).unwrap();
    assert!(!validated.resource.attributes.contains_key("members"));
    let on_user = create(user_body(json!({ "members": [{ "value": "a" }] })), user(), &Policy::default()).unwrap();
    assert_eq!(on_user.members, None);
}

#[test]
fn each_bound_holds_at_its_limit_and_refuses_one_past_it() {
    let policy = Policy {
        limits: Limits {
            attribute_values: 3,
            group_members: 4,
            string_bytes: 8,
            user_name_characters: 5,
            ..Limits::default()
        },
        ..Policy::default()
    };
    let emails = |n: usize| {
        user_body(json!({ "emails": (0..n).map(|i| json!({ "value": i.to_string() })).collect::<Vec<_>>() }))
    };
    let members = |n: usize| {
        group_body(json!({ "members": (0..n).map(|i| json!({ "value": i.to_string() })).collect::<Vec<_>>() }))
    };
    let title = |n: usize| user_body(json!({ "title": "é".repeat(n / 2) + &"x".repeat(n % 2) }));
    let name = |n: usize| user_body(json!({ "userName": "é".repeat(n) }));
    let cases: [(Value, Value, &ResourceType); 4] = [
        (emails(3), emails(4), user()),
        (members(4), members(5), group()),
        (title(8), title(9), user()),
        (name(4), name(6), user()),
    ];
    for (at, past, rt) in cases {
        assert_eq!(create(at, rt, &policy).map(|_| ()), Ok(()));
        assert_eq!(refusal(create(past, rt, &policy)), Some(ScimType::InvalidValue));
    }
}

#[test]
fn put_clears_what_it_leaves_out_but_keeps_active() {
    let current =
        create(user_body(json!({ "active": false, "title": "T" })), user(), &Policy::default()).unwrap().resource;
    let cases =
        [(json!({}), Some(false)), (json!({ "active": null }), Some(false)), (json!({ "active": "True" }), Some(true))];
    for (sent, active) in cases {
        let resource = replace(user_body(sent), user(), &current, &Policy::default()).unwrap().resource;
        assert_eq!((resource.active(), resource.text("title")), (active, None));
    }
    let removed = Resource { attributes: user_body(json!({})).as_object().unwrap().clone() };
    assert_eq!(replace(user_body(json!({})), user(), &removed, &Policy::default()).unwrap().resource.active(), None);
    let nameless = replace(json!({ "schemas": [urn::USER] }), user(), &current, &Policy::default());
    assert_eq!(refusal(nameless), Some(ScimType::InvalidValue));
}

#[test]
fn put_may_not_change_an_immutable_attribute() {
    let mut rt = user().clone();
    for schema in std::iter::once(&mut rt.core).chain(&mut rt.extensions) {
        for attr in schema.attributes.iter_mut().filter(|a| ["title", "department"].contains(&&*a.name)) {
            attr.mutability = Mutability::Immutable;
        }
    }
    let part = |title: &str, department: &str| {
        user_body(json!({ "title": title, urn::ENTERPRISE_USER: { "department": department, "division": "d" } }))
    };
    let current = create(part("T", "D"), &rt, &Policy::default()).unwrap().resource;
    let same = replace(part("T", "D"), &rt, &current, &Policy::default()).unwrap();
    assert_eq!(same.resource, current);
    for changed in [part("U", "D"), part("T", "E")] {
        assert_eq!(refusal(replace(changed, &rt, &current, &Policy::default())), Some(ScimType::Mutability));
    }
    let left_out = replace(user_body(json!({})), &rt, &current, &Policy::default()).unwrap().resource;
    assert_eq!(left_out.text("title"), Some("T"));
    let fresh = create(user_body(json!({})), &rt, &Policy::default()).unwrap().resource;
    assert!(replace(part("T", "D"), &rt, &fresh, &Policy::default()).is_ok());
}

#[test]
fn a_patched_resource_is_judged_as_a_whole() {
    let limits = Limits { attribute_values: 2, ..Limits::default() };
    let policy = Policy { limits, ..Policy::default() };
    let judge = |part: Value| {
        let mut body = json!({ "schemas": [urn::USER], "userName": "babs" });
        body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let attributes =
            body.as_object().unwrap().iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone()));
        check(&Resource { attributes: attributes.collect() }, user(), &policy)
    };
    assert_eq!(judge(json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b" }] })), Ok(()));
    let bad = [
        json!({ "userName": null }),
        json!({ "userName": " " }),
        json!({ "userName": "a\u{200b}" }),
        json!({ "emails": [{ "value": "a" }, { "value": "b" }, { "value": "c" }] }),
        json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
    ];
    for bad in bad {
        assert_eq!(refusal(judge(bad.clone())), Some(ScimType::InvalidValue), "{bad}");
    }
}

#[test]
fn list_schemas_names_what_has_data() {
    let mut attributes =
        json!({ "userName": "b", urn::ENTERPRISE_USER: { "department": "D" } }).as_object().unwrap().clone();
    list_schemas(&mut attributes, user());
    assert_eq!(
        attributes.iter().next().map(|(name, v)| (name.as_str(), v.clone())),
        Some(("schemas", json!([urn::USER, urn::ENTERPRISE_USER])))
    );
    attributes.insert(urn::ENTERPRISE_USER.into(), json!({}));
    list_schemas(&mut attributes, user());
    assert_eq!(Value::Object(attributes), json!({ "schemas": [urn::USER], "userName": "b" }));
}

#[test]
fn the_examples_of_rfc_7643_section_8_are_stored_whole() {
    let cases = [
        (include_str!("../../../../tests/fixtures/rfc/7643-8.1-user-minimal.json"), user()),
        (include_str!("../../../../tests/fixtures/rfc/7643-8.2-user-full.json"), user()),
        (include_str!("../../../../tests/fixtures/rfc/7643-8.3-user-enterprise.json"), user()),
        (include_str!("../../../../tests/fixtures/rfc/7643-8.4-group.json"), group()),
    ];
    for (text, rt) in cases {
        let mut expected = parse_json(text.as_bytes(), &Limits::default()).unwrap();
        let validated = create(expected.clone(), rt, &strict()).unwrap();
        let map = expected.as_object_mut().unwrap();
        for not_stored in ["id", "meta", "groups", "password"] {
            map.shift_remove(not_stored);
        }
        if let Some(Value::Object(enterprise)) = map.get_mut(urn::ENTERPRISE_USER) {
            enterprise["manager"].as_object_mut().unwrap().shift_remove("displayName");
        }
        let ids = map.shift_remove("members").map(|members| {
            members.as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        });
        if rt.kind == ResourceKind::User {
            map.insert("active".into(), json!(true));
        }
        assert_eq!(Value::Object(validated.resource.attributes), expected);
        assert_eq!(validated.members, ids);
    }
}

#[test]
fn a_body_is_one_json_document_in_utf_8() {
    let limits = Limits::default();
    let good: [(&[u8], Value); 4] = [
        (b" {\"a\":[1,-2,1.5,true,null,\"\\u00e9\"]}\n", json!({ "a": [1, -2, 1.5, true, null, "é"] })),
        (b"[]", json!([])),
        (b"\"\\ud83d\\ude00\"", json!("😀")),
        (b"18446744073709551615", json!(u64::MAX)),
    ];
    for (bytes, expected) in good {
        assert_eq!(parse_json(bytes, &limits), Ok(expected));
    }
    let bad: [&[u8]; 16] = [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{} x",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{\"a\":1,\"a\":2}",
        b"nul",
        b"\"\xff\"",
        b"\xef\xbb\xbf{}",
        b"\"a\nb\"",
        b"\"\\ud800\"",
        b"NaN",
        b"1e999",
        b"{\"a\":\"b\0\"}",
    ];
    for bytes in bad {
        assert_eq!(
            refusal(parse_json(bytes, &limits)),
            Some(ScimType::InvalidSyntax),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
    let nul: [&[u8]; 3] = [b"\"a\\u0000\"", b"{\"\\u0000\":1}", b"[{\"a\":[\"\\u0000\"]}]"];
    for bytes in nul {
        assert_eq!(refusal(parse_json(bytes, &limits)), Some(ScimType::InvalidValue));
    }
}

#[test]
fn nesting_and_members_of_an_object_are_bounded_while_reading() {
    let limits = Limits { json_depth: 4, object_members: 3, ..Limits::default() };
    assert!(parse_json(br#"[[[[]]]]"#, &limits).is_ok());
    assert!(parse_json(br#"{"a":[{"b":[1]}],"c":1,"d":2}"#, &limits).is_ok());
    for refused in [r#"[[[[[]]]]]"#, r#"{"a":[{"b":[{}]}]}"#, r#"[{"a":1,"b":2,"c":3,"d":4}]"#] {
        assert_eq!(refusal(parse_json(refused.as_bytes(), &limits)), Some(ScimType::InvalidSyntax), "{refused}");
    }
    for hostile in ["[".repeat(1 << 20), "{\"a\":".repeat(200_000), "[".repeat(65) + &"]".repeat(65)] {
        assert_eq!(refusal(parse_json(hostile.as_bytes(), &Limits::default())), Some(ScimType::InvalidSyntax));
    }
    assert!(parse_json(("[".repeat(64) + &"]".repeat(64)).as_bytes(), &Limits::default()).is_ok());
}
