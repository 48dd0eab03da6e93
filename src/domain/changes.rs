//! What an event changed, field by field, as the logs show it: read from the `detail` of the event.

use serde_json::{Map, Value, json};

/// Ids of members that are shown.
const MOST_MEMBERS: usize = 100;
/// Bytes of a detail that are kept as they are, and of one value in a larger one.
const LARGE: usize = 4 * 1024;
/// In place of a larger value.
const TOO_LARGE: &str = "[too large to be kept here; the audit log has it]";

/// The changes in a detail: `{"field", "from", "to"}` each; null is absent. Of members, `from` holds those removed and `to`
/// those added, or those that there shall be exactly.
pub fn of_detail(detail: &Value) -> Vec<Value> {
    let empty = Map::new();
    let side = |name: &str| detail.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let (before, after) = (side("before"), side("after"));
    let mut changes = Vec::new();
    let fields = before.keys().chain(after.keys().filter(|field| !before.contains_key(*field)));
    for field in fields.filter(|field| *field != "schemas") {
        let of = |side: &Map<String, Value>| side.get(field).cloned().unwrap_or(Value::Null);
        changes.push(json!({ "field": field, "from": of(before), "to": of(after) }));
    }
    if let Some(members) = detail.get("members").and_then(Value::as_object) {
        let left_out = |name: &str| members.get("left_out")?.get(name)?.as_u64();
        let list = |name: &str| Some(shown(members.get(name)?.as_array()?, left_out(name).unwrap_or(0)));
        let to =
            list("exactly").or_else(|| list("add")).filter(|ids| ids != &json!([]) || members.contains_key("exactly"));
        let from = list("remove").filter(|ids| ids != &json!([]));
        changes.push(json!({ "field": "members", "from": from, "to": to }));
    }
    changes
}

/// A detail as a log keeps it that has many of them: of members as many as are shown, of values what is not too large.
pub fn shortened(detail: String) -> String {
    if detail.len() <= LARGE {
        return detail;
    }
    let Ok(mut read) = serde_json::from_str::<Value>(&detail) else { return detail };
    for side in ["before", "after"] {
        let fields = read.get_mut(side).and_then(Value::as_object_mut).into_iter().flatten();
        for (_, value) in fields.filter(|(_, value)| value.to_string().len() > LARGE) {
            *value = TOO_LARGE.into();
        }
    }
    if let Some(members) = read.get_mut("members").and_then(Value::as_object_mut) {
        let mut left_out = Map::new();
        for (name, ids) in members.iter_mut() {
            let Some(ids) = ids.as_array_mut().filter(|ids| ids.len() > MOST_MEMBERS) else { continue };
            left_out.insert(name.clone(), (ids.len() - MOST_MEMBERS).into());
            ids.truncate(MOST_MEMBERS);
        }
        if !left_out.is_empty() {
            members.insert("left_out".to_owned(), left_out.into());
        }
    }
    read.to_string()
}

fn shown(ids: &[Value], left_out: u64) -> Value {
    let mut shown: Vec<Value> = ids.iter().take(MOST_MEMBERS).cloned().collect();
    let more = (ids.len().saturating_sub(MOST_MEMBERS) as u64).saturating_add(left_out);
    if more > 0 {
        shown.push(format!("and {more} more").into());
    }
    Value::Array(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_told_with_both_sides() {
        for (detail, expected) in [
            (json!({}), json!([])),
            (json!({"erased": true}), json!([])),
            (
                json!({"after": {"schemas": ["x"], "userName": "ben"}}),
                json!([{"field": "userName", "from": null, "to": "ben"}]),
            ),
            (
                json!({"changed": ["title", "active"], "before": {"title": "t"}, "after": {"active": false}}),
                json!([{"field": "title", "from": "t", "to": null}, {"field": "active", "from": null, "to": false}]),
            ),
            (
                json!({"changed": ["members"], "before": {}, "after": {}, "members": {"add": ["u"], "remove": []}}),
                json!([{"field": "members", "from": null, "to": ["u"]}]),
            ),
            (
                json!({"members": {"add": [], "remove": ["u"]}}),
                json!([{"field": "members", "from": ["u"], "to": null}]),
            ),
            (json!({"members": {"exactly": []}}), json!([{"field": "members", "from": null, "to": []}])),
        ] {
            assert_eq!(Value::Array(of_detail(&detail)), expected, "{detail}");
        }
    }

    #[test]
    fn a_large_list_of_members_is_cut() {
        let ids: Vec<String> = (0..150).map(|n| n.to_string()).collect();
        let changes = of_detail(&json!({ "members": { "add": ids } }));
        let shown = changes[0]["to"].as_array().unwrap();
        assert_eq!((shown.len(), &shown[100]), (101, &json!("and 50 more")));
    }

    #[test]
    fn a_shortened_detail_tells_the_same_but_for_what_is_too_large() {
        let ids: Vec<String> = (0..10_000).map(|n| format!("{n:036}")).collect();
        let members = json!({ "changed": ["members"], "members": { "add": ids, "remove": ["u"] } });
        let kept = shortened(members.to_string());
        assert!(kept.len() < 5_000, "{}", kept.len());
        assert_eq!(of_detail(&serde_json::from_str(&kept).unwrap()), of_detail(&members));
        let user = json!({ "before": { "title": "t" }, "after": { "title": "x".repeat(1_000_000), "active": false } });
        let kept: Value = serde_json::from_str(&shortened(user.to_string())).unwrap();
        assert_eq!(kept, json!({ "before": { "title": "t" }, "after": { "title": TOO_LARGE, "active": false } }));
        for small in [json!({ "after": { "userName": "ben" } }).to_string(), "x".to_owned(), "y".repeat(9_000)] {
            assert_eq!(shortened(small.clone()), small);
        }
    }
}
