//! The counterpart of QvaPay itself: its callbacks are those that the client accepts, its page takes a payment,
//! its controls are reachable over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, Method, StatusCode};
use secrecy::SecretString;
use usipipo::clock::Clock;
use usipipo::demo::qvapay::{Payment, QvapayServer, Settings, Status, Style};
use usipipo::integrations::payments::qvapay::{QvaPay, RateLimit, SignatureRule};
use usipipo::integrations::payments::{Callback, CallbackError, CallbackRequest, InvoiceRequest, Provider};
use usipipo::money::{Currency, Money};
use uuid::Uuid;

const SECRET: &str = "a secret of the app";

/// A delivery as the shop's server got it.
#[derive(Clone)]
struct Got {
    is_get: bool,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// A shop with an invoice at QvaPay. Its server answers callbacks with the statuses it was given, then with 200.
struct Shop {
    qvapay: QvapayServer,
    client: QvaPay,
    clock: Clock,
    invoice: Uuid,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Shop {
    async fn open(answers: &[u16]) -> Self {
        let clock = Clock::default();
        let (hook, got) = listen(answers.to_vec()).await;
        let limit = RateLimit { calls: 1000, per: Duration::from_millis(10) };
        let attempts = vec![Duration::ZERO; 3];
        let settings = Settings::new("app", SecretString::from(SECRET), clock.clone());
        let qvapay = QvapayServer::start(Settings { limit, attempts, ..settings }).await.unwrap();
        let http = QvaPay::http_client().unwrap();
        let client =
            QvaPay::new("app", SecretString::from(SECRET), qvapay.base_url(), SignatureRule::Required, http);
        let request = InvoiceRequest {
            order_ref: "ord_1".to_owned(),
            price: Money::new("4.99".parse().unwrap(), Currency::usd()),
            title: "VPN <30 days> & {{action}}".to_owned(),
            callback_url: hook,
            expires_at: clock.now() + chrono::Duration::hours(1),
            retry: false,
        };
        let invoice = client.create_invoice(&request).await.unwrap().id.parse().unwrap();
        Self { qvapay, client, clock, invoice, got }
    }

    fn read(&self, got: &Got) -> Result<Callback, CallbackError> {
        let header = |name: &str| got.headers.get(name).map(String::as_str);
        let request = CallbackRequest { header: &header, body: &got.body, is_get: got.is_get };
        self.client.authenticate(&request, self.clock.now())
    }

    async fn deliver(&self, style: Style) -> Result<Callback, CallbackError> {
        self.qvapay.deliver(self.invoice, style).await.unwrap();
        let last = self.got.lock().unwrap().last().unwrap().clone();
        self.read(&last)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{}", self.qvapay.base_url(), path.replace("ID", &self.invoice.to_string()))
    }
}

async fn listen(answers: Vec<u16>) -> (String, Arc<Mutex<Vec<Got>>>) {
    let got = Arc::new(Mutex::new(Vec::<Got>::new()));
    let seen = Arc::clone(&got);
    let take = move |method: Method, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| async move {
        let is_get = method == Method::GET;
        let headers =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = if is_get { query.unwrap_or_default().into_bytes() } else { body.to_vec() };
        let mut seen = seen.lock().unwrap();
        seen.push(Got { is_get, headers: headers.collect(), body });
        StatusCode::from_u16(answers.get(seen.len() - 1).copied().unwrap_or(200)).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/payments/qvapay/token", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(take)).into_future());
    (url, got)
}

#[tokio::test]
async fn its_callbacks_are_what_the_client_takes_them_for() {
    let shop = Shop::open(&[]).await;
    let tried = shop.qvapay.pay(shop.invoice, Payment::default()).unwrap().await.unwrap();
    assert_eq!(tried.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [Some(200)]);
    let callback = shop.deliver(Style::Signed).await.unwrap();
    assert!(callback.signed);
    assert_eq!(callback.transaction_id, Some(shop.invoice.to_string()));
    assert_eq!(callback.claimed_order.as_deref(), Some("ord_1"));
    for style in [Style::Forged, Style::Tampered, Style::Stale, Style::Unsigned] {
        let got = shop.deliver(style).await;
        assert!(matches!(got, Err(CallbackError::Unauthentic(_))), "{style:?}: {got:?}");
    }
    let hint = shop.deliver(Style::Get).await.unwrap();
    assert!(!hint.signed);
    assert_eq!(hint.transaction_id, Some(shop.invoice.to_string()));
}

#[tokio::test]
async fn a_callback_follows_the_moved_clock() {
    let shop = Shop::open(&[]).await;
    shop.clock.advance(chrono::Duration::days(40));
    shop.deliver(Style::Signed).await.unwrap();
}

#[tokio::test]
async fn a_callback_is_tried_three_times_and_not_after_a_refusal() {
    for (answers, expected) in [
        (vec![500, 429, 200], vec![Some(500), Some(429), Some(200)]),
        (vec![503, 503, 503, 200], vec![Some(503); 3]),
        (vec![404, 200], vec![Some(404)]),
    ] {
        let shop = Shop::open(&answers).await;
        let tried = shop.qvapay.pay(shop.invoice, Payment::default()).unwrap().await.unwrap();
        assert_eq!(tried.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), expected);
        assert_eq!(shop.qvapay.attempts(), tried);
    }
}

#[tokio::test]
async fn many_at_once_and_none_at_all() {
    let shop = Shop::open(&[]).await;
    let lost = Payment { callback: false, ..Payment::default() };
    assert!(shop.qvapay.pay(shop.invoice, lost).unwrap().await.unwrap().is_empty());
    assert!(shop.got.lock().unwrap().is_empty());
    assert_eq!(shop.qvapay.deliver_at_once(shop.invoice, 50).await.len(), 50);
    assert_eq!(shop.got.lock().unwrap().len(), 50);
}

#[tokio::test]
async fn a_person_pays_on_the_page() {
    let shop = Shop::open(&[]).await;
    let browser = reqwest::Client::new();
    let page = browser.get(shop.url("/pay/ID")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(r#"<button id="pay">"#) && page.contains("4.99"));
    assert!(page.contains("VPN &lt;30 days&gt; &amp; {{action}}"), "{page}");
    for _ in 0..2 {
        let paid = browser.post(shop.url("/pay/ID")).send().await.unwrap().text().await.unwrap();
        assert!(paid.contains("✓ Paid") && !paid.contains("<button"));
    }
    assert_eq!(shop.qvapay.invoice(shop.invoice).unwrap().status, Status::Paid);
    let unknown = browser.get(shop.url("/pay/7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn an_expired_page_takes_no_payment_but_late_money_can_come() {
    let shop = Shop::open(&[]).await;
    shop.clock.advance(chrono::Duration::hours(2));
    let browser = reqwest::Client::new();
    let page = browser.post(shop.url("/pay/ID")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("has expired"));
    assert_eq!(shop.qvapay.invoice(shop.invoice).unwrap().status, Status::Pending);
    drop(shop.qvapay.pay(shop.invoice, Payment::default()));
    assert_eq!(shop.qvapay.invoice(shop.invoice).unwrap().status, Status::Paid);
}

#[tokio::test]
async fn its_controls_are_reachable_over_http() {
    let shop = Shop::open(&[]).await;
    let http = reqwest::Client::new();
    let post = async |path: &str, body: &str| {
        let request =
            http.post(shop.url(path)).header("content-type", "application/json").body(body.to_owned());
        request.send().await.unwrap()
    };
    assert_eq!(post("/_control/faults", r#"{"fault":"lose_reply"}"#).await.status(), 204);
    assert_eq!(post("/_control/faults", r#"{"fault":{"slow":10},"times":2}"#).await.status(), 204);
    assert_eq!(http.delete(shop.url("/_control/faults")).send().await.unwrap().status(), 204);
    assert_eq!(post("/_control/answers", r#""legacy""#).await.status(), 204);
    let payment = r#"{"amount":"5e0","currency":"CUP","status":"received","paid_by":"ana","callback":false}"#;
    assert_eq!(post("/_control/invoices/ID/pay", payment).await.status(), 202);
    assert_eq!(post("/_control/invoices/ID/pay", r#"{"sum":1}"#).await.status(), 422);
    let sent = post("/_control/invoices/ID/deliver", r#"{"style":"forged"}"#).await.text().await.unwrap();
    assert!(sent.contains(r#""status":200"#), "{sent}");
    post("/_control/invoices/ID/deliver", r#"{"times":5}"#).await;
    assert_eq!(shop.got.lock().unwrap().len(), 6);
    let invoices = http.get(shop.url("/_control/invoices")).send().await.unwrap().text().await.unwrap();
    assert!(
        invoices.contains(r#""status":"received""#) && invoices.contains(r#""amount":"5e0""#),
        "{invoices}"
    );
    assert_eq!(post("/_control/invoices/ID/cancel", "").await.status(), 202);
    let calls = http.get(shop.url("/_control/calls")).send().await.unwrap().text().await.unwrap();
    assert_eq!(calls, r#"["POST /v2/create_invoice 200"]"#);
}
