//! Schema upgrades. Each migration is one statement that is safe to run again (or adds to a table what a second run
//! finds there), so an upgrade that was killed half way is simply repeated. Copies that start together take turns by a lease in a table of our own: GET_LOCK, which
//! sqlx would use, means nothing between the nodes of a Galera cluster.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, MySqlConnection};
use uuid::Uuid;

use super::Db;

/// The migrations of this version. Those a newer version applied are accepted: an older copy may run on a newer
/// schema while an upgrade rolls through the copies.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.set_locking(false).set_ignore_missing(true);
    migrator
}

/// How long a copy may hold the lease before another takes over; renewed by nothing, so longer than any upgrade.
const LEASE_SECONDS: i64 = 600;
/// How long to wait for another copy's upgrade.
const PATIENCE: Duration = Duration::from_secs(900);

#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    #[error("the database is not reachable or refuses: {0}")]
    Database(#[from] sqlx::Error),
    #[error("a schema upgrade failed: {0}")]
    Migrate(#[from] MigrateError),
    #[error("another copy has been upgrading the schema for {0:?}; is it stuck?")]
    Busy(Duration),
}

/// Brings the schema to this version. Safe to call from many copies at once and after an upgrade that was killed.
pub async fn run(db: &Db) -> Result<(), UpgradeError> {
    db.find_node().await;
    let (owner, mut tries) = (Uuid::now_v7(), 1);
    loop {
        match upgrade(db, owner).await {
            // On Galera, what a copy at another node changes ends even what is only read here.
            Err(error) if super::again("upgrade", tries, &error) => super::pause_after_conflict(tries).await,
            done => return done,
        }
        tries += 1;
    }
}

async fn upgrade(db: &Db, owner: Uuid) -> Result<(), UpgradeError> {
    let mut conn = db.acquire().await?;
    if pending(&mut conn).await? == 0 {
        return give_back(&mut conn, owner).await;
    }
    take_lease(&mut conn, owner).await?;
    let outcome = apply(&mut conn).await;
    outcome.and(give_back(&mut conn, owner).await)
}

/// Ends a lease that was taken, here or by a try before this one.
async fn give_back(conn: &mut MySqlConnection, owner: Uuid) -> Result<(), UpgradeError> {
    let given =
        sqlx::query("DELETE FROM migration_lease WHERE id = 1 AND owner = ?").bind(owner).execute(conn).await;
    match given {
        // The table comes with the first upgrade.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42S02") => Ok(()),
        given => Ok(given.map(drop)?),
    }
}

/// Migrations this version has that the database has not; all of them on an empty database.
pub async fn pending(conn: &mut MySqlConnection) -> sqlx::Result<usize> {
    let known = sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *conn)
    .await?;
    if known == 0 {
        return Ok(migrator().iter().count());
    }
    let applied = sqlx::query_scalar::<_, i64>("SELECT version FROM _sqlx_migrations WHERE success = TRUE")
        .fetch_all(conn)
        .await?;
    Ok(migrator().iter().filter(|m| !applied.contains(&m.version)).count())
}

async fn apply(conn: &mut MySqlConnection) -> Result<(), UpgradeError> {
    forget_half_applied(conn).await?;
    loop {
        match migrator().run_direct(None, conn, false).await {
            Err(MigrateError::ExecuteMigration(error, version)) if adds_what_is_there(&error) => {
                mark_applied(conn, version).await?;
            }
            done => return Ok(done?),
        }
    }
}

/// Whether an `ALTER TABLE … ADD` met its own column (1060) or key (1061): a run that was killed before it could mark
/// the migration has added it. MySQL has no `ADD COLUMN IF NOT EXISTS`.
fn adds_what_is_there(error: &sqlx::Error) -> bool {
    matches!(super::database_error_number(error), Some(1060 | 1061))
}

async fn mark_applied(conn: &mut MySqlConnection, version: i64) -> Result<(), UpgradeError> {
    let marked = sqlx::query("UPDATE _sqlx_migrations SET success = TRUE WHERE version = ?")
        .bind(version)
        .execute(conn)
        .await?;
    if marked.rows_affected() == 1 { Ok(()) } else { Err(MigrateError::Dirty(version).into()) }
}

/// Takes back the mark of a migration that began and was killed: it runs again from its start.
async fn forget_half_applied(conn: &mut MySqlConnection) -> sqlx::Result<()> {
    let begun = sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE").execute(conn).await;
    match begun {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42S02") => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn take_lease(conn: &mut MySqlConnection, owner: Uuid) -> Result<(), UpgradeError> {
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS migration_lease (\
           id TINYINT NOT NULL PRIMARY KEY, owner BINARY(16) NOT NULL, until DATETIME(6) NOT NULL)",
    )
    .execute(&mut *conn)
    .await?;
    let started = tokio::time::Instant::now();
    loop {
        if try_lease(conn, owner).await? {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(UpgradeError::Busy(PATIENCE));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn try_lease(conn: &mut MySqlConnection, owner: Uuid) -> sqlx::Result<bool> {
    match insert_lease(conn, owner).await {
        Ok(()) => Ok(true),
        // On Galera, who came second may hear of it at the commit.
        Err(error) if super::is_duplicate(&error) || super::is_conflict(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn insert_lease(conn: &mut MySqlConnection, owner: Uuid) -> sqlx::Result<()> {
    let mut tx = conn.begin().await?;
    sqlx::query("DELETE FROM migration_lease WHERE id = 1 AND (until < UTC_TIMESTAMP(6) OR owner = ?)")
        .bind(owner)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO migration_lease (id, owner, until) \
         VALUES (1, ?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
    )
    .bind(owner)
    .bind(LEASE_SECONDS)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}
