//! dialogs.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::ChatId;
use crate::models::bot::Bot;

/// The JSON of the open question in a chat.
pub async fn find(conn: &mut MySqlConnection, bot: Bot, chat: ChatId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT state FROM dialogs WHERE bot = ? AND chat_id = ?", bot, chat)
        .fetch_optional(conn)
        .await
}

/// Opens a question; it takes the place of the one before.
pub async fn put(
    conn: &mut MySqlConnection,
    bot: Bot,
    chat: ChatId,
    state: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO dialogs (bot, chat_id, state, updated_at) VALUES (?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE state = VALUES(state), updated_at = VALUES(updated_at)",
        bot,
        chat,
        state,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete(conn: &mut MySqlConnection, bot: Bot, chat: ChatId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM dialogs WHERE bot = ? AND chat_id = ?", bot, chat).execute(conn).await?;
    Ok(())
}
