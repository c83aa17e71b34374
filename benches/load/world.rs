//! A database and the processes under load.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use crate::client::Line;

/// What Telegram shows with every update.
pub const SECRET: &str = "0123456789abcdef";
/// Database connections of the baseline, and the server's default.
pub const CONNECTIONS: u32 = 20;
/// First Telegram id of the people.
pub const FIRST: i64 = 5_000_000_000;
const BINARY: &str = env!("CARGO_BIN_EXE_usipipo");

/// A database made anew on the server that BENCH_DATABASE_URL names.
pub async fn fresh_database(name: &str) -> anyhow::Result<String> {
    let server =
        std::env::var("BENCH_DATABASE_URL").context("BENCH_DATABASE_URL is not set: `make bench` sets it")?;
    let mut conn = MySqlConnection::connect(&server).await?;
    for sql in
        [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")]
    {
        conn.execute(AssertSqlSafe(sql)).await?;
    }
    let url = server.replacen("/?", &format!("/{name}?"), 1);
    let migrated = Command::new(BINARY)
        .arg("migrate")
        .env_clear()
        .envs(variables(&url, "http://127.0.0.1:1", 0))
        .status()?;
    if !migrated.success() {
        bail!("usipipo migrate failed");
    }
    Ok(url)
}

/// People who have been here before.
pub async fn add_people(url: &str, count: i64) -> anyhow::Result<()> {
    let mut conn = MySqlConnection::connect(url).await?;
    let sql = format!(
        "INSERT INTO users (id, username, first_name, last_name, language, status, created_at, last_seen_at) \
         SELECT {FIRST} + seq, CONCAT('person', seq), 'Ana', NULL, 'en', 'active', '2026-01-01', '2026-01-01' \
         FROM seq_1_to_{count}"
    );
    conn.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

pub async fn count(url: &str, sql: &'static str) -> anyhow::Result<i64> {
    let mut conn = MySqlConnection::connect(url).await?;
    Ok(sqlx::query_scalar(sql).fetch_one(&mut conn).await?)
}

fn variables(database: &str, telegram: &str, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("BIND_ADDR", format!("127.0.0.1:{port}")),
        ("PUBLIC_URL", "https://bench.example".to_owned()),
        ("DATABASE_URL", database.to_owned()),
        ("DATABASE_MAX_CONNECTIONS", CONNECTIONS.to_string()),
        ("TELEGRAM_API_URL", telegram.to_owned()),
        ("CLIENT_BOT_TOKEN", "1001:ccccccccccccccccccccccccccccccccccc".to_owned()),
        ("TELEGRAM_WEBHOOK_SECRET", SECRET.to_owned()),
        ("TELEGRAM_MESSAGES_PER_SECOND", "30000".to_owned()),
        ("USER_ACTIONS_PER_MINUTE", "6000".to_owned()),
        ("SUPERADMIN_TELEGRAM_IDS", "1".to_owned()),
        ("ENCRYPTION_KEYS", format!("k1:{}=", "A".repeat(43))),
        ("RUST_LOG", "warn".to_owned()),
    ]
}

/// A process under load; killed when dropped.
pub struct Served {
    child: Child,
    pub address: String,
    /// From the start of the process until it was ready.
    pub ready_after: Duration,
}

impl Served {
    pub async fn server(database: &str, telegram: &str) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let begun = Instant::now();
        let mut command = Command::new(BINARY);
        command
            .arg("serve")
            .env_clear()
            .envs(variables(database, telegram, port))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn()?;
        let address = format!("127.0.0.1:{port}");
        let mut served = Self { child, address, ready_after: Duration::ZERO };
        loop {
            if begun.elapsed() > Duration::from_secs(30) {
                bail!("the server is not ready after 30 s");
            }
            if let Ok(mut line) = Line::open(&served.address).await
                && line.get("/health/ready").await.ok() == Some(200)
            {
                served.ready_after = begun.elapsed();
                return Ok(served);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn baseline(database: &str) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command.env("BENCH_BASELINE", database).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned(), ready_after: begun.elapsed() })
    }

    /// Resident memory now, and the most there ever was, in KiB.
    pub fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Ok((field("VmRSS:").context("VmRSS")?, field("VmHWM:").context("VmHWM")?))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
