//! Updates that wait for delivery. Telegram keeps several queues per bot: updates of one queue go strictly in
//! order, those of different queues do not wait for each other.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use chrono::Duration;
use serde_json::Value;

use super::wire;
use super::world::World;
use crate::clock::Timestamp;

/// Kinds that a bot gets only when it asks for them by name.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// An update on its way.
#[derive(Clone)]
pub struct Update {
    pub id: i64,
    pub kind: String,
    /// The whole request body.
    pub body: Bytes,
    pub expires: Timestamp,
}

/// All queues of a bot.
#[derive(Default)]
pub struct Queues {
    queues: BTreeMap<String, Queue>,
    /// Queues that have work and nobody who does it.
    ready: Vec<String>,
    /// `allowed_updates`; empty means all but [`ON_REQUEST`].
    pub allowed: Vec<String>,
}

#[derive(Default)]
struct Queue {
    updates: VecDeque<Update>,
    running: bool,
}

impl Queues {
    pub fn pending(&self) -> usize {
        self.queues.values().map(|queue| queue.updates.len()).sum()
    }

    pub fn clear(&mut self) {
        for queue in self.queues.values_mut() {
            queue.updates.clear();
        }
        self.ready.clear();
    }

    pub fn allows(&self, kind: &str) -> bool {
        if self.allowed.is_empty() {
            !ON_REQUEST.contains(&kind)
        } else {
            self.allowed.iter().any(|a| a == kind)
        }
    }

    fn push(&mut self, name: &str, update: Update) {
        let queue = self.queues.entry(name.to_owned()).or_default();
        queue.updates.push_back(update);
        if !queue.running && queue.updates.len() == 1 {
            self.ready.push(name.to_owned());
        }
    }

    /// After a new webhook: everything that waits is due at once.
    pub fn wake(&mut self) {
        self.ready = self
            .queues
            .iter()
            .filter(|(_, queue)| !queue.running && !queue.updates.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
    }

    /// Queues to start; they count as running from now on.
    pub fn take_ready(&mut self) -> Vec<String> {
        let ready = std::mem::take(&mut self.ready);
        for name in &ready {
            self.queues.entry(name.clone()).or_default().running = true;
        }
        ready
    }

    /// The next update of a queue that has not expired. None puts the queue to rest.
    pub fn front(&mut self, name: &str, now: Timestamp) -> Option<Update> {
        let queue = self.queues.get_mut(name)?;
        while queue.updates.front().is_some_and(|update| update.expires < now) {
            queue.updates.pop_front();
        }
        let front = queue.updates.front().cloned();
        if front.is_none() {
            self.queues.remove(name);
        }
        front
    }

    /// No webhook is set: the queue waits for one.
    pub fn rest(&mut self, name: &str) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.running = false;
        }
    }

    /// Takes a delivered or dropped update away.
    pub fn remove(&mut self, name: &str, id: i64) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.updates.retain(|update| update.id != id);
        }
    }
}

impl World {
    /// Queues an update for a bot that wants its kind; returns its id, or None when the bot does not.
    pub fn push_update(
        &mut self,
        bot: i64,
        kind: &str,
        queue: &str,
        now: Timestamp,
        content: &Value,
    ) -> Option<i64> {
        let account = self.bot_mut(bot);
        if !account.queues.allows(kind) {
            return None;
        }
        account.last_update_id += 1;
        let id = account.last_update_id;
        let body = format!("{{\"update_id\":{id},\n\"{kind}\":{}}}", wire::ascii(content)).into();
        account.queues.push(queue, Update { id, kind: kind.to_owned(), body, expires: now + lifetime(kind) });
        Some(id)
    }

    /// Queues a body as it is.
    pub fn push_raw(&mut self, bot: i64, queue: &str, now: Timestamp, body: Bytes) {
        let account = self.bot_mut(bot);
        account.last_update_id += 1;
        let update =
            Update { id: account.last_update_id, kind: "raw".into(), body, expires: now + lifetime("raw") };
        account.queues.push(queue, update);
    }
}

/// How long an update is worth delivering (tdlib, `Client.cpp`).
fn lifetime(kind: &str) -> Duration {
    match kind {
        "callback_query" | "pre_checkout_query" | "shipping_query" => Duration::seconds(150),
        _ => Duration::hours(24),
    }
}

/// The queue of a chat's messages.
pub fn chat_queue(chat: i64) -> String {
    format!("chat:{chat}")
}

/// The queue of a person's updates of one kind that are not bound to a chat's order.
pub fn person_queue(kind: &str, person: i64) -> String {
    format!("{kind}:{person}")
}
