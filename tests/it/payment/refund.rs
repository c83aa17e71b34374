use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use usipipo::models::audit::Actor;
use usipipo::models::payment::{PaymentStatus, ProviderId};
use usipipo::services::payment::{self, PaymentError};
use usipipo::work::Origin;

use super::{ANA, Shop, stars_for};
use crate::support::works::ADMIN;

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_send_money_back() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&order, "charge")).await;
    let request = async |actor: Actor| {
        let (id, origin) = (order.id, Origin { actor, cause: None });
        shop.works.run("refund", origin, |work| payment::request_refund(work, id).scope_boxed()).await
    };
    assert!(matches!(request(Actor::User(ANA)).await, Err(PaymentError::Access(_))));
    assert_eq!(shop.count("SELECT COUNT(*) FROM jobs WHERE kind = 'refund_payment'").await, 0);
    shop.works.person(ADMIN.0).await;
    request(Actor::User(ADMIN)).await.unwrap();
    request(Actor::User(ADMIN)).await.unwrap();
    assert_eq!(shop.count("SELECT COUNT(*) FROM jobs WHERE kind = 'refund_payment'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_takes_back_what_it_bought_once() {
    let shop = Shop::open().await;
    let orders = [shop.order(ProviderId::Stars).await];
    shop.stars(&stars_for(&orders[0], "one")).await;
    let second = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&second, "two")).await;
    let days = i64::from(second.duration_days);
    assert_eq!(shop.days_left().await, days * 2);
    let refund = async || {
        let id = second.id;
        shop.works
            .run("refunded", Origin::SYSTEM, |work| payment::refunded(work, id).scope_boxed())
            .await
            .unwrap()
    };
    let done = join_all((0..10).map(|_| refund())).await;
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    assert_eq!(shop.days_left().await, days, "the other purchase stays");
    assert_eq!(shop.payment(&second).await.status, PaymentStatus::Refunded);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries WHERE kind = 'refund'").await, 1);
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE dedupe_key LIKE 'refunded:%'";
    assert_eq!(shop.count(told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn telegrams_own_word_of_a_refund_ends_the_access() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let money = stars_for(&order, "charge");
    shop.stars(&money).await;
    let told = async || {
        shop.works
            .run("told", Origin::SYSTEM, |work| payment::stars_refunded(work, &money.charge).scope_boxed())
            .await
            .unwrap()
    };
    assert!(told().await);
    assert!(!told().await, "told again, nothing changes");
    assert_eq!(shop.days_left().await, 0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'suspended'").await, 1);
}
