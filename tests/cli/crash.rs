//! SIGKILL in the midst of writes: what was acknowledged is there, what was not is there whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;

const ROUNDS: u64 = 4;
const WRITERS: u64 = 8;

struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// The body of an answer that arrived whole with that status.
    async fn acknowledged(&self, request: reqwest::RequestBuilder, status: u16) -> Option<Value> {
        let answer = request.send().await.ok()?;
        let got = answer.status().as_u16();
        let body = answer.json().await.ok()?;
        assert_eq!(got, status, "{body}");
        Some(body)
    }

    async fn read(&self, path: &str) -> Value {
        self.acknowledged(self.request(reqwest::Method::GET, path), 200).await.expect("an answer")
    }

    async fn total(&self, path: &str) -> u64 {
        self.read(path).await["totalResults"].as_u64().expect("a number")
    }
}

/// Numbers the people of all rounds, and tells when one has come so far that the server is to be killed.
struct Progress {
    next: AtomicU64,
    goal: AtomicU64,
    reached: Notify,
}

impl Progress {
    fn next(&self) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number == self.goal.load(Ordering::Relaxed) {
            self.reached.notify_one();
        }
        number
    }
}

/// Creates people and puts each into the group until the server is gone; answers the ids acknowledged: created, member.
async fn write(client: Arc<Client>, group: String, progress: Arc<Progress>) -> (Vec<String>, Vec<String>) {
    let (mut created, mut members) = (Vec::new(), Vec::new());
    loop {
        let name = format!("crash-{}@example.com", progress.next());
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
            "emails": [{ "value": name, "type": "work" }] });
        let request = client.request(reqwest::Method::POST, "/Users").json(&user);
        let Some(user) = client.acknowledged(request, 201).await else { return (created, members) };
        let id = user["id"].as_str().expect("an id").to_owned();
        created.push(id.clone());
        let patch = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "add", "path": "members", "value": [{ "value": id }] }] });
        let request = client.request(reqwest::Method::PATCH, &format!("/Groups/{group}?attributes=id")).json(&patch);
        let Some(_) = client.acknowledged(request, 200).await else { return (created, members) };
        members.push(id);
    }
}

/// Every person found by list is found by each of its keys, and the totals are what can be counted.
async fn is_whole(client: &Client, group: &str, created: &[String], members: &[String]) {
    let (mut listed, mut start) = (Vec::new(), 1);
    loop {
        let page = client.read(&format!("/Users?startIndex={start}&count=200")).await;
        let people = page["Resources"].as_array().expect("a list").clone();
        if people.is_empty() {
            break;
        }
        start += people.len();
        listed.extend(people);
    }
    assert_eq!(client.total("/Users?count=0").await, listed.len() as u64, "the total is what the list holds");
    let ids: std::collections::HashSet<&str> = listed.iter().filter_map(|p| p["id"].as_str()).collect();
    for id in created {
        assert!(ids.contains(id.as_str()), "{id} was acknowledged and is lost");
    }
    let total = client.total("/Users?count=0&filter=emails%20sw%20%22crash-%22").await;
    assert_eq!(total, listed.len() as u64, "each has the rows of its e-mail addresses");
    let held = client.read(&format!("/Groups/{group}")).await;
    let held: std::collections::HashSet<&str> =
        held["members"].as_array().expect("members").iter().filter_map(|m| m["value"].as_str()).collect();
    for id in members {
        assert!(held.contains(id.as_str()), "the membership of {id} was acknowledged and is lost");
    }
    assert!(held.iter().all(|id| ids.contains(id)), "a member is nobody");
}

on_both! {
    fn kill_9_loses_no_acknowledged_write_and_leaves_no_half_one(home: &Home) {
        let bootstrap = home.json(&["bootstrap", "--name", "Crash"]);
        let token = bootstrap["scim"]["token"].as_str().expect("a token").to_owned();
        let client = |address: &str| {
            let base = format!("http://{address}/scim/v2");
            Arc::new(Client { http: reqwest::Client::new(), base, token: token.clone() })
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let progress = Arc::new(Progress { next: 0.into(), goal: 0.into(), reached: Notify::new() });
        let (mut created, mut members, mut group) = (Vec::new(), Vec::new(), String::new());
        for round in 0..ROUNDS {
            let server = home.serve(&[("ROLLCALL_RATE_LIMIT", "off")]);
            let caller = client(&server.address);
            if group.is_empty() {
                let body =
                    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Crash" });
                let request = caller.request(reqwest::Method::POST, "/Groups").json(&body);
                let made = runtime.block_on(caller.acknowledged(request, 201)).expect("a group");
                group = made["id"].as_str().expect("an id").to_owned();
            }
            progress.goal.store(progress.next.load(Ordering::Relaxed) + 100 + 37 * round, Ordering::Relaxed);
            runtime.block_on(async {
                let write = |_| tokio::spawn(write(caller.clone(), group.clone(), progress.clone()));
                let writers: Vec<_> = (0..WRITERS).map(write).collect();
                progress.reached.notified().await;
                server.signal("KILL");
                for writer in writers {
                    let (more, joined) = writer.await.expect("a writer");
                    created.extend(more);
                    members.extend(joined);
                }
            });
            drop(server);
            let again = home.serve(&[("ROLLCALL_RATE_LIMIT", "off")]);
            runtime.block_on(is_whole(&client(&again.address), &group, &created, &members));
            assert_eq!(again.stop().0, 0);
        }
        assert!(created.len() > 100 && members.len() > 50, "{} created, {} members", created.len(), members.len());
    }
}
