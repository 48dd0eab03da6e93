//! A change of the settings document as JSON Merge Patch (RFC 7396): judged member by member, so that everything that is wrong
//! is said at once. Members that a later version stored stay as they are.

use serde_json::{Map, Value};

use super::settings::is_repair;

/// What is wrong with a member of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongSetting {
    /// JSON Pointer within the change.
    pub pointer: String,
    /// What it must be, in a sentence.
    pub detail: String,
}

/// Members with a fixed set of texts.
const CHOICES: [(&str, &[&str]); 3] = [
    ("unknown_members", &["refuse", "ignore"]),
    ("duplicate_group_names", &["refuse", "allow"]),
    ("adoption", &["verified_domain", "review", "refuse"]),
];
/// Members of `guard` with their bounds.
const GUARD: [(&str, u64, u64); 2] = [("percent", 1, 100), ("minimum", 1, 1_000_000)];

/// The settings document after a change; `null` brings the default back.
///
/// # Errors
/// Everything that is wrong with the change.
pub fn change_settings(
    stored: &Map<String, Value>,
    change: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<WrongSetting>> {
    let mut wrong = Wrong(Vec::new());
    for (name, value) in change {
        wrong.judge(name, value);
    }
    if !wrong.0.is_empty() {
        return Err(wrong.0);
    }
    let mut settings = stored.clone();
    for (name, value) in change {
        match (value, settings.get_mut(name)) {
            (Value::Null, _) => drop(settings.remove(name)),
            (Value::Object(inner), Some(Value::Object(kept))) => merge(kept, inner),
            (Value::Object(inner), _) => {
                let mut kept = Map::new();
                merge(&mut kept, inner);
                settings.insert(name.clone(), kept.into());
            }
            (value, _) => drop(settings.insert(name.clone(), value.clone())),
        }
    }
    Ok(settings)
}

fn merge(kept: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change {
        match value {
            Value::Null => drop(kept.remove(name)),
            value => drop(kept.insert(name.clone(), value.clone())),
        }
    }
}

struct Wrong(Vec<WrongSetting>);

impl Wrong {
    fn push(&mut self, pointer: String, detail: impl Into<String>) {
        self.0.push(WrongSetting { pointer, detail: detail.into() });
    }

    fn judge(&mut self, name: &str, value: &Value) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        if let Some((_, choices)) = CHOICES.iter().find(|(known, _)| *known == name) {
            if !value.is_null() && !value.as_str().is_some_and(|text| choices.contains(&text)) {
                self.push(pointer, format!("This must be one of {}.", choices.join(", ")));
            }
            return;
        }
        match name {
            "may_grant_admin" | "roles_discovery" if value.is_boolean() || value.is_null() => {}
            "may_grant_admin" | "roles_discovery" => self.push(pointer, "This must be true or false."),
            "repairs" => self.judge_inner(&pointer, value, |name, value| {
                if !is_repair(name) {
                    return Some("There is no such repair.".to_owned());
                }
                value.filter(|value| !value.is_boolean()).map(|_| "This must be true or false.".to_owned())
            }),
            "guard" => self.judge_inner(&pointer, value, |name, value| {
                let Some((_, least, most)) = GUARD.iter().find(|(known, ..)| *known == name) else {
                    return Some("There is no such member here. Known are: percent, minimum.".to_owned());
                };
                let fits = |value: &Value| value.as_u64().is_some_and(|number| (*least..=*most).contains(&number));
                value
                    .filter(|value| !fits(value))
                    .map(|_| format!("This must be a whole number from {least} to {most}."))
            }),
            _ => self.push(pointer, "There is no such setting of a connection."),
        }
    }

    /// `judge` gets no value where the member is taken away.
    fn judge_inner(&mut self, pointer: &str, value: &Value, judge: impl Fn(&str, Option<&Value>) -> Option<String>) {
        let members = match value {
            Value::Null => return,
            Value::Object(members) => members,
            _ => return self.push(pointer.to_owned(), "This must be an object."),
        };
        for (name, value) in members {
            if let Some(detail) = judge(name, Some(value).filter(|value| !value.is_null())) {
                self.push(format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), detail);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(stored: Value, change: Value) -> Result<Value, Vec<String>> {
        change_settings(stored.as_object().unwrap(), change.as_object().unwrap())
            .map(Value::Object)
            .map_err(|wrong| wrong.into_iter().map(|wrong| wrong.pointer).collect())
    }

    #[test]
    fn members_are_merged_and_null_takes_them_away() {
        let stored = json!({ "adoption": "refuse", "later": [1], "guard": { "percent": 5, "minimum": 3 } });
        let asked = json!({ "adoption": null, "may_grant_admin": true, "guard": { "percent": null, "minimum": 4 },
                            "repairs": { "op_any_case": false } });
        let expected = json!({ "later": [1], "guard": { "minimum": 4 }, "may_grant_admin": true,
                               "repairs": { "op_any_case": false } });
        assert_eq!(change(stored, asked), Ok(expected));
        assert_eq!(
            change(json!({ "guard": 1 }), json!({ "guard": { "minimum": 1 } })),
            Ok(json!({ "guard": { "minimum": 1 } }))
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let asked = json!({ "adoption": "always", "unknown_members": ["ignore"], "may_grant_admin": "true", "x/y": 1,
            "repairs": { "op_any_case": 1, "no_such": true, "nor_this": null }, "guard": { "percent": 101, "minimum": 0, "z": 1 },
            "duplicate_group_names": true });
        let expected = [
            "/adoption",
            "/unknown_members",
            "/may_grant_admin",
            "/x~1y",
            "/repairs/op_any_case",
            "/repairs/no_such",
            "/repairs/nor_this",
            "/guard/percent",
            "/guard/minimum",
            "/guard/z",
            "/duplicate_group_names",
        ];
        assert_eq!(change(json!({}), asked), Err(expected.map(str::to_owned).to_vec()));
        assert_eq!(
            change(json!({}), json!({ "guard": [], "repairs": 1 })),
            Err(vec!["/guard".to_owned(), "/repairs".to_owned()])
        );
    }
}
