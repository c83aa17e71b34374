//! Work that many ask for at the same time, done for all of them in one go: while one batch is at the database, what
//! comes meanwhile becomes the next. Who asks alone waits for nobody.

use std::collections::VecDeque;
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
    /// Full batches under way at the same time: while one waits for the disk, another has the cores.
    pub abreast: usize,
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
    let mut under_way = JoinSet::new();
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Some(first) = queue.recv().await else { return under_way.detach_all() };
            waiting.push_back(first);
            // Who was woken at the same time asks at the same time.
            tokio::task::yield_now().await;
        }
        let (asks, answers) = collect(&options, &mut waiting, &mut queue);
        let full = asks.len() == options.most;
        let answering = run(asks);
        under_way.spawn(async move {
            for (answer, to) in answering.await.into_iter().zip(answers) {
                let _ = to.send(answer);
            }
        });
        while under_way.try_join_next().is_some() {}
        if full && under_way.len() < options.abreast {
            continue;
        }
        // In turn. But a batch that waits for a lock that somebody dead still holds shall not keep everybody else out.
        if tokio::time::timeout(options.slow, under_way.join_next()).await.is_err() {
            while under_way.len() >= options.abreast + SLOW_BATCHES {
                under_way.join_next().await;
            }
        }
    }
}

/// Of what waits as much as one batch takes, and as many asks as a power of two: a statement over a batch then has one of a
/// few lengths, and is prepared once for each. The rest is the beginning of the next batch.
fn collect<Q, A>(
    options: &BatchOptions<Q>,
    waiting: &mut VecDeque<Ask<Q, A>>,
    queue: &mut mpsc::Receiver<Ask<Q, A>>,
) -> (Vec<Q>, Vec<oneshot::Sender<A>>) {
    while waiting.len() < options.most
        && let Ok(ask) = queue.try_recv()
    {
        waiting.push_back(ask);
    }
    let mut weight = 0;
    let fits = |(ask, _): &&Ask<Q, A>| {
        let before = weight;
        weight += (options.weight)(ask);
        before == 0 || before < options.heaviest
    };
    let count = waiting.iter().take(options.most).take_while(fits).count();
    waiting.drain(..1 << count.ilog2()).unzip()
}

/// An error that all of a batch met.
pub fn of_all(error: Arc<sqlx::Error>) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const OPTIONS: BatchOptions<usize> = BatchOptions {
        waiting: 64,
        most: 16,
        weight: |n| *n,
        heaviest: 10,
        abreast: 2,
        slow: Duration::from_secs(1),
    };

    fn collected(asks: &[usize]) -> (Vec<usize>, usize) {
        let (_, mut queue) = mpsc::channel(1);
        let mut waiting = asks.iter().map(|ask| (*ask, oneshot::channel::<()>().0)).collect();
        let (taken, _) = collect(&OPTIONS, &mut waiting, &mut queue);
        (taken, waiting.len())
    }

    #[test]
    fn a_batch_is_a_power_of_two_and_neither_too_long_nor_too_heavy() {
        assert_eq!(collected(&[0; 7]), (vec![0; 4], 3));
        assert_eq!(collected(&[0; 40]), (vec![0; 16], 24));
        assert_eq!(collected(&[6, 6, 6, 6]), (vec![6, 6], 2), "more than ten weigh down a batch");
        assert_eq!(collected(&[99, 1]), (vec![99], 1), "alone, anything goes");
    }

    /// So many ask at once, of somebody who does nothing until he is told to: for how many of them it is begun?
    async fn begun(count: usize) -> usize {
        let (begun, word) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let of_batches = (begun.clone(), word.clone());
        let batcher = Batcher::start(OPTIONS, move |asks: Vec<usize>| {
            let (begun, word) = of_batches.clone();
            async move {
                begun.fetch_add(asks.len(), Ordering::SeqCst);
                word.acquire().await.unwrap().forget();
                asks
            }
        });
        let mut asking = JoinSet::new();
        for n in 0..count {
            let batcher = batcher.clone();
            asking.spawn(async move { batcher.ask(n % 2).await });
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let before = begun.load(Ordering::SeqCst);
        word.add_permits(count);
        let answers = asking.join_all().await;
        assert!(answers.iter().all(Result::is_ok) && answers.len() == count, "all are answered in the end");
        before
    }

    #[tokio::test]
    async fn a_batch_goes_beside_another_only_when_that_one_is_full() {
        assert_eq!(begun(4).await, 4);
        assert_eq!(begun(16 + 4).await, 16 + 4);
        assert_eq!(begun(16 + 8 + 4).await, 16 + 8, "two at the most");
        assert_eq!(begun(8 + 4).await, 8);
    }
}
