//! The one lease implementation. A runner claims due lanes of its queue, drains each in a task of its own, and
//! gives it back. A process that dies leaves leases that end by themselves; one that is stopped gives them back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::crud::lane;
use crate::models::lane::{Claimed, Lease, Queue};
use crate::work::Works;

/// What one step on a lane did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was handled; look for more.
    Progress,
    /// Nothing is left.
    Drained,
    /// What is next must wait until then.
    Wait(Timestamp),
}

/// A lane that is being drained.
pub struct Lane {
    pub lease: Lease,
    /// Claims without progress, this one included.
    pub attempts: u32,
    /// When the next paced message may leave (outbox).
    pub not_before: Timestamp,
}

/// What a queue does with a lane.
#[async_trait]
pub trait LaneWorker: Send + Sync + 'static {
    const QUEUE: Queue;
    /// Urgency classes of the queue, the most urgent first.
    const CLASSES: &'static [u8];
    /// Whether an idle lane's row is kept to remember its pace.
    const KEEP_IDLE: bool;

    /// Handles what is next in the lane. Must end well within the lease time. A database error gives the lane
    /// back for a later try.
    async fn step(&self, lane: &mut Lane) -> sqlx::Result<Step>;
}

/// How a runner works.
#[derive(Clone, Copy, Debug)]
pub struct RunnerOptions {
    /// A lane whose process died is taken over after this time.
    pub lease: Duration,
    /// Lanes drained at the same time.
    pub parallel: usize,
    /// Longest time between two looks at the database, for work of other processes.
    pub poll: Duration,
}

/// Claims and drains the lanes of one queue.
pub struct Runner<W> {
    works: Works,
    worker: Arc<W>,
    options: RunnerOptions,
    owner: Uuid,
    capacity: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl<W: LaneWorker> Runner<W> {
    /// `owner` is this process's token; `stop` ends the claiming, and running steps are finished.
    pub fn new(
        works: Works,
        worker: W,
        options: RunnerOptions,
        owner: Uuid,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            works,
            worker: Arc::new(worker),
            capacity: Arc::new(Semaphore::new(options.parallel)),
            options,
            owner,
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// Works until stopped; returns when the last running step has ended.
    pub async fn run(self: Arc<Self>) {
        while !self.stop.is_cancelled() {
            let found = match self.claim_all().await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(queue = W::QUEUE.name(), %error, "cannot claim work, trying again");
                    self.pause(Duration::from_millis(500)).await;
                    continue;
                }
            };
            if !found {
                let wait = self.until_next_due().await;
                self.pause(wait).await;
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits for a wake-up, the stop, or `at_most`.
    async fn pause(&self, at_most: Duration) {
        let woken = self.works.wakers.of(W::QUEUE).notified();
        tokio::select! {
            () = woken => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    async fn until_next_due(&self) -> Duration {
        let earliest = async {
            let mut conn = self.works.db.acquire().await?;
            let mut earliest: Option<Timestamp> = None;
            for class in W::CLASSES {
                let due = lane::next_due(&mut conn, W::QUEUE, *class).await?;
                earliest = [earliest, due].into_iter().flatten().min();
            }
            Ok::<_, sqlx::Error>(earliest)
        };
        let Ok(Some(due)) = earliest.await else { return self.options.poll };
        let wait = due.since(self.works.clock.now()).to_std().unwrap_or(Duration::from_millis(1));
        wait.min(self.options.poll)
    }

    /// Claims as many lanes as there is room for, the most urgent class first, and starts draining them.
    async fn claim_all(self: &Arc<Self>) -> sqlx::Result<bool> {
        let first = self.capacity.clone().acquire_owned().await.expect("the semaphore is never closed");
        let mut permits = vec![first];
        permits.extend(std::iter::from_fn(|| self.capacity.clone().try_acquire_owned().ok()));
        let mut found = false;
        for class in W::CLASSES {
            let claimed = self.claim(*class, permits.len()).await?;
            for claimed in claimed {
                let Some(permit) = permits.pop() else { return Ok(true) };
                found = true;
                self.start(claimed, permit);
            }
            if permits.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    async fn claim(&self, class: u8, room: usize) -> sqlx::Result<Vec<Claimed>> {
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        self.works
            .db
            .transaction("claim_lanes", |conn| {
                async move {
                    let now = self.works.clock.now();
                    lane::claim(conn, W::QUEUE, class, now, self.lease_end(now), self.owner, limit).await
                }
                .scope_boxed()
            })
            .await
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now + TimeDelta::from_std(self.options.lease).expect("a lease is minutes long")
    }

    fn start(self: &Arc<Self>, claimed: Claimed, permit: OwnedSemaphorePermit) {
        let runner = self.clone();
        self.tasks.spawn(async move {
            let _permit = permit;
            let lease = Lease {
                queue: W::QUEUE,
                lane: claimed.lane,
                owner: runner.owner,
                version: claimed.version,
            };
            let mut lane =
                Lane { lease, attempts: claimed.attempts, not_before: claimed.not_before };
            if let Err(error) = runner.drain(&mut lane).await {
                tracing::warn!(queue = W::QUEUE.name(), lane = lane.lease.lane, %error, "lane given up for now");
                runner.give_back(&lane).await;
            }
        });
    }

    async fn drain(&self, lane: &mut Lane) -> sqlx::Result<()> {
        let mut renew_at = tokio::time::Instant::now() + self.options.lease / 3;
        loop {
            match self.worker.step(lane).await? {
                Step::Progress => lane.attempts = 1,
                Step::Drained => {
                    if self.release(lane).await? || !self.renew(lane).await? {
                        return Ok(());
                    }
                }
                Step::Wait(until) => return self.postpone(lane, until).await,
            }
            if self.stop.is_cancelled() {
                return self.postpone(lane, self.works.clock.now()).await;
            }
            if tokio::time::Instant::now() >= renew_at {
                if !self.renew(lane).await? {
                    return Ok(());
                }
                renew_at = tokio::time::Instant::now() + self.options.lease / 3;
            }
        }
    }

    /// Gives a drained lane back; false when something was added meanwhile.
    async fn release(&self, lane: &Lane) -> sqlx::Result<bool> {
        let released = self.works.db.statement("release_lane", |conn| match W::KEEP_IDLE {
            true => lane::release(conn, &lane.lease, lane.not_before).scope_boxed(),
            false => lane::remove(conn, &lane.lease).scope_boxed(),
        });
        released.await
    }

    /// Lengthens the lease and learns the lane's version; false when the lease is lost.
    async fn renew(&self, lane: &mut Lane) -> sqlx::Result<bool> {
        let (lease, until) = (&lane.lease, self.lease_end(self.works.clock.now()));
        let db = &self.works.db;
        let version =
            db.statement("renew_lane", |conn| lane::renew(conn, lease, until).scope_boxed()).await?;
        if let Some(version) = version {
            lane.lease.version = version;
        }
        Ok(version.is_some())
    }

    async fn postpone(&self, lane: &Lane, until: Timestamp) -> sqlx::Result<()> {
        let postponed = self.works.db.statement("postpone_lane", |conn| {
            lane::postpone(conn, &lane.lease, until, lane.not_before).scope_boxed()
        });
        postponed.await?;
        // Something more urgent than what waits may have been added: look at once.
        self.works.wakers.of(W::QUEUE).notify_one();
        Ok(())
    }

    async fn give_back(&self, lane: &Lane) {
        let again = self.works.clock.now() + TimeDelta::seconds(2);
        if let Err(error) = self.postpone(lane, again).await {
            tracing::warn!(queue = W::QUEUE.name(), %error, "the lease will end by itself");
        }
    }
}
