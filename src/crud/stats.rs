//! Sums over the tables, for people who look after the house.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::models::payment::PaymentStatus;
use crate::models::subscription::SubscriptionStatus;
use crate::models::vpn::{ConfigStatus, Protocol};
use crate::money::{Currency, Money};

/// People in all, first seen since `today`, and seen since `week_ago`.
pub async fn people(
    conn: &mut MySqlConnection,
    today: Timestamp,
    week_ago: Timestamp,
) -> sqlx::Result<(i64, i64, i64)> {
    let row = sqlx::query!(
        "SELECT COUNT(*) AS `total!: i64`, COUNT(CASE WHEN created_at >= ? THEN 1 END) AS `new!: i64`, \
         COUNT(CASE WHEN last_seen_at >= ? THEN 1 END) AS `active!: i64` FROM users",
        today,
        week_ago
    )
    .fetch_one(conn)
    .await?;
    Ok((row.total, row.new, row.active))
}

/// Active subscriptions: to plans, and trials.
pub async fn subscriptions(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        "SELECT COUNT(plan_id) AS `paid!: i64`, COUNT(*) - COUNT(plan_id) AS `trials!: i64` \
         FROM subscriptions WHERE status = ? AND ends_at > ?",
        SubscriptionStatus::Active,
        now
    )
    .fetch_one(conn)
    .await?;
    Ok((row.paid, row.trials))
}

/// Orders completed since `since` and not refunded, as agreed on: how many, and their sum, by currency.
pub async fn completed_payments(
    conn: &mut MySqlConnection,
    since: Timestamp,
) -> sqlx::Result<Vec<(i64, Money)>> {
    let rows = sqlx::query!(
        "SELECT currency AS `currency: Currency`, COUNT(*) AS `count!: i64`, SUM(amount) AS `sum!: Decimal` \
         FROM payments WHERE status = ? AND completed_at >= ? GROUP BY currency ORDER BY currency",
        PaymentStatus::Completed,
        since
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.count, Money::new(row.sum.normalize(), row.currency))).collect())
}

/// Orders in review, and money that fits no order and is not settled.
pub async fn open_reviews(conn: &mut MySqlConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT (SELECT COUNT(*) FROM payments WHERE status = ?) \
         + (SELECT COUNT(*) FROM unmatched_charges WHERE resolved_at IS NULL) AS `reviews!: i64`",
        PaymentStatus::Review
    )
    .fetch_one(conn)
    .await
}

/// Configs that are not gone, by protocol and status.
pub async fn configs(conn: &mut MySqlConnection) -> sqlx::Result<Vec<(Protocol, ConfigStatus, i64)>> {
    let rows = sqlx::query!(
        "SELECT protocol AS `protocol: Protocol`, status AS `status: ConfigStatus`, COUNT(*) AS `count!: i64` \
         FROM vpn_configs WHERE status <> ? GROUP BY protocol, status ORDER BY protocol, status",
        ConfigStatus::Removed
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.protocol, row.status, row.count)).collect())
}
