//! Data before and after the load: seeding over SCIM, reading again what was written, removing it.
//!
//! Every connection makes, verifies and removes its own users; the first one also makes the groups they share.
//! Faults count like those under load, and a run whose seeding has any is not measured.

use std::collections::HashSet;

use hyper::Method;

use crate::load::args::share;
use crate::load::check;
use crate::load::stats::Kind;
use crate::load::worker::{Phase, Worker};
use crate::model::{self, User};

/// Users in one of the groups that `--groups-per-user` makes.
pub(crate) const USERS_A_GROUP: usize = 100;
/// Members that one PATCH adds while a group is filled.
const MEMBERS_A_PATCH: usize = 1000;
/// Own users that each connection reads again at the end.
const VERIFIED: usize = 20;
/// Users asked for in one page of `--existing`.
const EXISTING_A_PAGE: usize = 200;

impl Worker {
    /// Creates this connection's users, their groups, and its share of the members that groups are filled with.
    pub(crate) async fn seed(&mut self) {
        let users = self.run.args.users_of(self.index);
        self.users = self.create_many(users).await;
        self.seed_groups_of_users(self.run.args.groups_of_a_user()).await;
        if self.run.args.needs_member_groups() {
            let fillers = share(self.run.args.group_size, self.run.args.connections, self.index);
            self.fillers = self.create_many(fillers).await.into_iter().map(|user| user.id).collect();
        }
    }

    /// Stops at the first fault, which keeps the run from being measured.
    async fn create_many(&mut self, count: u32) -> Vec<User> {
        let mut users = Vec::new();
        for _ in 0..count {
            let user = self.run.new_user();
            match self.create(user).await {
                Some(user) if !self.run.is_in(Phase::Finish) => users.push(user),
                _ => break,
            }
        }
        users
    }

    async fn seed_groups_of_users(&mut self, groups_a_user: u32) {
        if groups_a_user == 0 {
            return;
        }
        let ids: Vec<String> = self.users.iter().map(|user| user.id.clone()).collect();
        for (chunk, members) in ids.chunks(USERS_A_GROUP).enumerate() {
            let mut groups = Vec::new();
            for number in 0..groups_a_user {
                let name = format!("{} users {} {chunk} {number}", self.run.prefix, self.index);
                let Some(id) = self.create_group(&name, members).await else { return };
                groups.push(id);
            }
            self.groups_of_users.push(groups);
        }
    }

    async fn create_group(&mut self, name: &str, members: &[String]) -> Option<String> {
        let exchange = self.ask(Method::POST, "/Groups", model::group_body(name, members)).await?;
        let verdict = check::group_created(&exchange.answer);
        let id = self.settle(Kind::Create, &exchange, verdict)?;
        self.made_groups.push(id.clone());
        Some(id)
    }

    /// Makes the groups that the connections write to, each with all of `members`.
    pub(crate) async fn seed_member_groups(&mut self, members: &[String]) {
        let mut groups = Vec::new();
        for number in 0..self.run.args.member_groups {
            let name = format!("{} members {number}", self.run.prefix);
            let Some(id) = self.create_group(&name, &[]).await else { return };
            for chunk in members.chunks(MEMBERS_A_PATCH) {
                if self.run.is_in(Phase::Finish) {
                    return;
                }
                let body = model::add_members_body(chunk);
                let Some(exchange) = self.ask(Method::PATCH, &format!("/Groups/{id}"), body).await else { return };
                let verdict = check::status(&exchange.answer, &[200, 204]);
                if self.settle(Kind::AddMember, &exchange, verdict).is_none() {
                    return;
                }
            }
            groups.push(id);
        }
        let _ = self.run.member_groups.set(groups);
    }

    /// Up to `wanted` users that the server has, as far as a list tells about them.
    pub(crate) async fn existing(&mut self, wanted: usize) -> Vec<User> {
        let mut users: Vec<User> = Vec::new();
        while users.len() < wanted && !self.run.is_in(Phase::Finish) {
            let count = EXISTING_A_PAGE.min(wanted - users.len());
            let path = format!("/Users?startIndex={}&count={count}", users.len() + 1);
            let Some(exchange) = self.ask(Method::GET, &path, Vec::new()).await else { break };
            let verdict =
                check::list(&exchange.answer).map(|list| list.resources.iter().map(found).collect::<Vec<_>>());
            match self.settle(Kind::Page, &exchange, verdict) {
                Some(page) if !page.is_empty() => users.extend(page),
                _ => break,
            }
        }
        users
    }

    /// How many users the server has.
    pub(crate) async fn count(&mut self) -> Option<u64> {
        let exchange = self.ask(Method::GET, "/Users?startIndex=1&count=1", Vec::new()).await?;
        let verdict = check::list(&exchange.answer).map(|list| list.total_results);
        self.settle(Kind::Page, &exchange, verdict)
    }

    /// Reads some of the own users again: the state has to be what was written last.
    pub(crate) async fn verify(&mut self) {
        let distance = (self.users.len() / VERIFIED).max(1);
        for place in (0..self.users.len()).step_by(distance) {
            self.read(Kind::Get, place).await;
        }
        self.users.append(&mut self.sample);
        self.groups_of_users.clear();
        for place in self.users.len().saturating_sub(VERIFIED)..self.users.len() {
            self.read(Kind::Get, place).await;
        }
    }

    /// The ids that this connection has put into `group`.
    pub(crate) fn members_of(&self, group: &str) -> Vec<String> {
        let own = self.member_group().is_some_and(|id| id == group);
        let added = self.users.iter().filter(|user| own && user.member).map(|user| user.id.clone());
        self.fillers.iter().cloned().chain(added).collect()
    }

    /// Reads a member group whole: exactly `expected`.
    pub(crate) async fn verify_group(&mut self, group: &str, expected: &HashSet<&str>) {
        let Some(exchange) = self.ask(Method::GET, &format!("/Groups/{group}"), Vec::new()).await else { return };
        let verdict = check::members(&exchange.answer, group, expected);
        self.settle(Kind::Get, &exchange, verdict);
    }

    /// Removes the groups that this connection made.
    pub(crate) async fn remove_groups(&mut self) {
        for id in std::mem::take(&mut self.made_groups) {
            self.remove(&format!("/Groups/{id}")).await;
        }
    }

    /// Removes the users that this connection made.
    pub(crate) async fn remove_users(&mut self) {
        for id in std::mem::take(&mut self.made_users) {
            self.remove(&format!("/Users/{id}")).await;
        }
    }

    async fn remove(&mut self, path: &str) {
        let Some(exchange) = self.ask(Method::DELETE, path, Vec::new()).await else { return };
        let verdict = check::status(&exchange.answer, &[204]);
        self.settle(Kind::Delete, &exchange, verdict);
    }
}

/// A user of the server, as far as a list tells about it.
fn found(user: &model::UserAnswer<'_>) -> User {
    User {
        number: 0,
        id: user.id.as_ref().to_owned(),
        user_name: user.user_name.as_ref().to_owned(),
        display_name: user.display_name.as_ref().map(|name| name.as_ref().to_owned()),
        active: user.active,
        version: None,
        revision: 0,
        member: false,
    }
}
