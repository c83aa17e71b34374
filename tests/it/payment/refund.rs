use chrono::TimeDelta;
use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use serde_json::json;
use usipipo::ids::{PaymentId, UserId};
use usipipo::models::audit::Actor;
use usipipo::models::notice::Notice;
use usipipo::models::payment::{PaymentStatus, ProviderId};
use usipipo::services::books;
use usipipo::services::payment::{self, Credit, PaymentError, StarsPayment};
use usipipo::work::Origin;

use super::{ANA, Shop, paid, stars_for};
use crate::support::bot_api::{Api, done};
use crate::support::wait::eventually;
use crate::support::works::ADMIN;

const LIMIT: Duration = Duration::from_secs(30);

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
async fn a_refund_of_what_was_used_up_takes_nothing_of_a_later_purchase() {
    let shop = Shop::open().await;
    let january = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&january, "january")).await;
    shop.works.clock.advance(TimeDelta::days(150));
    let june = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&june, "june")).await;
    let allowance = "SELECT CAST(allowance AS SIGNED) FROM subscriptions";
    let (days, bought) = (i64::from(june.duration_days), shop.count(allowance).await);
    assert_eq!(shop.days_left().await, days);
    let refund = async |order: PaymentId| {
        let refund =
            shop.works.run("refunded", Origin::SYSTEM, |work| payment::refunded(work, order).scope_boxed());
        assert!(refund.await.unwrap());
    };
    refund(january.id).await;
    assert_eq!((shop.days_left().await, shop.count(allowance).await), (days, bought));
    assert_eq!(shop.works.audited("subscription_taken_back").await.len(), 0);
    let told = Notice::Refunded { payment_id: january.id, too_late: true };
    assert!(shop.works.notices_to(ANA).await.contains(&told), "and it is not said that access was taken");
    assert_eq!(shop.payment(&january).await.status, PaymentStatus::Refunded);
    refund(june.id).await;
    assert_eq!(shop.days_left().await, 0);
    let told = Notice::Refunded { payment_id: june.id, too_late: false };
    assert!(shop.works.notices_to(ANA).await.contains(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_after_the_end_takes_nothing_and_says_so() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&order, "charge")).await;
    shop.works.clock.advance(TimeDelta::days(i64::from(order.duration_days)) + TimeDelta::hours(1));
    let ends = "SELECT CAST(UNIX_TIMESTAMP(ends_at) AS SIGNED) FROM subscriptions";
    let before = shop.count(ends).await;
    let id = order.id;
    let refund = shop.works.run("refunded", Origin::SYSTEM, |work| payment::refunded(work, id).scope_boxed());
    assert!(refund.await.unwrap());
    assert_eq!(shop.count(ends).await, before, "its keys are kept as long as those of others");
    assert_eq!(shop.works.audited("subscription_taken_back").await.len(), 0);
    let told = Notice::Refunded { payment_id: id, too_late: true };
    assert!(shop.works.notices_to(ANA).await.contains(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn telegrams_own_word_of_a_refund_ends_the_access() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let money = stars_for(&order, "charge");
    shop.stars(&money).await;
    let told = async || {
        shop.works
            .run("told", Origin::SYSTEM, |work| {
                payment::stars_refunded(work, Some(ANA), &money.charge).scope_boxed()
            })
            .await
            .unwrap()
    };
    assert!(told().await);
    assert!(!told().await, "told again, nothing changes");
    assert_eq!(shop.days_left().await, 0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'suspended'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_returned_by_hand_is_a_refund() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    // More than the price: what came is what goes back.
    shop.observed(&order, &paid(&order, "7.5")).await;
    let returned = async |actor: UserId, id: PaymentId| {
        let origin = Origin { actor: Actor::User(actor), cause: None };
        shop.works.run("hand", origin, |work| payment::refunded_by_hand(work, id).scope_boxed()).await
    };
    shop.works.person(ADMIN.0).await;
    assert!(matches!(returned(ANA, order.id).await, Err(PaymentError::Access(_))));
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Completed);
    let both = tokio::join!(returned(ADMIN, order.id), returned(ADMIN, order.id));
    assert!(both.0.is_ok() != both.1.is_ok(), "once: {both:?}");
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Refunded);
    assert_eq!(shop.days_left().await, 0);
    let back =
        "SELECT COUNT(*) FROM ledger_entries WHERE kind = 'refund' AND amount = 7.5 AND currency = 'USD'";
    assert_eq!(shop.count(back).await, 1);
    assert_eq!(shop.works.audited("refunded_by_hand").await[0].user_id, Some(ADMIN));
    assert_eq!(shop.works.audited("payment_refunded").await.len(), 1);

    let stars = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&stars, "charge")).await;
    let refused = returned(ADMIN, stars.id).await;
    assert!(matches!(refused, Err(PaymentError::RefundThroughApi(_))), "Telegram does it: {refused:?}");

    let review = shop.order(ProviderId::Qvapay).await;
    shop.observed(&review, &paid(&review, "0.01")).await;
    returned(ADMIN, review.id).await.unwrap();
    assert_eq!(shop.payment(&review).await.status, PaymentStatus::Refunded);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries").await, 3, "it never was income");
    let broken =
        shop.works.run("books", Origin::SYSTEM, |work| books::check(work).scope_boxed()).await.unwrap();
    assert_eq!(broken, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_of_somebody_else_goes_back_to_them() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let bruno = shop.works.person(5).await.id;
    let money = StarsPayment { payer: bruno, ..stars_for(&order, "charge") };
    assert_eq!(shop.stars(&money).await, Credit::Review);
    shop.works.person(ADMIN.0).await;
    shop.request_refund(&order).await.unwrap();

    let telegram = Api::start(&[done()]).await;
    let _working = shop.work(&telegram);
    eventually(LIMIT, async || shop.payment(&order).await.status == PaymentStatus::Refunded).await;
    let expected = json!({ "user_id": bruno, "telegram_payment_charge_id": "charge" });
    assert_eq!(telegram.only(), ("refundStarPayment".to_owned(), expected));
    assert_eq!(
        shop.works.notices_to(bruno).await,
        [Notice::Refunded { payment_id: order.id, too_late: false }]
    );
    let looked_at = Notice::Order { payment_id: order.id };
    assert_eq!(shop.works.notices_to(ANA).await, [looked_at], "nothing of hers came back");
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries").await, 0);
}
