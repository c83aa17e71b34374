//! A whole town: Telegram, QvaPay, a database, and the real server in this process or as processes of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::AssertSqlSafe;
use usipipo::app::{App, Running};
use usipipo::clock::{Clock, Timestamp};
use usipipo::config::Config;
use usipipo::db::Db;
use usipipo::demo::outline::{self, OutlineServer};
use usipipo::demo::qvapay::{QvapayServer, Settings};
use usipipo::demo::telegram::{Options, PersonHandle, PersonSpec, TelegramServer};
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuardSecret, WireGuardSettings};
use usipipo::models::address::PoolKind;
use usipipo::models::server::NewServer;
use usipipo::models::vpn::Protocol;
use usipipo::services::books;
use usipipo::services::server::{self, NewPool};
use usipipo::telemetry::metrics::Metrics;
use usipipo::work::{Origin, Works};

use super::db::TestDb;
use super::ports;
use super::wait::eventually;

pub const BOT: &str = "usipipo_bot";
pub const TOKEN: &str = "1001:ccccccccccccccccccccccccccccccccccc";
/// What Telegram shows with every update.
pub const SECRET: &str = "0123456789abcdef";
/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(90);
/// The program that was built with these tests.
pub const THIS_VERSION: &str = env!("CARGO_BIN_EXE_usipipo");
const APP_ID: &str = "c2ffb4b5-0000-4000-8000-000000000001";
/// Signs QvaPay's callbacks.
pub const APP_SECRET: &str = "qv_test_app_secret_0123456789abcdef";

pub struct Town {
    pub telegram: TelegramServer,
    pub qvapay: QvapayServer,
    pub clock: Clock,
    pub db: TestDb,
    /// Where the server listens, now and after a restart.
    pub address: SocketAddr,
    pub variables: Vec<(&'static str, String)>,
}

impl Town {
    pub async fn found() -> Self {
        Self::beside(|_| {}, |_| {}).await
    }

    /// With the counterparts of Telegram and QvaPay set up otherwise.
    pub async fn beside(telegram: impl FnOnce(&mut Options), qvapay: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::default();
        // People wait as long as the tests do: a server may be dead for a while, or the machine busy.
        let mut options = Options { patience: LIMIT, ..Options::hasty(clock.clone()) };
        let mut settings = Settings::new(APP_ID, APP_SECRET.into(), clock);
        telegram(&mut options);
        qvapay(&mut settings);
        Self::build(options, settings, TestDb::new().await).await
    }

    /// On a database of somebody's own.
    pub async fn found_on(db: TestDb) -> Self {
        Self::found_with(Options { patience: LIMIT, ..Options::hasty(Clock::default()) }, db).await
    }

    /// With another Telegram, whose clock and client are QvaPay's too, or on another database.
    pub async fn found_with(options: Options, db: TestDb) -> Self {
        let (clock, client) = (options.clock.clone(), options.client.clone());
        let settings = Settings { client, ..Settings::new(APP_ID, APP_SECRET.into(), clock) };
        Self::build(options, settings, db).await
    }

    async fn build(options: Options, settings: Settings, db: TestDb) -> Self {
        let clock = options.clock.clone();
        let telegram = TelegramServer::start(options).await.unwrap();
        telegram.add_bot(TOKEN, BOT, "uSipipo");
        let qvapay = QvapayServer::start(settings).await.unwrap();
        let address = ports::address();
        let variables = vec![
            ("BIND_ADDR", address.to_string()),
            ("PUBLIC_URL", format!("http://localhost:{}", address.port())),
            ("DATABASE_URL", db.url().to_owned()),
            ("TELEGRAM_API_URL", telegram.url()),
            ("CLIENT_BOT_TOKEN", TOKEN.to_owned()),
            ("TELEGRAM_WEBHOOK_SECRET", SECRET.to_owned()),
            ("TELEGRAM_MESSAGES_PER_SECOND", "1000".to_owned()),
            ("SUPERADMIN_TELEGRAM_IDS", "1".to_owned()),
            ("ENCRYPTION_KEYS", format!("k1:{}=", "A".repeat(43))),
            ("QVAPAY_APP_ID", APP_ID.to_owned()),
            ("QVAPAY_APP_SECRET", APP_SECRET.to_owned()),
            ("QVAPAY_API_URL", qvapay.base_url().to_owned()),
            ("LEASE_SECONDS", "5".to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        Self { telegram, qvapay, clock, db, address, variables }
    }

    /// With variables set otherwise.
    pub async fn with(set: &[(&'static str, &str)]) -> Self {
        let mut town = Self::found().await;
        for (name, value) in set {
            town.set(name, *value);
        }
        town
    }

    /// Sets a variable of the server's environment, before it is opened.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(set, _)| *set != name);
        self.variables.push((name, value.into()));
    }

    pub fn person(&self, id: i64, name: &str, language: &str) -> PersonHandle {
        self.telegram.person(PersonSpec::new(id, name, language))
    }

    pub fn config(&self) -> Config {
        let lookup = |name: &str| {
            let found = self.variables.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| value.clone())
        };
        Config::from_lookup(&lookup).unwrap()
    }

    /// The server in this process, on the town's clock.
    pub async fn open(&self) -> Running {
        let running = App::build(self.config(), self.clock.clone()).unwrap().start().await.unwrap();
        self.until_connected().await;
        running
    }

    /// One more copy in this process, as far from the first as another process is: it shares the database alone.
    pub async fn open_copy(&self) -> Running {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        App::build(self.config(), self.clock.clone()).unwrap().start_on(listener).await.unwrap()
    }

    /// The server as a process of its own.
    pub fn spawn(&self) -> Server {
        self.spawn_at(self.address)
    }

    /// One more copy, at an address of its own.
    pub fn spawn_at(&self, address: SocketAddr) -> Server {
        self.spawn_with(&[("BIND_ADDR", &address.to_string())])
    }

    /// The server as a process of its own, with more variables, or others.
    pub fn spawn_with(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.serve();
        command.envs(variables.iter().copied());
        Server(command.spawn().unwrap())
    }

    /// A copy of another version.
    pub fn spawn_program(&self, program: &Path, address: SocketAddr) -> Server {
        let mut command = self.serve_by(program);
        Server(command.env("BIND_ADDR", address.to_string()).spawn().unwrap())
    }

    /// What starts the server as a process again, whenever it is called.
    pub fn spawner(&self) -> impl FnMut() -> Server + Send + 'static {
        self.spawner_with([])
    }

    /// As [`Town::spawner`], with more variables.
    pub fn spawner_with(
        &self,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> impl FnMut() -> Server + Send + 'static {
        let mut command = self.serve();
        command.envs(variables);
        move || Server(command.spawn().unwrap())
    }

    fn serve(&self) -> Command {
        self.serve_by(Path::new(THIS_VERSION))
    }

    fn serve_by(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("serve").env_clear().stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Until Telegram has been told where to deliver.
    pub async fn until_connected(&self) {
        eventually(Duration::from_secs(60), async || self.telegram.webhook_of(BOT).is_some()).await;
    }

    /// An Outline server that the town sells from.
    pub async fn add_outline(&self) -> OutlineServer {
        let outline = OutlineServer::start(outline::Options::default()).await.unwrap();
        self.sell_from(&outline).await;
        outline
    }

    pub async fn sell_from(&self, outline: &OutlineServer) {
        self.sell_through(outline.api_url(), outline).await;
    }

    /// As [`Town::sell_from`], of a server that is reached by another address.
    pub async fn sell_through(&self, api_url: &str, outline: &OutlineServer) {
        let settings = r#"{"name":"uSipipo"}"#.to_owned();
        let secret = serde_json::json!({ "api_url": api_url, "cert_sha256": outline.cert_sha256() });
        self.add_server(Protocol::Outline, settings, secret.to_string(), &[]).await;
    }

    /// A WireGuard server that the town sells from, with a configuration file in place of a tunnel.
    pub async fn add_wireguard(&self) -> WireGuardHouse {
        let folder = std::env::temp_dir().join(format!("town-wg-{}", uuid::Uuid::now_v7()));
        let secret = WireGuardSecret::generate();
        let settings = WireGuardSettings {
            driver: DriverKind::ConfigFile,
            config_path: Some(folder.join("wg0.conf")),
            nat: false,
            ..WireGuardSettings::new("vpn.example.net", secret.public_key().unwrap())
        };
        self.add_tunnels(&settings, &secret).await;
        WireGuardHouse { private_key: secret.private_key, folder }
    }

    /// A WireGuard server of these settings, with a network of each kind.
    pub async fn add_tunnels(&self, settings: &WireGuardSettings, secret: &WireGuardSecret) {
        let network = |kind, v4: &str, v6: &str| NewPool {
            kind,
            v4: v4.parse().unwrap(),
            v6: Some(v6.parse().unwrap()),
        };
        let pools = [
            network(PoolKind::Paid, "10.66.4.0/22", "fd42:66::1:0/112"),
            network(PoolKind::Trial, "10.66.8.0/22", "fd42:66::2:0/112"),
        ];
        let (settings, secret) = (serde_json::to_string(settings), serde_json::to_string(secret));
        self.add_server(Protocol::Wireguard, settings.unwrap(), secret.unwrap(), &pools).await;
    }

    async fn add_server(&self, protocol: Protocol, settings: String, secret: String, pools: &[NewPool]) {
        let name = format!("{protocol}-1");
        let new = NewServer { name, protocol, location: "Frankfurt".to_owned(), settings, capacity: 1000 };
        let (new, secret) = (&new, secret.as_str());
        let works = self.works();
        let add = works.run("add_server", Origin::SYSTEM, |work| {
            async move { server::add(work, new, secret, pools).await }.scope_boxed()
        });
        add.await.unwrap();
    }

    /// As [`Town::quiet`], and nobody holds anything: the clock may be moved.
    pub async fn settled(&self) {
        eventually(LIMIT, async || {
            let held = self.column("SELECT CONCAT('held ', lane) FROM lanes WHERE owner IS NOT NULL").await;
            match [self.waiting().await, held].concat().as_slice() {
                [] => Ok(()),
                waiting => Err(waiting.join(", ")),
            }
        })
        .await;
    }

    /// Lets time pass at a quiet moment, and waits until the schedules have done all that it brings about.
    pub async fn pass(&self, time: TimeDelta) {
        self.settled().await;
        self.clock.advance(time);
        let now = self.clock.now();
        let minute = Timestamp::from_unix(now.unix().div_euclid(60) * 60);
        // After a clock that was ahead there are ticks of the future.
        let soon = now + TimeDelta::minutes(2);
        let ticked = "SELECT COUNT(DISTINCT name) FROM schedule_ticks WHERE tick_at >= ? AND tick_at < ? \
                      AND name IN ('expire', 'poll_payments', 'usage', 'health')";
        eventually(LIMIT, async || {
            let ticked = sqlx::query_scalar::<_, i64>(ticked).bind(minute).bind(soon);
            ticked.fetch_one(&self.db.pool).await.unwrap() == 4
        })
        .await;
        self.settled().await;
    }

    /// From now on Telegram keeps only updates of these kinds for the bot; all others are lost for ever.
    pub async fn lose_updates_but(&self, kinds: &[&str]) {
        let (url, secret_token) = self.telegram.webhook_of(BOT).unwrap();
        let webhook =
            serde_json::json!({ "url": url, "secret_token": secret_token, "allowed_updates": kinds });
        self.at_telegram("setWebhook", &webhook).await;
    }

    /// Calls a method with the bot's token, as somebody beside the server may.
    pub async fn at_telegram(&self, method: &str, fields: &serde_json::Value) {
        let url = format!("{}/bot{TOKEN}/{method}", self.telegram.url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.post(url).json(fields).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Units of work beside the server's.
    pub fn works(&self) -> Works {
        Works {
            db: Db::open(self.db.url(), 4).unwrap(),
            clock: self.clock.clone(),
            config: Arc::new(self.config()),
            wakers: Arc::default(),
            metrics: Metrics::default(),
        }
    }

    pub async fn popular_plan(&self) -> i64 {
        self.count("SELECT id FROM plans WHERE popular ORDER BY id LIMIT 1").await
    }

    /// The one number that a query gives.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.db.pool).await.unwrap()
    }

    /// The first column of what a query of the test's own finds, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.db.pool).await.unwrap()
    }

    /// As [`Town::column`], for numbers.
    pub async fn numbers(&self, sql: &str) -> Vec<i64> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.db.pool).await.unwrap()
    }

    /// A statement of the test's own.
    pub async fn sql(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement)).execute(&self.db.pool).await.unwrap();
    }

    /// Until nothing waits any more: no update at Telegram, and nothing that came or was queued.
    pub async fn quiet(&self) {
        eventually(Duration::from_secs(90), async || match self.waiting().await.as_slice() {
            [] => Ok(()),
            waiting => Err(waiting.join(", ")),
        })
        .await;
    }

    /// What must hold over the whole database at any time, holds.
    pub async fn is_sound(&self) {
        let works = self.works();
        let checked = works.run("check_books", Origin::SYSTEM, |work| books::check(work).scope_boxed());
        let broken = checked.await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
    }

    /// What waits at Telegram and in the three queues.
    pub async fn waiting(&self) -> Vec<String> {
        let pending = self.telegram.pending(BOT);
        if pending > 0 {
            return vec![format!("{pending} updates at Telegram")];
        }
        self.column(
            "SELECT CONCAT('event ', lane, ' ', COALESCE(error, '')) FROM inbound_events WHERE status = 'pending' \
             UNION ALL SELECT CONCAT('message ', body, ' ', COALESCE(error, '')) FROM outbound_messages \
             WHERE status = 'pending' \
             UNION ALL SELECT CONCAT('job ', payload, ' ', COALESCE(error, '')) FROM jobs WHERE status = 'pending'",
        )
        .await
    }
}

/// A server process; killed when dropped.
pub struct Server(Child);

impl Server {
    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Its memory that is resident, in KiB; None once it has ended.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        resident.split_whitespace().next()?.parse().ok()
    }

    /// As SIGKILL does: no goodbye.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a WireGuard server keeps its configuration; gone when dropped.
pub struct WireGuardHouse {
    pub private_key: String,
    folder: PathBuf,
}

impl WireGuardHouse {
    /// Public keys of the peers in its configuration.
    pub fn peers(&self) -> BTreeSet<String> {
        let conf = std::fs::read_to_string(self.folder.join("wg0.conf")).unwrap_or_default();
        conf.lines().filter_map(|line| line.strip_prefix("PublicKey = ")).map(str::to_owned).collect()
    }
}

impl Drop for WireGuardHouse {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
