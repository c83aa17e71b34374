use chrono::TimeDelta;
use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use usipipo::ids::UserId;
use usipipo::integrations::payments::{Callback, ObservedState, Triage};
use usipipo::models::payment::{PaymentStatus, ProviderId};
use usipipo::money::Currency;
use usipipo::services::payment::{self, Credit};
use usipipo::work::Origin;

use super::{Shop, paid, stars_for};
use crate::support::works::ADMIN;

/// What one purchase leaves behind, whatever way it came.
async fn exactly_one_purchase(shop: &Shop, days: i64) {
    assert_eq!(shop.count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await, 1);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries WHERE kind = 'payment'").await, 1);
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions").await, 1);
    assert_eq!(shop.count("SELECT COUNT(*) FROM vpn_configs").await, 1);
    assert_eq!(shop.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'payment_completed'").await, 1);
    let receipts = "SELECT COUNT(*) FROM outbound_messages WHERE dedupe_key LIKE 'receipt:%'";
    assert_eq!(shop.count(receipts).await, 1);
    assert_eq!(shop.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    assert_eq!(shop.days_left().await, days);
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_are_credited_once_however_often_they_are_told() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let days = i64::from(order.duration_days);
    let money = stars_for(&order, &"x".repeat(4003));
    assert!(matches!(shop.stars(&money).await, Credit::Given(_)));
    exactly_one_purchase(&shop, days).await;
    assert_eq!(shop.stars(&money).await, Credit::Duplicate);
    let at_once = join_all((0..50).map(|_| shop.stars(&money))).await;
    assert!(at_once.iter().all(|credit| *credit == Credit::Duplicate));
    exactly_one_purchase(&shop, days).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tellings_at_once_give_one_subscription() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let money = stars_for(&order, "charge");
    let credits = join_all((0..50).map(|_| shop.stars(&money))).await;
    assert_eq!(credits.iter().filter(|credit| matches!(credit, Credit::Given(_))).count(), 1);
    exactly_one_purchase(&shop, i64::from(order.duration_days)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_observations_at_once_give_one_subscription() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    let seen = paid(&order, &order.amount.to_string());
    let credits = join_all((0..50).map(|_| shop.observed(&order, &seen))).await;
    assert_eq!(credits.iter().filter(|credit| matches!(credit, Credit::Given(_))).count(), 1);
    exactly_one_purchase(&shop, i64::from(order.duration_days)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_still_buys() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    shop.works.clock.advance(TimeDelta::hours(25));
    shop.order(ProviderId::Qvapay).await; // closes the old one
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Expired);
    let seen = paid(&order, &order.amount.to_string());
    assert!(matches!(shop.observed(&order, &seen).await, Credit::Given(_)));
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_goes_to_review_and_never_gives_access() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    let right = order.amount.to_string();
    let mut short = paid(&order, "0.01");
    assert_eq!(shop.observed(&order, &short).await, Credit::Review);
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Review);
    // Told again, the admins are not told again.
    assert_eq!(shop.observed(&order, &short).await, Credit::Review);
    assert_eq!(shop.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'payment_review'").await, 1);
    shop.works.clock.advance(TimeDelta::days(1));
    let wrong_currency = shop.order(ProviderId::Qvapay).await;
    short = paid(&wrong_currency, &right);
    short.currency = Currency::stars();
    assert_eq!(shop.observed(&wrong_currency, &short).await, Credit::Review);
    shop.works.clock.advance(TimeDelta::days(1));
    let odd = shop.order(ProviderId::Qvapay).await;
    short = paid(&odd, &right);
    short.amount = None;
    assert_eq!(shop.observed(&odd, &short).await, Credit::Review);
    shop.works.clock.advance(TimeDelta::days(1));
    let foreign = shop.order(ProviderId::Stars).await;
    let mut stars = stars_for(&foreign, "foreign");
    stars.payer = UserId(5);
    assert_eq!(shop.stars(&stars).await, Credit::Review);
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions").await, 0);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_no_order_and_money_paid_twice_are_kept_for_a_human() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let mut stray = stars_for(&order, "stray");
    stray.order_ref = None;
    assert_eq!(shop.stars(&stray).await, Credit::Review);
    assert_eq!(shop.stars(&stray).await, Credit::Duplicate);
    assert!(matches!(shop.stars(&stars_for(&order, "one")).await, Credit::Given(_)));
    assert_eq!(shop.stars(&stars_for(&order, "two")).await, Credit::Review);
    assert_eq!(shop.count("SELECT COUNT(*) FROM unmatched_charges").await, 2);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries").await, 1);
    assert_eq!(shop.days_left().await, i64::from(order.duration_days));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_money_that_a_callback_names_for_a_paid_order_is_kept_once() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    let seen = paid(&order, &order.amount.to_string());
    let invoice = "UPDATE payments SET invoice_id = ?";
    sqlx::query(invoice).bind(&seen.charge_id).execute(&shop.works.db.pool).await.unwrap();
    assert!(matches!(shop.observed(&order, &seen).await, Credit::Given(_)));
    let called = async |transaction: &str| {
        let id = order.id;
        let callback = &Callback {
            signed: true,
            transaction_id: Some(transaction.to_owned()),
            claimed_order: Some(order.order_ref.clone()),
            claimed_state: Some(ObservedState::Paid),
            odd_amount: None,
        };
        let call = shop.works.run("called", Origin::SYSTEM, |work| {
            payment::callback_received(work, id, callback).scope_boxed()
        });
        call.await.unwrap()
    };
    // Two invoices were made for it, and both were paid.
    assert!(matches!(called("tx-Y").await, Triage::Review(_)));
    called("tx-Y").await;
    assert_eq!(called(&seen.charge_id).await, Triage::Duplicate);
    let kept: Vec<(String, i64)> = sqlx::query_as("SELECT charge_id, payment_id FROM unmatched_charges")
        .fetch_all(&shop.works.db.pool)
        .await
        .unwrap();
    assert_eq!(kept, [("tx-Y".to_owned(), order.id.0)]);
    assert_eq!(shop.works.audited("payment_unmatched").await.len(), 1);
    assert_eq!(shop.works.notices_to(ADMIN).await.len(), 1);
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Completed);
    // What another order was paid with is no other money.
    shop.works.clock.advance(TimeDelta::days(1));
    let second = shop.order(ProviderId::Qvapay).await;
    let other = paid(&second, &second.amount.to_string());
    assert!(matches!(shop.observed(&second, &other).await, Credit::Given(_)));
    called(&other.charge_id).await;
    assert_eq!(shop.count("SELECT COUNT(*) FROM unmatched_charges").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn buying_again_extends_from_the_end_and_keeps_the_traffic() {
    let shop = Shop::open().await;
    let traffic = async || -> (Option<u64>, u64) {
        let row = sqlx::query_as("SELECT allowance, used FROM subscriptions");
        row.fetch_one(&shop.works.db.pool).await.unwrap()
    };
    let first = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&first, "one")).await;
    sqlx::query("UPDATE subscriptions SET used = 1000").execute(&shop.works.db.pool).await.unwrap();
    let second = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&second, "two")).await;
    assert_eq!(shop.days_left().await, i64::from(first.duration_days) * 2);
    let bought = first.traffic_mb.unwrap() << 20;
    assert_eq!(traffic().await, (Some(bought - 1000 + bought), 0), "what was left is kept");
    // After the end, days count from now, and neither what was used nor what was left counts.
    sqlx::query("UPDATE subscriptions SET used = 2000").execute(&shop.works.db.pool).await.unwrap();
    shop.works.clock.advance(TimeDelta::days(i64::from(first.duration_days) * 3));
    let third = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&third, "three")).await;
    assert_eq!(shop.days_left().await, i64::from(first.duration_days));
    assert_eq!(traffic().await, (Some(bought), 0));
    assert_eq!(shop.count("SELECT COUNT(*) FROM vpn_configs").await, 1, "its config follows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stars_subscription_renews_to_the_end_telegram_names() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let now = shop.works.clock.now();
    let mut money = stars_for(&order, "first");
    money.subscribed_until = Some(now + TimeDelta::days(30));
    assert!(matches!(shop.stars(&money).await, Credit::Given(_)));
    money.charge.id = "second".to_owned();
    money.subscribed_until = Some(now + TimeDelta::days(60));
    assert!(matches!(shop.stars(&money).await, Credit::Given(_)));
    assert_eq!(shop.stars(&money).await, Credit::Duplicate);
    assert_eq!(shop.days_left().await, 60);
    assert_eq!(shop.count("SELECT COUNT(*) FROM ledger_entries WHERE kind = 'payment'").await, 2);
    assert_eq!(shop.count("SELECT COUNT(*) FROM payments WHERE parent_id IS NOT NULL").await, 1);
}
