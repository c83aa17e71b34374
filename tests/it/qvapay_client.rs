//! The QvaPay client against its counterpart, over real HTTP. What happened is read from the counterpart's state.

use std::time::Duration;

use secrecy::SecretString;
use usipipo::clock::{Clock, Timestamp};
use usipipo::demo::qvapay::{Answers, Fault, Payment, QvapayServer, Settings, Status};
use usipipo::ids::UserId;
use usipipo::integrations::payments::qvapay::{QvaPay, RateLimit, SignatureRule};
use usipipo::integrations::payments::{
    InvoiceRequest, Observation, ObservedState, OrderHandle, Provider, ProviderError, RefundOutcome, Urgency,
};
use usipipo::money::{Currency, Money};

const SECRET: &str = "a secret of the app";
/// So loose that only the tests about limits meet it.
const LOOSE: RateLimit = RateLimit { calls: 1000, per: Duration::from_millis(20) };

async fn counterpart(limit: RateLimit) -> QvapayServer {
    let settings = Settings { limit, ..Settings::new("app", SecretString::from(SECRET), Clock::default()) };
    QvapayServer::start(settings).await.unwrap()
}

fn client(server: &QvapayServer, limit: RateLimit) -> QvaPay {
    client_with(server.base_url(), SECRET, QvaPay::http_client().unwrap()).with_limit(limit)
}

fn client_with(url: &str, secret: &str, http: reqwest::Client) -> QvaPay {
    QvaPay::new("app", SecretString::from(secret), url, SignatureRule::Required, http).with_limit(LOOSE)
}

async fn pair() -> (QvapayServer, QvaPay) {
    let server = counterpart(LOOSE).await;
    let client = client(&server, LOOSE);
    (server, client)
}

fn usd(amount: &str) -> Money {
    Money::new(amount.parse().unwrap(), Currency::usd())
}

fn request(order: &str) -> InvoiceRequest {
    InvoiceRequest {
        order_ref: order.to_owned(),
        // As the database gives it back.
        price: usd("4.99000000"),
        title: "VPN 30 días".to_owned(),
        callback_url: "http://127.0.0.1:9/payments/qvapay/token".to_owned(),
        expires_at: Timestamp::from_unix(4_100_000_000),
        retry: false,
    }
}

fn again(order: &str) -> InvoiceRequest {
    InvoiceRequest { retry: true, ..request(order) }
}

fn handle(order: &str, invoice: Option<&str>) -> OrderHandle {
    OrderHandle { order_ref: order.to_owned(), invoice_id: invoice.map(str::to_owned), charge_id: None }
}

fn unpaid_callback(payment: Payment) -> Payment {
    Payment { callback: false, ..payment }
}

async fn observe(client: &QvaPay, order: &str, invoice: &str) -> Observation {
    client
        .observe(&handle(order, Some(invoice)), Urgency::Now)
        .await
        .unwrap()
        .expect("QvaPay knows the invoice")
}

#[tokio::test]
async fn an_invoice_is_made_as_asked() {
    let (server, client) = pair().await;
    let made = client.create_invoice(&request("ord_1")).await.unwrap();
    let [invoice] = &server.invoices()[..] else { panic!("one invoice") };
    assert_eq!(made.id, invoice.uuid.to_string());
    assert_eq!(made.url, format!("{}/pay/{}", server.base_url(), made.id));
    assert_eq!((invoice.amount.as_str(), invoice.remote_id.as_str()), ("4.99", "ord_1"));
    assert_eq!(invoice.description, "VPN 30 días");
    assert_eq!(invoice.webhook.as_deref(), Some("http://127.0.0.1:9/payments/qvapay/token"));
    assert_eq!(invoice.expires_at, Some(Timestamp::from_unix(4_100_000_000)));
    assert_eq!(server.calls(), ["POST /v2/create_invoice 200"], "the first try needs no search");
}

#[tokio::test]
async fn an_answer_that_is_lost_on_its_way_makes_no_second_invoice() {
    for answers in [Answers::V2, Answers::Legacy] {
        for fault in [Fault::LoseReply, Fault::CutAnswer, Fault::Garbage] {
            let (server, client) = pair().await;
            server.answer_as(answers);
            server.fault(fault, 1);
            let made = client.create_invoice(&request("ord_1")).await.unwrap();
            let [invoice] = &server.invoices()[..] else { panic!("{fault:?}: one invoice") };
            assert_eq!(made.id, invoice.uuid.to_string());
            assert_eq!(made.url, format!("{}/pay/{}", server.base_url(), made.id));
        }
    }
}

#[tokio::test]
async fn a_later_try_finds_what_the_first_one_made() {
    // This QvaPay would make a second invoice for a repeated order.
    let (server, client) = pair().await;
    server.answer_as(Answers::Legacy);
    server.fault(Fault::LoseReply, 1);
    server.fault(Fault::Error500, 1);
    let lost = client.create_invoice(&request("ord_1")).await;
    assert!(matches!(lost, Err(ProviderError::Unavailable { .. })), "{lost:?}");
    let made = client.create_invoice(&again("ord_1")).await.unwrap();
    let [invoice] = &server.invoices()[..] else { panic!("one invoice") };
    assert_eq!(made.id, invoice.uuid.to_string());
}

#[tokio::test]
async fn a_repeated_order_is_answered_with_its_invoice() {
    let (server, client) = pair().await;
    let first = client.create_invoice(&request("ord_1")).await.unwrap();
    let second = client.create_invoice(&request("ord_1")).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(server.invoices().len(), 1);
    assert!(server.calls().contains(&"POST /v2/create_invoice 409".to_owned()));
}

#[tokio::test]
async fn what_did_not_happen_is_tried_later() {
    let http = reqwest::Client::builder().http1_only().timeout(Duration::from_secs(2)).build().unwrap();
    for fault in [Fault::HangUp, Fault::Silent, Fault::Error500] {
        let server = counterpart(LOOSE).await;
        let client = client_with(server.base_url(), SECRET, http.clone());
        server.fault(fault, 1);
        let failed = client.create_invoice(&request("ord_1")).await;
        assert!(matches!(failed, Err(ProviderError::Unavailable { .. })), "{fault:?}: {failed:?}");
        assert!(server.invoices().is_empty());
        client.create_invoice(&again("ord_1")).await.unwrap();
        assert_eq!(server.invoices().len(), 1);
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let (server, client) = pair().await;
    server.fault(Fault::Slow(300), 1);
    client.create_invoice(&request("ord_1")).await.unwrap();
    assert_eq!(server.invoices().len(), 1);
}

#[tokio::test]
async fn a_host_that_refuses_is_unavailable() {
    let (server, client) = pair().await;
    drop(server);
    let failed = client.create_invoice(&request("ord_1")).await;
    let Err(error @ ProviderError::Unavailable { .. }) = failed else { panic!("{failed:?}") };
    assert!(!error.to_string().contains(SECRET));
}

#[tokio::test]
async fn wrong_credentials_are_refused_at_once() {
    let server = counterpart(LOOSE).await;
    let client = client_with(server.base_url(), "another secret", QvaPay::http_client().unwrap());
    for failed in [
        client.create_invoice(&request("ord_1")).await.map(|_| ()),
        client.observe(&handle("ord_1", None), Urgency::Now).await.map(|_| ()),
        client
            .observe(&handle("ord_1", Some("7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44")), Urgency::Now)
            .await
            .map(|_| ()),
        client.check().await.map(|_| ()),
    ] {
        assert!(matches!(failed, Err(ProviderError::Refused { .. })), "{failed:?}");
    }
    assert_eq!(server.calls().len(), 4, "none of them was tried twice");
}

#[tokio::test]
async fn a_price_that_qvapay_cannot_have_never_leaves() {
    let (server, client) = pair().await;
    let prices = [Money::stars(50), usd("0"), usd("-1"), usd("4.999"), usd("100000.01")];
    for price in prices {
        let failed = client.create_invoice(&InvoiceRequest { price, ..request("ord_1") }).await;
        assert!(matches!(failed, Err(ProviderError::Refused { .. })), "{failed:?}");
    }
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn every_call_keeps_to_the_limit_and_none_fails() {
    let limit = RateLimit { calls: 3, per: Duration::from_millis(250) };
    let server = counterpart(limit).await;
    let client = client(&server, limit);
    let orders: Vec<_> = (0..8).map(|n| format!("ord_{n}")).collect();
    let requests: Vec<_> = orders.iter().map(|order| request(order)).collect();
    let made = futures::future::join_all(requests.iter().map(|request| client.create_invoice(request))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(server.calls(), vec!["POST /v2/create_invoice 200"; 8]);
}

#[tokio::test]
async fn whose_turn_is_far_is_sent_away() {
    let limit = RateLimit { calls: 3, per: Duration::from_millis(300) };
    let server = counterpart(limit).await;
    let client = client(&server, limit);
    let requests: Vec<_> = (0..30).map(|n| request(&format!("ord_{n}"))).collect();
    let made = futures::future::join_all(requests.iter().map(|request| client.create_invoice(request))).await;
    let calls = server.calls();
    assert!(calls.iter().all(|call| call == "POST /v2/create_invoice 200"), "{calls:?}");
    let refused = made
        .iter()
        .filter(|made| matches!(made, Err(ProviderError::Busy { after, .. }) if *after >= limit.per));
    let refused = refused.count();
    assert_eq!(refused + calls.len(), 30, "{made:?}");
    assert_eq!(calls.len(), 9, "three at once, and two rounds that wait: {calls:?}");
    // Asking about unpaid orders waits behind them, however long that takes.
    client
        .observe(&handle("ord_0", Some(&server.invoices()[0].uuid.to_string())), Urgency::Whenever)
        .await
        .unwrap();
}

#[tokio::test]
async fn too_many_calls_are_made_again_then_given_back() {
    let (server, client) = pair().await;
    server.fault(Fault::TooMany, 2);
    client.check().await.unwrap();
    assert_eq!(server.calls(), ["POST /v2/info 429", "POST /v2/info 429", "POST /v2/info 200"]);
    server.fault(Fault::TooMany, 3);
    assert!(matches!(client.check().await, Err(ProviderError::Unavailable { .. })));
}

#[tokio::test]
async fn a_transaction_is_read_in_both_shapes() {
    for answers in [Answers::V2, Answers::Legacy] {
        let (server, client) = pair().await;
        server.answer_as(answers);
        let made = client.create_invoice(&request("ord_1")).await.unwrap();
        let id = server.invoices()[0].uuid;
        assert_eq!(observe(&client, "ord_1", &made.id).await.state, ObservedState::Pending);
        for status in [Status::Processing, Status::Received, Status::Unheard] {
            drop(server.pay(id, unpaid_callback(Payment { status, ..Payment::default() })));
            assert_eq!(observe(&client, "ord_1", &made.id).await.state, ObservedState::Pending, "{status:?}");
        }
        drop(server.pay(id, unpaid_callback(Payment::default())));
        let seen = observe(&client, "ord_1", &made.id).await;
        let expected = Observation {
            state: ObservedState::Paid,
            amount: Some("4.99".parse().unwrap()),
            currency: Currency::usd(),
            order_ref: Some("ord_1".to_owned()),
            charge_id: made.id.clone(),
            payer: None,
        };
        assert_eq!(seen, expected);
        let by_order = client.observe(&handle("ord_1", None), Urgency::Now).await.unwrap();
        assert_eq!(by_order, Some(expected));
    }
}

#[tokio::test]
async fn money_is_shown_as_it_came() {
    let cases = [
        (Answers::V2, "5e0", None, Some("5"), "USD"),
        (Answers::Legacy, "5e0", None, None, "USD"),
        (Answers::Legacy, "+5.00", None, None, "USD"),
        (Answers::V2, "-4.99", None, None, "USD"),
        (Answers::V2, "NaN", None, None, "USD"),
        (Answers::V2, "0.01", None, Some("0.01"), "USD"),
        (Answers::V2, "4.99", Some("QUSD"), Some("4.99"), "USD"),
        (Answers::V2, "4.99", Some("CUP"), Some("4.99"), "CUP"),
        (Answers::Legacy, "4.99", Some("dollars?"), None, "USD"),
    ];
    for (answers, amount, currency, expected, in_currency) in cases {
        let (server, client) = pair().await;
        server.answer_as(answers);
        let made = client.create_invoice(&request("ord_1")).await.unwrap();
        let payment = Payment {
            amount: Some(amount.to_owned()),
            currency: currency.map(str::to_owned),
            ..Payment::default()
        };
        drop(server.pay(server.invoices()[0].uuid, unpaid_callback(payment)));
        let seen = observe(&client, "ord_1", &made.id).await;
        assert_eq!(seen.amount, expected.map(|amount| amount.parse().unwrap()), "{amount} {currency:?}");
        assert_eq!(seen.currency.as_str(), in_currency);
    }
}

#[tokio::test]
async fn what_qvapay_does_not_know_is_none() {
    let (server, client) = pair().await;
    client.create_invoice(&request("ord_1")).await.unwrap();
    let other = "7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44";
    assert_eq!(client.observe(&handle("ord_2", Some(other)), Urgency::Now).await.unwrap(), None);
    assert_eq!(client.observe(&handle("ord_2", None), Urgency::Now).await.unwrap(), None);
    assert!(server.cancel(server.invoices()[0].uuid));
    let seen = client.observe(&handle("ord_1", None), Urgency::Now).await.unwrap().unwrap();
    assert_eq!(seen.state, ObservedState::Cancelled);
}

#[tokio::test]
async fn an_order_is_found_beyond_the_first_page() {
    for answers in [Answers::V2, Answers::Legacy] {
        let (server, client) = pair().await;
        server.answer_as(answers);
        for n in 0..130 {
            client.create_invoice(&request(&format!("ord_{n}"))).await.unwrap();
        }
        let seen = client.observe(&handle("ord_3", None), Urgency::Now).await.unwrap().unwrap();
        assert_eq!(seen.charge_id, server.invoices()[3].uuid.to_string());
        assert_eq!(client.observe(&handle("ord_none", None), Urgency::Now).await.unwrap(), None);
    }
}

#[tokio::test]
async fn of_two_invoices_for_an_order_the_paid_one_counts() {
    let (server, client) = pair().await;
    server.answer_as(Answers::Legacy);
    client.create_invoice(&request("ord_1")).await.unwrap();
    client.create_invoice(&request("ord_1")).await.unwrap();
    let paid = server.invoices()[0].uuid;
    drop(server.pay(paid, unpaid_callback(Payment::default())));
    let seen = client.observe(&handle("ord_1", None), Urgency::Now).await.unwrap().unwrap();
    assert_eq!((seen.state, seen.charge_id), (ObservedState::Paid, paid.to_string()));
}

#[tokio::test]
async fn a_refund_names_whom_to_pay_back() {
    let (server, client) = pair().await;
    let made = client.create_invoice(&request("ord_1")).await.unwrap();
    let payment = Payment { paid_by: "yusnier".to_owned(), ..Payment::default() };
    drop(server.pay(server.invoices()[0].uuid, unpaid_callback(payment)));
    let outcome: Result<RefundOutcome, _> = client.refund(&made.id, UserId(7)).await;
    let Err(error @ ProviderError::Refused { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("the QvaPay user yusnier by hand"), "{error}");
}

#[tokio::test]
async fn doctor_is_told_the_app() {
    let (_server, client) = pair().await;
    assert_eq!(client.check().await.unwrap(), "the app Demo shop takes payments");
}
