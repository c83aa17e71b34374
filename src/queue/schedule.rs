//! Schedules. Every copy of the server looks; the one that inserts the row of an instant queues the job.

use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::crud;
use crate::models::job::{Job, ServerWork};
use crate::work::{Origin, Works};

/// A job that is queued again and again.
pub struct Schedule {
    pub name: &'static str,
    pub every: Duration,
    pub job: fn() -> Job,
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Everything that happens by the clock.
pub const SCHEDULES: &[Schedule] = &[
    Schedule { name: "expire", every: minutes(1), job: || Job::ExpireSubscriptions },
    Schedule { name: "poll_payments", every: minutes(1), job: || Job::PollPayments },
    Schedule { name: "read_stars_book", every: minutes(5), job: || Job::ReadStarsBook },
    Schedule { name: "usage", every: minutes(1), job: || Job::TickServers { work: ServerWork::Usage } },
    Schedule { name: "health", every: minutes(1), job: || Job::TickServers { work: ServerWork::Health } },
    Schedule {
        name: "reconcile",
        every: minutes(10),
        job: || Job::TickServers { work: ServerWork::Reconcile },
    },
    Schedule { name: "pools", every: minutes(30), job: || Job::WatchPools },
    Schedule { name: "books", every: minutes(24 * 60), job: || Job::CheckBooks },
    Schedule { name: "alerts", every: minutes(60), job: || Job::SumUpAlerts },
    Schedule { name: "purge", every: minutes(10), job: || Job::Purge },
];

/// Queues what comes first after a start: the machine may have lost its tunnels, and the servers what they were told
/// last.
pub async fn begin(works: &Works) -> sqlx::Result<()> {
    works
        .run("begin", Origin::SYSTEM, |work| {
            async move {
                work.enqueue(Job::TickServers { work: ServerWork::Reconcile });
                Ok(())
            }
            .scope_boxed()
        })
        .await
}

/// Queues what is due until stopped. `look` is the time between two looks at the clock.
pub async fn run(works: Works, look: Duration, stop: CancellationToken) {
    let mut last: Vec<Option<Timestamp>> = vec![None; SCHEDULES.len()];
    // Before the first look nobody knows what the clock said.
    let mut seen = Timestamp::never();
    while !stop.is_cancelled() {
        match watch_clock(&works, seen).await {
            Ok(now) => seen = now,
            Err(error) => tracing::warn!(%error, "the clock is not compared with the database, trying again"),
        }
        for (schedule, last) in SCHEDULES.iter().zip(&mut last) {
            let tick = tick_of(works.clock.now(), schedule.every);
            if *last == Some(tick) {
                continue;
            }
            match fire(&works, schedule, tick).await {
                Ok(()) => *last = Some(tick),
                Err(error) => {
                    tracing::warn!(schedule = schedule.name, %error, "tick not queued, trying again")
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(look) => {}
        }
    }
}

/// Clocks of copies differ by less than this.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// Tells the time. Where the clock has been set back since it said `seen`, what waits for an hour that was there
/// already would wait for it to come again: ticks, retries, the pace of chats. All of it is let go.
async fn watch_clock(works: &Works, seen: Timestamp) -> sqlx::Result<Timestamp> {
    let now = works.clock.now();
    if now + SKEW > seen {
        return Ok(now);
    }
    let mut conn = works.db.acquire().await?;
    if crud::schedule::any_after(&mut conn, now + SKEW).await? {
        tracing::warn!(%now, "the clock was set back: what waits for later is due now");
        crud::lane::wake_waiting(&mut conn, now).await?;
        crud::pace::resume(&mut conn, now).await?;
        crud::schedule::forget_after(&mut conn, now).await?;
    }
    Ok(now)
}

/// The newest instant of a schedule: whole periods since 1970. Those missed while nothing ran are not made up for:
/// every scheduled job brings things to where they should be now.
fn tick_of(now: Timestamp, every: Duration) -> Timestamp {
    let period = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_unix(now.unix().div_euclid(period) * period)
}

/// Queues the job of a tick, unless another process has done so.
pub async fn fire(works: &Works, schedule: &Schedule, tick: Timestamp) -> sqlx::Result<()> {
    works
        .run("schedule_tick", Origin::SYSTEM, |work| {
            async move {
                if crud::schedule::take(work.conn(), schedule.name, tick).await? {
                    work.enqueue((schedule.job)());
                }
                Ok(())
            }
            .scope_boxed()
        })
        .await
}

/// Ticks older than this are deleted.
pub const KEEP_TICKS: TimeDelta = TimeDelta::days(2);
