//! One virtual client: its connection, the users that it alone changes, and its counts.
//!
//! Because nobody else changes a connection's users, it knows their state and can hold every answer against it.
//! A server that asks to wait (429 or 503 with `Retry-After`) is obeyed; such answers are counted apart.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::body::Bytes;

use crate::client::{Answer, Connection, Target};
use crate::load::args::LoadArgs;
use crate::load::check::Verdict;
use crate::load::stats::{Kind, Stats};
use crate::model::User;

/// Where the run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    Prepare,
    Load,
    Measure,
    Finish,
}

/// What all connections share.
pub(crate) struct Run {
    pub(crate) args: LoadArgs,
    pub(crate) target: Arc<Target>,
    /// Begins every name that this run gives.
    pub(crate) prefix: String,
    pub(crate) next_number: AtomicU64,
    /// Groups of the workload group-member, filled.
    pub(crate) member_groups: OnceLock<Vec<String>>,
    /// Users on the server, for the workload page.
    pub(crate) total: OnceLock<u64>,
    phase: AtomicU8,
}

impl Run {
    pub(crate) fn new(args: LoadArgs, target: Target, prefix: String) -> Self {
        Self {
            args,
            target: Arc::new(target),
            prefix,
            next_number: AtomicU64::new(0),
            member_groups: OnceLock::new(),
            total: OnceLock::new(),
            phase: AtomicU8::new(Phase::Prepare as u8),
        }
    }

    /// Goes on to `phase`; never back.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::SeqCst);
    }

    pub(crate) fn is_in(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// A user with a name that nobody has.
    pub(crate) fn new_user(&self) -> User {
        User::new(&self.prefix, self.next_number.fetch_add(1, Ordering::Relaxed))
    }
}

/// A request's answer with its latency.
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    elapsed: Duration,
    what: String,
}

/// One virtual client.
pub(crate) struct Worker {
    pub(crate) run: Arc<Run>,
    pub(crate) index: u32,
    pub(crate) connection: Connection,
    pub(crate) random: Random,
    /// Users that this connection alone reads and writes.
    pub(crate) users: Vec<User>,
    /// Groups of the users, one list per 100 of them; empty when the run makes none.
    pub(crate) groups_of_users: Vec<Vec<String>>,
    /// Members that groups are filled with; after the preparation the first connection keeps all.
    pub(crate) fillers: Vec<String>,
    /// Users created while under load, a sample kept for the verification.
    pub(crate) sample: Vec<User>,
    /// What to remove at the end.
    pub(crate) made_users: Vec<String>,
    pub(crate) made_groups: Vec<String>,
    /// The user that comes next where order matters.
    pub(crate) turn: usize,
    /// Whoever is to be activated again.
    pub(crate) deactivated: Option<usize>,
    pub(crate) walk: Walk,
    pub(crate) stats: Stats,
}

/// How far a walk over all pages has come.
#[derive(Default)]
pub(crate) struct Walk {
    /// Users seen on earlier pages.
    pub(crate) done: u64,
    pub(crate) cursor: Option<String>,
    /// Hashes of the ids seen, up to [`Walk::REMEMBERED`].
    pub(crate) seen: HashSet<u64>,
}

impl Walk {
    /// Ids remembered a walk, so that the memory of a walk over millions stays bounded.
    pub(crate) const REMEMBERED: usize = 200_000;
}

impl Worker {
    pub(crate) fn new(run: &Arc<Run>, index: u32) -> Self {
        let timeout = Duration::from_secs_f64(run.args.timeout);
        Self {
            run: Arc::clone(run),
            index,
            connection: Connection::new(Arc::clone(&run.target), timeout),
            random: Random::new(run.args.seed, index),
            users: Vec::new(),
            groups_of_users: Vec::new(),
            fillers: Vec::new(),
            sample: Vec::new(),
            made_users: Vec::new(),
            made_groups: Vec::new(),
            turn: 0,
            deactivated: None,
            walk: Walk::default(),
            stats: Stats::default(),
        }
    }

    /// Asks until the server neither fails nor asks to wait; `None` when the connection failed or the run ended.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: Vec<u8>) -> Option<Exchange> {
        let body = Bytes::from(body);
        loop {
            let begun = Instant::now();
            let answer = match self.connection.exchange(&method, path, &body).await {
                Ok(answer) => answer,
                Err(error) => {
                    self.stats.fault("no answer".into(), || format!("{method} {path}: {error}"));
                    // A server that is down must not turn the loop into a busy one.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    return None;
                }
            };
            let elapsed = begun.elapsed();
            let Some(wait) = answer.retry_after() else {
                return Some(Exchange { answer, elapsed, what: format!("{method} {path}") });
            };
            self.stats.throttled += 1;
            if !self.pause(wait).await {
                return None;
            }
        }
    }

    /// Waits; `false` when the load ended meanwhile.
    async fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait.max(Duration::from_millis(10));
        let under_load = !self.run.is_in(Phase::Prepare) && !self.run.is_in(Phase::Finish);
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            tokio::time::sleep(left.min(Duration::from_millis(200))).await;
            if under_load && self.run.is_in(Phase::Finish) {
                return false;
            }
        }
        true
    }

    /// Counts an exchange by its verdict and gives what the check found out.
    pub(crate) fn settle<T>(&mut self, kind: Kind, exchange: &Exchange, verdict: Verdict<T>) -> Option<T> {
        match verdict {
            Ok(value) => {
                if self.run.is_in(Phase::Measure) {
                    self.stats.right(kind, exchange.elapsed);
                }
                Some(value)
            }
            Err(wrong) => {
                self.stats.fault(wrong.kind, || {
                    let body: String = String::from_utf8_lossy(&exchange.answer.body).chars().take(300).collect();
                    format!("{}: {}; answered {} {body}", exchange.what, wrong.detail, exchange.answer.status.as_u16())
                });
                None
            }
        }
    }

    /// Any of the own users, by its place.
    pub(crate) fn any_user(&mut self) -> Option<usize> {
        self.random.below(self.users.len())
    }
}

/// A small generator (SplitMix64); the same seed gives the same choices.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, stream: u32) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(stream) << 32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; `None` when there is none.
    pub(crate) fn below(&mut self, bound: usize) -> Option<usize> {
        let bound = u64::try_from(bound).ok()?;
        usize::try_from(self.next().checked_rem(bound)?).ok()
    }

    /// A number from 0 to 99.
    pub(crate) fn percent(&mut self) -> u32 {
        u32::try_from(self.next() % 100).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_repeat_with_the_seed_and_differ_between_connections() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..20).filter_map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_eq!(Random::new(1, 0).below(0), None);
    }
}
