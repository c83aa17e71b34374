//! vpn_configs.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::crypto::Sealed;
use crate::ids::{ConfigId, ServerId, SubscriptionId, UserId};
use crate::models::subscription::SubscriptionStatus;
use crate::models::vpn::{Applied, ConfigStatus, Growth, Protocol, VpnConfig};

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_config {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            VpnConfig,
            "SELECT id AS `id: ConfigId`, user_id AS `user_id: UserId`, \
             subscription_id AS `subscription_id: SubscriptionId`, protocol AS `protocol: Protocol`, \
             server_id AS `server_id: ServerId`, name, status AS `status: ConfigStatus`, \
             applied AS `applied: Applied`, public_id, secret, secret_key_id, raw_rx, raw_tx, total_rx, total_tx, \
             last_handshake_at AS `last_handshake_at: Timestamp`, delivered_at AS `delivered_at: Timestamp`, \
             created_at AS `created_at: Timestamp` FROM vpn_configs " + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(
    conn: &mut MySqlConnection,
    user_id: UserId,
    subscription_id: SubscriptionId,
    protocol: Protocol,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<ConfigId> {
    let done = sqlx::query!(
        "INSERT INTO vpn_configs (user_id, subscription_id, protocol, name, status, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        user_id,
        subscription_id,
        protocol,
        name,
        ConfigStatus::Preparing,
        now,
        now
    )
    .execute(conn)
    .await?;
    Ok(ConfigId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

pub async fn find(conn: &mut MySqlConnection, id: ConfigId) -> sqlx::Result<Option<VpnConfig>> {
    select_config!("WHERE id = ?", id).fetch_optional(conn).await
}

/// The row, locked until the transaction ends. By a change: FOR UPDATE holds at one node of a Galera cluster only.
pub async fn lock(conn: &mut MySqlConnection, id: ConfigId) -> sqlx::Result<Option<VpnConfig>> {
    sqlx::query!("UPDATE vpn_configs SET updated_at = updated_at + INTERVAL 1 MICROSECOND WHERE id = ?", id)
        .execute(&mut *conn)
        .await?;
    find(conn, id).await
}

/// A person's configs that are not gone, oldest first.
pub async fn list_of_user(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<Vec<VpnConfig>> {
    select_config!(
        "WHERE user_id = ? AND status IN ('preparing', 'active', 'suspended') ORDER BY id",
        user_id
    )
    .fetch_all(conn)
    .await
}

/// Configs of a person that work under plans: not those of a trial, nor what is kept of a plan that has ended.
pub async fn count_under_plans(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT COUNT(*) FROM vpn_configs c JOIN subscriptions s ON s.id = c.subscription_id \
         WHERE c.user_id = ? AND c.status IN ('preparing', 'active', 'suspended') \
         AND s.plan_id IS NOT NULL AND s.status = ?",
        user_id,
        SubscriptionStatus::Active
    )
    .fetch_one(conn)
    .await
}

/// Since when the oldest config that is being prepared waits.
pub async fn oldest_preparing(conn: &mut MySqlConnection) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar!(
        "SELECT MIN(created_at) AS `oldest: Timestamp` FROM vpn_configs WHERE status = ?",
        ConfigStatus::Preparing
    )
    .fetch_one(conn)
    .await
}

/// A subscription's configs that are not gone, oldest first.
pub async fn list_of_subscription(
    conn: &mut MySqlConnection,
    subscription_id: SubscriptionId,
) -> sqlx::Result<Vec<VpnConfig>> {
    select_config!(
        "WHERE subscription_id = ? AND status IN ('preparing', 'active', 'suspended') ORDER BY id",
        subscription_id
    )
    .fetch_all(conn)
    .await
}

/// Everything that should be at a server, blocked or not.
pub async fn list_of_server(conn: &mut MySqlConnection, server_id: ServerId) -> sqlx::Result<Vec<VpnConfig>> {
    select_config!(
        "WHERE server_id = ? AND status IN ('preparing', 'active', 'suspended') AND secret IS NOT NULL",
        server_id
    )
    .fetch_all(conn)
    .await
}

/// Places a config: its server and its keys, once; false when it has a place already.
pub async fn place(
    conn: &mut MySqlConnection,
    id: ConfigId,
    server_id: ServerId,
    public_id: &str,
    secret: &Sealed,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE vpn_configs SET server_id = ?, public_id = ?, secret = ?, secret_key_id = ?, updated_at = ? \
         WHERE id = ? AND server_id IS NULL",
        server_id,
        public_id,
        secret.bytes,
        secret.key_id,
        now,
        id
    )
    .execute(&mut *conn)
    .await?;
    let placed = done.rows_affected() == 1;
    if placed {
        super::server::enter(conn, server_id).await?;
    }
    Ok(placed)
}

pub async fn set_secret(
    conn: &mut MySqlConnection,
    id: ConfigId,
    public_id: &str,
    secret: &Sealed,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE vpn_configs SET public_id = ?, secret = ?, secret_key_id = ? WHERE id = ?",
        public_id,
        secret.bytes,
        secret.key_id,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes what should be. What is revoked has left its server's count, and does not come back.
pub async fn set_status(
    conn: &mut MySqlConnection,
    id: ConfigId,
    status: ConfigStatus,
    now: Timestamp,
) -> sqlx::Result<()> {
    if status == ConfigStatus::Revoked {
        super::server::leave(conn, id).await?;
    }
    sqlx::query!("UPDATE vpn_configs SET status = ?, updated_at = ? WHERE id = ?", status, now, id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes what the backend was made to be.
pub async fn set_applied(conn: &mut MySqlConnection, id: ConfigId, applied: Applied) -> sqlx::Result<()> {
    sqlx::query!("UPDATE vpn_configs SET applied = ? WHERE id = ?", applied, id).execute(conn).await?;
    Ok(())
}

/// The config is gone from its backend: nothing of its keys is kept.
pub async fn set_removed(conn: &mut MySqlConnection, id: ConfigId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE vpn_configs SET status = ?, applied = ?, secret = NULL, secret_key_id = NULL, updated_at = ? \
         WHERE id = ?",
        ConfigStatus::Removed,
        Applied::None,
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a config as handed out; false when it was before.
pub async fn set_delivered(conn: &mut MySqlConnection, id: ConfigId, now: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE vpn_configs SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL",
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn rename(conn: &mut MySqlConnection, id: ConfigId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE vpn_configs SET name = ? WHERE id = ?", name, id).execute(conn).await?;
    Ok(())
}

/// Writes counters as they were read and what they add up to; false when they are not the ones that this growth was
/// counted from any more: somebody else was first, or the config has gone to another server.
pub async fn set_usage(conn: &mut MySqlConnection, growth: &Growth) -> sqlx::Result<bool> {
    let (last, raw, total) = (growth.last, growth.raw, growth.total);
    // Counters begin at nothing again and again; what they add up to does not.
    let before = total.0.saturating_add(total.1).saturating_sub(growth.bytes);
    let done = sqlx::query!(
        "UPDATE vpn_configs SET raw_rx = ?, raw_tx = ?, total_rx = ?, total_tx = ?, \
         last_handshake_at = COALESCE(?, last_handshake_at) \
         WHERE id = ? AND server_id = ? AND raw_rx = ? AND raw_tx = ? AND total_rx + total_tx = ?",
        raw.0,
        raw.1,
        total.0,
        total.1,
        growth.last_handshake,
        growth.config_id,
        growth.server_id,
        last.0,
        last.1,
        before
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Configs after `after` whose secret is sealed with another key than `current`, locked until the transaction ends.
pub async fn lock_for_rotation(
    conn: &mut MySqlConnection,
    current: &str,
    after: ConfigId,
    limit: u32,
) -> sqlx::Result<Vec<VpnConfig>> {
    select_config!(
        "WHERE id > ? AND secret IS NOT NULL AND secret_key_id <> ? ORDER BY id LIMIT ? FOR UPDATE",
        after,
        current,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Replaces what the keys are stored as; they stay the same.
pub async fn reseal(conn: &mut MySqlConnection, id: ConfigId, secret: &Sealed) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE vpn_configs SET secret = ?, secret_key_id = ? WHERE id = ?",
        secret.bytes,
        secret.key_id,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many secrets are stored under each key.
pub async fn count_by_key(conn: &mut MySqlConnection) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        "SELECT secret_key_id AS `key_id!`, COUNT(*) AS `secrets!: i64` FROM vpn_configs \
         WHERE secret IS NOT NULL GROUP BY secret_key_id"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.secrets)).collect())
}

/// The newest configs whose secret is stored under a key.
pub async fn list_under_key(
    conn: &mut MySqlConnection,
    key_id: &str,
    limit: u32,
) -> sqlx::Result<Vec<VpnConfig>> {
    select_config!("WHERE secret IS NOT NULL AND secret_key_id = ? ORDER BY id DESC LIMIT ?", key_id, limit)
        .fetch_all(conn)
        .await
}

/// The public ids of everything that is or was placed at a server and is not gone, each with whether it is open.
pub async fn public_ids(
    conn: &mut MySqlConnection,
    server_id: ServerId,
) -> sqlx::Result<Vec<(String, bool)>> {
    let rows = sqlx::query!(
        "SELECT public_id AS `public_id!`, status = 'active' AND applied = 'present' AS `open!: bool` \
         FROM vpn_configs WHERE server_id = ? AND status <> 'removed' AND public_id IS NOT NULL",
        server_id
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.public_id, row.open)).collect())
}

/// Every config that has its place at a server and is to stay.
pub async fn list_placed(conn: &mut MySqlConnection, server_id: ServerId) -> sqlx::Result<Vec<ConfigId>> {
    sqlx::query_scalar!(
        "SELECT id AS `id: ConfigId` FROM vpn_configs \
         WHERE server_id = ? AND status IN ('preparing', 'active', 'suspended') ORDER BY id FOR UPDATE",
        server_id
    )
    .fetch_all(conn)
    .await
}

/// Takes a config's place away: it has no server and no keys, and is to be made and handed over anew.
pub async fn unplace(conn: &mut MySqlConnection, id: ConfigId, now: Timestamp) -> sqlx::Result<()> {
    super::server::leave(conn, id).await?;
    sqlx::query!(
        "UPDATE vpn_configs SET status = IF(status = ?, ?, status), applied = ?, server_id = NULL, public_id = NULL, \
         secret = NULL, secret_key_id = NULL, raw_rx = 0, raw_tx = 0, last_handshake_at = NULL, delivered_at = NULL, \
         updated_at = ? WHERE id = ?",
        ConfigStatus::Active,
        ConfigStatus::Preparing,
        Applied::None,
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}
