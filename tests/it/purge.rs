//! What is done is deleted after its time, in small batches; what is not done and what died stays.

use chrono::TimeDelta;
use usipipo::crud;
use usipipo::models::event::QueueStatus;

use crate::support::town::{LIMIT, Town};
use crate::support::wait::eventually;

/// Rows of one queue, all of the same status and age in hours, in a lane that nobody drains.
async fn put(town: &Town, table: &str, status: &str, hours: i64, rows: u32) {
    let at = (town.clock.now() - TimeDelta::hours(hours)).utc().format("'%Y-%m-%d %H:%M:%S'").to_string();
    let done = if status == "pending" { "NULL" } else { &at };
    let id = "UNHEX(REPLACE(UUID(), '-', ''))";
    let from = format!("FROM seq_1_to_{rows}");
    let columns = match table {
        "inbound_events" => format!(
            "(id, source, dedupe_key, lane, class, status, body, context, received_at, done_at) \
             SELECT {id}, 'qvapay', UUID(), 'kept', 1, '{status}', '{{}}', '', {at}, {done} {from}"
        ),
        "outbound_messages" => format!(
            "(id, lane, class, bot, chat_id, status, body, dedupe_key, created_at, done_at) \
             SELECT {id}, 'kept', 2, 'client', 1, '{status}', '{{}}', UUID(), {at}, {done} {from}"
        ),
        _ => format!(
            "(id, lane, kind, payload, status, created_at, done_at) \
             SELECT {id}, 'kept', 'purge', '{{\"job\":\"purge\"}}', '{status}', {at}, {done} {from}"
        ),
    };
    town.sql(&format!("INSERT INTO {table} {columns}")).await;
}

const QUEUES: [&str; 3] = ["inbound_events", "outbound_messages", "jobs"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_goes_after_its_time_and_nothing_else() {
    let town = Town::with(&[("RETENTION_DAYS", "2")]).await;
    for table in QUEUES {
        put(&town, table, "done", 49, 1500).await;
        put(&town, table, "done", 47, 3).await;
        put(&town, table, "dead", 5000, 4).await;
        put(&town, table, "pending", 5000, 5).await;
    }
    put(&town, "outbound_messages", "dropped", 49, 6).await;
    // Lanes of chats that are quiet, waiting, and leased; ticks of long ago.
    let soon = (town.clock.now() + TimeDelta::minutes(50)).utc().format("'%Y-%m-%d %H:%M:%S'").to_string();
    let lane = |name: &str, due: &str, owner: &str| {
        format!("INSERT INTO lanes VALUES (1, '{name}', 3, {due}, '2020-01-01', {owner}, 1, 0)")
    };
    town.sql(&lane("client:71", "'9999-01-01'", "NULL")).await;
    town.sql(&lane("client:72", &soon, "NULL")).await;
    town.sql(&lane("client:73", &soon, "'0123456789abcdef'")).await;
    town.sql("INSERT INTO schedule_ticks VALUES ('expire', '2020-01-01')").await;
    let running = town.open().await;
    let kept = async |table: &str, status: &str| {
        town.count(&format!("SELECT COUNT(*) FROM {table} WHERE lane = 'kept' AND status = '{status}'")).await
    };
    for table in QUEUES {
        eventually(LIMIT, async || kept(table, "done").await == 3).await;
        assert_eq!((kept(table, "dead").await, kept(table, "pending").await), (4, 5), "{table}");
    }
    assert_eq!(kept("outbound_messages", "dropped").await, 0);
    let lanes = "SELECT lane FROM lanes WHERE lane LIKE 'client:7_' ORDER BY lane";
    eventually(LIMIT, async || town.column(lanes).await == ["client:72", "client:73"]).await;
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM schedule_ticks WHERE tick_at < '2021-01-01'").await == 0
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mountain_is_carried_off_in_small_loads_without_waiting_for_the_next_tick() {
    let town = Town::with(&[("RETENTION_DAYS", "1")]).await;
    put(&town, "inbound_events", "done", 30, 23_000).await;
    let mut conn = town.db.pool.acquire().await.unwrap();
    let now = town.clock.now();
    assert_eq!(crud::event::purge(&mut conn, now, 1000).await.unwrap(), 1000, "no statement takes more");
    let before = now - TimeDelta::days(2);
    assert_eq!(crud::event::purge(&mut conn, before, 1000).await.unwrap(), 0);
    assert_eq!(crud::outgoing::purge(&mut conn, QueueStatus::Done, now, 1000).await.unwrap(), 0);
    drop(conn);
    let running = town.open().await;
    let left = "SELECT COUNT(*) FROM inbound_events";
    eventually(LIMIT, async || town.count(left).await == 0).await;
    let runs = "SELECT COUNT(*) FROM jobs WHERE kind = 'purge' AND status = 'done'";
    eventually(LIMIT, async || town.count(runs).await == 2).await;
    running.stop().await;
}

/// Audit rows of one action, of so many days ago.
async fn note(town: &Town, action: &str, days: i64, rows: u32) {
    let at = (town.clock.now() - TimeDelta::days(days)).utc().format("%Y-%m-%d %H:%M:%S").to_string();
    town.sql(&format!(
        "INSERT INTO audit_logs (user_id, action, target, details, created_at) \
         SELECT 42, '{action}', 'kept', '{{}}', '{at}' FROM seq_1_to_{rows}"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_forgets_passing_states_alone_and_only_where_that_was_asked_for() {
    for (days, closed, completed) in [("0", 2505, 2500), ("400", 5, 2500)] {
        let town = Town::with(&[("AUDIT_RETENTION_DAYS", days)]).await;
        note(&town, "payment_completed", 401, 2500).await;
        note(&town, "order_closed", 401, 2500).await;
        note(&town, "order_closed", 399, 5).await;
        let running = town.open().await;
        let of = async |action: &str| {
            town.count(&format!(
                "SELECT COUNT(*) FROM audit_logs WHERE target = 'kept' AND action = '{action}'"
            ))
            .await
        };
        let runs = "SELECT COUNT(*) FROM jobs WHERE kind = 'purge' AND status = 'done'";
        eventually(LIMIT, async || town.count(runs).await >= 1).await;
        eventually(LIMIT, async || of("order_closed").await == closed).await;
        assert_eq!(of("payment_completed").await, completed);
        running.stop().await;
    }
}
