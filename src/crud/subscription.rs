//! subscriptions, trials and reminders.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::{PlanId, ServerId, SubscriptionId, UserId};
use crate::models::subscription::{ReminderKind, Subscription, SubscriptionStatus};

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_subscription {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Subscription,
            "SELECT id AS `id: SubscriptionId`, user_id AS `user_id: UserId`, product, plan_id AS `plan_id: PlanId`, \
             status AS `status: SubscriptionStatus`, starts_at AS `starts_at: Timestamp`, \
             ends_at AS `ends_at: Timestamp`, device_limit, allowance, used, renews AS `renews: bool`, \
             created_at AS `created_at: Timestamp` FROM subscriptions " + $tail
            $(, $arg)*
        )
    };
}

pub async fn find(conn: &mut MySqlConnection, id: SubscriptionId) -> sqlx::Result<Option<Subscription>> {
    select_subscription!("WHERE id = ?", id).fetch_optional(conn).await
}

/// The row, locked until the transaction ends. By a change: FOR UPDATE holds at one node of a Galera cluster only.
pub async fn lock(conn: &mut MySqlConnection, id: SubscriptionId) -> sqlx::Result<Option<Subscription>> {
    sqlx::query!(
        "UPDATE subscriptions SET updated_at = updated_at + INTERVAL 1 MICROSECOND WHERE id = ?",
        id
    )
    .execute(&mut *conn)
    .await?;
    find(conn, id).await
}

pub async fn lock_product(
    conn: &mut MySqlConnection,
    user_id: UserId,
    product: &str,
) -> sqlx::Result<Option<Subscription>> {
    select_subscription!("WHERE user_id = ? AND product = ? FOR UPDATE", user_id, product)
        .fetch_optional(conn)
        .await
}

pub async fn list_of_user(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<Vec<Subscription>> {
    select_subscription!("WHERE user_id = ? ORDER BY ends_at DESC", user_id).fetch_all(conn).await
}

/// Those that have a config at a server.
pub async fn list_of_server(conn: &mut MySqlConnection, server: ServerId) -> sqlx::Result<Vec<Subscription>> {
    select_subscription!(
        "WHERE id IN (SELECT c.subscription_id FROM vpn_configs c WHERE c.server_id = ? \
         AND c.status IN ('preparing', 'active', 'suspended'))",
        server
    )
    .fetch_all(conn)
    .await
}

/// Subscriptions of one status that end in a span of time, soonest first.
pub async fn list_ending(
    conn: &mut MySqlConnection,
    status: SubscriptionStatus,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<Subscription>> {
    select_subscription!(
        "WHERE status = ? AND ends_at > ? AND ends_at <= ? ORDER BY ends_at LIMIT ?",
        status,
        from,
        until,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Subscriptions of one status that end in a span of time and were not given this reminder of that end. Left out are
/// those that began so late that the reminder would have greeted them.
pub async fn list_unreminded(
    conn: &mut MySqlConnection,
    kind: ReminderKind,
    status: SubscriptionStatus,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<Subscription>> {
    // Counted, not NOT EXISTS: of that the database makes a list of all reminders there are.
    select_subscription!(
        "WHERE status = ? AND ends_at > ? AND ends_at <= ? \
         AND TIMESTAMPADD(DAY, ?, starts_at) < ends_at AND 0 = \
         (SELECT COUNT(*) FROM reminders r WHERE r.subscription_id = subscriptions.id \
          AND r.ends_at = subscriptions.ends_at AND r.kind = ?) ORDER BY ends_at LIMIT ?",
        status,
        from,
        until,
        kind.days_before(),
        kind,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Suspended subscriptions that have both time and traffic left.
pub async fn list_wrongly_suspended(
    conn: &mut MySqlConnection,
    now: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<Subscription>> {
    select_subscription!(
        "WHERE status = ? AND ends_at > ? AND (allowance IS NULL OR used < allowance) ORDER BY ends_at LIMIT ?",
        SubscriptionStatus::Suspended,
        now,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Creates a subscription; its (user, product) is unique.
pub async fn insert(conn: &mut MySqlConnection, new: &Subscription) -> sqlx::Result<SubscriptionId> {
    let done = sqlx::query!(
        "INSERT INTO subscriptions (user_id, product, plan_id, status, starts_at, ends_at, device_limit, allowance, \
         used, renews, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        new.user_id,
        new.product,
        new.plan_id,
        new.status,
        new.starts_at,
        new.ends_at,
        new.device_limit,
        new.allowance,
        new.used,
        new.renews,
        new.created_at,
        new.created_at
    )
    .execute(conn)
    .await?;
    Ok(SubscriptionId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

/// Writes what changes in the life of a subscription that was read under lock.
pub async fn update(
    conn: &mut MySqlConnection,
    subscription: &Subscription,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET status = ?, starts_at = ?, ends_at = ?, device_limit = ?, allowance = ?, \
         used = ?, renews = ?, updated_at = ? WHERE id = ?",
        subscription.status,
        subscription.starts_at,
        subscription.ends_at,
        subscription.device_limit,
        subscription.allowance,
        subscription.used,
        subscription.renews,
        now,
        subscription.id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds traffic to what was used.
pub async fn add_used(conn: &mut MySqlConnection, id: SubscriptionId, bytes: u64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE subscriptions SET used = used + ? WHERE id = ?", bytes, id).execute(conn).await?;
    Ok(())
}

/// Marks the trial of a person as used; false when it was used before.
pub async fn insert_trial(
    conn: &mut MySqlConnection,
    user_id: UserId,
    subscription_id: SubscriptionId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO trials (user_id, subscription_id, created_at) VALUES (?, ?, ?)",
        user_id,
        subscription_id,
        now
    )
    .execute(conn)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if crate::db::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

pub async fn trial_used(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<bool> {
    let row = sqlx::query_scalar!("SELECT user_id FROM trials WHERE user_id = ?", user_id);
    Ok(row.fetch_optional(conn).await?.is_some())
}

/// When a person took the trial.
pub async fn trial_at(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar!("SELECT created_at AS `created_at: Timestamp` FROM trials WHERE user_id = ?", user_id)
        .fetch_optional(conn)
        .await
}

/// Marks a reminder as given; false when it was given before.
pub async fn insert_reminder(
    conn: &mut MySqlConnection,
    subscription: &Subscription,
    kind: ReminderKind,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO reminders (subscription_id, ends_at, kind, created_at) VALUES (?, ?, ?, ?)",
        subscription.id,
        subscription.ends_at,
        kind,
        now
    )
    .execute(conn)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if crate::db::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes the reminders of ends that are past: a subscription that goes on is never reminded of them again.
pub async fn forget_reminders(
    conn: &mut MySqlConnection,
    id: SubscriptionId,
    before: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM reminders WHERE subscription_id = ? AND ends_at < ?", id, before)
        .execute(conn)
        .await?;
    Ok(())
}

/// A reminder was not true after all: it will be given at its time.
pub async fn take_reminder_back(
    conn: &mut MySqlConnection,
    subscription: &Subscription,
    kind: ReminderKind,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM reminders WHERE subscription_id = ? AND ends_at = ? AND kind = ?",
        subscription.id,
        subscription.ends_at,
        kind
    )
    .execute(conn)
    .await?;
    Ok(())
}
