//! user_settings.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::UserId;

pub async fn find(conn: &mut MySqlConnection, user_id: UserId, name: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT value FROM user_settings WHERE user_id = ? AND name = ?", user_id, name)
        .fetch_optional(conn)
        .await
}

pub async fn put(
    conn: &mut MySqlConnection,
    user_id: UserId,
    name: &str,
    value: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO user_settings (user_id, name, value, updated_at) VALUES (?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE value = VALUES(value), updated_at = VALUES(updated_at)",
        user_id,
        name,
        value,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}
