//! Servers that go, or change, while something is being made on them.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::Executor;
use tokio::sync::Notify;
use usipipo::crud;
use usipipo::demo::outline::{Options, OutlineServer};
use usipipo::ids::{ConfigId, ServerId, UserId};
use usipipo::integrations::payments::Providers;
use usipipo::integrations::vpn::{Access, Desired};
use usipipo::jobs::{Backends, Jobs};
use usipipo::models::job::Job;
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::outgoing::Body;
use usipipo::models::server::NewServer;
use usipipo::models::subscription::{Subscription, SubscriptionStatus, TRIAL};
use usipipo::models::vpn::{Applied, ConfigStatus, Protocol, VpnConfig};
use usipipo::queue::jobs::JobHandler;
use usipipo::services::server;
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::Origin;

use crate::support::wait::eventually;
use crate::support::works::{ADMIN, TestWorks};

const ANA: UserId = UserId(42);
const LIMIT: Duration = Duration::from_secs(20);

/// A house with a customer who may have configs.
struct House {
    works: TestWorks,
    subscription: Subscription,
}

impl House {
    async fn new() -> Self {
        let works = TestWorks::new().await;
        works.person(ANA.0).await;
        let now = works.clock.now();
        let mut subscription = Subscription {
            id: usipipo::ids::SubscriptionId(0),
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
        subscription.id = crud::subscription::insert(&mut conn, &subscription).await.unwrap();
        Self { works, subscription }
    }

    async fn add_server(&self, name: &str, secret: &str) -> ServerId {
        let new = NewServer {
            name: name.to_owned(),
            protocol: Protocol::Outline,
            location: "Frankfurt".to_owned(),
            settings: r#"{"name":"uSipipo"}"#.to_owned(),
            capacity: 100,
        };
        let new = &new;
        let add = self.works.run("add", Origin::SYSTEM, |work| {
            async move { server::add(work, new, secret, &[]).await }.scope_boxed()
        });
        add.await.unwrap()
    }

    async fn config(&self) -> ConfigId {
        let held = &self.subscription;
        let add = self.works.run("config", Origin::SYSTEM, |work| {
            vpn::add_config(work, held, Protocol::Outline).scope_boxed()
        });
        add.await.unwrap()
    }

    async fn find(&self, id: ConfigId) -> VpnConfig {
        let mut conn = self.works.db.pool.acquire().await.unwrap();
        crud::vpn::find(&mut conn, id).await.unwrap().unwrap()
    }

    async fn place(&self, id: ConfigId) -> Result<(ServerId, Desired), ConfigError> {
        let config = &self.find(id).await;
        self.works.run("place", Origin::SYSTEM, |work| vpn::place(work, config).scope_boxed()).await
    }

    /// What the job commits once the server has answered.
    async fn applied(&self, (server, desired): &(ServerId, Desired)) {
        let (id, server) = (desired.config_id, *server);
        let applied = self.works.run::<_, ConfigError, _>("applied", Origin::SYSTEM, |work| {
            async move {
                if vpn::keeps_place(work, id, server).await? {
                    let key = format!("key at {server}");
                    vpn::applied(work, id, Applied::Present, Some((&desired.credentials, &key))).await?;
                }
                Ok(())
            }
            .scope_boxed()
        });
        applied.await.unwrap();
    }

    async fn remove(&self, name: &str) {
        let remove =
            self.works.run("remove", Origin::SYSTEM, |work| server::remove(work, name, true).scope_boxed());
        remove.await.unwrap();
    }

    /// Parts of configs that Ana was sent.
    async fn handed_over(&self) -> usize {
        let sent = self.works.sent_to(ANA).await;
        sent.iter().filter(|body| matches!(body, Body::Config { .. })).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_whose_server_goes_while_it_is_made_is_made_elsewhere() {
    let house = House::new().await;
    let lost = house.add_server("lost-1", "{}").await;
    let id = house.config().await;
    let on_its_way = house.place(id).await.unwrap();
    assert_eq!(on_its_way.0, lost);
    house.remove("lost-1").await;
    house.applied(&on_its_way).await;
    let config = house.find(id).await;
    assert_eq!((config.server_id, config.status), (None, ConfigStatus::Preparing));
    assert!(config.secret.is_none() && config.applied == Applied::None, "{config:?}");
    assert_eq!(house.handed_over().await, 0, "what is gone is not handed over");

    let other = house.add_server("other-1", "{}").await;
    let again = house.place(id).await.unwrap();
    assert_eq!(again.0, other);
    assert!(again.1.credentials != on_its_way.1.credentials, "with keys of its own");
    house.applied(&again).await;
    let config = house.find(id).await;
    assert_eq!((config.server_id, config.status), (Some(other), ConfigStatus::Active));
    assert_eq!(house.handed_over().await, 3, "text, code and guide, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_placed_on_a_server_that_is_being_removed() {
    let house = Arc::new(House::new().await);
    house.add_server("lost-1", "{}").await;
    let id = house.config().await;
    let (placed, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let placing = tokio::spawn({
        let (house, placed, go_on) = (house.clone(), placed.clone(), go_on.clone());
        async move {
            let (config, placed, go_on) = (&house.find(id).await, &placed, &go_on);
            let place = house.works.run("place", Origin::SYSTEM, |work| {
                async move {
                    let chosen = vpn::place(work, config).await?;
                    placed.notify_one();
                    go_on.notified().await;
                    Ok::<_, ConfigError>(chosen)
                }
                .scope_boxed()
            });
            place.await.unwrap()
        }
    });
    placed.notified().await;
    let removing = tokio::spawn({
        let house = house.clone();
        async move { house.remove("lost-1").await }
    });
    let waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
                   AND id <> CONNECTION_ID() AND info LIKE '%removed_at IS NULL FOR UPDATE'";
    eventually(LIMIT, async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&house.works.db.pool).await.unwrap() == 1
    })
    .await;
    go_on.notify_one();
    let on_its_way = placing.await.unwrap();
    removing.await.unwrap();
    assert_eq!(house.find(id).await.server_id, None, "the removal saw what had just been placed");
    house.applied(&on_its_way).await;
    assert_eq!(house.find(id).await.status, ConfigStatus::Preparing);
    assert!(matches!(house.place(id).await, Err(ConfigError::NoServer(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_counts_from_the_next_call_on() {
    let house = House::new().await;
    let (before, after) = (
        OutlineServer::start(Options::default()).await.unwrap(),
        OutlineServer::start(Options::default()).await.unwrap(),
    );
    let secret = |outline: &OutlineServer| {
        serde_json::json!({ "api_url": outline.api_url(), "cert_sha256": outline.cert_sha256() }).to_string()
    };
    let id = house.add_server("nl-1", &secret(&before)).await;
    let backends = Backends::default();
    let config = house.config().await;
    let (_, desired) = house.place(config).await.unwrap();
    assert!(desired.access == Access::Present);
    let (_, first) = backends.of(&house.works, id).await.unwrap();
    first.ensure(&desired).await.unwrap();
    assert_eq!((before.key_ids().await.len(), after.key_ids().await.len()), (1, 0));

    // Sealed anew, it is the same secret: nothing is opened again.
    let mut conn = house.works.db.pool.acquire().await.unwrap();
    let row = crud::server::find(&mut conn, id).await.unwrap().unwrap();
    let sealed = server::reseal(&house.works.config.keyring, &row).unwrap();
    crud::server::set_secret(&mut conn, id, &sealed).await.unwrap();
    assert!(Arc::ptr_eq(&first, &backends.of(&house.works, id).await.unwrap().1));

    let moved = &secret(&after);
    let replace = house
        .works
        .run("replace", Origin::SYSTEM, |work| server::replace_secret(work, "nl-1", moved).scope_boxed());
    replace.await.unwrap();
    let (_, second) = backends.of(&house.works, id).await.unwrap();
    second.ensure(&desired).await.unwrap();
    assert_eq!((before.key_ids().await.len(), after.key_ids().await.len()), (1, 1));
}

#[tokio::test]
async fn who_waits_is_told_after_the_second_try_and_the_admins_after_the_fifth() {
    let house = House::new().await;
    house.works.person(ADMIN.0).await;
    house.add_server("de-1", "{}").await;
    let config_id = house.config().await;
    let (works, job) = ((*house.works).clone(), &Job::ApplyConfig { config_id });
    let jobs = &Jobs { works, providers: Providers::default(), backends: Arc::default() };
    for attempts in 1..=12 {
        let failing = house.works.run("failing", Origin::SYSTEM, |work| {
            async move { jobs.failing(work, job, attempts, "connection refused").await }.scope_boxed()
        });
        failing.await.unwrap();
        let (ana, admin) = (house.works.notices_to(ANA).await, house.works.notices_to(ADMIN).await);
        assert_eq!(ana.len(), usize::from(attempts >= 2), "after {attempts}: {ana:?}");
        assert_eq!(admin.len(), usize::from(attempts >= 5), "after {attempts}: {admin:?}");
    }
    assert_eq!(house.works.notices_to(ANA).await, [Notice::ConfigDelayed { config_id }]);
    let told = &house.works.notices_to(ADMIN).await[0];
    let Notice::Alert(Alert::ProvisioningDelayed { user_id, reason, .. }) = told else { panic!("{told:?}") };
    assert_eq!((*user_id, reason.as_str()), (ANA, "connection refused"));
}

#[tokio::test]
async fn that_a_server_goes_and_that_it_is_back_is_told_once_each() {
    let house = House::new().await;
    house.works.person(ADMIN.0).await;
    let server_id = house.add_server("de-1", "{}").await;
    for outcome in [Ok("well"), Err("refused"), Err("refused"), Err("slow"), Ok("well"), Ok("well")] {
        let note = house.works.run::<_, sqlx::Error, _>("note", Origin::SYSTEM, |work| {
            server::note_health(work, server_id, outcome).scope_boxed()
        });
        note.await.unwrap();
    }
    let server = "de-1".to_owned();
    let down = Alert::ServerDown { server_id, server: server.clone(), reason: "refused".to_owned() };
    let expected = [down, Alert::ServerUp { server_id, server }].map(Notice::Alert);
    assert_eq!(house.works.notices_to(ADMIN).await, expected);
}

impl House {
    /// How many configs each server is taken to hold.
    async fn counted(&self, server: ServerId) -> i32 {
        let count = sqlx::query_scalar("SELECT configs FROM server_loads WHERE server_id = ?").bind(server.0);
        count.fetch_optional(&self.works.db.pool).await.unwrap().unwrap_or_default()
    }

    async fn note_health(&self, server: ServerId) {
        let note = self.works.run::<_, sqlx::Error, _>("note", Origin::SYSTEM, |work| {
            server::note_health(work, server, Ok("fine")).scope_boxed()
        });
        note.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_holds_is_counted_along_with_every_change() {
    let house = House::new().await;
    let first = house.add_server("first-1", "{}").await;
    let ids = [house.config().await, house.config().await, house.config().await];
    for id in ids {
        house.place(id).await.unwrap();
        house.place(id).await.unwrap();
    }
    assert_eq!(house.counted(first).await, 3, "each once, however often it is placed");
    let (works, dropped) = (&house.works, ids[0]);
    let drop = works.run("drop", Origin::SYSTEM, |work| vpn::drop_config(work, ANA, dropped).scope_boxed());
    drop.await.unwrap();
    assert_eq!(house.counted(first).await, 2);
    let removed = works.run::<_, sqlx::Error, _>("removed", Origin::SYSTEM, |work| {
        vpn::removed(work, dropped).scope_boxed()
    });
    removed.await.unwrap();
    assert_eq!(house.counted(first).await, 2, "it had left when it was dropped");

    let second = house.add_server("second-1", "{}").await;
    house.remove("first-1").await;
    assert_eq!(house.counted(first).await, 0);
    for id in &ids[1..] {
        assert_eq!(house.place(*id).await.unwrap().0, second);
    }
    assert_eq!(house.counted(second).await, 2);
    // As a copy of an older version leaves it, which counts nothing.
    works.db.pool.execute("UPDATE server_loads SET configs = 77").await.unwrap();
    house.note_health(second).await;
    assert_eq!(house.counted(second).await, 2);
    works.db.pool.execute("DELETE FROM server_loads").await.unwrap();
    house.note_health(second).await;
    assert_eq!(house.counted(second).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_are_placed_at_once_are_all_counted_and_fill_a_server_up() {
    let house = House::new().await;
    let server = house.add_server("first-1", "{}").await;
    let ids: Vec<ConfigId> = futures::future::join_all((0..5).map(|_| house.config())).await;
    let placed = futures::future::join_all(ids.iter().map(|id| house.place(*id)));
    assert!(placed.await.iter().all(|placed| placed.as_ref().is_ok_and(|(at, _)| *at == server)));
    assert_eq!(house.counted(server).await, 5);
    let works = &house.works;
    works.db.pool.execute("UPDATE servers SET capacity = 5").await.unwrap();
    let open = async || {
        let open = works.run::<_, sqlx::Error, _>("open", Origin::SYSTEM, |work| {
            server::open_protocols(work).scope_boxed()
        });
        open.await.unwrap()
    };
    assert!(open().await.is_empty(), "full");
    let drop = works.run("drop", Origin::SYSTEM, |work| vpn::drop_config(work, ANA, ids[0]).scope_boxed());
    drop.await.unwrap();
    assert_eq!(open().await, [Protocol::Outline], "a place is free at once");
}
