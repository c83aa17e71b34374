//! What a WireGuard server costs with few and with many configs: a reconciliation, a reading of all counters, and one
//! more peer. The way of the jobs, with a real database and, where this machine lets us, a real interface.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use scoped_futures::ScopedFutureExt;
use sqlx::AssertSqlSafe;
use usipipo::clock::Clock;
use usipipo::config::Config;
use usipipo::crud;
use usipipo::db::Db;
use usipipo::ids::{ConfigId, ServerId, SubscriptionId, UserId};
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuard, WireGuardSecret, WireGuardSettings};
use usipipo::integrations::vpn::{Access, Backend, Desired};
use usipipo::models::address::PoolKind;
use usipipo::models::server::NewServer;
use usipipo::models::vpn::{Applied, Protocol};
use usipipo::services::server::{self, NewPool};
use usipipo::services::vpn;
use usipipo::telemetry::metrics::Metrics;
use usipipo::work::{Origin, Work, Works};

/// Configs placed in one transaction while the house is filled.
const AT_ONCE: usize = 250;
/// Of so many single peers the median is told.
const SINGLE: usize = 21;
/// Subscriptions that the configs belong to, three each.
const FIRST: i64 = 7_000_000_000;

/// What was measured with so many active configs; milliseconds.
#[derive(Clone, Debug)]
pub struct Tunnels {
    /// What carried them: a kernel interface, a `wireguard-go` process, or the configuration file alone.
    pub carrier: String,
    pub configs: usize,
    /// From an empty interface to all peers.
    pub fill: f64,
    /// A reconciliation that finds nothing to do.
    pub reconcile: f64,
    /// A reading of all counters when every one of them has grown.
    pub usage: f64,
    /// One more config, from its row to being handed over: two transactions and the interface.
    pub one_more: f64,
    /// The interface's part of it.
    pub one_more_interface: f64,
}

/// Measures with each number of configs in turn, on a migrated database without servers.
pub async fn measure(url: &str, counts: &[usize]) -> anyhow::Result<Vec<Tunnels>> {
    let works = works(url)?;
    let place = Place::new();
    let secret = WireGuardSecret::generate();
    let settings = place.settings(&secret)?;
    let id = add_server(&works, &settings, &secret).await?;
    let mut measured = Vec::new();
    for count in counts {
        fill(&works, *count).await?;
        let backend = WireGuard::open(settings.clone(), &secret).await?;
        measured.push(measure_one(&works, &backend, id, *count).await?);
        backend.take_down().await;
        let _ = std::fs::remove_file(settings.config_path());
    }
    Ok(measured)
}

async fn measure_one(
    works: &Works,
    backend: &WireGuard,
    id: ServerId,
    configs: usize,
) -> anyhow::Result<Tunnels> {
    let fill = timed(reconcile(works, backend, id)).await?;
    let reconcile = timed(reconcile(works, backend, id)).await?;
    let usage = timed(read_usage(works, backend, id)).await?;
    let (mut singles, mut interface) = (Vec::new(), Vec::new());
    for n in 0..SINGLE {
        let begun = Instant::now();
        interface.push(add_one(works, backend, n).await?);
        singles.push(millis(begun));
    }
    let carrier = backend.health().await?.detail;
    Ok(Tunnels {
        carrier,
        configs,
        fill,
        reconcile,
        usage,
        one_more: median(singles),
        one_more_interface: median(interface),
    })
}

/// As the job `reconcile_server` does it.
async fn reconcile(works: &Works, backend: &WireGuard, id: ServerId) -> anyhow::Result<()> {
    let held = backend.held().await?;
    let all = works
        .run("desired_of_server", Origin::SYSTEM, |work| {
            async move { vpn::desired_of_server(work, id).await }.scope_boxed()
        })
        .await?;
    backend.reconcile(&held, &all).await?;
    Ok(())
}

/// As the job `collect_usage` does it, after everybody has received a KiB.
async fn read_usage(works: &Works, backend: &WireGuard, id: ServerId) -> anyhow::Result<()> {
    let mut counters = backend.usage().await?;
    counters.iter_mut().for_each(|counter| counter.tx += 1024);
    let (counters, kind) = (&counters, backend.usage_kind());
    let grown = works
        .run("usage_growth", Origin::SYSTEM, |work| {
            async move { vpn::growth(work, id, kind, counters).await }.scope_boxed()
        })
        .await?;
    for some in grown.chunks(vpn::ACCOUNTED_AT_ONCE) {
        works
            .run("account_usage", Origin::SYSTEM, |work| {
                async move { vpn::account(work, some).await }.scope_boxed()
            })
            .await?;
    }
    Ok(())
}

/// As the job `apply_config` does it; gives the milliseconds that the interface took.
async fn add_one(works: &Works, backend: &WireGuard, n: usize) -> anyhow::Result<f64> {
    let desired = works
        .run("place_config", Origin::SYSTEM, |work| {
            async move { place_new(work, n as i64).await.map(|(_, desired)| desired) }.scope_boxed()
        })
        .await?;
    let begun = Instant::now();
    backend.ensure(&desired).await?;
    let interface = millis(begun);
    works
        .run("config_applied", Origin::SYSTEM, |work| {
            let desired = &desired;
            async move { applied(work, desired).await }.scope_boxed()
        })
        .await?;
    Ok(interface)
}

/// Configs that are active and were handed over, as many as that in all.
async fn fill(works: &Works, count: usize) -> anyhow::Result<()> {
    for table in ["outbound_messages", "lanes"] {
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(works.db.pool()).await?;
    }
    let held: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM vpn_configs").fetch_one(works.db.pool()).await?;
    let missing: Vec<usize> = (usize::try_from(held)?..count).collect();
    for some in missing.chunks(AT_ONCE) {
        works
            .run("fill", Origin::SYSTEM, |work| {
                async move {
                    for n in some {
                        let (_, desired) = place_new(work, *n as i64).await?;
                        applied(work, &desired).await?;
                    }
                    Ok::<_, vpn::ConfigError>(())
                }
                .scope_boxed()
            })
            .await?;
    }
    Ok(())
}

async fn place_new(work: &mut Work, n: i64) -> Result<(ServerId, Desired), vpn::ConfigError> {
    let (now, owner, subscription) = (work.now(), UserId(FIRST + n / 3), SubscriptionId(1 + n / 3));
    let id =
        crud::vpn::insert(work.conn(), owner, subscription, Protocol::Wireguard, "WireGuard 1", now).await?;
    let config = crud::vpn::find(work.conn(), id).await?.ok_or(vpn::ConfigError::Unknown)?;
    vpn::place(work, &config).await
}

async fn applied(work: &mut Work, desired: &Desired) -> Result<(), vpn::ConfigError> {
    debug_assert_eq!(desired.access, Access::Present);
    let ConfigId(id) = desired.config_id;
    let config = crud::vpn::find(work.conn(), ConfigId(id)).await?.ok_or(vpn::ConfigError::Unknown)?;
    let public_id = config.public_id.unwrap_or_default();
    vpn::applied(work, config.id, Applied::Present, Some((&desired.credentials, &public_id))).await
}

fn works(url: &str) -> anyhow::Result<Works> {
    let variable = |name: &str| match name {
        "PUBLIC_URL" => Some("https://bench.example".to_owned()),
        "DATABASE_URL" => Some(url.to_owned()),
        "CLIENT_BOT_TOKEN" => Some(format!("1001:{}", "c".repeat(35))),
        "TELEGRAM_WEBHOOK_SECRET" => Some("0123456789abcdef".to_owned()),
        "SUPERADMIN_TELEGRAM_IDS" => Some("1".to_owned()),
        "ENCRYPTION_KEYS" => Some(format!("k1:{}=", "A".repeat(43))),
        _ => None,
    };
    let config = Arc::new(Config::from_lookup(&variable)?);
    let db = Db::open(url, 4)?;
    Ok(Works { db, clock: Clock::default(), config, wakers: Arc::default(), metrics: Metrics::default() })
}

/// A server with room for all, and people with subscriptions that all belong to.
async fn add_server(
    works: &Works,
    settings: &WireGuardSettings,
    secret: &WireGuardSecret,
) -> anyhow::Result<ServerId> {
    let people = format!(
        "INSERT INTO users (id, first_name, language, status, created_at, last_seen_at) \
         SELECT {FIRST} + seq, 'Ana', 'en', 'active', NOW(6), NOW(6) FROM seq_0_to_9999"
    );
    let subscriptions = format!(
        "INSERT INTO subscriptions (id, user_id, product, plan_id, status, starts_at, ends_at, device_limit, created_at, \
         updated_at) SELECT 1 + seq, {FIRST} + seq, CONCAT('plan:', plan.id), plan.id, 'active', NOW(6), \
         NOW(6) + INTERVAL 30 DAY, 3, NOW(6), NOW(6) FROM seq_0_to_9999 JOIN (SELECT MIN(id) AS id FROM plans) AS plan"
    );
    for sql in [people, subscriptions] {
        sqlx::query(AssertSqlSafe(sql)).execute(works.db.pool()).await?;
    }
    let (settings, secret) = (&serde_json::to_string(settings)?, &serde_json::to_string(secret)?);
    let network = "10.66.0.0/18".parse().context("a network")?;
    let added = works.run("add_server", Origin::SYSTEM, |work| {
        async move {
            let new = NewServer {
                name: "bench-1".to_owned(),
                protocol: Protocol::Wireguard,
                location: "here".to_owned(),
                settings: settings.clone(),
                capacity: 16_000,
            };
            let v6 = "fd42:66::/112".parse().ok();
            server::add(work, &new, secret, &[NewPool { kind: PoolKind::Paid, v4: network, v6 }]).await
        }
        .scope_boxed()
    });
    Ok(added.await?)
}

/// Where the interface is made: a network namespace of its own, gone with this value; or only a file.
struct Place {
    netns: Option<String>,
    folder: PathBuf,
}

impl Place {
    fn new() -> Self {
        let name = format!("usibench{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).status().is_ok_and(|done| done.success());
        let folder = std::env::temp_dir().join(&name);
        Self { netns: made.then_some(name), folder }
    }

    fn settings(&self, secret: &WireGuardSecret) -> anyhow::Result<WireGuardSettings> {
        let interface = format!("wb{}", std::process::id());
        Ok(WireGuardSettings {
            driver: if self.netns.is_some() { DriverKind::AutoOrFile } else { DriverKind::ConfigFile },
            config_path: Some(self.folder.join(format!("{interface}.conf"))),
            interface,
            netns: self.netns.clone(),
            down_on_close: true,
            nat: false,
            ..WireGuardSettings::new("vpn.example.net", secret.public_key()?)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(netns) = &self.netns {
            let _ = Command::new("ip").args(["netns", "delete", netns]).status();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn timed(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    work.await?;
    Ok(millis(begun))
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
