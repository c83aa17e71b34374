//! Traffic through a real tunnel, as the jobs account it.

use std::sync::Arc;
use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use usipipo::crud;
use usipipo::ids::UserId;
use usipipo::integrations::payments::Providers;
use usipipo::integrations::vpn::config_text;
use usipipo::jobs::{Backends, Jobs};
use usipipo::models::address::PoolKind;
use usipipo::models::job::Job;
use usipipo::models::server::NewServer;
use usipipo::models::vpn::{Applied, Protocol, VpnConfig};
use usipipo::queue::jobs::JobWorker;
use usipipo::services::server::{self, NewPool};
use usipipo::services::{address, subscription, vpn};
use usipipo::work::Origin;

use super::tunnel::hosts;
use crate::queue::Process;
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const ANA: UserId = UserId(42);
const LIMIT: Duration = Duration::from_secs(60);

async fn config(works: &TestWorks) -> Option<VpnConfig> {
    let mut conn = works.db.pool.acquire().await.unwrap();
    crud::vpn::list_of_user(&mut conn, ANA).await.unwrap().pop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passed_before_a_block_is_counted_without_any_reading() {
    let Some((hosts, fixture)) = hosts() else { return };
    let works = TestWorks::new().await;
    works.person(ANA.0).await;
    let settings = &serde_json::to_string(&fixture.settings).unwrap();
    let secret = &serde_json::to_string(&fixture.secret).unwrap();
    let add = works.run("add", Origin::SYSTEM, |work| {
        async move {
            let new = NewServer {
                name: "de-1".to_owned(),
                protocol: Protocol::Wireguard,
                location: "Frankfurt".to_owned(),
                settings: settings.clone(),
                capacity: 100,
            };
            let (v4, v6) = ("10.66.0.0/24".parse().unwrap(), "fd42:66::/64".parse().ok());
            server::add(work, &new, secret, &[NewPool { kind: PoolKind::Paid, v4, v6 }]).await
        }
        .scope_boxed()
    });
    add.await.unwrap();
    let trial = works.run("trial", Origin::SYSTEM, |work| {
        subscription::start_trial(work, ANA, Protocol::Wireguard).scope_boxed()
    });
    let held = trial.await.unwrap();
    let backends = Arc::new(Backends::default());
    let jobs = Jobs { works: (*works).clone(), providers: Providers::default(), backends: backends.clone() };
    let running =
        Process::start(&works, JobWorker { works: (*works).clone(), handler: jobs, max_attempts: 9 });
    eventually(LIMIT, async || config(&works).await.is_some_and(|config| config.applied == Applied::Present))
        .await;

    let made = config(&works).await.unwrap();
    let lease = {
        let mut conn = works.db.pool.acquire().await.unwrap();
        crud::address::of_config(&mut conn, made.id).await.unwrap().unwrap()
    };
    let credentials = vpn::open(&works.config.keyring, &made).unwrap();
    let conf = config_text(settings, &credentials, address::addresses_of(&lease).ok()).unwrap();
    hosts.connect(&conf).await;
    hosts.pings("10.66.0.1").await;
    assert_eq!(config(&works).await.unwrap().total_rx, 0, "nobody has looked yet");

    sqlx::query("UPDATE subscriptions SET status = 'suspended'").execute(&works.db.pool).await.unwrap();
    let follow = works.run::<_, sqlx::Error, _>("follow", Origin::SYSTEM, |work| {
        async move {
            work.enqueue(Job::ApplySubscription { subscription_id: held.id });
            Ok(())
        }
        .scope_boxed()
    });
    follow.await.unwrap();
    eventually(LIMIT, async || config(&works).await.is_some_and(|config| config.applied == Applied::Blocked))
        .await;
    let blocked = config(&works).await.unwrap();
    // An echo request and a handshake each way.
    assert!(blocked.total_rx > 100 && blocked.total_tx > 100, "{blocked:?}");
    assert_eq!((blocked.raw_rx, blocked.raw_tx), (0, 0));
    running.stop().await;
    backends.close().await;
}
