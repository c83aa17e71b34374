use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::ids::UserId;
use usipipo::models::payment::{Payment, PaymentStatus, ProviderId};
use usipipo::money::Money;
use usipipo::services::payment::{self, CheckoutRefusal, PaymentError};
use usipipo::work::Origin;

use super::{ANA, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn two_taps_make_one_order_that_keeps_its_price() {
    let shop = Shop::open().await;
    let (first, second) = tokio::join!(shop.order(ProviderId::Stars), shop.order(ProviderId::Stars));
    assert_eq!(first.id, second.id);
    sqlx::query("UPDATE plan_prices SET amount = amount * 2").execute(&shop.works.db.pool).await.unwrap();
    let third = shop.order(ProviderId::Stars).await;
    assert_eq!((third.id, third.amount), (first.id, first.amount));
    assert_eq!(shop.count("SELECT COUNT(*) FROM payments").await, 1);
    // Once it has expired, the next tap makes a new one at today's price.
    shop.works.clock.advance(TimeDelta::days(1));
    let fourth = shop.order(ProviderId::Stars).await;
    assert_ne!(fourth.id, first.id);
    assert_eq!(fourth.amount, first.amount * rust_decimal::Decimal::TWO);
    assert_eq!(shop.payment(&first).await.status, PaymentStatus::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qvapay_order_asks_for_its_invoice_once() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    shop.order(ProviderId::Qvapay).await;
    assert_eq!(shop.count("SELECT COUNT(*) FROM jobs WHERE kind = 'create_invoice'").await, 1);
    assert!(order.callback_token.is_some_and(|token| token.len() >= 32), "nobody guesses the address");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_its_owners_and_can_be_cancelled_while_open() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let cancel = async |who: UserId| {
        let id = order.id;
        shop.works
            .run("cancel", Origin::SYSTEM, |work| payment::cancel_order(work, who, id).scope_boxed())
            .await
    };
    assert!(matches!(cancel(UserId(5)).await, Err(PaymentError::Unknown)), "somebody else's");
    assert_eq!(cancel(ANA).await.unwrap().status, PaymentStatus::Cancelled);
    assert!(matches!(cancel(ANA).await, Err(PaymentError::WrongState(PaymentStatus::Cancelled))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkout_lets_only_the_agreed_payment_through() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Stars).await;
    let price = order.price();
    let check = async |payer: UserId, price: &Money, order_ref: Option<&str>| {
        shop.works
            .run("check", Origin::SYSTEM, |work| {
                payment::check_checkout(work, payer, price, order_ref).scope_boxed()
            })
            .await
            .unwrap()
    };
    let named = Some(order.order_ref.as_str());
    assert_eq!(check(ANA, &price, named).await, Ok(()));
    let raise = "UPDATE plan_prices SET amount = amount * 2";
    sqlx::query(raise).execute(&shop.works.db.pool).await.unwrap();
    assert_eq!(check(ANA, &price, named).await, Ok(()), "an order keeps its price");
    assert_eq!(check(UserId(5), &price, named).await, Err(CheckoutRefusal::Foreign));
    assert_eq!(check(ANA, &price, Some("ord_nope")).await, Err(CheckoutRefusal::Unknown));
    assert_eq!(check(ANA, &price, None).await, Err(CheckoutRefusal::Unknown));
    assert_eq!(check(ANA, &Money::stars(1), named).await, Err(CheckoutRefusal::Mismatch));
    let dollars = Money::new(order.amount, usipipo::money::Currency::usd());
    assert_eq!(check(ANA, &dollars, named).await, Err(CheckoutRefusal::Mismatch));
    shop.works.clock.advance(TimeDelta::days(1));
    assert_eq!(check(ANA, &price, named).await, Err(CheckoutRefusal::Expired));
    let again = shop.order(ProviderId::Stars).await;
    let check = async |order: &Payment| check(ANA, &order.price(), Some(order.order_ref.as_str())).await;
    assert_eq!(check(&again).await, Ok(()));
    shop.stars(&super::stars_for(&again, "charge")).await;
    assert_eq!(check(&again).await, Err(CheckoutRefusal::Paid));
    let open = shop.order(ProviderId::Stars).await;
    let set = async |status: &str| {
        sqlx::query("UPDATE payments SET status = ? WHERE id = ?")
            .bind(status)
            .bind(open.id)
            .execute(&shop.works.db.pool)
            .await
            .unwrap();
    };
    for (status, why) in [
        ("cancelled", CheckoutRefusal::Cancelled),
        ("refunded", CheckoutRefusal::Cancelled),
        ("review", CheckoutRefusal::Review),
    ] {
        set(status).await;
        assert_eq!(check(&open).await, Err(why), "{status}");
    }
    set("pending").await;
    sqlx::query("UPDATE plans SET active = FALSE").execute(&shop.works.db.pool).await.unwrap();
    assert_eq!(check(&open).await, Ok(()), "what was ordered can be paid");
}
