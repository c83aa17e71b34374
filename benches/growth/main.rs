//! A database that has grown, and a server with thousands of tunnels: how long it takes to make, to check, to purge and
//! to change them. On the server that BENCH_DATABASE_URL names (`scripts/mariadb --bench run` sets it).
//!
//!     cargo bench --bench growth -- [crowd [SCALE]] [tunnels]

#[path = "../load/crowd.rs"]
mod crowd;
#[path = "../load/tunnels.rs"]
mod tunnels;

use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};
use usipipo::clock::Clock;
use usipipo::crud;
use usipipo::db::{Db, migrate};
use usipipo::models::event::QueueStatus;

/// Rows of one statement of the purge, and statements that are timed.
const BATCH: u32 = 1000;
const BATCHES: usize = 100;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let asked = |word: &str| words.is_empty() || words.iter().any(|given| given == word);
    let scale = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1.0);
    if asked("crowd") {
        grown(scale).await?;
    }
    if asked("tunnels") {
        let url = fresh("growth_tunnels").await?;
        for at in tunnels::measure(&url, &[50, 5000]).await? {
            println!(
                "{} configs on {}: filled in {:.0} ms, reconciled in {:.1} ms, counters read in {:.1} ms, one more peer \
                 {:.2} ms, of which the interface {:.2} ms",
                at.configs, at.carrier, at.fill, at.reconcile, at.usage, at.one_more, at.one_more_interface
            );
        }
        drop_database("growth_tunnels").await?;
    }
    Ok(())
}

/// The crowd: made, checked, purged and changed.
async fn grown(scale: f64) -> anyhow::Result<()> {
    let url = fresh("growth_crowd").await?;
    let took = crowd::fill(&url, scale).await?;
    println!("a crowd of scale {scale} made in {:.1} s", took.as_secs_f64());
    let mut conn = MySqlConnection::connect(&url).await?;
    let now = Clock::default().now();
    let begun = Instant::now();
    let broken = crud::books::broken(&mut conn, now).await?;
    println!("all invariants asked in {:.1} s, broken: {broken:?}", begun.elapsed().as_secs_f64());
    let mut spans = Vec::new();
    for _ in 0..BATCHES {
        let begun = Instant::now();
        let deleted = crud::event::purge(&mut conn, now, BATCH).await?;
        spans.push((deleted, begun.elapsed()));
    }
    told("purge of deliveries", &spans);
    spans.clear();
    for _ in 0..BATCHES {
        let begun = Instant::now();
        let deleted = crud::outgoing::purge(&mut conn, QueueStatus::Done, now, BATCH).await?;
        spans.push((deleted, begun.elapsed()));
    }
    told("purge of messages", &spans);
    for change in [
        "ALTER TABLE users ADD COLUMN probe VARCHAR(64) NULL",
        "ALTER TABLE audit_logs ADD COLUMN probe VARCHAR(64) NULL",
        "ALTER TABLE users ADD INDEX probe_seen (last_seen_at)",
        "ALTER TABLE audit_logs ADD INDEX probe_event (event_id)",
    ] {
        let begun = Instant::now();
        conn.execute(change).await?;
        println!("{change}: {:.2} s", begun.elapsed().as_secs_f64());
    }
    drop_database("growth_crowd").await
}

fn told(what: &str, spans: &[(u64, Duration)]) {
    let rows: u64 = spans.iter().map(|(deleted, _)| deleted).sum();
    let all: Duration = spans.iter().map(|(_, span)| *span).sum();
    let longest = spans.iter().map(|(_, span)| *span).max().unwrap_or_default();
    println!(
        "{what}: {rows} rows, {:.0} a second, the longest statement {:.1} ms",
        rows as f64 / all.as_secs_f64(),
        longest.as_secs_f64() * 1e3
    );
}

fn server() -> anyhow::Result<String> {
    std::env::var("BENCH_DATABASE_URL").context("BENCH_DATABASE_URL is not set: see scripts/mariadb")
}

/// A migrated database, made anew.
async fn fresh(name: &str) -> anyhow::Result<String> {
    drop_database(name).await?;
    let mut conn = MySqlConnection::connect(&server()?).await?;
    conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))).await?;
    let url = server()?.replacen("/?", &format!("/{name}?"), 1);
    migrate::run(&Db::open(&url, 2)?).await?;
    Ok(url)
}

async fn drop_database(name: &str) -> anyhow::Result<()> {
    let mut conn = MySqlConnection::connect(&server()?).await?;
    conn.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"))).await?;
    Ok(())
}
