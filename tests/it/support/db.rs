//! A database of its own for each test, on the server that TEST_DATABASE_URL names, with all migrations applied.

use std::thread;

use reqwest::Url;
use sqlx::migrate::Migrator;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

static MIGRATIONS: Migrator = sqlx::migrate!();

const NO_SERVER: &str = "TEST_DATABASE_URL is not set. `make test` sets it. For a single test:

    export TEST_DATABASE_URL=$(scripts/mariadb --fast start)
    cargo test --test it NAME
    scripts/mariadb --fast stop
";

/// A database that nobody else uses, dropped together with this value.
pub struct TestDb {
    pub pool: MySqlPool,
    url: Url,
    name: String,
}

impl TestDb {
    /// A database with all migrations applied.
    pub async fn new() -> TestDb {
        let db = TestDb::empty().await;
        MIGRATIONS.run(&db.pool).await.unwrap();
        db
    }

    /// A database with all migrations applied, on another server than the tests' common one.
    pub async fn on(server: &str) -> TestDb {
        let db = TestDb::empty_on(server).await;
        MIGRATIONS.run(&db.pool).await.unwrap();
        db
    }

    /// A database without any table.
    pub async fn empty() -> TestDb {
        let server = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| panic!("{NO_SERVER}"));
        TestDb::empty_on(&server).await
    }

    /// As [`TestDb::empty`], on another server.
    pub async fn empty_on(server: &str) -> TestDb {
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        let mut url: Url = server.parse().unwrap();
        connect_to_server(&url)
            .await
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")))
            .await
            .unwrap();
        url.set_path(&name);
        TestDb { pool: pool(&url).await, url, name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What DATABASE_URL has to be for another process to use this database.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

impl Drop for TestDb {
    /// A test that panics or stands in a runtime that is going away drops its database as well: hence a thread with a
    /// runtime of its own.
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.name.clone());
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(url, &name));
        });
        if dropped.join().is_err() {
            eprintln!("the database {} could not be dropped", self.name);
        }
    }
}

/// Ends the connections that are still inside first: their open transactions would make the drop wait.
async fn drop_database(mut url: Url, name: &str) {
    url.set_path("");
    let mut server = connect_to_server(&url).await;
    let inside: Vec<i64> =
        sqlx::query_scalar("SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?")
            .bind(name)
            .fetch_all(&mut server)
            .await
            .unwrap();
    for connection in inside {
        // It may have ended by itself since.
        let _ = server.execute(AssertSqlSafe(format!("KILL {connection}"))).await;
    }
    server.execute(AssertSqlSafe(format!("DROP DATABASE {name}"))).await.unwrap();
}

async fn connect_to_server(url: &Url) -> MySqlConnection {
    MySqlConnection::connect(url.as_str()).await.unwrap_or_else(|error| panic!("{error}\n\n{NO_SERVER}"))
}

/// Sessions as the application's are: UTC (sqlx's default) and READ COMMITTED.
async fn pool(url: &Url) -> MySqlPool {
    let options = MySqlConnectOptions::from_url(url).unwrap();
    MySqlPoolOptions::new()
        .max_connections(20)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tests_share_nothing() {
        let (one, other) = tokio::join!(TestDb::new(), TestDb::new());
        let insert = "INSERT INTO users (id, first_name, language, status, created_at, last_seen_at)
                      VALUES (1, 'Ana', 'es', 'active', NOW(6), NOW(6))";
        one.pool.execute(insert).await.unwrap();
        other.pool.execute(insert).await.unwrap();
    }

    #[tokio::test]
    async fn sessions_are_read_committed_and_utc() {
        let db = TestDb::empty().await;
        let (isolation, zone): (String, String) =
            sqlx::query_as("SELECT @@tx_isolation, @@time_zone").fetch_one(&db.pool).await.unwrap();
        assert_eq!((isolation.as_str(), zone.as_str()), ("READ-COMMITTED", "+00:00"));
    }

    #[tokio::test]
    async fn is_gone_afterwards_even_with_a_transaction_open() {
        let db = TestDb::new().await;
        let mut inside = MySqlConnection::connect(db.url()).await.unwrap();
        inside.execute("START TRANSACTION; SELECT * FROM users FOR UPDATE").await.unwrap();
        let url = db.url().to_owned();
        drop(db);
        assert!(MySqlConnection::connect(&url).await.is_err());
    }
}
