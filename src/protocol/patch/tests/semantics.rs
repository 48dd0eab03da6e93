//! What RFC 7644 §3.5.2 says about each kind of target, beyond its examples.

use serde_json::json;

use super::{ENTERPRISE, check, patch};

#[test]
fn single_values_are_set_replaced_and_removed() {
    check(&json!({}), &json!([{ "op": "add", "path": "title", "value": "T" }]), &json!({ "title": "T" }));
    check(&json!({}), &json!([{ "op": "replace", "path": "TITLE", "value": "T" }]), &json!({ "title": "T" }));
    check(&json!({ "title": "T" }), &json!([{ "op": "add", "path": "title", "value": "U" }]), &json!({ "title": "U" }));
    check(&json!({ "title": "T" }), &json!([{ "op": "add", "path": "title", "value": "T" }]), &json!({ "title": "T" }));
    check(&json!({ "title": "T" }), &json!([{ "op": "remove", "path": "title" }]), &json!({}));
    check(&json!({}), &json!([{ "op": "remove", "path": "title" }]), &json!({}));
    check(&json!({ "active": true }), &json!([{ "op": "remove", "path": "active" }]), &json!({}));
    check(&json!({}), &json!([{ "op": "add", "path": "externalId", "value": "E" }]), &json!({ "externalId": "E" }));
}

#[test]
fn complex_values_merge_and_vanish_with_their_last_part() {
    let name = json!({ "name": { "givenName": "A", "familyName": "B" } });
    check(
        &name,
        &json!([{ "op": "replace", "path": "name", "value": { "givenname": "C" } }]),
        &json!({ "name": { "givenName": "C", "familyName": "B" } }),
    );
    check(
        &name,
        &json!([{ "op": "add", "path": "name.middleName", "value": "M" }]),
        &json!({ "name": { "givenName": "A", "familyName": "B", "middleName": "M" } }),
    );
    check(
        &name,
        &json!([{ "op": "replace", "value": { "name": { "familyName": null, "unknown": 1 } } }]),
        &json!({ "name": { "givenName": "A" } }),
    );
    check(&name, &json!([{ "op": "replace", "path": "name", "value": {} }]), &name);
    check(&name, &json!([{ "op": "remove", "path": "name" }]), &json!({}));
    let parts = json!([{ "op": "remove", "path": "name.givenName" }, { "op": "remove", "path": "name.familyName" }]);
    check(&name, &parts, &json!({}));
    check(&json!({}), &json!([{ "op": "remove", "path": "name.givenName" }]), &json!({}));
}

#[test]
fn values_of_a_multi_valued_attribute_are_added_replaced_and_removed() {
    let work = json!({ "value": "w@x", "type": "work" });
    let home = json!({ "value": "h@x", "type": "home" });
    let before = json!({ "emails": [work] });
    let both = json!({ "emails": [work, home] });
    check(&before, &json!([{ "op": "add", "path": "emails", "value": home }]), &both);
    check(&before, &json!([{ "op": "add", "path": "emails", "value": [home, work] }]), &both);
    check(&before, &json!([{ "op": "add", "path": "emails", "value": [] }]), &before);
    check(&both, &json!([{ "op": "replace", "path": "emails", "value": [home] }]), &json!({ "emails": [home] }));
    check(&both, &json!([{ "op": "replace", "path": "emails", "value": home }]), &json!({ "emails": [home] }));
    check(&both, &json!([{ "op": "replace", "path": "emails", "value": [] }]), &json!({}));
    check(&both, &json!([{ "op": "remove", "path": "emails" }]), &json!({}));
    check(&both, &json!([{ "op": "remove", "path": "emails[type eq \"home\"]" }]), &before);
    check(&both, &json!([{ "op": "remove", "path": "emails[type eq \"other\"]" }]), &both);
    check(&before, &json!([{ "op": "remove", "path": "emails[value pr]" }]), &json!({}));
    // The same (type, value) is the same element, letter case aside; it takes over what the new one says.
    check(
        &before,
        &json!([{ "op": "add", "path": "emails", "value": [{ "value": "W@X", "type": "WORK", "display": "D" }] }]),
        &json!({ "emails": [{ "value": "W@X", "type": "WORK", "display": "D" }] }),
    );
}

#[test]
fn selected_elements_change_and_others_stay() {
    let before =
        json!({ "emails": [{ "value": "w@x", "type": "work" }, { "value": "h@x", "type": "home", "display": "H" }] });
    let display = json!([{ "op": "replace", "path": "emails[type eq \"home\"].display", "value": "I" }]);
    check(
        &before,
        &display,
        &json!({ "emails": [{ "value": "w@x", "type": "work" }, { "value": "h@x", "type": "home", "display": "I" }] }),
    );
    let merge = json!([{ "op": "add", "path": "emails[type eq \"home\"]", "value": { "value": "n@x" } }]);
    check(
        &before,
        &merge,
        &json!({ "emails": [{ "value": "w@x", "type": "work" }, { "value": "n@x", "type": "home", "display": "H" }] }),
    );
    let whole = json!([{ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "n@x" } }]);
    check(&before, &whole, &json!({ "emails": [{ "value": "w@x", "type": "work" }, { "value": "n@x" }] }));
    let sub = json!([{ "op": "remove", "path": "emails[type eq \"home\"].display" }]);
    check(
        &before,
        &sub,
        &json!({ "emails": [{ "value": "w@x", "type": "work" }, { "value": "h@x", "type": "home" }] }),
    );
    // Without `value` nothing but labels would remain.
    let value = json!([{ "op": "remove", "path": "emails[type eq \"work\"].value" }]);
    check(&before, &value, &json!({ "emails": [{ "value": "h@x", "type": "home", "display": "H" }] }));
    let all = json!([{ "op": "replace", "path": "emails.type", "value": "other" }]);
    check(
        &before,
        &all,
        &json!({ "emails": [{ "value": "w@x", "type": "other" }, { "value": "h@x", "type": "other", "display": "H" }] }),
    );
    let folded = json!([{ "op": "replace", "path": "emails[value pr]", "value": { "value": "n@x", "primary": true } }]);
    check(&before, &folded, &json!({ "emails": [{ "value": "n@x", "primary": true }] }));
}

#[test]
fn a_new_primary_value_takes_it_from_the_others() {
    let before = json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b" }] });
    let after = json!({ "emails": [{ "value": "a", "primary": false }, { "value": "b", "primary": true }] });
    check(&before, &json!([{ "op": "replace", "path": "emails[value eq \"b\"].primary", "value": true }]), &after);
    check(
        &before,
        &json!([{ "op": "add", "path": "emails", "value": { "value": "B", "primary": true } }]),
        &json!({ "emails": [{ "value": "a", "primary": false }, { "value": "B", "primary": true }] }),
    );
    let third = json!([{ "op": "add", "path": "emails", "value": [{ "value": "c", "primary": true }] }]);
    check(
        &before,
        &third,
        &json!({ "emails": [{ "value": "a", "primary": false }, { "value": "b" }, { "value": "c", "primary": true }] }),
    );
    check(
        &before,
        &json!([{ "op": "replace", "path": "emails[value eq \"a\"].display", "value": "A" }]),
        &json!({ "emails": [{ "value": "a", "primary": true, "display": "A" }, { "value": "b" }] }),
    );
}

#[test]
fn extension_attributes_bring_and_take_their_urn() {
    let department = json!({ ENTERPRISE: { "department": "D" } });
    let path = format!("{ENTERPRISE}:department");
    check(&json!({}), &json!([{ "op": "add", "path": path, "value": "D" }]), &department);
    check(&department, &json!([{ "op": "remove", "path": path }]), &json!({}));
    check(&department, &json!([{ "op": "remove", "path": ENTERPRISE }]), &json!({}));
    check(&department, &json!([{ "op": "replace", "value": { ENTERPRISE: null } }]), &json!({}));
    check(
        &department,
        &json!([{ "op": "add", "path": ENTERPRISE, "value": { "COSTCENTER": "C" } }]),
        &json!({ ENTERPRISE: { "department": "D", "costCenter": "C" } }),
    );
    check(
        &department,
        &json!([{ "op": "replace", "value": { ENTERPRISE: { "costCenter": "C" } } }]),
        &json!({ ENTERPRISE: { "department": "D", "costCenter": "C" } }),
    );
    check(&department, &json!([{ "op": "remove", "path": format!("{ENTERPRISE}:division") }]), &department);
}

#[test]
fn a_later_operation_sees_what_an_earlier_one_did() {
    let operations = json!([
        { "op": "add", "path": "title", "value": "T" },
        { "op": "add", "path": "emails", "value": [{ "value": "a", "type": "work" }] },
        { "op": "replace", "path": "emails[value eq \"a\"].type", "value": "home" },
        { "op": "remove", "path": "emails[type eq \"work\"]" },
        { "op": "remove", "path": "title" },
    ]);
    check(&json!({}), &operations, &json!({ "emails": [{ "value": "a", "type": "home" }] }));
    // There and back again is no change.
    let back = json!([{ "op": "add", "path": "title", "value": "T" }, { "op": "remove", "path": "title" }]);
    check(&json!({}), &back, &json!({}));
}

#[test]
fn changed_lists_canonical_paths() {
    let before = json!({
        "active": true, "title": "T", "name": { "givenName": "A", "familyName": "B" }, ENTERPRISE: { "department": "D", "manager": { "value": "M" } },
    });
    let operations = json!([
        { "op": "replace", "path": "ACTIVE", "value": false },
        { "op": "replace", "value": { "name": { "givenName": "C", "familyName": "B" } } },
        { "op": "add", "path": "emails", "value": { "value": "a" } },
        { "op": "remove", "path": "title" },
        { "op": "remove", "path": format!("{ENTERPRISE}:department") },
        { "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "N" } },
    ]);
    let mut changed = patch(&before, &operations).unwrap().changed;
    changed.sort();
    let expected = [
        "active",
        "emails",
        "name.givenName",
        "title",
        &format!("{ENTERPRISE}:department"),
        &format!("{ENTERPRISE}:manager.value"),
    ];
    assert_eq!(changed, expected);
}

#[test]
fn a_password_is_accepted_and_kept_nowhere() {
    for operations in [
        json!([{ "op": "replace", "path": "password", "value": "p" }]),
        json!([{ "op": "replace", "value": { "password": "p" } }]),
        json!([{ "op": "remove", "path": "password" }]),
    ] {
        check(&json!({}), &operations, &json!({}));
    }
}
