//! What an event changed, field by field, as the logs show it: read from the `detail` of the event.

use serde_json::{Map, Value, json};

/// Ids of members that are shown.
const MOST_MEMBERS: usize = 100;

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
        let list = |name: &str| members.get(name).and_then(Value::as_array).map(|ids| shown(ids));
        let to =
            list("exactly").or_else(|| list("add")).filter(|ids| ids != &json!([]) || members.contains_key("exactly"));
        let from = list("remove").filter(|ids| ids != &json!([]));
        changes.push(json!({ "field": "members", "from": from, "to": to }));
    }
    changes
}

fn shown(ids: &[Value]) -> Value {
    let mut shown: Vec<Value> = ids.iter().take(MOST_MEMBERS).cloned().collect();
    let more = ids.len().saturating_sub(MOST_MEMBERS);
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
}
