//! Keeps our calls inside QvaPay's rate limit: callers queue in the order they came. Nobody waits long, because who
//! waits holds what others could work with: those whose turn is far are sent away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use crate::integrations::payments::Urgency;

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

/// Callers that may wait, in rounds of the limit.
const ROUNDS: u32 = 2;

pub(super) struct Pace {
    limit: RateLimit,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    background: Mutex<()>,
    not_before: StdMutex<Instant>,
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
            waiting: AtomicUsize::new(0),
            background: Mutex::new(()),
            not_before: StdMutex::new(Instant::now()),
        }
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Waits for the caller's turn. Err when it is not near: how long to stay away.
    pub(super) async fn turn(&self, urgency: Urgency) -> Result<Turn, Duration> {
        let _gate = match urgency {
            Urgency::Now => None,
            Urgency::Whenever => Some(self.background.lock().await),
        };
        let slot = match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => self.next_slot(urgency).await?,
        };
        let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(not_before).await;
        Ok(Turn { slot: Some(slot), per: self.limit.per })
    }

    async fn next_slot(&self, urgency: Urgency) -> Result<OwnedSemaphorePermit, Duration> {
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if urgency == Urgency::Now && ahead >= self.limit.calls * ROUNDS as usize {
            return Err(self.limit.per * ROUNDS);
        }
        Ok(Arc::clone(&self.slots).acquire_owned().await.expect("the semaphore is never closed"))
    }

    /// Lets nobody call for a while: QvaPay said that it is too much.
    pub(super) fn hold(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = until.max(*not_before);
    }
}
