//! Traffic: counted once, in short transactions, so that nobody waits for the accounting of a large server.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::{AssertSqlSafe, MySql, QueryBuilder};
use usipipo::demo::outline::{Fault, Options, OutlineServer};
use usipipo::ids::{ConfigId, ServerId, SubscriptionId, UserId};
use usipipo::integrations::payments::Providers;
use usipipo::integrations::vpn::{Counter, UsageKind, backend_name};
use usipipo::jobs::{Backends, Jobs};
use usipipo::models::job::Job;
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::server::NewServer;
use usipipo::models::vpn::{Growth, Protocol};
use usipipo::queue::jobs::JobWorker;
use usipipo::services::server::{self, ServerError};
use usipipo::services::vpn;
use usipipo::work::Origin;

use crate::queue::Process;
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, TestWorks};

const LIMIT: Duration = Duration::from_secs(60);

/// A server whose configs are in use. The configs of subscription `n` are `2n - 1` and `2n`, its owner is `n`.
struct Busy {
    works: TestWorks,
    outline: OutlineServer,
    server: ServerId,
}

impl Busy {
    async fn with(subscriptions: i64) -> Self {
        let works = TestWorks::new().await;
        let outline = OutlineServer::start(Options::default()).await.unwrap();
        let server = add_server(&works, &outline).await;
        let busy = Self { works, outline, server };
        let all: Vec<i64> = (1..=subscriptions).collect();
        busy.insert("users (id, first_name, language, status, created_at, last_seen_at)", &all, |n| {
            format!("{n}, 'Ana', 'es', 'active', NOW(6), NOW(6)")
        })
        .await;
        let columns = "subscriptions (id, user_id, product, status, starts_at, ends_at, device_limit, allowance, \
                       created_at, updated_at)";
        busy.insert(columns, &all, |n| {
            format!(
                "{n}, {n}, 'trial', 'active', NOW(6), NOW(6) + INTERVAL 9 DAY, 2, 1000000, NOW(6), NOW(6)"
            )
        })
        .await;
        let columns = "vpn_configs (id, user_id, subscription_id, protocol, server_id, name, status, applied, \
                       public_id, secret, secret_key_id, created_at, updated_at)";
        let configs: Vec<i64> = (1..=subscriptions * 2).collect();
        busy.insert(columns, &configs, |id| {
            let (owner, server) = ((id + 1) / 2, server.0);
            format!(
                "{id}, {owner}, {owner}, 'outline', {server}, 'Outline', 'active', 'present', 'usi_c{id}', 'x', \
                 'k1', NOW(6), NOW(6)"
            )
        })
        .await;
        for id in configs {
            busy.outline.put_key(&backend_name(ConfigId(id)), used_by(id)).await;
        }
        busy
    }

    async fn insert(&self, into: &str, ids: &[i64], values: impl Fn(i64) -> String) {
        for some in ids.chunks(1000) {
            let mut query = QueryBuilder::<MySql>::new(format!("INSERT INTO {into} "));
            query.push_values(some, |mut row, id| {
                row.push(values(*id));
            });
            query.build().execute(&self.works.db.pool).await.unwrap();
        }
    }

    async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&self.works.db.pool).await.unwrap()
    }

    async fn collect(&self) {
        let server_id = self.server;
        let queue = self.works.run("collect", Origin::SYSTEM, |work| {
            async move {
                work.enqueue(Job::CollectUsage { server_id });
                Ok::<_, sqlx::Error>(())
            }
            .scope_boxed()
        });
        queue.await.unwrap();
    }

    fn process(&self) -> Process {
        let works = (*self.works).clone();
        let handler = Jobs {
            works: works.clone(),
            providers: Providers::default(),
            backends: Arc::<Backends>::default(),
        };
        Process::start(&self.works, JobWorker { works, handler, max_attempts: 5 })
    }

    async fn growth(&self, counters: &[Counter]) -> Vec<Growth> {
        let (server, kind) = (self.server, UsageKind::RollingWindow);
        let read = self
            .works
            .run("growth", Origin::SYSTEM, |work| vpn::growth(work, server, kind, counters).scope_boxed());
        read.await.unwrap()
    }

    async fn account(&self, grown: &[Growth]) {
        let account =
            self.works.run("account", Origin::SYSTEM, |work| vpn::account(work, grown).scope_boxed());
        account.await.unwrap();
    }
}

/// Bytes that a config has transferred.
fn used_by(config: i64) -> u64 {
    100 + config.unsigned_abs()
}

fn counter(config: i64, tx: u64) -> Counter {
    Counter { config_id: ConfigId(config), rx: 0, tx, last_handshake: None }
}

pub async fn add_server(works: &TestWorks, outline: &OutlineServer) -> ServerId {
    let new = NewServer {
        name: "outline-1".to_owned(),
        protocol: Protocol::Outline,
        location: "Frankfurt".to_owned(),
        settings: r#"{"name":"uSipipo"}"#.to_owned(),
        capacity: 10_000,
    };
    let secret = serde_json::json!({ "api_url": outline.api_url(), "cert_sha256": outline.cert_sha256() });
    let (new, secret) = (&new, &secret.to_string());
    let add = works.run::<_, ServerError, _>("add_server", Origin::SYSTEM, |work| {
        async move { server::add(work, new, secret, &[]).await }.scope_boxed()
    });
    add.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_server_is_accounted_while_people_look_and_change() {
    let busy = Busy::with(2500).await;
    // Somebody is busy with the last subscription: the accounting gets no further than there.
    let mut other = busy.works.db.pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM subscriptions WHERE id = 2500 FOR UPDATE")
        .execute(&mut *other)
        .await
        .unwrap();
    busy.collect().await;
    let process = busy.process();
    let counted = "SELECT COUNT(*) FROM vpn_configs WHERE raw_tx > 0";
    eventually(LIMIT, async || match busy.number(counted).await {
        4900 => Ok(()),
        other => Err(other),
    })
    .await;

    // In the part that is being accounted, a config can be looked at; in the others, it can be changed.
    let (looked, renamed) = (ConfigId(4990), ConfigId(4000));
    let looking = busy
        .works
        .run("look", Origin::SYSTEM, |work| vpn::own_config(work, UserId(2495), looked).scope_boxed());
    let seen = tokio::time::timeout(Duration::from_secs(5), looking).await.expect("nobody waits to look");
    assert_eq!(seen.unwrap().id, looked);
    let renaming = busy.works.run("rename", Origin::SYSTEM, |work| {
        vpn::rename_config(work, UserId(2000), renamed, "phone").scope_boxed()
    });
    tokio::time::timeout(Duration::from_secs(5), renaming).await.expect("nobody waits to rename").unwrap();
    assert_eq!(busy.number(counted).await, 4900, "the accounting has not ended meanwhile");

    other.rollback().await.unwrap();
    let sum: i64 = (1..=5000).map(|id| used_by(id).cast_signed()).sum();
    eventually(LIMIT, async || {
        busy.number("SELECT COUNT(*) FROM jobs WHERE kind = 'collect_usage' AND status = 'done'").await == 1
    })
    .await;
    let stored = "SELECT CAST(SUM(total_tx) AS SIGNED) FROM vpn_configs";
    let used = "SELECT CAST(SUM(used) AS SIGNED) FROM subscriptions";
    assert_eq!((busy.number(stored).await, busy.number(used).await), (sum, sum));

    // The same counters again are no traffic; one that grew is what it grew by.
    busy.outline.set_transferred("usi_c7", used_by(7) + 11).await;
    busy.collect().await;
    eventually(LIMIT, async || busy.number(used).await == sum + 11).await;
    assert_eq!(
        busy.number("SELECT CAST(used AS SIGNED) FROM subscriptions WHERE id = 4").await,
        107 + 108 + 11
    );
    process.stop().await;
}

#[tokio::test]
async fn the_subscription_is_locked_before_its_configs() {
    let busy = Busy::with(1).await;
    let grown = busy.growth(&[counter(1, 50), counter(2, 60)]).await;
    // As `follow_subscription` begins.
    let mut other = busy.works.db.pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM subscriptions WHERE id = 1 FOR UPDATE").execute(&mut *other).await.unwrap();
    let follow = async {
        let waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
                       AND id <> CONNECTION_ID() AND info LIKE '%subscriptions%'";
        eventually(LIMIT, async || busy.number(waiting).await == 1).await;
        let lock = "SELECT id FROM vpn_configs WHERE subscription_id = 1 FOR UPDATE NOWAIT";
        let free = sqlx::query(lock).fetch_all(&mut *other).await;
        assert_eq!(free.expect("who waits for the subscription holds no config").len(), 2);
        other.rollback().await.unwrap();
    };
    tokio::join!(busy.account(&grown), follow);
    assert_eq!(busy.number("SELECT CAST(used AS SIGNED) FROM subscriptions").await, 110);
}

#[tokio::test]
async fn a_growth_counts_once_and_only_where_it_was_read() {
    let busy = Busy::with(2).await;
    let grown = busy.growth(&[counter(1, 50), counter(3, 60)]).await;
    // Two processes have read the same counters.
    let (one, other) = tokio::join!(busy.account(&grown), busy.account(&grown));
    assert_eq!((one, other), ((), ()));
    let used = "SELECT CAST(SUM(used) AS SIGNED) FROM subscriptions";
    assert_eq!(busy.number(used).await, 110);
    // Between the reading and the accounting the config has left the server, with its counters at zero.
    let grown = busy.growth(&[counter(2, 70)]).await;
    sqlx::query("UPDATE vpn_configs SET server_id = NULL WHERE id = 2")
        .execute(&busy.works.db.pool)
        .await
        .unwrap();
    busy.account(&grown).await;
    assert_eq!(busy.number(used).await, 110);
    assert_eq!(grown[0].subscription_id, SubscriptionId(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_told_of_once_and_by_its_health_alone() {
    let busy = Busy::with(1).await;
    let process = busy.process();
    let Busy { works, outline, server, .. } = &busy;
    let pending = "SELECT COUNT(*) FROM jobs WHERE status = 'pending'";
    outline.fault(Fault::Error500, usize::MAX);
    for _ in 0..20 {
        works.clock.advance(TimeDelta::minutes(1));
        let tick = works.run("tick", Origin::SYSTEM, |work| {
            let server_id = *server;
            async move {
                work.enqueue(Job::CheckServer { server_id });
                work.enqueue(Job::CollectUsage { server_id });
                work.enqueue(Job::ReconcileServer { server_id });
                Ok::<_, sqlx::Error>(())
            }
            .scope_boxed()
        });
        tick.await.unwrap();
        eventually(LIMIT, async || busy.number(pending).await == 0).await;
    }
    assert_eq!(busy.number("SELECT COUNT(*) FROM jobs WHERE status <> 'done'").await, 0);
    assert_eq!(busy.number("SELECT COUNT(*) FROM vpn_configs WHERE raw_tx > 0").await, 0);
    let told = works.notices_to(ADMIN).await;
    assert!(matches!(told[..], [Notice::Alert(Alert::ServerDown { .. })]), "{told:?}");
    outline.clear_faults();
    busy.collect().await;
    eventually(LIMIT, async || busy.number("SELECT COUNT(*) FROM vpn_configs WHERE raw_tx > 0").await == 2)
        .await;
    process.stop().await;
}
