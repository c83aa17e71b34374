//! Flood control of people in the bots: a burst, one polite word, then silence. What carries money never goes through
//! here.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use governor::Quota;
use governor::clock::{Clock, DefaultClock};
use uuid::Uuid;

use crate::handlers::buckets::{Buckets, at_least_one};
use crate::ids::UserId;

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
