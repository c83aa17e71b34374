//! user_roles. An expired row grants nothing; it stays until the role is granted again or revoked.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::role::{Role, UserRole};
use crate::models::user::UserStatus;

/// The roles that work at `now`.
pub async fn active(conn: &mut MySqlConnection, user_id: UserId, now: Timestamp) -> sqlx::Result<Vec<Role>> {
    sqlx::query_scalar!(
        "SELECT role AS `role: Role` FROM user_roles \
         WHERE user_id = ? AND (expires_at IS NULL OR expires_at > ?)",
        user_id,
        now
    )
    .fetch_all(conn)
    .await
}

pub async fn find(conn: &mut MySqlConnection, user_id: UserId, role: Role) -> sqlx::Result<Option<UserRole>> {
    sqlx::query_as!(
        UserRole,
        "SELECT user_id AS `user_id: UserId`, role AS `role: Role`, granted_by AS `granted_by: UserId`, \
         granted_at AS `granted_at: Timestamp`, expires_at AS `expires_at: Timestamp` \
         FROM user_roles WHERE user_id = ? AND role = ?",
        user_id,
        role
    )
    .fetch_optional(conn)
    .await
}

/// Every row of a person, expired ones too.
pub async fn list(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<Vec<UserRole>> {
    sqlx::query_as!(
        UserRole,
        "SELECT user_id AS `user_id: UserId`, role AS `role: Role`, granted_by AS `granted_by: UserId`, \
         granted_at AS `granted_at: Timestamp`, expires_at AS `expires_at: Timestamp` \
         FROM user_roles WHERE user_id = ? ORDER BY granted_at, role",
        user_id
    )
    .fetch_all(conn)
    .await
}

/// Whoever holds a role at `now`.
pub async fn holders(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT user_id AS `user_id: UserId` FROM user_roles \
         WHERE expires_at IS NULL OR expires_at > ?",
        now
    )
    .fetch_all(conn)
    .await
}

/// Grants that ended and of which that was not written down, held until the commit.
pub async fn lock_ended(
    conn: &mut MySqlConnection,
    now: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<UserRole>> {
    sqlx::query_as!(
        UserRole,
        "SELECT user_id AS `user_id: UserId`, role AS `role: Role`, granted_by AS `granted_by: UserId`, \
         granted_at AS `granted_at: Timestamp`, expires_at AS `expires_at: Timestamp` \
         FROM user_roles WHERE expires_at <= ? AND (ended_at IS NULL OR ended_at < expires_at) LIMIT ? FOR UPDATE",
        now,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Notes that the end of a grant was written down.
pub async fn set_ended(conn: &mut MySqlConnection, grant: &UserRole, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE user_roles SET ended_at = ? WHERE user_id = ? AND role = ?",
        now,
        grant.user_id,
        grant.role
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Grants a role, or replaces how it was granted.
pub async fn put(conn: &mut MySqlConnection, role: &UserRole) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO user_roles (user_id, role, granted_by, granted_at, expires_at) VALUES (?, ?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE granted_by = VALUES(granted_by), granted_at = VALUES(granted_at), \
         expires_at = VALUES(expires_at)",
        role.user_id,
        role.role,
        role.granted_by,
        role.granted_at,
        role.expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete(conn: &mut MySqlConnection, user_id: UserId, role: Role) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM user_roles WHERE user_id = ? AND role = ?", user_id, role)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whoever is an admin or superadmin by these rows at `now`, and not banned.
pub async fn admins(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT r.user_id AS `user_id: UserId` FROM user_roles r JOIN users u ON u.id = r.user_id \
         WHERE r.role IN (?, ?) AND (r.expires_at IS NULL OR r.expires_at > ?) AND u.status <> ?",
        Role::Admin,
        Role::Superadmin,
        now,
        UserStatus::Banned
    )
    .fetch_all(conn)
    .await
}
