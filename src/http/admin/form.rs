//! Reads the members of a JSON object strictly: types are checked, unknown members refused, and everything that is wrong is
//! said at once. A member that is absent, null or given are three cases, as JSON Merge Patch (RFC 7396) has them: for the
//! flat objects here, a patch is read member by member.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::protocol::compare;
use crate::service::admin::Invalid;

/// An object that is being read.
pub(crate) struct Form<'a> {
    members: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<Invalid>,
}

/// What a member must be: its value, or what is wrong with it, by pointers relative to it.
pub(crate) type Read<T> = Result<T, Vec<Invalid>>;

impl<'a> Form<'a> {
    /// Begins to read a body.
    ///
    /// # Errors
    /// 422 for what is no object.
    pub(crate) fn of(body: &'a Value) -> Result<Self, Problem> {
        let members = body.as_object();
        let members =
            members.ok_or_else(|| Problem::validation(vec![Invalid::new("", "The body must be an object.")]))?;
        Ok(Form { members, known: Vec::new(), errors: Vec::new() })
    }

    /// A member that must be there. Where it is wrong, `done` refuses, so that the value given back then is of no account.
    pub(crate) fn required<T: Default>(&mut self, name: &'static str, read: impl Fn(&Value) -> Read<T>) -> T {
        match self.member(name) {
            None | Some(Value::Null) => {
                self.errors.push(Invalid::new(format!("/{name}"), format!("{name} is required.")));
                T::default()
            }
            Some(value) => self.value(name, value, read).unwrap_or_default(),
        }
    }

    /// A member that may be absent or null, which is the same.
    pub(crate) fn optional<T>(&mut self, name: &'static str, read: impl Fn(&Value) -> Read<T>) -> Option<T> {
        match self.member(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.value(name, value, read),
        }
    }

    /// A member of a patch that cannot be taken away.
    pub(crate) fn change<T: Default>(&mut self, name: &'static str, read: impl Fn(&Value) -> Read<T>) -> Option<T> {
        self.member(name)?;
        Some(self.required(name, read))
    }

    /// A member of a patch; null takes it away.
    pub(crate) fn clearable<T>(&mut self, name: &'static str, read: impl Fn(&Value) -> Read<T>) -> Option<Option<T>> {
        match self.member(name)? {
            Value::Null => Some(None),
            value => self.value(name, value, read).map(Some),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 422 with everything that was wrong, members that were not asked for included.
    pub(crate) fn done(mut self) -> Result<(), Problem> {
        for name in self.members.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let detail = if self.known.is_empty() {
                "This request takes no members.".to_owned()
            } else {
                format!("There is no such member here. Known are: {}.", self.known.join(", "))
            };
            self.errors.push(Invalid::new(format!("/{}", name.replace('~', "~0").replace('/', "~1")), detail));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::validation(self.errors)) }
    }

    fn member(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.members.get(name)
    }

    fn value<T>(&mut self, name: &str, value: &Value, read: impl Fn(&Value) -> Read<T>) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(errors) => {
                let errors = errors.into_iter();
                self.errors.extend(errors.map(|e| Invalid::new(format!("/{name}{}", e.pointer), e.detail)));
                None
            }
        }
    }
}

fn wrong<T>(detail: &str) -> Read<T> {
    Err(vec![Invalid::new("", detail)])
}

/// A text.
pub(crate) fn text(value: &Value) -> Read<String> {
    value.as_str().map_or_else(|| wrong("This must be a text."), |text| Ok(text.to_owned()))
}

/// A list of texts.
pub(crate) fn texts(value: &Value) -> Read<Vec<String>> {
    let Some(items) = value.as_array() else { return wrong("This must be a list of texts.") };
    let (mut texts, mut errors) = (Vec::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(text) => texts.push(text.to_owned()),
            None => errors.push(Invalid::new(format!("/{at}"), "This must be a text.")),
        }
    }
    if errors.is_empty() { Ok(texts) } else { Err(errors) }
}

/// A whole number from 0 on.
pub(crate) fn number(value: &Value) -> Read<u32> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map_or_else(|| wrong("This must be a whole number from 0 on."), Ok)
}

/// true or false.
pub(crate) fn flag(value: &Value) -> Read<bool> {
    value.as_bool().map_or_else(|| wrong("This must be true or false."), Ok)
}

/// A time (RFC 3339), µs since 1970.
pub(crate) fn time(value: &Value) -> Read<i64> {
    let time = value.as_str().and_then(compare::instant);
    time.map_or_else(|| wrong("This must be a time such as 2027-01-31T12:00:00Z."), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Members = (String, Option<u32>, Option<Option<Vec<String>>>);

    fn read(body: &Value) -> Result<Members, Vec<String>> {
        let pointers = |problem: Problem| problem.pointers();
        let mut form = Form::of(body).map_err(pointers)?;
        let name = form.required("name", text);
        let hours = form.optional("hours", number);
        let list = form.clearable("list", texts);
        form.done().map_err(pointers)?;
        Ok((name, hours, list))
    }

    #[test]
    fn absent_null_and_given_are_three_cases() {
        assert_eq!(read(&json!({ "name": "a" })), Ok(("a".to_owned(), None, None)));
        assert_eq!(read(&json!({ "name": "a", "hours": null, "list": null })), Ok(("a".to_owned(), None, Some(None))));
        let all = json!({ "name": "", "hours": 7, "list": ["x"] });
        assert_eq!(read(&all), Ok((String::new(), Some(7), Some(Some(vec!["x".to_owned()])))));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let body = json!({ "hours": -1, "list": ["x", 1, null], "a/b~": 1 });
        assert_eq!(read(&body), Err(["/name", "/hours", "/list/1", "/list/2", "/a~1b~0"].map(str::to_owned).to_vec()));
        for (body, pointer) in [
            (json!([]), ""),
            (json!("x"), ""),
            (json!({ "name": ["a"] }), "/name"),
            (json!({ "name": null }), "/name"),
            (json!({ "name": "a", "hours": 1.5 }), "/hours"),
            (json!({ "name": "a", "list": "x" }), "/list"),
        ] {
            assert_eq!(read(&body), Err(vec![pointer.to_owned()]), "{body}");
        }
    }
}
