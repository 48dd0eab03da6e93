//! Names, types and shapes of attributes' values.

use super::*;

#[test]
fn names_take_their_canonical_spelling_and_unknown_ones_are_dropped() {
    let cases = [
        (json!({ "DISPLAYNAME": "B" }), json!({ "displayName": "B" })),
        (json!({ "Name": { "FamilyName": "J", "unknown": 1 } }), json!({ "name": { "familyName": "J" } })),
        (
            json!({ "EMAILS": [{ "Value": "a@x", "TYPE": "work" }] }),
            json!({ "emails": [{ "value": "a@x", "type": "work" }] }),
        ),
        (json!({ "unknown": { "deep": [1] }, "department": "D" }), json!({})),
        (json!({ "urn:example:extension:X:2.0:User": { "tag": "1" } }), json!({})),
        (
            json!({ "URN:ietf:params:scim:schemas:EXTENSION:enterprise:2.0:User": { "DEPARTMENT": "D", "unknown": 1 } }),
            json!({ urn::ENTERPRISE_USER: { "department": "D" } }),
        ),
        (json!({ urn::ENTERPRISE_USER: { "unknown": 1 } }), json!({})),
        (json!({ urn::ENTERPRISE_USER: null }), json!({})),
    ];
    for (sent, expected) in cases {
        assert_eq!(stored(sent.clone(), &Policy::default()), expected, "{sent}");
    }
}

#[test]
fn what_the_client_may_not_write_is_ignored() {
    let sent = json!({
        "id": 7, "meta": { "resourceType": "User" }, "groups": [{ "value": "g" }], "password": "t1meMa$heen",
        urn::ENTERPRISE_USER: { "manager": { "value": "26118915", "displayName": "John" } },
    });
    let expected = json!({ urn::ENTERPRISE_USER: { "manager": { "value": "26118915" } } });
    assert_eq!(stored(sent, &Policy::default()), expected);
}

#[test]
fn null_and_empty_arrays_and_empty_objects_are_unassigned() {
    let cases = [
        (json!({ "displayName": null, "emails": null, "name": null }), json!({})),
        (json!({ "emails": [], "name": {}, "title": [] }), json!({})),
        (json!({ "emails": [null, {}, { "value": "a" }] }), json!({ "emails": [{ "value": "a" }] })),
        (json!({ "name": { "familyName": null, "givenName": "B" } }), json!({ "name": { "givenName": "B" } })),
        (json!({ "emails": [{ "value": null, "type": "work" }] }), json!({})),
        (json!({ "emails": [{ "type": "work" }] }), json!({ "emails": [{ "type": "work" }] })),
    ];
    for (sent, expected) in cases {
        assert_eq!(stored(sent.clone(), &strict()), expected, "{sent}");
    }
}

#[test]
fn empty_strings_clear_optional_attributes_only_by_policy() {
    let sent = json!({
        "displayName": "", "active": "", "emails": "", "name": { "givenName": "" },
        "phoneNumbers": [{ "value": "", "type": "work", "primary": true }],
    });
    assert_eq!(stored(sent, &Policy::default()), json!({}));
    assert_eq!(stored(json!({ "displayName": "" }), &strict()), json!({ "displayName": "" }));
    assert_eq!(refusal(create(user_body(json!({ "emails": "" })), user(), &strict())), Some(ScimType::InvalidValue));
}

#[test]
fn manager_comes_in_many_shapes_by_policy() {
    let manager = |value: Value| json!({ urn::ENTERPRISE_USER: { "manager": value } });
    let kept = [
        (json!("M"), json!({ "value": "M" })),
        (json!({ "value": "M" }), json!({ "value": "M" })),
        (json!({ "Value": "M", "$ref": "../Users/M" }), json!({ "value": "M", "$ref": "../Users/M" })),
        (json!([{ "$ref": "../Users/M", "value": "M" }]), json!({ "$ref": "../Users/M", "value": "M" })),
        (json!(["M"]), json!({ "value": "M" })),
    ];
    for (sent, expected) in kept {
        assert_eq!(stored(manager(sent.clone()), &Policy::default()), manager(expected), "{sent}");
    }
    for cleared in
        [json!(""), json!(null), json!([]), json!([""]), json!([null]), json!({ "value": "", "$ref": "../Users/M" })]
    {
        assert_eq!(stored(manager(cleared.clone()), &Policy::default()), json!({}), "{cleared}");
    }
    for refused in [json!("M"), json!([{ "value": "M" }])] {
        let result = create(user_body(manager(refused)), user(), &strict());
        assert_eq!(refusal(result), Some(ScimType::InvalidValue));
    }
    let two = create(user_body(manager(json!(["M", "N"]))), user(), &Policy::default());
    assert_eq!(refusal(two), Some(ScimType::InvalidValue));
}

#[test]
fn boolean_strings_are_coerced_by_policy() {
    for (sent, expected) in [("True", true), ("False", false), ("true", true), ("false", false)] {
        let body = user_body(json!({ "active": sent, "roles": [{ "value": "r", "primary": sent }] }));
        let attributes = create(body.clone(), user(), &Policy::default()).unwrap().resource.attributes;
        assert_eq!(attributes["active"], json!(expected));
        assert_eq!(attributes["roles"], json!([{ "value": "r", "primary": expected }]));
        assert_eq!(refusal(create(body, user(), &strict())), Some(ScimType::InvalidValue));
    }
    for other in [json!("yes"), json!("1"), json!(1), json!({}), json!(["true"])] {
        let body = user_body(json!({ "active": other }));
        assert_eq!(refusal(create(body.clone(), user(), &Policy::default())), Some(ScimType::InvalidValue), "{body}");
    }
}

#[test]
fn a_user_is_active_when_the_body_does_not_say() {
    for (sent, expected) in [(json!({}), true), (json!({ "active": null }), true), (json!({ "active": false }), false)]
    {
        let validated = create(user_body(sent), user(), &Policy::default()).unwrap();
        assert_eq!(validated.resource.active(), Some(expected));
    }
    assert_eq!(create(group_body(json!({})), group(), &Policy::default()).unwrap().resource.active(), None);
}

#[test]
fn values_of_the_wrong_type_are_invalid() {
    let cases = [
        json!({ "userName": 7 }),
        json!({ "userName": ["a"] }),
        json!({ "userName": null }),
        json!({ "displayName": true }),
        json!({ "displayName": { "value": "x" } }),
        json!({ "name": "Babs" }),
        json!({ "name": [{ "givenName": "B" }] }),
        json!({ "name": { "givenName": 1 } }),
        json!({ "emails": { "value": "a@x" } }),
        json!({ "emails": "a@x" }),
        json!({ "emails": ["a@x"] }),
        json!({ "emails": [[{ "value": "a@x" }]] }),
        json!({ "emails": [{ "value": ["a@x", "b@x"] }] }),
        json!({ "profileUrl": "a\u{7}b" }),
        json!({ "x509Certificates": [{ "value": "not base64!" }] }),
        json!({ "x509Certificates": [{ "value": "QUJD=" }] }),
        json!({ "x509Certificates": [{ "value": "QUJDR" }] }),
        json!({ "displayName": "a\0b" }),
        json!({ "emails": [{ "value": "a\0" }] }),
        json!({ "password": 7 }),
        json!({ "externalId": 7 }),
        json!({ urn::ENTERPRISE_USER: "x" }),
        json!({ urn::ENTERPRISE_USER: { "department": 7 } }),
    ];
    for case in cases {
        let result = create(user_body(case.clone()), user(), &Policy::default());
        assert_eq!(refusal(result), Some(ScimType::InvalidValue), "{case}");
    }
}

#[test]
fn every_data_type_is_checked() {
    let attr = |kind| Attribute { kind, ..user().attribute("title").unwrap().clone() };
    let cases = [
        (
            Kind::Integer,
            vec![json!(0), json!(-7), json!(u64::MAX)],
            vec![json!(1.5), json!(1.0), json!("1"), json!(true)],
        ),
        (Kind::Decimal, vec![json!(1.5), json!(1)], vec![json!("1.5"), json!(false)]),
        (
            Kind::DateTime,
            vec![json!("2011-05-13T04:42:34Z"), json!("2011-05-13T04:42:34.5+02:00")],
            vec![json!("2011-05-13"), json!("now"), json!(1_305_261_754)],
        ),
        (
            Kind::Binary,
            vec![json!("QUJD"), json!("QUI="), json!("QUI"), json!("_-8=")],
            vec![json!("QU?"), json!("Q"), json!(1)],
        ),
        (
            Kind::Reference,
            vec![json!("https://x/y"), json!("../Users/1"), json!("urn:x:y")],
            vec![json!(1), json!("\n")],
        ),
    ];
    for (kind, good, bad) in cases {
        for value in good {
            assert_eq!(canonical_value(&attr(kind), value.clone(), &strict()), Ok(Some(value)), "{kind:?}");
        }
        for value in bad {
            let result = canonical_value(&attr(kind), value.clone(), &strict());
            assert_eq!(refusal(result), Some(ScimType::InvalidValue), "{kind:?} {value}");
        }
    }
}

#[test]
fn a_name_twice_in_other_letter_case_is_invalid_syntax() {
    let cases = [
        json!({ "USERNAME": "other" }),
        json!({ "title": null, "Title": "x" }),
        json!({ "Schemas": [urn::USER] }),
        json!({ "name": { "givenName": "a", "GivenName": "b" } }),
        json!({ "emails": [{ "value": null, "Value": "b" }] }),
        json!({ urn::ENTERPRISE_USER: {}, urn::ENTERPRISE_USER.to_uppercase(): { "department": "D" } }),
        json!({ urn::ENTERPRISE_USER: { "department": "a", "Department": "b" } }),
    ];
    for case in cases {
        let result = create(user_body(case.clone()), user(), &Policy::default());
        assert_eq!(refusal(result), Some(ScimType::InvalidSyntax), "{case}");
    }
}

#[test]
fn duplicates_of_type_and_value_fold_into_the_first() {
    let cases = [
        (
            json!([{ "value": "a@x", "type": "work" }, { "value": "A@X", "type": "Work", "display": "second" }]),
            json!([{ "value": "a@x", "type": "work" }]),
        ),
        (
            json!([{ "value": "a@x", "type": "work" }, { "value": "a@x", "type": "home" }, { "value": "a@x" }]),
            json!([{ "value": "a@x", "type": "work" }, { "value": "a@x", "type": "home" }, { "value": "a@x" }]),
        ),
        (
            json!([{ "value": "a@x" }, { "value": "b@x" }, { "value": "a@x", "primary": true }]),
            json!([{ "value": "a@x", "primary": true }, { "value": "b@x" }]),
        ),
        (
            json!([{ "value": "a@x", "primary": true }, { "value": "a@x", "primary": true }]),
            json!([{ "value": "a@x", "primary": true }]),
        ),
        (json!([{ "type": "work" }, { "type": "work" }]), json!([{ "type": "work" }, { "type": "work" }])),
    ];
    for (sent, expected) in cases {
        assert_eq!(stored(json!({ "emails": sent }), &Policy::default()), json!({ "emails": expected }), "{sent}");
    }
    let keys = json!([{ "value": "QUJD" }, { "value": "qujd" }]);
    let sent = json!({ "x509Certificates": keys });
    assert_eq!(stored(sent.clone(), &Policy::default()), sent, "binaries are caseExact");
}

#[test]
fn two_primary_values_are_invalid() {
    let emails = json!([{ "value": "a", "primary": true }, { "value": "b", "primary": "True" }]);
    let result = create(user_body(json!({ "emails": emails })), user(), &Policy::default());
    assert_eq!(refusal(result), Some(ScimType::InvalidValue));
    let addresses = json!([{ "locality": "a", "primary": true }, { "locality": "a", "primary": true }]);
    let result = create(user_body(json!({ "addresses": addresses })), user(), &Policy::default());
    assert_eq!(refusal(result), Some(ScimType::InvalidValue));
}
