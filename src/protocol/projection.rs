//! `attributes` and `excludedAttributes` (RFC 7644 §3.9) with each attribute's `returned`. Paths may name an attribute,
//! a sub-attribute, or an extension by its URN; names that the type does not have select nothing.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::ScimError;
use super::schema::{Attribute, Resolved, ResourceType, Returned};

/// Which attributes an answer holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Default)]
enum Shape {
    /// All that is stored.
    #[default]
    All,
    /// Only these.
    Only(Vec<Selected>),
    /// All but these.
    Except(Vec<Selected>),
}

/// What one path names.
#[derive(Debug, Clone, PartialEq)]
struct Selected {
    extension: Option<Arc<str>>,
    /// Empty: the extension as a whole.
    name: Arc<str>,
    sub: Option<Arc<str>>,
}

impl From<Resolved> for Selected {
    fn from(resolved: Resolved) -> Self {
        Selected { extension: resolved.extension, name: resolved.name, sub: resolved.sub }
    }
}

impl Projection {
    /// Reads the two comma-separated parameters. Unknown names select nothing; an empty parameter counts as none.
    ///
    /// # Errors
    /// 400 `invalidValue` when both are given or one names a never-returned attribute.
    pub fn parse(rt: &ResourceType, attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let given = |text: Option<&str>| text.is_some_and(|t| !t.trim().is_empty());
        let shape = match (given(attributes), given(excluded)) {
            (true, true) => {
                return Err(ScimError::invalid_value(
                    "`attributes` and `excludedAttributes` exclude each other: send one",
                ));
            }
            (true, false) => {
                let mut selected = select(rt, attributes)?;
                selected.extend(with_returned(rt, Returned::Always));
                Shape::Only(selected)
            }
            (false, _) => {
                let mut selected = select(rt, excluded)?;
                selected.retain(|s| !is_always(rt, s));
                selected.extend(with_returned(rt, Returned::Request));
                if selected.is_empty() { Shape::All } else { Shape::Except(selected) }
            }
        };
        Ok(Projection { shape })
    }

    /// Whether an answer may be spliced from the stored text as it is.
    pub fn is_all(&self) -> bool {
        self.shape == Shape::All
    }

    /// Whether the answer can hold that top-level core attribute (`members`, `groups`), so that it must be loaded.
    pub fn wants(&self, name: &str) -> bool {
        let names = |s: &Selected| s.extension.is_none() && &*s.name == name;
        match &self.shape {
            Shape::All => true,
            Shape::Only(selected) => selected.iter().any(names),
            Shape::Except(selected) => !selected.iter().any(|s| names(s) && s.sub.is_none()),
        }
    }

    /// Trims a whole resource.
    pub fn apply(&self, resource: &mut Map<String, Value>) {
        match &self.shape {
            Shape::All => {}
            Shape::Only(selected) => resource.retain(|name, value| keep_selected(selected, name, value)),
            Shape::Except(selected) => resource.retain(|name, value| keep_unselected(selected, name, value)),
        }
    }
}

fn select(rt: &ResourceType, text: Option<&str>) -> Result<Vec<Selected>, ScimError> {
    let mut selected = Vec::new();
    for path in text.unwrap_or_default().split(',').map(str::trim) {
        let Some(resolved) = rt.resolve_path(path) else { continue };
        if resolved.returned == Returned::Never {
            return Err(ScimError::invalid_value(format!("`{}` is never returned", resolved.path())));
        }
        let one = Selected::from(resolved);
        if !selected.contains(&one) {
            selected.push(one);
        }
    }
    Ok(selected)
}

/// Every attribute and sub-attribute of the type with that `returned`.
fn with_returned(rt: &ResourceType, returned: Returned) -> Vec<Selected> {
    let core = rt.common.iter().chain(&rt.core.attributes).map(|a| (None, a));
    let extended = rt.extensions.iter().flat_map(|s| s.attributes.iter().map(|a| (Some(s.id.clone()), a)));
    let mut found = Vec::new();
    for (extension, attr) in core.chain(extended) {
        let one = |sub: Option<&Attribute>| Selected {
            extension: extension.clone(),
            name: attr.name.clone(),
            sub: sub.map(|s| s.name.clone()),
        };
        if attr.returned == returned {
            found.push(one(None));
        }
        // A sub-attribute that is always returned comes with its attribute, which alone does not come always.
        if returned != Returned::Always {
            found.extend(attr.sub_attributes.iter().filter(|s| s.returned == returned).map(|s| one(Some(s))));
        }
    }
    found
}

fn is_always(rt: &ResourceType, selected: &Selected) -> bool {
    let attr = match &selected.extension {
        Some(urn) => rt.extension(urn).and_then(|s| s.attribute(&selected.name)),
        None => rt.attribute(&selected.name),
    };
    let named = attr.map(|attr| selected.sub.as_ref().and_then(|sub| attr.sub(sub)).unwrap_or(attr));
    attr.is_some_and(|a| a.returned == Returned::Always) || named.is_some_and(|a| a.returned == Returned::Always)
}

/// Trims a top-level member to what is selected; `false` when nothing is left of it.
fn keep_selected(selected: &[Selected], name: &str, value: &mut Value) -> bool {
    if selected.iter().any(|s| s.extension.as_deref() == Some(name)) {
        if selected.iter().any(|s| s.extension.as_deref() == Some(name) && s.name.is_empty()) {
            return true;
        }
        let Value::Object(held) = value else { return false };
        held.retain(|inner, value| keep_attribute(selected, Some(name), inner, value));
        return !held.is_empty();
    }
    keep_attribute(selected, None, name, value)
}

fn keep_attribute(selected: &[Selected], extension: Option<&str>, name: &str, value: &mut Value) -> bool {
    let mine = || selected.iter().filter(|s| s.extension.as_deref() == extension && &*s.name == name);
    if mine().any(|s| s.sub.is_none()) {
        return true;
    }
    let mut subs = mine().filter_map(|s| s.sub.as_deref()).peekable();
    if subs.peek().is_none() {
        return false;
    }
    let subs: Vec<&str> = subs.collect();
    retain_subs(value, |sub| subs.contains(&sub))
}

fn keep_unselected(selected: &[Selected], name: &str, value: &mut Value) -> bool {
    if selected.iter().any(|s| s.extension.as_deref() == Some(name)) {
        if selected.iter().any(|s| s.extension.as_deref() == Some(name) && s.name.is_empty()) {
            return false;
        }
        let Value::Object(held) = value else { return true };
        held.retain(|inner, value| drop_excluded(selected, Some(name), inner, value));
        return !held.is_empty();
    }
    drop_excluded(selected, None, name, value)
}

fn drop_excluded(selected: &[Selected], extension: Option<&str>, name: &str, value: &mut Value) -> bool {
    let mine = || selected.iter().filter(|s| s.extension.as_deref() == extension && &*s.name == name);
    if mine().next().is_none() {
        return true;
    }
    if mine().any(|s| s.sub.is_none()) {
        return false;
    }
    retain_subs(value, |sub| !mine().any(|s| s.sub.as_deref() == Some(sub)))
}

/// Keeps the sub-attributes that `keep` names, in an object or in each element; `false` when nothing is left.
fn retain_subs(value: &mut Value, keep: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(held) => {
            held.retain(|sub, _| keep(sub));
            !held.is_empty()
        }
        Value::Array(elements) => {
            for element in elements.iter_mut() {
                if let Value::Object(held) = element {
                    held.retain(|sub, _| keep(sub));
                }
            }
            elements.retain(|e| e.as_object().is_none_or(|held| !held.is_empty()));
            !elements.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::ScimType;
    use crate::protocol::schema::Registry;
    use crate::protocol::urn::{ENTERPRISE_USER, USER};
    use serde_json::json;

    fn resource() -> Value {
        json!({
            "schemas": [USER, ENTERPRISE_USER], "id": "1", "userName": "babs",
            "name": { "familyName": "Jensen", "givenName": "Barbara" },
            "emails": [{ "value": "a@x", "type": "work" }, { "type": "home" }],
            ENTERPRISE_USER: { "department": "D", "manager": { "value": "M", "$ref": "../Users/M" } },
            "groups": [{ "value": "g", "display": "G" }],
            "meta": { "resourceType": "User", "version": "W/\"1\"" },
        })
    }

    fn projected(rt: &ResourceType, attributes: &str, excluded: &str) -> Value {
        let projection = Projection::parse(rt, Some(attributes), Some(excluded)).unwrap();
        let mut resource = resource();
        projection.apply(resource.as_object_mut().unwrap());
        resource
    }

    #[test]
    fn attributes_returns_the_minimum_and_what_is_named() {
        let manager = format!("{ENTERPRISE_USER}:manager.value");
        let department = format!("{}:DEPARTMENT", ENTERPRISE_USER.to_uppercase());
        let qualified = format!("{USER}:username, name");
        let cases = [
            ("userName", json!({ "userName": "babs" })),
            ("USERNAME , id,,", json!({ "userName": "babs" })),
            (&qualified, json!({ "userName": "babs", "name": { "familyName": "Jensen", "givenName": "Barbara" } })),
            ("name.familyName", json!({ "name": { "familyName": "Jensen" } })),
            ("name.familyName,name", json!({ "name": { "familyName": "Jensen", "givenName": "Barbara" } })),
            ("emails.value", json!({ "emails": [{ "value": "a@x" }] })),
            ("groups.display", json!({ "groups": [{ "display": "G" }] })),
            ("meta.version", json!({ "meta": { "version": "W/\"1\"" } })),
            (&department, json!({ ENTERPRISE_USER: { "department": "D" } })),
            (&manager, json!({ ENTERPRISE_USER: { "manager": { "value": "M" } } })),
            (
                ENTERPRISE_USER,
                json!({ ENTERPRISE_USER: { "department": "D", "manager": { "value": "M", "$ref": "../Users/M" } } }),
            ),
            ("title,unknown,name.unknown,department", json!({})),
        ];
        for (attributes, expected) in cases {
            let mut whole = json!({ "schemas": [USER, ENTERPRISE_USER], "id": "1" });
            whole.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
            assert_eq!(projected(&Registry::builtin().user, attributes, ""), whole, "{attributes}");
        }
    }

    #[test]
    fn excluded_attributes_are_taken_out_except_those_always_returned() {
        let rt = &Registry::builtin().user;
        let all_of_meta = "meta.resourceType,meta.version";
        let manager = format!("{ENTERPRISE_USER}:manager, {ENTERPRISE_USER}:department");
        let without = |paths: &[&str]| {
            let mut expected = resource();
            for path in paths {
                expected.as_object_mut().unwrap().shift_remove(*path);
            }
            expected
        };
        let cases = [
            ("id,schemas,unknown", without(&[])),
            ("groups,NAME", without(&["groups", "name"])),
            (all_of_meta, without(&["meta"])),
            (ENTERPRISE_USER, without(&[ENTERPRISE_USER])),
            (&manager, without(&[ENTERPRISE_USER])),
        ];
        for (excluded, expected) in cases {
            assert_eq!(projected(rt, "", excluded), expected, "{excluded}");
        }
        assert_eq!(projected(rt, "", "emails.type")["emails"], json!([{ "value": "a@x" }]));
        assert_eq!(projected(rt, "", "name.givenName")["name"], json!({ "familyName": "Jensen" }));
    }

    #[test]
    fn secrets_and_both_parameters_at_once_are_refused() {
        let rt = &Registry::builtin().user;
        for (attributes, excluded) in
            [(Some("userName"), Some("name")), (Some("password"), None), (None, Some("PASSWORD"))]
        {
            let error = Projection::parse(rt, attributes, excluded).unwrap_err();
            assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidValue)));
        }
    }

    #[test]
    fn members_are_wanted_only_where_the_answer_can_hold_them() {
        let rt = &Registry::builtin().group;
        let cases = [
            (None, None, true),
            (Some("displayName"), None, false),
            (Some("displayName,MEMBERS"), None, true),
            (Some("members.value"), None, true),
            (Some(""), None, true),
            (None, Some("members"), false),
            (None, Some("urn:ietf:params:scim:schemas:core:2.0:Group:members"), false),
            (None, Some("members.display"), true),
            (None, Some("displayName"), true),
        ];
        for (attributes, excluded, expected) in cases {
            let projection = Projection::parse(rt, attributes, excluded).unwrap();
            assert_eq!(projection.wants("members"), expected, "{attributes:?} {excluded:?}");
        }
        assert!(Projection::parse(rt, None, Some("id,unknown")).unwrap().is_all());
        assert!(!Projection::parse(rt, None, Some("members")).unwrap().is_all());
        assert!(!Projection::parse(rt, Some("unknown"), None).unwrap().is_all());
    }

    #[test]
    fn what_is_returned_on_request_only_is_left_out_until_named() {
        let mut rt = Registry::builtin().user.clone();
        for attr in rt.core.attributes.iter_mut().filter(|a| &*a.name == "emails") {
            attr.returned = Returned::Request;
        }
        for schema in &mut rt.extensions {
            for attr in schema.attributes.iter_mut().filter(|a| &*a.name == "department") {
                attr.returned = Returned::Request;
            }
        }
        let plain = projected(&rt, "", "");
        assert_eq!(plain.get("emails"), None);
        assert_eq!(plain[ENTERPRISE_USER].get("department"), None);
        assert!(!Projection::parse(&rt, None, None).unwrap().is_all());
        assert!(projected(&rt, "emails", "").get("emails").is_some());
    }
}
