//! A rolling upgrade: copies of an older and of a newer version side by side on the newer schema, under load and both
//! killed and started; and work that only the newer version knows, which the older ones leave to it.
//!
//! The older version is the program that `ROLLING_FROM` names, such as one that was built from an older commit. Without
//! it, it is this one, and the newer schema is one of tomorrow: the changes that migrations are allowed to be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use usipipo::db::migrate;
use usipipo::demo::outline::{self, OutlineServer};
use usipipo::ids::{ChatId, UserId};
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Body, Class, Outgoing};
use usipipo::work::Origin;
use uuid::Uuid;

use super::copies::{Copies, seed, town_behind};
use super::crowd::Crowd;
use super::customers::Customers;
use super::walk::at_rest;
use crate::support::db::TestDb;
use crate::support::nginx::{Nginx, program};
use crate::support::ports;
use crate::support::skip::skip;
use crate::support::town::{BOT, THIS_VERSION, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// What a newer version may do to the schema that older ones run on: columns with a default or without a need, also in
/// the middle, tables, indexes.
const TOMORROW: [&str; 8] = [
    "ALTER TABLE inbound_events ADD COLUMN shard SMALLINT NOT NULL DEFAULT 0 AFTER lane",
    "ALTER TABLE outbound_messages ADD COLUMN silent BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE jobs ADD COLUMN priority INT NULL AFTER kind",
    "ALTER TABLE lanes ADD COLUMN touched_at DATETIME(6) NULL",
    "ALTER TABLE users ADD COLUMN nickname VARCHAR(64) NULL AFTER first_name",
    "ALTER TABLE payments ADD COLUMN discount DECIMAL(20, 8) NOT NULL DEFAULT 0",
    "CREATE TABLE tomorrow (id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL, \
     CONSTRAINT tomorrow_user FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE = InnoDB",
    "CREATE INDEX audit_logs_of_tomorrow ON audit_logs (action, created_at)",
];

fn older() -> PathBuf {
    std::env::var_os("ROLLING_FROM").map_or_else(|| PathBuf::from(THIS_VERSION), PathBuf::from)
}

/// Applies and notes them as the copies of a newer version do, one after the other, while everything runs.
async fn apply_tomorrow(town: &Town) {
    let folder = std::env::temp_dir().join(format!("migrations-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    for (n, change) in TOMORROW.iter().enumerate() {
        std::fs::write(folder.join(format!("{}_of_tomorrow.sql", 9001 + n)), change).unwrap();
        let mut migrator = Migrator::new(&*folder).await.unwrap();
        migrator.set_locking(false).set_ignore_missing(true);
        migrator.run(&town.db.pool).await.unwrap();
        // Not a wait for something: the changes are to fall anywhere.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Two copies of the older version run; two of the newer one come, bring the schema along, and all work and die side by
/// side; then the older ones go.
async fn rolling(people: i64, pace: Duration, length: Duration) {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let addresses = [(); 4].map(|()| ports::address());
    let nginx = Nginx::in_front_of(&addresses).await;
    let mut town = town_behind(&nginx, TestDb::empty().await).await;
    town.set("RUST_LOG", "error");
    let (older, newer, seed) = (older(), Path::new(THIS_VERSION), seed());
    let mut copies = Copies::start(&town, &addresses[..2], &older);
    town.until_connected().await;
    let outline = OutlineServer::start(outline::Options::default()).await.unwrap();
    let (crowd, customers) = (Crowd::of(&town, people), Customers::of(&town, 4).await);
    let upgrade = async {
        let before = schema(&town).await;
        tokio::time::sleep(length / 6).await;
        copies.add(&addresses[2..], newer);
        eventually(LIMIT, async || lacking(&town).await == 0).await;
        // By this version's code, and so on its schema.
        town.sell_from(&outline).await;
        let (died, ()) = tokio::join!(copies.under_fire(seed, length * 3 / 4), apply_tomorrow(&town));
        let (from, to) = (before, schema(&town).await);
        println!("from {from} migrations to {to}, {died} copies killed on the way");
        assert!(to >= from + TOMORROW.len());
        if older != newer {
            copies.end(&older);
        }
    };
    let (said, (), ()) = tokio::join!(crowd.talk(pace, length), customers.buy(length), upgrade);
    assert!(town.telegram.delivered().await, "updates are left at Telegram");
    at_rest(&town).await;
    crowd.check(&said, true).await;
    customers.check(&outline).await;
    let waited = crowd.longest_wait().await;
    println!("the longest wait of an update {waited:.1} s");
    assert_eq!(town.count("SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success").await, 0);
}

/// Migrations of this version that have not come yet.
async fn lacking(town: &Town) -> usize {
    let mut conn = town.db.pool.acquire().await.unwrap();
    migrate::pending(&mut conn).await.unwrap()
}

async fn schema(town: &Town) -> usize {
    let applied = town.count("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").await;
    applied.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_two_versions_work_and_die_side_by_side_on_the_newer_schema() {
    rolling(24, Duration::from_secs(2), Duration::from_secs(12)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn copies_of_two_versions_work_and_die_side_by_side_for_two_minutes() {
    rolling(300, Duration::from_secs(6), Duration::from_secs(120)).await;
}

/// Inserts a row of a queue and makes its lane due, as a copy of a newer version does.
async fn queue_of_tomorrow(town: &Town, queue: u8, lane: &str, row: &str) {
    let id = format!("UNHEX('{}')", Uuid::now_v7().simple());
    town.sql(&row.replace("ID", &id).replace("LANE", &format!("'{lane}'"))).await;
    let due = format!(
        "INSERT INTO lanes (queue, lane, class, due_at, not_before, owner, version, attempts) \
         VALUES ({queue}, '{lane}', 1, UTC_TIMESTAMP(6), '1971-01-01', NULL, 1, 0)"
    );
    town.sql(&due).await;
}

/// A copy of a newer version takes the lane when it is free, and does what it alone knows. Nobody else touches the row
/// while it is at it.
async fn done_by_newer(town: &Town, queue: u8, table: &str, lane: &str) {
    let claim = format!(
        "UPDATE lanes SET owner = REPEAT('n', 16), due_at = UTC_TIMESTAMP(6) + INTERVAL 60 SECOND \
         WHERE queue = {queue} AND lane = '{lane}' AND owner IS NULL"
    );
    let changed = async |sql: &str| {
        let done = sqlx::query(AssertSqlSafe(sql)).execute(&town.db.pool).await.unwrap();
        done.rows_affected()
    };
    eventually(LIMIT, async || changed(&claim).await == 1).await;
    let state =
        format!("SELECT CONCAT_WS(' ', status, attempts, retry_at) FROM {table} WHERE lane = '{lane}'");
    let before = town.column(&state).await;
    // Its lane would be due several times over.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(town.column(&state).await, before, "touched while somebody else holds it");
    let done = format!(
        "UPDATE {table} SET status = 'done', done_at = UTC_TIMESTAMP(6), error = NULL \
         WHERE lane = '{lane}' AND status = 'pending' ORDER BY id LIMIT 1"
    );
    assert_eq!(changed(&done).await, 1, "somebody else took it");
    let back = format!(
        "UPDATE lanes SET owner = NULL, due_at = UTC_TIMESTAMP(6) WHERE queue = {queue} AND lane = '{lane}'"
    );
    assert_eq!(changed(&back).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_newer_version_knows_is_left_to_it_and_everything_else_goes_on() {
    const EVENT: &str = "INSERT INTO inbound_events (id, source, dedupe_key, lane, class, status, body, context, received_at) \
        VALUES (ID, 'telegram:tomorrow', '1', LANE, 1, 'pending', '{}', '', UTC_TIMESTAMP(6))";
    const MESSAGE: &str = "INSERT INTO outbound_messages (id, lane, class, bot, chat_id, status, body, created_at) \
        VALUES (ID, LANE, 2, 'client', 600001, 'pending', '{\"kind\":\"of_tomorrow\"}', UTC_TIMESTAMP(6))";
    const JOB: &str = "INSERT INTO jobs (id, lane, kind, payload, status, created_at) \
        VALUES (ID, LANE, 'of_tomorrow', '{\"job\":\"of_tomorrow\"}', 'pending', UTC_TIMESTAMP(6))";
    let town = Town::with(&[("RUST_LOG", "error"), ("USER_ACTIONS_PER_MINUTE", "600")]).await;
    let _outline = town.add_outline().await;
    let zoe = town.person(600_001, "Zoe", "en");
    zoe.open(BOT).unwrap();
    let mut copies = Copies::start(&town, &[town.address, ports::address()], &older());
    town.until_connected().await;
    let of_tomorrow = [
        (0, "inbound_events", "tomorrow:1", EVENT),
        (1, "outbound_messages", "client:600001", MESSAGE),
        (2, "jobs", "tomorrow", JOB),
    ];
    for (queue, _, lane, row) in of_tomorrow {
        queue_of_tomorrow(&town, queue, lane, row).await;
    }
    // In the same chat, and so behind it.
    tell(&town, zoe.id, "known to all").await;
    let crowd = Crowd::of(&town, 12);
    let length = Duration::from_secs(6);
    let (said, _) =
        tokio::join!(crowd.talk(Duration::from_secs(1), length), copies.under_fire(seed(), length));
    assert!(town.telegram.delivered().await, "updates are left at Telegram");
    let others = "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status = 'pending' AND source <> 'telegram:tomorrow') \
                  + (SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending' AND chat_id <> 600001) \
                  + (SELECT COUNT(*) FROM jobs WHERE status = 'pending' AND kind <> 'of_tomorrow')";
    eventually(LIMIT, async || town.count(others).await == 0).await;
    let noted = "SELECT COUNT(*) FROM jobs j JOIN outbound_messages m ON m.error LIKE '%this version%' \
                 WHERE j.error LIKE '%this version%' AND j.status = 'pending' AND m.status = 'pending'";
    eventually(LIMIT, async || town.count(noted).await == 1).await;
    assert_eq!(
        town.column("SELECT status FROM inbound_events WHERE source = 'telegram:tomorrow'").await,
        ["pending"]
    );
    assert!(zoe.messages(BOT).unwrap().is_empty(), "what came later overtook it");
    join_all(of_tomorrow.map(|(queue, table, lane, _)| done_by_newer(&town, queue, table, lane))).await;
    at_rest(&town).await;
    assert_eq!(zoe.messages(BOT).unwrap().len(), 1);
    town.sql("DELETE FROM inbound_events WHERE source = 'telegram:tomorrow'").await;
    crowd.check(&said, true).await;
}

async fn tell(town: &Town, chat: i64, html: &str) {
    let works = town.works();
    let tell = works.run("tell", Origin::SYSTEM, |work| {
        async move {
            let body = Body::Text { html: html.to_owned(), keyboard: None };
            work.send(Outgoing::new(Bot::Client, ChatId::from(UserId(chat)), Class::Notice, body));
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    tell.await.unwrap();
}
