//! schedule_ticks: who inserts the row of an instant runs it.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;

/// Takes a tick; false when another process has it.
pub async fn take(conn: &mut MySqlConnection, name: &str, tick: Timestamp) -> sqlx::Result<bool> {
    match sqlx::query!("INSERT INTO schedule_ticks (name, tick_at) VALUES (?, ?)", name, tick)
        .execute(conn)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if crate::db::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

pub async fn purge(conn: &mut MySqlConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done =
        sqlx::query!("DELETE FROM schedule_ticks WHERE tick_at < ? LIMIT 1000", before).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Whether a tick later than `instant` was taken.
pub async fn any_after(conn: &mut MySqlConnection, instant: Timestamp) -> sqlx::Result<bool> {
    let later = sqlx::query!("SELECT name FROM schedule_ticks WHERE tick_at > ? LIMIT 1", instant);
    Ok(later.fetch_optional(conn).await?.is_some())
}

/// Forgets ticks that were taken although their instant is still to come.
pub async fn forget_after(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM schedule_ticks WHERE tick_at > ?", now).execute(conn).await?;
    Ok(())
}

/// Whether a tick of this time was taken, i.e. whether any copy ran then.
pub async fn any_between(conn: &mut MySqlConnection, from: Timestamp, to: Timestamp) -> sqlx::Result<bool> {
    let then =
        sqlx::query!("SELECT name FROM schedule_ticks WHERE tick_at BETWEEN ? AND ? LIMIT 1", from, to);
    Ok(then.fetch_optional(conn).await?.is_some())
}
