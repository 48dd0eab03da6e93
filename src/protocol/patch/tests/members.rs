//! Members of a group: plans, and when the group is needed.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Member, PatchRequest, body, rt, stored, strict};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::patch::{MemberPlan, Outcome};
use crate::protocol::policy::Policy;
use crate::protocol::resource::Resource;
use crate::protocol::schema::ResourceKind;

fn request(operations: &Value) -> Result<PatchRequest, ScimError> {
    PatchRequest::parse(body(operations), rt(ResourceKind::Group), &Policy::default())
}

fn outcome(operations: &Value, members: &[Member]) -> Result<Outcome, ScimError> {
    let current = stored(ResourceKind::Group, &json!({}));
    request(operations)?.apply(rt(ResourceKind::Group), &current, members, &Policy::default())
}

fn plan(clear: bool, add: &[&str], remove: &[&str]) -> MemberPlan {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    MemberPlan { clear, add: ids(add), remove: ids(remove) }
}

fn add(value: Value) -> Value {
    json!({ "op": "add", "path": "members", "value": value })
}

fn remove(id: &str) -> Value {
    json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
}

#[test]
fn operations_by_id_fold_in_order_and_need_no_group() {
    let a = || json!([{ "value": "A", "$ref": null, "display": "x", "type": "User", "displayName": "y" }]);
    let cases: Vec<(Value, MemberPlan)> = vec![
        (json!([add(a())]), plan(false, &["A"], &[])),
        (json!([add(json!({ "VALUE": "A" }))]), plan(false, &["A"], &[])),
        // R21
        (
            json!([add(json!([{ "value": "A" }, { "value": "B" }, { "value": "A" }])), add(a())]),
            plan(false, &["A", "B"], &[]),
        ),
        // R9, R10, R11
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "A" }, { "value": "B" }] }]),
            plan(false, &[], &["A", "B"]),
        ),
        (json!([{ "op": "remove", "path": "members", "value": { "value": "A" } }]), plan(false, &[], &["A"])),
        (json!([{ "op": "remove", "path": "members", "value": ["A", "B"] }]), plan(false, &[], &["A", "B"])),
        (json!([{ "op": "remove", "path": "members", "value": [] }]), plan(false, &[], &[])),
        (json!([{ "op": "remove", "path": "members" }]), plan(true, &[], &[])),
        (json!([remove("A")]), plan(false, &[], &["A"])),
        (
            json!([{ "op": "remove", "path": "members[value eq \"A\" or value eq \"B\"]" }]),
            plan(false, &[], &["A", "B"]),
        ),
        // sequences
        (json!([add(a()), remove("A")]), plan(false, &[], &["A"])),
        (json!([remove("A"), add(a())]), plan(false, &["A"], &[])),
        (
            json!([add(a()), { "op": "remove", "path": "members" }, add(json!({ "value": "B" })), remove("C")]),
            plan(true, &["B"], &[]),
        ),
        (
            json!([{ "op": "replace", "path": "members", "value": a() }, add(json!({ "value": "B" })), remove("A")]),
            plan(true, &["B"], &[]),
        ),
        // replace: list, object, nothing
        (json!([{ "op": "replace", "path": "members", "value": { "value": "A" } }]), plan(true, &["A"], &[])),
        (json!([{ "op": "replace", "path": "members", "value": [] }]), plan(true, &[], &[])),
        (json!([{ "op": "replace", "path": "members", "value": null }]), plan(true, &[], &[])),
        (json!([{ "op": "replace", "value": { "Members": a() } }]), plan(true, &["A"], &[])),
        (
            json!([{ "op": "add", "value": { "urn:ietf:params:scim:schemas:core:2.0:Group:members": a() } }]),
            plan(false, &["A"], &[]),
        ),
    ];
    for (operations, expected) in cases {
        let request = request(&operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
        assert!(request.only_members() && !request.needs_members(), "{operations}");
        // The group is not read, so nothing is known of it.
        let blank = request.apply(rt(ResourceKind::Group), &Resource::default(), &[], &Policy::default()).unwrap();
        assert_eq!((blank.members, blank.changed), (expected, vec![]), "{operations}");
    }
}

#[test]
fn a_group_is_needed_for_anything_else() {
    let rename =
        json!([{ "op": "replace", "value": { "id": "G", "displayName": "N" } }, add(json!([{ "value": "A" }]))]);
    assert!(!request(&rename).unwrap().only_members());
    let outcome = outcome(&rename, &[]).unwrap();
    assert_eq!((outcome.changed, outcome.members), (vec!["displayName".to_owned()], plan(false, &["A"], &[])));
    // Nothing at all still answers with the group as it is.
    assert!(!request(&json!([{ "op": "replace", "value": { "id": "G" } }])).unwrap().only_members());
    assert!(!request(&json!([add(json!([]))])).unwrap().only_members());
    let by_type = request(&json!([{ "op": "remove", "path": "members[type eq \"Group\"]" }])).unwrap();
    assert!(by_type.needs_members() && !by_type.only_members());
}

#[test]
fn selections_by_more_than_the_id_look_at_the_members_as_they_are_by_then() {
    let member = |value: &str, kind, display: Option<&str>| Member {
        value: value.into(),
        kind,
        display: display.map(Into::into),
    };
    let members = [member("A", "User", Some("Ann")), member("B", "Group", Some("Bees")), member("C", "User", None)];
    let path = |filter: &str| json!({ "op": "remove", "path": format!("members[{filter}]") });
    let cases: Vec<(Value, MemberPlan)> = vec![
        (json!([path("type eq \"user\"")]), plan(false, &[], &["A", "C"])),
        (json!([path("display sw \"b\"")]), plan(false, &[], &["B"])),
        (json!([path("not (display pr)"), add(json!({ "value": "C" }))]), plan(false, &["C"], &[])),
        (json!([add(json!({ "value": "D" })), path("not (value eq \"A\")")]), plan(false, &[], &["B", "C", "D"])),
        (json!([remove("A"), path("type eq \"User\"")]), plan(false, &[], &["A", "C"])),
        (json!([{ "op": "remove", "path": "members" }, path("type eq \"User\"")]), plan(true, &[], &[])),
        (json!([path("display eq \"nobody\"")]), plan(false, &[], &[])),
        (
            json!([{ "op": "replace", "path": "members[value eq \"A\"]", "value": { "value": "D" } }]),
            plan(false, &["D"], &["A"]),
        ),
    ];
    for (operations, expected) in cases {
        assert!(request(&operations).unwrap().needs_members(), "{operations}");
        assert_eq!(outcome(&operations, &members).map(|o| o.members), Ok(expected), "{operations}");
    }
    let gone = json!([{ "op": "replace", "path": "members[value eq \"Z\"]", "value": { "value": "D" } }]);
    assert_eq!(outcome(&gone, &members).map_err(|error| error.scim_type), Err(Some(ScimType::NoTarget)));
}

#[test]
fn wrong_members_are_refused() {
    let cases = [
        (add(json!([{ "value": "" }])), ScimType::InvalidValue),
        (add(json!([{ "value": 5 }])), ScimType::InvalidValue),
        (add(json!([{ "display": "x" }])), ScimType::InvalidValue),
        (add(json!(["A"])), ScimType::InvalidValue),
        (add(json!("A")), ScimType::InvalidValue),
        (json!({ "op": "add", "path": "members" }), ScimType::InvalidValue),
        (json!({ "op": "remove", "path": "members", "value": [""] }), ScimType::InvalidValue),
        (json!({ "op": "remove", "path": "members", "value": [5] }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "members.value", "value": "A" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "members[value eq \"A\"].value", "value": "B" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "members[value eq \"A\"].displayName", "value": "x" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "members.type" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "members[unknown eq \"A\"]" }), ScimType::InvalidFilter),
        (json!({ "op": "remove", "path": "members.unknown" }), ScimType::InvalidPath),
        (json!({ "op": "remove", "path": "displayName" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "displayName", "value": "" }), ScimType::InvalidValue),
    ];
    for (operation, kind) in cases {
        let error = outcome(&json!([operation]), &[]).map_err(|error| error.scim_type);
        assert_eq!(error.err(), Some(Some(kind)), "{operation}");
    }
    let listed = body(&json!([{ "op": "remove", "path": "members", "value": [{ "value": "A" }] }]));
    assert!(PatchRequest::parse(listed, rt(ResourceKind::Group), &strict()).is_err(), "never all of them instead");
}

proptest! {
    #[test]
    fn a_plan_comes_to_what_its_operations_come_to_one_by_one(
        before in proptest::collection::btree_set(0_u8..6, 0..6),
        operations in proptest::collection::vec((0_u8..5, proptest::collection::vec(0_u8..6, 0..4)), 1..8),
    ) {
        let id = |n: &u8| n.to_string();
        let mut expected: BTreeSet<String> = before.iter().map(id).collect();
        let mut sent = Vec::new();
        for (verb, ids) in &operations {
            let ids: Vec<String> = ids.iter().map(id).collect();
            let value: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
            match verb {
                0 => { expected.extend(ids); sent.push(add(value.into())); }
                1 => { expected.retain(|id| !ids.contains(id)); sent.push(json!({ "op": "remove", "path": "members", "value": value })); }
                2 => { expected = ids.into_iter().collect(); sent.push(json!({ "op": "replace", "path": "members", "value": value })); }
                3 => { expected.clear(); sent.push(json!({ "op": "remove", "path": "members" })); }
                _ => { expected.retain(|id| id.as_str() > "3"); sent.push(json!({ "op": "remove", "path": "members[value le \"3\"]" })); }
            }
        }
        let members: Vec<Member> = before.iter().map(|n| Member { value: id(n), kind: "User", display: None }).collect();
        let plan = outcome(&json!(sent), &members).unwrap().members;
        prop_assert!(plan.add.iter().all(|id| !plan.remove.contains(id)));
        prop_assert!(!plan.clear || plan.remove.is_empty());
        let mut reached: BTreeSet<String> = if plan.clear { BTreeSet::new() } else { before.iter().map(id).collect() };
        reached.retain(|id| !plan.remove.contains(id));
        reached.extend(plan.add);
        prop_assert_eq!(reached, expected);
    }
}
