//! Reads a flow and plays it against the application.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::matcher::mismatch;
use crate::helpers::{Admin, Answer, Caller, TestApp, send};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    source: String,
    headers: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Step {
    name: String,
    method: String,
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    raw_query: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    expect: Expectation,
    #[serde(default)]
    capture: BTreeMap<String, String>,
    #[serde(default)]
    then: Vec<Read>,
}

/// A read of the state after a step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    expect: Expectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    status: Value,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    body: Option<Value>,
}

/// What is known while a flow is played.
struct Player<'a> {
    caller: Caller,
    flow: &'a Flow,
    /// Values by placeholder.
    known: BTreeMap<String, String>,
    /// Request id, method and status of what was asked with the token of the connection.
    asked: RefCell<Vec<(String, String, u16)>>,
}

/// Plays a flow in a new organization; panics at the first step that does not go as expected.
pub(super) async fn run(app: &TestApp, name: &str, text: &str) {
    let flow: Flow = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let tenant = app.tenant().await;
    let caller = tenant.caller.clone();
    let known = BTreeMap::from([("base".to_owned(), caller.base().to_owned())]);
    let mut player = Player { caller, flow: &flow, known, asked: RefCell::default() };
    for step in &flow.steps {
        let at = format!("{name}, step `{}`", step.name);
        player.step(step, &at).await;
    }
    player.check_log(&app.admin(&tenant, "read_only").await, name).await;
}

impl Player<'_> {
    async fn step(&mut self, step: &Step, at: &str) {
        let query = step.raw_query.clone().or_else(|| self.query(&step.query));
        let path = self.path(&step.path, query);
        let mut headers = self.flow.headers.clone();
        headers.extend(step.headers.clone());
        let body = step.body.as_ref().map(|body| self.filled_in(body));
        let answer = self.ask(&step.method, &path, &headers, body).await;
        let value = self.judge(&answer, &step.expect, at);
        for (name, place) in &step.capture {
            let found = place.split('.').fold(&value, |value, key| match key.parse::<usize>() {
                Ok(index) => &value[index],
                Err(_) => &value[key],
            });
            let found = found.as_str().unwrap_or_else(|| panic!("{at}: no text at {place}: {value}"));
            self.known.insert(name.clone(), found.to_owned());
        }
        for read in &step.then {
            let path = self.path(&read.path, self.query(&read.query));
            let answer = self.ask("GET", &path, &self.flow.headers, None).await;
            self.judge(&answer, &read.expect, &format!("{at}, then GET {path}"));
        }
    }

    async fn ask(&self, method: &str, path: &str, headers: &BTreeMap<String, String>, body: Option<Value>) -> Answer {
        let own_credentials = headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
        let mut request =
            if own_credentials { self.caller.anonymous(method, path) } else { self.caller.request(method, path) };
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = send(request).await;
        if !own_credentials {
            let id = answer.header("x-request-id").to_owned();
            self.asked.borrow_mut().push((id, method.to_owned(), answer.status));
        }
        answer
    }

    /// Every request has its entry in the provisioning log, in the same order.
    async fn check_log(&self, admin: &Admin, name: &str) {
        let (mut logged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/provisioning-log?sort=at&limit=200{cursor}")).await.expect(200);
            for entry in page["data"].as_array().expect("data") {
                let text = |field: &str| entry[field].as_str().expect("text").to_owned();
                assert!(text("explanation").ends_with('.'), "{name}: {entry}");
                assert_eq!(entry["status"].as_u64() >= Some(400), text("outcome") == "refused", "{name}: {entry}");
                logged.push((text("request_id"), text("method"), entry["status"].as_u64().expect("a status") as u16));
            }
            let Some(next) = page["page"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(logged, self.asked.borrow().clone(), "{name}");
    }

    /// Holds an answer against its expectation and the rules for all; gives its body.
    fn judge(&self, answer: &Answer, expected: &Expectation, at: &str) -> Value {
        let allowed = match &expected.status {
            Value::Array(statuses) => statuses.clone(),
            status => vec![status.clone()],
        };
        assert!(allowed.contains(&json!(answer.status)), "{at}: {} answered: {}", answer.status, answer.text);
        assert_eq!(answer.text.is_empty(), answer.status == 204, "{at}: {} with {:?}", answer.status, answer.text);
        for (name, expected) in &expected.headers {
            let found = answer.headers.get(name).map_or(Value::Null, |value| json!(value.to_str().expect("text")));
            if let Some(wrong) = mismatch(&self.filled_in(expected), &found) {
                panic!("{at}: header {name}: {wrong}");
            }
        }
        if answer.text.is_empty() {
            assert!(expected.body.is_none() || answer.status == 204, "{at}: no body");
            return Value::Null;
        }
        let other_type = expected.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        let content_type = answer.header("content-type");
        assert!(other_type || content_type.starts_with("application/scim+json"), "{at}: {content_type}");
        let body: Value =
            serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{at}: {error}: {}", answer.text));
        if answer.status >= 400 {
            let error = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": answer.status.to_string(),
                "detail": {"$any": true},
            });
            assert_eq!(mismatch(&error, &body), None, "{at}: {body}");
        }
        if let Some(expected) = &expected.body
            && let Some(wrong) = mismatch(&self.filled_in(expected), &body)
        {
            panic!("{at}: {wrong}\n{body}");
        }
        body
    }

    fn path(&self, path: &str, query: Option<String>) -> String {
        let path = self.text(path);
        query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"))
    }

    fn query(&self, parameters: &BTreeMap<String, String>) -> Option<String> {
        let parts: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", encode(&self.text(value)))).collect();
        (!parts.is_empty()).then(|| parts.join("&"))
    }

    fn filled_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.text(text)),
            Value::Array(elements) => elements.iter().map(|element| self.filled_in(element)).collect(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), self.filled_in(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

fn encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
