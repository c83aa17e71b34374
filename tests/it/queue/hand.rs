//! What a copy takes in hand as it queues it: handled and sent without being claimed, in the same order, once, and by
//! others when it dies.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::{MySqlConnection, MySqlPool};
use tokio_util::sync::CancellationToken;
use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::db::Db;
use usipipo::models::event::InboundEvent;
use usipipo::models::lane::{Entry, Holder, NewLease, Queue};
use usipipo::models::outgoing::{Class, Outgoing};
use usipipo::queue::hand::Places;
use usipipo::queue::inbox::InboxWriter;
use usipipo::queue::outbox::{Delivery, OutboxWorker};
use usipipo::queue::pacer::Pacer;
use usipipo::queue::runner::{Runner, RunnerOptions};
use usipipo::work::Works;
use uuid::Uuid;

use super::inbox::{Handler, effects, event, worker};
use super::outbox::{Door, queue, statuses, text};
use super::{OPTIONS, Process};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const LIMIT: Duration = Duration::from_secs(30);
/// Nobody looks into the table.
const BLIND: RunnerOptions = RunnerOptions { in_hand: 4, poll: Duration::from_secs(3600), ..OPTIONS };

fn handle_here(works: &Works, handler: &Handler, options: RunnerOptions) -> Process {
    Process::start_here(works, worker(works, handler), options, |wakers, runner| wakers.handling.set(runner))
}

fn send_here(works: &Works, door: &Door, options: RunnerOptions) -> Process {
    let sender = OutboxWorker::new(works.clone(), door.clone(), Pacer::new(works.clone(), 1000));
    Process::start_here(works, sender, options, |wakers, runner| wakers.sending.set(runner))
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    class: u8,
    due_at: Timestamp,
    owner: Option<Uuid>,
    version: u64,
    attempts: u32,
}

async fn lane(works: &TestWorks, name: &str) -> Option<Row> {
    sqlx::query_as("SELECT class, due_at, owner, version, attempts FROM lanes WHERE lane = ?")
        .bind(name)
        .fetch_optional(&works.db.pool)
        .await
        .unwrap()
}

async fn idle(works: &TestWorks) -> bool {
    let busy: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM lanes WHERE due_at < ?")
        .bind(Timestamp::never())
        .fetch_one(&works.db.pool)
        .await
        .unwrap();
    busy == 0
}

/// Only a lane in which nothing waits and whose next message may leave is leased to who queues something.
#[tokio::test]
async fn a_lane_is_taken_in_hand_only_when_nobody_has_anything_to_do_with_it() {
    let works = TestWorks::new().await;
    let mut conn = works.db.pool.acquire().await.unwrap();
    let now = works.clock.now();
    let (earlier, later) = (now - TimeDelta::seconds(5), now + TimeDelta::seconds(5));
    let (never, long_ago, other) = (Timestamp::never(), Timestamp::long_ago(), Uuid::now_v7());
    let rows = [
        ("idle", never, earlier, None),
        ("rests", never, later, None),
        ("waits", earlier, long_ago, None),
        ("retries", later, long_ago, None),
        ("held", later, long_ago, Some(other)),
    ];
    for (name, due_at, not_before, owner) in rows {
        let insert = "INSERT INTO lanes (queue, lane, class, due_at, not_before, owner, version, attempts) \
                      VALUES (1, ?, 3, ?, ?, ?, 7, 2)";
        let insert = sqlx::query(insert).bind(name).bind(due_at).bind(not_before).bind(owner);
        insert.execute(&mut *conn).await.unwrap();
    }
    let lease = NewLease { owner: Uuid::now_v7(), now, until: now + TimeDelta::seconds(60) };
    let entry = |lane: &str| Entry {
        queue: Queue::Outbox,
        lane: lane.to_owned(),
        class: 1,
        due_at: now,
        in_hand: lane != "plain",
    };
    let names = ["new", "plain", "idle", "rests", "waits", "retries", "held"];
    let mut entries = names.map(entry).to_vec();
    let leased = crud::lane::enqueue(&mut conn, &mut entries, Some(lease)).await.unwrap();
    assert_eq!(leased, [("new".to_owned(), 1), ("idle".to_owned(), 8)].into());
    let row = |due_at, owner, version, attempts| Some(Row { class: 1, due_at, owner, version, attempts });
    assert_eq!(lane(&works, "new").await, row(lease.until, Some(lease.owner), 1, 1));
    assert_eq!(lane(&works, "plain").await, row(now, None, 1, 0));
    assert_eq!(lane(&works, "idle").await, row(lease.until, Some(lease.owner), 8, 1));
    assert_eq!(lane(&works, "rests").await, row(now, None, 8, 2), "not at the end of a lease nobody has");
    assert_eq!(lane(&works, "waits").await, row(earlier, None, 8, 2));
    assert_eq!(lane(&works, "retries").await, row(now, None, 8, 2));
    assert_eq!(lane(&works, "held").await, row(later, Some(other), 8, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_here_is_handled_without_being_claimed_and_in_order() {
    let works = TestWorks::new().await;
    let handler = Handler::default();
    let process = handle_here(&works, &handler, BLIND);
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    inbox.store(event("chat:1", "slow", now)).await.unwrap();
    inbox.store(event("chat:2", "2", now)).await.unwrap();
    eventually(LIMIT, async || handler.under_way.count() > 0).await;
    assert!(lane(&works, "chat:1").await.unwrap().owner.is_some(), "leased as it was stored");
    // Comes while the first is handled, and so is not in hand: whoever holds the lane finds it.
    inbox.store(event("chat:1", "then", now)).await.unwrap();
    assert_eq!(lane(&works, "chat:1").await.unwrap().version, 2);
    // Handled together first, and then alone.
    eventually(LIMIT, async || {
        handler.gate.notify_one();
        idle(&works).await
    })
    .await;
    assert_eq!(effects(&works, "chat:1").await, ["slow", "then"]);
    assert_eq!(effects(&works, "chat:2").await, ["2"]);
    process.stop().await;
}

/// Whoever waited for long looks again at the lane, and then knows that what is in hand is not all.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_while_a_chat_waited_in_hand_is_not_left_behind() {
    let works = TestWorks::new().await;
    let (handler, lease) = (Handler::default(), Duration::from_millis(600));
    let process = handle_here(&works, &handler, RunnerOptions { parallel: 1, urgent: 0, lease, ..BLIND });
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    inbox.store(event("chat:1", "slow", now)).await.unwrap();
    eventually(LIMIT, async || handler.under_way.count() > 0).await;
    inbox.store(event("chat:2", "1", now)).await.unwrap();
    inbox.store(event("chat:2", "2", now)).await.unwrap();
    tokio::time::sleep(lease / 2).await;
    eventually(LIMIT, async || {
        handler.gate.notify_one();
        idle(&works).await
    })
    .await;
    assert_eq!(effects(&works, "chat:1").await, ["slow"]);
    assert_eq!(effects(&works, "chat:2").await, ["1", "2"]);
    process.stop().await;
}

/// With 8 places and 4 in hand beyond them, whoever comes later is claimed as ever.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_there_is_room_for_is_claimed_from_the_table() {
    let works = TestWorks::new().await;
    let handler = Handler::default();
    let process = handle_here(&works, &handler, RunnerOptions { in_hand: 4, ..OPTIONS });
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let chats: Vec<String> = (0..200).map(|n| format!("chat:{n}")).collect();
    let store = async |chat: &String, key: &str| {
        let key = format!("{chat}/{key}");
        inbox.store(event(chat, &key, now)).await.unwrap();
    };
    futures::future::join_all(chats.iter().map(async |chat| {
        store(chat, "1").await;
        store(chat, "2").await;
    }))
    .await;
    eventually(LIMIT, async || idle(&works).await).await;
    for chat in &chats {
        assert_eq!(effects(&works, chat).await, [format!("{chat}/1"), format!("{chat}/2")]);
    }
    process.stop().await;
}

/// A duplicate of what is in hand, or was handled, takes no effect again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_before_is_not_taken_in_hand_again() {
    let works = TestWorks::new().await;
    let handler = Handler::default();
    let process = handle_here(&works, &handler, RunnerOptions { in_hand: 4, ..OPTIONS });
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    for _ in 0..5 {
        inbox.store(event("chat:1", "1", now)).await.unwrap();
    }
    eventually(LIMIT, async || idle(&works).await).await;
    assert_eq!(effects(&works, "chat:1").await, ["1"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_leaves_without_being_claimed_and_the_next_at_its_pace() {
    let works = TestWorks::new().await;
    let door = Door { clock: works.clock.clone(), ..Door::default() };
    let process = send_here(&works, &door, BLIND);
    queue(&works, &[text(7, Class::Interactive, "1")]).await;
    eventually(LIMIT, async || idle(&works).await).await;
    assert_eq!((door.texts().await, statuses(&works).await), (vec!["1".to_owned()], vec!["done".to_owned()]));
    // The chat rests for a second: the next one has to wait, and is claimed when it may leave.
    queue(&works, &[text(7, Class::Interactive, "2"), text(8, Class::Interactive, "3")]).await;
    eventually(LIMIT, async || door.texts().await.contains(&"3".to_owned())).await;
    works.clock.advance(TimeDelta::seconds(2));
    works.wakers.outbox.notify_one();
    eventually(LIMIT, async || {
        works.wakers.outbox.notify_one();
        idle(&works).await
    })
    .await;
    let times = door.times.lock().await;
    let texts = door.texts().await;
    assert_eq!(texts, ["1", "3", "2"]);
    assert!(times[2].since(times[0]) >= TimeDelta::seconds(1), "Telegram allows one message a second");
    drop(times);
    process.stop().await;
}

/// Of several for a chat the rest is known, too; when one fails, what waits is read again.
#[tokio::test(flavor = "multi_thread")]
async fn several_replies_keep_their_order_also_when_one_of_them_fails() {
    let works = TestWorks::new().await;
    let door = Door { clock: works.clock.clone(), ..Door::default() };
    // The last answer is given first.
    *door.answers.lock().await =
        vec![Delivery::Permanent("no".to_owned()), Delivery::Sent { message_id: Some(1) }];
    let process = send_here(&works, &door, RunnerOptions { in_hand: 4, ..OPTIONS });
    queue(&works, &["1", "2", "3", "4"].map(|n| text(7, Class::Interactive, n))).await;
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::seconds(2));
        idle(&works).await
    })
    .await;
    assert_eq!(door.texts().await, ["1", "3", "4"]);
    assert_eq!(statuses(&works).await, ["done", "dead", "done", "done"]);
    process.stop().await;
}

/// With a key it may have been sent before, and then it is not put in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_queued_once_for_ever_leaves_once() {
    let works = TestWorks::new().await;
    let door = Door { clock: works.clock.clone(), ..Door::default() };
    let process = send_here(&works, &door, RunnerOptions { in_hand: 4, ..OPTIONS });
    let receipt: Outgoing = text(7, Class::Interactive, "receipt").once("receipt:1");
    for _ in 0..3 {
        queue(&works, std::slice::from_ref(&receipt)).await;
        eventually(LIMIT, async || idle(&works).await).await;
        works.clock.advance(TimeDelta::seconds(2));
    }
    assert_eq!(door.texts().await, ["receipt"]);
    process.stop().await;
}

/// A copy that has leased a lane in a transaction of its own, and does not know what became of it.
struct InDoubt {
    places: Places<InboundEvent>,
    /// Its way to the database, once it looks there for what it leased.
    looks: MySqlPool,
    stop: CancellationToken,
}

impl InDoubt {
    async fn about(works: &TestWorks, conn: &mut MySqlConnection) -> Self {
        let works_of_it =
            Works { db: Db::open(works.db.url(), 1).unwrap(), wakers: Arc::default(), ..(**works).clone() };
        let (stop, looks) = (CancellationToken::new(), works_of_it.db.pool().clone());
        let (worker, far) = (worker(works, &Handler::default()), RunnerOptions { in_hand: 4, ..OPTIONS });
        let runner = Runner::new(works_of_it.clone(), worker, far, Holder::random(), stop.clone());
        // It never begins with anything.
        let reach = Arc::downgrade(&runner);
        works_of_it.wakers.handling.set(reach);
        let mut places = works_of_it.wakers.handling.places(1).unwrap();
        places.commit();
        let now = works.clock.now();
        crud::event::insert_many(conn, &[event("chat:1", "1", now)]).await.unwrap();
        let (queue, lane) = (Queue::Inbox, "chat:1".to_owned());
        let mut entries = vec![Entry { queue, lane, class: 1, due_at: now, in_hand: true }];
        let leased = crud::lane::enqueue(conn, &mut entries, Some(places.lease)).await.unwrap();
        assert_eq!(leased.len(), 1);
        Self { places, looks, stop }
    }
}

/// Nobody knows whether it was committed, and so nobody took it: others need not wait for the lease to end.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_perhaps_committed_is_let_go() {
    let (works, handler) = (TestWorks::new().await, Handler::default());
    let mut conn = works.db.pool.acquire().await.unwrap();
    let InDoubt { places, stop, .. } = InDoubt::about(&works, &mut conn).await;
    let process = Process::start(&works, worker(&works, &handler));
    drop(places);
    eventually(LIMIT, async || effects(&works, "chat:1").await == ["1"]).await;
    process.stop().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_after_nobody_waits_for_it_any_more_is_let_go_too() {
    let (works, handler) = (TestWorks::new().await, Handler::default());
    let mut late = works.db.pool.begin().await.unwrap();
    let InDoubt { places, looks, stop } = InDoubt::about(&works, &mut late).await;
    let process = Process::start(&works, worker(&works, &handler));
    drop(places);
    // It has looked, and its connection is free again.
    eventually(LIMIT, async || looks.num_idle() == 1).await;
    late.commit().await.unwrap();
    eventually(LIMIT, async || effects(&works, "chat:1").await == ["1"]).await;
    process.stop().await;
    stop.cancel();
}
