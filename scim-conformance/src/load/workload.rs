//! The workloads: what a connection does over and over, and how each answer is judged.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use hyper::Method;

use crate::client::encode;
use crate::load::args::{PageMode, Workload};
use crate::load::check::{self, Page, Verdict, Wrong};
use crate::load::stats::Kind;
use crate::load::worker::{Phase, Walk, Worker};
use crate::model::{self, ListAnswer, User};

/// Users kept of those that a connection creates under load, to be read again at the end.
const SAMPLE: usize = 20;

impl Worker {
    /// Works until the run finishes.
    pub(crate) async fn work(&mut self) {
        while !self.run.is_in(Phase::Finish) {
            self.step(self.run.args.workload).await;
            // Where nothing waits, a single thread would otherwise never reach the clock.
            tokio::task::coop::consume_budget().await;
        }
    }

    async fn step(&mut self, workload: Workload) {
        match workload {
            Workload::Get => self.get().await,
            Workload::Filter => self.filter().await,
            Workload::Create => {
                let user = self.run.new_user();
                self.create_under_load(user).await;
            }
            Workload::Patch => self.patch().await,
            Workload::Put => self.put().await,
            Workload::Page => self.page().await,
            Workload::GroupMember => self.group_member().await,
            Workload::Mixed => self.mixed().await,
            Workload::Sync => self.sync().await,
            Workload::Raw => self.raw().await,
        }
    }

    async fn mixed(&mut self) {
        match self.random.percent() {
            0..50 => self.get().await,
            50..80 => self.filter().await,
            80..88 => self.patch().await,
            88..92 => self.put().await,
            92..96 => {
                let user = self.run.new_user();
                self.create_under_load(user).await;
            }
            _ => self.group_member().await,
        }
    }

    async fn get(&mut self) {
        let Some(place) = self.any_user() else { return };
        self.read(Kind::Get, place).await;
    }

    /// Reads the user at `place` and compares it with what was last written.
    pub(crate) async fn read(&mut self, kind: Kind, place: usize) {
        let Some(path) = self.users.get(place).map(|user| format!("/Users/{}", user.id)) else { return };
        let Some(exchange) = self.ask(Method::GET, &path, Vec::new()).await else { return };
        let Some(user) = self.users.get(place) else { return };
        let groups = self.groups_of_users.get(place / super::seed::USERS_A_GROUP).map(Vec::as_slice);
        let verdict = check::read(&exchange.answer, user, groups);
        self.settle(kind, &exchange, verdict);
    }

    async fn filter(&mut self) {
        let Some(place) = self.any_user() else { return };
        let miss = self.random.percent() < self.run.args.miss;
        let Some(user) = self.users.get(place) else { return };
        let name = if miss { format!("nobody-{}", user.user_name) } else { user.user_name.clone() };
        let Some(exchange) = self.ask(Method::GET, &lookup_path(&name), Vec::new()).await else { return };
        let expected = if miss { None } else { self.users.get(place) };
        let verdict = check::found(&exchange.answer, expected);
        self.settle(Kind::Lookup, &exchange, verdict);
    }

    /// Creates `user`; gives it with its id and version.
    pub(crate) async fn create(&mut self, mut user: User) -> Option<User> {
        let exchange = self.ask(Method::POST, "/Users", model::user_body(&user)).await?;
        let verdict = check::created(&exchange.answer, &user);
        let (id, version) = self.settle(Kind::Create, &exchange, verdict)?;
        self.made_users.push(id.clone());
        (user.id, user.version) = (id, version);
        Some(user)
    }

    async fn create_under_load(&mut self, user: User) {
        if let Some(user) = self.create(user).await
            && self.sample.len() < SAMPLE
        {
            self.sample.push(user);
        }
    }

    async fn sync(&mut self) {
        let user = self.run.new_user();
        let Some(exchange) = self.ask(Method::GET, &lookup_path(&user.user_name), Vec::new()).await else { return };
        let verdict = check::found(&exchange.answer, None);
        if self.settle(Kind::Lookup, &exchange, verdict).is_some() {
            self.create_under_load(user).await;
        }
    }

    /// Whoever was deactivated is activated again next: a server may hold back the departure of many people at once.
    async fn patch(&mut self) {
        let again = self.deactivated.take();
        let Some(place) = again.or_else(|| self.any_user()) else { return };
        let Some(mut user) = self.users.get(place).cloned() else { return };
        let active = !user.active.unwrap_or(true);
        user.active = Some(active);
        self.deactivated = (!active).then_some(place);
        self.turn += 1;
        let (path, body) = (format!("/Users/{}", user.id), model::active_body(active, self.turn.is_multiple_of(2)));
        self.change(Kind::Patch, Method::PATCH, &path, body, place, user, &[200, 204]).await;
    }

    async fn put(&mut self) {
        let Some(place) = self.any_user() else { return };
        let Some(mut user) = self.users.get(place).cloned() else { return };
        user.revision += 1;
        user.display_name = Some(user.display_name_at(user.revision));
        let (path, body) = (format!("/Users/{}", user.id), model::user_body(&user));
        self.change(Kind::Put, Method::PUT, &path, body, place, user, &[200]).await;
    }

    #[expect(clippy::too_many_arguments, reason = "request, expectation and place of one change, used twice")]
    async fn change(
        &mut self,
        kind: Kind,
        method: Method,
        path: &str,
        body: Vec<u8>,
        place: usize,
        mut changed: User,
        allowed: &[u16],
    ) {
        let version = match self.ask(method, path, body).await {
            Some(exchange) => {
                let verdict = check::changed(&exchange.answer, &changed, allowed);
                self.settle(kind, &exchange, verdict)
            }
            None => None,
        };
        match version {
            Some(version) => changed.version = version,
            // Nobody knows whether it was done; one fault must not make every later read another.
            None => (changed.active, changed.display_name, changed.version) = (None, None, None),
        }
        if let Some(user) = self.users.get_mut(place) {
            *user = changed;
        }
    }

    /// Adds a user to the group of this connection, or removes the one it added.
    async fn group_member(&mut self) {
        let place = self.turn.checked_rem(self.users.len()).unwrap_or(0);
        let Some(group) = self.member_group() else { return };
        let Some(user) = self.users.get(place) else { return };
        let (id, present) = (user.id.clone(), !user.member);
        let (kind, body) = if present {
            (Kind::AddMember, model::add_members_body(std::slice::from_ref(&id)))
        } else {
            (Kind::RemoveMember, model::remove_member_body(&id))
        };
        let Some(exchange) = self.ask(Method::PATCH, &format!("/Groups/{group}"), body).await else { return };
        let verdict = check::membership(&exchange.answer, &group, &id, present);
        if self.settle(kind, &exchange, verdict).is_some()
            && let Some(user) = self.users.get_mut(place)
        {
            user.member = present;
        }
        self.turn += usize::from(!present);
    }

    /// The member group that this connection writes to.
    pub(crate) fn member_group(&self) -> Option<String> {
        let groups = self.run.member_groups.get()?;
        let place = usize::try_from(self.index).ok()?.checked_rem(groups.len())?;
        groups.get(place).cloned()
    }

    async fn page(&mut self) {
        let total = self.run.total.get().copied().unwrap_or(0);
        let size = self.run.args.page_size;
        let last = total.saturating_sub(1) / size * size;
        let walking = matches!(self.run.args.page_mode, PageMode::Sequential | PageMode::Cursor);
        let before = match self.run.args.page_mode {
            PageMode::Sequential | PageMode::Cursor => self.walk.done,
            PageMode::First => 0,
            PageMode::Last => last,
            PageMode::Random => {
                self.random.below(usize::try_from(last / size + 1).unwrap_or(1)).map_or(0, |page| page as u64 * size)
            }
        };
        let by_cursor = self.run.args.page_mode == PageMode::Cursor;
        let path = if by_cursor {
            format!("/Users?cursor={}&count={size}", encode(self.walk.cursor.as_deref().unwrap_or("")))
        } else {
            format!("/Users?startIndex={}&count={size}", before + 1)
        };
        let Some(exchange) = self.ask(Method::GET, &path, Vec::new()).await else { return };
        let users = total.saturating_sub(before).min(size);
        let expected = Page { start: (!by_cursor).then_some(before + 1), users, total };
        let verdict = check::page(&exchange.answer, &expected)
            .and_then(|list| if walking { self.walk.go_on(&list, total, by_cursor) } else { Ok(()) });
        if self.settle(Kind::Page, &exchange, verdict).is_none() {
            self.walk = Walk::default();
        }
    }

    async fn raw(&mut self) {
        let Some(exchange) = self.ask(Method::GET, "", Vec::new()).await else { return };
        let length = exchange.answer.body.len();
        let first = *self.run.total.get_or_init(|| length as u64);
        let verdict = check::status(&exchange.answer, &[200]).and_then(|_| {
            if length as u64 == first {
                return Ok(());
            }
            Err(Wrong { kind: "length".into(), detail: format!("{first} bytes first, {length} now") })
        });
        self.settle(Kind::Raw, &exchange, verdict);
    }
}

impl Walk {
    /// Takes a page in: nobody twice in a walk, and the walk ends exactly after the last user.
    fn go_on(&mut self, list: &ListAnswer<'_>, total: u64, by_cursor: bool) -> Verdict<()> {
        for user in &list.resources {
            let mut hasher = DefaultHasher::new();
            user.id.as_ref().hash(&mut hasher);
            if self.seen.len() < Self::REMEMBERED && !self.seen.insert(hasher.finish()) {
                return Err(Wrong { kind: "user twice in a walk".into(), detail: user.id.as_ref().to_owned() });
            }
        }
        self.done += list.resources.len() as u64;
        self.cursor = list.next_cursor.as_ref().map(|cursor| cursor.as_ref().to_owned());
        let ended = self.done >= total;
        if by_cursor && ended == self.cursor.is_some() {
            return Err(Wrong {
                kind: "nextCursor".into(),
                detail: format!("{:?} after {} users", self.cursor, self.done),
            });
        }
        if ended {
            *self = Self::default();
        }
        Ok(())
    }
}

fn lookup_path(name: &str) -> String {
    format!("/Users?filter={}&startIndex=1&count=100", encode(&format!("userName eq \"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], cursor: Option<&str>) -> String {
        let users: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id, "userName": "u"})).collect();
        serde_json::json!({"totalResults": 3, "Resources": users, "nextCursor": cursor}).to_string()
    }

    fn walk(pages: &[String], by_cursor: bool) -> Result<u64, String> {
        let mut walk = Walk::default();
        for page in pages {
            let list = serde_json::from_str(page).unwrap();
            walk.go_on(&list, 3, by_cursor).map_err(|wrong| wrong.kind.into_owned())?;
        }
        Ok(walk.done)
    }

    #[test]
    fn a_walk_starts_again_after_the_last_user() {
        assert_eq!(walk(&[page(&["a", "b"], None)], false), Ok(2));
        assert_eq!(walk(&[page(&["a", "b"], None), page(&["c"], None)], false), Ok(0));
        assert_eq!(walk(&[page(&["a", "b"], Some("x")), page(&["c"], None)], true), Ok(0));
    }

    #[test]
    fn an_overlap_and_a_cursor_that_ends_too_early_or_too_late_are_wrong() {
        let twice = walk(&[page(&["a", "b"], None), page(&["b"], None)], false);
        assert_eq!(twice, Err("user twice in a walk".to_owned()));
        assert_eq!(walk(&[page(&["a", "b"], None)], true), Err("nextCursor".to_owned()));
        assert_eq!(walk(&[page(&["a", "b", "c"], Some("x"))], true), Err("nextCursor".to_owned()));
    }

    #[test]
    fn a_lookup_is_encoded_as_okta_sends_it() {
        assert_eq!(lookup_path("a@b"), "/Users?filter=userName%20eq%20%22a%40b%22&startIndex=1&count=100");
    }
}
