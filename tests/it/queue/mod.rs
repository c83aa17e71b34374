//! The promises of the queues: stored before acknowledged, in order within a lane, exactly one effect, nothing lost
//! when a process dies.

mod inbox;
mod jobs;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use usipipo::queue::runner::{LaneWorker, Runner, RunnerOptions};
use usipipo::work::Works;
use uuid::Uuid;

/// A server process, as far as one queue is concerned.
pub struct Process {
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Process {
    pub fn start<W: LaneWorker>(works: &Works, worker: W) -> Self {
        let options =
            RunnerOptions { lease: Duration::from_secs(60), parallel: 8, poll: Duration::from_millis(50) };
        let stop = CancellationToken::new();
        // Wakers of its own: another process hears nothing of ours.
        let works = Works { wakers: Arc::default(), ..works.clone() };
        let runner = Runner::new(works, worker, options, Uuid::now_v7(), stop.clone());
        Self { stop, task: tokio::spawn(runner.run()) }
    }

    /// Ends as SIGTERM does: running steps are finished.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
