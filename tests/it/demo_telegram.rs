//! The counterpart of Telegram behaves as Telegram: formatting, limits, delivery, payments, faults.

mod control;
mod delivery;
mod faults;
mod html;
mod methods;
mod payments;
mod play;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use usipipo::clock::Clock;
use usipipo::demo::telegram::{Options, PersonHandle, PersonSpec, TelegramServer};

const TOKEN: &str = "7204918365:AAdemo_client";
const BOT: &str = "usipipo_bot";
const ANA: i64 = 6_018_273_645;

/// A webhook that remembers what came and answers as told.
#[derive(Clone, Default)]
struct Hook {
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    /// Answers for the next requests; then 200.
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    approving: Arc<AtomicBool>,
}

impl Hook {
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::receive).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn receive(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> Response {
        let secret =
            headers.get("x-telegram-bot-api-secret-token").map_or("", |value| value.to_str().unwrap());
        let update = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let question = update["pre_checkout_query"]["id"].clone();
        hook.seen.lock().unwrap().push((secret.to_owned(), update));
        if !question.is_null() && hook.approving.load(Ordering::Relaxed) {
            let yes =
                json!({"method": "answerPreCheckoutQuery", "pre_checkout_query_id": question, "ok": true});
            return axum::Json(yes).into_response();
        }
        let mut answers = hook.answers.lock().unwrap();
        let (status, body) = if answers.is_empty() { (200, String::new()) } else { answers.remove(0) };
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    }

    fn answer_next(&self, answers: &[(u16, &str)]) {
        self.answers
            .lock()
            .unwrap()
            .extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    }

    /// Lets everybody pay from now on.
    fn approve_payments(&self) {
        self.approving.store(true, Ordering::Relaxed);
    }

    fn updates(&self) -> Vec<Value> {
        self.seen.lock().unwrap().iter().map(|(_, update)| update.clone()).collect()
    }
}

struct World {
    server: TelegramServer,
    clock: Clock,
    ana: PersonHandle,
    hook: Hook,
    http: reqwest::Client,
}

impl World {
    /// A counterpart with a bot whose webhook is set, and Ana, who has started it.
    async fn new() -> Self {
        let clock = Clock::default();
        let options = Options { checkout_limit: Duration::from_millis(300), ..Options::hasty(clock.clone()) };
        let server = TelegramServer::start(options).await.unwrap();
        server.add_bot(TOKEN, BOT, "uSipipo");
        let ana = server.person(PersonSpec::new(ANA, "Ana", "es"));
        ana.open(BOT).unwrap();
        let world = Self { server, clock, ana, hook: Hook::default(), http: reqwest::Client::new() };
        let url = world.hook.listen().await;
        world.ok("setWebhook", json!({"url": url, "secret_token": "s3cret"})).await;
        world
    }

    async fn call(&self, method: &str, fields: Value) -> (u16, Value) {
        let url = format!("{}/bot{TOKEN}/{method}", self.server.url());
        let response = self.http.post(url).json(&fields).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn ok(&self, method: &str, fields: Value) -> Value {
        let (status, mut body) = self.call(method, fields).await;
        assert_eq!(status, 200, "{method}: {body}");
        body["result"].take()
    }

    /// Calls what must fail; returns the description.
    async fn fails(&self, method: &str, fields: Value) -> String {
        let (status, body) = self.call(method, fields).await;
        assert_eq!(body["ok"], json!(false), "{method} worked: {body}");
        assert_eq!(body["error_code"], json!(status));
        body["description"].as_str().unwrap().to_owned()
    }

    async fn say(&self, text: &str) -> i64 {
        self.ok("sendMessage", json!({"chat_id": ANA, "text": text})).await["message_id"].as_i64().unwrap()
    }
}

fn button(data: &str) -> Value {
    json!({"inline_keyboard": [[{"text": "Press", "callback_data": data}]]})
}
