//! The one lease implementation. A runner claims due lanes of its queue, drains each in a task of its own, and
//! gives it back. A process that dies leaves leases that end by themselves; one that is stopped gives them back.

mod taking;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::front::Fronts;
use super::hand::InHand;
use crate::clock::Timestamp;
use crate::crud::lane;
use crate::models::lane::{Claimed, Holder, Lease, Look, Queue};
use crate::work::Works;

/// What one step on a lane did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was handled; look for more.
    Progress,
    /// Nothing is left.
    Drained,
    /// Nothing is left, and the lane was given back together with the last thing that was done.
    Released,
    /// What is next must wait until then.
    Wait(Timestamp),
    /// What is next is for those who claim this class.
    HandOver(u8),
}

/// A lane that is being drained.
pub struct Lane<R> {
    pub lease: Lease,
    pub leased_at: tokio::time::Instant,
    /// What is next in it, as far as that is known without reading it.
    pub known: Vec<R>,
    /// The class under which it was claimed, 0 the most urgent.
    pub class: u8,
    /// Claims without progress, this one included.
    pub attempts: u32,
    /// When the next paced message may leave (outbox).
    pub not_before: Timestamp,
}

/// What a queue does with a lane.
#[async_trait]
pub trait LaneWorker: Send + Sync + 'static {
    /// What waits in a lane.
    type Row: Send + Sync + 'static;
    const QUEUE: Queue;
    /// Whether an idle lane's row is kept to remember its pace.
    const KEEP_IDLE: bool;

    /// The classes of lanes that are for this process, each with its urgency, 0 first.
    fn classes(&self) -> Vec<(u8, u8)>;

    /// How urgent lanes of a class are; None: they are not for this process.
    fn urgency(&self, class: u8) -> Option<u8> {
        self.classes().into_iter().find(|(of, _)| *of == class).map(|(_, urgency)| urgency)
    }

    /// How long lanes should not be claimed yet, the most urgent excepted; None: nothing speaks against it.
    fn holds_back(&self) -> Option<Duration> {
        None
    }

    /// Handles what is next in the lane. The lease is kept alive meanwhile; if it is lost all the same, the step is
    /// dropped where it waits. A database error gives the lane back for a later try.
    async fn step(&self, lane: &mut Lane<Self::Row>) -> sqlx::Result<Step>;
}

/// How a runner works.
#[derive(Clone, Copy, Debug)]
pub struct RunnerOptions {
    /// A lane whose process died is taken over after this time.
    pub lease: Duration,
    /// Lanes drained at the same time.
    pub parallel: usize,
    /// And so many more of the most urgent class, which shall never wait for the others.
    pub urgent: usize,
    /// Lanes that are taken in hand as they are queued, and wait for room.
    pub in_hand: usize,
    /// Longest time between two looks at the database, for work of other processes.
    pub poll: Duration,
}

/// Claims and drains the lanes of one queue.
pub struct Runner<W: LaneWorker> {
    works: Works,
    worker: Arc<W>,
    options: RunnerOptions,
    holder: Holder,
    /// Number of the next claim.
    claims: AtomicU64,
    room: Arc<Semaphore>,
    urgent_room: Arc<Semaphore>,
    hand: InHand<W::Row>,
    /// More is due than there is room for: what comes now has to wait its turn, and is not taken in hand.
    behind: AtomicBool,
    /// Something is due that there was no room for: whoever ends wakes the claiming.
    starved: AtomicBool,
    freed: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Urgency of what is taken in hand, or is more urgent: nothing else stands in its way.
const PROMPT: u8 = 1;
/// Lanes that are handled together end together: their places are given to others in one go.
const TOGETHER: Duration = Duration::from_millis(1);
/// Time until the next look when what was due could not be had: somebody else claims it, or holds its row.
const CONTENDED: Duration = Duration::from_millis(20);
/// A lane that came back from handing it over rests as long.
const RETURNED: TimeDelta = TimeDelta::seconds(1);
/// How long a step may still take to end when its lane is not its own any more.
const ENDING: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const TROUBLE: Duration = Duration::from_millis(500);

impl<W: LaneWorker> Runner<W> {
    /// `holder` is this process; `stop` ends the claiming, and running steps are finished.
    pub fn new(
        works: Works,
        worker: W,
        options: RunnerOptions,
        holder: Holder,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            works,
            worker: Arc::new(worker),
            room: Arc::new(Semaphore::new(options.parallel)),
            urgent_room: Arc::new(Semaphore::new(options.urgent)),
            hand: InHand::new(options.in_hand),
            behind: AtomicBool::new(false),
            options,
            holder,
            claims: AtomicU64::new(1),
            starved: AtomicBool::new(false),
            freed: Notify::new(),
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// Works until stopped; returns when the last running step has ended.
    pub async fn run(self: Arc<Self>) {
        let mut fronts = Fronts::default();
        while !self.stop.is_cancelled() {
            self.begin();
            let wait = self.claim_due(&mut fronts).await.unwrap_or_else(|error| {
                tracing::warn!(queue = W::QUEUE.name(), %error, "cannot claim work, trying again");
                TROUBLE
            });
            let held_back = self.worker.holds_back().filter(|_| !self.hand.is_empty());
            let wait = held_back.map_or(wait, |pause| wait.min(pause));
            tokio::select! {
                () = self.works.wakers.of(W::QUEUE).notified() => {}
                () = self.freed.notified() => tokio::time::sleep(TOGETHER).await,
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Claims what is due and there is room for, the most urgent class first, and starts draining it. Tells when to
    /// look again.
    async fn claim_due(self: &Arc<Self>, fronts: &mut Fronts) -> sqlx::Result<Duration> {
        let mut wait = self.options.poll;
        let mut behind = false;
        for (urgency, look, due_at) in self.next_due(fronts).await? {
            let now = self.works.clock.now();
            let until = due_at.map(|at| at.since(now).to_std().unwrap_or_default());
            match until {
                Some(Duration::ZERO) => {}
                until => {
                    let behind = fronts.exhausted(look.class).then_some(Duration::ZERO);
                    wait = wait.min(behind.or(until).unwrap_or(wait));
                    continue;
                }
            }
            if urgency > 0
                && let Some(pause) = self.worker.holds_back()
            {
                wait = wait.min(pause);
                behind |= urgency <= PROMPT;
                continue;
            }
            let permits = self.permits(urgency);
            if permits.is_empty() {
                behind |= urgency <= PROMPT;
                self.starved.store(true, Ordering::Relaxed);
                continue;
            }
            let claimed = self.claim(look, permits.len()).await?;
            match claimed.last() {
                Some((_, due_at)) if claimed.len() == permits.len() => {
                    fronts.filled(look.class, *due_at, Instant::now());
                    behind |= urgency <= PROMPT;
                    self.starved.store(true, Ordering::Relaxed);
                }
                _ if fronts.exhausted(look.class) => wait = Duration::ZERO,
                None => wait = wait.min(CONTENDED),
                Some(_) => {}
            }
            for ((lane, _), permit) in claimed.into_iter().zip(permits) {
                self.start(lane, permit);
            }
        }
        self.behind.store(behind, Ordering::Relaxed);
        Ok(wait)
    }

    /// Where to look for lanes of the classes that are ours, the most urgent first, and when the first there is due.
    async fn next_due(&self, fronts: &Fronts) -> sqlx::Result<Vec<(u8, Look, Option<Timestamp>)>> {
        let now = Instant::now();
        let mut classes = self.worker.classes();
        classes.sort_unstable_by_key(|(class, urgency)| (*urgency, *class));
        let looks: Vec<Look> =
            classes.iter().map(|(class, _)| Look { class: *class, from: fronts.of(*class, now) }).collect();
        let due = self.works.db.read(|conn| lane::next_due(conn, W::QUEUE, &looks).scope_boxed()).await?;
        let first = |look: &Look| due.iter().find(|(class, _)| *class == look.class).map(|(_, at)| *at);
        Ok(classes.iter().zip(looks).map(|((_, urgency), look)| (*urgency, look, first(&look))).collect())
    }

    /// All the room there is for lanes of this urgency.
    fn permits(&self, urgency: u8) -> Vec<OwnedSemaphorePermit> {
        let take = |room: &Arc<Semaphore>| {
            let room = room.clone();
            std::iter::from_fn(move || room.clone().try_acquire_owned().ok())
        };
        match urgency == 0 {
            true => take(&self.urgent_room).chain(take(&self.room)).collect(),
            false => take(&self.room).collect(),
        }
    }

    /// Leases lanes that are due, each with since when it had been.
    async fn claim(&self, look: Look, room: usize) -> sqlx::Result<Vec<(Lane<W::Row>, Timestamp)>> {
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let (owner, leased_at) = (self.next_owner(), tokio::time::Instant::now());
        let claimed = self
            .works
            .db
            .transaction("claim_lanes", |conn| {
                async move {
                    let now = self.works.clock.now();
                    lane::claim(conn, W::QUEUE, look, now, self.lease_end(now), owner, limit).await
                }
                .scope_boxed()
            })
            .await?;
        let lane = |claimed: Claimed| {
            let lease = Lease { queue: W::QUEUE, lane: claimed.lane, owner, version: claimed.version };
            let (class, attempts, not_before) = (look.class, claimed.attempts, claimed.not_before);
            (Lane { lease, leased_at, known: Vec::new(), class, attempts, not_before }, claimed.due_at)
        };
        Ok(claimed.into_iter().map(lane).collect())
    }

    /// The owner of the next lease.
    fn next_owner(&self) -> Uuid {
        self.holder.lease(self.claims.fetch_add(1, Ordering::Relaxed))
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now + TimeDelta::from_std(self.options.lease).expect("a lease is minutes long")
    }

    fn start(self: &Arc<Self>, mut lane: Lane<W::Row>, permit: OwnedSemaphorePermit) {
        let runner = self.clone();
        self.tasks.spawn(async move {
            if let Err(error) = runner.drain(&mut lane).await {
                tracing::warn!(queue = W::QUEUE.name(), lane = lane.lease.lane, %error, "lane given up for now");
                runner.give_back(&lane).await;
            }
            drop(permit);
            runner.begin();
            if runner.starved.swap(false, Ordering::Relaxed) {
                runner.freed.notify_one();
            }
        });
    }

    async fn drain(&self, lane: &mut Lane<W::Row>) -> sqlx::Result<()> {
        let mut renew_at = lane.leased_at + self.options.lease / 3;
        // What was long in hand may be somebody else's by now.
        if tokio::time::Instant::now() >= renew_at {
            if !self.renew(lane).await? {
                return Ok(());
            }
            renew_at = tokio::time::Instant::now() + self.options.lease / 3;
        }
        loop {
            let Some(step) = self.step(lane).await? else { return Ok(()) };
            match step {
                Step::Progress => lane.attempts = 1,
                Step::Drained => {
                    if self.release(lane).await? || !self.renew(lane).await? {
                        return Ok(());
                    }
                }
                Step::Released => return Ok(()),
                Step::Wait(until) => return self.postpone(lane, until).await,
                Step::HandOver(class) => return self.hand_over(lane, class).await,
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

    /// One step, with the lease kept alive; None: the lease was lost, and the step dropped where it waited.
    async fn step(&self, lane: &mut Lane<W::Row>) -> sqlx::Result<Option<Step>> {
        let lease = lane.lease.clone();
        let mut step = self.worker.step(lane);
        tokio::select! {
            done = &mut step => return done.map(Some),
            () = self.keep_alive(&lease) => {}
        }
        // Its own commit may have given the lane back, and be about to say so.
        let done = tokio::time::timeout(ENDING, step).await;
        done.map(|done| done.map(Some)).unwrap_or_else(|_| {
            tracing::warn!(queue = W::QUEUE.name(), lane = lease.lane, "lease lost in the middle of a step");
            Ok(None)
        })
    }

    /// Lengthens a lease again and again; returns when it is lost, or may be.
    async fn keep_alive(&self, lease: &Lease) {
        let mut sure_until = tokio::time::Instant::now() + self.options.lease;
        while tokio::time::Instant::now() < sure_until {
            tokio::time::sleep(self.options.lease / 3).await;
            let asked = tokio::time::Instant::now();
            let until = self.lease_end(self.works.clock.now());
            let db = &self.works.db;
            let kept = db.statement("extend_lease", |conn| lane::extend(conn, lease, until).scope_boxed());
            match kept.await {
                Ok(true) => sure_until = asked + self.options.lease,
                Ok(false) => return,
                Err(error) => tracing::warn!(lane = lease.lane, %error, "cannot lengthen a lease"),
            }
        }
    }

    /// Gives a drained lane back; false when something was added meanwhile.
    async fn release(&self, lane: &Lane<W::Row>) -> sqlx::Result<bool> {
        let released = self.works.db.statement("release_lane", |conn| match W::KEEP_IDLE {
            true => lane::release(conn, &lane.lease, lane.not_before).scope_boxed(),
            false => lane::remove(conn, &lane.lease).scope_boxed(),
        });
        released.await
    }

    /// Lengthens the lease and learns the lane's version; false when the lease is lost.
    async fn renew(&self, lane: &mut Lane<W::Row>) -> sqlx::Result<bool> {
        let (lease, until) = (&lane.lease, self.lease_end(self.works.clock.now()));
        let db = &self.works.db;
        let version =
            db.statement("renew_lane", |conn| lane::renew(conn, lease, until).scope_boxed()).await?;
        if let Some(version) = version.filter(|version| *version != lane.lease.version) {
            lane.lease.version = version;
            // Something was added: what is known is not all any more.
            lane.known.clear();
        }
        Ok(version.is_some())
    }

    async fn postpone(&self, lane: &Lane<W::Row>, until: Timestamp) -> sqlx::Result<()> {
        let now = self.works.clock.now();
        let postponed = self.works.db.statement("postpone_lane", |conn| {
            lane::postpone(conn, &lane.lease, until, now, lane.not_before).scope_boxed()
        });
        postponed.await?;
        self.works.wakers.of(W::QUEUE).notify_one();
        Ok(())
    }

    async fn hand_over(&self, lane: &Lane<W::Row>, class: u8) -> sqlx::Result<()> {
        // What is for another machine whose class is ours, too, would be back at once, again and again.
        let pause = self.worker.urgency(class).map_or(TimeDelta::zero(), |_| RETURNED);
        let due_at = self.works.clock.now() + pause;
        let handed = self.works.db.statement("hand_over_lane", |conn| {
            lane::hand_over(conn, &lane.lease, class, due_at).scope_boxed()
        });
        handed.await
    }

    async fn give_back(&self, lane: &Lane<W::Row>) {
        let again = self.works.clock.now() + TimeDelta::seconds(2);
        if let Err(error) = self.postpone(lane, again).await {
            tracing::warn!(queue = W::QUEUE.name(), %error, "the lease will end by itself");
        }
    }
}
