//! `/connections`: settings, states and what each does to SCIM traffic, tokens, and giving one up.

mod adoption;
mod brake;
mod decommission;
mod held;
mod review;
mod settings;
mod states;
mod tokens;

use std::time::Duration;

use serde_json::{Value, json};

use crate::helpers::*;

/// A connection made by an Admin, with a caller of its SCIM surface.
struct Made {
    id: String,
    path: String,
    caller: Caller,
}

/// Makes a connection that is in the state `setup`.
async fn make(app: &TestApp, admin: &Admin, name: &str) -> Made {
    let body = json!({ "provider": "okta", "name": name });
    let id = id(&admin.post("/connections", &body).await.expect(201));
    let path = format!("/connections/{id}");
    let token = admin.post(&format!("{path}/scim-tokens"), &json!({ "name": "first" })).await.expect(201);
    Made { caller: app.caller_with(token["secret"].as_str().expect("a secret")), id, path }
}

/// Takes a step that has no body.
async fn step(admin: &Admin, path: &str, step: &str) -> Answer {
    send(admin.request("POST", &format!("{path}/{step}"))).await
}

/// Makes a connection and activates it.
async fn active(app: &TestApp, admin: &Admin, name: &str) -> Made {
    let made = make(app, admin, name).await;
    step(admin, &made.path, "activate").await.expect(200);
    made
}

/// Waits until the last job of a connection is over; answers it.
async fn finished(app: &TestApp, admin: &Admin, path: &str) -> Value {
    // What the job waits for is a time on the application's clock.
    app.advance(3_000_000);
    for _ in 0..1_000 {
        let job = admin.get(path).await.expect(200)["job"].clone();
        if job["state"] == "done" {
            return job;
        }
        // The rate limit of a key allows ten requests a second in the long run.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job of {path} does not end");
}
