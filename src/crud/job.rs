//! jobs.

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::clock::Timestamp;
use crate::ids::JobId;
use crate::models::event::QueueStatus;
use crate::models::job::{Job, QueuedJob};
use crate::models::lane::Caused;

/// Queues jobs; one that is queued already and not yet begun is left as it is.
pub async fn insert_many(
    conn: &mut MySqlConnection,
    jobs: &[Caused<JobId, Job>],
    now: Timestamp,
) -> sqlx::Result<()> {
    for jobs in jobs.chunks(INSERTED_AT_ONCE) {
        insert_some(conn, jobs, now).await?;
    }
    Ok(())
}

/// A statement takes 65,535 values, a row has eight.
const INSERTED_AT_ONCE: usize = 1000;

async fn insert_some(
    conn: &mut MySqlConnection,
    jobs: &[Caused<JobId, Job>],
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO jobs (id, lane, kind, payload, status, queued_key, cause_id, created_at) ",
    );
    query.push_values(jobs, |mut row, Caused { id, cause, what: job }| {
        row.push_bind(*id)
            .push_bind(job.lane())
            .push_bind(job.kind())
            .push_bind(serde_json::to_string(job).expect("a job is plain data"))
            .push_bind(QueueStatus::Pending)
            .push_bind(job.queued_key())
            .push_bind(*cause)
            .push_bind(now);
    });
    // A real change: on Galera a change of nothing would not be compared with the job's begin at another node.
    query.push(" ON DUPLICATE KEY UPDATE created_at = VALUES(created_at)");
    query.build().execute(conn).await?;
    Ok(())
}

/// The next job of a lane: what is due in order, then what waits for another try.
pub async fn next_of_lane(
    conn: &mut MySqlConnection,
    lane: &str,
    now: Timestamp,
) -> sqlx::Result<Option<QueuedJob>> {
    sqlx::query_as!(
        QueuedJob,
        "SELECT id AS `id: JobId`, lane, kind, payload, status AS `status: QueueStatus`, attempts, error, \
         created_at AS `created_at: Timestamp`, retry_at AS `retry_at: Timestamp` \
         FROM jobs WHERE status = ? AND lane = ? ORDER BY IF(retry_at > ?, retry_at, '1970-01-01'), id LIMIT 1",
        QueueStatus::Pending,
        lane,
        now
    )
    .fetch_optional(conn)
    .await
}

pub async fn find(conn: &mut MySqlConnection, id: JobId) -> sqlx::Result<Option<QueuedJob>> {
    sqlx::query_as!(
        QueuedJob,
        "SELECT id AS `id: JobId`, lane, kind, payload, status AS `status: QueueStatus`, attempts, error, \
         created_at AS `created_at: Timestamp`, retry_at AS `retry_at: Timestamp` \
         FROM jobs WHERE id = ?",
        id
    )
    .fetch_optional(conn)
    .await
}

/// The newest jobs of one status.
pub async fn list(
    conn: &mut MySqlConnection,
    status: QueueStatus,
    limit: u32,
) -> sqlx::Result<Vec<QueuedJob>> {
    sqlx::query_as!(
        QueuedJob,
        "SELECT id AS `id: JobId`, lane, kind, payload, status AS `status: QueueStatus`, attempts, error, \
         created_at AS `created_at: Timestamp`, retry_at AS `retry_at: Timestamp` \
         FROM jobs WHERE status = ? ORDER BY id DESC LIMIT ?",
        status,
        limit
    )
    .fetch_all(conn)
    .await
}

/// A run begins: it is counted, and the same work may be queued anew from now on.
pub async fn begin(conn: &mut MySqlConnection, id: JobId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE jobs SET attempts = attempts + 1, queued_key = NULL WHERE id = ?", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// A run that could not really begin counts as none; the next is at `retry_at`.
pub async fn put_off(conn: &mut MySqlConnection, id: JobId, retry_at: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE jobs SET attempts = attempts - 1, retry_at = ? WHERE id = ? AND attempts > 0",
        retry_at,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a pending job done or dead; false when another process was first.
pub async fn finish(
    conn: &mut MySqlConnection,
    id: JobId,
    status: QueueStatus,
    error: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE jobs SET status = ?, done_at = ?, error = ?, queued_key = NULL WHERE id = ? AND status = ?",
        status,
        now,
        error,
        id,
        QueueStatus::Pending
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes why a run failed; the next is at `retry_at`.
pub async fn note_failure(
    conn: &mut MySqlConnection,
    id: JobId,
    error: &str,
    retry_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE jobs SET error = ?, retry_at = ? WHERE id = ?", error, retry_at, id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes a dead job pending again; false when it is not dead.
pub async fn reopen(conn: &mut MySqlConnection, id: JobId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE jobs SET status = ?, attempts = 0, done_at = NULL, retry_at = NULL WHERE id = ? AND status = ?",
        QueueStatus::Pending,
        id,
        QueueStatus::Dead
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes up to `limit` jobs of one final status older than `before`.
pub async fn purge(
    conn: &mut MySqlConnection,
    status: QueueStatus,
    before: Timestamp,
    limit: u32,
) -> sqlx::Result<u64> {
    let done =
        sqlx::query!("DELETE FROM jobs WHERE status = ? AND done_at < ? LIMIT ?", status, before, limit)
            .execute(conn)
            .await?;
    Ok(done.rows_affected())
}
