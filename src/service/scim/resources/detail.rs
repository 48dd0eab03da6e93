//! The `detail` of an event: what changed, before and after, as JSON. Documents hold no secret, so neither does this.

use serde_json::{Map, Value, json};

use crate::protocol::patch::MemberPlan;

/// `after` of a created resource is its whole document.
pub(super) fn created(document: &str) -> String {
    let mut detail = String::with_capacity(document.len() + 10);
    detail.push_str(r#"{"after":"#);
    detail.push_str(document);
    detail.push('}');
    detail
}

/// `before` of a deleted resource is its whole document.
pub(super) fn deleted(document: &str) -> String {
    let mut detail = String::with_capacity(document.len() + 11);
    detail.push_str(r#"{"before":"#);
    detail.push_str(document);
    detail.push('}');
    detail
}

/// What differs between two states of a resource: `changed` names the attributes (those of an extension with its URN),
/// `before` and `after` hold their values. `members` tells what was asked for; storage knows what it came to.
pub(in crate::service) fn changed(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    members: Option<Value>,
) -> String {
    let mut differences = Differences::default();
    differences.compare("", before, after);
    let mut detail = Map::new();
    if members.is_some() {
        differences.changed.push("members".into());
    }
    detail.insert("changed".into(), differences.changed.into());
    detail.insert("before".into(), differences.before.into());
    detail.insert("after".into(), differences.after.into());
    if let Some(members) = members {
        detail.insert("members".into(), members);
    }
    Value::Object(detail).to_string()
}

/// The members part of `changed` for PATCH.
pub(super) fn member_plan(plan: &MemberPlan) -> Option<Value> {
    match plan {
        MemberPlan { clear: true, add, .. } => Some(json!({ "exactly": add })),
        MemberPlan { add, remove, .. } if add.is_empty() && remove.is_empty() => None,
        MemberPlan { add, remove, .. } => Some(json!({ "add": add, "remove": remove })),
    }
}

#[derive(Default)]
struct Differences {
    changed: Vec<Value>,
    before: Map<String, Value>,
    after: Map<String, Value>,
}

impl Differences {
    fn compare(&mut self, urn: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        for (name, old) in before {
            self.compare_one(urn, name, Some(old), after.get(name));
        }
        for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            self.compare_one(urn, name, None, Some(new));
        }
    }

    fn compare_one(&mut self, urn: &str, name: &str, old: Option<&Value>, new: Option<&Value>) {
        if old == new {
            return;
        }
        // Only an extension's name holds a colon; its attributes are told apart.
        if urn.is_empty() && name.contains(':') {
            let empty = Map::new();
            let attributes = |side: Option<&Value>| side.and_then(Value::as_object).cloned();
            let (old, new) = (attributes(old), attributes(new));
            return self.compare(name, old.as_ref().unwrap_or(&empty), new.as_ref().unwrap_or(&empty));
        }
        let path = if urn.is_empty() { name.to_owned() } else { format!("{urn}:{name}") };
        if let Some(old) = old {
            self.before.insert(path.clone(), old.clone());
        }
        if let Some(new) = new {
            self.after.insert(path.clone(), new.clone());
        }
        self.changed.push(path.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = object(json!({"userName": "a", "title": "t", "urn:x:User": {"department": "d", "division": "v"}}));
        let after =
            object(json!({"userName": "a", "active": false, "urn:x:User": {"department": "e", "division": "v"}}));
        let detail: Value = serde_json::from_str(&changed(&before, &after, None)).unwrap();
        assert_eq!(
            detail,
            json!({
                "changed": ["title", "urn:x:User:department", "active"],
                "before": {"title": "t", "urn:x:User:department": "d"},
                "after": {"active": false, "urn:x:User:department": "e"},
            })
        );
    }

    #[test]
    fn order_of_members_within_an_object_is_no_difference() {
        let (before, after) = (object(json!({"name": {"a": 1, "b": 2}})), object(json!({"name": {"b": 2, "a": 1}})));
        assert_eq!(changed(&before, &after, None), r#"{"changed":[],"before":{},"after":{}}"#);
    }

    #[test]
    fn members_are_told_as_asked_for() {
        let plan = MemberPlan { clear: false, add: vec!["u".into()], remove: vec![] };
        let detail: Value = serde_json::from_str(&changed(&Map::new(), &Map::new(), member_plan(&plan))).unwrap();
        assert_eq!(detail["members"], json!({"add": ["u"], "remove": []}));
        assert_eq!(detail["changed"], json!(["members"]));
        assert_eq!(member_plan(&MemberPlan::default()), None);
        assert_eq!(member_plan(&MemberPlan { clear: true, ..MemberPlan::default() }), Some(json!({"exactly": []})));
    }

    #[test]
    fn documents_go_in_whole() {
        assert_eq!(created(r#"{"a":1}"#), r#"{"after":{"a":1}}"#);
        assert_eq!(deleted(r#"{"a":1}"#), r#"{"before":{"a":1}}"#);
    }
}
