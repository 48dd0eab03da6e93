//! The OpenAPI document and the page that draws it.

use std::collections::BTreeSet;

use rollcall::http::admin;
use serde_json::Value;

use crate::helpers::*;

const CHECKED_IN: &str = include_str!("../../../docs/openapi.json");

#[test]
fn the_document_that_is_checked_in_is_the_generated_one() {
    let generated = admin::openapi_document();
    assert!(generated == CHECKED_IN, "docs/openapi.json is old: write `rollcall openapi` to it");
}

#[test]
fn the_document_holds_every_route_and_no_other() {
    let document: Value = serde_json::from_str(CHECKED_IN).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let permission = operation["x-permission"].as_str().expect("a permission").to_owned();
            documented.insert((method.to_uppercase(), path.clone(), permission));
            let answers = &operation["responses"];
            // A default would describe every status, and hide the ones that are forgotten.
            assert!(answers["401"].is_object() && answers["default"].is_null(), "{path}");
            assert!(operation["operationId"].is_string(), "{path}");
        }
    }
    let mounted: BTreeSet<_> = admin::routes()
        .into_iter()
        .map(|(method, path, permission)| {
            (method.to_string(), format!("{}{path}", admin::BASE), permission.key().to_owned())
        })
        .collect();
    assert_eq!(documented, mounted);
}

/// Every `$ref` names something that is there.
#[test]
fn the_document_is_closed() {
    let document: Value = serde_json::from_str(CHECKED_IN).expect("JSON");
    for reference in CHECKED_IN.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

on_both! {
    async fn the_document_and_its_page_are_served_to_everybody(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let document = send(admin.anonymous("GET", "/api/v1/openapi.json")).await;
        assert_eq!(document.header("content-type"), "application/json");
        assert_eq!(document.text, CHECKED_IN);
        for (path, content_type) in
            [("/api/docs", "text/html"), ("/api/docs.js", "text/javascript"), ("/api/docs.css", "text/css")]
        {
            let file = send(admin.anonymous("GET", path)).await;
            assert_eq!(file.status, 200);
            assert!(file.header("content-type").starts_with(content_type));
            let policy = file.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
            // No request leaves the origin, and nothing in the page needs an exception from the policy.
            for forbidden in ["http://", "https://", "//cdn", " style=", "onclick", "innerHTML", "eval("] {
                assert!(!file.text.contains(forbidden), "{path}: {forbidden}");
            }
        }
    }
}
