//! Rivals on two nodes: events of the same chats are stored at both in turn, and handled by whoever gets the lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use sqlx::Executor;
use usipipo::clock::Clock;
use usipipo::db::{Db, migrate};
use usipipo::ids::{EventId, time_ordered};
use usipipo::models::event::{InboundEvent, NewEvent, Source};
use usipipo::queue::Failure;
use usipipo::queue::inbox::{EventHandler, InboxWorker, InboxWriter};
use usipipo::queue::runner::RunnerOptions;
use usipipo::telemetry::metrics::Metrics;
use usipipo::work::{Work, Works};

use crate::queue::{OPTIONS, Process};
use crate::support::db::TestDb;
use crate::support::galera::Cluster;
use crate::support::wait::eventually;
use crate::support::works::{config, mark};

const LIMIT: Duration = Duration::from_secs(300);

/// Counts the events of a chat; one that is not the next notes what was there instead.
struct Count;

#[async_trait]
impl EventHandler for Count {
    async fn handle(&self, work: &mut Work, event: &InboundEvent) -> Result<(), Failure> {
        let number: i64 = String::from_utf8(event.body.clone()).unwrap().parse().unwrap();
        let counted = sqlx::query("UPDATE counted SET n = n + 1 WHERE lane = ? AND n = ?")
            .bind(&event.lane)
            .bind(number)
            .execute(work.conn())
            .await?;
        if counted.rows_affected() != 1 {
            mark(work, "out_of_order", Some(&event.lane), number).await?;
        }
        Ok(())
    }

    async fn gave_up(&self, work: &mut Work, event: &InboundEvent, reason: &str) -> Result<(), Failure> {
        Ok(mark(work, "gave_up", Some(&event.lane), reason).await?)
    }
}

/// A process at a node.
async fn works_at(cluster: &Cluster, node: usize, database: &str) -> Works {
    let url = format!("{}{database}", cluster.url(node));
    let (clock, wakers, metrics) = (Clock::default(), Arc::default(), Metrics::default());
    let db = Db::open(&url, 20).unwrap();
    Works { db, clock, config: Arc::new(config(&url, &[])), wakers, metrics }
}

/// `chats` chats with `updates` events each, and two processes that fight for them.
pub async fn hammer(cluster: &Cluster, chats: usize, updates: usize) {
    let db = TestDb::empty_on(cluster.url(1)).await;
    let works = [works_at(cluster, 1, db.name()).await, works_at(cluster, 2, db.name()).await];
    migrate::run(&works[0].db).await.unwrap();
    db.pool.execute("CREATE TABLE counted (lane VARCHAR(96) PRIMARY KEY, n BIGINT NOT NULL)").await.unwrap();
    for chat in 0..chats {
        let insert = sqlx::query("INSERT INTO counted VALUES (?, 0)").bind(lane(chat));
        insert.execute(&db.pool).await.unwrap();
    }
    // Shorter than a stall.
    let brief =
        RunnerOptions { lease: Duration::from_millis(900), poll: Duration::from_millis(5), ..OPTIONS };
    let rivals = works
        .each_ref()
        .map(|works| Process::start_with(works, InboxWorker::new(works.clone(), Count, 50), brief));
    let before = cluster.conflicts(1).await + cluster.conflicts(2).await;
    let writers = works.each_ref().map(|works| InboxWriter::start(works.clone()));
    let done = AtomicBool::new(false);
    let written = async {
        join_all((0..chats).map(|chat| write(&writers, chat, updates))).await;
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(written, stall(cluster, &done));
    let pending = "SELECT COUNT(*) FROM inbound_events WHERE status = 'pending'";
    eventually(LIMIT, async || sqlx::query_scalar::<_, i64>(pending).fetch_one(&db.pool).await.unwrap() == 0)
        .await;
    for rival in rivals {
        rival.stop().await;
    }
    cluster.whole().await;
    let counted: Vec<i64> = sqlx::query_scalar("SELECT n FROM counted").fetch_all(&db.pool).await.unwrap();
    assert_eq!(counted, vec![i64::try_from(updates).unwrap(); chats], "each event once");
    let wrong: Vec<String> =
        sqlx::query_scalar("SELECT CONCAT(action, ' ', target, ' ', details) FROM audit_logs")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    let conflicts = cluster.conflicts(1).await + cluster.conflicts(2).await - before;
    println!("{chats} chats, {updates} events each: {conflicts} conflicts");
    assert!(conflicts > 0, "the rivals never met");
}

/// Again and again no commit is possible for longer than a lease: who holds a lane loses it in the middle of a step.
async fn stall(cluster: &Cluster, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        // Not a wait for something: the instants are to fall anywhere.
        tokio::time::sleep(Duration::from_millis(rand::random_range(200..1000))).await;
        cluster.pause(3).await;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        cluster.resume(3).await;
    }
}

fn lane(chat: usize) -> String {
    format!("client:{chat}")
}

/// The events of a chat, at one node after the other; each comes a second time, at the other node.
async fn write(writers: &[InboxWriter; 2], chat: usize, updates: usize) {
    for number in 0..updates {
        let event = |writer: usize| {
            let event = NewEvent {
                id: EventId(time_ordered()),
                source: Source::ClientBot,
                dedupe_key: format!("{chat}:{number}"),
                lane: lane(chat),
                class: 1,
                body: number.to_string().into_bytes(),
                context: String::new(),
                unreadable: None,
                received_at: Clock::default().now(),
            };
            writers[writer].store(event)
        };
        let (one, other) = tokio::join!(event(number % 2), event((number + 1) % 2));
        // Who was refused would come again: both must not be.
        if one.is_err() && other.is_err() {
            panic!("{one:?} {other:?}");
        }
    }
}
