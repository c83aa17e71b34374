use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::ids::ConfigId;
use usipipo::models::job::Job;
use usipipo::queue::Failure;
use usipipo::queue::jobs::{JobHandler, JobWorker, Run};
use usipipo::work::{Origin, Work, Works};

use super::Process;
use crate::support::wait::eventually;
use crate::support::works::{TestWorks, mark};

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Handler {
    fails: u32,
    runs: Arc<AtomicU32>,
    gives_up: bool,
    panics: bool,
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, run: &Run<'_>, job: &Job) -> Result<(), Failure> {
        let number = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(!self.panics || number > 1, "boom");
        if self.gives_up {
            return Err(Failure::give_up("impossible"));
        }
        if number <= self.fails {
            return Err(Failure::later("down", Duration::ZERO));
        }
        run.finish("effect", |work| {
            async move { Ok(mark(work, "effect", Some(&job.lane()), ()).await?) }.scope_boxed()
        })
        .await?;
        Ok(())
    }
    async fn failing(&self, work: &mut Work, _: &Job, attempts: u32, reason: &str) -> Result<(), Failure> {
        Ok(mark(work, "failing", Some(reason), attempts).await?)
    }
    async fn gave_up(&self, work: &mut Work, _: &Job, reason: &str) -> Result<(), Failure> {
        Ok(mark(work, "gave_up", Some(reason), ()).await?)
    }
}

async fn audits(works: &TestWorks, action: &str) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM audit_logs WHERE action = ?")
        .bind(action)
        .fetch_one(&works.db.pool)
        .await
        .unwrap()
}

async fn enqueue(works: &Works, job: Job) {
    let queue = works.run("enqueue", Origin::SYSTEM, |work| {
        let job = job.clone();
        async move {
            work.enqueue(job);
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    queue.await.unwrap();
}

fn apply(id: i64) -> Job {
    Job::ApplyConfig { config_id: ConfigId(id) }
}

fn worker(works: &Works, handler: &Handler) -> JobWorker<Handler> {
    JobWorker { works: works.clone(), handler: handler.clone(), max_attempts: 5 }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_work_is_queued_once_until_it_begins() {
    let works = TestWorks::new().await;
    for _ in 0..5 {
        enqueue(&works, apply(1)).await;
    }
    enqueue(&works, apply(2)).await;
    let handler = Handler::default();
    let process = Process::start(&works, worker(&works, &handler));
    eventually(LIMIT, async || audits(&works, "effect").await == 2).await;
    // Asked for again after it ran, it runs again.
    enqueue(&works, apply(1)).await;
    eventually(LIMIT, async || audits(&works, "effect").await == 3).await;
    assert_eq!(handler.runs.load(Ordering::SeqCst), 3);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_tried_again_later_and_its_runs_are_counted() {
    let works = TestWorks::new().await;
    enqueue(&works, apply(1)).await;
    let handler = Handler { fails: 2, ..Handler::default() };
    let process = Process::start(&works, worker(&works, &handler));
    eventually(LIMIT, async || audits(&works, "failing").await == 1).await;
    assert_eq!(audits(&works, "effect").await, 0);
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::seconds(5));
        audits(&works, "effect").await == 1
    })
    .await;
    let (status, attempts): (String, u32) =
        sqlx::query_as("SELECT status, attempts FROM jobs").fetch_one(&works.db.pool).await.unwrap();
    assert_eq!((status.as_str(), attempts), ("done", 3));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hopeless_job_is_dead_with_its_reason() {
    let works = TestWorks::new().await;
    enqueue(&works, apply(1)).await;
    let handler = Handler { gives_up: true, ..Handler::default() };
    let process = Process::start(&works, worker(&works, &handler));
    eventually(LIMIT, async || audits(&works, "gave_up").await == 1).await;
    let error: String = sqlx::query_scalar("SELECT error FROM jobs WHERE status = 'dead'")
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    assert_eq!(error, "impossible");
    counted(&works, "dead", 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_is_tried_again() {
    let works = TestWorks::new().await;
    enqueue(&works, apply(1)).await;
    let handler = Handler { panics: true, ..Handler::default() };
    let process = Process::start(&works, worker(&works, &handler));
    eventually(LIMIT, async || audits(&works, "failing").await == 1).await;
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::seconds(5));
        audits(&works, "effect").await == 1
    })
    .await;
    process.stop().await;
    counted(&works, "retried", 1);
    counted(&works, "done", 1);
    assert!(works.metrics.render().contains("usipipo_panics_total{place=\"job\"} 1\n"));
}

/// Runs of the job that ended so.
fn counted(works: &TestWorks, outcome: &str, runs: u32) {
    let (numbers, outcome) = (works.metrics.render(), format!("outcome=\"{outcome}\"}} {runs}\n"));
    let line = format!("usipipo_jobs_total{{kind=\"apply_config\",{outcome}");
    assert!(numbers.contains(&line), "{line} in {numbers}");
}
