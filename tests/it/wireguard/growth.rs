//! One more peer is the same work on a server with many as on one with few: the database looks at the same rows, and
//! `wg` is called once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::crud;
use usipipo::ids::{SubscriptionId, UserId};
use usipipo::integrations::vpn::wireguard::WireGuard;
use usipipo::integrations::vpn::{Backend, Desired};
use usipipo::models::address::PoolKind;
use usipipo::models::server::NewServer;
use usipipo::models::subscription::{Subscription, SubscriptionStatus, TRIAL};
use usipipo::models::vpn::{Applied, Protocol};
use usipipo::services::server::{self, NewPool};
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::{Origin, Work};

use super::tunnel::hosts;
use super::{Fixture, counted};
use crate::explain::statements::fingerprint;
use crate::support::db::TestDb;
use crate::support::recorder::Recorder;
use crate::support::works::TestWorks;

const ANA: UserId = UserId(42);
const FEW: usize = 5;
const MANY: usize = 150;
/// Rows by which two runs of a statement may differ, whatever the size.
const CHANCE: i64 = 3;

/// A database that is watched, with one server of these settings and somebody to whom all configs belong.
async fn house(recorder: &Recorder, fixture: &Fixture) -> (TestWorks, SubscriptionId) {
    let db = TestDb::on(&recorder.server()).await;
    let url = recorder.watched(db.url());
    let works = TestWorks::on(db, &url, &[]);
    works.person(ANA.0).await;
    let (settings, secret) =
        (&serde_json::to_string(&fixture.settings), &serde_json::to_string(&fixture.secret));
    let add = works.run("add", Origin::SYSTEM, |work| {
        async move {
            let new = NewServer {
                name: "de-1".to_owned(),
                protocol: Protocol::Wireguard,
                location: "Frankfurt".to_owned(),
                settings: settings.as_ref().unwrap().clone(),
                capacity: 1000,
            };
            let (v4, v6) = ("10.66.0.0/22".parse().unwrap(), "fd42:66::/112".parse().ok());
            let pools = [NewPool { kind: PoolKind::Paid, v4, v6 }];
            server::add(work, &new, secret.as_ref().unwrap(), &pools).await
        }
        .scope_boxed()
    });
    add.await.unwrap();
    let now = works.clock.now();
    let subscription = Subscription {
        id: SubscriptionId(0),
        user_id: ANA,
        product: TRIAL.to_owned(),
        plan_id: None,
        status: SubscriptionStatus::Active,
        starts_at: now,
        ends_at: now + TimeDelta::days(7),
        device_limit: 1000,
        allowance: None,
        used: 0,
        renews: false,
        created_at: now,
    };
    let mut conn = works.db.pool.acquire().await.unwrap();
    let id = crud::subscription::insert(&mut conn, &subscription).await.unwrap();
    drop(conn);
    (works, id)
}

async fn place(work: &mut Work, subscription: SubscriptionId) -> Result<Desired, ConfigError> {
    let now = work.now();
    let id = crud::vpn::insert(work.conn(), ANA, subscription, Protocol::Wireguard, "one", now).await?;
    let config = crud::vpn::find(work.conn(), id).await?.ok_or(ConfigError::Unknown)?;
    Ok(vpn::place(work, &config).await?.1)
}

/// One more, as the job makes it.
async fn add(works: &TestWorks, backend: &WireGuard, subscription: SubscriptionId) {
    let place = works.run("place", Origin::SYSTEM, |work| place(work, subscription).scope_boxed());
    let desired = &place.await.unwrap();
    let observed = &backend.ensure(desired).await.unwrap();
    let applied = works.run("applied", Origin::SYSTEM, |work| {
        let seen = Some((&observed.credentials, observed.public_id.as_str()));
        vpn::applied(work, desired.config_id, Applied::Present, seen).scope_boxed()
    });
    applied.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_peer_is_as_much_work_with_many_as_with_few() {
    let Some(recorder) = Recorder::start().await else { return };
    let Some((_hosts, fixture)) = hosts() else { return };
    let (works, subscription) = house(&recorder, &fixture).await;
    let backend = fixture.open().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let count = move || {
        counter.fetch_add(1, Ordering::SeqCst);
    };
    fail::cfg_callback("before:wireguard:wg", count).unwrap();
    let mut rows: Vec<BTreeMap<String, i64>> = Vec::new();
    let mut held = 0;
    for peers in [FEW, MANY] {
        for _ in held..peers {
            add(&works, &backend, subscription).await;
        }
        analyze(&works).await;
        recorder.forget(&works.db.pool).await;
        calls.store(0, Ordering::SeqCst);
        add(&works, &backend, subscription).await;
        held = peers + 1;
        assert_eq!(calls.load(Ordering::SeqCst), 1, "with {peers} peers `wg` is called once");
        let recorded = recorder.recorded(&works.db.pool).await;
        rows.push(recorded.iter().map(|run| (fingerprint(&run.text), run.examined)).collect());
    }
    fail::remove("before:wireguard:wg");
    let [few, many] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(many.len() > 10, "{many:?}");
    let grown = many.iter().filter(|(statement, rows)| **rows > few.get(*statement).unwrap_or(&0) + CHANCE);
    let grown: Vec<_> = grown.collect();
    assert!(grown.is_empty(), "{grown:?}");
    assert_eq!(counted(&backend).await.len(), held);
    backend.close().await;
}

/// Statistics as the database has them after a while.
async fn analyze(works: &TestWorks) {
    for table in ["vpn_configs", "addresses", "subscriptions", "outbound_messages"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("ANALYZE TABLE {table}")))
            .execute(&works.db.pool)
            .await
            .unwrap();
    }
}
