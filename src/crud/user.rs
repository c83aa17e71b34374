//! users.

use std::collections::BTreeSet;

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::bot::Language;
use crate::models::user::{Glance, User, UserStatus};

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_user {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            User,
            "SELECT id AS `id: UserId`, username, first_name, last_name, language AS `language: Language`, \
             status AS `status: UserStatus`, referrer, created_at AS `created_at: Timestamp`, \
             last_seen_at AS `last_seen_at: Timestamp` FROM users " + $tail
            $(, $arg)*
        )
    };
}

pub async fn find(conn: &mut MySqlConnection, id: UserId) -> sqlx::Result<Option<User>> {
    select_user!("WHERE id = ?", id).fetch_optional(conn).await
}

/// People with what there is of theirs; those who are not known are left out.
pub async fn glance(conn: &mut MySqlConnection, ids: &[UserId]) -> sqlx::Result<Vec<Glance>> {
    let mut query = QueryBuilder::<MySql>::new(
        "SELECT u.id, u.username, u.first_name, u.last_name, u.language, u.status, u.referrer, u.created_at, \
         u.last_seen_at, \
         EXISTS (SELECT 1 FROM dialogs d WHERE d.bot = 'client' AND d.chat_id = u.id) AS has_dialog, \
         EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id) AS has_grants, \
         EXISTS (SELECT 1 FROM subscriptions s WHERE s.user_id = u.id) AS has_subscriptions, \
         EXISTS (SELECT 1 FROM trials t WHERE t.user_id = u.id) AS took_trial, \
         EXISTS (SELECT 1 FROM payments p WHERE p.user_id = u.id AND p.status = 'pending') AS has_pending_order, \
         EXISTS (SELECT 1 FROM payments p WHERE p.user_id = u.id AND p.message_id IS NOT NULL) AS shows_order \
         FROM users u WHERE u.id IN (",
    );
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
    query.build_query_as().fetch_all(conn).await
}

/// Notes that people were seen, unless they were seen later.
pub async fn saw(conn: &mut MySqlConnection, ids: &BTreeSet<UserId>, now: Timestamp) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new("UPDATE users SET last_seen_at = ");
    query.push_bind(now).push(" WHERE last_seen_at < ").push_bind(now).push(" AND id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
    query.build().execute(conn).await?;
    Ok(())
}

/// As [`find`], keeping others from changing the person, or roles by way of the person, until the commit. By a change:
/// FOR UPDATE holds at one node of a Galera cluster only.
pub async fn lock(conn: &mut MySqlConnection, id: UserId) -> sqlx::Result<Option<User>> {
    sqlx::query!("UPDATE users SET last_seen_at = last_seen_at + INTERVAL 1 MICROSECOND WHERE id = ?", id)
        .execute(&mut *conn)
        .await?;
    find(conn, id).await
}

/// Whoever was last seen under a username, in upper or lower case: names change hands at Telegram.
pub async fn find_by_username(conn: &mut MySqlConnection, username: &str) -> sqlx::Result<Option<User>> {
    // The column's collation knows no case.
    select_user!("WHERE username = ? ORDER BY last_seen_at DESC LIMIT 1", username).fetch_optional(conn).await
}

/// The newest people first.
pub async fn list(conn: &mut MySqlConnection, offset: u32, limit: u32) -> sqlx::Result<Vec<User>> {
    // Both in one direction, so that an index gives them in this order.
    select_user!("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", limit, offset).fetch_all(conn).await
}

pub async fn count(conn: &mut MySqlConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!("SELECT COUNT(*) FROM users").fetch_one(conn).await
}

/// Stores a new person; false when another process was first.
pub async fn insert(conn: &mut MySqlConnection, user: &User) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO users (id, username, first_name, last_name, language, status, referrer, created_at, last_seen_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        user.id,
        user.username,
        user.first_name,
        user.last_name,
        user.language,
        user.status,
        user.referrer,
        user.created_at,
        user.last_seen_at
    )
    .execute(conn)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if crate::db::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes the names and when the person was last seen.
pub async fn update_seen(conn: &mut MySqlConnection, user: &User) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE users SET username = ?, first_name = ?, last_name = ?, last_seen_at = ? WHERE id = ?",
        user.username,
        user.first_name,
        user.last_name,
        user.last_seen_at,
        user.id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes the status from `from` to `to`; false when it was not `from`.
pub async fn change_status(
    conn: &mut MySqlConnection,
    id: UserId,
    from: UserStatus,
    to: UserStatus,
) -> sqlx::Result<bool> {
    let done = sqlx::query!("UPDATE users SET status = ? WHERE id = ? AND status = ?", to, id, from)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn set_language(conn: &mut MySqlConnection, id: UserId, language: Language) -> sqlx::Result<()> {
    sqlx::query!("UPDATE users SET language = ? WHERE id = ?", language, id).execute(conn).await?;
    Ok(())
}

/// Notes by whose link a person came; false when that is known already.
pub async fn set_referrer(conn: &mut MySqlConnection, id: UserId, referrer: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("UPDATE users SET referrer = ? WHERE id = ? AND referrer IS NULL", referrer, id)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
