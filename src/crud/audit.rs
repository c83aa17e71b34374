//! audit_logs.

use sqlx::MySqlConnection;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::audit::{Action, AuditEntry};

pub async fn insert(
    conn: &mut MySqlConnection,
    user_id: Option<UserId>,
    action: &str,
    target: Option<&str>,
    details: &str,
    cause: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO audit_logs (user_id, action, target, details, event_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        user_id,
        action,
        target,
        details,
        cause,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest rows of everybody, or of one person.
pub async fn list(
    conn: &mut MySqlConnection,
    user_id: Option<UserId>,
    offset: u32,
    limit: u32,
) -> sqlx::Result<Vec<AuditEntry>> {
    match user_id {
        Some(user_id) => list_of_user(conn, user_id, offset, limit).await,
        None => list_all(conn, offset, limit).await,
    }
}

async fn list_of_user(
    conn: &mut MySqlConnection,
    user_id: UserId,
    offset: u32,
    limit: u32,
) -> sqlx::Result<Vec<AuditEntry>> {
    sqlx::query_as!(
        AuditEntry,
        "SELECT id, user_id AS `user_id: UserId`, action, target, details, event_id AS `event_id: Uuid`, \
         created_at AS `created_at: Timestamp` \
         FROM audit_logs WHERE user_id = ? ORDER BY id DESC LIMIT ? OFFSET ?",
        user_id,
        limit,
        offset
    )
    .fetch_all(conn)
    .await
}

async fn list_all(conn: &mut MySqlConnection, offset: u32, limit: u32) -> sqlx::Result<Vec<AuditEntry>> {
    sqlx::query_as!(
        AuditEntry,
        "SELECT id, user_id AS `user_id: UserId`, action, target, details, event_id AS `event_id: Uuid`, \
         created_at AS `created_at: Timestamp` \
         FROM audit_logs ORDER BY id DESC LIMIT ? OFFSET ?",
        limit,
        offset
    )
    .fetch_all(conn)
    .await
}

/// Whether `action` was ever noted for `target`.
pub async fn exists(conn: &mut MySqlConnection, action: Action, target: &str) -> sqlx::Result<bool> {
    let found =
        sqlx::query!("SELECT id FROM audit_logs WHERE target = ? AND action = ? LIMIT 1", target, action)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// The targets that begin with `prefix` and were noted more than once in a span of time, each with how often.
pub async fn repeated(
    conn: &mut MySqlConnection,
    prefix: &str,
    from: Timestamp,
    until: Timestamp,
) -> sqlx::Result<Vec<(String, u64)>> {
    let rows = sqlx::query!(
        "SELECT target AS `target!`, COUNT(*) AS `times!: u64` FROM audit_logs \
         WHERE created_at >= ? AND created_at < ? AND target LIKE CONCAT(?, '%') \
         GROUP BY target HAVING COUNT(*) > 1 ORDER BY target",
        from,
        until,
        prefix
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.target, row.times)).collect())
}

/// The newest row older than `before`: what has a lower id is older, too, as far as clocks agree.
pub async fn last_before(conn: &mut MySqlConnection, before: Timestamp) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "SELECT id FROM audit_logs WHERE created_at < ? ORDER BY created_at DESC, id DESC LIMIT 1",
        before
    )
    .fetch_optional(conn)
    .await
}

/// Deletes up to `limit` rows of one action up to the id `last`, the oldest first.
pub async fn purge(conn: &mut MySqlConnection, action: Action, last: i64, limit: u32) -> sqlx::Result<u64> {
    // By the index of the action, and not by time or id: what stays for ever is never looked at. Left to itself the
    // database takes the primary key, and reads all of that from the oldest row on.
    let done = sqlx::query!(
        "DELETE a FROM audit_logs a JOIN (SELECT id FROM audit_logs FORCE INDEX (audit_logs_by_action) \
         WHERE action = ? AND id <= ? ORDER BY id LIMIT ?) old ON old.id = a.id",
        action,
        last,
        limit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
