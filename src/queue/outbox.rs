//! The sender: messages leave in order within a chat, at the pace Telegram allows, and are tried again until
//! Telegram has taken them or has said that it never will.

use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::FutureExt;
use scoped_futures::ScopedFutureExt;
use sqlx::MySqlConnection;

use super::batch::{BatchOptions, Batcher, of_all};
use super::failure::{Failure, backoff, shorten};
use super::inbox::{in_chrono, panic_text};
use super::pacer::Pacer;
use super::runner::{Lane, LaneWorker, Step};
use super::waiting::{LaneRow, Waiting};
use crate::clock::Timestamp;
use crate::crud;
use crate::ids::{ChatId, MessageId};
use crate::models::audit::Actor;
use crate::models::bot::Bot;
use crate::models::event::QueueStatus;
use crate::models::lane::{Lease, Queue};
use crate::models::outgoing::{Body, Class, QueuedMessage};
use crate::telemetry::metrics::{Outbound, Place};
use crate::work::{Origin, Work, Works};

/// What became of one attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent {
        message_id: Option<i64>,
    },
    /// Telegram asks to wait: the chat, or the whole bot.
    RetryAfter {
        seconds: u64,
        whole_bot: bool,
    },
    /// The person blocked the bot or is gone: nothing more for this chat.
    Blocked,
    /// Nothing will make Telegram take it.
    Permanent(String),
    /// Down, slow, 5xx: try again.
    Transient(String),
    /// It has lost its sense (an answer nobody waits for, a config that is gone): left out without alarm.
    Moot(String),
}

/// Renders messages and hands them to Telegram.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    async fn deliver(&self, bot: Bot, chat: ChatId, body: &Body) -> Delivery;
    /// The chat blocked the bot; marks its person.
    async fn blocked(&self, work: &mut Work, bot: Bot, chat: ChatId) -> Result<(), Failure>;
    /// A message was given up; tells the admins in the same unit of work.
    async fn gave_up(&self, work: &mut Work, message: &QueuedMessage, reason: &str) -> Result<(), Failure>;
}

/// Sends queued messages.
pub struct OutboxWorker<C> {
    works: Works,
    courier: C,
    pacer: Pacer,
    waiting: Waiting<QueuedMessage>,
    marks: Batcher<Mark, Marked>,
}

/// A message that Telegram has taken.
struct Mark {
    id: MessageId,
    /// What Telegram calls it.
    message_id: Option<i64>,
    /// The lane to be given back, when nothing is left in it, and when its next message may leave.
    leave: Option<(Lease, Timestamp)>,
}

/// Whether the lane was given back in the commit of the mark.
type Marked = Result<bool, Arc<sqlx::Error>>;

/// Messages that are marked in one commit.
const MARKS: BatchOptions<Mark> = BatchOptions {
    waiting: 1024,
    most: 64,
    weight: |_| 0,
    heaviest: 1,
    abreast: 2,
    slow: Duration::from_millis(500),
};

/// Telegram allows one message a second in a chat.
const CHAT_PACE: TimeDelta = TimeDelta::seconds(1);
/// Twenty messages a minute in a group.
const GROUP_PACE: TimeDelta = TimeDelta::seconds(3);
/// A message that could not be sent for so long is given up.
const PATIENCE: TimeDelta = TimeDelta::hours(24);
/// Telegram asks for seconds or minutes; more is a mistake somewhere.
const LONGEST_PAUSE_S: u64 = 3600;
/// What only a newer version knows is left to its copies for so long, and looked at again after each of these.
pub(super) const LEFT_TO_NEWER: TimeDelta = TimeDelta::hours(1);
pub(super) const NEWER_LOOK: TimeDelta = TimeDelta::seconds(30);
/// Telegram takes the answer to a pre-checkout query within 10 s; later tries are senseless.
const CHECKOUT_PATIENCE: TimeDelta = TimeDelta::seconds(30);

#[async_trait]
impl<C: Courier> LaneWorker for OutboxWorker<C> {
    type Row = QueuedMessage;
    const QUEUE: Queue = Queue::Outbox;
    const KEEP_IDLE: bool = true;

    fn classes(&self) -> Vec<(u8, u8)> {
        Class::ALL.map(|class| (class as u8, class as u8)).to_vec()
    }

    async fn step(&self, lane: &mut Lane<QueuedMessage>) -> sqlx::Result<Step> {
        let mut next = mem::take(&mut lane.known);
        let in_hand = !next.is_empty();
        if !in_hand {
            next = self.waiting.next(&lane.lease.lane).await?;
        }
        if next.is_empty() {
            return Ok(Step::Drained);
        }
        let (message, last) = (next.remove(0), next.is_empty());
        let now = self.works.clock.now();
        if let Some(until) = message.retry_at.filter(|until| *until > now) {
            return Ok(Step::Wait(until));
        }
        let Ok(body) = serde_json::from_str::<Body>(&message.body) else {
            return self.unknown(&message, now).await;
        };
        if body.is_paced() {
            if lane.not_before > now {
                return Ok(Step::Wait(lane.not_before));
            }
            if let Err(paused_until) = self.pacer.slot(message.bot).await? {
                return Ok(Step::Wait(paused_until));
            }
            let pace = if message.chat_id.0 < 0 { GROUP_PACE } else { CHAT_PACE };
            lane.not_before = self.works.clock.now() + pace;
        } else if !matches!(body, Body::PreCheckout { .. })
            && let Some(until) = self.pacer.paused_until(message.bot).await
        {
            return Ok(Step::Wait(until));
        }
        let delivery = self.deliver(&message, &body).await;
        // Of what was read, one only tells that there is more.
        if in_hand && matches!(delivery, Delivery::Sent { .. }) {
            lane.known = next;
        }
        self.note(lane, &message, &body, delivery, last).await
    }
}

#[async_trait]
impl LaneRow for QueuedMessage {
    /// The next, and whether it is the last.
    const AHEAD: u32 = 2;

    fn lane(&self) -> &str {
        &self.lane
    }
    async fn of_lane(conn: &mut MySqlConnection, lane: &str, limit: u32) -> sqlx::Result<Vec<Self>> {
        crud::outgoing::next_of_lane(conn, lane, limit).await
    }
    async fn of_lanes(conn: &mut MySqlConnection, lanes: &[String], limit: u32) -> sqlx::Result<Vec<Self>> {
        crud::outgoing::next_of_lanes(conn, lanes, limit).await
    }
}

impl<C: Courier> OutboxWorker<C> {
    pub fn new(works: Works, courier: C, pacer: Pacer) -> Self {
        let of_marks = works.clone();
        let marks = Batcher::start(MARKS, move |marks| {
            let works = of_marks.clone();
            async move { mark_sent(&works, &marks).await }
        });
        Self { waiting: Waiting::start(works.db.clone()), works, courier, pacer, marks }
    }

    async fn deliver(&self, message: &QueuedMessage, body: &Body) -> Delivery {
        let (metrics, begun) = (&self.works.metrics, Instant::now());
        let sending = self.courier.deliver(message.bot, message.chat_id, body);
        let delivery = AssertUnwindSafe(sending).catch_unwind().await;
        metrics.message_took(message.bot, begun.elapsed());
        delivery.unwrap_or_else(|panic| {
            metrics.panic(Place::Message);
            Delivery::Transient(format!("panicked: {}", panic_text(&*panic)))
        })
    }

    fn count(&self, message: &QueuedMessage, outcome: Outbound) {
        self.works.metrics.messages(message.bot, outcome, 1);
    }

    /// Writes down what became of a message; the `last` of its lane gives the lane back in the same commit.
    async fn note(
        &self,
        lane: &mut Lane<QueuedMessage>,
        message: &QueuedMessage,
        body: &Body,
        delivery: Delivery,
        last: bool,
    ) -> sqlx::Result<Step> {
        let now = self.works.clock.now();
        // Reasons are Telegram's words.
        match delivery {
            Delivery::Sent { message_id } => self.sent(lane, message, message_id, last).await,
            Delivery::RetryAfter { seconds, whole_bot } => {
                let until = now + TimeDelta::seconds(seconds.min(LONGEST_PAUSE_S).cast_signed());
                if whole_bot {
                    self.pacer.pause(message.bot, until).await?;
                }
                let hold = self.works.db.statement("hold_message", |conn| {
                    crud::outgoing::hold(conn, message.id, until).scope_boxed()
                });
                hold.await?;
                self.count(message, Outbound::Throttled);
                lane.not_before = lane.not_before.max(until);
                Ok(Step::Wait(until))
            }
            Delivery::Transient(reason) => self.try_later(message, body, shorten(&reason), now).await,
            Delivery::Permanent(reason) => self.give_up(message, shorten(&reason)).await,
            Delivery::Blocked => self.blocked(lane, message).await,
            Delivery::Moot(reason) => {
                let (status, reason) = (QueueStatus::Dropped, &*reason);
                let left_out = self.works.db.statement("message_left_out", |conn| {
                    crud::outgoing::mark_failed(conn, message.id, status, reason, now).scope_boxed()
                });
                left_out.await?;
                self.count(message, Outbound::Dropped);
                Ok(Step::Progress)
            }
        }
    }

    async fn sent(
        &self,
        lane: &Lane<QueuedMessage>,
        message: &QueuedMessage,
        message_id: Option<i64>,
        last: bool,
    ) -> sqlx::Result<Step> {
        let leave = last.then(|| (lane.lease.clone(), lane.not_before));
        let marked = self.marks.ask(Mark { id: message.id, message_id, leave }).await;
        let unmarked = || sqlx::Error::Protocol("a message that was sent could not be marked so".to_owned());
        let released = marked.map_err(|_| unmarked())?.map_err(of_all)?;
        self.count(message, Outbound::Sent);
        Ok(if released { Step::Released } else { Step::Progress })
    }

    /// A newer copy of the server may know it: left to it for a while.
    async fn unknown(&self, message: &QueuedMessage, now: Timestamp) -> sqlx::Result<Step> {
        let reason = "its body is of no kind this version knows";
        if now.since(message.created_at) > LEFT_TO_NEWER {
            return self.give_up(message, reason).await;
        }
        self.note_failure(message, reason, now + NEWER_LOOK).await
    }

    async fn try_later(
        &self,
        message: &QueuedMessage,
        body: &Body,
        reason: &str,
        now: Timestamp,
    ) -> sqlx::Result<Step> {
        let patience = match body {
            Body::PreCheckout { .. } => CHECKOUT_PATIENCE,
            _ => PATIENCE,
        };
        if now.since(message.created_at) > patience {
            return self.give_up(message, reason).await;
        }
        tracing::warn!(message_id = %message.id, bot = %message.bot, error = reason, "message not sent, trying again");
        let pause = backoff(message.attempts + 1, Duration::from_secs(1), Duration::from_secs(60));
        self.note_failure(message, reason, now + in_chrono(pause)).await
    }

    async fn note_failure(
        &self,
        message: &QueuedMessage,
        reason: &str,
        retry_at: Timestamp,
    ) -> sqlx::Result<Step> {
        let note = self.works.db.statement("note_failed_message", |conn| {
            crud::outgoing::note_failure(conn, message.id, reason, retry_at).scope_boxed()
        });
        note.await?;
        self.count(message, Outbound::Retried);
        Ok(Step::Wait(retry_at))
    }

    async fn blocked(&self, lane: &Lane<QueuedMessage>, message: &QueuedMessage) -> sqlx::Result<Step> {
        let origin = Origin::new(Actor::System, message.id.0);
        let done = self.works.run("chat_blocked", origin, |work| {
            async move {
                let (now, bot) = (work.now(), message.bot);
                let reason = "the chat blocked the bot";
                let dropped = crud::outgoing::drop_lane(work.conn(), &lane.lease.lane, reason, now).await?;
                work.count(move |metrics| metrics.messages(bot, Outbound::Dropped, dropped));
                self.courier.blocked(work, message.bot, message.chat_id).await
            }
            .scope_boxed()
        });
        done.await.map_err(into_database_error)?;
        Ok(Step::Progress)
    }

    async fn give_up(&self, message: &QueuedMessage, reason: &str) -> sqlx::Result<Step> {
        tracing::error!(message_id = %message.id, bot = %message.bot, error = reason, "message given up");
        let origin = Origin::new(Actor::System, message.id.0);
        let done = self.works.run("give_up_message", origin, |work| {
            async move {
                let (now, bot, status) = (work.now(), message.bot, QueueStatus::Dead);
                crud::outgoing::mark_failed(work.conn(), message.id, status, reason, now).await?;
                work.count(move |metrics| metrics.messages(bot, Outbound::Dead, 1));
                self.courier.gave_up(work, message, reason).await
            }
            .scope_boxed()
        });
        done.await.map_err(into_database_error)?;
        Ok(Step::Progress)
    }
}

/// Marks what was sent and gives back the lanes in which nothing is left. Tried hard: a message whose mark is lost goes
/// out twice.
async fn mark_sent(works: &Works, marks: &[Mark]) -> Vec<Marked> {
    let now = works.clock.now();
    let marked = works.db.insist("message_sent", |conn| {
        async move {
            let sent: Vec<_> = marks.iter().map(|mark| (mark.id, mark.message_id)).collect();
            crud::outgoing::mark_all_sent(conn, &sent, now).await?;
            let leases: Vec<_> =
                marks.iter().filter_map(|mark| mark.leave.as_ref()).map(|(lease, at)| (lease, *at)).collect();
            crud::lane::release_many(conn, &leases, now).await
        }
        .scope_boxed()
    });
    match marked.await {
        Ok(kept) => {
            let left =
                |mark: &Mark| mark.leave.as_ref().is_some_and(|(lease, _)| !kept.contains(&lease.lane));
            marks.iter().map(|mark| Ok(left(mark))).collect()
        }
        Err(error) => {
            let error = Arc::new(error);
            marks.iter().map(|_| Err(error.clone())).collect()
        }
    }
}

fn into_database_error(failure: Failure) -> sqlx::Error {
    sqlx::Error::Protocol(format!("cannot note what became of a message: {failure}"))
}
