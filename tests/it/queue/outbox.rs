use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::sync::Mutex;
use usipipo::clock::{Clock, Timestamp};
use usipipo::ids::ChatId;
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Body, Class, Outgoing, QueuedMessage};
use usipipo::queue::Failure;
use usipipo::queue::outbox::{Courier, Delivery, OutboxWorker};
use usipipo::queue::pacer::Pacer;
use usipipo::work::{Origin, Work, Works};

use super::Process;
use crate::support::wait::eventually;
use crate::support::works::{TestWorks, mark};

const LIMIT: Duration = Duration::from_secs(30);

/// Stands where Telegram's door is: notes what leaves and when, and answers as told.
#[derive(Clone, Default)]
pub(super) struct Door {
    pub sent: Arc<Mutex<Vec<(i64, String, Instant)>>>,
    pub answers: Arc<Mutex<Vec<Delivery>>>,
    pub clock: Clock,
    /// When each left, by the house's clock.
    pub times: Arc<Mutex<Vec<Timestamp>>>,
}

impl Door {
    pub async fn texts(&self) -> Vec<String> {
        self.sent.lock().await.iter().map(|(_, text, _)| text.clone()).collect()
    }
}

#[async_trait]
impl Courier for Door {
    async fn deliver(&self, _: Bot, chat: ChatId, body: &Body) -> Delivery {
        let text = match body {
            Body::Text { html, .. } | Body::Edit { html, .. } => html.clone(),
            other => format!("{other:?}"),
        };
        assert_ne!(text, "boom");
        let answer = self.answers.lock().await.pop().unwrap_or(Delivery::Sent { message_id: Some(1) });
        if matches!(answer, Delivery::Sent { .. }) {
            self.sent.lock().await.push((chat.0, text, Instant::now()));
            self.times.lock().await.push(self.clock.now());
        }
        answer
    }
    async fn blocked(&self, work: &mut Work, _: Bot, chat: ChatId) -> Result<(), Failure> {
        Ok(mark(work, "blocked", Some(&chat.to_string()), ()).await?)
    }
    async fn gave_up(&self, work: &mut Work, _: &QueuedMessage, reason: &str) -> Result<(), Failure> {
        Ok(mark(work, "message_dead", Some(reason), ()).await?)
    }
}

pub(super) fn text(chat: i64, class: Class, html: &str) -> Outgoing {
    let body = Body::Text { html: html.to_owned(), keyboard: None };
    Outgoing::new(Bot::Client, ChatId(chat), class, body)
}

pub(super) async fn queue(works: &Works, messages: &[Outgoing]) {
    let queued = works.run("queue", Origin::SYSTEM, |work| {
        async move {
            messages.iter().for_each(|message| work.send(message.clone()));
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    queued.await.unwrap();
}

fn start(works: &Works, door: &Door, per_second: u32) -> Process {
    let pacer = Pacer::new(works.clone(), per_second);
    Process::start(works, OutboxWorker::new(works.clone(), door.clone(), pacer))
}

pub(super) async fn statuses(works: &TestWorks) -> Vec<String> {
    sqlx::query_scalar("SELECT status FROM outbound_messages ORDER BY id")
        .fetch_all(&works.db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_chat_messages_keep_order_and_a_second_between_them() {
    let works = TestWorks::new().await;
    let door = Door::default();
    queue(&works, &["1", "2", "3"].map(|n| text(7, Class::Interactive, n))).await;
    let process = start(&works, &door, 1000);
    eventually(LIMIT, async || door.texts().await.len() == 3).await;
    assert_eq!(door.texts().await, ["1", "2", "3"]);
    let sent = door.sent.lock().await;
    for pair in sent.windows(2) {
        assert!(pair[1].2 - pair[0].2 >= Duration::from_millis(990), "Telegram allows one message a second");
    }
    drop(sent);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_hears_twenty_messages_a_minute() {
    let works = TestWorks::new().await;
    let door = Door { clock: works.clock.clone(), ..Door::default() };
    let messages: Vec<_> = (0..=20).map(|n| text(-1_001_234, Class::Interactive, &n.to_string())).collect();
    queue(&works, &messages).await;
    let process = start(&works, &door, 1000);
    // The first at once; from then on the clock is hurried.
    eventually(LIMIT, async || door.texts().await.len() == 1).await;
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::milliseconds(500));
        door.texts().await.len() == 21
    })
    .await;
    let expected: Vec<String> = (0..=20).map(|n| n.to_string()).collect();
    assert_eq!(door.texts().await, expected);
    let times = door.times.lock().await;
    let twenty = times[20].since(times[0]);
    assert!(twenty > TimeDelta::seconds(59), "the 21st after {twenty}");
    drop(times);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_overtake_broadcasts_and_edits_wait_for_no_pace() {
    let works = TestWorks::new().await;
    let door = Door::default();
    let edit = Body::Edit { message_id: 1, html: "edit".to_owned(), keyboard: None, ack: None };
    queue(
        &works,
        &[
            text(7, Class::Bulk, "broadcast"),
            text(7, Class::Notice, "reminder"),
            text(7, Class::Interactive, "answer"),
            Outgoing::new(Bot::Client, ChatId(7), Class::Interactive, edit),
        ],
    )
    .await;
    let process = start(&works, &door, 1000);
    eventually(LIMIT, async || door.texts().await.len() == 4).await;
    assert_eq!(door.texts().await, ["answer", "edit", "reminder", "broadcast"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_together_keep_the_pace_of_the_bot() {
    let works = TestWorks::new().await;
    let door = Door::default();
    let messages: Vec<_> = (1..=40).map(|chat| text(chat, Class::Interactive, "hi")).collect();
    queue(&works, &messages).await;
    let started = Instant::now();
    let processes = [start(&works, &door, 20), start(&works, &door, 20)];
    eventually(LIMIT, async || door.texts().await.len() == 40).await;
    assert!(started.elapsed() >= Duration::from_millis(1900), "40 messages at 20/s");
    let mut chats: Vec<i64> = door.sent.lock().await.iter().map(|(chat, ..)| *chat).collect();
    chats.sort_unstable();
    assert_eq!(chats, (1..=40).collect::<Vec<_>>(), "each once");
    for process in processes {
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_overtakes_a_broadcast_to_everybody() {
    let works = TestWorks::new().await;
    let door = Door::default();
    let broadcast: Vec<_> = (1..=300).map(|chat| text(chat, Class::Bulk, "broadcast")).collect();
    queue(&works, &broadcast).await;
    let process = start(&works, &door, 50);
    eventually(LIMIT, async || door.texts().await.len() >= 10).await;
    queue(&works, &[text(1000, Class::Interactive, "answer"), text(1001, Class::Notice, "reminder")]).await;
    let all = || async { door.texts().await };
    eventually(LIMIT, async || all().await.len() == 302).await;
    let texts = all().await;
    let place = |what: &str| texts.iter().position(|text| text == what).unwrap();
    // What was being sent already goes first: as many as are sent at the same time.
    assert!(place("answer") < 150 && place("reminder") < 150, "{} {}", place("answer"), place("reminder"));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_silences_the_whole_bot() {
    let works = TestWorks::new().await;
    let door = Door::default();
    door.answers.lock().await.push(Delivery::RetryAfter { seconds: 2, whole_bot: true });
    queue(&works, &[text(1, Class::Interactive, "first")]).await;
    let process = start(&works, &door, 1000);
    eventually(LIMIT, async || door.answers.lock().await.is_empty()).await;
    let asked = Instant::now();
    let body = Body::Edit { message_id: 7, html: "edit".to_owned(), keyboard: None, ack: None };
    let edit = Outgoing::new(Bot::Client, ChatId(3), Class::Interactive, body);
    queue(&works, &[text(2, Class::Interactive, "second"), edit]).await;
    eventually(LIMIT, async || door.texts().await.len() == 3).await;
    let first = door.sent.lock().await.iter().map(|(_, _, left)| *left).min().unwrap();
    assert!(first - asked >= Duration::from_millis(1500), "all chats wait, and an edit as well");
    assert_eq!(statuses(&works).await, ["done", "done", "done"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_bot_drops_the_rest_and_a_refused_message_is_dead() {
    let works = TestWorks::new().await;
    let door = Door::default();
    door.answers.lock().await.push(Delivery::Blocked);
    queue(&works, &[text(1, Class::Interactive, "a"), text(1, Class::Notice, "b")]).await;
    let process = start(&works, &door, 1000);
    eventually(LIMIT, async || statuses(&works).await == ["dropped", "dropped"]).await;
    door.answers.lock().await.push(Delivery::Permanent("can't parse entities".to_owned()));
    queue(&works, &[text(2, Class::Interactive, "c")]).await;
    eventually(LIMIT, async || statuses(&works).await[2] == "dead").await;
    assert!(door.texts().await.is_empty());
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_messages_is_counted() {
    let works = TestWorks::new().await;
    let door = Door::default();
    let down = || Delivery::Transient("down".to_owned());
    *door.answers.lock().await = vec![Delivery::Moot("gone".to_owned()), down(), down()];
    queue(&works, &[text(1, Class::Interactive, "late"), text(1, Class::Interactive, "moot")]).await;
    let process = start(&works, &door, 1000);
    // Tried twice in vain; the third time it is found to have lost its sense, and the next is sent.
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::seconds(1));
        statuses(&works).await == ["dropped", "done"]
    })
    .await;
    queue(&works, &[text(2, Class::Interactive, "boom")]).await;
    let counted = async |series: &str| works.metrics.render().contains(&format!("usipipo_{series}\n"));
    eventually(LIMIT, async || counted(r#"panics_total{place="message"} 1"#).await).await;
    process.stop().await;
    for (outcome, count) in [("sent", 1), ("retried", 3), ("dropped", 1), ("throttled", 0), ("dead", 0)] {
        let series = format!(r#"messages_total{{bot="client",outcome="{outcome}"}} {count}"#);
        assert!(counted(&series).await, "{series} in {}", works.metrics.render());
    }
    assert!(counted(r#"message_seconds_count{bot="client"} 5"#).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_a_key_is_queued_once_for_ever() {
    let works = TestWorks::new().await;
    let receipt = || text(1, Class::Notice, "receipt").once("receipt:1");
    queue(&works, &[receipt()]).await;
    queue(&works, &[receipt(), receipt()]).await;
    assert_eq!(statuses(&works).await.len(), 1);
}
