//! Token buckets, one for each key: what the flood controls of addresses and of people are made of. Each process counts
//! for itself, in memory whose size follows the traffic of the last moments.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// One bucket for every key that was seen lately.
pub(super) struct Buckets<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Buckets<K, C> {
    /// Full buckets are forgotten after that many checks.
    const CLEAN_EVERY: u32 = 1024;

    pub fn new(quota: Quota, clock: C) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        Self { limiter, clock, checks: AtomicU32::new(0) }
    }

    /// Keys that are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }

    /// Takes a token, or says how long until there is one.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % Self::CLEAN_EVERY == Self::CLEAN_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

pub(super) fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}
