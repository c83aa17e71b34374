//! What keeps the house tidy: purges, pools, and what the admins are told in sum.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::MySqlConnection;

use super::Jobs;
use crate::clock::Timestamp;
use crate::crud;
use crate::models::audit::Action;
use crate::models::event::QueueStatus;
use crate::models::job::Job;
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::queue::schedule::KEEP_TICKS;
use crate::services::{address, audit, books};

/// Rows deleted by one statement, so that a purge never holds many locks.
const BATCH: u32 = 1000;
/// Statements of one run on each heap; a run that leaves something is followed by another one.
const ROUNDS: u32 = 20;

/// What piles up.
#[derive(Clone, Copy)]
enum Heap {
    Events,
    Jobs(QueueStatus),
    Messages(QueueStatus),
    Lanes,
    Ticks,
    Audit,
}

const HEAPS: &[Heap] = &[
    Heap::Events,
    Heap::Jobs(QueueStatus::Done),
    Heap::Jobs(QueueStatus::Dropped),
    Heap::Messages(QueueStatus::Done),
    Heap::Messages(QueueStatus::Dropped),
    Heap::Lanes,
    Heap::Ticks,
    Heap::Audit,
];

impl Jobs {
    pub(super) async fn watch_pools(&self, run: &Run<'_>) -> Result<(), Failure> {
        run.finish("watch_pools", |work| async move { Ok(address::watch(work).await?) }.scope_boxed())
            .await?;
        Ok(())
    }

    /// Asks for the invariants outside any lock, and tells the admins what is wrong.
    pub(super) async fn check_books(&self, run: &Run<'_>) -> Result<(), Failure> {
        let broken = run
            .commit("check_books", |work| async move { Ok(books::check(work).await?) }.scope_boxed())
            .await?;
        let broken = &broken;
        run.finish("report_books", |work| {
            async move { Ok(books::report(work, broken).await?) }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    pub(super) async fn sum_up_alerts(&self, run: &Run<'_>) -> Result<(), Failure> {
        run.finish("sum_up_alerts", |work| async move { Ok(audit::sum_up(work).await?) }.scope_boxed())
            .await?;
        Ok(())
    }

    /// Deletes what is done and older than the configured time, in small batches. What is left then is the next run's,
    /// which comes at once: between two, other routine has its turn.
    pub(super) async fn purge(&self, run: &Run<'_>) -> Result<(), Failure> {
        let mut more = false;
        for heap in HEAPS {
            more |= self.purge_heap(*heap).await?;
        }
        if !more {
            return Ok(());
        }
        run.finish("purge_goes_on", |work| {
            async move {
                work.enqueue(Job::Purge);
                Ok(())
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// A run's share of one heap; true when it may have left something.
    async fn purge_heap(&self, heap: Heap) -> Result<bool, Failure> {
        for _ in 0..ROUNDS {
            let purge = self
                .works
                .db
                .statement("purge", |conn| async move { self.purge_batch(conn, heap).await }.scope_boxed());
            if purge.await? < u64::from(BATCH) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn purge_batch(&self, conn: &mut MySqlConnection, heap: Heap) -> sqlx::Result<u64> {
        let (now, queue) = (self.works.clock.now(), &self.works.config.queue);
        let before = now - queue.retention;
        match heap {
            Heap::Events => crud::event::purge(conn, before, BATCH).await,
            Heap::Jobs(status) => crud::job::purge(conn, status, before, BATCH).await,
            Heap::Messages(status) => crud::outgoing::purge(conn, status, before, BATCH).await,
            Heap::Lanes => crud::lane::purge_idle(conn, now - TimeDelta::minutes(5), BATCH).await,
            Heap::Ticks => crud::schedule::purge(conn, now - KEEP_TICKS).await,
            Heap::Audit => match queue.audit_retention {
                Some(retention) => purge_audit(conn, now - retention).await,
                None => Ok(0),
            },
        }
    }
}

/// One batch of the audit: of each action that fades what is older than `before`.
async fn purge_audit(conn: &mut MySqlConnection, before: Timestamp) -> sqlx::Result<u64> {
    let Some(last) = crud::audit::last_before(conn, before).await? else { return Ok(0) };
    let mut deleted = 0;
    for action in Action::FADING {
        deleted += crud::audit::purge(conn, action, last, BATCH).await?;
        if deleted >= u64::from(BATCH) {
            break;
        }
    }
    Ok(deleted)
}
