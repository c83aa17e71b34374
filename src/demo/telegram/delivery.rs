//! Delivering updates to webhooks as Telegram's server does (tdlib, `WebhookActor.cpp`): one task per queue,
//! strictly in order, repeated until the answer is 2xx or the update has expired; a method in the answer is
//! executed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::Inner;
use super::journal::Delivery;
use super::methods;
use super::queues::Update;
use super::request::Fields;
use super::webhook::Webhook;
use super::world::World;
use crate::clock::Timestamp;

/// How long an answer is waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE: u32 = 60;
/// Hours of nothing but 410 after which Telegram removes the webhook.
const GONE_HOURS: i64 = 23;

/// What a webhook answered.
struct Attempt {
    begun: Timestamp,
    answer: Result<u16, String>,
    /// Seconds that the answer asks to wait.
    retry_after: Option<u32>,
    body: Bytes,
}

impl Attempt {
    fn accepted(&self) -> bool {
        matches!(self.answer, Ok(200..=299))
    }
}

impl Inner {
    /// Starts a task for every queue that has work and none yet.
    pub(super) fn start_deliveries(self: &Arc<Self>, world: &mut World) {
        for account in world.bots.values_mut().filter(|account| account.webhook.is_some()) {
            for queue in account.queues.take_ready() {
                let (inner, bot) = (Arc::clone(self), account.id);
                self.runtime.spawn(async move {
                    let stop = inner.stop.clone();
                    stop.run_until_cancelled(inner.drain(bot, queue)).await;
                });
            }
        }
    }

    async fn drain(self: Arc<Self>, bot: i64, queue: String) {
        let mut failures = 0;
        while let Some((update, webhook)) = self.change(|world| world.next_delivery(bot, &queue, self.now()))
        {
            let attempt = self.post(&update, &webhook).await;
            self.record(bot, &queue, &update, failures + 1, &attempt);
            if attempt.accepted() {
                failures = 0;
                self.change(|world| world.bot_mut(bot).queues.remove(&queue, update.id));
                self.execute_reply(bot, &attempt.body);
                continue;
            }
            failures += 1;
            let pause = self.options.retry_pace * pause(failures).max(attempt.retry_after.unwrap_or(0));
            let next = chrono::Duration::from_std(pause).unwrap_or_default();
            if self.now() + next > update.expires {
                self.change(|world| world.bot_mut(bot).queues.remove(&queue, update.id));
                failures = 0;
                continue;
            }
            if webhook.replaced.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                failures = 0;
            }
        }
    }

    async fn post(&self, update: &Update, webhook: &Webhook) -> Attempt {
        let permit = webhook.permits.acquire().await;
        // The wait for a free connection is no part of the attempt.
        let begun = self.now();
        let failed = |why: String| Attempt { begun, answer: Err(why), retry_after: None, body: Bytes::new() };
        let Ok(_permit) = permit else { return failed("webhook was replaced".into()) };
        let mut request = self
            .client
            .post(&webhook.url)
            .header("content-type", "application/json")
            .timeout(ANSWER_LIMIT)
            .body(update.body.clone());
        if let Some(secret) = &webhook.secret {
            request = request.header("x-telegram-bot-api-secret-token", secret);
        }
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let retry_after =
                    header.and_then(|text| text.parse().ok()).map(|seconds: u32| seconds.min(3600));
                let body = response.bytes().await.unwrap_or_default();
                Attempt { begun, answer: Ok(status), retry_after, body }
            }
            Err(error) if error.is_timeout() => failed("Read timeout expired".into()),
            Err(error) if error.is_connect() => failed("Connection refused".into()),
            Err(_) => failed("Connection closed".into()),
        }
    }

    fn record(self: &Arc<Self>, bot: i64, queue: &str, update: &Update, attempt: u32, outcome: &Attempt) {
        let at = outcome.begun;
        self.change(|world| {
            let delivery = Delivery {
                at,
                bot: world.bot(bot).username.clone(),
                update_id: update.id,
                kind: update.kind.clone(),
                queue: queue.to_owned(),
                attempt,
                answer: outcome.answer.clone(),
            };
            world.deliveries.push(delivery);
            let slot = &mut world.bot_mut(bot).webhook;
            if let Some(webhook) = slot {
                webhook.note(outcome, at);
                if webhook.gone_since.is_some_and(|since| at.since(since).num_hours() >= GONE_HOURS) {
                    *slot = None;
                }
            }
        });
    }

    /// Executes a method that the webhook answered with; its result is reported to nobody.
    fn execute_reply(self: &Arc<Self>, bot: i64, body: &[u8]) {
        let Ok(mut values) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
        let Some(Value::String(name)) = values.remove("method") else { return };
        let ignored = ["setwebhook", "deletewebhook", "close", "logout"];
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("get") || ignored.contains(&lower.as_str()) {
            return;
        }
        if let Some(method) = methods::canonical(&name) {
            let fields = Fields::from_values(values);
            let call = self.begin_call(bot, method, &fields, true);
            // Nobody waits for the result; the journal has it.
            let _unreported = self.execute(call, bot, method, &fields);
        }
    }
}

impl Webhook {
    fn note(&mut self, outcome: &Attempt, at: Timestamp) {
        let gone = outcome.answer == Ok(410);
        self.gone_since = gone.then(|| self.gone_since.unwrap_or(at));
        let error = match &outcome.answer {
            Ok(200..=299) => return,
            Ok(status) => {
                let reason =
                    reqwest::StatusCode::from_u16(*status).ok().and_then(|code| code.canonical_reason());
                format!("Wrong response from the webhook: {status} {}", reason.unwrap_or(""))
            }
            Err(why) => why.clone(),
        };
        self.last_error = Some((at, error.trim_end().to_owned()));
    }
}

impl World {
    /// The next update of a queue and where it goes; None puts the queue to rest.
    fn next_delivery(&mut self, bot: i64, queue: &str, now: Timestamp) -> Option<(Update, Webhook)> {
        let account = self.bot_mut(bot);
        let Some(webhook) = account.webhook.clone() else {
            account.queues.rest(queue);
            return None;
        };
        Some((account.queues.front(queue, now)?, webhook))
    }
}

/// Seconds to wait after so many failures in a row: none, 2, 4, 8 … up to a minute.
fn pause(failures: u32) -> u32 {
    match failures {
        0 | 1 => 0,
        more => 2_u32.saturating_pow(more - 1).min(LONGEST_PAUSE),
    }
}
