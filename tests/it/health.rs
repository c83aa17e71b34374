//! The routes that machines watch, through the real router: what they say while the server starts, works, is without
//! its database, and ends. And what every route answers with.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usipipo::demo::telegram::PersonHandle;

use crate::outage::database::town as town_behind;
use crate::support::cli::Shell;
use crate::support::door::{Answer, Door, SECRET_HEADER};
use crate::support::line::{Line, State};
use crate::support::ports;
use crate::support::process::Process;
use crate::support::town::{BOT, LIMIT, SECRET, Town};
use crate::support::wait::eventually;

/// Looking again and again is no flood.
const OFTEN: (&str, &str) = ("REQUESTS_PER_SECOND_PER_IP", "1000");

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

async fn greet(town: &Town) -> PersonHandle {
    let ana = town.person(701, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    ana.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    town.settled().await;
    ana
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_how_everything_stands() {
    let town = Town::with(&[OFTEN]).await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let door = Door::of(&town);
    greet(&town).await;
    let report = eventually(LIMIT, async || {
        let answer = door.get("/health").await;
        assert_eq!(answer.status, 200);
        let report = json_of(&answer);
        if report["servers"][0]["health"] == "up" { Ok(report) } else { Err(report) }
    })
    .await;
    assert_eq!(
        (&report["status"], &report["stage"], &report["database"]),
        (&json!("ok"), &json!("serving"), &json!("up"))
    );
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["uptime_seconds"].as_u64().is_some());
    let server = &report["servers"][0];
    assert_eq!((&server["name"], &server["protocol"]), (&json!("outline-1"), &json!("outline")));
    assert!(server["checked_at"].as_str().unwrap().starts_with("20"));
    assert_eq!(door.get("/health/live").await.status, 200);
    let ready = door.get("/health/ready").await;
    assert_eq!((ready.status, json_of(&ready)), (200, json!({ "status": "serving" })));

    // What lies there without a lane is taken up by nobody.
    for (table, since) in
        [("inbound_events", "received_at"), ("outbound_messages", "created_at"), ("jobs", "created_at")]
    {
        town.sql(&format!(
            "UPDATE {table} SET status = 'pending', {since} = {since} - INTERVAL 2 MINUTE LIMIT 1"
        ))
        .await;
    }
    let report = json_of(&door.get("/health").await);
    for queue in ["inbox", "outbox", "jobs"] {
        let backlog = &report[queue];
        assert!(backlog["waiting"].as_i64() >= Some(1), "{queue}: {report}");
        assert!((120..600).contains(&backlog["oldest_seconds"].as_i64().unwrap()), "{queue}: {report}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_it_says_so_within_seconds() {
    let (town, line, running) = town_behind(&[OFTEN]).await;
    let door = Door::of(&town);
    for away in [State::Held, State::Cut] {
        line.set(away);
        let answer = door.get("/health").await;
        let report = json_of(&answer);
        assert_eq!(
            (answer.status, &report["status"], &report["database"]),
            (503, &json!("unavailable"), &json!("down"))
        );
        assert_eq!((&report["stage"], &report["inbox"]), (&json!("serving"), &Value::Null));
        let ready = door.get("/health/ready").await;
        assert_eq!((ready.status, json_of(&ready)), (503, json!({ "status": "database_down" })));
        assert_eq!(door.get("/health/live").await.status, 200);
        line.set(State::Open);
        eventually(LIMIT, async || door.get("/health").await.status == 200).await;
        eventually(LIMIT, async || door.get("/health/ready").await.status == 200).await;
    }
    running.stop().await;
}

/// A request of which the end of the head is still to come.
struct Unfinished(TcpStream);

impl Unfinished {
    async fn begin(address: SocketAddr, head: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Sends the rest, and gives the whole answer.
    async fn finish(mut self, rest: &str) -> String {
        self.0.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(LIMIT, self.0.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_neither_while_it_starts_nor_while_it_ends() {
    let mut town = Town::with(&[OFTEN]).await;
    let line = Line::to(town.db.url()).await;
    town.set("DATABASE_URL", &line.url);
    line.set(State::Held);
    let shell = Shell::new(town.variables.clone());
    let mut command = shell.command(&["serve"]);
    command.stderr(Stdio::null());
    let mut server = Process::start(command);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |path: &str| {
        let answer = http.get(format!("http://{}{path}", town.address)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    };
    // The schema cannot be looked at yet.
    let starting = eventually(LIMIT, async || ask("/health/ready").await).await;
    assert_eq!(starting, (503, r#"{"status":"starting"}"#.to_owned()));
    assert_eq!(ask("/health/live").await.unwrap().0, 200);
    let (status, report) = ask("/health").await.unwrap();
    assert!(status == 503 && report.contains(r#""stage":"starting""#), "{report}");
    line.set(State::Open);
    eventually(LIMIT, async || ask("/health/ready").await.is_some_and(|(status, _)| status == 200)).await;

    // A request that has begun is answered, whatever comes.
    let head = format!("GET /health/ready HTTP/1.1\r\nhost: {}\r\n", town.address);
    let begun = Unfinished::begin(town.address, &head).await;
    // It has been accepted: what came later is answered.
    for _ in 0..3 {
        assert_eq!(ask("/health/live").await.unwrap().0, 200);
    }
    server.signal("TERM");
    eventually(LIMIT, async || TcpStream::connect(town.address).await.is_err()).await;
    let answer = begun.finish("connection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with(r#"{"status":"draining"}"#), "{answer}");
    assert_eq!(server.ended().await.code(), Some(0));
    assert_eq!(
        town.count("SELECT COUNT(*) FROM lanes WHERE owner IS NOT NULL").await,
        0,
        "every lease is given back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_with_an_address_of_their_own_are_nowhere_else() {
    let mut town = Town::found().await;
    let address = ports::address();
    town.set("METRICS_ADDR", address.to_string());
    let running = town.open().await;
    let door = Door::of(&town);
    let public = door.get("/metrics").await;
    assert_eq!((public.status, &json_of(&public)["error"]["code"]), (404, &json!("not_found")));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |path: &str| http.get(format!("http://{address}{path}")).send().await.unwrap();
    let own = ask("/metrics").await;
    assert_eq!(own.status(), 200);
    // The numbers of the whole server: the other address's too.
    assert!(
        own.text()
            .await
            .unwrap()
            .contains(r#"usipipo_http_requests_total{route="unmatched",status="404"} 1"#)
    );
    for path in ["/health", "/health/live", "/telegram/client", "/"] {
        let other = ask(path).await;
        assert_eq!(
            (other.status().as_u16(), &other.headers()["content-type"] == "application/json"),
            (404, true),
            "{path}"
        );
    }
    running.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "it is closed with the rest");
}

/// The id of a request, in the head and the body of its answer.
fn request_id(answer: &Answer) -> String {
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    if answer.status >= 400 {
        assert_eq!(json_of(answer)["error"]["request_id"], *id);
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_404_as_json_and_every_answer_has_an_id() {
    let town = Town::with(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let running = town.open().await;
    let door = Door::of(&town);
    let nowhere =
        ["/", "/nothing", "/health/more", "/metrics/more", "/telegram", "/payments/qvapay", "/.env", "/%00"];
    for path in nowhere {
        let answer = door.get(path).await;
        assert_eq!((answer.status, &json_of(&answer)["error"]["code"]), (404, &json!("not_found")), "{path}");
    }
    let secret = [(SECRET_HEADER, SECRET)];
    for path in ["/telegram/nobody", "/telegram/support", "/payments/nobody/x", "/payments/stars/x"] {
        let answer = door.post(path, &secret, "{}").await;
        assert_eq!((answer.status, &json_of(&answer)["error"]["code"]), (404, &json!("not_found")), "{path}");
    }
    let made: Vec<String> = vec![
        request_id(&door.get("/nothing").await),
        request_id(&door.get("/health/live").await),
        request_id(&door.get("/metrics").await),
    ];
    assert!(made.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()) && made[0] != made[1], "{made:?}");
    let own = [("x-request-id", "0123456789abcdef")];
    for path in ["/nothing", "/telegram/client", "/payments/qvapay/x"] {
        assert_eq!(request_id(&door.post(path, &own, "{}").await), "0123456789abcdef", "{path}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_room_for_is_asked_to_come_again() {
    let town = Town::with(&[("MAX_CONCURRENT_REQUESTS", "1")]).await;
    let running = town.open().await;
    let (ana, door) = (greet(&town).await, Door::of(&town));
    // Holds the only place of Telegram's route until its body is whole.
    let body = r#"{"update_id":900000001}"#;
    let head = format!(
        "POST /telegram/client HTTP/1.1\r\nhost: x\r\n{SECRET_HEADER}: {SECRET}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let slow = Unfinished::begin(town.address, &head).await;
    let shed = eventually(LIMIT, async || {
        let answer = door.raw("{}").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(
        (shed.retry_after(), &json_of(&shed)["error"]["code"]),
        (Some(1), &json!("service_unavailable"))
    );
    // Nobody else waits for it, and what was refused comes again.
    assert_eq!(door.get("/health/ready").await.status, 200);
    assert_eq!(door.post("/payments/qvapay/x", &[], "{}").await.status, 404);
    let shown = ana.messages(BOT).unwrap().len();
    ana.send_text(BOT, "/help").unwrap();
    assert!(slow.finish(body).await.starts_with("HTTP/1.1 200"));
    ana.wait_for(BOT, "the help", |chat| (chat.messages.len() > shown + 1).then_some(())).await.unwrap();
    assert!(door.get("/metrics").await.body.contains(r#"usipipo_rate_limited_total{limit="concurrency"} "#));
    running.stop().await;
}
