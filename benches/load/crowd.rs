//! A database that has grown: at scale 1 a million people, five million audit rows, 200,000 subscriptions with what was
//! paid for them and the configs under them, 50,000 jobs that wait, and a month of what is done. Made in sets by
//! `crowd.sql`, so that a small one takes a second and the whole one minutes; all invariants hold in it.
//!
//! Its own file, so that the tests include it as well.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

/// Fills a migrated database on MariaDB with `scale` of the crowd, and tells how long it took. The statistics of the
/// tables are counted anew, as the server itself would have done by then.
pub async fn fill(url: &str, scale: f64) -> sqlx::Result<Duration> {
    let begun = Instant::now();
    let mut conn = MySqlConnection::connect(url).await?;
    conn.execute(AssertSqlSafe(format!("SET @scale = {scale}"))).await?;
    for statement in include_str!("crowd.sql").split(";\n") {
        if !statement.trim().is_empty() {
            conn.execute(statement).await?;
        }
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    )
    .fetch_all(&mut conn)
    .await?;
    for table in tables {
        conn.execute(AssertSqlSafe(format!("ANALYZE TABLE {table}"))).await?;
    }
    conn.close().await?;
    Ok(begun.elapsed())
}
