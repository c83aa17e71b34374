//! The job runner: work outside the database. A run is counted when it begins; its effect commits with its mark.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::FutureExt;
use scoped_futures::{ScopedBoxFuture, ScopedFutureExt};
use sqlx::MySqlConnection;

use super::failure::{Failure, backoff};
use super::inbox::{in_chrono, panic_text};
use super::outbox::{LEFT_TO_NEWER, NEWER_LOOK};
use super::runner::{Lane, LaneWorker, Step};
use crate::clock::Timestamp;
use crate::crud;
use crate::ids::JobId;
use crate::machine::Machine;
use crate::models::audit::Actor;
use crate::models::event::QueueStatus;
use crate::models::job::{Job, QueuedJob};
use crate::models::lane::{self, Queue};
use crate::telemetry::metrics::{JobOutcome, Place, UNKNOWN_JOB};
use crate::work::{Origin, Work, Works};

/// One run of a job. The handler reads, calls the outside, and commits what came of it through [`Run::finish`].
pub struct Run<'a> {
    pub id: JobId,
    /// Runs begun, this one included.
    pub attempts: u32,
    kind: &'static str,
    works: &'a Works,
}

impl Run<'_> {
    /// Commits the effect together with the job's mark. When another process has finished the job meanwhile,
    /// `body` is not run and None comes back.
    pub async fn finish<'a, T, F>(&'a self, name: &'static str, body: F) -> Result<Option<T>, Failure>
    where
        F: for<'r> Fn(&'r mut Work) -> ScopedBoxFuture<'a, 'r, Result<T, Failure>> + Send + Sync + 'a,
        T: Send + 'a,
    {
        let body = &body;
        self.works
            .run(name, self.origin(), |work| {
                async move {
                    let (now, kind) = (work.now(), self.kind);
                    if !crud::job::finish(work.conn(), self.id, QueueStatus::Done, None, now).await? {
                        return Ok(None);
                    }
                    work.count(move |metrics| metrics.job(kind, JobOutcome::Done));
                    body(work).await.map(Some)
                }
                .scope_boxed()
            })
            .await
    }

    /// Commits a change that is safe to repeat while the job goes on.
    pub async fn commit<'a, T, F>(&'a self, name: &'static str, body: F) -> Result<T, Failure>
    where
        F: for<'r> Fn(&'r mut Work) -> ScopedBoxFuture<'a, 'r, Result<T, Failure>> + Send + Sync + 'a,
        T: Send + 'a,
    {
        self.works.run(name, self.origin(), body).await
    }

    fn origin(&self) -> Origin {
        Origin::new(Actor::System, self.id.0)
    }
}

/// What is done with jobs.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The machine on which alone a job can be done; None: on any.
    async fn home(&self, _conn: &mut MySqlConnection, _job: &Job) -> sqlx::Result<Option<Machine>> {
        Ok(None)
    }
    /// Runs a job. Ok without [`Run::finish`] marks it done: it had nothing to change.
    async fn run(&self, run: &Run<'_>, job: &Job) -> Result<(), Failure>;
    /// The job failed for the `attempts`-th time and is tried again; tells the admins when that is worth it.
    async fn failing(&self, work: &mut Work, job: &Job, attempts: u32, reason: &str) -> Result<(), Failure>;
    /// The job was given up; tells the admins in the same unit of work.
    async fn gave_up(&self, work: &mut Work, job: &Job, reason: &str) -> Result<(), Failure>;
}

/// Runs queued jobs.
pub struct JobWorker<H> {
    pub works: Works,
    pub handler: H,
    /// Runs after which a job is given up.
    pub max_attempts: u32,
}

/// One run may take this long; a run that needs more splits itself into jobs.
const RUN_TIME: Duration = Duration::from_secs(60);
/// But the books of a large house, read from end to end at night beside everything else.
const BOOKS_TIME: Duration = Duration::from_secs(15 * 60);
/// Runs of a job that the clock queues again anyway.
const RECURRING_ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

#[async_trait]
impl<H: JobHandler> LaneWorker for JobWorker<H> {
    type Row = QueuedJob;
    const QUEUE: Queue = Queue::Jobs;
    const KEEP_IDLE: bool = false;

    fn classes(&self) -> Vec<(u8, u8)> {
        lane::classes_at(self.here()).to_vec()
    }

    async fn step(&self, lane: &mut Lane<QueuedJob>) -> sqlx::Result<Step> {
        let mut conn = self.works.db.acquire().await?;
        let now = self.works.clock.now();
        let Some(mut row) = crud::job::next_of_lane(&mut conn, &lane.lease.lane, now).await? else {
            return Ok(Step::Drained);
        };
        if let Some(until) = row.retry_at.filter(|until| *until > now) {
            return Ok(Step::Wait(until));
        }
        let Ok(job) = serde_json::from_str::<Job>(&row.payload) else {
            drop(conn);
            return self.unknown(&row, now).await;
        };
        // Before it begins: what is handed over was not tried, and is queued still.
        let home = self.handler.home(&mut conn, &job).await?;
        drop(conn);
        if let Some(home) = home.filter(|home| home.id != self.here().id) {
            return Ok(Step::HandOver(lane::class_at(&home, job.class())));
        }
        let id = row.id;
        let begin = self.works.db.statement("begin_job", |conn| crud::job::begin(conn, id).scope_boxed());
        begin.await?;
        row.attempts += 1;
        match self.run(&row, &job).await {
            Ok(()) => {
                let now = self.works.clock.now();
                let finish = self.works.db.statement("finish_job", |conn| {
                    crud::job::finish(conn, id, QueueStatus::Done, None, now).scope_boxed()
                });
                if finish.await? {
                    self.works.metrics.job(job.kind(), JobOutcome::Done);
                }
                Ok(Step::Progress)
            }
            Err(failure) => self.failed(&row, &job, failure).await,
        }
    }
}

impl<H: JobHandler> JobWorker<H> {
    fn here(&self) -> &Machine {
        &self.works.config.server.machine
    }

    async fn run(&self, row: &QueuedJob, job: &Job) -> Result<(), Failure> {
        let (metrics, begun) = (&self.works.metrics, Instant::now());
        let run = Run { id: row.id, attempts: row.attempts, kind: job.kind(), works: &self.works };
        let limit = if matches!(job, Job::CheckBooks) { BOOKS_TIME } else { RUN_TIME };
        let running = tokio::time::timeout(limit, self.handler.run(&run, job));
        let ended = AssertUnwindSafe(running).catch_unwind().await;
        metrics.job_took(job.kind(), begun.elapsed());
        match ended {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Failure::later("took too long", FIRST_PAUSE)),
            Err(panic) => {
                metrics.panic(Place::Job);
                Err(Failure::later(format!("panicked: {}", panic_text(&*panic)), FIRST_PAUSE))
            }
        }
    }

    async fn failed(&self, row: &QueuedJob, job: &Job, failure: Failure) -> sqlx::Result<Step> {
        if let Failure::NotYet { after, .. } = failure {
            return self.put_off(row, after).await;
        }
        let reason = &failure.reason();
        tracing::warn!(job_id = %row.id, kind = row.kind, attempts = row.attempts, error = reason, "job failed");
        let patience = if job.recurs() { RECURRING_ATTEMPTS } else { self.max_attempts };
        if matches!(failure, Failure::GiveUp(_)) || row.attempts >= patience {
            return self.give_up(row, Some(job), reason).await;
        }
        let pause = backoff(row.attempts, FIRST_PAUSE, LONGEST_PAUSE);
        let pause = match failure {
            Failure::Later { after, .. } => pause.max(after),
            _ => pause,
        };
        let retry_at = self.works.clock.now() + in_chrono(pause);
        let origin = Origin::new(Actor::System, row.id.0);
        let noted = self.works.run("note_failed_job", origin, |work| {
            async move {
                let kind = job.kind();
                crud::job::note_failure(work.conn(), row.id, reason, retry_at).await?;
                work.count(move |metrics| metrics.job(kind, JobOutcome::Retried));
                self.handler.failing(work, job, row.attempts, reason).await
            }
            .scope_boxed()
        });
        noted.await.map_err(into_database_error)?;
        Ok(Step::Wait(retry_at))
    }

    /// A newer copy of the server may know it: left to it for a while.
    async fn unknown(&self, row: &QueuedJob, now: Timestamp) -> sqlx::Result<Step> {
        let reason = "its payload is of no job this version knows";
        if now.since(row.created_at) > LEFT_TO_NEWER {
            return self.give_up(row, None, reason).await;
        }
        let retry_at = now + NEWER_LOOK;
        let note = self.works.db.statement("note_unknown_job", |conn| {
            crud::job::note_failure(conn, row.id, reason, retry_at).scope_boxed()
        });
        note.await?;
        Ok(Step::Wait(retry_at))
    }

    async fn put_off(&self, row: &QueuedJob, after: Duration) -> sqlx::Result<Step> {
        let (id, retry_at) = (row.id, self.works.clock.now() + in_chrono(backoff(1, after, after)));
        let put_off = self
            .works
            .db
            .statement("put_off_job", |conn| crud::job::put_off(conn, id, retry_at).scope_boxed());
        put_off.await?;
        Ok(Step::Wait(retry_at))
    }

    async fn give_up(&self, row: &QueuedJob, job: Option<&Job>, reason: &str) -> sqlx::Result<Step> {
        let origin = Origin::new(Actor::System, row.id.0);
        // Nobody needs to try one again that the clock queues anyway.
        let recurs = job.is_some_and(Job::recurs);
        let (status, outcome) = match recurs {
            true => (QueueStatus::Dropped, JobOutcome::Dropped),
            false => (QueueStatus::Dead, JobOutcome::Dead),
        };
        let kind = job.map_or(UNKNOWN_JOB, Job::kind);
        let done = self.works.run("give_up_job", origin, |work| {
            async move {
                let now = work.now();
                if !crud::job::finish(work.conn(), row.id, status, Some(reason), now).await? {
                    return Ok(());
                }
                work.count(move |metrics| metrics.job(kind, outcome));
                if let Some(job) = job {
                    self.handler.gave_up(work, job, reason).await?;
                }
                Ok::<_, Failure>(())
            }
            .scope_boxed()
        });
        done.await.map_err(into_database_error)?;
        Ok(Step::Progress)
    }
}

fn into_database_error(failure: Failure) -> sqlx::Error {
    sqlx::Error::Protocol(format!("cannot note a failed job: {failure}"))
}
