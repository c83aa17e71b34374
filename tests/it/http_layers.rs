//! The layers around the routes, through a real listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use usipipo::config::{Config, ServerConfig};
use usipipo::handlers::http::client_ip::ClientIp;
use usipipo::handlers::http::error::ApiError;
use usipipo::handlers::http::layers::{Edge, PUBLIC_BODY, TELEGRAM_BODY};
use usipipo::telemetry::metrics::Metrics;

use crate::support::log;

/// A server with one route of each kind.
struct Server {
    base: String,
    metrics: Metrics,
    client: Client,
    /// Lets one request to `/slow` go.
    go: Arc<Notify>,
    /// A request to `/slow` has arrived.
    arrived: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    async fn start(config: ServerConfig) -> Self {
        let metrics = Metrics::default();
        let (go, arrived) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let router = routes(&Edge::new(&config, metrics.clone()), go.clone(), arrived.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { base, metrics, client: Client::new(), go, arrived, _task: AbortOnDropHandle::new(task) }
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.client.post(format!("{}{path}", self.base)).body(body).send().await.unwrap()
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.get(format!("{}{path}", self.base));
        let with =
            |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
        headers.iter().fold(request, with).send().await.unwrap()
    }
}

fn routes(edge: &Edge, go: Arc<Notify>, arrived: Arc<Notify>) -> Router {
    let slow = async move || {
        arrived.notify_one();
        go.notified().await;
        "done"
    };
    let length = async |body: Bytes| body.len().to_string();
    let telegram = Router::new().route("/telegram/client", post(length)).route("/slow", get(slow));
    let public = Router::new()
        .route("/payments/qvapay/{token}", post(length))
        .route("/who", get(async |Extension(ip): Extension<ClientIp>| ip.0.to_string()));
    let plain = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("a handler fell over") }))
        .route("/broken", get(async || Err::<(), _>(ApiError::internal(std::io::Error::other("the-cause")))))
        .route("/sick", get(async || (StatusCode::SERVICE_UNAVAILABLE, axum::Json("own JSON"))));
    edge.wrap(edge.telegram(telegram).merge(edge.public(public)).merge(plain))
}

fn config(variables: &[(&str, &str)]) -> ServerConfig {
    let needed = [
        ("PUBLIC_URL", "https://vpn.example.com"),
        ("DATABASE_URL", "mysql://u@localhost/usipipo"),
        ("CLIENT_BOT_TOKEN", "1001:ccccccccccccccccccccccccccccccccccc"),
        ("TELEGRAM_WEBHOOK_SECRET", "0123456789abcdef"),
        ("SUPERADMIN_TELEGRAM_IDS", "42"),
        ("ENCRYPTION_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ];
    let all: Vec<_> = variables.iter().chain(&needed).collect();
    let lookup = |name: &str| all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::from_lookup(&lookup).unwrap().server
}

/// Status, code, and whether the id in the body is the one in the header.
async fn error(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["request_id"], id);
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_does_not_exist_is_404_and_a_wrong_method_405_in_json() {
    let server = Server::start(config(&[])).await;
    assert_eq!(error(server.get("/nothing/here").await).await, (404, "not_found".into()));
    let response = server.get("/telegram/client").await;
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(error(response).await, (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_route_allows_and_no_larger() {
    let server = Server::start(config(&[])).await;
    for (path, limit) in [("/telegram/client", TELEGRAM_BODY), ("/payments/qvapay/t0ken", PUBLIC_BODY)] {
        let fits = server.post(path, vec![b'x'; limit]).await;
        assert_eq!(fits.text().await.unwrap(), limit.to_string());
        let announced = server.post(path, vec![b'x'; limit + 1]).await;
        assert_eq!(error(announced).await, (413, "payload_too_large".into()));
        let parts = [vec![b'x'; limit], vec![b'x']].map(Ok::<_, std::io::Error>);
        let chunked = server.post(path, reqwest::Body::wrap_stream(futures::stream::iter(parts))).await;
        assert_eq!(error(chunked).await, (413, "payload_too_large".into()));
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let server = Server::start(config(&[])).await;
    let response = server.get("/panic").await;
    assert_eq!(error(response).await, (500, "internal_server_error".into()));
    assert_eq!(server.get("/who").await.status(), StatusCode::OK, "the server lives on");
    assert!(server.metrics.render().contains(r#"usipipo_panics_total{place="http"} 1"#));
}

#[tokio::test]
async fn an_answer_that_is_json_already_passes_as_it_is() {
    let server = Server::start(config(&[])).await;
    let response = server.get("/sick").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.text().await.unwrap(), r#""own JSON""#);
}

#[tokio::test]
async fn load_beyond_the_limit_is_shed_and_other_routes_go_on() {
    let server = Arc::new(Server::start(config(&[("MAX_CONCURRENT_REQUESTS", "1")])).await);
    let first = tokio::spawn({
        let server = server.clone();
        async move { server.get("/slow").await.status() }
    });
    server.arrived.notified().await;
    let second = server.post("/telegram/client", "{}").await;
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(error(second).await, (503, "service_unavailable".into()));
    assert_eq!(
        server.get("/who").await.status(),
        StatusCode::OK,
        "another group of routes has places of its own"
    );
    server.go.notify_one();
    assert_eq!(first.await.unwrap(), StatusCode::OK);
    assert_eq!(
        server.post("/telegram/client", "{}").await.status(),
        StatusCode::OK,
        "the place is free again"
    );
    assert!(server.metrics.render().contains(r#"usipipo_rate_limited_total{limit="concurrency"} 1"#));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let mut config = config(&[]);
    config.request_timeout = Duration::from_millis(1);
    let server = Server::start(config).await;
    let response = server.get("/slow").await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(error(response).await, (503, "service_unavailable".into()));
}

#[tokio::test]
async fn one_address_cannot_flood_the_public_routes() {
    let server =
        Server::start(config(&[("REQUESTS_PER_SECOND_PER_IP", "1"), ("TRUSTED_PROXIES", "127.0.0.1")])).await;
    let from = async |ip: &str| server.get_with("/who", &[("x-forwarded-for", ip)]).await;
    let mut refused = None;
    for _ in 0..50 {
        let response = from("203.0.113.9").await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("50 requests are more than a burst of 5");
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(error(refused).await, (429, "too_many_requests".into()));
    assert_eq!(from("203.0.113.10").await.status(), StatusCode::OK, "its neighbour is not touched");
    assert_eq!(server.post("/telegram/client", "{}").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_forged_address_is_believed_from_a_proxy_only() {
    let open = Server::start(config(&[])).await;
    let seen = open.get_with("/who", &[("x-forwarded-for", "198.51.100.1")]).await.text().await.unwrap();
    assert_eq!(seen, "127.0.0.1", "nobody is a proxy");

    let behind = Server::start(config(&[("TRUSTED_PROXIES", "127.0.0.1")])).await;
    let forged = [("x-forwarded-for", "10.9.8.7, 198.51.100.1")];
    assert_eq!(behind.get_with("/who", &forged).await.text().await.unwrap(), "198.51.100.1");
    let two_lines = [("x-forwarded-for", "10.9.8.7"), ("x-forwarded-for", "198.51.100.1")];
    assert_eq!(behind.get_with("/who", &two_lines).await.text().await.unwrap(), "198.51.100.1");
}

#[tokio::test]
async fn a_request_id_is_kept_from_a_proxy_and_replaced_from_anybody_else() {
    let id = async |server: &Server, sent: &str| {
        let response = server.get_with("/who", &[("x-request-id", sent)]).await;
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    let behind = Server::start(config(&[("TRUSTED_PROXIES", "127.0.0.0/8")])).await;
    assert_eq!(id(&behind, "0123456789abcdef").await, "0123456789abcdef");
    let nonsense = "x".repeat(65);
    for bad in ["short", "with spaces in it", nonsense.as_str()] {
        assert_ne!(id(&behind, bad).await, bad);
    }
    let open = Server::start(config(&[])).await;
    assert_ne!(id(&open, "0123456789abcdef").await, "0123456789abcdef");
}

#[tokio::test]
async fn numbers_carry_the_route_and_never_the_path() {
    let server = Server::start(config(&[])).await;
    server.post("/payments/qvapay/s3cr3t-t0ken?also=s3cr3t", "{}").await;
    server.get("/s3cr3t").await;
    let text = server.metrics.render();
    assert!(
        text.contains(r#"usipipo_http_requests_total{route="/payments/qvapay/{token}",status="200"} 1"#),
        "{text}"
    );
    assert!(text.contains(r#"usipipo_http_requests_total{route="unmatched",status="404"} 1"#), "{text}");
    assert!(!text.contains("s3cr3t"));
}

#[tokio::test]
async fn a_request_is_one_log_line_with_its_fields_and_without_secrets() {
    log::capture();
    let server = Server::start(config(&[("TRUSTED_PROXIES", "127.0.0.1")])).await;
    let id = uuid::Uuid::now_v7().to_string();
    let request = server.client.post(format!("{}/payments/qvapay/s3cr3t-t0ken?also=s3cr3t", server.base));
    let request = request.header("x-request-id", &id).header("x-forwarded-for", "198.51.100.1");
    request.header("authorization", "s3cr3t").body("s3cr3t").send().await.unwrap();

    let lines = log::lines_with(&id);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(lines[0]["message"], "answered");
    assert_eq!(lines[0]["status"], 200);
    let span = &lines[0]["span"];
    assert_eq!(span["route"], "/payments/qvapay/{token}");
    assert_eq!(span["client_ip"], "198.51.100.1");
    assert_eq!(span["method"], "POST");
    assert!(!format!("{lines:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn the_cause_of_a_500_is_logged_once_beside_the_line_of_its_request() {
    log::capture();
    let server = Server::start(config(&[("TRUSTED_PROXIES", "127.0.0.1")])).await;
    let id = uuid::Uuid::now_v7().to_string();
    let body = server.get_with("/broken", &[("x-request-id", &id)]).await.text().await.unwrap();
    assert!(!body.contains("the-cause"), "{body}");

    let lines = log::lines_with(&id);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!((&lines[0]["level"], &lines[0]["error"]), (&"ERROR".into(), &"the-cause".into()));
    assert_eq!(lines[1]["status"], 500);
}
