//! `allowed_actions` says what the routes then do: over many states and callers, every action that is listed succeeds and
//! every other one is refused.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rollcall::domain::ownership::Kind;
use serde_json::{Value, json};

use super::kinds::Stage;
use super::local;
use crate::helpers::*;

/// Random states that are played, beside one for each kind of person and an Admin who looks.
const RANDOM: usize = 7;

/// A person in a state, and who looks at them.
#[derive(Debug, Clone)]
struct State {
    kind: Kind,
    is_held: bool,
    is_invited: bool,
    roles: &'static str,
    other_admin: bool,
    directory_only: bool,
    tenant_release: bool,
    caller: &'static str,
}

fn states() -> impl Strategy<Value = State> {
    let person = (prop::sample::select(Kind::ALL.to_vec()), any::<bool>(), prop::bool::weighted(0.4));
    let roles = prop::sample::select(vec!["", "read_only", "billing,data_admin", "admin"]);
    let callers = ["admin", "admin", "team_management", "read_only", "data_admin", "sub_accounts", "billing"];
    let caller = prop::sample::select([&callers[..], &["data_admin,team_management"]].concat());
    (person, roles, any::<[bool; 3]>(), caller).prop_map(
        |((kind, is_held, is_invited), roles, [other_admin, directory_only, tenant_release], caller)| State {
            kind,
            is_held,
            is_invited: is_invited && kind == Kind::Local,
            roles,
            other_admin,
            directory_only,
            tenant_release,
            caller,
        },
    )
}

/// Name, method, rest of the path, and what it is called where it is done to many.
const ACTIONS: [(&str, &str, &str, Option<&str>); 6] = [
    ("update", "PATCH", "", None),
    ("update_roles", "PUT", "/roles", Some("add_roles")),
    ("suspend", "POST", "/suspend", Some("suspend")),
    ("unsuspend", "POST", "/unsuspend", Some("unsuspend")),
    ("release", "POST", "/release", None),
    ("delete", "DELETE", "", Some("delete")),
];

async fn make(app: &TestApp, stage: &Stage, state: &State, number: usize) -> String {
    let name = format!("p{number}");
    let id = stage.person(app, &name, state.kind, state.roles).await;
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

/// Plays every action on a person in a state.
async fn play(app: &TestApp, state: &State) {
    let stage = Stage::new(app).await;
    let settings = if state.directory_only { r#"{"roles_for_managed_users":"directory_only"}"# } else { "{}" };
    let features = if state.tenant_release { r#"{"tenant_release":true}"# } else { "{}" };
    app.execute(&format!("UPDATE organizations SET settings = '{settings}', features = '{features}'")).await;
    if state.other_admin {
        local(app, &stage.tenant, "boss", "admin").await;
    }
    let (reader, caller) = (app.admin(&stage.tenant, "admin").await, app.admin(&stage.tenant, state.caller).await);
    for (number, (action, method, rest, at_once)) in ACTIONS.into_iter().enumerate() {
        // Each action meets the person in the state itself.
        let id = make(app, &stage, state, number).await;
        let path = format!("/users/{id}");
        let before = reader.get(&path).await.expect(200);
        let allowed = allowed_actions(&caller, &id).await;
        let is_allowed = allowed.iter().any(|allowed| allowed == action);
        if let Some(at_once) = at_once {
            let mut rehearsal = json!({ "action": at_once, "ids": [id], "dry_run": true });
            if at_once == "add_roles" {
                rehearsal["roles"] = json!(["team_management"]);
            }
            let answer = caller.post("/users/bulk", &rehearsal).await;
            let would = answer.status == 200 && answer.expect(200)["done"] == 1;
            assert_eq!(would, is_allowed, "{at_once} {state:?}: {} {}", answer.status, answer.text);
        }
        let body = match action {
            "update" => json!({ "notes": format!("n{number}") }),
            "update_roles" => with_one_more(&before),
            _ => json!({}),
        };
        let answer = caller.with_text(method, &format!("{path}{rest}"), body.to_string()).await;
        let refused = [403, 404, 409].contains(&answer.status);
        assert_eq!(!refused, is_allowed, "{action} {state:?}: {} {}", answer.status, answer.text);
        assert!(refused || [200, 204].contains(&answer.status), "{action} {state:?}: {}", answer.text);
        // What was refused changed nothing.
        if refused {
            let after = reader.get(&path).await.expect(200);
            assert_eq!((&after["status"], &after["roles"]), (&before["status"], &before["roles"]));
        }
        // The next person is to be as alone among the Admins as this one was.
        app.execute(&format!(
            "UPDATE users SET suspension = '{{}}' WHERE deleted IS NULL AND user_name LIKE 'p{number}@%'"
        ))
        .await;
    }
}

/// What the list and the person itself offer a caller; nothing, where the caller may not see people.
async fn allowed_actions(caller: &Admin, id: &str) -> Vec<Value> {
    let shown = caller.get(&format!("/users/{id}")).await;
    if shown.status == 403 {
        caller.get("/users").await.expect_problem(403, "permission-denied");
        return Vec::new();
    }
    let shown = shown.expect(200);
    let listed = caller.get("/users?limit=200").await.expect(200);
    let row = listed["data"].as_array().unwrap().iter().find(|row| row["id"] == id).expect("listed");
    assert_eq!(row["allowed_actions"], shown["allowed_actions"]);
    shown["allowed_actions"].as_array().unwrap().clone()
}

on_both! {
    async fn allowed_actions_are_what_the_routes_do(app: &TestApp) with |settings| settings.rate_limit = false, {
        let mut runner = TestRunner::deterministic();
        let mut state = || states().new_tree(&mut runner).expect("a state").current();
        for _ in 0..RANDOM {
            play(app, &state()).await;
        }
        // An Admin meets each kind, for whom most is open.
        for kind in Kind::ALL {
            play(app, &State { kind, is_invited: false, caller: "admin", ..state() }).await;
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
