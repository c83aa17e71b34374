//! What nginx lets through, what it keeps out, what it tells the server and what it notes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::client_bot::{ANA, message};
use crate::support::door::SECRET_HEADER;
use crate::support::nginx::{CONF, DOMAIN, HTTP, Nginx, Prefix, program};
use crate::support::ports;
use crate::support::skip::skip;
use crate::support::town::{BOT, SECRET, Town};

/// A copy of the server that tells what reached it.
struct Copy {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Copy {
    async fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let echo = async move |headers: HeaderMap, body: Bytes| {
            counted.fetch_add(1, Ordering::Relaxed);
            let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let (ip, id, host) = (text("x-forwarded-for"), text("x-request-id"), text("host"));
            axum::Json(json!({ "ip": ip, "id": id, "host": host, "length": body.len() }))
        };
        let router = Router::new().fallback(echo).layer(DefaultBodyLimit::disable());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, requests, _task: AbortOnDropHandle::new(task) }
    }
}

/// A copy that dies after it has read a request.
async fn dying_copy() -> (SocketAddr, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
        }
    });
    (address, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn the_configuration_is_valid_and_gives_no_warning() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let (http, https) = (ports::address(), ports::address());
    for conf in [CONF.to_owned(), only_telegram()] {
        let prefix = Prefix::new(&conf, http.port(), https.port(), &["127.0.0.1:1".parse().unwrap()]);
        let output = prefix.nginx(&["-t"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("[warn]"), "{said}");
    }
}

/// The first certificate is got while there is none.
#[tokio::test]
async fn port_80_answers_the_certificate_authority_without_a_certificate() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let nginx = Nginx::start_with(HTTP, "http", &[]).await;
    for name in ["fullchain.pem", "privkey.pem"] {
        std::fs::remove_file(nginx.prefix.0.join(name)).unwrap();
    }
    assert!(nginx.prefix.nginx(&["-t"]).status().unwrap().success());
    let challenges = nginx.prefix.0.join("www/.well-known/acme-challenge");
    std::fs::create_dir_all(&challenges).unwrap();
    std::fs::write(challenges.join("token"), "token.thumbprint").unwrap();
    let answer = nginx.get("/.well-known/acme-challenge/token").await;
    assert_eq!(answer.text().await.unwrap(), "token.thumbprint");
    let other = nginx.get("/telegram/client").await;
    assert_eq!(other.status(), 301);
    assert_eq!(other.headers()["location"], format!("https://{DOMAIN}/telegram/client"));
}

/// The file with its optional allow list switched on.
fn only_telegram() -> String {
    let conf = CONF.replace("#allow ", "allow ").replace("#deny all;", "deny all;");
    assert_ne!(conf, CONF);
    conf
}

#[tokio::test]
async fn the_server_learns_the_callers_address_and_not_what_the_caller_claims() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let copy = Copy::start().await;
    let nginx = Nginx::start(CONF, &[copy.address]).await;
    let request = nginx.client.get(format!("{}/sub/t0ken", nginx.base));
    let request = request.header("x-forwarded-for", "198.51.100.1").header("x-request-id", "forged-forged");
    let seen: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["ip"], "127.0.0.1");
    assert_eq!(seen["host"], DOMAIN);
    let id = seen["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
}

#[tokio::test]
async fn bodies_may_be_as_large_as_the_server_takes_them() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let copy = Copy::start().await;
    let nginx = Nginx::start(CONF, &[copy.address]).await;
    for (path, limit) in
        [("/telegram/client", 1 << 20), ("/payments/qvapay/t0ken", 64 << 10), ("/", 64 << 10)]
    {
        let fits: Value = nginx.post(path, limit).await.json().await.unwrap();
        assert_eq!(fits["length"], limit, "{path}");
        // Announced, and so refused before a byte of it is sent.
        let request = nginx.client.post(format!("{}{path}", nginx.base)).header("expect", "100-continue");
        let refused = request.body(vec![b'x'; limit + 1]).send().await.unwrap();
        assert_eq!(refused.status(), 413, "{path}");
        assert_eq!(refused.headers()["content-type"], "application/json");
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"]["code"], "payload_too_large");
    }
    assert_eq!(copy.requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn no_log_holds_a_token_whatever_goes_wrong() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let copy = Copy::start().await;
    let nginx = Nginx::start(CONF, &[copy.address]).await;
    let paths =
        ["/payments/qvapay/s3cr3t", "/sub/s3cr3t", "/telegram/client?s3cr3t", "/s3cr3t", "/health/s3cr3t"];
    for path in paths {
        assert_eq!(nginx.get(path).await.status(), 200);
        nginx.post(path, (1 << 20) + 1).await;
    }
    for _ in 0..60 {
        nginx.get("/payments/qvapay/s3cr3t").await;
    }
    drop(copy);
    for path in paths {
        nginx.get(path).await;
    }
    let access = nginx.prefix.log("usipipo.access.log");
    assert!(access.contains(" GET /payments/qvapay/... 200 "), "{access}");
    assert!(access.contains(" POST /telegram/client 413 "), "{access}");
    assert!(access.contains(" GET /payments/qvapay/... 429 "), "{access}");
    assert!(access.contains(" GET /telegram/client 502 "), "{access}");
    for log in ["usipipo.access.log", "usipipo.error.log"] {
        assert!(!nginx.prefix.log(log).contains("s3cr3t"), "{log}");
    }
}

#[tokio::test]
async fn a_copy_that_dies_costs_no_delivery_and_repeats_nothing_else() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let (dying, _task) = dying_copy().await;
    let copy = Copy::start().await;
    let nginx = Nginx::start(CONF, &[dying, copy.address]).await;
    for path in ["/telegram/client", "/payments/qvapay/t0ken"] {
        for _ in 0..4 {
            assert_eq!(nginx.post(path, 2).await.status(), 200, "{path}");
        }
    }
    assert_eq!(copy.requests.swap(0, Ordering::Relaxed), 8);
    let mut lost = 0;
    for _ in 0..4 {
        let response = nginx.post("/api/v1/orders", 2).await;
        lost += usize::from(response.status() == 502);
    }
    assert!(lost > 0, "half of the requests go to the copy that dies");
    assert_eq!(copy.requests.load(Ordering::Relaxed) + lost, 4, "what may have happened is not done again");
}

#[tokio::test]
async fn the_allow_list_lets_only_telegram_deliver() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let copy = Copy::start().await;
    let nginx = Nginx::start(&only_telegram(), &[copy.address]).await;
    let refused = nginx.post("/telegram/client", 2).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "forbidden");
    assert_eq!(nginx.post("/payments/qvapay/t0ken", 2).await.status(), 200);
    assert_eq!(copy.requests.load(Ordering::Relaxed), 1);
}

/// The first words of a connection by somebody who knows nothing newer than this version (RFC 5246, 7.4.1.2): 2 is TLS
/// 1.1, 3 is TLS 1.2.
fn client_hello(version: u8) -> Vec<u8> {
    // ECDHE with ECDSA or RSA: AES-128-GCM for 1.2, AES-128-CBC for what was before.
    let suites = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x09, 0xc0, 0x13];
    let groups = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23];
    let points = [0, 11, 0, 2, 1, 0];
    let signatures = [0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1];
    let with_length = |part: &[u8]| [&u16::try_from(part.len()).unwrap().to_be_bytes(), part].concat();
    let extensions = with_length(&[&groups[..], &points, &signatures].concat());
    let (random, no_session, no_compression) = ([7; 32], [0], [1, 0]);
    let hello =
        [&[3, version][..], &random, &no_session, &with_length(&suites), &no_compression, &extensions]
            .concat();
    let handshake = [&[1, 0][..], &with_length(&hello)].concat();
    [&[0x16, 3, 1][..], &with_length(&handshake)].concat()
}

#[tokio::test]
async fn tls_below_1_2_is_refused() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let nginx = Nginx::start(CONF, &["127.0.0.1:1".parse().unwrap()]).await;
    let door: u16 = nginx.base.rsplit(':').next().unwrap().parse().unwrap();
    let answer = async |version| {
        let mut connection = TcpStream::connect(("127.0.0.1", door)).await.unwrap();
        connection.write_all(&client_hello(version)).await.unwrap();
        let mut answer = [0; 7];
        connection.read_exact(&mut answer).await.unwrap();
        answer
    };
    assert_eq!(answer(3).await[0], 0x16, "1.2 is spoken");
    for old in [1, 2] {
        let [kind, _, _, _, _, level, reason] = answer(old).await;
        assert_eq!((kind, level, reason), (0x15, 2, 70), "a fatal alert, protocol_version");
    }
}

#[tokio::test]
async fn only_this_machine_may_ask_how_the_server_fares() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let copy = Copy::start().await;
    let nginx = Nginx::start(CONF, &[copy.address]).await;
    let door: u16 = nginx.base.rsplit(':').next().unwrap().parse().unwrap();
    let stranger =
        Client::builder().danger_accept_invalid_certs(true).resolve(DOMAIN, ([127, 0, 0, 1], door).into());
    let stranger = stranger.local_address(std::net::IpAddr::from([127, 0, 0, 2])).build().unwrap();
    let paths = ["/health", "/metrics", "/health/live", "/health/ready", "/health/", "/metrics/x"];
    for path in paths {
        let refused = stranger.get(format!("{}{path}", nginx.base)).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "forbidden");
    }
    assert_eq!(copy.requests.load(Ordering::Relaxed), 0);
    let other = stranger.post(format!("{}/telegram/client", nginx.base)).send().await.unwrap();
    assert_eq!(other.status(), 200, "everything else is open");
    for path in paths {
        assert_eq!(nginx.get(path).await.status(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_reaches_the_real_server_behind_it() {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let town = Town::with(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let running = town.open().await;
    let nginx = Nginx::start(CONF, &[town.address]).await;
    let ana = town.person(ANA.id, ANA.name, ANA.language);
    ana.open(BOT).unwrap();
    let mut update = message(ANA, json!({ "text": "/start" }));
    update["update_id"] = 7.into();
    let deliver = async |secret: &str| {
        let request = nginx.client.post(format!("{}/telegram/client", nginx.base));
        request.header(SECRET_HEADER, secret).json(&update).send().await.unwrap().status()
    };
    assert_eq!(deliver("a-guess-a-guess-a-guess").await, 401);
    assert_eq!(deliver(SECRET).await, 200);
    ana.wait_for(BOT, "an answer", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    assert_eq!(nginx.get("/health/ready").await.status(), 200);
    assert_eq!(nginx.get("/nowhere").await.status(), 404);
    assert!(nginx.prefix.log("usipipo.access.log").contains(" POST /telegram/client 200 "));
    running.stop().await;
}
