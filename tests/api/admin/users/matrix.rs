//! The ownership matrix against the routes: each operation on each kind of person, on each way that offers it, comes to what
//! `domain::ownership` says.

use rollcall::domain::ownership::{Kind, Operation, Rule, Way, rule};
use serde_json::{Value, json};

use super::kinds::Stage;
use crate::helpers::*;

/// What a deed came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// 403 `managed-externally`
    Managed,
    /// There is no such thing.
    Refused,
}

/// A request: method, path, body.
type Deed = (&'static str, String, Value);

/// The deed of an operation on a way; `None` where the way offers none.
fn deed(operation: Operation, way: Way, id: &str, groups: &Groups, organization: &str) -> Option<Deed> {
    let user = format!("/users/{id}");
    let scim = format!("/Users/{id}");
    let reason = json!({ "reason": "asked for in ticket 4711" });
    let bulk = |action: &str, more: Value| {
        let mut body = json!({ "action": action, "ids": [id] });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        Some(("POST", "/users/bulk".to_owned(), body))
    };
    let set = |path: &str, value: Value| patch(json!([{ "op": "replace", "path": path, "value": value }]));
    let join = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]));
    match (way, operation) {
        (Way::Api, Operation::Delete) => Some(("DELETE", user, json!({}))),
        (Way::Api, Operation::EditIdentity) => Some(("PATCH", user, json!({ "title": "Engineer" }))),
        (Way::Api, Operation::EditPreferences) => Some(("PATCH", user, json!({ "notes": "on leave" }))),
        (Way::Api, Operation::EditRoles) => Some(("PUT", format!("{user}/roles"), json!({ "roles": ["billing"] }))),
        (Way::Api, Operation::EditLocalGroups) => {
            Some(("PUT", format!("/groups/{}/members/{id}", groups.local), json!({})))
        }
        (Way::Api, Operation::EditDirectoryGroups) => {
            Some(("PUT", format!("/groups/{}/members/{id}", groups.directory), json!({})))
        }
        (Way::Api, Operation::Hold) => Some(("POST", format!("{user}/suspend"), json!({}))),
        (Way::Api, Operation::LiftDirectorySuspension) => Some(("POST", format!("{user}/unsuspend"), json!({}))),
        (Way::Api, Operation::Release) => Some(("POST", format!("{user}/release"), json!({}))),
        (Way::Bulk, Operation::Delete) => bulk("delete", json!({})),
        (Way::Bulk, Operation::EditRoles) => bulk("add_roles", json!({ "roles": ["billing"] })),
        (Way::Bulk, Operation::EditLocalGroups) => bulk("add_to_group", json!({ "group": groups.local })),
        (Way::Bulk, Operation::EditDirectoryGroups) => bulk("add_to_group", json!({ "group": groups.directory })),
        (Way::Bulk, Operation::Hold) => bulk("suspend", json!({})),
        (Way::Bulk, Operation::LiftDirectorySuspension) => bulk("unsuspend", json!({})),
        (Way::Scim, Operation::Delete) => Some(("DELETE", scim, Value::Null)),
        (Way::Scim, Operation::EditIdentity) => Some(("PATCH", scim, set("title", json!("Engineer")))),
        (Way::Scim, Operation::LiftDirectorySuspension) => Some(("PATCH", scim, set("active", json!(true)))),
        (Way::Scim, Operation::EditLocalGroups) => Some(("PATCH", format!("/Groups/{}", groups.local), join)),
        (Way::Scim, Operation::EditDirectoryGroups) => Some(("PATCH", format!("/Groups/{}", groups.directory), join)),
        (Way::Operator, Operation::Delete) => Some(("DELETE", format!("{organization}/users/{id}"), reason)),
        (Way::Operator, Operation::Release) => Some(("POST", format!("{organization}/users/{id}/release"), reason)),
        _ => None,
    }
}

/// Whether a way may be without a deed that the matrix allows: credentials and sessions come with the sign-in, and what is done
/// to many at once is neither a change of profiles nor a release.
fn is_left_out(operation: Operation, way: Way) -> bool {
    let of_sign_in = matches!(operation, Operation::ResetCredentials | Operation::EndSessions);
    let of_one = matches!(operation, Operation::EditIdentity | Operation::EditPreferences | Operation::Release);
    of_sign_in || (way == Way::Bulk && of_one)
}

/// What it must come to. `switched`: `directory_only` and `tenant_release` are both on.
fn expected(operation: Operation, way: Way, kind: Kind, switched: bool) -> Outcome {
    // Without the feature there is no such route, whoever the person is.
    if operation == Operation::Release && way == Way::Api && !switched {
        return Outcome::Refused;
    }
    // A group of a directory is managed itself, whoever is to be put there.
    if operation == Operation::EditDirectoryGroups && matches!(way, Way::Api | Way::Bulk) {
        return Outcome::Managed;
    }
    match rule(operation, way, kind) {
        Rule::Yes => Outcome::Done,
        Rule::Managed => Outcome::Managed,
        Rule::UnlessDirectoryOnly if switched => Outcome::Managed,
        Rule::UnlessDirectoryOnly => Outcome::Done,
        Rule::TenantRelease if switched => Outcome::Done,
        Rule::TenantRelease | Rule::None => Outcome::Refused,
    }
}

struct Groups {
    local: String,
    directory: String,
}

/// Of a bulk deed the outcome of its one person.
fn outcome(way: Way, answer: &Answer) -> Outcome {
    let mut problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let mut is_done = (200..300).contains(&answer.status);
    if way == Way::Bulk && is_done {
        let result = problem["results"][0].clone();
        is_done = result["outcome"] == "done";
        problem = result["problem"].clone();
    }
    match is_done {
        true => Outcome::Done,
        false if problem["code"] == "managed-externally" => Outcome::Managed,
        false => {
            assert!([400, 404, 409].contains(&answer.status) || way == Way::Bulk, "{}", answer.text);
            Outcome::Refused
        }
    }
}

async fn play(app: &TestApp, switched: bool) {
    let stage = Stage::new(app).await;
    let (tenant, admin) = (&stage.tenant, app.admin(&stage.tenant, "admin").await);
    let (settings, features) = match switched {
        true => (r#"{"roles_for_managed_users":"directory_only"}"#, r#"{"tenant_release":true}"#),
        false => ("{}", "{}"),
    };
    app.execute(&format!("UPDATE organizations SET settings = '{settings}', features = '{features}'")).await;
    let made = admin.post("/groups", &json!({ "name": "Here" })).await.expect(201);
    let groups = Groups {
        local: made["id"].as_str().expect("an id").to_owned(),
        directory: id(&tenant.caller.post("/Groups", &group("There", &[])).await.expect(201)),
    };
    // Each deed meets a person of its own. All are there before the connection stops to adopt: over SCIM, what is asked about
    // is people whom it cannot get.
    let mut deeds = Vec::new();
    for way in Way::ALL {
        for operation in Operation::ALL {
            for kind in Kind::ALL {
                let name = format!("p{}", deeds.len());
                if deed(operation, way, "", &groups, "").is_none() {
                    let is_none = rule(operation, way, kind) == Rule::None;
                    assert!(is_none || is_left_out(operation, way), "{operation:?} {way:?} {kind:?} has no route");
                    continue;
                }
                deeds.push((operation, way, kind, stage.person(app, &name, kind, "").await));
            }
        }
    }
    app.settings(tenant, r#"{"adoption":"refuse","guard":{"percent":100,"minimum":1000000}}"#).await;
    let directory = app.fresh(tenant).await;
    for (operation, way, kind, id) in &deeds {
        let (method, path, body) = deed(*operation, *way, id, &groups, &stage.organization).expect("a deed");
        let before = admin.get(&format!("/users/{id}")).await;
        let answer = match way {
            Way::Scim if body.is_null() => directory.delete(&path).await,
            Way::Scim => directory.with_body(method, &path, &body).await,
            Way::Operator => stage.operator.with_text(method, &path, body.to_string()).await,
            // These take no body.
            _ if matches!(operation, Operation::EditLocalGroups | Operation::EditDirectoryGroups)
                && *way == Way::Api =>
            {
                send(admin.request(method, &path)).await
            }
            _ => admin.with_text(method, &path, body.to_string()).await,
        };
        let what = format!("{operation:?} {way:?} {kind:?}, switched {switched}: {} {}", answer.status, answer.text);
        let came = outcome(*way, &answer);
        assert_eq!(came, expected(*operation, *way, *kind, switched), "{what}");
        let after = admin.get(&format!("/users/{id}")).await;
        if came == Outcome::Done {
            assert_eq!(after.status == 404, *operation == Operation::Delete, "{what}");
        } else {
            assert_eq!((after.status, &after.text), (before.status, &before.text), "{what}");
        }
    }
}

on_both! {
    async fn every_operation_comes_to_what_the_matrix_says(app: &TestApp) with |settings| settings.rate_limit = false, {
        play(app, false).await;
        play(app, true).await;
    }
}
