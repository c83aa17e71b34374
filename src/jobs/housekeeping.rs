//! What keeps the house tidy: purges, pools, and what the admins are told in sum.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;

use super::Jobs;
use crate::clock::Timestamp;
use crate::crud;
use crate::models::event::QueueStatus;
use crate::models::job::Job;
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::queue::schedule::KEEP_TICKS;
use crate::services::{address, audit, books};

/// Rows deleted by one statement, so that a purge never holds many locks.
const BATCH: u32 = 1000;
/// Statements of one run on each table; a run that leaves something is followed by another one.
const ROUNDS: u32 = 20;

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

    /// Deletes what is done and older than the configured time, in small batches.
    pub(super) async fn purge(&self, run: &Run<'_>) -> Result<(), Failure> {
        let now = self.works.clock.now();
        let before = now - self.works.config.queue.retention;
        for _ in 0..ROUNDS {
            if self.purge_batch(before, now).await? == 0 {
                return Ok(());
            }
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

    async fn purge_batch(&self, before: Timestamp, now: Timestamp) -> Result<u64, Failure> {
        let purge = self.works.db.statement("purge", |conn| {
            async move {
                let mut deleted = crud::event::purge(conn, before, BATCH).await?;
                for status in [QueueStatus::Done, QueueStatus::Dropped] {
                    deleted += crud::job::purge(conn, status, before, BATCH).await?;
                    deleted += crud::outgoing::purge(conn, status, before, BATCH).await?;
                }
                deleted += crud::lane::purge_idle(conn, now - TimeDelta::minutes(5), BATCH).await?;
                deleted += crud::schedule::purge(conn, now - KEEP_TICKS).await?;
                Ok(deleted)
            }
            .scope_boxed()
        });
        Ok(purge.await?)
    }
}
