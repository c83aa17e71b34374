//! The promises of the queues: stored before acknowledged, in order within a lane, exactly one effect, nothing lost
//! when a process dies.

mod failing;
mod hand;
mod inbox;
mod jobs;
mod lease;
mod outbox;
mod pace;

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use usipipo::models::lane::Holder;
use usipipo::queue::runner::{LaneWorker, Runner, RunnerOptions};
use usipipo::work::{Wakers, Works};

pub const OPTIONS: RunnerOptions = RunnerOptions {
    lease: Duration::from_secs(60),
    parallel: 8,
    urgent: 2,
    in_hand: 0,
    poll: Duration::from_millis(50),
};

/// A server process, as far as one queue is concerned.
pub struct Process {
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Process {
    pub fn start<W: LaneWorker>(works: &Works, worker: W) -> Self {
        Self::start_with(works, worker, OPTIONS)
    }

    pub fn start_with<W: LaneWorker>(works: &Works, worker: W, options: RunnerOptions) -> Self {
        let stop = CancellationToken::new();
        // Wakers of its own: another process hears nothing of ours.
        let works = Works { wakers: Arc::default(), ..works.clone() };
        let runner = Runner::new(works, worker, options, Holder::random(), stop.clone());
        Self { stop, task: tokio::spawn(runner.run()) }
    }

    /// As a server does it: what is queued by way of these works is taken in hand. `reach` is told who takes it.
    pub fn start_here<W: LaneWorker>(
        works: &Works,
        worker: W,
        options: RunnerOptions,
        reach: impl FnOnce(&Wakers, Weak<Runner<W>>),
    ) -> Self {
        let stop = CancellationToken::new();
        let runner = Runner::new(works.clone(), worker, options, Holder::random(), stop.clone());
        reach(&works.wakers, Arc::downgrade(&runner));
        Self { stop, task: tokio::spawn(runner.run()) }
    }

    /// Ends as SIGTERM does: running steps are finished.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
