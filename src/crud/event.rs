//! inbound_events.

use std::collections::HashSet;

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::clock::Timestamp;
use crate::ids::EventId;
use crate::models::event::{InboundEvent, NewEvent, QueueStatus, Source};

/// Stores deliveries; one that is already there is left as it is. Gives those that were not stored therefore.
pub async fn insert_many(conn: &mut MySqlConnection, events: &[NewEvent]) -> sqlx::Result<HashSet<EventId>> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO inbound_events \
         (id, source, dedupe_key, lane, class, status, body, context, error, received_at) ",
    );
    query.push_values(events, |mut row, event| {
        row.push_bind(event.id)
            .push_bind(event.source)
            .push_bind(&event.dedupe_key)
            .push_bind(&event.lane)
            .push_bind(event.class)
            .push_bind(QueueStatus::Pending)
            .push_bind(&event.body)
            .push_bind(&event.context)
            .push_bind(&event.unreadable)
            .push_bind(event.received_at);
    });
    // Not INSERT IGNORE: that would also store an over-long value cut short. LAST_INSERT_ID(1) is told in the answer:
    // only then is it worth asking which ones were there.
    query.push(" ON DUPLICATE KEY UPDATE id = IF(LAST_INSERT_ID(1), id, id)");
    let done = query.build().execute(&mut *conn).await?;
    let mut left_out = HashSet::new();
    if done.last_insert_id() != 0 {
        left_out.extend(events.iter().map(|event| event.id));
        for stored in present(conn, events).await? {
            left_out.remove(&stored);
        }
    }
    Ok(left_out)
}

/// Which of these are stored under their own ids.
async fn present(conn: &mut MySqlConnection, events: &[NewEvent]) -> sqlx::Result<Vec<EventId>> {
    let mut query = QueryBuilder::<MySql>::new("SELECT id FROM inbound_events WHERE id IN (");
    let mut ids = query.separated(", ");
    for event in events {
        ids.push_bind(event.id);
    }
    query.push(")");
    query.build_query_scalar().fetch_all(conn).await
}

/// The next events of a lane, in order of arrival.
pub async fn next_of_lane(
    conn: &mut MySqlConnection,
    lane: &str,
    limit: u32,
) -> sqlx::Result<Vec<InboundEvent>> {
    sqlx::query_as!(
        InboundEvent,
        "SELECT id AS `id: EventId`, source AS `source: Source`, dedupe_key, lane, status AS `status: QueueStatus`, \
         body, context, attempts, error, received_at AS `received_at: Timestamp`, done_at AS `done_at: Timestamp`, \
         retry_at AS `retry_at: Timestamp` \
         FROM inbound_events WHERE status = ? AND lane = ? ORDER BY id LIMIT ?",
        QueueStatus::Pending,
        lane,
        limit
    )
    .fetch_all(conn)
    .await
}

/// As [`next_of_lane`] for several lanes, in the order of their names; `limit` is for all of them.
pub async fn next_of_lanes(
    conn: &mut MySqlConnection,
    lanes: &[String],
    limit: u32,
) -> sqlx::Result<Vec<InboundEvent>> {
    let mut query = QueryBuilder::<MySql>::new(
        "SELECT id, source, dedupe_key, lane, status, body, context, attempts, error, received_at, done_at, retry_at \
         FROM inbound_events WHERE status = ",
    );
    query.push_bind(QueueStatus::Pending).push(" AND lane IN (");
    let mut list = query.separated(", ");
    for lane in lanes {
        list.push_bind(lane);
    }
    query.push(") ORDER BY lane, id LIMIT ").push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

pub async fn find(conn: &mut MySqlConnection, id: EventId) -> sqlx::Result<Option<InboundEvent>> {
    sqlx::query_as!(
        InboundEvent,
        "SELECT id AS `id: EventId`, source AS `source: Source`, dedupe_key, lane, status AS `status: QueueStatus`, \
         body, context, attempts, error, received_at AS `received_at: Timestamp`, done_at AS `done_at: Timestamp`, \
         retry_at AS `retry_at: Timestamp` \
         FROM inbound_events WHERE id = ?",
        id
    )
    .fetch_optional(conn)
    .await
}

/// The newest events of one status.
pub async fn list(
    conn: &mut MySqlConnection,
    status: QueueStatus,
    limit: u32,
) -> sqlx::Result<Vec<InboundEvent>> {
    sqlx::query_as!(
        InboundEvent,
        "SELECT id AS `id: EventId`, source AS `source: Source`, dedupe_key, lane, status AS `status: QueueStatus`, \
         body, context, attempts, error, received_at AS `received_at: Timestamp`, done_at AS `done_at: Timestamp`, \
         retry_at AS `retry_at: Timestamp` \
         FROM inbound_events WHERE status = ? ORDER BY received_at DESC LIMIT ?",
        status,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Marks a pending event done; false when another process was first.
pub async fn mark_done(conn: &mut MySqlConnection, id: EventId, now: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE inbound_events SET status = ?, done_at = ?, error = NULL WHERE id = ? AND status = ?",
        QueueStatus::Done,
        now,
        id,
        QueueStatus::Pending
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// As [`mark_done`] for several events; tells how many of them were pending.
pub async fn mark_all_done(conn: &mut MySqlConnection, ids: &[EventId], now: Timestamp) -> sqlx::Result<u64> {
    let mut query = QueryBuilder::<MySql>::new("UPDATE inbound_events SET status = ");
    query.push_bind(QueueStatus::Done).push(", done_at = ").push_bind(now);
    query.push(", error = NULL WHERE status = ").push_bind(QueueStatus::Pending).push(" AND id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
    Ok(query.build().execute(conn).await?.rows_affected())
}

/// Gives a pending event up, with the reason.
pub async fn mark_dead(
    conn: &mut MySqlConnection,
    id: EventId,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE inbound_events SET status = ?, done_at = ?, error = ?, attempts = attempts + 1 \
         WHERE id = ? AND status = ?",
        QueueStatus::Dead,
        now,
        error,
        id,
        QueueStatus::Pending
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts a failed handling; the next is at `retry_at`.
pub async fn note_failure(
    conn: &mut MySqlConnection,
    id: EventId,
    error: &str,
    retry_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE inbound_events SET attempts = attempts + 1, error = ?, retry_at = ? WHERE id = ?",
        error,
        retry_at,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a dead or done event pending again; false when it is pending already.
pub async fn reopen(conn: &mut MySqlConnection, id: EventId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE inbound_events SET status = ?, attempts = 0, done_at = NULL, retry_at = NULL \
         WHERE id = ? AND status <> ?",
        QueueStatus::Pending,
        id,
        QueueStatus::Pending
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes up to `limit` done events older than `before`.
pub async fn purge(conn: &mut MySqlConnection, before: Timestamp, limit: u32) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM inbound_events WHERE status = ? AND done_at < ? LIMIT ?",
        QueueStatus::Done,
        before,
        limit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
