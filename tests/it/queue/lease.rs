//! The lease itself: kept as long as its holder works, lost when it cannot be kept, and never in the way of what is
//! urgent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::sync::Semaphore;
use usipipo::ids::{ConfigId, ServerId};
use usipipo::models::job::Job;
use usipipo::queue::Failure;
use usipipo::queue::jobs::{JobHandler, JobWorker, Run};
use usipipo::queue::runner::RunnerOptions;
use usipipo::work::{Origin, Work, Works};

use super::{OPTIONS, Process};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const LIMIT: Duration = Duration::from_secs(30);

/// Counts what begins and what ends; routine waits at a gate.
#[derive(Clone)]
struct Handler {
    begun: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
    urgent: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
    fails: bool,
}

impl Default for Handler {
    fn default() -> Self {
        let zero = Arc::<AtomicU32>::default;
        let gate = Arc::new(Semaphore::new(0));
        Self { begun: zero(), ended: zero(), urgent: zero(), gate, fails: false }
    }
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, _: &Run<'_>, job: &Job) -> Result<(), Failure> {
        if job.class() == 0 {
            self.urgent.fetch_add(1, Ordering::SeqCst);
            return if self.fails { Err(Failure::later("down", Duration::from_secs(60))) } else { Ok(()) };
        }
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    async fn failing(&self, _: &mut Work, _: &Job, _: u32, _: &str) -> Result<(), Failure> {
        Ok(())
    }
    async fn gave_up(&self, _: &mut Work, _: &Job, _: &str) -> Result<(), Failure> {
        Ok(())
    }
}

fn routine(id: i64) -> Job {
    Job::CheckServer { server_id: ServerId(id) }
}

fn awaited(id: i64) -> Job {
    Job::ApplyConfig { config_id: ConfigId(id) }
}

async fn enqueue(works: &Works, job: &Job) {
    let queue = works.run("enqueue", Origin::SYSTEM, |work| {
        async move {
            work.enqueue(job.clone());
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    queue.await.unwrap();
}

fn start(works: &Works, handler: &Handler, options: RunnerOptions) -> Process {
    let worker = JobWorker { works: works.clone(), handler: handler.clone(), max_attempts: 5 };
    Process::start_with(works, worker, options)
}

async fn begun(handler: &Handler, n: u32) {
    eventually(LIMIT, async || handler.begun.load(Ordering::SeqCst) == n).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_outlasts_its_lease_is_not_begun_twice() {
    let works = TestWorks::new().await;
    let (handler, brief) =
        (Handler::default(), RunnerOptions { lease: Duration::from_millis(600), ..OPTIONS });
    enqueue(&works, &routine(1)).await;
    let processes = [start(&works, &handler, brief), start(&works, &handler, brief)];
    begun(&handler, 1).await;
    // Long after the first lease would have ended: it was lengthened at least five times.
    let first: chrono::NaiveDateTime = sqlx::query_scalar("SELECT due_at FROM lanes WHERE queue = 2")
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    eventually(LIMIT, async || {
        let due: chrono::NaiveDateTime = sqlx::query_scalar("SELECT due_at FROM lanes WHERE queue = 2")
            .fetch_one(&works.db.pool)
            .await
            .unwrap();
        due - first > TimeDelta::milliseconds(1500)
    })
    .await;
    assert_eq!(handler.begun.load(Ordering::SeqCst), 1);
    handler.gate.add_permits(1);
    eventually(LIMIT, async || handler.ended.load(Ordering::SeqCst) == 1).await;
    for process in processes {
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_lease_stops_where_it_is() {
    let works = TestWorks::new().await;
    let (handler, brief) =
        (Handler::default(), RunnerOptions { lease: Duration::from_millis(300), ..OPTIONS });
    enqueue(&works, &routine(1)).await;
    let process = start(&works, &handler, brief);
    begun(&handler, 1).await;
    // Another process has it now, for a minute.
    sqlx::query(
        "UPDATE lanes SET owner = REPEAT('x', 16), due_at = due_at + INTERVAL 60 SECOND WHERE queue = 2",
    )
    .execute(&works.db.pool)
    .await
    .unwrap();
    // The stopped process has no step left to wait for, although the gate never opened.
    tokio::time::timeout(LIMIT, process.stop()).await.unwrap();
    assert_eq!(handler.ended.load(Ordering::SeqCst), 0);
    let pending: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE status = 'pending'")
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    assert_eq!(pending, 1, "the new holder finds it undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_waits_for_has_room_of_its_own() {
    let works = TestWorks::new().await;
    let (handler, narrow) = (Handler::default(), RunnerOptions { parallel: 2, urgent: 1, ..OPTIONS });
    for id in 0..10 {
        enqueue(&works, &routine(id)).await;
    }
    let process = start(&works, &handler, narrow);
    begun(&handler, 2).await;
    for id in 0..5 {
        enqueue(&works, &awaited(id)).await;
    }
    eventually(LIMIT, async || handler.urgent.load(Ordering::SeqCst) == 5).await;
    assert_eq!(handler.begun.load(Ordering::SeqCst), 2, "routine is full all the while");
    // Whoever ends makes room for the next at once.
    handler.gate.add_permits(10);
    eventually(LIMIT, async || handler.ended.load(Ordering::SeqCst) == 10).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_work_does_not_cut_the_pause_of_what_failed() {
    let works = TestWorks::new().await;
    let handler = Handler { fails: true, ..Handler::default() };
    let process = start(&works, &handler, OPTIONS);
    enqueue(&works, &awaited(1)).await;
    let held = "SELECT COUNT(*) FROM jobs WHERE retry_at IS NOT NULL";
    let held =
        async |n: i64| sqlx::query_scalar::<_, i64>(held).fetch_one(&works.db.pool).await.unwrap() == n;
    eventually(LIMIT, async || held(1).await).await;
    // The same lane: it is tried for the new request, and the old one keeps its pause.
    enqueue(&works, &awaited(1)).await;
    eventually(LIMIT, async || held(2).await).await;
    let attempts: i64 = sqlx::query_scalar("SELECT CAST(MAX(attempts) AS SIGNED) FROM jobs")
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    assert_eq!(attempts, 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_newer_version_is_left_to_it() {
    let works = TestWorks::new().await;
    let handler = Handler::default();
    enqueue(&works, &awaited(1)).await;
    sqlx::query("UPDATE jobs SET payload = '{\"job\": \"from_the_future\"}'")
        .execute(&works.db.pool)
        .await
        .unwrap();
    let process = start(&works, &handler, OPTIONS);
    let state = async || {
        sqlx::query_as::<_, (String, i64)>(
            "SELECT status, CAST(attempts AS SIGNED) FROM jobs WHERE error IS NOT NULL",
        )
        .fetch_optional(&works.db.pool)
        .await
        .unwrap()
    };
    let found = eventually(LIMIT, async || state().await).await;
    assert_eq!(found, ("pending".to_owned(), 0));
    works.clock.advance(TimeDelta::hours(2));
    eventually(LIMIT, async || state().await == Some(("dead".to_owned(), 0))).await;
    process.stop().await;
}
