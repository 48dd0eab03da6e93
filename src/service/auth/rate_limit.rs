//! Requests a second for one credential (GCRA). Kept in memory per process: it protects the process, it is no quota.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::domain::ids::TokenId;
use crate::service::ServiceError;

/// Checks between two sweeps of credentials that have been silent.
const SWEEP: u32 = 65_536;

/// Limits by credential. Only authenticated credentials get here, and silent ones are swept out, so that the memory is
/// bounded by the tokens in use.
pub struct RateLimit {
    limiter: DefaultKeyedRateLimiter<TokenId>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl RateLimit {
    /// `rate` requests a second and `burst` more at once; 0 counts as 1.
    pub fn new(rate: u32, burst: u32) -> Self {
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate)).allow_burst(at_least_one(burst));
        RateLimit { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Counts one request of a credential.
    ///
    /// # Errors
    /// `TooManyRequests` with the time after which one is allowed again.
    pub fn check(&self, token: TokenId) -> Result<(), ServiceError> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&token)
            .map_err(|refused| ServiceError::TooManyRequests(refused.wait_time_from(self.clock.now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ids;

    #[test]
    fn the_burst_passes_and_the_next_one_is_told_to_wait() {
        let limit = RateLimit::new(1, 5);
        let (token, other) = (ids::token(), ids::token());
        for _ in 0..5 {
            limit.check(token).unwrap();
        }
        let Err(ServiceError::TooManyRequests(wait)) = limit.check(token) else { panic!("the sixth passed") };
        assert!(wait.as_secs_f64() <= 1.0, "{wait:?}");
        limit.check(other).unwrap();
    }
}
