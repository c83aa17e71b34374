//! The real router, with a database that is closed: 503 tells that a request got as far as the store. So what got there
//! without the secret of a bot or the address of an order would have been stored.

use std::collections::HashMap;

use axum::Router;
use axum::body::to_bytes;
use axum::http::{Method, StatusCode, Uri};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use usipipo::app::App;
use usipipo::clock::Clock;
use usipipo::config::Config;
use usipipo::handlers::http::layers::Edge;
use usipipo::router::router;

use crate::memory::within;
use crate::message::Message;

/// Two, as while rotating.
const SECRETS: [&str; 2] = ["webhook-secret-1", "webhook-secret-0"];
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
const APP_SECRET: &str = "qv_test_app_secret_0123456789abcdef";
/// Bytes; the numbers of `/metrics` are more than any other answer.
const LONGEST_ANSWER: usize = 256 << 10;

struct Server {
    runtime: Runtime,
    router: Router,
}

thread_local! {
    static SERVER: Server = Server::start();
}

pub fn check(input: &[u8]) {
    let Some(message) = Message::read(input) else { return };
    let enough = 4 * LONGEST_ANSWER + 64 * input.len();
    let (status, body) = SERVER.with(|server| within(enough, || server.answer(&message)));
    judge(&message, status);
    for secret in SECRETS.iter().chain([&APP_SECRET]) {
        assert!(!contains(&body, secret.as_bytes()), "a secret was told");
    }
    if status.is_client_error() || status.is_server_error() {
        let head = message.method == Method::HEAD;
        assert!(
            head || serde_json::from_slice::<serde_json::Value>(&body).is_ok(),
            "an error that is no JSON"
        );
    }
}

/// Which answers a request may get.
fn judge(message: &Message<'_>, status: StatusCode) {
    let path = message.uri.path();
    let known = |secret: &str| SECRETS.contains(&secret);
    match status {
        StatusCode::SERVICE_UNAVAILABLE if path.starts_with("/telegram/") => {
            assert!(message.header(SECRET_HEADER).is_some_and(known), "a forged update reached the store");
            assert_eq!(message.method, Method::POST);
        }
        // The look-up of the order: only an address that can be one asks the database.
        StatusCode::SERVICE_UNAVAILABLE if path.starts_with("/payments/") => {
            assert!(is_an_orders(&message.uri), "{path} was looked up");
            assert!([Method::POST, Method::GET, Method::HEAD].contains(&message.method));
        }
        StatusCode::SERVICE_UNAVAILABLE => assert!(["/health", "/health/ready"].contains(&path), "{path}"),
        _ if status.is_server_error() => panic!("{} {path} was answered {status}", message.method),
        _ if status.is_success() => {
            assert!(["/health/live", "/metrics"].contains(&path), "{path} was answered {status}");
        }
        _ => assert!(status.is_client_error(), "{path} was answered {status}"),
    }
}

/// Any spelling of `/payments/{qvapay|stars}/{token}`; the rest of percent-encoding is axum's.
fn is_an_orders(uri: &Uri) -> bool {
    let parts: Vec<&str> = uri.path().split('/').collect();
    let token = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_%".contains(&b));
    matches!(parts[..], ["", "payments", _, order] if token(order) && order.len() <= 3 * 64)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let router = runtime.block_on(async {
            let app = App::build(config(), Clock::default()).expect("the configuration is whole");
            app.works().db.pool().close().await;
            let edge = Edge::new(&app.config().server, app.metrics().clone());
            router(&app, &edge)
        });
        Self { runtime, router }
    }

    fn answer(&self, message: &Message<'_>) -> (StatusCode, Vec<u8>) {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(message.to_request()).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body = to_bytes(body, LONGEST_ANSWER).await.expect("a short answer");
            (parts.status, body.to_vec())
        })
    }
}

fn config() -> Config {
    let (client, support, admin) = ("c".repeat(35), "s".repeat(35), "a".repeat(35));
    let variables = HashMap::from([
        ("PUBLIC_URL", "https://vpn.example.com".to_owned()),
        ("DATABASE_URL", "mysql://nobody@localhost/nothing".to_owned()),
        ("CLIENT_BOT_TOKEN", format!("1001:{client}")),
        ("SUPPORT_BOT_TOKEN", format!("1002:{support}")),
        ("ADMIN_BOT_TOKEN", format!("1003:{admin}")),
        ("TELEGRAM_WEBHOOK_SECRET", SECRETS.join(",")),
        ("SUPERADMIN_TELEGRAM_IDS", "1".to_owned()),
        ("ENCRYPTION_KEYS", format!("k1:{}=", "A".repeat(43))),
        ("QVAPAY_APP_ID", "app".to_owned()),
        ("QVAPAY_APP_SECRET", APP_SECRET.to_owned()),
        ("REQUESTS_PER_SECOND_PER_IP", "10000".to_owned()),
    ]);
    Config::from_lookup(&|name| variables.get(name).cloned()).expect("the configuration is whole")
}
