//! Organizations, and connections within one, never meet (security.md promise 5).

use serde_json::json;

use crate::helpers::*;

/// What an answer says, with the id that was asked for and what differs between any two answers left out.
fn without(answer: &Answer, id: &str) -> (u16, Vec<String>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.replace(id, "ID"))
}

/// Every request that names an id answers alike for a foreign one and for one that never existed.
async fn compare(caller: &Caller, foreign_user: &str, foreign_group: &str) {
    let absent = "01a20d51-c3b0-7001-bae9-094714cae2b2";
    let own = caller.group("own", &[]).await;
    let titled = patch(json!([{ "op": "add", "path": "title", "value": "x" }]));
    let renamed = patch(json!([{ "op": "replace", "path": "displayName", "value": "x" }]));
    for (path, foreign) in [("/Users", foreign_user), ("/Groups", foreign_group)] {
        let mut answers = Vec::new();
        for id in [foreign, absent] {
            let by_id = format!("{path}/{id}");
            let body = if path == "/Users" { user("x") } else { group("x", &[]) };
            let change = if path == "/Users" { &titled } else { &renamed };
            let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]));
            let filter = format!("id eq \"{id}\"");
            let answered = [
                caller.get(&by_id).await,
                send(caller.request("GET", &by_id).header("If-None-Match", "*")).await,
                caller.put(&by_id, &body).await,
                caller.patch(&by_id, change).await,
                send(caller.request("DELETE", &by_id).header("If-Match", "*")).await,
                caller.delete(&by_id).await,
                caller.query(path, &[("filter", &filter)]).await,
                caller.post(&format!("{path}/.search"), &search(json!({ "filter": filter }))).await,
                caller.query("/Groups", &[("filter", &format!("members.value eq \"{id}\""))]).await,
                caller.post("/Groups", &group("g", &[id])).await,
                caller.put(&format!("/Groups/{own}"), &group("own", &[id])).await,
                caller.patch(&format!("/Groups/{own}"), &add).await,
            ];
            answers.push(answered.map(|answer| without(&answer, id)));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
}

on_both! {
    async fn a_foreign_id_answers_as_one_that_never_existed(app: &TestApp) {
        let (caller, other) = (app.caller().await, app.caller().await);
        let user = other.user("theirs").await;
        let group = other.group("theirs", &[&user]).await;
        let before = (other.get(&format!("/Users/{user}")).await.text, other.get(&format!("/Groups/{group}")).await.text);
        compare(&caller, &user, &group).await;
        let after = (other.get(&format!("/Users/{user}")).await.text, other.get(&format!("/Groups/{group}")).await.text);
        assert_eq!(before, after);
    }

    async fn so_does_the_id_of_another_connection(app: &TestApp) {
        let tenant = app.tenant().await;
        let other = app.second_connection(&tenant).await;
        let user = other.user("theirs").await;
        let group = other.group("theirs", &[&user]).await;
        compare(&tenant.caller, &user, &group).await;
    }

    async fn lists_hold_ones_own_only(app: &TestApp) {
        let tenant = app.tenant().await;
        let second = app.second_connection(&tenant).await;
        let callers = [tenant.caller.clone(), second, app.caller().await];
        for (number, caller) in callers.iter().enumerate() {
            let user = caller.user(&format!("user{number}")).await;
            caller.group(&format!("group{number}"), &[&user]).await;
        }
        for (number, caller) in callers.iter().enumerate() {
            for (path, name, filter) in [
                ("/Users", "userName", "userName pr"),
                ("/Groups", "displayName", "displayName sw \"g\""),
            ] {
                for list in [caller.get(path).await, caller.query(path, &[("filter", filter)]).await] {
                    let list = list.expect(200);
                    assert_eq!(list["totalResults"], 1);
                    assert!(list["Resources"][0][name].as_str().unwrap().ends_with(&number.to_string()));
                }
            }
        }
    }

    async fn a_name_is_unique_over_the_connections_of_an_organization(app: &TestApp) {
        let tenant = app.tenant().await;
        let second = app.second_connection(&tenant).await;
        tenant.caller.user("a").await;
        second.post("/Users", &user("A")).await.expect_error(409, Some("uniqueness"));
        tenant.caller.group("a", &[]).await;
        second.post("/Groups", &group("A", &[])).await.expect_error(409, Some("uniqueness"));
    }
}
