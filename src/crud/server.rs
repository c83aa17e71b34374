//! servers.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::crypto::Sealed;
use crate::ids::{ConfigId, ServerId};
use crate::machine::Machine;
use crate::models::server::{NewServer, Server, ServerHealth};
use crate::models::vpn::Protocol;

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_server {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Server,
            "SELECT id AS `id: ServerId`, name, protocol AS `protocol: Protocol`, location, settings, secret, \
             secret_key_id, capacity, active AS `active: bool`, health AS `health: ServerHealth`, health_detail, \
             health_at AS `health_at: Timestamp`, created_at AS `created_at: Timestamp`, \
             removed_at AS `removed_at: Timestamp`, machine AS `machine?`, \
             machine_name AS `machine_name?` FROM servers LEFT JOIN server_homes ON server_id = id " + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(
    conn: &mut MySqlConnection,
    new: &NewServer,
    secret: &Sealed,
    now: Timestamp,
) -> sqlx::Result<ServerId> {
    let done = sqlx::query!(
        "INSERT INTO servers (name, protocol, location, settings, secret, secret_key_id, capacity, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        new.name,
        new.protocol,
        new.location,
        new.settings,
        secret.bytes,
        secret.key_id,
        new.capacity,
        now
    )
    .execute(conn)
    .await?;
    Ok(ServerId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

pub async fn find(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<Option<Server>> {
    select_server!("WHERE id = ?", id).fetch_optional(conn).await
}

pub async fn find_by_name(conn: &mut MySqlConnection, name: &str) -> sqlx::Result<Option<Server>> {
    select_server!("WHERE name = ? AND removed_at IS NULL", name).fetch_optional(conn).await
}

/// As [`find_by_name`], and nothing is placed there until the commit.
pub async fn lock_by_name(conn: &mut MySqlConnection, name: &str) -> sqlx::Result<Option<Server>> {
    select_server!("WHERE name = ? AND removed_at IS NULL FOR UPDATE", name).fetch_optional(conn).await
}

/// Whether a server is in use; it stays so until the commit. Placing on it goes on beside this.
pub async fn hold_in_use(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<bool> {
    // FOR SHARE is MySQL's alone.
    let found = sqlx::query_scalar!(
        "SELECT id FROM servers WHERE id = ? AND removed_at IS NULL LOCK IN SHARE MODE",
        id
    );
    Ok(found.fetch_optional(conn).await?.is_some())
}

/// Servers that were not removed.
pub async fn list(conn: &mut MySqlConnection) -> sqlx::Result<Vec<Server>> {
    select_server!("WHERE removed_at IS NULL ORDER BY id").fetch_all(conn).await
}

/// Servers of a protocol that take new configs, the emptiest first; those known to be down come last.
pub async fn candidates(conn: &mut MySqlConnection, protocol: Protocol) -> sqlx::Result<Vec<Server>> {
    select_server!(
        "LEFT JOIN server_loads l ON l.server_id = id \
         WHERE protocol = ? AND active AND removed_at IS NULL AND capacity > COALESCE(l.configs, 0) \
         ORDER BY health = 'down', COALESCE(l.configs, 0) / capacity, id",
        protocol
    )
    .fetch_all(conn)
    .await
}

/// A config has come to a server: it holds one more. The row is locked until the commit, so this comes late.
pub(super) async fn enter(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO server_loads (server_id, configs) VALUES (?, 1) ON DUPLICATE KEY UPDATE configs = configs + 1",
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Before a config stops being held: its server, if it has one, holds one less.
pub(super) async fn leave(conn: &mut MySqlConnection, id: ConfigId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE server_loads l JOIN vpn_configs c ON c.server_id = l.server_id SET l.configs = l.configs - 1 \
         WHERE c.id = ? AND c.status IN ('preparing', 'active', 'suspended')",
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts what a server holds anew: an older version of the server, or a hand, may have changed it uncounted.
pub async fn recount(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<()> {
    // Whoever counts up or down waits from here on, and has committed what it counted.
    let counted = sqlx::query_scalar!("SELECT configs FROM server_loads WHERE server_id = ? FOR UPDATE", id)
        .fetch_optional(&mut *conn)
        .await?;
    let held = i32::try_from(load(&mut *conn, id).await?).unwrap_or(i32::MAX);
    if counted != Some(held) {
        sqlx::query!(
            "INSERT INTO server_loads (server_id, configs) VALUES (?, ?) \
             ON DUPLICATE KEY UPDATE configs = VALUES(configs)",
            id,
            held
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Servers that were removed while their machine has what is theirs still.
pub async fn list_standing(conn: &mut MySqlConnection) -> sqlx::Result<Vec<Server>> {
    select_server!("WHERE removed_at IS NOT NULL AND machine IS NOT NULL ORDER BY id").fetch_all(conn).await
}

/// Protocols that can be had now.
pub async fn protocols(conn: &mut MySqlConnection) -> sqlx::Result<Vec<Protocol>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT protocol AS `protocol: Protocol` FROM servers WHERE active AND removed_at IS NULL"
    )
    .fetch_all(conn)
    .await
}

/// Configs that a server holds, counted one by one.
pub async fn load(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT COUNT(*) FROM vpn_configs WHERE server_id = ? AND status IN ('preparing', 'active', 'suspended')",
        id
    )
    .fetch_one(conn)
    .await
}

/// Servers after `after`, removed ones too, whose secret is sealed with another key than `current`, locked until the
/// transaction ends.
pub async fn lock_for_rotation(
    conn: &mut MySqlConnection,
    current: &str,
    after: ServerId,
    limit: u32,
) -> sqlx::Result<Vec<Server>> {
    select_server!(
        "WHERE id > ? AND secret_key_id <> ? ORDER BY id LIMIT ? FOR UPDATE",
        after,
        current,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Notes where a server lives from now on.
pub async fn set_home(conn: &mut MySqlConnection, id: ServerId, home: &Machine) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO server_homes (server_id, machine, machine_name) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE machine = VALUES(machine), machine_name = VALUES(machine_name)",
        id,
        home.id,
        home.name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing of a server is left on the machine where it lived.
pub async fn forget_home(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM server_homes WHERE server_id = ?", id).execute(conn).await?;
    Ok(())
}

/// Where a server lives, if it is a part of one machine.
pub async fn home(conn: &mut MySqlConnection, id: ServerId) -> sqlx::Result<Option<Machine>> {
    sqlx::query_as!(
        Machine,
        "SELECT machine AS id, machine_name AS name FROM server_homes WHERE server_id = ?",
        id
    )
    .fetch_optional(conn)
    .await
}

/// As [`home`], of the server in use that a config has its place at.
pub async fn home_of_config(conn: &mut MySqlConnection, id: ConfigId) -> sqlx::Result<Option<Machine>> {
    sqlx::query_as!(
        Machine,
        "SELECT h.machine AS id, h.machine_name AS name FROM vpn_configs c \
         JOIN servers s ON s.id = c.server_id AND s.removed_at IS NULL \
         JOIN server_homes h ON h.server_id = s.id WHERE c.id = ?",
        id
    )
    .fetch_optional(conn)
    .await
}

/// Every machine that a server lives on.
pub async fn homes(conn: &mut MySqlConnection) -> sqlx::Result<Vec<Machine>> {
    sqlx::query_as!(
        Machine,
        "SELECT machine AS id, MIN(machine_name) AS `name!` FROM server_homes GROUP BY machine"
    )
    .fetch_all(conn)
    .await
}

pub async fn set_place(
    conn: &mut MySqlConnection,
    id: ServerId,
    location: &str,
    capacity: u32,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE servers SET location = ?, capacity = ? WHERE id = ?", location, capacity, id)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn set_health(
    conn: &mut MySqlConnection,
    id: ServerId,
    health: ServerHealth,
    detail: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let detail: String = detail.chars().take(255).collect();
    sqlx::query!(
        "UPDATE servers SET health = ?, health_detail = ?, health_at = ? WHERE id = ?",
        health,
        detail,
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_removed(conn: &mut MySqlConnection, id: ServerId, now: Timestamp) -> sqlx::Result<()> {
    // The name becomes free for a new server.
    sqlx::query!(
        "UPDATE servers SET removed_at = ?, active = FALSE, name = CONCAT(LEFT(name, 40), ' #', id) WHERE id = ?",
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_secret(conn: &mut MySqlConnection, id: ServerId, secret: &Sealed) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE servers SET secret = ?, secret_key_id = ? WHERE id = ?",
        secret.bytes,
        secret.key_id,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}
