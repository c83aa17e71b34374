//! Telegram Stars: the list of transactions, and giving back.

use std::time::Duration;

use serde_json::{Value, json};
use usipipo::clock::{Clock, Timestamp};
use usipipo::ids::UserId;
use usipipo::integrations::payments::stars::{Stars, order_of_payload, payload_of};
use usipipo::integrations::payments::{
    BookEntry, CallbackError, CallbackRequest, ObservedState, OrderHandle, Provider, ProviderError,
    RefundOutcome, Urgency,
};
use usipipo::money::Currency;

use crate::support::bot_api::{Api, bot_at, done, refusal};

fn payment(charge: &str, payload: &str, amount: Value) -> Value {
    json!({"id": charge, "amount": amount, "date": 1795262400, "source": {"type": "user",
        "transaction_type": "invoice_payment", "user": {"id": 6123456789i64}, "invoice_payload": payload}})
}

fn page(rows: Vec<Value>) -> (u16, Value) {
    (200, json!({"ok": true, "result": {"transactions": rows}}))
}

#[tokio::test]
async fn star_transactions_are_read_row_by_row() {
    let rows = vec![
        payment("stxA", "ord_1.v1", json!(250)),
        json!({"id": "stxA", "amount": 250, "date": 2, "receiver": {"type": "user", "user": {"id": 6123456789i64},
            "invoice_payload": "ord_1.v1"}}),
        json!({"id": "stxB", "amount": 5, "date": 3, "source": {"type": "holo", "user": 5, "paid_media": [[]]}}),
        json!({"id": "stxC", "amount": "5.5", "date": 4, "receiver": {"type": "fragment", "withdrawal_state": {}}}),
        json!({"amount": 1}),
        json!("odd"),
    ];
    let api = Api::start(&[page(rows)]).await;
    let page = api.bot().star_transactions(7, 100).await.unwrap();
    assert_eq!(api.only(), ("getStarTransactions".to_owned(), json!({"offset": 7, "limit": 100})));
    assert_eq!(page.rows, 6, "rows that cannot be read count for the next offset");
    let seen: Vec<_> =
        page.transactions.iter().map(|row| (row.id.as_str(), row.amount, row.incoming)).collect();
    assert_eq!(
        seen,
        [
            ("stxA", Some(250), true),
            ("stxA", Some(250), false),
            ("stxB", Some(5), true),
            ("stxC", None, false)
        ]
    );
    assert_eq!(page.transactions[0].user, Some(UserId(6123456789)));
    assert_eq!(page.transactions[0].invoice_payload.as_deref(), Some("ord_1.v1"));
    assert_eq!(page.transactions[2].user, None);
}

fn order(number: &str, charge: Option<&str>) -> OrderHandle {
    OrderHandle { order_ref: format!("ord_{number}"), invoice_id: None, charge_id: charge.map(str::to_owned) }
}

#[tokio::test]
async fn stars_find_an_order_in_the_list_and_read_only_what_is_new() {
    let mut first: Vec<Value> = (0..99).map(|i| payment(&format!("old{i}"), "other", json!(1))).collect();
    first.push(payment("stx1", "ord_1.v1", json!(250)));
    let second = vec![payment("stx2", "ord_2.v1", json!(250.5)), payment("stx3", "ord_3.v1", json!(99))];
    let refund = json!({"id": "stx3", "amount": 99, "date": 9, "receiver": {"type": "user",
        "user": {"id": 6123456789i64}, "invoice_payload": "ord_3.v1"}});
    let third = vec![refund, payment("stx1b", "ord_1.v1", json!(250))];
    let api =
        Api::start(&[page(first), page(second), page(third), page(vec![]), page(vec![]), page(vec![])]).await;
    let stars = Stars::new(api.bot());

    let seen = stars.observe(&order("1", None), Urgency::Now).await.unwrap().unwrap();
    assert_eq!((seen.state, seen.amount.unwrap().to_string()), (ObservedState::Paid, "250".to_owned()));
    assert_eq!((seen.order_ref.as_deref(), seen.charge_id.as_str()), (Some("ord_1"), "stx1"));
    assert_eq!((seen.payer, seen.currency.as_str()), (Some(UserId(6123456789)), "XTR"));
    let refunded = stars.observe(&order("3", None), Urgency::Now).await.unwrap().unwrap();
    assert_eq!(refunded.state, ObservedState::Cancelled);
    let odd = stars.observe(&order("2", None), Urgency::Now).await.unwrap().unwrap();
    assert_eq!((odd.state, odd.amount), (ObservedState::Paid, None), "an odd amount goes to review");
    let again = stars.observe(&order("1", Some("stx1b")), Urgency::Now).await.unwrap().unwrap();
    assert_eq!(again.charge_id, "stx1b");
    assert_eq!(stars.observe(&order("4", None), Urgency::Now).await.unwrap(), None);

    let offsets: Vec<_> = api.calls().iter().map(|call| call.json()["offset"].clone()).collect();
    assert_eq!(offsets, [0, 100, 102, 104, 104, 104]);
}

#[tokio::test]
async fn the_book_of_stars_is_read_from_a_row_on() {
    let mut renewal = payment("stx2", "ord_2.v1", json!(250));
    renewal["source"]["subscription_period"] = json!(2_592_000);
    let mut nobody = payment("stx5", "ord_5.v1", json!(1));
    nobody["source"]["user"] = json!(null);
    let refund = json!({"id": "stx1", "amount": 250, "date": 9, "receiver": {"type": "user",
        "user": {"id": 6123456789i64}, "invoice_payload": "ord_1.v1"}});
    let rows = vec![
        payment("stx0", "of another bot", json!(1)),
        payment("stx1", "ord_1.v1", json!(250)),
        renewal,
        refund,
        payment("stx4", "ord_4.v1", json!(250.5)),
        nobody,
        json!("odd"),
    ];
    let full = (0..100).map(|i| payment(&format!("old{i}"), "other", json!(1))).collect();
    let api = Api::start(&[page(rows), page(full)]).await;
    let stars = Stars::new(api.bot());

    let read = stars.read_book(41).await.unwrap();
    assert_eq!((read.rows, read.is_last), (7, true), "every row moves the mark");
    let entry = |order: &str, charge: &str, amount: Option<i64>, is_refund, subscribed_until| BookEntry {
        order_ref: Some(order.to_owned()).filter(|order| !order.is_empty()),
        at: Some(Timestamp::from_unix(if is_refund { 9 } else { 1795262400 })),
        charge_id: charge.to_owned(),
        amount: amount.map(Into::into),
        currency: Currency::stars(),
        payer: UserId(6123456789),
        is_refund,
        subscribed_until,
    };
    let until = Some(Timestamp::from_unix(1795262400 + 2_592_000));
    assert_eq!(
        read.entries,
        [
            entry("", "stx0", Some(1), false, None),
            entry("ord_1", "stx1", Some(250), false, None),
            entry("ord_2", "stx2", Some(250), false, until),
            entry("ord_1", "stx1", Some(250), true, None),
            entry("ord_4", "stx4", None, false, None),
        ],
        "an odd amount goes to review"
    );
    let read = stars.read_book(48).await.unwrap();
    assert_eq!((read.entries.len(), read.rows, read.is_last), (100, 100, false));
    let asked: Vec<_> = api.calls().iter().map(|call| call.json()).collect();
    assert_eq!(asked, [json!({"offset": 41, "limit": 100}), json!({"offset": 48, "limit": 100})]);
    assert!(stars.book().unwrap().starts_with("stars:"));
    assert!(!stars.book().unwrap().contains("secret"), "the name of the book is the bot's id alone");
}

#[tokio::test]
async fn stars_give_back_once() {
    let ana = UserId(6123456789);
    let answers = [
        done(),
        refusal(400, "Bad Request: CHARGE_ALREADY_REFUNDED"),
        refusal(400, "Bad Request: CHARGE_NOT_FOUND"),
        refusal(500, "Internal Server Error"),
        (429, json!({"ok": false, "error_code": 429, "parameters": {"retry_after": 4}})),
    ];
    let api = Api::start(&answers).await;
    let stars = Stars::new(api.bot());
    assert_eq!(stars.refund("stx1", ana).await.unwrap(), RefundOutcome::Done);
    let expected = json!({"user_id": 6123456789i64, "telegram_payment_charge_id": "stx1"});
    assert_eq!(api.only(), ("refundStarPayment".to_owned(), expected));
    assert_eq!(stars.refund("stx1", ana).await.unwrap(), RefundOutcome::AlreadyDone);
    assert!(matches!(stars.refund("stx1", ana).await, Err(ProviderError::Refused { .. })));
    assert!(matches!(
        stars.refund("stx1", ana).await,
        Err(ProviderError::Unavailable { retry_after: None, .. })
    ));
    let pause = Some(Duration::from_secs(4));
    let error = stars.refund("stx1", ana).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable { retry_after, .. } if retry_after == pause));
}

#[tokio::test]
async fn stars_have_no_callback_and_their_payload_names_the_order() {
    assert_eq!(payload_of("ord_1"), "ord_1.v1");
    assert_eq!(order_of_payload("ord_1.v1"), Some("ord_1"));
    for foreign in ["", "ord_1", "ord_1.v2", "order:1.v1", ".v1", "ord_1.v1 "] {
        assert_eq!(order_of_payload(foreign), None, "{foreign}");
    }
    let stars = Stars::new(bot_at("http://127.0.0.1:9"));
    let request = CallbackRequest { header: &|_| None, body: b"{}", is_get: false };
    let now = Clock::default().now();
    assert!(matches!(stars.authenticate(&request, now), Err(CallbackError::Unauthentic(_))));
}
