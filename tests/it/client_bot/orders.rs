//! Ordering: one order for two taps, the invoice, QvaPay's link, a changed mind, and orders of others.

use scoped_futures::ScopedFutureExt;
use serde_json::json;
use usipipo::handlers::bots::screens::{Reply, reply_alert};
use usipipo::ids::PaymentId;
use usipipo::models::bot::Language;
use usipipo::models::notice::Notice;
use usipipo::models::outgoing::Body;
use usipipo::services::payment;
use usipipo::work::Origin;

use super::{ANA, BRUNO, House, MESSAGE, press};

const INVOICES: &str = "SELECT COUNT(*) FROM jobs WHERE kind = 'create_invoice'";

#[tokio::test]
async fn stars_show_the_order_and_then_the_invoice() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    let said = house.presses(ANA, "buy:2:stars").await;
    let [Body::Edit { message_id: MESSAGE, ack: Some(_), html, .. }, invoice] = said.bodies()[..] else {
        panic!("{said:?}")
    };
    let order = house.text("SELECT order_ref FROM payments").await;
    assert!(html.contains(&order), "{html}");
    let expected = Body::StarsInvoice {
        title: "VPN 1 month".into(),
        description: "Phone, laptop and tablet, every day.".into(),
        payload: format!("{order}.v1"),
        amount: 250,
    };
    assert_eq!(*invoice, expected);
    assert_eq!(house.number("SELECT message_id FROM payments").await, MESSAGE, "to be edited as it proceeds");
}

#[tokio::test]
async fn two_taps_make_one_order_and_one_invoice() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    house.presses(ANA, "buy:2:stars").await;
    let said = house.presses(ANA, "buy:2:stars").await;
    assert_eq!(said.bodies().len(), 1, "{said:?}");
    assert_eq!(house.count("payments").await, 1);
    house.works.clock.advance(chrono::Duration::minutes(1));
    let said = house.presses(ANA, "buy:2:stars").await;
    assert_eq!(said.bodies().len(), 2, "who comes back later gets the invoice again: {said:?}");
    assert_eq!(house.count("payments").await, 1);
}

#[tokio::test]
async fn qvapay_is_prepared_by_a_job() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    let said = house.presses(ANA, "buy:2:qvapay").await;
    assert!(said.html().contains(&ANA.texts().text("order-preparing").into_string()), "{said:?}");
    assert_eq!(house.number(INVOICES).await, 1);

    house.sql("UPDATE payments SET invoice_id = 'i', invoice_url = 'https://pay.example/i'").await;
    let said = house.presses(ANA, "order:1").await;
    let shown = serde_json::to_string(&said.bodies()).unwrap();
    assert!(shown.contains("https://pay.example/i"), "{shown}");
    assert_eq!(house.number("SELECT COUNT(*) FROM jobs WHERE kind = 'check_payment'").await, 1);
}

#[tokio::test]
async fn an_order_is_edited_where_it_was_last_shown() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    let mut gone = press(ANA, "buy:2:qvapay");
    gone["callback_query"]["message"]["date"] = 0.into();
    house.client(gone).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM payments WHERE message_id IS NULL").await, 1);
    house.presses(ANA, "order:1").await;
    assert_eq!(house.number("SELECT message_id FROM payments").await, MESSAGE);
}

/// A press under another message than the order's.
fn press_elsewhere(data: &str) -> serde_json::Value {
    let mut press = press(ANA, data);
    press["callback_query"]["message"]["message_id"] = (MESSAGE + 1).into();
    press
}

#[tokio::test]
async fn i_have_paid_is_answered_though_the_order_looks_as_before() {
    for (provider, words, jobs) in [("stars", "order-checking", 1), ("qvapay", "order-preparing", 0)] {
        let house = House::new().await;
        house.says(ANA, "/start").await;
        house.presses(ANA, &format!("buy:2:{provider}")).await;
        let elsewhere = house.client(press_elsewhere("order:1")).await;
        assert_eq!(elsewhere.alert(), None, "who comes to look has not said that they paid");
        house.presses(ANA, "order:1").await;
        let said = house.presses(ANA, "order:1").await;
        assert_eq!(said.alert(), Some(ANA.texts().label(words).as_str()), "{provider}");
        assert!(!said.acks()[0].alert, "it passes by");
        let asked = house.number("SELECT COUNT(*) FROM jobs WHERE kind = 'check_payment'").await;
        assert_eq!(asked, jobs, "{provider}: not each time, and not before there is an invoice");
    }
}

#[tokio::test]
async fn an_order_to_pay_is_found_on_the_menu() {
    let house = House::new().await;
    let order = "order:1".to_owned();
    house.order(ANA, 2).await;
    assert!(house.presses(ANA, "home").await.buttons().contains(&order));
    assert!(!house.says(BRUNO, "/start").await.buttons().contains(&order), "nobody else's");
    house.works.clock.advance(chrono::Duration::hours(2));
    assert!(!house.says(ANA, "/start").await.buttons().contains(&order), "it can be paid no more");
    house.order(ANA, 2).await;
    let newer = "order:2".to_owned();
    assert!(house.says(ANA, "/start").await.buttons().contains(&newer));
    house.presses(ANA, "order-cancel:2").await;
    assert!(!house.says(ANA, "/start").await.buttons().contains(&newer));
}

#[tokio::test]
async fn a_message_that_shows_something_else_is_not_overwritten_by_an_order() {
    let bound = "SELECT COUNT(*) FROM payments WHERE message_id IS NOT NULL";
    let house = House::new().await;
    house.says(ANA, "/start").await;
    house.presses(ANA, "buy:2:qvapay").await;
    house.client(press_elsewhere("home")).await;
    assert_eq!(house.number(bound).await, 1, "another message");
    house.presses(ANA, "home").await;
    assert_eq!(house.number(bound).await, 0);
    let (id, before) = (PaymentId(1), house.works.sent_to(ANA.user()).await.len());
    let made = house.works.run::<_, sqlx::Error, _>("invoice", Origin::SYSTEM, move |work| {
        payment::invoice_made(work, id, "inv", "https://pay.example/i").scope_boxed()
    });
    made.await.unwrap();
    assert_eq!(house.works.sent_to(ANA.user()).await.len(), before, "the menu stays");

    house.presses(ANA, "order:1").await;
    assert_eq!(house.number(bound).await, 1);
    house.works.clock.advance(chrono::Duration::hours(2));
    house.presses(ANA, "order:1").await;
    assert_eq!(house.number(bound).await, 0, "an order that is over is not edited any more");
}

#[tokio::test]
async fn what_has_to_be_known_is_told_wherever_the_person_is() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    house.presses(ANA, "buy:2:qvapay").await;
    house.presses(ANA, "home").await;
    let failed = house.works.run::<_, sqlx::Error, _>("failed", Origin::SYSTEM, move |work| {
        payment::invoice_failed(work, PaymentId(1), "no").scope_boxed()
    });
    failed.await.unwrap();
    let told = house.works.sent_to(ANA.user()).await.pop().unwrap();
    let notice = Notice::Order { payment_id: PaymentId(1) };
    assert_eq!(told, Body::Notice { notice, replace: None });
}

#[tokio::test]
async fn a_mind_can_be_changed_once() {
    let house = House::new().await;
    house.order(ANA, 2).await;
    let cancelled = ANA.texts().text("order-cancelled").into_string();
    assert!(house.presses(ANA, "order-cancel:1").await.html().contains(&cancelled));
    assert!(house.presses(ANA, "order-cancel:1").await.html().contains(&cancelled), "it is shown as it is");
    assert_eq!(house.works.audited("order_cancelled").await.len(), 1);
    house.order(ANA, 2).await;
    assert_eq!(house.count("payments").await, 2, "and changed back: a new order");
}

#[tokio::test]
async fn orders_and_configs_of_others_do_not_exist() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.order(ANA, 1).await;
    let payments = "SELECT GROUP_CONCAT(status ORDER BY id) FROM payments";
    let before = house.text(payments).await;
    house.says(BRUNO, "/start").await;
    let presses = [
        "order:1",
        "order-cancel:2",
        "cfg:1",
        "cfg-file:1",
        "cfg-qr:1",
        "cfg-text:1",
        "cfg-name:1",
        "cfg-revoke:1",
        "cfg-revoke-yes:1",
        "cfg-guides:1",
        "cfg-guide:1:ios",
        "add-to:1:outline",
    ];
    for data in presses {
        let theirs = house.presses(BRUNO, data).await;
        let nobodys = house.presses(BRUNO, &data.replacen(['1', '2'], "999", 1)).await;
        assert_eq!(theirs.bodies(), nobodys.bodies(), "{data}");
        assert!(theirs.acks()[0].alert, "{data}");
        assert!(theirs.buttons().contains(&"profile".to_owned()), "{data} shows the menu");
    }
    assert_eq!(house.text(payments).await, before);
    assert_eq!(house.number("SELECT COUNT(*) FROM vpn_configs WHERE status = 'active'").await, 1);
    assert_eq!(house.count("dialogs").await, 0);
}

#[tokio::test]
async fn tampered_data_changes_nothing() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    let data = [
        "",
        "x",
        "home:1",
        "plan:",
        "plan:02",
        "plan:+2",
        "plan:2:2",
        "buy:2:bitcoin",
        "buy:2:stars:1",
        "cfg:1 ",
        "CFG:1",
        "plan:99999999999999999999",
        "trial-take:openvpn",
        "lang:pl",
        "mylogs:-1",
        "mylogs:4294967296",
        "order:9223372036854775807",
        "plan:-9223372036854775808",
        "\u{0}",
        "'; --",
        &"a".repeat(64),
    ];
    let rows = "SELECT (SELECT COUNT(*) FROM payments) + (SELECT COUNT(*) FROM vpn_configs) \
                + (SELECT COUNT(*) FROM subscriptions) + (SELECT COUNT(*) FROM audit_logs)";
    let before = house.number(rows).await;
    for data in data {
        let said = house.presses(ANA, data).await;
        let [ack] = said.acks()[..] else { panic!("{data}: {said:?}") };
        assert!(ack.alert && ack.text.is_some(), "{data}: {said:?}");
        assert!(said.buttons().contains(&"profile".to_owned()), "{data} shows the menu");
    }
    assert_eq!(house.number(rows).await, before);
}

#[tokio::test]
async fn a_button_without_its_message_is_answered_by_a_new_one() {
    let house = House::new().await;
    let gone = {
        let mut press = press(ANA, "plans");
        press["callback_query"]["message"]["date"] = 0.into();
        press
    };
    let inline = {
        let mut press = press(ANA, "plans");
        press["callback_query"]["message"].take();
        press
    };
    for update in [gone, inline] {
        let said = house.client(update).await;
        assert!(matches!(said.bodies()[..], [Body::Ack(_), Body::Text { .. }]), "{said:?}");
        assert!(said.0.iter().all(|(chat, ..)| *chat == ANA.id));
    }
    let mut game = press(ANA, "");
    game["callback_query"]["data"].take();
    game["callback_query"]["game_short_name"] = json!("chess");
    assert!(house.client(game).await.acks()[0].alert);
}

#[tokio::test]
async fn what_is_not_sold_any_more_is_not_ordered() {
    let house = House::with(&[("QVAPAY_APP_ID", ""), ("QVAPAY_APP_SECRET", "")]).await;
    house.says(ANA, "/start").await;
    house.sql("UPDATE plans SET active = FALSE WHERE id = 1").await;
    for data in ["buy:1:stars", "buy:99:stars", "buy:2:qvapay", "plan:1", "plan:99"] {
        assert!(house.presses(ANA, data).await.acks()[0].alert, "{data}");
    }
    assert_eq!(house.count("payments").await, 0);
}

#[tokio::test]
async fn nobody_opens_more_than_ten_unpaid_orders_an_hour() {
    for language in Language::ALL {
        let (house, ana) = (House::new().await, ANA.speaking(*language));
        house.says(ana, "/start").await;
        for n in 1..=10 {
            house.presses(ana, "buy:2:qvapay").await;
            house.presses(ana, &format!("order-cancel:{n}")).await;
        }
        let words = reply_alert(ana.texts(), &Reply::TooManyOrders { most: 10 });
        for data in ["buy:2:qvapay", "buy:2:stars", "buy:3:qvapay"] {
            let said = house.presses(ana, data).await;
            assert_eq!(said.alert(), Some(words.as_str()), "{language}");
        }
        assert_eq!((house.count("payments").await, house.number(INVOICES).await), (10, 10));
        house.says(BRUNO, "/start").await;
        house.presses(BRUNO, "buy:2:qvapay").await;
        assert_eq!(house.count("payments").await, 11, "others are not touched");
        house.works.clock.advance(chrono::Duration::hours(1));
        house.presses(ana, "buy:2:qvapay").await;
        assert_eq!(house.count("payments").await, 12);
        // Paid orders do not count.
        house.sql("UPDATE payments SET status = 'completed', open_key = NULL").await;
        house.presses(ana, "buy:2:qvapay").await;
        assert_eq!(house.count("payments").await, 13);
    }
}
