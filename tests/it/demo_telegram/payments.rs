//! Telegram Stars.

use serde_json::{Value, json};
use usipipo::demo::telegram::PayError;

use super::{ANA, BOT, World};

fn invoice() -> Value {
    json!({"chat_id": ANA, "title": "VPN", "description": "30 days", "payload": "ord_1", "provider_token": "",
        "currency": "XTR", "prices": [{"label": "VPN", "amount": 250}]})
}

#[tokio::test]
async fn invoices_are_for_stars_alone() {
    let world = World::new().await;
    for (field, value, error) in [
        ("title", json!("x".repeat(33)), "INVOICE_TITLE_INVALID"),
        ("description", json!(""), "INVOICE_DESCRIPTION_INVALID"),
        ("payload", json!("ñ".repeat(65)), "INVOICE_PAYLOAD_INVALID"),
        ("currency", json!("USD"), "CURRENCY_INVALID"),
        ("provider_token", json!("123:TEST"), "PAYMENT_PROVIDER_INVALID"),
        ("prices", json!([]), "STARS_INVOICE_INVALID"),
    ] {
        let mut bad = invoice();
        bad[field] = value;
        assert_eq!(world.fails("sendInvoice", bad).await, format!("Bad Request: {error}"));
    }
}

#[tokio::test]
async fn a_payment_goes_its_whole_way() {
    let world = World::new().await;
    let id = world.ok("sendInvoice", invoice()).await["message_id"].as_i64().unwrap();
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::NotAnswered));

    let declined = (200, r#"{"method":"answerPreCheckoutQuery","ok":false,"error_message":"sold out"}"#);
    let asked = |answer: &'static str| async {
        let paying = world.ana.pay(BOT, id);
        let answering = async {
            let asked = world.hook.updates().len();
            let question = loop {
                let found = world
                    .hook
                    .updates()
                    .into_iter()
                    .skip(asked)
                    .find_map(|mut update| update.get_mut("pre_checkout_query").map(Value::take));
                match found {
                    Some(question) => break question,
                    None => tokio::task::yield_now().await,
                }
            };
            assert_eq!(
                (&question["total_amount"], &question["invoice_payload"]),
                (&json!(250), &json!("ord_1"))
            );
            let mut answer: Value = serde_json::from_str(answer).unwrap();
            answer["pre_checkout_query_id"] = question["id"].clone();
            world.ok("answerPreCheckoutQuery", answer).await;
        };
        tokio::join!(paying, answering).0
    };
    assert_eq!(asked(declined.1).await, Err(PayError::Declined("sold out".into())));
    assert_eq!(world.ana.stars(), 10_000);
    let receipt = asked(r#"{"ok":true}"#).await.unwrap();
    assert!(receipt.charge_id.len() > 100);
    assert_eq!((world.ana.stars(), world.server.stars_of(BOT)), (9_750, 250));
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::AlreadyPaid));
    assert!(world.server.delivered().await);
    let paid = world.hook.updates().pop().unwrap()["message"]["successful_payment"].take();
    assert_eq!(paid["telegram_payment_charge_id"], json!(receipt.charge_id));

    let refund = json!({"user_id": ANA, "telegram_payment_charge_id": receipt.charge_id});
    world.ok("refundStarPayment", refund.clone()).await;
    assert_eq!(world.fails("refundStarPayment", refund).await, "Bad Request: CHARGE_ALREADY_REFUNDED");
    assert_eq!((world.ana.stars(), world.server.stars_of(BOT)), (10_000, 0));
    assert!(world.server.delivered().await);
    assert!(world.hook.updates().pop().unwrap()["message"]["refunded_payment"].is_object());
    let listed = world.ok("getStarTransactions", json!({})).await["transactions"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&json!(receipt.charge_id), &json!(receipt.charge_id)));
    assert_eq!(listed[0]["source"]["invoice_payload"], "ord_1");
    assert_eq!(listed[1]["receiver"]["user"]["id"], ANA);
}

#[tokio::test]
async fn a_checkout_answered_late_is_too_old() {
    let world = World::new().await;
    let id = world.ok("sendInvoice", invoice()).await["message_id"].as_i64().unwrap();
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::NotAnswered));
    let question = world.hook.updates()[0]["pre_checkout_query"]["id"].clone();
    let late =
        world.fails("answerPreCheckoutQuery", json!({"pre_checkout_query_id": question, "ok": true})).await;
    assert!(late.starts_with("Bad Request: query is too old"), "{late}");
}

#[tokio::test]
async fn a_subscription_is_paid_by_link() {
    let world = World::new().await;
    let mut wanted = invoice();
    wanted["subscription_period"] = json!(86_400);
    assert_eq!(
        world.fails("createInvoiceLink", wanted.clone()).await,
        "Bad Request: SUBSCRIPTION_PERIOD_INVALID"
    );
    wanted["subscription_period"] = json!(2_592_000);
    let link = world.ok("createInvoiceLink", wanted).await.as_str().unwrap().to_owned();
    world.hook.approve_payments();
    let receipt = world.ana.pay_link(&link).await.unwrap();
    assert_eq!(receipt.amount, 250);
    assert!(world.server.delivered().await);
    let paid = world.hook.updates().pop().unwrap()["message"]["successful_payment"].take();
    assert_eq!((&paid["is_recurring"], &paid["is_first_recurring"]), (&json!(true), &json!(true)));
    assert!(paid["subscription_expiration_date"].is_number());
    world.ana.pay_link(&link).await.unwrap();
    assert_eq!(world.ok("getMyStarBalance", json!({})).await["amount"], 500);
}
