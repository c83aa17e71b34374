//! bot_setups.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::models::bot::Bot;

/// Every topic of a bot with the fingerprint of what was set last.
pub async fn list(conn: &mut MySqlConnection, bot: Bot) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!("SELECT topic, fingerprint FROM bot_setups WHERE bot = ?", bot);
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.topic, row.fingerprint)).collect())
}

/// As [`list`], those that begin so.
pub async fn list_under(
    conn: &mut MySqlConnection,
    bot: Bot,
    prefix: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "SELECT topic, fingerprint FROM bot_setups WHERE bot = ? AND topic LIKE CONCAT(?, '%')",
        bot,
        prefix
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.topic, row.fingerprint)).collect())
}

/// Notes what was set: the SHA-256 in hex.
pub async fn put(
    conn: &mut MySqlConnection,
    bot: Bot,
    topic: &str,
    fingerprint: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO bot_setups (bot, topic, fingerprint, updated_at) VALUES (?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE fingerprint = VALUES(fingerprint), updated_at = VALUES(updated_at)",
        bot,
        topic,
        fingerprint,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete(conn: &mut MySqlConnection, bot: Bot, topic: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM bot_setups WHERE bot = ? AND topic = ?", bot, topic).execute(conn).await?;
    Ok(())
}
