//! The counterpart of the Bot API for load: takes every call, and remembers when each chat was answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Router, routing::any};
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
pub struct Telegram(Arc<Mutex<Answers>>);

#[derive(Default)]
struct Answers {
    /// When each chat's messages and edits came, in their order.
    by_chat: HashMap<i64, Vec<Instant>>,
    count: usize,
    last: Option<Instant>,
    connected: bool,
}

#[derive(Deserialize)]
struct ToChat {
    chat_id: i64,
}

impl Telegram {
    /// Starts it; gives the address for TELEGRAM_API_URL.
    pub async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/{bot}/{method}", any(call)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        format!("http://{address}")
    }

    /// Forgets all answers.
    pub fn forget(&self) {
        let mut answers = self.0.lock().expect("not poisoned");
        *answers = Answers { connected: answers.connected, ..Answers::default() };
    }

    /// Waits until so many messages and edits have come; gives the instant of the last one.
    pub async fn answered(&self, count: usize, limit: Duration) -> Result<Instant, usize> {
        let begun = Instant::now();
        loop {
            {
                let answers = self.0.lock().expect("not poisoned");
                match answers.last {
                    Some(last) if answers.count >= count => return Ok(last),
                    _ if begun.elapsed() > limit => return Err(answers.count),
                    _ => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn answers_to(&self, chat: i64) -> Vec<Instant> {
        self.0.lock().expect("not poisoned").by_chat.get(&chat).cloned().unwrap_or_default()
    }

    pub fn is_connected(&self) -> bool {
        self.0.lock().expect("not poisoned").connected
    }
}

async fn call(
    State(telegram): State<Telegram>,
    Path((_, method)): Path<(String, String)>,
    body: Bytes,
) -> impl IntoResponse {
    let now = Instant::now();
    let result = match method.as_str() {
        "getMe" | "GetMe" => {
            r#"{"id":1001,"is_bot":true,"first_name":"b","username":"bench_bot","can_join_groups":true,
            "can_read_all_group_messages":false,"supports_inline_queries":false,"has_main_web_app":false,
            "can_connect_to_business":false}"#
                .to_owned()
        }
        "getWebhookInfo" | "GetWebhookInfo" => {
            r#"{"url":"","has_custom_certificate":false,"pending_update_count":0}"#.to_owned()
        }
        "getStarTransactions" | "GetStarTransactions" => r#"{"transactions":[]}"#.to_owned(),
        "setWebhook" | "SetWebhook" => {
            telegram.0.lock().expect("not poisoned").connected = true;
            "true".to_owned()
        }
        _ => match serde_json::from_slice::<ToChat>(&body) {
            Ok(ToChat { chat_id }) if !method.eq_ignore_ascii_case("setMyCommands") => {
                let mut answers = telegram.0.lock().expect("not poisoned");
                answers.by_chat.entry(chat_id).or_default().push(now);
                answers.count += 1;
                answers.last = Some(now);
                format!(
                    r#"{{"message_id":{},"date":0,"chat":{{"id":{chat_id},"type":"private","first_name":"p"}}}}"#,
                    answers.count
                )
            }
            _ => "true".to_owned(),
        },
    };
    ([(CONTENT_TYPE, "application/json")], format!(r#"{{"ok":true,"result":{result}}}"#))
}
