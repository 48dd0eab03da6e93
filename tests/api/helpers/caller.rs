//! A SCIM client with one token, and what it gets.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Speaks to the SCIM surface.
#[derive(Clone)]
pub(crate) struct Caller {
    client: reqwest::Client,
    base: String,
    token: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Caller {
    pub(super) fn new(url: &str, token: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Caller { client, base: format!("{url}/scim/v2"), token: token.to_owned() }
    }

    /// `{public_url}/scim/v2`
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A request with the token, to a path under the base.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    /// A request without credentials.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    /// GET of a collection with query parameters, encoded.
    pub(crate) async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        self.get(&format!("{path}?{}", query.join("&"))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.with_body("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.with_body("PUT", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with_body("PATCH", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request("DELETE", path)).await
    }

    pub(crate) async fn with_body(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with_text(method, path, body.to_string()).await
    }

    /// Any text as `application/scim+json`.
    pub(crate) async fn with_text(&self, method: &str, path: &str, body: impl Into<String>) -> Answer {
        send(self.request(method, path).header("Content-Type", "application/scim+json").body(body.into())).await
    }

    /// Creates a resource and answers what came back.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Value {
        self.post(path, body).await.expect(201)
    }

    /// Creates a user and answers its id.
    pub(crate) async fn user(&self, user_name: &str) -> String {
        id(&self.create("/Users", &super::user(user_name)).await)
    }

    /// Creates a group and answers its id.
    pub(crate) async fn group(&self, display_name: &str, members: &[&str]) -> String {
        id(&self.create("/Groups", &super::group(display_name, members)).await)
    }

    /// Ids of the members of a group, sorted.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{group}")).await.expect(200);
        let members = group["members"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<_> = members.iter().map(|m| m["value"].as_str().expect("a value").to_owned()).collect();
        ids.sort();
        ids
    }

    /// Resources of a list that a filter selects.
    pub(crate) async fn find(&self, path: &str, filter: &str) -> Vec<Value> {
        let list = self.query(path, &[("filter", filter)]).await.expect(200);
        list["Resources"].as_array().cloned().expect("Resources")
    }
}

/// The `id` of a resource.
pub(crate) fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

fn encode(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Sends a request and reads its answer. An internal error never is what a test wants.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = Answer { status, headers, text: response.text().await.expect("a whole body") };
    assert_ne!(answer.status, 500, "{}", answer.text);
    answer
}

impl Answer {
    /// The body as JSON; the status comes first.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).expect("JSON") }
    }

    /// A SCIM error body with everything that RFC 7644 §3.12 asks for. Answers its detail.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16, scim_type: Option<&str>) -> String {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/scim+json");
        assert_eq!(body["schemas"], serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body["scimType"].as_str(), scim_type, "{body}");
        body["detail"].as_str().expect("a detail").to_owned()
    }

    /// A header, or the empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}
