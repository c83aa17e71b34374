//! Handles what is stored: a lane at a time, in order.

use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::FutureExt;
use scoped_futures::ScopedFutureExt;
use sqlx::MySqlConnection;

use super::EventHandler;
use super::together::{self, Bundle, Together};
use crate::clock::Timestamp;
use crate::crud;
use crate::db;
use crate::models::audit::Actor;
use crate::models::event::InboundEvent;
use crate::models::lane::{Lease, Queue};
use crate::queue::batch::Batcher;
use crate::queue::failure::{Failure, backoff};
use crate::queue::runner::{Lane, LaneWorker, Step};
use crate::queue::waiting::{LaneRow, Waiting};
use crate::telemetry::metrics::{Handled as Outcome, Place};
use crate::work::{Origin, Works};

/// Handles stored events.
pub struct InboxWorker<H> {
    works: Works,
    handler: Arc<H>,
    max_attempts: u32,
    waiting: Waiting<InboundEvent>,
    together: Batcher<Bundle, Together>,
}

/// Claims of a lane without any progress after which its first event is held to kill the process.
const DEADLY_CLAIMS: u32 = 6;
/// Pause after the database was lost, or could not work, in the middle of an event.
const AFTER_LOSS: TimeDelta = TimeDelta::seconds(1);
/// The handling of one event may take this long; it does no network call, so this is the database's time.
const HANDLING_TIME: Duration = Duration::from_secs(20);

#[async_trait]
impl<H: EventHandler> LaneWorker for InboxWorker<H> {
    type Row = InboundEvent;
    const QUEUE: Queue = Queue::Inbox;
    const KEEP_IDLE: bool = false;

    fn classes(&self) -> Vec<(u8, u8)> {
        vec![(0, 0), (1, 1)]
    }

    fn holds_back(&self) -> Option<Duration> {
        self.works.wakers.rush.holds_back(Instant::now())
    }

    async fn step(&self, lane: &mut Lane<InboundEvent>) -> sqlx::Result<Step> {
        let mut events = mem::take(&mut lane.known);
        if events.is_empty() {
            events = self.waiting.next(&lane.lease.lane).await?;
        }
        in_order_of_telegram(&mut events);
        if events.is_empty() {
            return Ok(Step::Drained);
        }
        let all_read = events.len() < InboundEvent::AHEAD as usize;
        if all_read && lane.class > 0 && lane.attempts == 1 && events.iter().all(is_fresh) {
            let bundle = Bundle { events: events.clone(), lease: lane.lease.clone() };
            match self.together.ask(bundle).await {
                Ok(Together::DoneAndLeft) => return Ok(Step::Released),
                Ok(Together::Done) => return Ok(Step::Drained),
                Ok(Together::Alone) | Err(_) => {}
            }
        }
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

/// Ids are ordered by the clocks of the copies that stored the events. Where these differ, Telegram knows better: it
/// counts its updates (Bot API, `update_id`), and each is stored before the next one is sent.
fn in_order_of_telegram(events: &mut [InboundEvent]) {
    let count = |event: &InboundEvent| event.dedupe_key.parse::<i64>().ok();
    if events.iter().all(|event| count(event).is_some()) {
        events.sort_by_key(count);
    }
}

/// Whether nothing speaks against handling an event together with others.
fn is_fresh(event: &InboundEvent) -> bool {
    event.attempts == 0 && event.error.is_none() && event.retry_at.is_none()
}

enum Handled {
    Done,
    /// The lane was given back in the same commit.
    DoneAndLeft,
    Wait(Timestamp),
}

impl<H: EventHandler> InboxWorker<H> {
    /// `max_attempts` failed handlings, and an event is given up.
    pub fn new(works: Works, handler: H, max_attempts: u32) -> Self {
        let handler = Arc::new(handler);
        let of_all = (works.clone(), handler.clone());
        let together = Batcher::start(together::BUNDLES, move |bundles: Vec<Bundle>| {
            let (works, handler) = of_all.clone();
            async move { together::handle(&works, &*handler, &bundles).await }
        });
        Self { waiting: Waiting::start(works.db.clone()), works, handler, max_attempts, together }
    }

    /// Handles one event; with a lease to `leave`, its effect and the end of the lane are one commit.
    async fn handle(&self, event: &InboundEvent, leave: Option<&Lease>) -> sqlx::Result<Handled> {
        let begun = Instant::now();
        let handling = AssertUnwindSafe(tokio::time::timeout(HANDLING_TIME, self.take_effect(event, leave)));
        let failure = match handling.catch_unwind().await {
            Ok(Ok(Ok(left))) => {
                log_handled(event, begun);
                return Ok(if left { Handled::DoneAndLeft } else { Handled::Done });
            }
            Ok(Ok(Err(failure))) => failure,
            Ok(Err(_)) => Failure::later("took too long", Duration::from_secs(1)),
            Err(panic) => {
                self.works.metrics.panic(Place::Event);
                Failure::later(format!("panicked: {}", panic_text(&*panic)), Duration::from_secs(1))
            }
        };
        if let Failure::Retry(error) = &failure
            && db::is_lost(&**error)
        {
            // That says nothing about the event: it is not counted, or an outage would end in giving up.
            tracing::warn!(event_id = %event.id, %error, "the database could not handle an event now");
            return Ok(Handled::Wait(self.works.clock.now() + AFTER_LOSS));
        }
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

#[async_trait]
impl LaneRow for InboundEvent {
    const AHEAD: u32 = 16;

    fn lane(&self) -> &str {
        &self.lane
    }
    async fn of_lane(conn: &mut MySqlConnection, lane: &str, limit: u32) -> sqlx::Result<Vec<Self>> {
        crud::event::next_of_lane(conn, lane, limit).await
    }
    async fn of_lanes(conn: &mut MySqlConnection, lanes: &[String], limit: u32) -> sqlx::Result<Vec<Self>> {
        crud::event::next_of_lanes(conn, lanes, limit).await
    }
}

/// One line for each event, when it is done.
pub(super) fn log_handled(event: &InboundEvent, begun: Instant) {
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(event_id = %event.id, source = %event.source, lane = event.lane, milliseconds, "handled");
}

/// The words of a panic.
pub(in crate::queue) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

pub(in crate::queue) fn in_chrono(pause: Duration) -> TimeDelta {
    TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
}
