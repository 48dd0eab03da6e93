//! The brake on departures: how many people of a connection may leave within an hour before further departures are held.
//! A process takes departures out of the connection's window in the database, some at a time, so that a departure usually
//! costs no statement; what it took and did not use counts as departed, so several processes together never let more pass.
//! The last Admin who can sign in is held too, whoever else left.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::{OrganizationId, ResourceId, Scope};
use crate::service::{Ctx, Effect, Result, ids};
use crate::storage::cold::brake::{self, Take, Window};
use crate::storage::cold::held_changes::{self, HeldDeed, HeldEnd, NewHeld};
use crate::storage::cold::hidden::{self, Memberships};
use crate::storage::cold::roles;
use crate::storage::write::{Applied, Receipt};
use crate::storage::{Database, Db, Deed, Write};

/// Length of a window, µs.
pub const WINDOW: i64 = 3_600_000_000;
/// People remembered for each connection, so that whoever comes back counts no more.
const REMEMBERED: usize = 50_000;
/// How long it is known who the Admins are, µs.
const ADMINS_KNOWN: i64 = 1_000_000;
/// A share of what may leave, and the most, that a process takes at once.
const SHARE: i64 = 20;
const MOST: i64 = 1_000;

/// What this process took out of each connection's window.
#[derive(Debug, Default)]
pub struct Brake {
    taken: Mutex<HashMap<Scope, Taken>>,
    /// When an organization's Admins who can sign in were read, and two of them at most.
    admins: Mutex<HashMap<OrganizationId, (i64, Vec<ResourceId>)>>,
}

#[derive(Debug, Default)]
struct Taken {
    /// When the window began.
    started: i64,
    /// Departures that need not ask.
    left: i64,
    /// Who left in this window.
    gone: HashSet<ResourceId>,
}

/// Whether a departure may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Hold,
}

impl Brake {
    /// Judges the departure of an active person, and counts it where it may pass.
    pub(super) async fn judge(&self, ctx: &Ctx, db: &Database, id: ResourceId) -> Result<Verdict> {
        // Staged people have no access that could be lost.
        if ctx.is_staged {
            return Ok(Verdict::Pass);
        }
        if ctx.effect == Effect::Rehearse {
            return self.foresee(ctx, db).await;
        }
        if self.pass(ctx, id) {
            return Ok(Verdict::Pass);
        }
        Box::pin(self.take(ctx, db, id)).await
    }

    /// Takes departures out of the connection's window, and one of them for this person where it gives any.
    async fn take(&self, ctx: &Ctx, db: &Database, id: ResourceId) -> Result<Verdict> {
        let (scope, now, expired, guard) = (ctx.scope, ctx.now, expired(ctx), ctx.settings.guard);
        let is_open = db.brake_window(scope).await?.is_some_and(|window| window.started > expired);
        // Before the transaction, which others wait for.
        let active = if is_open { None } else { Some(db.count_active_people(scope).await?) };
        let work = async move |db: &mut Db<'_>| {
            let ask = |limit: i64| (limit / SHARE).clamp(1, MOST);
            brake::take(db, scope, Take { now, expired, active, allows: |active| guard.allows(active), ask }).await
        };
        let (got, window): (i64, Window) = db.transaction(work).await?;
        Ok(self.with(scope, |taken| {
            if taken.started != window.started {
                *taken = Taken { started: window.started, ..Taken::default() };
            }
            taken.left = taken.left.saturating_add(got);
            if taken.use_one(id) { Verdict::Pass } else { Verdict::Hold }
        }))
    }

    /// The same for a departure that is only tried: nothing is counted, and nothing taken.
    async fn foresee(&self, ctx: &Ctx, db: &Database) -> Result<Verdict> {
        let expired = expired(ctx);
        if self.with(ctx.scope, |taken| taken.started > expired && taken.left > 0) {
            return Ok(Verdict::Pass);
        }
        let allows = |window: &Window| ctx.settings.guard.allows(window.active);
        let window = db.brake_window(ctx.scope).await?.filter(|window| window.started > expired);
        let is_spent = window.is_some_and(|window| window.departed >= allows(&window));
        Ok(if is_spent { Verdict::Hold } else { Verdict::Pass })
    }

    /// Whether a person may be the last Admin who can sign in, so that it must be looked at with the departure. What is known
    /// of an organization's Admins is a second old at most.
    pub(super) async fn may_be_last_admin(&self, ctx: &Ctx, db: &Database, id: ResourceId) -> Result<bool> {
        let organization = ctx.scope.organization;
        let fresh = |read: i64| (0..ADMINS_KNOWN).contains(&ctx.now.saturating_sub(read));
        let known = self.admins.lock().unwrap_or_else(PoisonError::into_inner).get(&organization).cloned();
        if let Some((_, admins)) = known.filter(|(read, _)| fresh(*read)) {
            return Ok(admins.contains(&id));
        }
        let admins = db.active_admins(organization, 2).await?;
        let is_one = admins.contains(&id);
        self.admins.lock().unwrap_or_else(PoisonError::into_inner).insert(organization, (ctx.now, admins));
        Ok(is_one)
    }

    /// Takes back a departure that did not happen, or whose person came back.
    pub(super) fn came_back(&self, ctx: &Ctx, id: ResourceId) {
        if ctx.effect == Effect::Rehearse {
            return;
        }
        self.with(ctx.scope, |taken| {
            if taken.gone.remove(&id) {
                taken.left = taken.left.saturating_add(1);
            }
        });
    }

    fn pass(&self, ctx: &Ctx, id: ResourceId) -> bool {
        self.with(ctx.scope, |taken| {
            if taken.started <= expired(ctx) {
                *taken = Taken::default();
                return false;
            }
            taken.use_one(id)
        })
    }

    fn with<R>(&self, scope: Scope, work: impl FnOnce(&mut Taken) -> R) -> R {
        work(self.taken.lock().unwrap_or_else(PoisonError::into_inner).entry(scope).or_default())
    }
}

/// What began before is over.
fn expired(ctx: &Ctx) -> i64 {
    ctx.now.saturating_sub(WINDOW)
}

impl Taken {
    fn use_one(&mut self, id: ResourceId) -> bool {
        if self.left <= 0 {
            return false;
        }
        self.left -= 1;
        if self.gone.len() < REMEMBERED {
            self.gone.insert(id);
        }
        true
    }
}

/// A change to hold, in a transaction of the deed that SCIM shows: with its events.
pub(super) struct Hold {
    deeds: [Deed; 3],
    scope: Scope,
    new: NewHeld,
}

impl Hold {
    pub(super) fn new(ctx: &Ctx, user: ResourceId, deed: HeldDeed) -> Self {
        let event = || Deed {
            event: ids::event(),
            at: ctx.now,
            actor: ctx.actor.to_string(),
            request_id: ctx.request_id.to_string(),
            ip: None,
            user_agent: None,
            reason: None,
        };
        Hold { deeds: [event(), event(), event()], scope: ctx.scope, new: NewHeld { id: ids::resource(), user, deed } }
    }

    /// `is_last_admin`: it is not the brake that holds, but that nobody else could sign in as an Admin.
    pub(super) async fn apply(&self, db: &mut Db<'_>, is_last_admin: bool) -> crate::storage::Result<()> {
        held_changes::hold(db, &self.deeds, self.scope, &self.new, is_last_admin).await
    }
}

/// Deletes a person over SCIM, while everything else of them waits.
pub(super) async fn hide(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
) -> crate::storage::Result<()> {
    let (scope, hold) = (ctx.scope, Hold::new(ctx, id, HeldDeed::Delete));
    db.transaction(async move |db: &mut Db<'_>| {
        hidden::hide(db, scope, id, expected).await?;
        hold.apply(db, false).await
    })
    .await
}

/// Keeps a person out over SCIM by `write`, while they have access here.
pub(super) async fn hold(ctx: &Ctx, db: &Database, id: ResourceId, write: Write) -> crate::storage::Result<Receipt> {
    let hold = Hold::new(ctx, id, HeldDeed::Deactivate);
    db.transaction(async move |db: &mut Db<'_>| {
        let receipt = write.apply(db).await?;
        hold.apply(db, false).await?;
        Ok(receipt)
    })
    .await
}

/// What becomes of one who must not leave.
pub(super) enum Stay {
    /// Kept out over SCIM alone, by this write.
    Hold(Write),
    /// Gone over SCIM alone; the version that must be stored.
    Hide(Option<i64>),
}

/// Lets a person leave by `leave`, unless that would be the last Admin who can sign in; answers whether they stay. Two who
/// leave at once wait for each other.
pub(super) async fn leave_unless_last_admin(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    leave: Write,
    stay: Stay,
) -> crate::storage::Result<(Receipt, bool)> {
    let deed = if matches!(stay, Stay::Hide(_)) { HeldDeed::Delete } else { HeldDeed::Deactivate };
    let (scope, hold) = (ctx.scope, Hold::new(ctx, id, deed));
    db.transaction(async move |db: &mut Db<'_>| {
        if !roles::is_last_admin(db, scope.organization, id).await? {
            return Ok((leave.apply(db).await?, false));
        }
        let receipt = match stay {
            Stay::Hold(write) => write.apply(db).await?,
            Stay::Hide(expected) => {
                hidden::hide(db, scope, id, expected).await?;
                vec![Applied::new(0, true)]
            }
        };
        hold.apply(db, true).await?;
        Ok((receipt, true))
    })
    .await
}

/// Brings a hidden person back whom the directory makes again by `write`: in none of its groups, as any new person. One who
/// is kept out from the start has access here still.
pub(super) async fn bring_back(
    ctx: &Ctx,
    db: &Database,
    id: ResourceId,
    write: Write,
    is_let_in: bool,
) -> crate::storage::Result<Receipt> {
    let (scope, at, by) = (ctx.scope, ctx.now, ctx.actor.to_string());
    let hold = Hold::new(ctx, id, HeldDeed::Deactivate);
    db.transaction(async move |db: &mut Db<'_>| {
        hidden::show(db, scope, id, Memberships::Dropped).await?;
        let receipt = write.apply(db).await?;
        if is_let_in {
            held_changes::end(db, scope.organization, id, None, HeldEnd::Withdrawn, at, &by).await?;
        } else {
            hold.apply(db, false).await?;
        }
        Ok(receipt)
    })
    .await
}
