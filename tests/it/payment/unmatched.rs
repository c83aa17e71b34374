//! Money that fits no order: nothing is given for it, it is seen, and it is settled once.

use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use serde_json::json;
use usipipo::ids::{ChargeId, UserId};
use usipipo::models::notice::{Alert, Notice, OddMoney};
use usipipo::models::payment::{PaymentStatus, ProviderId, UnmatchedCharge};
use usipipo::services::payment::{self, Credit, PaymentError, StarsPayment};
use usipipo::work::Origin;

use super::{ANA, Shop, paid, stars_for};
use crate::story::buy_with_stars;
use crate::support::bot_api::{Api, done};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, by};

async fn open(shop: &Shop) -> Vec<UnmatchedCharge> {
    shop.works.run("reviews", by(ADMIN), |work| payment::reviews(work, 10).scope_boxed()).await.unwrap().1
}

/// Stars of Ana's that name no order of ours.
async fn stray(shop: &Shop, charge: &str) -> StarsPayment {
    let order = shop.order(ProviderId::Stars).await;
    let stray = StarsPayment { order_ref: Some("ord_nosuch".into()), ..stars_for(&order, charge) };
    assert_eq!(shop.stars(&stray).await, Credit::Review);
    stray
}

async fn send_back(shop: &Shop, actor: UserId, id: ChargeId) -> Result<UnmatchedCharge, PaymentError> {
    shop.works.run("back", by(actor), |work| payment::send_charge_back(work, id).scope_boxed()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_those_who_may_refund() {
    let shop = Shop::open().await;
    shop.works.person(ADMIN.0).await;
    let kept = stray(&shop, "one").await;
    assert_eq!(shop.stars(&kept).await, Credit::Duplicate, "told again, kept once");
    let [charge] = &open(&shop).await[..] else { panic!("one") };
    assert_eq!(
        (charge.charge_id.as_str(), charge.payer, charge.amount),
        ("one", Some(ANA), kept.charge.amount)
    );
    let hidden = shop.works.run("reviews", by(ANA), |work| payment::reviews(work, 10).scope_boxed()).await;
    assert!(matches!(hidden, Err(PaymentError::Access(_))));
    let id = charge.id;
    let close = async |who: UserId| {
        let close = shop
            .works
            .run("close", by(who), |work| payment::close_charge(work, id, " given a week ").scope_boxed());
        close.await
    };
    assert!(matches!(close(ANA).await, Err(PaymentError::Access(_))));
    let both = tokio::join!(close(ADMIN), close(ADMIN));
    assert!(both.0.is_ok() != both.1.is_ok(), "once: {both:?}");
    assert!(open(&shop).await.is_empty());
    let audited = shop.works.audited("charge_closed").await;
    assert_eq!((audited.len(), audited[0].user_id), (1, Some(ADMIN)));
    assert!(audited[0].details.contains(r#""reason":"given a week""#), "{audited:?}");
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_go_back_and_telegrams_word_settles_them() {
    let shop = Shop::open().await;
    shop.works.person(ADMIN.0).await;
    let kept = stray(&shop, "one").await;
    let id = open(&shop).await[0].id;
    assert!(matches!(send_back(&shop, ANA, id).await, Err(PaymentError::Access(_))));
    send_back(&shop, ADMIN, id).await.unwrap();
    assert_eq!(shop.count("SELECT COUNT(*) FROM jobs WHERE kind = 'send_back'").await, 1);
    assert_eq!(open(&shop).await.len(), 1, "not before it has gone");
    let reason = "it names no order of ours".to_owned();
    let (provider, amount) = (Some(ProviderId::Stars), kept.charge.money());
    let money = OddMoney { provider, amount, person: Some(ANA), reason };
    let alert = Notice::Alert(Alert::PaymentUnmatched { charge_id: id, money });
    assert_eq!(shop.works.notices_to(ADMIN).await, [alert]);
    let told = async || {
        shop.works
            .run("told", Origin::SYSTEM, |work| {
                payment::stars_refunded(work, None, &kept.charge).scope_boxed()
            })
            .await
            .unwrap()
    };
    assert!(told().await);
    assert!(!told().await, "told again, nothing changes");
    assert!(open(&shop).await.is_empty());
    assert_eq!(shop.works.audited("charge_sent_back").await.len(), 1);
    assert_eq!(shop.works.notices_to(ANA).await, [Notice::ChargeSentBack { charge_id: id }]);
    assert!(matches!(send_back(&shop, ADMIN, id).await, Err(PaymentError::Unknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_qvapay_was_paid_twice_goes_back_by_hand() {
    let shop = Shop::open().await;
    shop.works.person(ADMIN.0).await;
    let order = shop.order(ProviderId::Qvapay).await;
    let first = paid(&order, &order.amount.to_string());
    shop.observed(&order, &first).await;
    let second = usipipo::integrations::payments::Observation { charge_id: "tx-two".into(), ..first };
    assert_eq!(shop.observed(&order, &second).await, Credit::Review);
    let [charge] = &open(&shop).await[..] else { panic!("one") };
    assert_eq!(charge.payment_id, Some(order.id));
    let refused = send_back(&shop, ADMIN, charge.id).await;
    assert!(matches!(refused, Err(PaymentError::RefundByHand(ProviderId::Qvapay))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_gives_it_back_when_told_to() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(501, "Ana", "es");
    ana.send_text(BOT, "/start").unwrap();
    buy_with_stars(&ana, town.popular_plan().await).await;
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    // As if its order had never been ours.
    let keep = "INSERT INTO unmatched_charges (provider, charge_hash, charge_id, payer, currency, reason, created_at) \
                SELECT provider, charge_hash, charge_id, user_id, 'XTR', 'a test', NOW(6) FROM payments";
    sqlx::query(keep).execute(&town.db.pool).await.unwrap();
    let id = ChargeId(town.count("SELECT id FROM unmatched_charges").await);
    let works = town.works();
    let send =
        works.run("send_back", Origin::SYSTEM, |work| payment::send_charge_back(work, id).scope_boxed());
    send.await.unwrap();
    let settled = "SELECT COUNT(*) FROM unmatched_charges WHERE resolved_at IS NOT NULL";
    eventually(Duration::from_secs(30), async || town.count(settled).await == 1).await;
    assert_eq!(town.telegram.calls_of("refundStarPayment").len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_twice_goes_back_alone() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    shop.stars(&stars_for(&order, "one")).await;
    assert_eq!(shop.stars(&stars_for(&order, "two")).await, Credit::Review);
    shop.works.person(ADMIN.0).await;
    let id = open(&shop).await[0].id;
    send_back(&shop, ADMIN, id).await.unwrap();
    let telegram = Api::start(&[done()]).await;
    let _working = shop.work(&telegram);
    eventually(Duration::from_secs(30), async || open(&shop).await.is_empty()).await;
    let expected = json!({ "user_id": ANA, "telegram_payment_charge_id": "two" });
    assert_eq!(telegram.only(), ("refundStarPayment".to_owned(), expected));
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Completed);
    assert_eq!(shop.days_left().await, i64::from(order.duration_days), "what the first bought stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_money_for_an_order_in_review_is_kept_beside_it() {
    let shop = Shop::open().await;
    shop.works.person(ADMIN.0).await;
    let order = shop.order(ProviderId::Stars).await;
    let foreign = |charge, payer| StarsPayment { payer: UserId(payer), ..stars_for(&order, charge) };
    assert_eq!(shop.stars(&foreign("one", 5)).await, Credit::Review);
    assert_eq!(shop.stars(&foreign("one", 5)).await, Credit::Duplicate);
    assert!(open(&shop).await.is_empty());
    assert_eq!(shop.stars(&foreign("two", 6)).await, Credit::Review);
    let [kept] = &open(&shop).await[..] else { panic!("one") };
    assert_eq!((kept.charge_id.as_str(), kept.payer), ("two", Some(UserId(6))));
    assert_eq!(shop.payment(&order).await.charge_id.as_deref(), Some("one"));
    let told = shop.works.notices_to(ADMIN).await;
    let review = |it: &&Notice| matches!(it, Notice::Alert(Alert::PaymentReview { money, .. }) if money.person == Some(UserId(5)));
    assert_eq!((told.len(), told.iter().filter(review).count()), (2, 1), "{told:?}");
}
