//! Each rule of the connector catalogue that PATCH meets: before, operation, after; and what the strict engine says.

use serde_json::{Value, json};

use super::{ENTERPRISE, check, patch_with, refused, strict};
use crate::protocol::error::ScimType::{InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceKind;

fn manager(value: &str) -> Value {
    json!({ ENTERPRISE: { "manager": { "value": value } } })
}

#[test]
fn r1_op_in_any_letter_case() {
    for (op, after) in [("Replace", json!({ "title": "T" })), ("ADD", json!({ "title": "T" })), ("Remove", json!({}))] {
        let operations = json!([{ "op": op, "path": "title", "value": "T" }]);
        check(&json!({ "title": "S" }), &operations, &after);
        refused(&json!({ "title": "S" }), &operations, InvalidSyntax, &strict());
    }
}

#[test]
fn r2_r14_names_in_any_letter_case_and_with_the_core_urn() {
    let operations = json!([
        { "OP": "replace", "PATH": "urn:ietf:params:scim:schemas:core:2.0:user:DISPLAYNAME", "VALUE": "D" },
        { "op": "Add", "path": "Emails[Type EQ \"other\"].Value", "value": "o@x" },
    ]);
    check(&json!({}), &operations, &json!({ "displayName": "D", "emails": [{ "type": "other", "value": "o@x" }] }));
}

#[test]
fn r3_boolean_strings() {
    for (text, value) in [("True", true), ("False", false), ("true", true), ("false", false)] {
        let operations = json!([{ "op": "replace", "path": "active", "value": text }]);
        check(&json!({ "active": !value }), &operations, &json!({ "active": value }));
        refused(&json!({}), &operations, InvalidValue, &strict());
    }
    let primary = json!([{ "op": "add", "path": "roles", "value": [{ "value": "A", "primary": "True" }] }]);
    check(&json!({}), &primary, &json!({ "roles": [{ "value": "A", "primary": true }] }));
}

#[test]
fn r4_path_less_values_merge_complex_and_replace_or_extend_multi_valued_attributes() {
    let before = json!({ "name": { "givenName": "A", "familyName": "B" }, "emails": [{ "value": "a" }] });
    let value = json!({ "name": { "givenName": "C" }, "emails": [{ "value": "b" }], "active": false });
    let name = json!({ "givenName": "C", "familyName": "B" });
    check(
        &before,
        &json!([{ "op": "replace", "value": value }]),
        &json!({ "name": name, "emails": [{ "value": "b" }], "active": false }),
    );
    check(
        &before,
        &json!([{ "op": "add", "value": value }]),
        &json!({ "name": name, "emails": [{ "value": "a" }, { "value": "b" }], "active": false }),
    );
}

#[test]
fn r5_keys_that_are_paths() {
    let dotted = json!([{ "op": "replace", "value": {
        "name.givenName": "G", format!("{ENTERPRISE}:employeeNumber"): "1", "emails[type eq \"work\"].value": "w@x",
        ENTERPRISE: { "department": "D" },
    } }]);
    check(
        &json!({}),
        &dotted,
        &json!({
            "name": { "givenName": "G" }, ENTERPRISE: { "employeeNumber": "1", "department": "D" },
            "emails": [{ "type": "work", "value": "w@x" }],
        }),
    );
    let outcome = patch_with(ResourceKind::User, &json!({}), &dotted, &strict()).unwrap();
    assert_eq!(outcome.changed, [format!("{ENTERPRISE}:department")], "strict: what no attribute is named is dropped");
}

#[test]
fn r6_read_only_keys_of_a_path_less_value() {
    let operations = json!([{ "op": "replace", "value": {
        "id": "X", "meta": { "version": "1" }, "schemas": ["urn:x"], "groups": [{ "value": "G" }], "displayName": "D",
    } }]);
    check(&json!({}), &operations, &json!({ "displayName": "D" }));
    refused(&json!({}), &operations, Mutability, &strict());
}

#[test]
fn r7_r8_a_value_path_creates_what_it_names_and_nothing_else() {
    let operations = json!([
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "w@x" },
        { "op": "Add", "path": "emails[type eq \"work\"].display", "value": "W" },
        { "op": "Add", "path": "emails[type eq \"untyped\"].display", "value": "U" },
        { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "L" },
        { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "C" },
        { "op": "Add", "path": "roles[primary eq \"True\"].display", "value": "D" },
        { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "R" },
        { "op": "Add", "path": "phoneNumbers[type eq \"mobile\" and primary eq true].value", "value": "1" },
    ]);
    check(
        &json!({}),
        &operations,
        &json!({
            "emails": [{ "type": "work", "value": "w@x", "display": "W" }, { "type": "untyped", "display": "U" }],
            "addresses": [{ "type": "work", "locality": "L", "country": "C" }],
            "roles": [{ "primary": true, "display": "D", "value": "R" }],
            "phoneNumbers": [{ "type": "mobile", "primary": true, "value": "1" }],
        }),
    );
    let whole = json!([{ "op": "replace", "path": "addresses[type eq \"work\"]", "value": { "locality": "L" } }]);
    check(&json!({}), &whole, &json!({ "addresses": [{ "type": "work", "locality": "L" }] }));
    refused(&json!({}), &operations, InvalidSyntax, &strict());
    refused(&json!({}), &whole, NoTarget, &strict());
    let by_value = json!([{ "op": "replace", "path": "emails[value eq \"a\"].type", "value": "work" }]);
    refused(&json!({}), &by_value, NoTarget, &Policy::default());
}

#[test]
fn r9_remove_with_values_removes_just_these() {
    let before = json!({ "roles": [{ "value": "A", "type": "x" }, { "value": "B" }, { "value": "C" }] });
    let after = json!({ "roles": [{ "value": "B" }] });
    for value in [json!([{ "value": "a", "display": "other" }, { "value": "C" }, { "value": "Z" }]), json!(["A", "C"])]
    {
        let operations = json!([{ "op": "remove", "path": "roles", "value": value }]);
        check(&before, &operations, &after);
        refused(&before, &operations, InvalidValue, &strict());
    }
    check(&before, &json!([{ "op": "remove", "path": "roles", "value": { "value": "A", "type": "y" } }]), &before);
    check(&before, &json!([{ "op": "remove", "path": "roles", "value": [] }]), &before);
    check(&before, &json!([{ "op": "remove", "path": "roles", "value": null }]), &json!({}));
}

#[test]
fn r12_remove_ignores_a_value_elsewhere() {
    for path in ["title", "name.givenName", "emails[type eq \"work\"]", "emails[type eq \"work\"].value"] {
        let before =
            json!({ "title": "T", "name": { "givenName": "G" }, "emails": [{ "value": "w", "type": "work" }] });
        let operations = json!([{ "op": "remove", "path": path, "value": "V" }]);
        let plain = json!([{ "op": "remove", "path": path }]);
        let outcome =
            |operations: &Value| patch_with(ResourceKind::User, &before, operations, &Policy::default()).unwrap();
        assert_eq!(outcome(&operations), outcome(&plain), "{path}");
        refused(&before, &operations, InvalidValue, &strict());
    }
}

#[test]
fn r13_manager_in_all_its_shapes() {
    let full = format!("{ENTERPRISE}:manager");
    for path in [&*full, "manager"] {
        for value in [
            json!("M"),
            json!({ "value": "M" }),
            json!([{ "value": "M" }]),
            json!({ "Value": "M", "displayName": "X" }),
        ] {
            check(&json!({}), &json!([{ "op": "Add", "path": path, "value": value }]), &manager("M"));
        }
        for value in [json!(""), json!(null), json!({ "value": "" }), json!({ "value": null }), json!([])] {
            check(&manager("M"), &json!([{ "op": "Replace", "path": path, "value": value }]), &json!({}));
        }
        check(&manager("M"), &json!([{ "op": "remove", "path": format!("{path}[value eq \"M\"]") }]), &json!({}));
        check(&manager("M"), &json!([{ "op": "remove", "path": format!("{path}[value eq \"N\"]") }]), &manager("M"));
    }
    refused(&json!({}), &json!([{ "op": "add", "path": full, "value": "M" }]), InvalidValue, &strict());
    refused(
        &json!({}),
        &json!([{ "op": "add", "path": "manager", "value": { "value": "M" } }]),
        InvalidPath,
        &strict(),
    );
    refused(
        &json!({}),
        &json!([{ "op": "remove", "path": format!("{full}[value eq \"M\"]") }]),
        InvalidPath,
        &strict(),
    );
}

#[test]
fn r13_a_new_manager_does_not_keep_the_reference_of_the_old_one() {
    let before = json!({ ENTERPRISE: { "manager": { "value": "M", "$ref": "/Users/M" } } });
    let path = format!("{ENTERPRISE}:manager");
    check(&before, &json!([{ "op": "add", "path": path, "value": "N" }]), &manager("N"));
    check(&before, &json!([{ "op": "add", "path": path, "value": "M" }]), &before);
    let both = json!([{ "op": "add", "path": path, "value": { "$ref": "/Users/N", "value": "N" } }]);
    check(&before, &both, &json!({ ENTERPRISE: { "manager": { "value": "N", "$ref": "/Users/N" } } }));
}

#[test]
fn r17_unknown_path_is_refused_and_unknown_key_is_dropped() {
    refused(&json!({}), &json!([{ "op": "add", "path": "unknown", "value": 1 }]), InvalidPath, &Policy::default());
    let keys = json!({ "unknown": 1, "name.unknown": 1, "urn:x:y:z": { "a": 1 }, "": 1, "a b": 1, "title": "T" });
    check(&json!({}), &json!([{ "op": "add", "value": keys }]), &json!({ "title": "T" }));
}

#[test]
fn r18_r19_null_and_empty_values_clear() {
    let before = json!({ "title": "T", "emails": [{ "value": "a", "type": "work" }], "name": { "givenName": "A" } });
    for value in [json!(null), json!("")] {
        let operations = json!([
            { "op": "replace", "path": "title", "value": value },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": value },
            { "op": "add", "value": { "name": { "givenName": value } } },
        ]);
        check(&before, &operations, &json!({}));
    }
    check(&before, &json!([{ "op": "replace", "value": { "title": null, "emails": [], "name": null } }]), &json!({}));
    let kept =
        patch_with(ResourceKind::User, &before, &json!([{ "op": "replace", "path": "title", "value": "" }]), &strict());
    assert_eq!(kept.unwrap().resource.text("title"), Some(""));
}
