//! What happened between the bots and the counterpart, for assertions and for the page's "underneath" panel.

use serde::Serialize;
use serde_json::Value;

use super::request::Upload;
use crate::clock::Timestamp;

/// One call of a Bot API method.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    pub at: Timestamp,
    /// Username of the bot.
    pub bot: String,
    /// As the documentation writes it: `sendMessage`.
    pub method: String,
    pub chat: Option<i64>,
    pub fields: serde_json::Map<String, Value>,
    #[serde(skip)]
    pub files: Vec<Upload>,
    /// It came in the answer to a webhook.
    pub in_webhook_answer: bool,
    /// None while not answered, and for ever when a fault kept it silent.
    pub outcome: Option<Outcome>,
}

impl Call {
    /// A field as text, empty when absent.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or("")
    }

    pub fn succeeded(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.status == 200)
    }
}

/// What a call was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// HTTP status; 0 when the connection was cut instead.
    pub status: u16,
    /// Telegram's error text.
    pub description: Option<String>,
    /// The method took effect.
    pub executed: bool,
}

/// One attempt to deliver an update.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub at: Timestamp,
    /// Username of the bot.
    pub bot: String,
    pub update_id: i64,
    /// `message`, `callback_query` …
    pub kind: String,
    /// What it keeps its order with.
    pub queue: String,
    /// 1 for the first.
    pub attempt: u32,
    /// The HTTP status, or why there was none.
    pub answer: Result<u16, String>,
}

impl Delivery {
    pub fn accepted(&self) -> bool {
        matches!(self.answer, Ok(200..=299))
    }
}
