//! What the admin API shows and changes of a person's SCIM document: name, addresses, job.

use serde_json::{Map, Value, json};

use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::protocol::urn;

/// Longest value of a text, in characters.
const TEXT: usize = 200;
/// Longest address (RFC 5321 §4.5.3.1, with its brackets).
const ADDRESS: usize = 254;

/// What is shown of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Profile {
    pub email: Option<String>,
    pub user_name: String,
    pub given: Option<String>,
    pub family: Option<String>,
    pub display: Option<String>,
    pub phone: Option<String>,
    pub title: Option<String>,
    pub department: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub external_id: Option<String>,
}

/// What to change; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct ProfileChange {
    pub email: Option<String>,
    pub user_name: Option<String>,
    pub given: Option<Option<String>>,
    pub family: Option<Option<String>>,
    pub display: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub title: Option<Option<String>>,
    pub department: Option<Option<String>>,
}

impl Profile {
    /// Reads a document.
    pub fn of(resource: &Resource) -> Self {
        let text = |name| resource.text(name).map(str::to_owned);
        let part = |holder: &str, name: &str| {
            let value = resource.attributes.get(holder).and_then(|holder| holder.get(name));
            value.and_then(Value::as_str).map(str::to_owned)
        };
        let formatted = || {
            let parts: Vec<String> = ["givenName", "familyName"].iter().filter_map(|n| part("name", n)).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        Profile {
            email: leading(resource, "emails").and_then(value_of),
            user_name: text("userName").unwrap_or_default(),
            given: part("name", "givenName"),
            family: part("name", "familyName"),
            display: text("displayName").or_else(|| part("name", "formatted")).or_else(formatted),
            phone: leading(resource, "phoneNumbers").and_then(value_of),
            title: text("title"),
            department: part(urn::ENTERPRISE_USER, "department"),
            locale: text("locale"),
            time_zone: text("timezone"),
            external_id: text("externalId"),
        }
    }

    /// What a person is called in a sentence.
    pub fn label(&self) -> &str {
        self.display.as_deref().or(self.email.as_deref()).unwrap_or(&self.user_name)
    }
}

/// The element that is shown: the primary one, else the least by value and type, as the list of people sorts them.
fn leading<'a>(resource: &'a Resource, name: &str) -> Option<&'a Value> {
    let elements = resource.attributes.get(name)?.as_array()?;
    let key = |element: &Value| {
        let part = |name| compare::fold(element.get(name).and_then(Value::as_str).unwrap_or_default()).into_owned();
        (part("value"), part("type"))
    };
    let with_value = || elements.iter().filter(|element| value_of(element).is_some());
    let primary = with_value().find(|element| element.get("primary") == Some(&Value::Bool(true)));
    primary.or_else(|| with_value().min_by_key(|element| key(element)))
}

fn value_of(element: &Value) -> Option<String> {
    let value = element.get("value").and_then(Value::as_str).filter(|value| !value.is_empty());
    value.map(str::to_owned)
}

impl ProfileChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == ProfileChange::default()
    }

    /// What is wrong with it: the member as a JSON Pointer, and a sentence.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        if let Some(email) = &self.email
            && !is_address(email)
        {
            errors.push(("/email", "This must be an e-mail address such as ben@example.com.".to_owned()));
        }
        let texts = [
            ("/name/given", &self.given),
            ("/name/family", &self.family),
            ("/name/display", &self.display),
            ("/phone", &self.phone),
            ("/title", &self.title),
            ("/department", &self.department),
        ];
        for (pointer, text) in texts {
            if let Some(Some(text)) = text
                && (text.trim().is_empty() || text.chars().count() > TEXT || text.chars().any(char::is_control))
            {
                let detail = format!("This must have 1 to {TEXT} characters, without control characters.");
                errors.push((pointer, detail));
            }
        }
        errors
    }

    /// The document afterwards. Where the user name is the address, it follows the address.
    pub fn apply(&self, resource: &Resource) -> Resource {
        let before = Profile::of(resource);
        let mut after = resource.clone();
        let attributes = &mut after.attributes;
        if let Some(email) = &self.email {
            set_leading(attributes, resource, "emails", Some(email));
        }
        let is_login =
            before.email.as_deref().is_some_and(|old| compare::fold(old) == compare::fold(&before.user_name));
        let follows = self.email.as_ref().filter(|_| is_login);
        if let Some(user_name) = self.user_name.as_ref().or(follows) {
            attributes.insert("userName".to_owned(), user_name.as_str().into());
        }
        for (name, text) in [("givenName", &self.given), ("familyName", &self.family)] {
            if let Some(text) = text {
                set_part(attributes, "name", name, text.as_deref());
            }
        }
        if self.given.is_some() || self.family.is_some() {
            // It would tell the name from before.
            set_part(attributes, "name", "formatted", None);
        }
        for (name, text) in [("displayName", &self.display), ("title", &self.title)] {
            if let Some(text) = text {
                set(attributes, name, text.as_deref().map(Value::from));
            }
        }
        if let Some(phone) = &self.phone {
            set_leading(attributes, resource, "phoneNumbers", phone.as_deref());
        }
        if let Some(department) = &self.department {
            set_part(attributes, urn::ENTERPRISE_USER, "department", department.as_deref());
        }
        after
    }
}

/// Whether a text can be an e-mail address. More than its shape only a mail to it tells.
pub fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let fine = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_control() || c.is_whitespace() || c == '@');
    text.chars().count() <= ADDRESS && parts.is_some_and(|(local, domain)| fine(local) && fine(domain))
}

fn set(attributes: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => _ = attributes.insert(name.to_owned(), value),
        None => _ = attributes.remove(name),
    }
}

fn set_part(attributes: &mut Map<String, Value>, holder: &str, name: &str, text: Option<&str>) {
    let mut parts = attributes.get(holder).and_then(Value::as_object).cloned().unwrap_or_default();
    set(&mut parts, name, text.map(Value::from));
    set(attributes, holder, (!parts.is_empty()).then_some(Value::Object(parts)));
}

/// Sets the value of the element that is shown; one that is new is the primary one.
fn set_leading(attributes: &mut Map<String, Value>, before: &Resource, name: &str, text: Option<&str>) {
    let shown = leading(before, name);
    let old = attributes.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut elements = Vec::new();
    for mut element in old {
        if Some(&element) != shown {
            // Two elements with one value would be one.
            if element.get("value").and_then(Value::as_str) != text {
                elements.push(element);
            }
        } else if let (Some(text), Some(parts)) = (text, element.as_object_mut()) {
            parts.insert("value".to_owned(), text.into());
            elements.push(element);
        }
    }
    if let Some(text) = text
        && shown.is_none()
    {
        elements.push(json!({ "value": text, "type": "work", "primary": true }));
    }
    set(attributes, name, (!elements.is_empty()).then_some(Value::Array(elements)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(value: Value) -> Resource {
        Resource::from_document(&value.to_string()).unwrap()
    }

    #[test]
    fn the_primary_address_is_shown_else_the_least() {
        let emails = |emails: Value| Profile::of(&resource(json!({ "userName": "a", "emails": emails }))).email;
        assert_eq!(emails(json!([{ "value": "B@x" }, { "value": "a@x" }])).as_deref(), Some("a@x"));
        assert_eq!(emails(json!([{ "value": "a@x" }, { "value": "b@x", "primary": true }])).as_deref(), Some("b@x"));
        assert_eq!(emails(json!([{ "type": "work" }])), None);
    }

    #[test]
    fn a_name_is_shown_however_the_directory_tells_it() {
        let label = |value: Value| Profile::of(&resource(value)).label().to_owned();
        assert_eq!(label(json!({ "userName": "u", "displayName": "D", "name": { "formatted": "F" } })), "D");
        assert_eq!(label(json!({ "userName": "u", "name": { "formatted": "F", "givenName": "G" } })), "F");
        assert_eq!(label(json!({ "userName": "u", "name": { "givenName": "G", "familyName": "H" } })), "G H");
        assert_eq!(label(json!({ "userName": "u", "emails": [{ "value": "e@x" }] })), "e@x");
        assert_eq!(label(json!({ "userName": "u" })), "u");
    }

    #[test]
    fn a_change_touches_what_it_names() {
        let before = resource(json!({
            "userName": "ben@x.com", "displayName": "Ben", "title": "Clerk",
            "emails": [{ "value": "Ben@x.com", "type": "work", "primary": true }, { "value": "b@home", "type": "home" }],
            (urn::ENTERPRISE_USER): { "department": "Sales" },
        }));
        let change = ProfileChange {
            email: Some("b@home".to_owned()),
            given: Some(Some("Benjamin".to_owned())),
            title: Some(None),
            department: Some(None),
            phone: Some(Some("+39 1".to_owned())),
            ..ProfileChange::default()
        };
        let after = change.apply(&before);
        assert_eq!(
            Value::Object(after.attributes),
            json!({
                "userName": "b@home", "displayName": "Ben", "name": { "givenName": "Benjamin" },
                "emails": [{ "value": "b@home", "type": "work", "primary": true }],
                "phoneNumbers": [{ "value": "+39 1", "type": "work", "primary": true }],
            })
        );
        let nothing = ProfileChange::default();
        assert!(nothing.is_empty() && nothing.apply(&before) == before && nothing.check().is_empty());
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let long = Some(Some("x".repeat(201)));
        let change = ProfileChange { email: Some("x".to_owned()), title: long, ..ProfileChange::default() };
        let pointers: Vec<&str> = change.check().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["/email", "/title"]);
        for (text, fine) in
            [("a@b", true), ("@b", false), ("a@", false), ("a b@c", false), ("a@b@c", false), ("", false)]
        {
            assert_eq!(is_address(text), fine, "{text}");
        }
    }
}
