//! address_pools and addresses.

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::clock::Timestamp;
use crate::ids::{ConfigId, PoolId, ServerId};
use crate::models::address::{AddressPool, Lease, PoolKind, PoolLevel};

pub async fn insert_pool(
    conn: &mut MySqlConnection,
    server_id: ServerId,
    kind: PoolKind,
    cidr4: &str,
    cidr6: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<PoolId> {
    let done = sqlx::query!(
        "INSERT INTO address_pools (server_id, kind, cidr4, cidr6, created_at) VALUES (?, ?, ?, ?, ?)",
        server_id,
        kind,
        cidr4,
        cidr6,
        now
    )
    .execute(conn)
    .await?;
    Ok(PoolId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

/// Adds free host numbers to a pool; those it has stay as they are.
pub async fn insert_hosts(
    conn: &mut MySqlConnection,
    pool_id: PoolId,
    hosts: &[u32],
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new("INSERT INTO addresses (pool_id, host, leased, free_at) ");
    query.push_values(hosts, |mut row, host| {
        row.push_bind(pool_id).push_bind(*host).push_bind(false).push_bind(now);
    });
    query.push(" ON DUPLICATE KEY UPDATE id = id");
    query.build().execute(conn).await?;
    Ok(())
}

pub async fn pools_of_server(
    conn: &mut MySqlConnection,
    server_id: ServerId,
    kind: PoolKind,
) -> sqlx::Result<Vec<AddressPool>> {
    sqlx::query_as!(
        AddressPool,
        "SELECT id AS `id: PoolId`, server_id AS `server_id: ServerId`, kind AS `kind: PoolKind`, cidr4, cidr6 \
         FROM address_pools WHERE server_id = ? AND kind = ? ORDER BY id",
        server_id,
        kind
    )
    .fetch_all(conn)
    .await
}

/// Leases the address that has been free the longest; nobody gets what another has. Askers pass by what others are
/// about to take, so that a thousand of them do not queue for one row. Only where nothing else is left they take
/// turns: who comes before may yet give it back. False: the pool is full.
pub async fn lease(
    conn: &mut MySqlConnection,
    pool_id: PoolId,
    config_id: ConfigId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let free = sqlx::query_scalar!(
        "SELECT id FROM addresses WHERE pool_id = ? AND leased = FALSE AND free_at <= ? \
         ORDER BY free_at, host LIMIT 1 FOR UPDATE SKIP LOCKED",
        pool_id,
        now
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = free {
        let taken =
            sqlx::query!("UPDATE addresses SET leased = TRUE, config_id = ? WHERE id = ?", config_id, id);
        return Ok(taken.execute(conn).await?.rows_affected() == 1);
    }
    let done = sqlx::query!(
        "UPDATE addresses SET leased = TRUE, config_id = ? \
         WHERE pool_id = ? AND leased = FALSE AND free_at <= ? ORDER BY free_at, host LIMIT 1",
        config_id,
        pool_id,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The address a config holds.
pub async fn of_config(conn: &mut MySqlConnection, config_id: ConfigId) -> sqlx::Result<Option<Lease>> {
    sqlx::query_as!(
        Lease,
        "SELECT a.config_id AS `config_id!: ConfigId`, a.host, p.cidr4, p.cidr6 \
         FROM addresses a JOIN address_pools p ON p.id = a.pool_id WHERE a.config_id = ?",
        config_id
    )
    .fetch_optional(conn)
    .await
}

/// The addresses of all configs of a server.
pub async fn of_server(conn: &mut MySqlConnection, server_id: ServerId) -> sqlx::Result<Vec<Lease>> {
    sqlx::query_as!(
        Lease,
        "SELECT a.config_id AS `config_id!: ConfigId`, a.host, p.cidr4, p.cidr6 \
         FROM address_pools p JOIN addresses a ON a.pool_id = p.id \
         WHERE p.server_id = ? AND a.leased = TRUE AND a.config_id IS NOT NULL",
        server_id
    )
    .fetch_all(conn)
    .await
}

/// Gives an address back; it rests until `free_at`.
pub async fn release(
    conn: &mut MySqlConnection,
    config_id: ConfigId,
    free_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE addresses SET leased = FALSE, config_id = NULL, free_at = ? WHERE config_id = ?",
        free_at,
        config_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How full every pool is; an address that rests is not free.
pub async fn levels(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<Vec<PoolLevel>> {
    sqlx::query_as!(
        PoolLevel,
        "SELECT s.name AS server, p.kind AS `kind: PoolKind`, COUNT(*) AS `size!: i64`, \
         CAST(SUM(a.leased = FALSE AND a.free_at <= ?) AS SIGNED) AS `free!: i64` \
         FROM servers s JOIN address_pools p ON p.server_id = s.id JOIN addresses a ON a.pool_id = p.id \
         WHERE s.removed_at IS NULL GROUP BY s.id, s.name, p.kind",
        now
    )
    .fetch_all(conn)
    .await
}
