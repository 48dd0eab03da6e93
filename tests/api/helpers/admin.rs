//! A client of the admin API with one API key.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::caller::{Answer, send};

/// Speaks to the admin API.
#[derive(Clone)]
pub(crate) struct Admin {
    client: reqwest::Client,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    pub(crate) key: String,
}

impl Admin {
    pub(super) fn new(url: &str, key: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Admin { client, url: url.to_owned(), key: key.to_owned() }
    }

    /// A request with the key, to a path under `/api/v1`.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, &format!("/api/v1{path}")).bearer_auth(&self.key)
    }

    /// A request without credentials, to a path of the server.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request("DELETE", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.with_text("POST", path, body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.with_text("PUT", path, body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with_text("PATCH", path, body.to_string()).await
    }

    /// Any text as `application/json`.
    pub(crate) async fn with_text(&self, method: &str, path: &str, body: impl Into<String>) -> Answer {
        send(self.request(method, path).header("Content-Type", "application/json").body(body.into())).await
    }
}

impl Answer {
    /// A problem with all that RFC 9457 and the code table ask for. Answers its body.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["instance"], format!("urn:request:{}", self.header("x-request-id")));
        let kind = body["type"].as_str().expect("a type");
        assert!(kind.starts_with("http://") && kind.ends_with(&format!("/problems/{code}")), "{kind}");
        for member in ["title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        }
        body
    }
}
