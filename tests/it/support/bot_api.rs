//! A Bot API over real HTTP that notes what it is asked and answers what a test tells it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use usipipo::integrations::telegram::api::{Telegram, http_client};
use usipipo::models::bot::Bot;

pub const TOKEN: &str = "7204918365:AAHsecretsecretsecretsecret_-secret";

/// A call as it came over the wire.
#[derive(Clone, Debug)]
pub struct Call {
    path: String,
    pub content_type: String,
    pub body: String,
}

impl Call {
    pub fn method(&self) -> &str {
        self.path.strip_prefix(&format!("/bot{TOKEN}/")).expect("the address is /bot<token>/<method>")
    }
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A Bot API that notes what it is asked and answers from a list, then with a plain message.
#[derive(Clone, Default)]
pub struct Api {
    pub url: String,
    pub calls: Arc<Mutex<Vec<Call>>>,
    pub answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    /// When set, no call is answered before another one has come.
    pub meeting: Option<Arc<Barrier>>,
    /// A method that is always answered with this.
    pub failing: Option<(&'static str, u16, String)>,
}

impl Api {
    pub async fn start(answers: &[(u16, Value)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }.listen().await
    }

    pub async fn listen(mut self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        self
    }

    pub fn bot(&self) -> Telegram {
        bot_at(&self.url)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn methods(&self) -> Vec<String> {
        self.calls().iter().map(|call| call.method().to_owned()).collect()
    }

    /// What the only call said.
    pub fn only(&self) -> (String, Value) {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert_eq!(calls[0].content_type, "application/json");
        (calls[0].method().to_owned(), calls[0].json())
    }
}

async fn answer(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let content_type = headers["content-type"].to_str().unwrap().to_owned();
    let body = String::from_utf8_lossy(&body).into_owned();
    api.calls.lock().unwrap().push(Call { path: uri.path().to_owned(), content_type, body });
    if let Some(meeting) = &api.meeting {
        meeting.wait().await;
    }
    let (status, body) = match &api.failing {
        Some((method, status, body)) if uri.path().ends_with(method) => (*status, body.clone()),
        _ => api.answers.lock().unwrap().pop_front().unwrap_or_else(|| (200, sent(77).to_string())),
    };
    let mut headers = HeaderMap::new();
    if status == 429 {
        headers.insert("retry-after", "9".parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers, body)
}

pub fn bot_at(url: &str) -> Telegram {
    Telegram::new(Bot::Client, SecretString::from(TOKEN), url, http_client().unwrap())
}

pub fn sent(message_id: i64) -> Value {
    json!({"ok": true, "result": {"message_id": message_id, "date": 1, "chat": {"id": 1, "type": "private"}}})
}

pub fn done() -> (u16, Value) {
    (200, json!({"ok": true, "result": true}))
}

pub fn refusal(code: u16, description: &str) -> (u16, Value) {
    (code, json!({"ok": false, "error_code": code, "description": description}))
}
