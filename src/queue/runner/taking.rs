//! Lanes that are leased as they are queued: they wait in hand until there is room for them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use scoped_futures::ScopedFutureExt;
use tokio::time::Instant;

use super::{Lane, LaneWorker, Runner, TROUBLE};
use crate::crud::lane;
use crate::models::lane::{Lease, NewLease};
use crate::queue::hand::{Leased, Takes};

impl<W: LaneWorker> Runner<W> {
    /// Begins with what is in hand, as far as there is room for it.
    pub(super) fn begin(self: &Arc<Self>) {
        while !self.hand.is_empty() && !self.stop.is_cancelled() {
            if self.worker.holds_back().is_some() {
                return;
            }
            let Ok(permit) = self.room.clone().try_acquire_owned() else { return };
            let Some(lane) = self.hand.next() else { return };
            self.start(lane, permit);
        }
    }
}

impl<W: LaneWorker> Takes<W::Row> for Runner<W> {
    fn reserve(&self, most: usize) -> (usize, NewLease) {
        let closed = self.stop.is_cancelled() || self.behind.load(Ordering::Relaxed);
        let now = self.works.clock.now();
        let lease = NewLease { owner: self.next_owner(), now, until: self.lease_end(now) };
        (if closed { 0 } else { self.hand.reserve(most) }, lease)
    }

    fn has_room(&self, lanes: usize) -> bool {
        !self.behind.load(Ordering::Relaxed) && self.hand.has_room(lanes)
    }

    /// Looks until they are found, ever less often: a commit that nobody waits for may still be under way, and until it
    /// is through its lanes are passed over (InnoDB, semi-consistent reads).
    fn let_go(self: Arc<Self>, lease: NewLease) {
        let runner = self.clone();
        self.tasks.spawn(async move {
            let mut pause = TROUBLE;
            while !runner.stop.is_cancelled() && runner.works.clock.now() < lease.until {
                let (owner, now) = (lease.owner, runner.works.clock.now());
                let released = runner.works.db.statement("release_all_lanes", |conn| {
                    lane::release_all(conn, owner..=owner, now).scope_boxed()
                });
                match released.await {
                    Ok(0) => pause *= 2,
                    Ok(_) => return runner.works.wakers.of(W::QUEUE).notify_one(),
                    Err(error) => tracing::debug!(%error, "cannot let go of lanes yet"),
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = runner.stop.cancelled() => {}
                }
            }
        });
    }

    fn give_up(&self, places: usize) {
        self.hand.give_up(places);
    }

    fn take(self: Arc<Self>, lease: NewLease, leased_at: Instant, lanes: Vec<Leased<W::Row>>) {
        let begun = lease.now;
        let lane = |Leased { lane, version, class, rows: known }| {
            let lease = Lease { queue: W::QUEUE, lane, owner: lease.owner, version };
            Lane { lease, leased_at, known, class, attempts: 1, not_before: begun }
        };
        self.hand.put(lanes.into_iter().map(lane).collect());
        self.begin();
        if self.worker.holds_back().is_some() {
            // Somebody has to begin when that is over.
            self.works.wakers.of(W::QUEUE).notify_one();
        }
    }
}
