//! The unit of work: one transaction in which an effect, its audit rows, the jobs and messages it causes, and the
//! mark of what caused it commit together.
//!
//! The entrance (inbox, job runner, command line, API) opens it; services change things through it and never
//! commit, so that one use case can be part of another and nothing is ever half done. A body may run more than
//! once (conflicts are tried again), so it must touch nothing but the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error as StdError;
use std::sync::Arc;

use scoped_futures::ScopedBoxFuture;
use serde::Serialize;
use sqlx::{MySql, MySqlConnection, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::crud;
use crate::db::{self, Db};
use crate::fault;
use crate::ids::{JobId, MessageId, UserId, time_ordered};
use crate::models::audit::{Action, Actor};
use crate::models::bot::Bot;
use crate::models::event::InboundEvent;
use crate::models::job::Job;
use crate::models::lane::{Caused, Entry, Queue};
use crate::models::notice::Notice;
use crate::models::outgoing::{Body, Class, Outgoing, QueuedMessage};
use crate::models::user::Glance;
use crate::queue::Rush;
use crate::queue::hand::{Leased, Places, Reach};
use crate::telemetry::metrics::Metrics;

/// Wakes this process's own workers right after a commit; other processes find the work by polling.
#[derive(Default)]
pub struct Wakers {
    pub inbox: Notify,
    pub outbox: Notify,
    pub jobs: Notify,
    /// Whether deliveries come so fast that handling them should wait.
    pub rush: Rush,
    /// Who handles what was just stored, and who sends what was just queued.
    pub handling: Reach<InboundEvent>,
    pub sending: Reach<QueuedMessage>,
}

impl Wakers {
    pub fn of(&self, queue: Queue) -> &Notify {
        match queue {
            Queue::Inbox => &self.inbox,
            Queue::Outbox => &self.outbox,
            Queue::Jobs => &self.jobs,
        }
    }
}

/// Opens units of work.
#[derive(Clone)]
pub struct Works {
    pub db: Db,
    pub clock: Clock,
    pub config: Arc<Config>,
    pub wakers: Arc<Wakers>,
    pub metrics: Metrics,
}

/// Who acts, and the event or job that made them.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub actor: Actor,
    pub cause: Option<Uuid>,
}

impl Origin {
    pub const SYSTEM: Origin = Origin { actor: Actor::System, cause: None };

    pub fn new(actor: Actor, cause: Uuid) -> Self {
        Self { actor, cause: Some(cause) }
    }
}

impl Works {
    /// Runs `body` in a named transaction and commits it with everything it queued. Conflicts start it again.
    ///
    /// `works.run("ban_user", origin, |work| async move { … }.scope_boxed()).await`
    pub async fn run<'a, T, E, F>(&self, name: &'static str, origin: Origin, body: F) -> Result<T, E>
    where
        F: for<'r> Fn(&'r mut Work) -> ScopedBoxFuture<'a, 'r, Result<T, E>> + Send + Sync + 'a,
        E: From<sqlx::Error> + StdError + Send + 'static,
        T: Send + 'a,
    {
        let mut tries = 1;
        loop {
            let attempt = async {
                let mut work = Work::new(self, self.db.begin().await?, origin);
                let value = body(&mut work).await?;
                let queued = work.commit(name).await?;
                Ok::<_, E>((value, queued))
            };
            match attempt.await {
                Ok((value, queued)) => {
                    self.follow_up(queued);
                    return Ok(value);
                }
                Err(error) if db::again(name, tries, &error) => db::pause_after_conflict(tries).await,
                Err(error) => return Err(error),
            }
            tries += 1;
        }
    }

    fn follow_up(&self, queued: Queued) {
        if let Some((places, lanes)) = queued.in_hand {
            places.take(lanes);
        }
        if queued.messages {
            self.wakers.outbox.notify_one();
        }
        if queued.jobs {
            self.wakers.jobs.notify_one();
        }
        queued.counts.iter().for_each(|count| count(&self.metrics));
    }
}

/// What is counted of an effect.
type Count = Box<dyn Fn(&Metrics) + Send + Sync>;

/// What a commit leaves to be done.
struct Queued {
    /// Chats whose messages may be sent at once.
    in_hand: Option<(Places<QueuedMessage>, Vec<Leased<QueuedMessage>>)>,
    /// Whether there are messages beside these.
    messages: bool,
    jobs: bool,
    counts: Vec<Count>,
}

/// An open unit of work.
pub struct Work {
    tx: Transaction<'static, MySql>,
    now: Timestamp,
    config: Arc<Config>,
    wakers: Arc<Wakers>,
    origin: Origin,
    messages: Vec<Caused<MessageId, Outgoing>>,
    jobs: Vec<Caused<JobId, Job>>,
    lanes: Vec<Entry>,
    counts: Vec<Count>,
    glances: HashMap<UserId, Glance>,
    seen: BTreeSet<UserId>,
}

impl Work {
    fn new(works: &Works, tx: Transaction<'static, MySql>, origin: Origin) -> Self {
        let (now, config, wakers) = (works.clock.now(), works.config.clone(), works.wakers.clone());
        let (messages, jobs, lanes, counts) = Default::default();
        let (glances, seen) = Default::default();
        Self { tx, now, config, wakers, origin, messages, jobs, lanes, counts, glances, seen }
    }

    /// The connection, for crud. What was known at a glance may be changed by way of it, and so is forgotten.
    pub fn conn(&mut self) -> &mut MySqlConnection {
        self.glances.clear();
        &mut self.tx
    }

    /// The connection, for crud that changes nothing.
    pub fn reading(&mut self) -> &mut MySqlConnection {
        &mut self.tx
    }

    /// What is known of a person, and has not been changed since.
    pub fn glance_at(&self, user: UserId) -> Option<&Glance> {
        self.glances.get(&user)
    }

    /// Remembers what was read, until something may change it.
    pub fn keep_in_sight(&mut self, glances: impl IntoIterator<Item = Glance>) {
        self.glances.extend(glances.into_iter().map(|glance| (glance.user.id, glance)));
    }

    /// A person was seen now; written down with the commit, for all who were.
    pub fn saw(&mut self, user: UserId) {
        self.seen.insert(user);
    }

    /// The instant of this unit of work: one and the same for all its rows.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The configuration the rules read.
    pub fn config(&self) -> Arc<Config> {
        self.config.clone()
    }

    pub fn actor(&self) -> Actor {
        self.origin.actor
    }

    /// Acts in another name from here on, e.g. once the sender of an update is known.
    pub fn act_as(&mut self, actor: Actor) {
        self.origin.actor = actor;
    }

    /// Goes on with the next of several events that are handled in one unit of work.
    pub fn turn_to(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn caused<I, T>(&self, id: I, what: T) -> Caused<I, T> {
        Caused { id, cause: self.origin.cause, what }
    }

    pub fn cause(&self) -> Option<Uuid> {
        self.origin.cause
    }

    /// Queues a message; it leaves after the commit.
    pub fn send(&mut self, message: Outgoing) {
        self.messages.push(self.caused(MessageId(time_ordered()), message));
    }

    /// Tells a person something, in the client bot, without hurry.
    pub fn notify(&mut self, user: UserId, notice: Notice) {
        self.send(Outgoing::new(Bot::Client, user, Class::Notice, Body::Notice { notice, replace: None }));
    }

    /// As [`Work::notify`], once under `key` for as long as done messages are kept; what must not happen twice
    /// in longer times is kept by the state of what it is about.
    pub fn notify_once(&mut self, user: UserId, notice: Notice, key: impl Into<String>) {
        let body = Body::Notice { notice, replace: None };
        self.send(Outgoing::new(Bot::Client, user, Class::Notice, body).once(key));
    }

    /// Queues a job to run as soon as possible after the commit.
    pub fn enqueue(&mut self, job: Job) {
        self.enqueue_at(job, self.now);
    }

    /// Queues a job to run at `due_at`.
    pub fn enqueue_at(&mut self, job: Job, due_at: Timestamp) {
        let class = job.class();
        self.enqueue_as(job, class, due_at);
    }

    /// As [`Work::enqueue`], ahead of routine: somebody waits for it.
    pub fn enqueue_ahead(&mut self, job: Job) {
        self.enqueue_as(job, 0, self.now);
    }

    fn enqueue_as(&mut self, job: Job, class: u8, due_at: Timestamp) {
        self.lanes.push(Entry { queue: Queue::Jobs, lane: job.lane(), class, due_at, in_hand: false });
        self.jobs.push(self.caused(JobId(time_ordered()), job));
    }

    /// Makes a lane due again without adding a row to it, e.g. for a replay.
    pub fn wake_lane(&mut self, queue: Queue, lane: String, class: u8) {
        let due_at = self.now;
        self.lanes.push(Entry { queue, lane, class, due_at, in_hand: false });
    }

    /// Counts something once it is committed, and not when it is rolled back.
    pub fn count(&mut self, count: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.counts.push(Box::new(count));
    }

    /// Writes an audit row: who did `action` to `target`. `details` become JSON and must hold no secret.
    pub async fn audit(
        &mut self,
        action: Action,
        target: Option<&str>,
        details: impl Serialize,
    ) -> sqlx::Result<()> {
        self.audit_as(action.as_str(), target, details).await
    }

    /// As [`Work::audit`]: `action` failed, and the row says `{action}_error`.
    pub async fn audit_error(
        &mut self,
        action: Action,
        target: Option<&str>,
        details: impl Serialize,
    ) -> sqlx::Result<()> {
        self.audit_as(&format!("{action}_error"), target, details).await
    }

    async fn audit_as(
        &mut self,
        action: &str,
        target: Option<&str>,
        details: impl Serialize,
    ) -> sqlx::Result<()> {
        let details = serde_json::to_string(&details).expect("audit details are plain data");
        let (user_id, cause, now) = (self.origin.actor.user_id(), self.origin.cause, self.now);
        crud::audit::insert(&mut self.tx, user_id, action, target, &details, cause, now).await
    }

    /// Writes what was queued, last of all, so that the rows everybody shares are locked for the shortest time,
    /// and commits.
    async fn commit(mut self, name: &str) -> sqlx::Result<Queued> {
        if !self.seen.is_empty() {
            crud::user::saw(&mut self.tx, &self.seen, self.now).await?;
        }
        if !self.messages.is_empty() {
            crud::outgoing::insert_many(&mut self.tx, &self.messages, self.now).await?;
        }
        if !self.jobs.is_empty() {
            crud::job::insert_many(&mut self.tx, &self.jobs, self.now).await?;
        }
        let chats = chats(&self.messages, &self.lanes);
        let prompt = chats.values().filter(|chat| chat.prompt).count();
        let mut places = if prompt > 0 { self.wakers.sending.places(prompt) } else { None };
        let (lease, left) = places.as_ref().map(|places| (places.lease, places.left())).unzip();
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.extend(entries(&chats, self.now, left.unwrap_or_default()));
        let leased = crud::lane::enqueue(&mut self.tx, &mut lanes, lease).await?;
        fault::before(name);
        places.iter_mut().for_each(Places::commit);
        if let Err(error) = self.tx.commit().await {
            if let Some(places) = places.filter(|_| !db::is_lost(&error)) {
                places.withdraw();
            }
            return Err(error);
        }
        fault::after(name);
        let messages = leased.len() < chats.len();
        let in_hand = places.map(|places| (places, in_hand(leased, &chats, self.now)));
        Ok(Queued { in_hand, messages, jobs: !self.jobs.is_empty(), counts: self.counts })
    }
}

/// What one unit of work says in a chat.
struct Chat<'a> {
    messages: Vec<&'a Caused<MessageId, Outgoing>>,
    class: Class,
    /// A person waits for it, and it is all there is.
    prompt: bool,
}

/// The lanes of these messages, in each the more urgent first.
fn chats<'a>(messages: &'a [Caused<MessageId, Outgoing>], woken: &[Entry]) -> BTreeMap<String, Chat<'a>> {
    let mut by_lane: BTreeMap<String, Vec<&Caused<MessageId, Outgoing>>> = BTreeMap::new();
    for message in messages {
        by_lane.entry(message.what.lane()).or_default().push(message);
    }
    let chat = |(lane, mut messages): (String, Vec<&'a Caused<MessageId, Outgoing>>)| {
        messages.sort_by_key(|message| (message.what.class, message.id));
        // One with a key may be there already, and is not put in again; in a lane that is woken other things wait.
        let prompt = messages
            .iter()
            .all(|Caused { what, .. }| what.class == Class::Interactive && what.dedupe_key.is_none())
            && woken.iter().all(|entry| entry.lane != lane);
        let class = messages[0].what.class;
        (lane, Chat { messages, class, prompt })
    };
    by_lane.into_iter().map(chat).collect()
}

/// As many as there are places are taken in hand.
fn entries(chats: &BTreeMap<String, Chat<'_>>, now: Timestamp, mut places: usize) -> Vec<Entry> {
    let entry = |(lane, chat): (&String, &Chat<'_>)| {
        let in_hand = places > 0 && chat.prompt;
        places -= usize::from(in_hand);
        Entry { queue: Queue::Outbox, lane: lane.clone(), class: chat.class as u8, due_at: now, in_hand }
    };
    chats.iter().map(entry).collect()
}

fn in_hand(
    leased: HashMap<String, u64>,
    chats: &BTreeMap<String, Chat<'_>>,
    now: Timestamp,
) -> Vec<Leased<QueuedMessage>> {
    let lane = |(lane, version): (String, u64)| {
        let chat = &chats[&lane];
        let rows = chat.messages.iter().map(|message| message.what.row(message.id, now)).collect();
        Leased { lane, version, class: chat.class as u8, rows }
    };
    leased.into_iter().map(lane).collect()
}
