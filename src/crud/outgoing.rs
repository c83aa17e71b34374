//! outbound_messages.

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::clock::Timestamp;
use crate::ids::{ChatId, MessageId};
use crate::models::bot::Bot;
use crate::models::event::QueueStatus;
use crate::models::lane::Caused;
use crate::models::outgoing::{Outgoing, QueuedMessage};

/// Queues messages; one whose dedupe key was used before is left out.
pub async fn insert_many(
    conn: &mut MySqlConnection,
    messages: &[Caused<MessageId, Outgoing>],
    now: Timestamp,
) -> sqlx::Result<()> {
    for messages in messages.chunks(INSERTED_AT_ONCE) {
        insert_some(conn, messages, now).await?;
    }
    Ok(())
}

/// A statement takes 65,535 values, a row has ten.
const INSERTED_AT_ONCE: usize = 1000;

async fn insert_some(
    conn: &mut MySqlConnection,
    messages: &[Caused<MessageId, Outgoing>],
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO outbound_messages \
         (id, lane, class, bot, chat_id, status, body, dedupe_key, cause_id, created_at) ",
    );
    query.push_values(messages, |mut row, Caused { id, cause, what: message }| {
        let body = serde_json::to_string(&message.body).expect("a body is plain data");
        row.push_bind(*id)
            .push_bind(message.lane())
            .push_bind(message.class as u8)
            .push_bind(message.bot)
            .push_bind(message.chat)
            .push_bind(QueueStatus::Pending)
            .push_bind(body)
            .push_bind(message.dedupe_key.clone())
            .push_bind(*cause)
            .push_bind(now);
    });
    query.push(" ON DUPLICATE KEY UPDATE id = id");
    query.build().execute(conn).await?;
    Ok(())
}

/// The next messages of a lane, up to `limit`: the more urgent first, equals in order.
pub async fn next_of_lane(
    conn: &mut MySqlConnection,
    lane: &str,
    limit: u32,
) -> sqlx::Result<Vec<QueuedMessage>> {
    sqlx::query_as!(
        QueuedMessage,
        "SELECT id AS `id: MessageId`, lane, bot AS `bot: Bot`, chat_id AS `chat_id: ChatId`, class, body, attempts, \
         created_at AS `created_at: Timestamp`, retry_at AS `retry_at: Timestamp` \
         FROM outbound_messages WHERE status = ? AND lane = ? ORDER BY class, id LIMIT ?",
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
) -> sqlx::Result<Vec<QueuedMessage>> {
    let mut query = QueryBuilder::<MySql>::new(
        "SELECT id, lane, bot, chat_id, class, body, attempts, created_at, retry_at \
         FROM outbound_messages WHERE status = ",
    );
    query.push_bind(QueueStatus::Pending).push(" AND lane IN (");
    let mut list = query.separated(", ");
    for lane in lanes {
        list.push_bind(lane);
    }
    query.push(") ORDER BY lane, class, id LIMIT ").push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

/// Marks messages sent, each with the id that Telegram gave it.
pub async fn mark_all_sent(
    conn: &mut MySqlConnection,
    sent: &[(MessageId, Option<i64>)],
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new("UPDATE outbound_messages SET status = ");
    query.push_bind(QueueStatus::Done).push(", done_at = ").push_bind(now);
    query.push(", error = NULL, message_id = CASE id");
    for (id, message_id) in sent {
        query.push(" WHEN ").push_bind(*id).push(" THEN ").push_bind(*message_id);
    }
    query.push(" END WHERE id IN (");
    let mut list = query.separated(", ");
    for (id, _) in sent {
        list.push_bind(*id);
    }
    query.push(")");
    query.build().execute(conn).await?;
    Ok(())
}

/// Gives a message up (`dead`), or leaves it out because the chat blocked the bot (`dropped`).
pub async fn mark_failed(
    conn: &mut MySqlConnection,
    id: MessageId,
    status: QueueStatus,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE outbound_messages SET status = ?, done_at = ?, error = ?, attempts = attempts + 1 WHERE id = ?",
        status,
        now,
        error,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Leaves out everything that waits for a chat.
pub async fn drop_lane(
    conn: &mut MySqlConnection,
    lane: &str,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE outbound_messages SET status = ?, done_at = ?, error = ? WHERE status = ? AND lane = ?",
        QueueStatus::Dropped,
        now,
        error,
        QueueStatus::Pending,
        lane
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Counts a failed sending that will be tried again at `retry_at`.
pub async fn note_failure(
    conn: &mut MySqlConnection,
    id: MessageId,
    error: &str,
    retry_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE outbound_messages SET attempts = attempts + 1, error = ?, retry_at = ? WHERE id = ?",
        error,
        retry_at,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Telegram asked to wait: the message is not sent again before `retry_at`. Not a failure, so nothing is counted.
pub async fn hold(conn: &mut MySqlConnection, id: MessageId, retry_at: Timestamp) -> sqlx::Result<()> {
    sqlx::query!("UPDATE outbound_messages SET retry_at = ? WHERE id = ?", retry_at, id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes up to `limit` messages of one final status older than `before`.
pub async fn purge(
    conn: &mut MySqlConnection,
    status: QueueStatus,
    before: Timestamp,
    limit: u32,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM outbound_messages WHERE status = ? AND done_at < ? LIMIT ?",
        status,
        before,
        limit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
