//! Lines of an export: one JSON object each, of one of the types `user`, `group`, `member`, `role`.

use serde_json::{Map, Value, json};

use crate::domain::permission::Role;

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A person.
    User(Person),
    /// A group without its members.
    Group {
        /// What other lines name it by.
        id: Option<String>,
        /// SCIM JSON.
        data: Map<String, Value>,
    },
    /// A membership.
    Member {
        /// `id` of the group's line.
        group: String,
        /// `id` of the member's line.
        member: String,
    },
    /// A role of a person, or of a group for its members.
    Role {
        /// Whose.
        owner: Owner,
        /// Which.
        role: Role,
    },
}

/// A person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    /// What other lines name them by.
    pub id: Option<String>,
    /// SCIM JSON.
    pub data: Map<String, Value>,
    /// Whether they have not joined yet.
    pub invited: bool,
    /// The local hold.
    pub suspension: Option<Value>,
    /// Direct roles; only of a CSV file, a JSON Lines file has lines for them.
    pub roles: Vec<Role>,
}

/// Who has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// `id` of a person's line.
    User(String),
    /// `id` of a group's line.
    Group(String),
}

impl Record {
    /// Reads a line. A member that no line of its type has is refused, so that nothing is lost in silence.
    ///
    /// # Errors
    /// A sentence on what is wrong.
    pub fn parse(line: Value) -> Result<Self, String> {
        let Value::Object(line) = line else { return Err("a line must be a JSON object".to_owned()) };
        let mut line = Members(line);
        let kind = line.required("type")?;
        let record = match kind.as_str() {
            "user" => Record::User(Person {
                id: line.optional("id")?,
                data: line.object("data")?,
                invited: line.flag("invited")?,
                suspension: line.0.shift_remove("suspension").filter(|hold| !hold.is_null()),
                roles: Vec::new(),
            }),
            "group" => Record::Group { id: line.optional("id")?, data: line.object("data")? },
            "member" => Record::Member { group: line.required("group")?, member: line.required("member")? },
            "role" => {
                let owner = match (line.optional("user")?, line.optional("group")?) {
                    (Some(user), None) => Owner::User(user),
                    (None, Some(group)) => Owner::Group(group),
                    _ => return Err("a role needs either `user` or `group`".to_owned()),
                };
                Record::Role { owner, role: parse_role(&line.required("role")?)? }
            }
            other => return Err(format!("`{other:.40}` is no type of a line: user, group, member or role")),
        };
        match line.0.keys().next() {
            Some(name) => Err(format!("a line of type {kind} has no member `{name:.40}`")),
            None => Ok(record),
        }
    }

    /// The line, without its break.
    pub fn print(&self) -> String {
        let mut line = match self {
            Record::User(person) => json!({
                "type": "user", "id": person.id, "data": person.data, "invited": person.invited.then_some(true),
                "suspension": person.suspension,
            }),
            Record::Group { id, data } => json!({ "type": "group", "id": id, "data": data }),
            Record::Member { group, member } => json!({ "type": "member", "group": group, "member": member }),
            Record::Role { owner: Owner::User(user), role } => {
                json!({ "type": "role", "user": user, "role": role.key() })
            }
            Record::Role { owner: Owner::Group(group), role } => {
                json!({ "type": "role", "group": group, "role": role.key() })
            }
        };
        if let Some(members) = line.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        line.to_string()
    }
}

/// A role by its key.
pub(super) fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| format!("there is no role `{text:.40}`"))
}

/// The members of a line that nobody took yet.
struct Members(Map<String, Value>);

impl Members {
    fn optional(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.shift_remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` must be a text")),
        }
    }

    fn required(&mut self, name: &str) -> Result<String, String> {
        self.optional(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.0.shift_remove(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(format!("`{name}` must be true or false")),
        }
    }

    fn object(&mut self, name: &str) -> Result<Map<String, Value>, String> {
        match self.0.shift_remove(name) {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(format!("`{name}` must be an object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads_back() {
        for line in [
            r#"{"type":"user","id":"a","data":{"userName":"anna"},"invited":true,"suspension":{"by":"admin"}}"#,
            r#"{"type":"user","data":{"userName":"anna"}}"#,
            r#"{"type":"group","id":"g","data":{"displayName":"Sales"}}"#,
            r#"{"type":"member","group":"g","member":"a"}"#,
            r#"{"type":"role","user":"a","role":"read_only"}"#,
            r#"{"type":"role","group":"g","role":"admin"}"#,
        ] {
            let record = Record::parse(serde_json::from_str(line).unwrap()).unwrap();
            assert_eq!(record.print(), line);
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (line, reason) in [
            ("[]", "an object"),
            ("{}", "`type` is missing"),
            (r#"{"type":"person"}"#, "no type of a line"),
            (r#"{"type":"user"}"#, "`data` must be an object"),
            (r#"{"type":"user","id":7,"data":{}}"#, "`id` must be a text"),
            (r#"{"type":"user","data":{},"password":"x"}"#, "no member `password`"),
            (r#"{"type":"member","group":"g"}"#, "`member` is missing"),
            (r#"{"type":"role","role":"admin"}"#, "either `user` or `group`"),
            (r#"{"type":"role","user":"a","role":"owner"}"#, "no role `owner`"),
        ] {
            let error = Record::parse(serde_json::from_str(line).unwrap()).unwrap_err();
            assert!(error.contains(reason) || error.contains("JSON object"), "{line}: {error}");
        }
    }
}
