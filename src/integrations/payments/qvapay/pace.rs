//! Keeps our calls inside QvaPay's rate limit: later callers queue in the order they came, none fails.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

/// At most `calls` within any `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub calls: usize,
    pub per: Duration,
}

impl Default for RateLimit {
    /// QvaPay's limit of ordinary calls. Its stricter one is for `/v2/charge`, which nobody here calls.
    fn default() -> Self {
        Self { calls: 3, per: Duration::from_secs(5) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A person waits for the answer.
    Now,
    /// Polling: a person's call waits behind one such call at most, however many are queued.
    Whenever,
}

pub(super) struct Pace {
    limit: RateLimit,
    slots: Arc<Semaphore>,
    background: Mutex<()>,
    not_before: StdMutex<Instant>,
}

/// The right to make one call now. Its slot is free again `per` after the call has *ended*: QvaPay counts when
/// a call arrives, and nobody but it knows when that was.
pub(super) struct Turn {
    slot: Option<OwnedSemaphorePermit>,
    per: Duration,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (slot, per) = (self.slot.take(), self.per);
        tokio::spawn(async move {
            sleep(per).await;
            drop(slot);
        });
    }
}

impl Pace {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            slots: Arc::new(Semaphore::new(limit.calls)),
            background: Mutex::new(()),
            not_before: StdMutex::new(Instant::now()),
        }
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Waits for the caller's turn.
    pub(super) async fn turn(&self, urgency: Urgency) -> Turn {
        let _gate = match urgency {
            Urgency::Now => None,
            Urgency::Whenever => Some(self.background.lock().await),
        };
        let slots = Arc::clone(&self.slots);
        let slot = slots.acquire_owned().await.expect("the semaphore is never closed");
        let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(not_before).await;
        Turn { slot: Some(slot), per: self.limit.per }
    }

    /// Lets nobody call for a while: QvaPay said that it is too much.
    pub(super) fn hold(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = until.max(*not_before);
    }
}
