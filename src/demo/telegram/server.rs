//! The server's life and the handle that tests and the demo hold.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::Answer;
use super::faults::FaultRule;
use super::http;
use super::journal::{Call, Delivery, Outcome};
use super::methods::{self, Context};
use super::people::{PersonHandle, PersonSpec};
use super::request::Fields;
use super::webhook::Webhook;
use super::world::{BotAccount, World};
use crate::clock::{Clock, Timestamp};

/// How the counterpart behaves.
#[derive(Clone)]
pub struct Options {
    pub clock: Clock,
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What a second is in the pauses between two attempts to deliver; tests make it short.
    pub retry_pace: Duration,
    /// What calls webhooks; None: a client as any other, which believes in known certificates alone.
    pub client: Option<reqwest::Client>,
    /// How long people wait for something to appear before they give up.
    pub patience: Duration,
    /// How long a payment waits for the bot's answer.
    pub checkout_limit: Duration,
    /// Called when somebody moves the clock on the page; by default moves `clock`.
    pub on_fast_forward: Arc<dyn Fn(chrono::Duration) + Send + Sync>,
}

impl Options {
    /// As Telegram, on a free port of the loopback.
    pub fn new(clock: Clock) -> Self {
        let moved = clock.clone();
        Self {
            clock,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            retry_pace: Duration::from_secs(1),
            client: None,
            patience: Duration::from_secs(30),
            checkout_limit: Duration::from_secs(10),
            on_fast_forward: Arc::new(move |by| moved.advance(by)),
        }
    }

    /// As [`Options::new`], with pauses a hundred times shorter.
    pub fn hasty(clock: Clock) -> Self {
        Self { retry_pace: Duration::from_millis(10), ..Self::new(clock) }
    }
}

/// The options that methods look at.
#[derive(Clone, Copy)]
pub struct Rules {
    pub checkout_limit: chrono::Duration,
}

/// A running counterpart; it stops when dropped.
#[derive(Clone)]
pub struct TelegramServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    _stop: Arc<DropGuard>,
}

impl TelegramServer {
    /// Starts listening; fails only when the address cannot be bound.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(options.bind).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let client = match &options.client {
            Some(client) => client.clone(),
            None => reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(std::io::Error::other)?,
        };
        // Numbers go on where a counterpart that was started earlier cannot have been, so that a database that
        // outlives it never sees one twice.
        let counter = options.clock.now().unix().unsigned_abs() * 1_000_000;
        let world = World { counter, ..World::default() };
        let inner = Arc::new(Inner {
            world: Mutex::new(world),
            changed: watch::Sender::new(0),
            options,
            client,
            runtime: tokio::runtime::Handle::current(),
            stop: stop.clone(),
        });
        tokio::spawn(http::serve(listener, Arc::clone(&inner)));
        Ok(Self { inner, address, _stop: Arc::new(stop.drop_guard()) })
    }

    /// Base of the Bot API and address of the page, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a bot. The number before the colon of its token is its id.
    pub fn add_bot(&self, token: &str, username: &str, name: &str) {
        let id = token.split(':').next().and_then(|id| id.parse().ok());
        let start = self.inner.now().unix();
        self.inner.change(|world| {
            let id = id.unwrap_or_else(|| 7_000_000_000 + world.bots.len() as i64);
            // As with the counter: 16 for every second that passes between two starts.
            let number = start * 16 % 2_000_000_000;
            let account = BotAccount {
                id,
                token: token.to_owned(),
                username: username.to_owned(),
                place: world.bots.len(),
                name: name.to_owned(),
                texts: Default::default(),
                commands: Default::default(),
                webhook: None,
                queues: Default::default(),
                last_update_id: number,
                last_message_id: number,
                stars: 0,
            };
            world.bots.insert(id, account);
        });
    }

    /// Adds a person, or refreshes one that is there.
    pub fn person(&self, spec: PersonSpec) -> PersonHandle {
        self.inner.add_person(spec)
    }

    /// Everybody, in the order in which they came.
    pub fn people(&self) -> Vec<PersonHandle> {
        let ids: Vec<i64> = self.inner.read(|world| world.people.iter().map(|person| person.id).collect());
        ids.into_iter().map(|id| PersonHandle { inner: Arc::clone(&self.inner), id }).collect()
    }

    /// Every call of the Bot API so far.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.read(|world| world.calls.clone())
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.inner.read(|world| world.calls.iter().filter(|call| call.method == method).cloned().collect())
    }

    /// Every attempt to deliver an update so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.inner.read(|world| world.deliveries.clone())
    }

    /// Updates that a bot has not taken yet.
    pub fn pending(&self, bot: &str) -> usize {
        self.inner.read(|world| world.bot_by_username(bot).map_or(0, |id| world.bot(id).queues.pending()))
    }

    /// Stars that a bot has earned and not given back.
    pub fn stars_of(&self, bot: &str) -> i64 {
        self.inner.read(|world| world.bot_by_username(bot).map_or(0, |id| world.bot(id).stars))
    }

    /// The address and the secret of a bot's webhook, when one is set.
    pub fn webhook_of(&self, bot: &str) -> Option<(String, Option<String>)> {
        let shown = |webhook: &Webhook| (webhook.url.clone(), webhook.secret.clone());
        self.inner.read(|world| world.bot(world.bot_by_username(bot)?).webhook.as_ref().map(shown))
    }

    /// Waits until nothing waits for delivery; false when something still does after the people's patience.
    pub async fn delivered(&self) -> bool {
        let idle = |world: &World| world.bots.values().all(|bot| bot.queues.pending() == 0).then_some(());
        self.wait_until(|| self.inner.read(idle)).await.is_some()
    }

    /// Looks again after every change until `look` sees something; None when it never does.
    pub async fn wait_until<T>(&self, look: impl Fn() -> Option<T>) -> Option<T> {
        self.inner.watch(self.inner.options.patience, look).await
    }

    /// Lets something go wrong from now on; the result is for [`TelegramServer::mend`].
    pub fn fault(&self, mut rule: FaultRule) -> u64 {
        self.inner.change(|world| {
            rule.id = world.next_number();
            let id = rule.id;
            world.faults.push(rule);
            id
        })
    }

    /// Ends a fault.
    pub fn mend(&self, fault: u64) {
        self.inner.change(|world| world.faults.retain(|rule| rule.id != fault));
    }

    /// Ends all faults.
    pub fn mend_all(&self) {
        self.inner.change(|world| world.faults.clear());
    }

    /// Switches Telegram's flood control on or off.
    pub fn flood_control(&self, enabled: bool) {
        self.inner.change(|world| world.flood.enabled = enabled);
    }

    /// Sends a bot an update with this content, in the order of `queue`; returns its id, or None when the bot does
    /// not want its kind.
    pub fn inject(&self, bot: &str, queue: &str, kind: &str, content: &Value) -> Option<i64> {
        let now = self.inner.now();
        self.inner.change(|world| {
            let bot = world.bot_by_username(bot)?;
            world.push_update(bot, kind, queue, now, content)
        })
    }

    /// Sends a bot a body as it is.
    pub fn inject_raw(&self, bot: &str, queue: &str, body: impl Into<Bytes>) {
        let now = self.inner.now();
        self.inner.change(|world| {
            if let Some(bot) = world.bot_by_username(bot) {
                world.push_raw(bot, queue, now, body.into());
            }
        });
    }

    /// Stops listening and delivering.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }
}

/// What all parts of the counterpart share.
pub struct Inner {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    pub options: Options,
    pub client: reqwest::Client,
    pub runtime: tokio::runtime::Handle,
    pub stop: CancellationToken,
}

impl Inner {
    pub fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A test that panicked in here has failed already; the world itself is never left half changed.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the world.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the world, starts deliveries that became due, and tells everybody who watches.
    pub fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let result = change(&mut world);
        self.start_deliveries(&mut world);
        drop(world);
        self.changed.send_modify(|revision| *revision += 1);
        result
    }

    /// Counts the changes of the world.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Looks again after every change until `look` sees something; None after `limit`. `look` takes the lock
    /// itself, so that it is free to call anything.
    pub async fn watch<T>(&self, limit: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
        let mut changes = self.changes();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if let Some(seen) = look() {
                    return Some(seen);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(limit, wait).await.unwrap_or_default()
    }

    pub fn add_person(self: &Arc<Self>, spec: PersonSpec) -> PersonHandle {
        let id = spec.id;
        self.change(|world| match world.person_mut(id) {
            Some(known) => *known = spec.into(),
            None => world.people.push(spec.into()),
        });
        PersonHandle { inner: Arc::clone(self), id }
    }

    /// Writes a call into the journal; the result names its entry.
    pub fn begin_call(
        self: &Arc<Self>,
        bot: i64,
        method: &str,
        fields: &Fields,
        in_webhook_answer: bool,
    ) -> usize {
        let call = Call {
            at: self.now(),
            bot: String::new(),
            method: method.to_owned(),
            chat: fields.integer("chat_id"),
            fields: fields.values.clone(),
            files: fields.files.clone(),
            in_webhook_answer,
            outcome: None,
        };
        self.change(|world| {
            let bot = world.bot(bot).username.clone();
            world.calls.push(Call { bot, ..call });
            world.calls.len() - 1
        })
    }

    /// Notes how a call ended.
    pub fn end_call(self: &Arc<Self>, call: usize, outcome: Outcome) {
        self.change(|world| world.calls[call].outcome = Some(outcome));
    }

    /// Executes a method and notes how it ended.
    pub fn execute(self: &Arc<Self>, call: usize, bot: i64, method: &str, fields: &Fields) -> Answer {
        let limit = chrono::Duration::from_std(self.options.checkout_limit).unwrap_or_default();
        let rules = Rules { checkout_limit: limit };
        let now = self.now();
        self.change(|world| {
            let answer = methods::execute(method, &mut Context { world, bot, now, fields, rules });
            let (status, description) = match &answer {
                Ok(_) => (200, None),
                Err(error) => (error.code, Some(error.description.clone())),
            };
            world.calls[call].outcome = Some(Outcome { status, description, executed: answer.is_ok() });
            answer
        })
    }
}
