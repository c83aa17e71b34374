//! Updates and callbacks: stored once each before they are answered, and handled in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::future::join_all;
use tokio::sync::Notify;
use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::db::Db;
use usipipo::ids::{EventId, time_ordered};
use usipipo::integrations::telegram::update::envelope;
use usipipo::models::bot::Bot;
use usipipo::models::event::{InboundEvent, NewEvent, Source};
use usipipo::models::lane::{Look, Queue};
use usipipo::queue::Failure;
use usipipo::queue::inbox::{EventHandler, InboxWorker, InboxWriter, Stored};
use usipipo::work::{Work, Works};
use uuid::Uuid;

use super::{OPTIONS, Process};
use crate::support::wait::eventually;
use crate::support::works::{TestWorks, mark};

const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn event(lane: &str, key: &str, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId(time_ordered()),
        source: Source::ClientBot,
        dedupe_key: key.to_owned(),
        lane: lane.to_owned(),
        class: 1,
        body: key.as_bytes().to_vec(),
        context: String::new(),
        unreadable: None,
        received_at: now,
    }
}

/// Its effect is an audit row; what it does besides is up to the test.
#[derive(Clone, Default)]
pub(super) struct Handler {
    /// Bodies whose handling fails, or panics.
    pub broken: Option<(&'static str, Breakage)>,
    pub handled: Arc<AtomicU32>,
    /// Effects that are under way.
    pub under_way: UnderWay,
    /// Waits here in the middle of an effect when the body is "slow".
    pub gate: Arc<Notify>,
}

#[derive(Clone, Default)]
pub(super) struct UnderWay(Arc<AtomicU32>);

impl UnderWay {
    fn one_more(&self) -> Self {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.clone()
    }
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst) as usize
    }
}

/// An effect that has ended, well or not.
struct Ends(UnderWay);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Copy)]
pub(super) enum Breakage {
    Fails,
    Panics,
    GivesUp,
    /// The database has no room for it.
    Refused,
}

#[async_trait]
impl EventHandler for Handler {
    async fn handle(&self, work: &mut Work, event: &InboundEvent) -> Result<(), Failure> {
        let _under_way = Ends(self.under_way.one_more());
        let body = String::from_utf8(event.body.clone()).unwrap();
        mark(work, "handled", Some(&event.lane), &body).await?;
        self.handled.fetch_add(1, Ordering::SeqCst);
        if body == "slow" {
            self.gate.notified().await;
        }
        match self.broken {
            Some((broken, how)) if broken == body => match how {
                Breakage::Fails => Err(Failure::later("not today", Duration::ZERO)),
                Breakage::Panics => panic!("boom"),
                Breakage::GivesUp => Err(Failure::give_up("never")),
                Breakage::Refused => {
                    let refuse = "SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1461";
                    Ok(sqlx::raw_sql(refuse).execute(work.conn()).await.map(drop)?)
                }
            },
            _ => Ok(()),
        }
    }

    async fn gave_up(&self, work: &mut Work, event: &InboundEvent, reason: &str) -> Result<(), Failure> {
        Ok(mark(work, "gave_up", Some(&event.lane), reason).await?)
    }
}

pub(super) fn worker(works: &Works, handler: &Handler) -> InboxWorker<Handler> {
    InboxWorker::new(works.clone(), handler.clone(), 3)
}

/// What took effect in a lane, in order.
pub(super) async fn effects(works: &TestWorks, lane: &str) -> Vec<String> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT details FROM audit_logs WHERE action = 'handled' AND target = ? ORDER BY id",
    )
    .bind(lane)
    .fetch_all(&works.db.pool)
    .await
    .unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

pub(super) async fn count(works: &TestWorks, status: &str) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM inbound_events WHERE status = ?")
        .bind(status)
        .fetch_one(&works.db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_stored_once_each_before_it_is_answered() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    // Every delivery comes twice.
    let deliveries =
        (0..600).map(|n| inbox.store(event(&format!("chat:{}", n % 7), &(n / 2).to_string(), now)));
    let stored: Vec<Stored> = join_all(deliveries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(count(&works, "pending").await, 300);
    let new = stored.iter().filter(|it| **it == Stored::New).count();
    assert_eq!(new, 300, "of each pair one is new");
    assert_eq!(inbox.store(event("chat:1", "7", now)).await.unwrap(), Stored::Duplicate, "and none later");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_together_shares_a_commit_and_is_answered_after_it() {
    const TOGETHER: usize = 400;
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let (inbox, pool) = (&inbox, &works.db.pool);
    let deliveries = (0..TOGETHER).map(async |n| {
        let key = n.to_string();
        inbox.store(event(&format!("chat:{}", n % 7), &key, now)).await.unwrap();
        // Seen over another connection: it was committed before it was answered.
        let seen = "SELECT COUNT(*) FROM inbound_events WHERE dedupe_key = ?";
        sqlx::query_scalar::<_, i64>(seen).bind(key).fetch_one(pool).await.unwrap()
    });
    assert_eq!(join_all(deliveries).await, vec![1; TOGETHER]);
    let numbers = works.metrics.render();
    let commits = numbers.lines().find_map(|line| line.strip_prefix("usipipo_delivery_commits_total "));
    let commits: usize = commits.unwrap().parse().unwrap();
    assert!((1..=TOGETHER / 10).contains(&commits), "{commits} commits for {TOGETHER} deliveries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pre_checkout_query_overtakes_a_full_inbox() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let update = |kind: &str, content: &str| {
        let body = format!(r#"{{"update_id":1,"{kind}":{content}}}"#);
        let read = envelope(Bot::Client, body.as_bytes()).unwrap();
        NewEvent { class: read.class, ..event(&read.lane, &body, now) }
    };
    let handler = Handler::default();
    let process = Process::start(&works, worker(&works, &handler));
    // As many slow chats as there is room for, and as many more that wait behind them.
    let room = OPTIONS.parallel;
    for chat in 0..2 * room {
        let slow =
            NewEvent { body: b"slow".to_vec(), ..event(&format!("chat:{chat}"), &chat.to_string(), now) };
        inbox.store(slow).await.unwrap();
    }
    let under_way = || handler.under_way.count();
    eventually(LIMIT, async || under_way() == room).await;
    let from = r#""from":{"id":6,"is_bot":false,"first_name":"Ana"}"#;
    let query = format!(r#"{{"id":"9",{from},"currency":"XTR","total_amount":75,"invoice_payload":"p"}}"#);
    let query = update("pre_checkout_query", &query);
    let press = format!(r#"{{"id":"8",{from},"chat_instance":"1","data":"home"}}"#);
    let press = update("callback_query", &press);
    let (asked, pressed) = (query.lane.clone(), press.lane.clone());
    inbox.store(press).await.unwrap();
    inbox.store(query).await.unwrap();
    eventually(LIMIT, async || effects(&works, &asked).await.len() == 1).await;
    assert_eq!(under_way(), room, "nobody else has moved");
    assert!(effects(&works, &pressed).await.is_empty(), "what is ordinary waits its turn");
    eventually(LIMIT, async || {
        handler.gate.notify_waiters();
        count(&works, "done").await == 2 * room as i64 + 2
    })
    .await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_rush_storing_goes_first_and_a_checkout_waits_for_nothing() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let process = Process::start(&works, worker(&works, &Handler::default()));
    // One that ends in some seconds.
    let end = Instant::now() + Duration::from_secs(4);
    works.wakers.rush.stored(1000, end);
    for n in 0..20 {
        inbox.store(event(&format!("chat:{n}"), &n.to_string(), now)).await.unwrap();
    }
    inbox.store(NewEvent { class: 0, ..event("checkout:1", "urgent", now) }).await.unwrap();
    eventually(LIMIT, async || effects(&works, "checkout:1").await.len() == 1).await;
    let waiting = count(&works, "pending").await;
    assert!(waiting == 20 || Instant::now() > end, "{waiting} of 20 wait");
    eventually(LIMIT, async || count(&works, "done").await == 21).await;
    assert!(Instant::now() > end, "handled while the rush went on");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_keeps_nobody_else_waiting() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let handler = Handler::default();
    let process = Process::start(&works, worker(&works, &handler));
    let slow = NewEvent { body: b"slow".to_vec(), ..event("chat:0", "0", now) };
    inbox.store(slow).await.unwrap();
    inbox.store(event("chat:0", "behind it", now)).await.unwrap();
    eventually(LIMIT, async || handler.handled.load(Ordering::SeqCst) == 1).await;
    let others = (1..=50).map(|chat| event(&format!("chat:{chat}"), &format!("of {chat}"), now));
    for stored in join_all(others.map(|event| inbox.store(event))).await {
        stored.unwrap();
    }
    eventually(LIMIT, async || count(&works, "done").await == 50).await;
    assert!(effects(&works, "chat:0").await.is_empty(), "and nothing overtakes within the chat");
    handler.gate.notify_one();
    eventually(LIMIT, async || count(&works, "done").await == 52).await;
    assert_eq!(effects(&works, "chat:0").await, ["slow", "behind it"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_the_database_refuses_does_not_keep_the_others_out() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let too_long = "x".repeat(200);
    let keys = ["a", &too_long, "b"];
    let stored = join_all(keys.map(|key| inbox.store(event("chat:1", key, now)))).await;
    assert_eq!(stored.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(count(&works, "pending").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_nothing_is_acknowledged() {
    let works = TestWorks::new().await;
    let nowhere = "mysql://nobody@127.0.0.1:1/none";
    let broken = Works { db: Db::open(nowhere, 1).unwrap(), ..(*works).clone() };
    let inbox = InboxWriter::start(broken);
    assert!(inbox.store(event("chat:1", "1", works.clock.now())).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_the_work_in_order_and_once() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let handler = Handler::default();
    let processes = [0, 1, 2].map(|_| Process::start(&works, worker(&works, &handler)));
    let now = works.clock.now();
    for n in 0..40 {
        let lanes =
            (0..6).map(|lane| inbox.store(event(&format!("chat:{lane}"), &format!("{lane}-{n}"), now)));
        for stored in join_all(lanes).await {
            stored.unwrap();
        }
    }
    eventually(LIMIT, async || count(&works, "done").await == 240).await;
    for lane in 0..6 {
        let expected: Vec<_> = (0..40).map(|n| format!("{lane}-{n}")).collect();
        assert_eq!(effects(&works, &format!("chat:{lane}")).await, expected);
    }
    assert_eq!(handler.handled.load(Ordering::SeqCst), 240);
    for process in processes {
        process.stop().await;
    }
    let leased: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM lanes WHERE queue = 0")
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    assert_eq!(leased, 0, "a drained lane is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_had_claimed_is_taken_over_when_its_lease_ends() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    inbox.store(event("chat:1", "1", now)).await.unwrap();
    let mut conn = (*works).db.acquire().await.unwrap();
    let until = now + TimeDelta::seconds(60);
    let look = Look { class: 1, from: Timestamp::long_ago() };
    let claimed =
        crud::lane::claim(&mut conn, Queue::Inbox, look, now, until, Uuid::now_v7(), 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let handler = Handler::default();
    let process = Process::start(&works, worker(&works, &handler));
    inbox.store(event("chat:2", "2", now)).await.unwrap();
    eventually(LIMIT, async || effects(&works, "chat:2").await.len() == 1).await;
    assert!(effects(&works, "chat:1").await.is_empty(), "the lease still holds");
    works.clock.advance(TimeDelta::seconds(61));
    eventually(LIMIT, async || effects(&works, "chat:1").await.len() == 1).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_the_middle_of_an_effect_leaves_nothing_of_it() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    for key in ["slow", "next"] {
        inbox.store(event("chat:1", key, now)).await.unwrap();
    }
    let doomed = Handler::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dying = Works { db: Db::open(works.db.url(), 2).unwrap(), ..(*works).clone() };
    {
        let _inside = runtime.enter();
        Process::start(&dying, worker(&dying, &doomed));
    }
    eventually(LIMIT, async || doomed.handled.load(Ordering::SeqCst) == 1).await;
    // Its tasks end where they stand, its connections with them.
    runtime.shutdown_background();
    works.clock.advance(TimeDelta::seconds(61));
    let heir = Handler::default();
    heir.gate.notify_one();
    let process = Process::start(&works, worker(&works, &heir));
    eventually(LIMIT, async || count(&works, "done").await == 2).await;
    assert_eq!(effects(&works, "chat:1").await, ["slow", "next"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_many_chats_shares_commits_each_with_its_own_cause() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let chats = (0..40).map(|chat| event(&format!("chat:{chat}"), &format!("of {chat}"), now));
    for stored in join_all(chats.map(|event| inbox.store(event))).await {
        stored.unwrap();
    }
    let process = Process::start(&works, worker(&works, &Handler::default()));
    eventually(LIMIT, async || count(&works, "done").await == 40).await;
    process.stop().await;
    let one = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&works.db.pool);
    let commits = one("SELECT COUNT(DISTINCT done_at) FROM inbound_events").await.unwrap();
    assert!(commits <= 25, "{commits} commits for 40 chats, eight at a time");
    let caused = "SELECT COUNT(*) FROM audit_logs a JOIN inbound_events e ON a.event_id = e.id \
                  AND a.target = e.lane AND a.details = CONCAT('\"', e.body, '\"')";
    assert_eq!(one(caused).await.unwrap(), 40, "each effect knows its event");
    assert_eq!(one("SELECT COUNT(*) FROM lanes WHERE queue = 0").await.unwrap(), 0);
}

/// Two copies whose clocks differ store two updates of a chat: the later one gets the earlier id.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_keeps_telegrams_order_where_clocks_differ() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let (first, second) = (EventId(time_ordered()), EventId(time_ordered()));
    inbox.store(NewEvent { id: second, ..event("chat:1", "900", now) }).await.unwrap();
    inbox.store(NewEvent { id: first, ..event("chat:1", "1000", now) }).await.unwrap();
    let process = Process::start(&works, worker(&works, &Handler::default()));
    eventually(LIMIT, async || count(&works, "done").await == 2).await;
    process.stop().await;
    assert_eq!(effects(&works, "chat:1").await, ["900", "1000"]);
}
