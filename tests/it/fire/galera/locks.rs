//! A lock at one node is none at another, unless it is a change. What a rule reads under `crud::…::lock` holds all the
//! same: two processes on two nodes add to a subscription what may be there once.

use sqlx::Executor;
use usipipo::clock::Clock;
use usipipo::crud;
use usipipo::db::{Db, migrate};
use usipipo::ids::{SubscriptionId, UserId};
use usipipo::models::vpn::Protocol;

use scoped_futures::ScopedFutureExt;

use crate::support::db::TestDb;
use crate::support::galera::Cluster;

/// Adds the only config of a subscription, unless it is there.
async fn add_one(db: &Db, id: i64) -> sqlx::Result<()> {
    db.transaction("add_one", |conn| {
        async move {
            let id = SubscriptionId(id);
            crud::subscription::lock(conn, id).await?;
            if crud::vpn::list_of_subscription(conn, id).await?.is_empty() {
                let now = Clock::default().now();
                crud::vpn::insert(conn, UserId(1), id, Protocol::Outline, "Outline 1", now).await?;
            }
            Ok(())
        }
        .scope_boxed()
    })
    .await
}

pub async fn hammer(cluster: &Cluster, rounds: i64) {
    let test = TestDb::empty_on(cluster.url(1)).await;
    let nodes = [1, 2].map(|node| Db::open(&format!("{}{}", cluster.url(node), test.name()), 4).unwrap());
    migrate::run(&nodes[0]).await.unwrap();
    test.pool
        .execute(
            "INSERT INTO users (id, first_name, language, status, created_at, last_seen_at) \
             VALUES (1, 'Ana', 'es', 'active', NOW(6), NOW(6))",
        )
        .await
        .unwrap();
    for round in 1..=rounds {
        let insert = sqlx::query(
            "INSERT INTO subscriptions (id, user_id, product, status, starts_at, ends_at, device_limit, created_at, updated_at) \
             VALUES (?, 1, CONCAT('plan:', ?), 'active', NOW(6), NOW(6), 1, NOW(6), NOW(6))",
        );
        insert.bind(round).bind(round).execute(&test.pool).await.unwrap();
        let seen = "SELECT COUNT(*) FROM subscriptions WHERE id = ?";
        let arrived = async || {
            sqlx::query_scalar::<_, i64>(seen).bind(round).fetch_one(nodes[1].pool()).await.unwrap() == 1
        };
        crate::support::wait::eventually(super::LIMIT, arrived).await;
        let (one, other) = tokio::join!(add_one(&nodes[0], round), add_one(&nodes[1], round));
        one.and(other).unwrap();
    }
    let configs = "SELECT subscription_id, id, CAST(created_at AS CHAR) FROM vpn_configs ORDER BY 1, 2";
    let configs: Vec<(i64, i64, String)> = sqlx::query_as(configs).fetch_all(&test.pool).await.unwrap();
    let twice: Vec<_> = configs.chunk_by(|a, b| a.0 == b.0).filter(|of_one| of_one.len() > 1).collect();
    assert!(twice.is_empty() && configs.len() as i64 == rounds, "one config each: {twice:?}");
}
