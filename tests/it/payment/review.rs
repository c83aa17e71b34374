//! Money that came otherwise than agreed, and a human who lets it count: once, whoever presses how often.

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use serde_json::Value;
use usipipo::ids::UserId;
use usipipo::integrations::payments::Observation;
use usipipo::models::notice::Notice;
use usipipo::models::payment::{Payment, PaymentStatus, ProviderId};
use usipipo::services::books;
use usipipo::services::payment::{self, Credit, PaymentError, StarsPayment};
use usipipo::work::Origin;

use super::{ANA, Shop, paid, stars_for};
use crate::support::works::{ADMIN, SUPERADMIN, by};

async fn accept(shop: &Shop, who: UserId, order: &Payment) -> Result<Payment, PaymentError> {
    let id = order.id;
    shop.works.run("accept", by(who), |work| payment::accept_review(work, id).scope_boxed()).await
}

/// The invariants hold.
async fn is_sound(shop: &Shop) {
    let check = shop.works.run("books", Origin::SYSTEM, |work| books::check(work).scope_boxed());
    assert_eq!(check.await.unwrap(), []);
}

/// A shop with both admins, and an order of Ana's for which QvaPay was paid less than agreed.
async fn too_little() -> (Shop, Payment, Observation) {
    let shop = Shop::open().await;
    for admin in [ADMIN, SUPERADMIN] {
        shop.works.person(admin.0).await;
    }
    let order = shop.order(ProviderId::Qvapay).await;
    let seen = paid(&order, "1.5");
    assert_eq!(shop.observed(&order, &seen).await, Credit::Review);
    (shop, order, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_counts_as_paid_once() {
    let (shop, order, seen) = too_little().await;
    let all = join_all([ADMIN, SUPERADMIN, ADMIN, SUPERADMIN].map(|who| accept(&shop, who, &order))).await;
    assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 1, "{all:?}");
    let over =
        |done: &Result<_, _>| matches!(done, Ok(_) | Err(PaymentError::WrongState(PaymentStatus::Completed)));
    assert!(all.iter().all(over), "{all:?}");
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Completed);
    assert_eq!(shop.days_left().await, i64::from(order.duration_days));
    let ledger =
        "SELECT COUNT(*) FROM ledger_entries WHERE kind = 'payment' AND amount = 1.5 AND currency = 'USD'";
    assert_eq!(shop.count(ledger).await, 1, "what came, and not what was asked");
    assert_eq!(shop.count("SELECT COUNT(*) FROM vpn_configs").await, 1);
    let told = shop.works.notices_to(ANA).await;
    let receipts = told.iter().filter(|it| **it == Notice::Accepted { payment_id: order.id }).count();
    assert_eq!((receipts, told.contains(&Notice::Receipt { payment_id: order.id })), (1, false), "{told:?}");

    let audited = shop.works.audited("review_accepted").await;
    assert_eq!(audited.len(), 1);
    assert!(audited[0].user_id.is_some_and(|who| [ADMIN, SUPERADMIN].contains(&who)));
    let details: Value = serde_json::from_str(&audited[0].details).unwrap();
    assert_eq!((&details["old"], &details["new"]), (&"review".into(), &"completed".into()));
    assert!(details["paid"].as_str().unwrap().contains("1.5") && details["price"] != details["paid"]);
    assert_eq!(shop.works.audited("payment_completed").await[0].user_id, Some(ANA));
    is_sound(&shop).await;

    // QvaPay says it again, as it does.
    assert_eq!(shop.observed(&order, &seen).await, Credit::Duplicate);
    assert_eq!(shop.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    assert_eq!(shop.days_left().await, i64::from(order.duration_days));
    is_sound(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_refund_and_only_in_review() {
    let (shop, order, _) = too_little().await;
    assert!(matches!(accept(&shop, ANA, &order).await, Err(PaymentError::Access(_))));
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Review);
    let open = shop.order(ProviderId::Stars).await;
    let refused = accept(&shop, ADMIN, &open).await;
    assert!(matches!(refused, Err(PaymentError::WrongState(PaymentStatus::Pending))), "{refused:?}");
    let id = order.id;
    let back = shop.works.run("hand", by(ADMIN), |work| payment::refunded_by_hand(work, id).scope_boxed());
    back.await.unwrap();
    let refused = accept(&shop, ADMIN, &order).await;
    assert!(matches!(refused, Err(PaymentError::WrongState(PaymentStatus::Refunded))), "{refused:?}");
    assert_eq!(shop.count("SELECT COUNT(*) FROM subscriptions").await, 0);
    assert_eq!(shop.works.audited("review_accepted").await.len(), 0);
    is_sound(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_of_unknown_amount_is_not_accepted() {
    let (shop, _, seen) = too_little().await;
    let order = shop.order(ProviderId::Qvapay).await;
    let odd = Observation {
        amount: None,
        order_ref: Some(order.order_ref.clone()),
        charge_id: "tx-odd".into(),
        ..seen
    };
    assert_eq!(shop.observed(&order, &odd).await, Credit::Review);
    assert!(matches!(accept(&shop, ADMIN, &order).await, Err(PaymentError::NothingCame)));
    assert_eq!(shop.payment(&order).await.status, PaymentStatus::Review);
    is_sound(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_friend_paid_goes_back_to_the_friend_and_both_are_told() {
    let shop = Shop::open().await;
    shop.works.person(ADMIN.0).await;
    let bruno = shop.works.person(5).await.id;
    let order = shop.order(ProviderId::Stars).await;
    let money = StarsPayment { payer: bruno, ..stars_for(&order, "charge") };
    assert_eq!(shop.stars(&money).await, Credit::Review);
    accept(&shop, ADMIN, &order).await.unwrap();
    assert_eq!(shop.days_left().await, i64::from(order.duration_days));
    is_sound(&shop).await;

    let id = order.id;
    let refund = shop.works.run("refunded", Origin::SYSTEM, |work| payment::refunded(work, id).scope_boxed());
    assert!(refund.await.unwrap());
    assert_eq!(shop.days_left().await, 0);
    let back = Notice::Refunded { payment_id: id, too_late: false };
    assert!(shop.works.notices_to(bruno).await.contains(&back));
    let ana = shop.works.notices_to(ANA).await;
    assert!(!ana.contains(&back) && ana.last() == Some(&Notice::Order { payment_id: id }), "{ana:?}");
    is_sound(&shop).await;
}
