//! Which queued writes share the next batch: one kind, no target, key or member twice, within bounds. What stays keeps
//! its order per target.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;

use super::Job;
use crate::domain::ids::{ResourceId, Scope};
use crate::storage::postgres::batch::Kind;
use crate::storage::write::{Action, MemberChange, Write};

/// Bounds of a batch: they keep a statement short, and so the wait of everyone behind it.
pub(super) const WRITES: usize = 64;
const MEMBER_ROWS: usize = 1_000;
const TEXT_BYTES: usize = 1024 * 1024;

/// Takes the next batch out of `held`, sorted in lock order. Its first write is always in it.
pub(super) fn pick(held: &mut VecDeque<Job>) -> Vec<Job> {
    let Some(first) = held.front() else { return Vec::new() };
    let mut batch = Batch::new(first.kind);
    let mut rest = VecDeque::new();
    for job in held.drain(..) {
        if batch.fits(&job) {
            batch.take(job);
        } else {
            batch.shut.insert(job_target(&job));
            rest.push_back(job);
        }
    }
    *held = rest;
    let mut jobs = batch.jobs;
    jobs.sort_by(|a, b| lock_order(&a.write).cmp(&lock_order(&b.write)));
    jobs
}

struct Batch {
    kind: Kind,
    jobs: Vec<Job>,
    /// What the batch writes, by whom: a resource is of one scope, a wrong one must not see the other's answer.
    targets: HashMap<Uuid, Scope>,
    keys: HashSet<(Uuid, String)>,
    pairs: HashSet<(Uuid, ResourceId)>,
    /// Targets of what stays; nothing may overtake it.
    shut: HashSet<Uuid>,
    member_rows: usize,
    text_bytes: usize,
}

impl Batch {
    fn new(kind: Kind) -> Self {
        Batch {
            kind,
            jobs: Vec::new(),
            targets: HashMap::new(),
            keys: HashSet::new(),
            pairs: HashSet::new(),
            shut: HashSet::new(),
            member_rows: 0,
            text_bytes: 0,
        }
    }

    fn fits(&mut self, job: &Job) -> bool {
        if self.jobs.is_empty() {
            return true;
        }
        let target = job_target(job);
        if job.kind != self.kind
            || self.kind == Kind::Alone
            || self.jobs.len() >= WRITES
            || self.shut.contains(&target)
            || self.text_bytes + text_bytes(&job.write) > TEXT_BYTES
        {
            return false;
        }
        match action(job) {
            Some(Action::InsertUser { columns, .. }) => {
                let key = (job.write.scope.organization.0, columns.user_name_key.clone());
                !self.targets.contains_key(&target) && !self.keys.contains(&key)
            }
            // Deltas on one group merge unless guarded by a version or naming the same member.
            Some(Action::UpdateGroup { expected, .. }) => {
                let same = self.targets.get(&target);
                self.member_rows + members(job).count() <= MEMBER_ROWS
                    && same.is_none_or(|scope| expected.is_none() && *scope == job.write.scope)
                    && members(job).all(|m| !self.pairs.contains(&(target, *m)))
            }
            _ => !self.targets.contains_key(&target),
        }
    }

    fn take(&mut self, job: Job) {
        let target = job_target(&job);
        if self.kind == Kind::Members {
            self.member_rows += members(&job).count();
            self.pairs.extend(members(&job).map(|m| (target, *m)));
        }
        if let (Kind::Users, Some(Action::InsertUser { columns, .. })) = (self.kind, action(&job)) {
            self.keys.insert((job.write.scope.organization.0, columns.user_name_key.clone()));
        }
        self.text_bytes += text_bytes(&job.write);
        self.targets.insert(target, job.write.scope);
        self.jobs.push(job);
    }
}

fn action(job: &Job) -> Option<&Action> {
    job.write.changes.first().map(|c| &c.action)
}

fn job_target(job: &Job) -> Uuid {
    action(job).map_or(Uuid::nil(), |a| a.target().0)
}

fn members(job: &Job) -> impl Iterator<Item = &ResourceId> {
    let (add, remove) = match action(job) {
        Some(Action::UpdateGroup { members: MemberChange::Delta { add, remove }, .. }) => (&add[..], &remove[..]),
        _ => (&[][..], &[][..]),
    };
    add.iter().chain(remove)
}

fn text_bytes(write: &Write) -> usize {
    let document = |action: &Action| match action {
        Action::InsertUser { columns, .. } | Action::ReplaceUser { columns, .. } => columns.document.len(),
        _ => 0,
    };
    write.changes.iter().map(|c| c.detail.len() + document(&c.action)).sum()
}

/// Inserts by key first, then the rest by id: the order in which keys and rows are locked. Deltas on one group keep the
/// order of arrival (the sort is stable).
fn lock_order(write: &Write) -> (u8, Uuid, &str, Uuid) {
    let organization = write.scope.organization.0;
    match write.changes.first().map(|c| &c.action) {
        Some(Action::InsertUser { columns, .. }) => (0, organization, &columns.user_name_key, Uuid::nil()),
        Some(action) => (1, organization, "", action.target().0),
        None => (1, organization, "", Uuid::nil()),
    }
}

#[cfg(test)]
mod tests;
