//! The whole house on one machine: the counterparts of Telegram, QvaPay and Outline, and the real server between
//! them, in one process and on the loopback only. `usipipo demo` and the smoke story stand on it.

mod config;
mod servers;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::net::TcpListener;

use super::outline::{self, OutlineServer};
use super::qvapay::QvapayServer;
use super::telegram::{self, PersonHandle, PersonSpec, TelegramServer};
use crate::app::{App, Running, StartError};
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::crud;
use crate::db::migrate::{self, UpgradeError};
use crate::ids::ServerId;
use crate::models::audit::Action;
use crate::models::bot::Bot;
use crate::models::vpn::Protocol;
use crate::queue::Failure;
use crate::services::access::AccessError;
use crate::services::audit;
use crate::services::server::ServerError;
use crate::work::{Origin, Works};

pub use config::{people, username};

/// How the house is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database that everything is kept in; it must be the demo's own.
    pub database_url: String,
    /// Where the VPN backends keep what they have.
    pub folder: PathBuf,
    /// Port of the page; the two after it are the server's and QvaPay's. Free ones stand in for those that are
    /// taken, and for all where this is None.
    pub port: Option<u16>,
    /// Everybody in the chats; the last one is superadmin.
    pub people: Vec<PersonSpec>,
    /// How long people wait for the bot to do something.
    pub patience: Duration,
}

/// Why the house does not stand.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("a counterpart does not start: {0}")]
    Counterpart(#[from] io::Error),
    #[error("DATABASE_URL is a real house's: its server {0:?} is not the demo's")]
    RealHouse(String),
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("{0}")]
    Upgrade(#[from] UpgradeError),
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Audit(#[from] AccessError),
    #[error("{0}")]
    Server(#[from] ServerError),
    #[error("{0}")]
    Backend(#[from] Failure),
}

/// A VPN server as it was found at the start.
pub struct VpnServer {
    pub id: ServerId,
    pub protocol: Protocol,
    /// What it says of itself.
    pub detail: String,
}

/// The house, up and running.
pub struct Stage {
    pub telegram: TelegramServer,
    pub qvapay: QvapayServer,
    pub outline: OutlineServer,
    pub people: Vec<PersonHandle>,
    pub servers: Vec<VpnServer>,
    running: Running,
}

impl Stage {
    /// Starts everything; an existing database goes on where it ended.
    pub async fn start(options: Options) -> Result<Self, StageError> {
        let clock = Clock::default();
        let turned = Arc::new(tokio::sync::Notify::new());
        let telegram = start_telegram(&options, &clock, &turned).await?;
        let listener = at(options.port, 1, TcpListener::bind).await?;
        let qvapay = at(options.port, 2, |bind| QvapayServer::start(config::qvapay(bind, &clock))).await?;
        let outline = start_outline(&options).await?;

        let public_url = format!("http://{}", listener.local_addr()?);
        let admin = options.people.last().map_or(1, |person| person.id);
        let house = config::house(&options.database_url, &public_url, &telegram, &qvapay, admin)?;
        let app = App::build(house, clock.clone())?;
        migrate::run(&app.works().db).await?;
        servers::ensure_ours(app.works()).await?;
        resume_clock(app.works()).await?;
        forget_setups(app.works()).await?;
        for bot in Bot::ALL {
            telegram.add_bot(&config::token(*bot), username(*bot), config::title(*bot));
        }
        let people = options.people.iter().cloned().map(|person| telegram.person(person)).collect();

        servers::put_wireguard(app.works(), &options).await?;
        servers::put_outline(app.works(), &outline).await?;
        let servers = servers::describe(&app).await?;
        tokio::spawn(remember_clock(app.works().clone(), turned));
        let running = app.start_on(listener).await?;
        Ok(Self { telegram, qvapay, outline, people, servers, running })
    }

    /// The real server.
    pub fn app(&self) -> &App {
        &self.running.app
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Turns everybody's clock forward.
    pub fn fast_forward(&self, by: TimeDelta) {
        self.app().works().clock.advance(by);
    }

    /// Stops everything; the database keeps what happened.
    pub async fn stop(self) {
        self.running.stop().await;
        self.telegram.stop();
    }
}

/// Starts something on the wanted port of the loopback, or on a free one.
async fn at<T, F>(base: Option<u16>, offset: u16, start: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = base.and_then(|base| base.checked_add(offset))
        && let Ok(started) = start(loopback(port)).await
    {
        return Ok(started);
    }
    start(loopback(0)).await
}

async fn start_telegram(
    options: &Options,
    clock: &Clock,
    turned: &Arc<tokio::sync::Notify>,
) -> io::Result<TelegramServer> {
    let (moved, turned) = (clock.clone(), turned.clone());
    let on_fast_forward = Arc::new(move |by| {
        moved.advance(by);
        turned.notify_one();
    });
    let settings = telegram::Options {
        patience: options.patience,
        on_fast_forward,
        ..telegram::Options::new(clock.clone())
    };
    at(options.port, 0, |bind| TelegramServer::start(telegram::Options { bind, ..settings.clone() })).await
}

async fn start_outline(options: &Options) -> io::Result<OutlineServer> {
    OutlineServer::start(outline::Options {
        name: "Demo".to_owned(),
        shadowsocks: servers::has_shadowsocks(),
        folder: Some(options.folder.join("outline")),
        ..outline::Options::default()
    })
    .await
}

/// The database knows how far the clock was turned in former runs: time never goes back for it.
async fn resume_clock(works: &Works) -> Result<(), StageError> {
    let newest = works.run("read_clock", Origin::SYSTEM, |work| audit::recent(work, 0).scope_boxed()).await?;
    let ahead = newest.first().map_or(TimeDelta::zero(), |row| row.created_at.since(works.clock.now()));
    works.clock.advance(ahead.max(TimeDelta::zero()));
    Ok(())
}

/// The counterpart of Telegram is a new one: it knows nothing of what former runs set there.
async fn forget_setups(works: &Works) -> sqlx::Result<()> {
    let mut conn = works.db.acquire().await?;
    for bot in Bot::ALL {
        for (topic, _) in crud::bot_setup::list(&mut conn, *bot).await? {
            crud::bot_setup::delete(&mut conn, *bot, &topic).await?;
        }
    }
    Ok(())
}

/// Notes every turn of the clock, for the next run.
async fn remember_clock(works: Works, turned: Arc<tokio::sync::Notify>) {
    loop {
        turned.notified().await;
        let noted = works.run("note_clock", Origin::SYSTEM, |work| {
            async move { work.audit(Action::ClockTurned, None, ()).await }.scope_boxed()
        });
        if let Err(error) = noted.await {
            tracing::warn!(%error, "the turn of the clock was not noted");
        }
    }
}
