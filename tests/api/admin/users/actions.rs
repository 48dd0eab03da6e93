//! `allowed_actions` says what the routes then do: over many states and callers, every action that is listed succeeds and
//! every other one is refused.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{grant, local, pushed};
use crate::helpers::*;
use rollcall::domain::ids::ResourceId;

/// A person in a state, and who looks at them.
#[derive(Debug, Clone)]
struct State {
    is_external: bool,
    is_deactivated: bool,
    is_held: bool,
    is_invited: bool,
    roles: &'static str,
    other_admin: bool,
    directory_only: bool,
    tenant_release: bool,
    caller: &'static str,
}

fn states() -> impl Strategy<Value = State> {
    let person = (any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    let roles = prop::sample::select(vec!["", "read_only", "billing,data_admin", "admin"]);
    let caller = prop::sample::select(vec!["admin", "admin", "team_management", "read_only", "data_admin"]);
    (person, roles, any::<bool>(), any::<bool>(), any::<bool>(), caller).prop_map(
        |(
            (is_external, is_deactivated, is_held, is_invited),
            roles,
            other_admin,
            directory_only,
            tenant_release,
            caller,
        )| State {
            is_external,
            is_deactivated,
            is_held,
            is_invited: is_invited && !is_external,
            roles,
            other_admin,
            directory_only,
            tenant_release,
            caller,
        },
    )
}

const ACTIONS: [(&str, &str, &str); 6] = [
    ("update", "PATCH", ""),
    ("update_roles", "PUT", "/roles"),
    ("suspend", "POST", "/suspend"),
    ("unsuspend", "POST", "/unsuspend"),
    ("release", "POST", "/release"),
    ("delete", "DELETE", ""),
];

async fn make(app: &TestApp, tenant: &Tenant, state: &State, number: usize) -> String {
    let name = format!("p{number}");
    let id = if state.is_external {
        let id = pushed(tenant, &name, json!({})).await;
        grant(app, tenant, ResourceId::parse(&id).unwrap(), state.roles).await;
        if state.is_deactivated {
            let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
            tenant.caller.patch(&format!("/Users/{id}"), &off).await.expect(200);
        }
        id
    } else {
        local(app, tenant, &name, state.roles).await
    };
    let hold = r#"{"by":"admin","at":1,"reason":null,"actor":"system"}"#;
    let set = |column: &str, value: &str| {
        format!("UPDATE users SET {column} = {value} WHERE deleted IS NULL AND user_name LIKE '{name}@%'")
    };
    if state.is_held {
        app.execute(&set("suspension", &format!("'{hold}'"))).await;
    }
    if state.is_invited {
        app.execute(&set("invited", "TRUE")).await;
    }
    id
}

on_both! {
    async fn allowed_actions_are_what_the_routes_do(app: &TestApp) {
        let mut runner = TestRunner::deterministic();
        let mut number = 0;
        for _ in 0..12 {
            let state = states().new_tree(&mut runner).expect("a state").current();
            let tenant = app.tenant().await;
            let settings = if state.directory_only { r#"{"roles_for_managed_users":"directory_only"}"# } else { "{}" };
            let features = if state.tenant_release { r#"{"tenant_release":true}"# } else { "{}" };
            app.execute(&format!("UPDATE organizations SET settings = '{settings}', features = '{features}'")).await;
            if state.other_admin {
                local(app, &tenant, "boss", "admin").await;
            }
            let (reader, caller) = (app.admin(&tenant, "admin").await, app.admin(&tenant, state.caller).await);
            for (action, method, rest) in ACTIONS {
                number += 1;
                // Each action meets the person in the state itself.
                let id = make(app, &tenant, &state, number).await;
                let path = format!("/users/{id}");
                let listed = caller.get("/users?limit=200").await.expect(200);
                let shown = caller.get(&path).await.expect(200);
                let row = listed["data"].as_array().unwrap().iter().find(|row| row["id"] == id).expect("listed");
                assert_eq!(row["allowed_actions"], shown["allowed_actions"]);
                let is_allowed = shown["allowed_actions"].as_array().unwrap().iter().any(|allowed| allowed == action);
                let body = match action {
                    "update" => json!({ "notes": format!("n{number}") }),
                    "update_roles" => with_one_more(&shown),
                    _ => json!({}),
                };
                let answer = caller.with_text(method, &format!("{path}{rest}"), body.to_string()).await;
                let refused = [403, 404, 409].contains(&answer.status);
                assert_eq!(!refused, is_allowed, "{action} {state:?}: {} {}", answer.status, answer.text);
                assert!(refused || [200, 204].contains(&answer.status), "{action} {state:?}: {}", answer.text);
                // What was refused changed nothing.
                if refused {
                    let after = reader.get(&path).await.expect(200);
                    assert_eq!((&after["status"], &after["roles"]), (&shown["status"], &shown["roles"]));
                }
                // The next person is to be as alone among the Admins as this one was.
                app.execute(&format!(
                    "UPDATE users SET suspension = '{{}}' WHERE deleted IS NULL AND user_name LIKE 'p{number}@%'"
                )).await;
            }
        }
    }
}

/// The direct roles of a person and one more, which anybody may give.
fn with_one_more(shown: &Value) -> Value {
    let roles = shown["roles"].as_array().unwrap().iter();
    let mut keys: Vec<Value> =
        roles.filter(|role| role["source"] == "direct").map(|role| role["key"].clone()).collect();
    keys.push(json!("team_management"));
    json!({ "roles": keys })
}
