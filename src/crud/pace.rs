//! send_pace: the rate of each bot, shared by all copies of the server.

use chrono::Duration;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::models::bot::Bot;

/// What a bot may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// The first of the reserved slots.
    From(Timestamp),
    /// Telegram asked for silence until then.
    Paused(Timestamp),
}

/// Slots further ahead than this were not reserved by a clock like ours.
pub const CLOCKS_DIFFER: Duration = Duration::seconds(5);

/// Reserves `length` of the bot's time from now on. To be committed at once.
pub async fn reserve(
    conn: &mut MySqlConnection,
    bot: Bot,
    now: Timestamp,
    length: Duration,
) -> sqlx::Result<Slots> {
    // A row that is not there cannot be locked: two processes would both take the first slots.
    sqlx::query!(
        "INSERT INTO send_pace (bot, next_slot_at, paused_until) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE bot = VALUES(bot)",
        bot,
        now,
        now
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        "SELECT next_slot_at AS `next: Timestamp`, paused_until AS `paused: Timestamp` \
         FROM send_pace WHERE bot = ? FOR UPDATE",
        bot
    )
    .fetch_one(&mut *conn)
    .await?;
    let (next, paused) = (row.next, row.paused);
    if paused > now {
        return Ok(Slots::Paused(paused));
    }
    // The row says what a process took by its own clock; one that is ahead must not make all others wait for it.
    let start = if next > now + CLOCKS_DIFFER { now } else { next.max(now) };
    sqlx::query!("UPDATE send_pace SET next_slot_at = ? WHERE bot = ?", start + length, bot)
        .execute(conn)
        .await?;
    Ok(Slots::From(start))
}

/// Silences a bot until `until`, in every copy of the server.
pub async fn pause(conn: &mut MySqlConnection, bot: Bot, until: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO send_pace (bot, next_slot_at, paused_until) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE paused_until = GREATEST(paused_until, VALUES(paused_until))",
        bot,
        until,
        until
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back every silence: the clock has been set back.
pub async fn resume(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!("UPDATE send_pace SET paused_until = ? WHERE paused_until > ?", now, now)
        .execute(conn)
        .await?;
    Ok(())
}
