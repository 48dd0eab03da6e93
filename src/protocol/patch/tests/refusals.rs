//! What is refused, and with which keyword.

use serde_json::{Value, json};

use super::{ENTERPRISE, PatchRequest, body, check, patch, refused, rt, strict};
use crate::protocol::error::ScimType::{
    self, InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget,
};
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceKind;
use crate::protocol::urn;

#[test]
fn wrong_operations_are_refused_by_keyword() {
    let before = json!({ "name": { "givenName": "A" }, "emails": [{ "value": "a", "type": "work" }, { "value": "b", "type": "work" }] });
    let cases: Vec<(Value, ScimType)> = vec![
        (json!({ "op": "remove" }), NoTarget),
        (json!({ "op": "remove", "path": null }), NoTarget),
        (json!({ "op": "remove", "path": "" }), NoTarget),
        (json!({ "op": "replace", "path": "emails[value eq \"z\"]", "value": { "value": "c" } }), NoTarget),
        (json!({ "op": "add", "path": "emails[value eq \"z\"].type", "value": "c" }), NoTarget),
        (json!({ "op": "replace", "path": "ims[type ne \"x\"].value", "value": "c" }), NoTarget),
        (json!({ "op": "replace", "path": "ims[type eq \"x\" or type eq \"y\"].value", "value": "c" }), NoTarget),
        (json!({ "op": "replace", "path": "ims[type eq \"x\" and type eq \"y\"].value", "value": "c" }), NoTarget),
        (json!({ "op": "move", "path": "title", "value": "c" }), InvalidSyntax),
        (json!({ "path": "title", "value": "c" }), InvalidSyntax),
        (json!({ "op": 1, "path": "title", "value": "c" }), InvalidSyntax),
        (json!({ "op": "add", "Op": "add", "path": "title", "value": "c" }), InvalidSyntax),
        (json!("add"), InvalidSyntax),
        (json!({ "op": "add", "path": 1, "value": "c" }), InvalidPath),
        (json!({ "op": "add", "path": "unknown", "value": "c" }), InvalidPath),
        (json!({ "op": "remove", "path": "name.unknown" }), InvalidPath),
        (json!({ "op": "add", "path": "urn:example:other:tag", "value": "c" }), InvalidPath),
        (json!({ "op": "add", "path": "members", "value": [{ "value": "c" }] }), InvalidPath),
        (json!({ "op": "add", "path": "emails[type eq \"work\"", "value": "c" }), InvalidPath),
        (json!({ "op": "add", "path": "emails[0]", "value": "c" }), InvalidPath),
        (json!({ "op": "remove", "path": "emails[type eq \"work\"].unknown" }), InvalidPath),
        (json!({ "op": "replace", "path": "name[givenName eq \"A\"]", "value": {} }), InvalidPath),
        (json!({ "op": "remove", "path": "name[givenName eq \"A\"]" }), InvalidPath),
        (json!({ "op": "remove", "path": "title[value eq \"A\"]" }), InvalidPath),
        (json!({ "op": "remove", "path": "emails[unknown eq \"work\"]" }), InvalidFilter),
        (json!({ "op": "remove", "path": "emails[primary gt true]" }), InvalidFilter),
        (json!({ "op": "replace", "path": "id", "value": "c" }), Mutability),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "G" }] }), Mutability),
        (json!({ "op": "remove", "path": "groups[value eq \"G\"]" }), Mutability),
        (json!({ "op": "replace", "path": "meta.created", "value": "c" }), Mutability),
        (json!({ "op": "replace", "path": "schemas", "value": [urn::USER] }), Mutability),
        (json!({ "op": "remove", "path": "schemas" }), Mutability),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "c" }), Mutability),
        (json!({ "op": "remove", "path": "userName" }), Mutability),
        (json!({ "op": "replace", "path": "userName", "value": null }), InvalidValue),
        (json!({ "op": "replace", "path": "userName", "value": "" }), InvalidValue),
        (json!({ "op": "replace", "path": "userName", "value": " x" }), InvalidValue),
        (json!({ "op": "replace", "value": { "userName": null } }), InvalidValue),
        (json!({ "op": "replace", "path": "userName", "value": 1 }), InvalidValue),
        (json!({ "op": "replace", "path": "title" }), InvalidValue),
        (json!({ "op": "add" }), InvalidValue),
        (json!({ "op": "add", "value": "c" }), InvalidValue),
        (json!({ "op": "add", "value": [{ "title": "c" }] }), InvalidValue),
        (json!({ "op": "replace", "path": "active", "value": "yes" }), InvalidValue),
        (json!({ "op": "replace", "path": "title", "value": ["a", "b"] }), InvalidValue),
        (json!({ "op": "replace", "path": "title", "value": "\u{0}" }), InvalidValue),
        (json!({ "op": "replace", "path": "name", "value": "A" }), InvalidValue),
        (json!({ "op": "replace", "path": "emails", "value": "a@b" }), InvalidValue),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": "a@b" }), InvalidValue),
        (json!({ "op": "replace", "path": "password", "value": ["a"] }), InvalidValue),
        (json!({ "op": "replace", "path": ENTERPRISE, "value": "a" }), InvalidValue),
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "x", "primary": true }, { "value": "y", "primary": true }] }),
            InvalidValue,
        ),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"].primary", "value": true }), InvalidValue),
        (json!({ "op": "replace", "path": "emails.primary", "value": true }), InvalidValue),
    ];
    for (operation, kind) in cases {
        // After a good operation, so that the refusal takes the whole request with it.
        refused(&before, &json!([{ "op": "add", "path": "title", "value": "T" }, operation]), kind, &Policy::default());
    }
}

#[test]
fn wrong_envelopes_are_invalid_syntax() {
    let operation = json!([{ "op": "add", "path": "title", "value": "T" }]);
    let schemas = json!([urn::PATCH_OP]);
    let parse = |body: Value, policy: &Policy| {
        PatchRequest::parse(body, rt(ResourceKind::User), policy).map_err(|error| error.scim_type)
    };
    let refused = [
        json!([]),
        json!("x"),
        json!({ "schemas": schemas }),
        json!({ "schemas": schemas, "Operations": [] }),
        json!({ "schemas": schemas, "Operations": {} }),
        json!({ "schemas": schemas, "Operations": null }),
        json!({ "schemas": [urn::USER], "Operations": operation }),
        json!({ "schemas": [], "Operations": operation }),
        json!({ "schemas": urn::PATCH_OP, "Operations": operation }),
    ];
    for body in refused {
        assert_eq!(parse(body.clone(), &Policy::default()), Err(Some(InvalidSyntax)), "{body}");
    }
    let mended = [json!({ "Operations": operation }), json!({ "schemas": schemas, "operations": operation })];
    for body in mended {
        assert!(parse(body.clone(), &Policy::default()).is_ok(), "{body}");
        assert_eq!(parse(body.clone(), &strict()), Err(Some(InvalidSyntax)), "{body}");
    }
}

#[test]
fn limits_hold_at_the_limit_and_refuse_past_it() {
    let operations = |count: usize| Value::Array(vec![json!({ "op": "add", "path": "title", "value": "T" }); count]);
    check(&json!({}), &operations(1_000), &json!({ "title": "T" }));
    refused(&json!({}), &operations(1_001), InvalidSyntax, &Policy::default());

    let emails = |count: usize| Value::Array((0..count).map(|n| json!({ "value": format!("{n}@x") })).collect());
    assert!(patch(&json!({}), &json!([{ "op": "add", "path": "emails", "value": emails(1_000) }])).is_ok());
    refused(
        &json!({}),
        &json!([{ "op": "add", "path": "emails", "value": emails(1_001) }]),
        InvalidValue,
        &Policy::default(),
    );
    let one_more = json!([{ "op": "add", "path": "emails", "value": { "value": "one@more" } }]);
    refused(&json!({ "emails": emails(1_000) }), &one_more, InvalidValue, &Policy::default());

    let members = |count: usize| {
        let ids: Vec<Value> = (0..count).map(|n| json!({ "value": n.to_string() })).collect();
        PatchRequest::parse(
            body(
                &json!([{ "op": "add", "path": "members", "value": ids[..count / 2] }, { "op": "remove", "path": "members", "value": ids[count / 2..] }]),
            ),
            rt(ResourceKind::Group),
            &Policy::default(),
        )
    };
    assert!(members(10_000).is_ok());
    assert_eq!(members(10_001).map_err(|error| error.scim_type), Err(Some(InvalidValue)));

    let select = |count: usize| {
        let operations = vec![json!({ "op": "remove", "path": "members[display co \"x\"]" }); count];
        PatchRequest::parse(body(&Value::Array(operations)), rt(ResourceKind::Group), &Policy::default())
    };
    assert!(select(10).is_ok());
    assert_eq!(select(11).map_err(|error| error.scim_type), Err(Some(ScimType::TooMany)));
}

#[test]
fn more_comparisons_than_one_request_may_make_are_refused() {
    let emails =
        |n: usize| (0..n).map(|i| json!({ "value": format!("e{i}"), "type": format!("t{i}") })).collect::<Vec<_>>();
    let before = json!({ "emails": emails(1_000) });
    let filter = |terms: usize| vec!["type eq \"x\""; terms].join(" or ");
    let operations = |count: usize, operation: Value| Value::Array(vec![operation; count]);
    let select = |terms| json!({ "op": "remove", "path": format!("emails[{}]", filter(terms)) });
    let listed = |n: usize| json!({ "op": "remove", "path": "emails", "value": vec![json!({ "value": "z" }); n] });
    // 1,000 values: 500 comparisons of each are the most. A listed value is compared from both sides.
    for (count, operation) in [
        (5, select(100)),
        (500, select(1)),
        (1, listed(250)),
        (500, json!({ "op": "remove", "path": "emails[type eq \"x\"].display" })),
    ] {
        check(&before, &operations(count, operation.clone()), &before);
        let one_more = json!({ "op": "remove", "path": "emails[value eq \"z\"]" });
        let mut more = operations(count, operation);
        more.as_array_mut().unwrap().push(one_more);
        refused(&before, &more, ScimType::TooMany, &Policy::default());
    }
}

#[test]
fn long_values_count_by_their_length() {
    let emails = |text: &str| json!({ "emails": (0..15).map(|n| json!({ "value": format!("{n}{}", text.repeat(32_000)) })).collect::<Vec<_>>() });
    let select = |terms: usize| json!([{ "op": "remove", "path": format!("emails[{}]", vec!["value co \"z\""; terms].join(" or ")) }]);
    for (text, fits, over) in [("a", 66, 67), ("é", 2, 3)] {
        let before = emails(text);
        check(&before, &select(fits), &before);
        refused(&before, &select(over), ScimType::TooMany, &Policy::default());
    }
}
