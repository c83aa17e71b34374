//! Everything long-lived, built once: the same for the server, the tests and the demo. [`App::start`] makes the
//! workers run, [`Running::stop`] drains them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use scoped_futures::ScopedFutureExt;
use secrecy::ExposeSecret;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::crud;
use crate::db::{Db, migrate};
use crate::handlers::bots::courier::BotCourier;
use crate::handlers::bots::usernames::Usernames;
use crate::handlers::bots::{Bots, setup};
use crate::handlers::events::Events;
use crate::handlers::http::layers::Edge;
use crate::integrations::payments::Providers;
use crate::integrations::payments::qvapay::QvaPay;
use crate::integrations::payments::stars::Stars;
use crate::integrations::telegram::api::{Telegram, http_client};
use crate::jobs::{Backends, Jobs};
use crate::models::bot::Bot;
use crate::models::lane::Holder;
use crate::queue::inbox::{InboxWorker, InboxWriter};
use crate::queue::jobs::JobWorker;
use crate::queue::outbox::OutboxWorker;
use crate::queue::pacer::Pacer;
use crate::queue::runner::{LaneWorker, Runner, RunnerOptions};
use crate::queue::schedule;
use crate::router;
use crate::telemetry::metrics::Metrics;
use crate::work::Works;

/// Where the process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Stage {
    Starting = 0,
    Serving = 1,
    Draining = 2,
}

/// Handle on everything; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    works: Works,
    inbox: InboxWriter,
    telegram: BTreeMap<Bot, Telegram>,
    providers: Providers,
    backends: Arc<Backends>,
    bots: Arc<Bots>,
    usernames: Usernames,
    stage: AtomicU8,
    started: Instant,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Upgrade(#[from] migrate::UpgradeError),
    #[error("DATABASE_URL is not usable: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl App {
    /// Builds everything from the configuration. Nothing is reached yet.
    pub fn build(config: Config, clock: Clock) -> Result<Self, StartError> {
        let db = Db::open(config.database.url.expose_secret(), config.database.max_connections)?;
        let config = Arc::new(config);
        let (wakers, metrics) = (Arc::default(), Metrics::default());
        let works = Works { db, clock, config: config.clone(), wakers, metrics };
        let http = http_client()?;
        let api = config.telegram.api_url.as_str();
        let telegram: BTreeMap<Bot, Telegram> = config
            .telegram
            .tokens
            .iter()
            .map(|(bot, token)| (*bot, Telegram::new(*bot, token.clone(), api, http.clone())))
            .collect();
        let providers = providers(&config, &telegram)?;
        let usernames = Usernames::default();
        Ok(Self(Arc::new(Inner {
            inbox: InboxWriter::start(works.clone()),
            bots: Arc::new(Bots::new(&config, usernames.clone())),
            usernames,
            works,
            telegram,
            providers,
            backends: Arc::default(),
            stage: AtomicU8::new(Stage::Starting as u8),
            started: Instant::now(),
        })))
    }

    pub fn works(&self) -> &Works {
        &self.0.works
    }
    pub fn config(&self) -> &Config {
        &self.0.works.config
    }
    pub fn inbox(&self) -> &InboxWriter {
        &self.0.inbox
    }
    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }
    pub fn telegram(&self) -> &BTreeMap<Bot, Telegram> {
        &self.0.telegram
    }
    pub fn backends(&self) -> &Arc<Backends> {
        &self.0.backends
    }
    pub fn bots(&self) -> &Arc<Bots> {
        &self.0.bots
    }
    pub fn metrics(&self) -> &Metrics {
        &self.0.works.metrics
    }
    /// Whether a bot has a token.
    pub fn hosts(&self, bot: Bot) -> bool {
        self.0.telegram.contains_key(&bot)
    }
    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    pub fn stage(&self) -> Stage {
        match self.0.stage.load(Ordering::Acquire) {
            0 => Stage::Starting,
            1 => Stage::Serving,
            _ => Stage::Draining,
        }
    }

    fn enter(&self, stage: Stage) {
        self.0.stage.store(stage as u8, Ordering::Release);
    }

    /// Listens, brings the schema up to date, and starts the workers. `/health/live` answers at once,
    /// `/health/ready` when everything runs.
    pub async fn start(self) -> Result<Running, StartError> {
        let listener = TcpListener::bind(self.config().server.bind).await?;
        self.start_on(listener).await
    }

    /// As [`App::start`], on a listener that is already bound.
    pub async fn start_on(self, listener: TcpListener) -> Result<Running, StartError> {
        let stop = CancellationToken::new();
        let address = listener.local_addr()?;
        let edge = Edge::new(&self.config().server, self.metrics().clone());
        let http = vec![serve(listener, router::router(&self, &edge), stop.clone())];
        let mut running = Running {
            app: self,
            address,
            stop,
            stop_work: CancellationToken::new(),
            http,
            work: Vec::new(),
            holder: Holder::random(),
        };
        if let Some(metrics) = running.app.config().server.metrics_addr {
            let listener = TcpListener::bind(metrics).await?;
            let routes = router::watching(&running.app, &edge);
            running.http.push(serve(listener, routes, running.stop.clone()));
        }
        migrate::run(&running.app.works().db).await?;
        schedule::begin(running.app.works()).await?;
        running.start_work();
        running.app.enter(Stage::Serving);
        tracing::info!(%address, "serving");
        Ok(running)
    }
}

fn providers(config: &Config, telegram: &BTreeMap<Bot, Telegram>) -> Result<Providers, StartError> {
    let mut providers = Providers::default();
    if let (true, Some(client)) = (config.payments.stars, telegram.get(&Bot::Client)) {
        providers = providers.with(Stars::new(client.clone()));
    }
    if let Some(qvapay) = &config.payments.qvapay {
        let (id, secret) = (qvapay.app_id.expose_secret(), qvapay.app_secret.clone());
        let http = QvaPay::http_client()?;
        let client = QvaPay::new(id, secret, qvapay.api_url.as_str(), qvapay.signature, http);
        providers = providers.with(client.with_limit(qvapay.limit));
    }
    Ok(providers)
}

fn serve(listener: TcpListener, routes: axum::Router, stop: CancellationToken) -> JoinHandle<()> {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        let serving = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "the HTTP server ended");
        }
    })
}

/// A server that runs.
pub struct Running {
    pub app: App,
    pub address: SocketAddr,
    /// Ends the accepting of requests.
    stop: CancellationToken,
    /// Ends the claiming of work.
    stop_work: CancellationToken,
    http: Vec<JoinHandle<()>>,
    work: Vec<JoinHandle<()>>,
    /// This process, as its leases name it.
    holder: Holder,
}

/// Chats whose events are under way at the same time: those of two commits beside each other, and as many as one more takes.
const PARALLEL_EVENTS: usize = 192;
/// Messages that are on their way to Telegram at the same time.
const PARALLEL_MESSAGES: usize = 128;
const PARALLEL_JOBS: usize = 16;
/// Lanes that are taken in hand as they are queued: what is handled, and sent, in a second or two.
const EVENTS_IN_HAND: usize = 24_576;
const MESSAGES_IN_HAND: usize = 512;
/// And as many more in each queue of what cannot wait: checkouts and what a person sits in front of.
const URGENT: usize = 4;
/// Time between two looks at the clock by the schedules.
const SCHEDULE_LOOK: Duration = Duration::from_secs(1);
/// Failed handlings after which an event is given up: about a quarter of an hour.
const EVENT_ATTEMPTS: u32 = 20;
/// Runs after which a job is given up: about two days.
const JOB_ATTEMPTS: u32 = 200;

impl Running {
    fn start_work(&mut self) {
        let app = self.app.clone();
        let works = app.works().clone();
        let inbox = InboxWorker::new(works.clone(), Events { bots: app.bots().clone() }, EVENT_ATTEMPTS);
        let courier = BotCourier::new(works.clone(), app.telegram().clone());
        let pacer = Pacer::new(works.clone(), app.config().telegram.messages_per_second);
        let outbox = OutboxWorker::new(works.clone(), courier, pacer);
        let jobs = JobWorker {
            works: works.clone(),
            handler: Jobs {
                works: works.clone(),
                providers: app.providers().clone(),
                backends: app.backends().clone(),
            },
            max_attempts: JOB_ATTEMPTS,
        };
        let inbox = self.run(inbox, PARALLEL_EVENTS, EVENTS_IN_HAND);
        let outbox = self.run(outbox, PARALLEL_MESSAGES, MESSAGES_IN_HAND);
        self.run(jobs, PARALLEL_JOBS, 0);
        works.wakers.handling.set(inbox);
        works.wakers.sending.set(outbox);
        let ticking = schedule::run(works.clone(), SCHEDULE_LOOK, self.stop_work.clone());
        self.work.push(tokio::spawn(ticking));
        let (telegram, usernames) = (app.telegram().clone(), app.0.usernames.clone());
        let setting_up = setup::run(works, telegram, usernames, self.stop_work.clone());
        self.work.push(tokio::spawn(setting_up));
    }

    fn run<W: LaneWorker>(&mut self, worker: W, parallel: usize, in_hand: usize) -> Weak<Runner<W>> {
        let works = self.app.works().clone();
        let lease = works.config.queue.lease.to_std().unwrap_or(Duration::from_secs(60));
        let poll = Duration::from_millis(500);
        let options = RunnerOptions { lease, parallel, urgent: URGENT, in_hand, poll };
        let runner = Runner::new(works, worker, options, self.holder, self.stop_work.clone());
        let reach = Arc::downgrade(&runner);
        self.work.push(tokio::spawn(runner.run()));
        reach
    }

    /// Drains: ready turns 503, accepting stops, running work ends within the grace time or gives its lease back.
    pub async fn stop(self) {
        self.app.enter(Stage::Draining);
        self.stop.cancel();
        self.stop_work.cancel();
        let ended = async {
            for task in self.http.into_iter().chain(self.work) {
                let _ = task.await;
            }
        };
        let grace = self.app.config().server.shutdown_grace;
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!("some work did not end in time; its leases are given back");
        }
        // Nothing from here on may keep the process: what is left over is taken up by others when its lease ends.
        let soon = Duration::from_secs(2);
        let _ = tokio::time::timeout(soon, self.app.backends().close()).await;
        let released = async {
            let (leases, now) = (self.holder.leases(), self.app.works().clock.now());
            let db = &self.app.works().db;
            db.statement("release_all_lanes", |conn| {
                crud::lane::release_all(conn, leases.clone(), now).scope_boxed()
            })
            .await
        };
        if let Ok(Err(error)) = tokio::time::timeout(soon, released).await {
            tracing::warn!(%error, "leases will end by themselves");
        }
        // It waits for every connection, also for those of work that did not end.
        let _ = tokio::time::timeout(soon, self.app.works().db.pool().close()).await;
    }
}
