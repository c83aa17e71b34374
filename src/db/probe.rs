//! Looking at the database from outside the pool, for `doctor` and for commands that want a clear answer at once.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, MySqlConnection};
use uuid::Uuid;

use super::nodes;
use crate::clock::Timestamp;

/// One of several nodes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection of its own, whose error says what is wrong; of several nodes, to the first that takes work.
pub async fn connect(url: &str) -> sqlx::Result<MySqlConnection> {
    let nodes = nodes::each(url);
    let [others @ .., last] = nodes.as_slice() else { unreachable!("an address names at least one host") };
    for node in others {
        if let Ok(Ok(conn)) = tokio::time::timeout(PATIENCE, connect_to(node)).await {
            return Ok(conn);
        }
    }
    connect_to(last).await
}

async fn connect_to(node: &str) -> sqlx::Result<MySqlConnection> {
    let options = MySqlConnectOptions::from_str(node)?.disable_statement_logging();
    let mut conn = MySqlConnection::connect_with(&options).await?;
    nodes::check(&mut conn).await?;
    Ok(conn)
}

/// What the server calls itself, e.g. `10.11.6-MariaDB`.
pub async fn version(conn: &mut MySqlConnection) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT VERSION()").fetch_one(conn).await
}

/// The server's time.
pub async fn now(conn: &mut MySqlConnection) -> sqlx::Result<Timestamp> {
    sqlx::query_scalar("SELECT UTC_TIMESTAMP(6)").fetch_one(conn).await
}

/// A setting of this session; None where the server knows none of that name.
pub async fn variable(conn: &mut MySqlConnection, name: &str) -> sqlx::Result<Option<String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SHOW SESSION VARIABLES WHERE Variable_name = ?").bind(name).fetch_all(conn).await?;
    Ok(rows.into_iter().next().map(|(_, value)| value))
}

/// Statements that all sessions together keep prepared, and how many there may be.
pub async fn prepared(conn: &mut MySqlConnection) -> sqlx::Result<(u64, u64)> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'").fetch_all(&mut *conn).await?;
    let held = rows.first().and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let most = variable(conn, "max_prepared_stmt_count").await?;
    Ok((held, most.and_then(|most| most.parse().ok()).unwrap_or(u64::MAX)))
}

/// The isolation of this session's transactions, e.g. `READ-COMMITTED`. Its name differs between the servers.
pub async fn isolation(conn: &mut MySqlConnection) -> sqlx::Result<Option<String>> {
    match variable(&mut *conn, "transaction_isolation").await? {
        Some(value) => Ok(Some(value)),
        None => variable(conn, "tx_isolation").await,
    }
}

/// A right that is missing.
#[derive(Debug, thiserror::Error)]
#[error("{what} is refused: {source}")]
pub struct Refused {
    pub what: &'static str,
    pub source: sqlx::Error,
}

/// Tries everything that the server and its migrations do, on a table that is dropped again.
pub async fn try_rights(conn: &mut MySqlConnection) -> Result<(), Refused> {
    let table = format!("doctor_{}", Uuid::now_v7().simple());
    let outcome = try_rights_on(&mut *conn, &table).await;
    let dropped = run(conn, "DROP TABLE", format!("DROP TABLE IF EXISTS {table}")).await;
    outcome.and(dropped)
}

async fn try_rights_on(conn: &mut MySqlConnection, table: &str) -> Result<(), Refused> {
    let steps = [
        (
            "CREATE TABLE",
            format!("CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, parent INT) ENGINE = InnoDB"),
        ),
        ("ALTER TABLE", format!("ALTER TABLE {table} ADD COLUMN note VARCHAR(8)")),
        ("CREATE INDEX", format!("CREATE INDEX by_note ON {table} (note)")),
        ("REFERENCES", format!("ALTER TABLE {table} ADD FOREIGN KEY (parent) REFERENCES {table} (id)")),
        ("INSERT", format!("INSERT INTO {table} (id) VALUES (1)")),
        ("SELECT … FOR UPDATE SKIP LOCKED", format!("SELECT id FROM {table} FOR UPDATE SKIP LOCKED")),
        ("UPDATE", format!("UPDATE {table} SET note = 'x'")),
        ("DELETE", format!("DELETE FROM {table}")),
    ];
    for (what, statement) in steps {
        run(&mut *conn, what, statement).await?;
    }
    Ok(())
}

async fn run(conn: &mut MySqlConnection, what: &'static str, statement: String) -> Result<(), Refused> {
    // The only variable part is the table's name, which was made here.
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await;
    done.map(drop).map_err(|source| Refused { what, source })
}
