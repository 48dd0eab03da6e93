//! Which operation a request was: by what it came to, else by what it asked for.

use serde_json::Value;

use super::Operation;
use crate::domain::event::EventKind;
use crate::domain::ids::ResourceId;

/// What a write came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The user or group.
    pub resource: ResourceId,
    /// Its event.
    pub kind: EventKind,
    /// `false`: nothing differed.
    pub changed: bool,
    /// `detail` of the event.
    pub detail: String,
}

/// What a request asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// As sent.
    pub method: &'a str,
    /// Whether it is a search by POST.
    pub is_search: bool,
    /// Whether it is for groups.
    pub is_group: bool,
    /// Its body, where it could be read.
    pub body: Option<&'a Value>,
}

/// The operation of a request. `detail` is that of the event, if there is one.
pub fn operation(request: Request<'_>, detail: Option<&Value>) -> Operation {
    match request.method {
        "POST" if !request.is_search => Operation::Create,
        "DELETE" => Operation::Delete,
        "PUT" | "PATCH" => {
            let by_outcome = detail.and_then(|detail| by_outcome(request.is_group, detail));
            by_outcome.unwrap_or_else(|| by_body(request))
        }
        _ => Operation::Read,
    }
}

fn by_outcome(is_group: bool, detail: &Value) -> Option<Operation> {
    let changed = detail.get("changed")?.as_array()?;
    if is_group {
        let (added, removed) = (is_some(detail, "add"), is_some(detail, "remove"));
        return (changed.iter().all(|path| path == "members") && added != removed).then_some(if added {
            Operation::AddMembers
        } else {
            Operation::RemoveMembers
        });
    }
    if !changed.iter().any(|path| path == "active") {
        return (!changed.is_empty()).then_some(Operation::Update);
    }
    match detail.pointer("/after/active") {
        Some(Value::Bool(false)) => Some(Operation::Deactivate),
        Some(Value::Bool(true)) => Some(Operation::Activate),
        _ => Some(Operation::Update),
    }
}

fn is_some(detail: &Value, list: &str) -> bool {
    let list = detail.get("members").and_then(|members| members.get(list)).and_then(Value::as_array);
    list.is_some_and(|ids| !ids.is_empty())
}

/// What was asked for, of a request that changed nothing.
fn by_body(request: Request<'_>) -> Operation {
    let Some(body) = request.body.and_then(Value::as_object) else { return Operation::Update };
    let operations = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("Operations"));
    let Some(operations) = operations.and_then(|(_, value)| value.as_array()) else { return Operation::Update };
    let mut all = operations.iter().map(|operation| one(request.is_group, operation));
    let first = all.next().unwrap_or(Operation::Update);
    if all.all(|other| other == first) { first } else { Operation::Update }
}

fn one(is_group: bool, operation: &Value) -> Operation {
    let member = |name: &str| {
        let members = operation.as_object();
        members.and_then(|all| all.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    };
    let text = |name| member(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let (op, path) = (text("op"), text("path"));
    if is_group {
        let of_members = path.starts_with("members") || member("value").is_some_and(|v| v.get("members").is_some());
        return match op.as_str() {
            "add" if of_members => Operation::AddMembers,
            "remove" if of_members => Operation::RemoveMembers,
            _ => Operation::Update,
        };
    }
    let value = member("value");
    let active = if path == "active" { value } else { value.and_then(|value| value.get("active")) };
    let active = active.map(|active| active.as_str().map_or_else(|| active.to_string(), str::to_ascii_lowercase));
    match active.as_deref() {
        Some("false") => Operation::Deactivate,
        Some("true") => Operation::Activate,
        _ => Operation::Update,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_what_came_of_it() {
        for (is_group, detail, expected) in [
            (false, json!({"changed": ["active"], "after": {"active": false}}), Operation::Deactivate),
            (false, json!({"changed": ["title", "active"], "after": {"active": true}}), Operation::Activate),
            (false, json!({"changed": ["active"], "after": {}}), Operation::Update),
            (false, json!({"changed": ["title"]}), Operation::Update),
            (true, json!({"changed": ["members"], "members": {"add": ["a"], "remove": []}}), Operation::AddMembers),
            (true, json!({"changed": ["members"], "members": {"add": [], "remove": ["a"]}}), Operation::RemoveMembers),
            (true, json!({"changed": ["members"], "members": {"exactly": []}}), Operation::Update),
            (true, json!({"changed": ["displayName", "members"], "members": {"add": ["a"]}}), Operation::Update),
        ] {
            let request = Request { method: "PATCH", is_search: false, is_group, body: None };
            assert_eq!(operation(request, Some(&detail)), expected, "{detail}");
        }
    }

    #[test]
    fn what_changed_nothing_is_what_it_asked_for() {
        let ops = |ops: Value| json!({ "Operations": ops });
        for (is_group, body, expected) in [
            (false, ops(json!([{"op": "Replace", "path": "active", "value": "False"}])), Operation::Deactivate),
            (false, ops(json!([{"op": "replace", "value": {"active": true}}])), Operation::Activate),
            (false, ops(json!([{"op": "replace", "path": "title", "value": "x"}])), Operation::Update),
            (true, ops(json!([{"op": "Add", "path": "members", "value": []}])), Operation::AddMembers),
            (true, ops(json!([{"op": "remove", "path": "members[value eq \"x\"]"}])), Operation::RemoveMembers),
            (
                true,
                ops(json!([{"op": "add", "path": "members"}, {"op": "remove", "path": "members"}])),
                Operation::Update,
            ),
            (true, json!({"displayName": "x"}), Operation::Update),
            (true, ops(json!(["x", 1])), Operation::Update),
        ] {
            let request = Request { method: "PATCH", is_search: false, is_group, body: Some(&body) };
            assert_eq!(operation(request, None), expected, "{body}");
        }
    }

    #[test]
    fn methods_say_the_rest() {
        for (method, is_search, expected) in [
            ("POST", false, Operation::Create),
            ("POST", true, Operation::Read),
            ("DELETE", false, Operation::Delete),
            ("GET", false, Operation::Read),
            ("HEAD", false, Operation::Read),
            ("BREW", false, Operation::Read),
            ("PUT", false, Operation::Update),
        ] {
            let request = Request { method, is_search, is_group: false, body: None };
            assert_eq!(operation(request, None), expected, "{method}");
        }
    }
}
