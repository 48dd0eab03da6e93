//! How many requests one credential may send (GCRA). Kept in memory per process: it protects the process, it is no quota.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::service::ServiceError;

/// Checks between two sweeps of credentials that have been silent.
const SWEEP: u32 = 65_536;

/// Limits by credential. Only authenticated credentials get here, and silent ones are swept out, so that the memory is
/// bounded by the credentials in use.
pub struct RateLimit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// `rate` requests a second and `burst` more at once; 0 counts as 1.
    pub fn per_second(rate: u32, burst: u32) -> Self {
        RateLimit::new(Quota::per_second(at_least_one(rate)).allow_burst(at_least_one(burst)))
    }

    /// `rate` requests a minute, all at once if need be; 0 counts as 1.
    pub fn per_minute(rate: u32) -> Self {
        RateLimit::new(Quota::per_minute(at_least_one(rate)))
    }

    fn new(quota: Quota) -> Self {
        let limiter = RateLimiter::keyed(quota).with_middleware();
        RateLimit { limiter, clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Counts one request of a credential; answers how many more may follow at once.
    ///
    /// # Errors
    /// `TooManyRequests` with the time after which one is allowed again.
    pub fn check(&self, key: &K) -> Result<u32, ServiceError> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(key) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(refused) => Err(ServiceError::TooManyRequests(refused.wait_time_from(self.clock.now()))),
        }
    }
}

/// Time until a limit of `rate` a minute, of which `remaining` are left, is whole again.
pub fn whole_again(rate: u32, remaining: u32) -> Duration {
    let missing = rate.saturating_sub(remaining);
    Duration::from_secs((u64::from(missing) * 60).div_ceil(u64::from(rate.max(1))))
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ids;

    #[test]
    fn the_burst_passes_and_the_next_one_is_told_to_wait() {
        let limit = RateLimit::per_second(1, 5);
        let (token, other) = (ids::token(), ids::token());
        for left in (0..5).rev() {
            assert_eq!(limit.check(&token).unwrap(), left);
        }
        let Err(ServiceError::TooManyRequests(wait)) = limit.check(&token) else { panic!("the sixth passed") };
        assert!(wait.as_secs_f64() <= 1.0, "{wait:?}");
        limit.check(&other).unwrap();
    }

    #[test]
    fn a_minutes_worth_may_come_at_once() {
        let limit = RateLimit::per_minute(3);
        let token = ids::token();
        for left in (0..3).rev() {
            assert_eq!(limit.check(&token).unwrap(), left);
        }
        let Err(ServiceError::TooManyRequests(wait)) = limit.check(&token) else { panic!("the fourth passed") };
        assert!(wait.as_secs_f64() <= 20.0, "{wait:?}");
        assert_eq!(whole_again(3, 0), Duration::from_secs(60));
        assert_eq!(whole_again(600, 599), Duration::from_secs(1));
        assert_eq!(whole_again(600, 600), Duration::ZERO);
    }
}
