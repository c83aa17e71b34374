//! Traffic: what a server is told to hold a config to, beside our own count.

use scoped_futures::ScopedFutureExt;
use usipipo::crud;
use usipipo::ids::{ConfigId, ServerId};
use usipipo::models::payment::ProviderId;
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::Origin;

use crate::payment::{Shop, stars_for};

/// A tenth of a gibibyte is nothing to a plan of 200.
const GIB: u64 = 1 << 30;

struct Sold {
    shop: Shop,
    config: ConfigId,
    server: ServerId,
}

impl Sold {
    /// The popular plan with its Outline config, placed and in use.
    async fn new() -> Self {
        let shop = Shop::open().await;
        let order = shop.order(ProviderId::Stars).await;
        assert_eq!(order.traffic_mb, Some(200 * 1024), "the numbers below");
        shop.stars(&stars_for(&order, "charge")).await;
        let config = ConfigId(shop.count("SELECT id FROM vpn_configs").await);
        let place = shop.works.run::<_, ConfigError, _>("place", Origin::SYSTEM, |work| {
            async move {
                let row = crud::vpn::find(work.conn(), config).await?.unwrap();
                vpn::place(work, &row).await
            }
            .scope_boxed()
        });
        let (server, placed) = place.await.unwrap();
        assert_eq!(placed.limit_bytes, Some(200 * GIB), "from the first");
        Self { shop, config, server }
    }

    /// What the server is to hold the config to, when the subscription has used and the server counts so much.
    async fn limit(&self, used: u64, counted: u64) -> Option<u64> {
        let pool = &self.shop.works.db.pool;
        sqlx::query("UPDATE subscriptions SET used = ?").bind(used).execute(pool).await.unwrap();
        sqlx::query("UPDATE vpn_configs SET raw_tx = ?").bind(counted).execute(pool).await.unwrap();
        let (config, server) = (self.config, self.server);
        let desired = self.shop.works.run("desired", Origin::SYSTEM, |work| {
            async move { vpn::desired_of_server(work, server).await }.scope_boxed()
        });
        let desired = desired.await.unwrap();
        desired.into_iter().find(|want| want.config_id == config).unwrap().limit_bytes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outline_key_has_a_limit_of_its_own() {
    let sold = Sold::new().await;
    assert_eq!(sold.limit(55 * GIB, 55 * GIB).await, Some(200 * GIB), "its own use moves nothing");
    assert_eq!(
        sold.limit(100 * GIB, 55 * GIB).await,
        Some(160 * GIB),
        "what other devices use does, in tenths"
    );
    assert_eq!(sold.limit(100 * GIB, 0).await, Some(100 * GIB), "and what leaves the window");
    assert_eq!(sold.limit(300 * GIB, 10 * GIB).await, Some(20 * GIB), "nothing is left");
    let pool = &sold.shop.works.db.pool;
    sqlx::query("UPDATE subscriptions SET allowance = NULL").execute(pool).await.unwrap();
    assert_eq!(sold.limit(GIB, GIB).await, None, "unlimited");
}
