//! Traffic: counted once, across everything that makes counters begin again.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::crud;
use usipipo::ids::{ConfigId, ServerId, SubscriptionId, UserId};
use usipipo::integrations::vpn::{Counter, UsageKind};
use usipipo::models::address::PoolKind;
use usipipo::models::server::NewServer;
use usipipo::models::subscription::{Subscription, SubscriptionStatus, TRIAL};
use usipipo::models::vpn::{Applied, ConfigStatus, Growth, Protocol};
use usipipo::services::server::{self, NewPool};
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::Origin;

use crate::support::works::TestWorks;

const ANA: UserId = UserId(42);

/// One config that works.
struct Meter {
    works: TestWorks,
    server: ServerId,
    config: ConfigId,
}

impl Meter {
    async fn new(protocol: Protocol) -> Self {
        let works = TestWorks::new().await;
        works.person(ANA.0).await;
        let new = NewServer {
            name: "de-1".to_owned(),
            protocol,
            location: "Frankfurt".to_owned(),
            settings: "{}".to_owned(),
            capacity: 100,
        };
        let pools = [NewPool { kind: PoolKind::Paid, v4: "10.7.0.0/24".parse().unwrap(), v6: None }];
        let (new, pools) = (&new, &pools);
        let add = works.run("add", Origin::SYSTEM, |work| server::add(work, new, "{}", pools).scope_boxed());
        let server = add.await.unwrap();
        let now = works.clock.now();
        let held = Subscription {
            id: SubscriptionId(0),
            user_id: ANA,
            product: TRIAL.to_owned(),
            plan_id: None,
            status: SubscriptionStatus::Active,
            starts_at: now,
            ends_at: now + TimeDelta::days(7),
            device_limit: 5,
            allowance: None,
            used: 0,
            renews: false,
            created_at: now,
        };
        let mut conn = works.db.pool.acquire().await.unwrap();
        let held = &Subscription { id: crud::subscription::insert(&mut conn, &held).await.unwrap(), ..held };
        let add =
            works.run("config", Origin::SYSTEM, |work| vpn::add_config(work, held, protocol).scope_boxed());
        let meter = Self { config: add.await.unwrap(), works, server };
        meter.apply(Applied::Present, None).await;
        meter
    }

    fn counter(&self, rx: u64, tx: u64) -> Counter {
        Counter { config_id: self.config, rx, tx, last_handshake: None }
    }

    /// The job has made the server so, and read the counter before.
    async fn apply(&self, applied: Applied, last: Option<(UsageKind, Counter)>) {
        let (id, server, last) = (self.config, self.server, &last);
        let run = self.works.run::<_, ConfigError, _>("apply", Origin::SYSTEM, |work| {
            async move {
                let config = crud::vpn::find(work.conn(), id).await?.unwrap();
                vpn::place(work, &config).await?;
                if let Some((kind, counter)) = last {
                    vpn::account_last(work, server, *kind, counter).await?;
                }
                vpn::applied(work, id, applied, None).await
            }
            .scope_boxed()
        });
        run.await.unwrap();
    }

    /// The reading of every minute, as far as its two halves.
    async fn growth(&self, kind: UsageKind, rx: u64, tx: u64) -> Vec<Growth> {
        let (server, counters) = (self.server, &[self.counter(rx, tx)]);
        let run = self
            .works
            .run("growth", Origin::SYSTEM, |work| vpn::growth(work, server, kind, counters).scope_boxed());
        run.await.unwrap()
    }

    async fn account(&self, grown: &[Growth]) {
        let run = self.works.run("account", Origin::SYSTEM, |work| vpn::account(work, grown).scope_boxed());
        run.await.unwrap();
    }

    async fn read(&self, kind: UsageKind, rx: u64, tx: u64) {
        self.account(&self.growth(kind, rx, tx).await).await;
    }

    /// Bytes in both directions: of the config, and of its subscription.
    async fn used(&self) -> (u64, u64) {
        let mut conn = self.works.db.pool.acquire().await.unwrap();
        let config = crud::vpn::find(&mut conn, self.config).await.unwrap().unwrap();
        let held = crud::subscription::find(&mut conn, config.subscription_id).await.unwrap().unwrap();
        (config.total_rx + config.total_tx, held.used)
    }
}

#[tokio::test]
async fn what_passed_until_a_peer_goes_is_counted_and_its_next_counter_from_nothing() {
    let meter = Meter::new(Protocol::Wireguard).await;
    let kind = UsageKind::Counter;
    meter.read(kind, 100, 10).await;
    assert_eq!(meter.used().await, (110, 110));
    let stale = meter.growth(kind, 140, 15).await;
    meter.apply(Applied::Blocked, Some((kind, meter.counter(150, 20)))).await;
    assert_eq!(meter.used().await, (170, 170));
    // A reading from before, committed after: its traffic is in already.
    meter.account(&stale).await;
    assert_eq!(meter.used().await, (170, 170));
    meter.apply(Applied::Blocked, None).await;
    // Back again, the counter begins anew, and grows beyond where the old one was.
    meter.apply(Applied::Present, None).await;
    meter.read(kind, 160, 25).await;
    assert_eq!(meter.used().await, (355, 355));
}

#[tokio::test]
async fn a_config_that_is_removed_takes_its_last_traffic_along() {
    for (protocol, kind) in
        [(Protocol::Wireguard, UsageKind::Counter), (Protocol::Outline, UsageKind::RollingWindow)]
    {
        let meter = Meter::new(protocol).await;
        meter.read(kind, 5, 5).await;
        let (id, server, last) = (meter.config, meter.server, &(kind, meter.counter(7, 8)));
        let remove = meter.works.run::<_, sqlx::Error, _>("removed", Origin::SYSTEM, |work| {
            async move {
                let now = work.now();
                crud::vpn::set_status(work.conn(), id, ConfigStatus::Revoked, now).await?;
                vpn::account_last(work, server, last.0, &last.1).await?;
                vpn::removed(work, id).await
            }
            .scope_boxed()
        });
        remove.await.unwrap();
        assert_eq!(meter.used().await, (15, 15), "{protocol}");
    }
}

#[tokio::test]
async fn a_blocked_key_keeps_its_window() {
    let meter = Meter::new(Protocol::Outline).await;
    let kind = UsageKind::RollingWindow;
    meter.read(kind, 0, 100).await;
    meter.apply(Applied::Blocked, Some((kind, meter.counter(0, 130)))).await;
    meter.read(kind, 0, 130).await;
    meter.apply(Applied::Present, None).await;
    meter.read(kind, 0, 150).await;
    assert_eq!(meter.used().await, (150, 150));
}
