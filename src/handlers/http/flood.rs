//! Flood control: token buckets for addresses and for people. Each process counts for itself, in memory whose
//! size follows the traffic of the last moments. What carries money never goes through here.

use std::collections::VecDeque;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

use crate::ids::UserId;

/// One bucket for every key that was seen lately.
struct Buckets<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Buckets<K, C> {
    /// Full buckets are forgotten after that many checks.
    const CLEAN_EVERY: u32 = 1024;

    fn new(quota: Quota, clock: C) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        Self { limiter, clock, checks: AtomicU32::new(0) }
    }

    /// Takes a token, or says how long until there is one.
    fn take(&self, key: &K) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % Self::CLEAN_EVERY == Self::CLEAN_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// Requests of one address on the routes that anybody can call.
pub struct IpFlood<C: Clock = DefaultClock>(Buckets<IpAddr, C>);

impl IpFlood {
    /// `per_second` on average, five times that at once.
    pub fn new(per_second: u32) -> Self {
        Self::with_clock(per_second, DefaultClock::default())
    }
}

impl<C: Clock + Clone> IpFlood<C> {
    fn with_clock(per_second: u32, clock: C) -> Self {
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(per_second * 5));
        Self(Buckets::new(quota, clock))
    }

    /// Ok, or how long the caller should wait.
    pub fn check(&self, ip: IpAddr) -> Result<(), Duration> {
        self.0.take(&household(ip))
    }
}

/// What one subscriber line holds: an IPv4 address, or an IPv6 network of 64 bits.
fn household(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// Too many: do nothing but ask the person to slow down.
    WarnOnce,
    /// Too many, and asked already: do nothing.
    Drop,
}

/// Actions of one person in the bots.
pub struct UserFlood<C: Clock = DefaultClock> {
    actions: Buckets<UserId, C>,
    warnings: Buckets<UserId, C>,
    /// Of the actions checked last, the newest first.
    verdicts: Mutex<VecDeque<(Uuid, Verdict)>>,
}

/// Actions whose verdict is remembered: many more than are handled at the same time.
const REMEMBERED: usize = 256;

impl UserFlood {
    /// `per_minute` on average, `burst` at once.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self::with_clock(per_minute, burst, DefaultClock::default())
    }
}

impl<C: Clock + Clone> UserFlood<C> {
    fn with_clock(per_minute: u32, burst: u32, clock: C) -> Self {
        let actions = Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst));
        let warnings = Quota::per_minute(NonZeroU32::MIN);
        Self {
            actions: Buckets::new(actions, clock.clone()),
            warnings: Buckets::new(warnings, clock),
            verdicts: Mutex::default(),
        }
    }

    /// Counts an action of `user`; one warning a minute. Payments must not be asked about. `event` is what the action
    /// came with: handled again after a conflict in the database, it counts no second time.
    pub fn check(&self, user: UserId, event: Option<Uuid>) -> Verdict {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, verdict)) = verdicts.iter().find(|(known, _)| Some(*known) == event) {
            return *verdict;
        }
        let verdict = self.count(user);
        if let Some(event) = event {
            verdicts.truncate(REMEMBERED - 1);
            verdicts.push_front((event, verdict));
        }
        verdict
    }

    fn count(&self, user: UserId) -> Verdict {
        if self.actions.take(&user).is_ok() {
            Verdict::Pass
        } else if self.warnings.take(&user).is_ok() {
            Verdict::WarnOnce
        } else {
            Verdict::Drop
        }
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_person_gets_a_burst_then_one_warning_then_silence() {
        let clock = FakeRelativeClock::default();
        let flood = UserFlood::with_clock(60, 3, clock.clone());
        let check = || flood.check(UserId(7), None);
        assert_eq!([check(), check(), check()], [Verdict::Pass; 3]);
        assert_eq!([check(), check(), check()], [Verdict::WarnOnce, Verdict::Drop, Verdict::Drop]);
        assert_eq!(flood.check(UserId(8), None), Verdict::Pass, "another person is not touched");
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            [check(), check()],
            [Verdict::Pass, Verdict::Drop],
            "one action a second, no second warning"
        );
        clock.advance(Duration::from_secs(60));
        assert_eq!(
            [check(), check(), check(), check()],
            [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::WarnOnce]
        );
    }

    #[test]
    fn an_action_that_is_handled_again_counts_once() {
        let flood = UserFlood::with_clock(60, 2, FakeRelativeClock::default());
        let check = |event: u128| flood.check(UserId(7), Some(Uuid::from_u128(event)));
        assert_eq!([check(1), check(1), check(1), check(2)], [Verdict::Pass; 4]);
        assert_eq!([check(3), check(3), check(4)], [Verdict::WarnOnce, Verdict::WarnOnce, Verdict::Drop]);
        assert_eq!(check(1), Verdict::Pass, "it was let through");
        for event in 0..10_000 {
            check(event);
        }
        assert_eq!(flood.verdicts.lock().unwrap().len(), REMEMBERED);
    }

    #[test]
    fn an_address_is_told_how_long_to_wait() {
        let clock = FakeRelativeClock::default();
        let flood = IpFlood::with_clock(2, clock.clone());
        let check = || flood.check("203.0.113.9".parse().unwrap());
        for _ in 0..10 {
            assert_eq!(check(), Ok(()));
        }
        assert_eq!(check(), Err(Duration::from_millis(500)));
        clock.advance(Duration::from_millis(500));
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn one_household_has_one_bucket() {
        let ip = |text: &str| household(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2::7"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::7"), ip("2001:db8:1:3::7"));
        assert_eq!(ip("::ffff:203.0.113.9"), ip("203.0.113.9"));
        assert_ne!(ip("203.0.113.9"), ip("203.0.113.10"));
    }

    #[test]
    fn memory_follows_the_traffic_of_the_last_moments() {
        let clock = FakeRelativeClock::default();
        let flood = IpFlood::with_clock(20, clock.clone());
        for round in 0..50_u32 {
            for host in 0..1000_u32 {
                assert!(flood.check(IpAddr::from((round << 16 | host).to_be_bytes())).is_ok());
            }
            clock.advance(Duration::from_secs(1));
        }
        let kept = flood.0.limiter.len();
        assert!(kept <= 2048, "{kept} of 50000 addresses are remembered");
    }
}
