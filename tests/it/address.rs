//! The IP manager: a thousand askers at once, pools that are full, addresses that rest, pools that run low.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use ipnet::{Ipv4Net, Ipv6Net};
use scoped_futures::ScopedFutureExt;
use usipipo::ids::{ConfigId, ServerId};
use usipipo::integrations::vpn::Addresses;
use usipipo::models::address::PoolKind;
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::server::NewServer;
use usipipo::models::vpn::Protocol;
use usipipo::services::address::{self, AddressError};
use usipipo::services::server::{self, NewPool};
use usipipo::work::Origin;

use crate::support::works::{ADMIN, SUPERADMIN, TestWorks};

/// A server with its networks, and people who ask for addresses.
struct Pools {
    works: TestWorks,
    server: ServerId,
}

fn pool(kind: PoolKind, v4: &str, v6: Option<&str>) -> NewPool {
    NewPool { kind, v4: v4.parse().unwrap(), v6: v6.map(|v6| v6.parse().unwrap()) }
}

impl Pools {
    async fn new(pools: &[NewPool]) -> Arc<Self> {
        let works = TestWorks::new().await;
        let new = NewServer {
            name: "de-1".to_owned(),
            protocol: Protocol::Wireguard,
            location: "Frankfurt".to_owned(),
            settings: "{}".to_owned(),
            capacity: 10_000,
        };
        let add = works
            .run("add_server", Origin::SYSTEM, |work| server::add(work, &new, "{}", pools).scope_boxed());
        let server = add.await.unwrap();
        Arc::new(Self { works, server })
    }

    async fn lease(&self, kind: PoolKind, config: i64) -> Result<Addresses, AddressError> {
        let server = self.server;
        let lease = self.works.run("lease", Origin::SYSTEM, |work| {
            address::lease(work, server, kind, ConfigId(config)).scope_boxed()
        });
        lease.await
    }

    /// Tasks that ask at the same time, one for each config.
    async fn lease_at_once(
        self: &Arc<Self>,
        configs: impl IntoIterator<Item = i64>,
    ) -> Vec<Result<Addresses, AddressError>> {
        let tasks = configs.into_iter().map(|config| {
            let pools = self.clone();
            tokio::spawn(async move { pools.lease(PoolKind::Paid, config).await })
        });
        join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect()
    }

    async fn release(&self, config: i64) {
        let release = self
            .works
            .run("release", Origin::SYSTEM, |work| address::release(work, ConfigId(config)).scope_boxed());
        release.await.unwrap();
    }

    async fn watch(&self) {
        self.works.run("watch", Origin::SYSTEM, |work| address::watch(work).scope_boxed()).await.unwrap();
    }

    /// Configs that hold an address.
    async fn holders(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT config_id FROM addresses WHERE leased")
            .fetch_all(&self.works.db.pool)
            .await
            .unwrap()
    }
}

/// The addresses that were given, none of them twice; every other answer is that the pool is full.
fn distinct(answers: &[Result<Addresses, AddressError>]) -> (BTreeSet<Ipv4Addr>, BTreeSet<Ipv6Addr>) {
    let given: Vec<Addresses> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.to_string(), "the address pool of this server is full");
    }
    let v4: BTreeSet<Ipv4Addr> = given.iter().map(|it| it.v4).collect();
    let v6: BTreeSet<Ipv6Addr> = given.iter().filter_map(|it| it.v6).collect();
    assert_eq!((v4.len(), v6.len()), (given.len(), given.len()), "nobody shares an address");
    (v4, v6)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_askers_get_a_thousand_addresses() {
    let (net4, net6): (Ipv4Net, Ipv6Net) = ("10.9.0.0/22".parse().unwrap(), "fd42:9::/112".parse().unwrap());
    let pools = Pools::new(&[pool(PoolKind::Paid, "10.9.0.0/22", Some("fd42:9::/112"))]).await;
    let answers = pools.lease_at_once(1..=1000).await;
    assert!(answers.iter().all(Result::is_ok), "1021 hosts are enough for 1000");
    let (v4, v6) = distinct(&answers);
    assert_eq!((v4.len(), v6.len()), (1000, 1000));
    assert!(v4.iter().all(|it| net4.contains(it)) && v6.iter().all(|it| net6.contains(it)));
    let never = [net4.network(), Ipv4Addr::new(10, 9, 0, 1), net4.broadcast()];
    assert!(never.iter().all(|it| !v4.contains(it)), "network, server and broadcast are nobody's");
    assert!(!v6.contains(&net6.network()) && !v6.contains(&"fd42:9::1".parse().unwrap()));
    // Whoever asks again keeps what they have.
    let again = pools.lease_at_once(1..=1000).await;
    let same = |(first, second): (&Result<Addresses, _>, &Result<Addresses, _>)| {
        first.as_ref().unwrap() == second.as_ref().unwrap()
    };
    assert!(answers.iter().zip(&again).all(same));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_gives_as_many_as_it_has_and_says_that_it_is_full() {
    let pools = Pools::new(&[pool(PoolKind::Paid, "10.9.0.0/25", Some("fd42:9::/112"))]).await;
    let answers = pools.lease_at_once(1..=1000).await;
    let (v4, v6) = distinct(&answers);
    assert_eq!((v4.len(), v6.len()), (125, 125), "128 without network, server and broadcast");
    assert_eq!(pools.holders().await.len(), 125);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_address_rests_and_then_returns() {
    let pools = Pools::new(&[pool(PoolKind::Paid, "10.9.0.0/27", Some("fd42:9::/112"))]).await;
    let first = pools.lease_at_once(1..=29).await;
    assert_eq!(distinct(&first).0.len(), 29);
    for config in 1..=10 {
        pools.release(config).await;
    }
    let resting = pools.lease_at_once(101..=110).await;
    assert_eq!(distinct(&resting).0.len(), 0, "a stale client must not meet the next holder");
    pools.works.clock.advance(TimeDelta::hours(23));
    assert!(matches!(pools.lease(PoolKind::Paid, 101).await, Err(AddressError::Full)));
    pools.works.clock.advance(TimeDelta::hours(2));
    let returned = pools.lease_at_once(101..=115).await;
    let (v4, v6) = distinct(&returned);
    assert_eq!(v4.len(), 10);
    let released = distinct(&first[..10]);
    assert_eq!((v4, v6), released, "the very addresses that were given back");
    assert_eq!(pools.holders().await.len(), 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_takes_a_paid_address_when_its_own_pool_is_full_and_never_the_other_way_round() {
    let trial = pool(PoolKind::Trial, "10.9.1.0/29", None);
    let paid = pool(PoolKind::Paid, "10.9.0.0/29", None);
    let pools = Pools::new(&[trial, paid]).await;
    let mut given = Vec::new();
    for config in 1..=10 {
        let leased = pools.lease(PoolKind::Trial, config).await.unwrap();
        assert_eq!(leased.v6, None);
        given.push(leased.v4);
    }
    assert!(given[..5].iter().all(|it| it.octets()[2] == 1), "{given:?}");
    assert!(given[5..].iter().all(|it| it.octets()[2] == 0), "{given:?}");
    pools.release(1).await;
    pools.works.clock.advance(TimeDelta::days(2));
    assert!(matches!(pools.lease(PoolKind::Paid, 11).await, Err(AddressError::Full)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_pool_is_told_once_a_day_until_it_is_not_low_any_more() {
    let pools = Pools::new(&[pool(PoolKind::Paid, "10.9.0.0/25", None)]).await;
    // The next day's noon, so that no day ends in the middle.
    let time = pools.works.clock.now().unix().rem_euclid(86_400);
    pools.works.clock.advance(TimeDelta::seconds(86_400 - time + 43_200));
    let told = async || {
        let low = |notice: &Notice| matches!(notice, Notice::Alert(Alert::PoolLow { .. }));
        let count = async |admin| pools.works.notices_to(admin).await.iter().filter(|it| low(it)).count();
        (count(SUPERADMIN).await, count(ADMIN).await)
    };
    pools.lease_at_once(1..=112).await;
    pools.watch().await;
    assert_eq!(told().await, (0, 0), "13 of 125 are free, more than a tenth");
    pools.lease_at_once(113..=120).await;
    for _ in 0..3 {
        pools.watch().await;
        assert_eq!(told().await, (1, 1));
    }
    assert_eq!(pools.works.audited("pool_low").await.len(), 1);
    pools.works.clock.advance(TimeDelta::days(1));
    pools.watch().await;
    assert_eq!(told().await, (2, 2), "it is low still");
    for config in 1..=100 {
        pools.release(config).await;
    }
    pools.works.clock.advance(TimeDelta::days(2));
    pools.watch().await;
    assert_eq!(told().await, (2, 2), "enough is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_rest_are_not_free() {
    let pools = Pools::new(&[pool(PoolKind::Paid, "10.9.0.0/27", None)]).await;
    pools.lease_at_once(1..=29).await;
    for config in 1..=29 {
        pools.release(config).await;
    }
    pools.watch().await;
    let told = pools.works.notices_to(ADMIN).await;
    assert!(matches!(&told[..], [Notice::Alert(Alert::PoolLow { free: 0, .. })]), "{told:?}");
}
