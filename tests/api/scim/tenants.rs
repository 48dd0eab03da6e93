//! Two organizations under random operations, each against a model of its own: whatever one does, with its own ids or
//! the other's, the other sees nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::helpers::*;

const STEPS: usize = 160;
const NAMES: u64 = 12;

/// Numbers that look random and come again with the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<T: Clone>(&mut self, from: impl Iterator<Item = T>) -> Option<T> {
        let all: Vec<T> = from.collect();
        (!all.is_empty()).then(|| all[self.roll(all.len() as u64) as usize].clone())
    }
}

/// What an organization has to hold.
#[derive(Default)]
struct Model {
    /// Name by id.
    users: BTreeMap<String, String>,
    /// Name and members by id.
    groups: BTreeMap<String, (String, BTreeSet<String>)>,
}

impl Model {
    fn forget(&mut self, user: &str) {
        self.users.remove(user);
        for (_, members) in self.groups.values_mut() {
            members.remove(user);
        }
    }

    async fn holds(&self, caller: &Caller) {
        let listed = caller.query("/Users", &[("count", "200")]).await.expect(200);
        let stored: BTreeMap<String, String> = listed["Resources"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|user| (id(user), user["userName"].as_str().expect("a name").to_owned()))
            .collect();
        assert_eq!(stored, self.users);
        assert_eq!(listed["totalResults"], self.users.len());
        assert_eq!(caller.query("/Groups", &[("count", "0")]).await.expect(200)["totalResults"], self.groups.len());
        for (group, (name, members)) in &self.groups {
            let read = caller.get(&format!("/Groups/{group}")).await.expect(200);
            assert_eq!(read["displayName"], **name);
            assert_eq!(caller.members(group).await, members.iter().cloned().collect::<Vec<_>>());
        }
    }
}

/// One step of `own`, which also knows the ids of `other`.
async fn step(dice: &mut Dice, caller: &Caller, own: &mut Model, other: &Model) {
    let name = format!("n{}", dice.roll(NAMES));
    let foreign_user = dice.pick(other.users.keys().cloned());
    let foreign_group = dice.pick(other.groups.keys().cloned());
    let mine = dice.pick(own.users.keys().cloned());
    let group_of_mine = dice.pick(own.groups.keys().cloned());
    match dice.roll(9) {
        0 | 1 => {
            let taken = own.users.values().any(|taken| *taken == name);
            let answer = caller.post("/Users", &user(&name)).await;
            if taken {
                answer.expect(409);
            } else {
                let created = answer.expect(201);
                own.users.insert(id(&created), created["userName"].as_str().expect("a name").to_owned());
            }
        }
        2 => {
            let taken = own.groups.values().any(|(taken, _)| *taken == name);
            let members: Vec<&str> = mine.iter().map(String::as_str).collect();
            let answer = caller.post("/Groups", &group(&name, &members)).await;
            if taken {
                answer.expect(409);
            } else {
                own.groups.insert(id(&answer.expect(201)), (name, mine.into_iter().collect()));
            }
        }
        3 => {
            let (Some(user), Some(group)) = (mine, group_of_mine) else { return };
            let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]));
            caller.patch(&format!("/Groups/{group}"), &add).await.expect(200);
            if let Some((_, members)) = own.groups.get_mut(&group) {
                members.insert(user);
            }
        }
        4 => {
            let (Some(user), Some(group)) = (foreign_user, group_of_mine) else { return };
            let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]));
            caller.patch(&format!("/Groups/{group}"), &add).await.expect(400);
        }
        5 => {
            let (Some(user), Some(group)) = (foreign_user, foreign_group) else { return };
            let titled = patch(json!([{ "op": "add", "path": "title", "value": "x" }]));
            caller.patch(&format!("/Users/{user}"), &titled).await.expect(404);
            caller.delete(&format!("/Groups/{group}")).await.expect(404);
        }
        6 => {
            let Some(user) = foreign_user else { return };
            caller.delete(&format!("/Users/{user}")).await.expect(404);
            assert!(caller.find("/Users", &format!("id eq \"{user}\"")).await.is_empty());
            assert!(caller.find("/Groups", &format!("members eq \"{user}\"")).await.is_empty());
        }
        7 => {
            let Some(user) = mine else { return };
            assert_eq!(caller.delete(&format!("/Users/{user}")).await.status, 204);
            own.forget(&user);
        }
        _ => {
            let Some(group) = group_of_mine else { return };
            assert_eq!(caller.delete(&format!("/Groups/{group}")).await.status, 204);
            own.groups.remove(&group);
        }
    }
}

on_both! {
    async fn two_organizations_under_random_operations_never_meet(app: &TestApp) {
        for seed in [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03] {
            let mut dice = Dice(seed);
            let callers = [app.caller().await, app.caller().await];
            let (mut one, mut two) = (Model::default(), Model::default());
            for _ in 0..STEPS {
                if dice.roll(2) == 0 {
                    step(&mut dice, &callers[0], &mut one, &two).await;
                } else {
                    step(&mut dice, &callers[1], &mut two, &one).await;
                }
            }
            assert!(!one.users.is_empty() && !two.groups.is_empty(), "the walk went somewhere (seed {seed})");
            one.holds(&callers[0]).await;
            two.holds(&callers[1]).await;
        }
    }

    async fn of_64_simultaneous_creators_of_one_name_one_is_answered_201(app: &TestApp) {
        let caller = app.caller().await;
        for round in 0..5 {
            let creators = (0..64).map(|n| {
                let caller = caller.clone();
                // In changing letter case: it is one name.
                let name = if n % 2 == 0 { format!("Race-{round}@example.com") } else { format!("race-{round}@EXAMPLE.com") };
                tokio::spawn(async move { caller.post("/Users", &user(&name)).await.status })
            });
            let creators: Vec<_> = creators.collect();
            let mut answers = Vec::new();
            for creator in creators {
                answers.push(creator.await.expect("a creator"));
            }
            answers.sort_unstable();
            assert_eq!((answers[0], &answers[1..]), (201, &[409; 63][..]));
        }
    }

    async fn a_search_at_the_base_finds_users_and_groups(app: &TestApp) {
        let caller = app.caller().await;
        let (ada, ben) = (caller.user("ada").await, caller.user("ben").await);
        let group = caller.group("ada", &[&ada]).await;
        let found = async |body: serde_json::Value| {
            let page = caller.post("/.search", &search(body)).await.expect(200);
            let ids: Vec<String> = page["Resources"].as_array().expect("a list").iter().map(id).collect();
            (page["totalResults"].as_u64().expect("a number"), ids)
        };
        assert_eq!(found(json!({})).await, (3, vec![ada.clone(), ben.clone(), group.clone()]));
        assert_eq!(found(json!({ "startIndex": 2, "count": 1 })).await, (3, vec![ben.clone()]));
        assert_eq!(found(json!({ "startIndex": 3, "count": 5 })).await, (3, vec![group.clone()]));
        assert_eq!(found(json!({ "count": 0 })).await, (3, vec![]));
        // An attribute that one type lacks counts as absent there (RFC 7644 §3.4.2.1); one that none has is refused.
        assert_eq!(found(json!({ "filter": "userName eq \"ada\"" })).await, (1, vec![ada.clone()]));
        assert_eq!(found(json!({ "filter": "userName ne \"ada\"" })).await, (2, vec![ben, group.clone()]));
        assert_eq!(found(json!({ "filter": format!("members eq \"{ada}\"") })).await, (1, vec![group]));
        let refused = caller.post("/.search", &search(json!({ "filter": "shoeSize eq 1" }))).await.expect(400);
        assert_eq!(refused["scimType"], "invalidFilter");
    }
}
