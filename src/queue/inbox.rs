//! The inbox: every delivery is stored before it is acknowledged, and its effect commits with its mark.
//!
//! [`InboxWriter`] is the way in: requests that arrive together share one transaction and one fsync, and each is
//! answered after that commit. [`InboxWorker`] handles what is stored, a lane (chat) at a time, in order.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::{FutureExt, StreamExt, stream};
use scoped_futures::ScopedFutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::failure::{Failure, backoff};
use super::runner::{Lane, LaneWorker, Step};
use crate::clock::Timestamp;
use crate::crud;
use crate::ids::EventId;
use crate::models::audit::Actor;
use crate::models::event::{InboundEvent, NewEvent};
use crate::models::lane::{Entry, Lease, Queue};
use crate::telemetry::metrics::{Handled as Outcome, Place};
use crate::work::{Origin, Work, Works};

/// Deliveries that may wait for the writer; more are refused, so that memory stays flat.
const WAITING: usize = 4096;
/// Deliveries in one transaction.
const BATCH: usize = 256;
/// Bytes in one transaction, well below max_allowed_packet.
const BATCH_BYTES: usize = 4 << 20;

/// A batch that takes longer is not waited for by the next ones.
const SLOW: Duration = Duration::from_millis(500);
/// Slow batches under way at the same time.
const SLOW_BATCHES: usize = 4;
/// Deliveries of a refused batch that are stored at the same time, each for itself.
const ONES_AT_ONCE: usize = 4;

/// The delivery was not stored: the sender must try again.
#[derive(Debug, thiserror::Error)]
pub enum NotStored {
    #[error("too many deliveries are waiting")]
    Overloaded,
    #[error("the database did not take it: {0}")]
    Database(Arc<sqlx::Error>),
}

/// A delivery is in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    New,
    /// It was there before.
    Duplicate,
}

type Request = (NewEvent, oneshot::Sender<Result<Stored, Arc<sqlx::Error>>>);

/// The way into the inbox.
#[derive(Clone)]
pub struct InboxWriter {
    requests: mpsc::Sender<Request>,
}

impl InboxWriter {
    /// Starts the writing task; it ends when the last handle is dropped.
    pub fn start(works: Works) -> Self {
        let (requests, queue) = mpsc::channel(WAITING);
        tokio::spawn(write_batches(works, queue));
        Self { requests }
    }

    /// Returns once the delivery is committed (or was stored before).
    pub async fn store(&self, event: NewEvent) -> Result<Stored, NotStored> {
        let (answer, stored) = oneshot::channel();
        self.requests.try_send((event, answer)).map_err(|_| NotStored::Overloaded)?;
        match stored.await {
            Ok(result) => result.map_err(NotStored::Database),
            Err(_) => Err(NotStored::Overloaded),
        }
    }
}

async fn write_batches(works: Works, mut queue: mpsc::Receiver<Request>) {
    let mut slow = JoinSet::new();
    while let Some(first) = queue.recv().await {
        let batch = collect(first, &mut queue);
        let works = works.clone();
        let mut write = tokio::spawn(async move { write_batch(&works, batch).await });
        // In turn. But a batch that waits for a lock that somebody dead still holds shall not keep everybody else out.
        // A chat's order does not suffer: Telegram sends its next update after the answer to the one before.
        if tokio::time::timeout(SLOW, &mut write).await.is_err() {
            slow.spawn(write);
        }
        while slow.try_join_next().is_some() {}
        while slow.len() >= SLOW_BATCHES {
            slow.join_next().await;
        }
    }
}

/// What waits, as much as one transaction takes.
fn collect(first: Request, queue: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.0.body.len();
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.0.body.len();
        batch.push(next);
    }
    batch
}

async fn write_batch(works: &Works, batch: Vec<Request>) {
    let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    match insert(works, &events).await {
        Err(sqlx::Error::Database(_)) if events.len() > 1 => {
            // One row the database refuses, or will not let us have, must not keep the others out.
            let one_by_one = events.into_iter().zip(answers).map(async |(event, answer)| {
                let known = insert(works, std::slice::from_ref(&event)).await;
                let _ = answer.send(known.map(|known| stored(&event, &known)).map_err(Arc::new));
            });
            stream::iter(one_by_one).buffer_unordered(ONES_AT_ONCE).collect::<()>().await;
        }
        result => {
            let result = result.map_err(Arc::new);
            for (event, answer) in events.iter().zip(answers) {
                let _ = answer.send(result.as_ref().map(|known| stored(event, known)).map_err(Arc::clone));
            }
        }
    }
    works.wakers.inbox.notify_one();
}

fn stored(event: &NewEvent, known: &HashSet<EventId>) -> Stored {
    if known.contains(&event.id) { Stored::Duplicate } else { Stored::New }
}

/// Stores deliveries in one transaction; gives those that were there before.
async fn insert(works: &Works, events: &[NewEvent]) -> sqlx::Result<HashSet<EventId>> {
    let known = works
        .db
        .transaction("store_events", |conn| {
            async move {
                let known = crud::event::insert_many(conn, events).await?;
                let mut lanes = events
                    .iter()
                    .map(|event| Entry {
                        queue: Queue::Inbox,
                        lane: event.lane.clone(),
                        class: event.class,
                        due_at: event.received_at,
                    })
                    .collect();
                crud::lane::enqueue(conn, &mut lanes).await?;
                Ok::<_, sqlx::Error>(known)
            }
            .scope_boxed()
        })
        .await?;
    works.metrics.deliveries_committed();
    Ok(known)
}

/// What is done with an event. Called inside the unit of work that marks the event done.
#[async_trait]
pub trait EventHandler: Send + Sync + 'static {
    async fn handle(&self, work: &mut Work, event: &InboundEvent) -> Result<(), Failure>;
    /// The event was given up; tells the admins in the same unit of work.
    async fn gave_up(&self, work: &mut Work, event: &InboundEvent, reason: &str) -> Result<(), Failure>;
}

/// Handles stored events.
pub struct InboxWorker<H> {
    pub works: Works,
    pub handler: H,
    /// Failed handlings after which an event is given up.
    pub max_attempts: u32,
}

/// Claims of a lane without any progress after which its first event is held to kill the process.
const DEADLY_CLAIMS: u32 = 6;
/// Events read at once from one lane.
const READ_AHEAD: u32 = 16;
/// The handling of one event may take this long; it does no network call, so this is the database's time.
const HANDLING_TIME: Duration = Duration::from_secs(20);

#[async_trait]
impl<H: EventHandler> LaneWorker for InboxWorker<H> {
    const QUEUE: Queue = Queue::Inbox;
    const KEEP_IDLE: bool = false;

    async fn step(&self, lane: &mut Lane) -> sqlx::Result<Step> {
        let events = {
            let mut conn = self.works.db.acquire().await?;
            crud::event::next_of_lane(&mut conn, &lane.lease.lane, READ_AHEAD).await?
        };
        if events.is_empty() {
            return Ok(Step::Drained);
        }
        let all_read = events.len() < READ_AHEAD as usize;
        let last = events.len() - 1;
        for (n, event) in events.iter().enumerate() {
            if let Some(until) = event.retry_at.filter(|until| *until > self.works.clock.now()) {
                return Ok(Step::Wait(until));
            }
            if lane.attempts > DEADLY_CLAIMS {
                self.give_up(event, "its handling ended the process several times").await?;
                lane.attempts = 1;
                continue;
            }
            // With nothing left over, the version check finds what has been added since.
            let leave = (all_read && n == last).then_some(&lane.lease);
            match self.handle(event, leave).await? {
                Handled::Done => {}
                Handled::DoneAndLeft => return Ok(Step::Released),
                Handled::Wait(until) => return Ok(Step::Wait(until)),
            }
        }
        Ok(if all_read { Step::Drained } else { Step::Progress })
    }
}

enum Handled {
    Done,
    /// The lane was given back in the same commit.
    DoneAndLeft,
    Wait(Timestamp),
}

impl<H: EventHandler> InboxWorker<H> {
    /// Handles one event; with a lease to `leave`, its effect and the end of the lane are one commit.
    async fn handle(&self, event: &InboundEvent, leave: Option<&Lease>) -> sqlx::Result<Handled> {
        let begun = Instant::now();
        let handling = AssertUnwindSafe(tokio::time::timeout(HANDLING_TIME, self.take_effect(event, leave)));
        let failure = match handling.catch_unwind().await {
            Ok(Ok(Ok(left))) => {
                let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(event_id = %event.id, source = %event.source, lane = event.lane, milliseconds, "handled");
                return Ok(if left { Handled::DoneAndLeft } else { Handled::Done });
            }
            Ok(Ok(Err(failure))) => failure,
            Ok(Err(_)) => Failure::later("took too long", Duration::from_secs(1)),
            Err(panic) => {
                self.works.metrics.panic(Place::Event);
                Failure::later(format!("panicked: {}", panic_text(&*panic)), Duration::from_secs(1))
            }
        };
        let reason = failure.reason();
        let lane = event.lane.as_str();
        tracing::warn!(event_id = %event.id, source = %event.source, lane, error = reason, "event not handled");
        if matches!(failure, Failure::GiveUp(_)) || event.attempts + 1 >= self.max_attempts {
            self.give_up(event, &reason).await?;
            return Ok(Handled::Done);
        }
        let pause = backoff(event.attempts + 1, Duration::from_millis(500), Duration::from_secs(60));
        let (reason, retry_at) = (&*reason, self.works.clock.now() + in_chrono(pause));
        let note = self.works.db.statement("note_failed_event", |conn| {
            crud::event::note_failure(conn, event.id, reason, retry_at).scope_boxed()
        });
        note.await?;
        self.works.metrics.event(event.source, Outcome::Retried);
        Ok(Handled::Wait(retry_at))
    }

    async fn take_effect(&self, event: &InboundEvent, leave: Option<&Lease>) -> Result<bool, Failure> {
        let origin = Origin::new(Actor::System, event.id.0);
        self.works
            .run("handle_event", origin, |work| {
                async move {
                    let (now, source) = (work.now(), event.source);
                    // The mark first: a process that lost its lease waits here for the one that has it, and then
                    // finds nothing left to do.
                    if crud::event::mark_done(work.conn(), event.id, now).await? {
                        self.handler.handle(work, event).await?;
                        work.count(move |metrics| metrics.event(source, Outcome::Done));
                    }
                    match leave {
                        Some(lease) => Ok(crud::lane::remove(work.conn(), lease).await?),
                        None => Ok(false),
                    }
                }
                .scope_boxed()
            })
            .await
    }

    async fn give_up(&self, event: &InboundEvent, reason: &str) -> sqlx::Result<()> {
        let origin = Origin::new(Actor::System, event.id.0);
        let done = self.works.run("give_up_event", origin, |work| {
            async move {
                let (now, source) = (work.now(), event.source);
                if crud::event::mark_dead(work.conn(), event.id, reason, now).await? {
                    self.handler.gave_up(work, event, reason).await?;
                    work.count(move |metrics| metrics.event(source, Outcome::Dead));
                }
                Ok::<_, Failure>(())
            }
            .scope_boxed()
        });
        match done.await {
            Ok(()) => Ok(()),
            Err(error) => Err(sqlx::Error::Protocol(format!("cannot give an event up: {error}"))),
        }
    }
}

/// The words of a panic.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

pub(super) fn in_chrono(pause: Duration) -> TimeDelta {
    TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
}
