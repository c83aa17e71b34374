//! Work that many ask for at the same time, done for all of them in one go: while one batch is at the database, what
//! comes meanwhile becomes the next. Who asks alone waits for nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How a [`Batcher`] collects.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions<Q> {
    /// Asks that may wait; more are refused, so that memory stays flat.
    pub waiting: usize,
    /// Asks in one batch.
    pub most: usize,
    /// What an ask weighs, and what a batch may weigh.
    pub weight: fn(&Q) -> usize,
    pub heaviest: usize,
    /// A batch that takes longer is not waited for by the next ones.
    pub slow: Duration,
}

/// Slow batches under way at the same time.
const SLOW_BATCHES: usize = 4;

type Ask<Q, A> = (Q, oneshot::Sender<A>);

/// The way to whatever is done in batches. Its task ends when the last handle is dropped.
pub struct Batcher<Q, A> {
    asks: mpsc::Sender<Ask<Q, A>>,
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self { asks: self.asks.clone() }
    }
}

/// Nobody answers: too many wait, or the batch was not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is waiting")]
pub struct Unanswered;

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// `run` answers each ask of a batch, in their order.
    pub fn start<F, Fut>(options: BatchOptions<Q>, run: F) -> Self
    where
        F: Fn(Vec<Q>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        let (asks, queue) = mpsc::channel(options.waiting);
        tokio::spawn(work(options, queue, run));
        Self { asks }
    }

    /// The answer to one ask, once the batch that it is part of is through.
    pub async fn ask(&self, ask: Q) -> Result<A, Unanswered> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send((ask, answer)).map_err(|_| Unanswered)?;
        answered.await.map_err(|_| Unanswered)
    }
}

async fn work<Q, A, F, Fut>(options: BatchOptions<Q>, mut queue: mpsc::Receiver<Ask<Q, A>>, run: F)
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Fn(Vec<Q>) -> Fut,
    Fut: Future<Output = Vec<A>> + Send + 'static,
{
    let mut slow = JoinSet::new();
    while let Some(first) = queue.recv().await {
        // Who was woken at the same time asks at the same time.
        tokio::task::yield_now().await;
        let (asks, answers) = collect(&options, first, &mut queue);
        let answering = run(asks);
        let mut batch = tokio::spawn(async move {
            for (answer, to) in answering.await.into_iter().zip(answers) {
                let _ = to.send(answer);
            }
        });
        // In turn. But a batch that waits for a lock that somebody dead still holds shall not keep everybody else out.
        if tokio::time::timeout(options.slow, &mut batch).await.is_err() {
            slow.spawn(batch);
        }
        while slow.try_join_next().is_some() {}
        while slow.len() >= SLOW_BATCHES {
            slow.join_next().await;
        }
    }
}

/// What waits, as much as one batch takes.
fn collect<Q, A>(
    options: &BatchOptions<Q>,
    first: Ask<Q, A>,
    queue: &mut mpsc::Receiver<Ask<Q, A>>,
) -> (Vec<Q>, Vec<oneshot::Sender<A>>) {
    let mut weight = (options.weight)(&first.0);
    let (mut asks, mut answers) = (vec![first.0], vec![first.1]);
    while asks.len() < options.most && weight < options.heaviest {
        let Ok((ask, answer)) = queue.try_recv() else { break };
        weight += (options.weight)(&ask);
        asks.push(ask);
        answers.push(answer);
    }
    (asks, answers)
}

/// An error that all of a batch met.
pub fn of_all(error: Arc<sqlx::Error>) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(error))
}
