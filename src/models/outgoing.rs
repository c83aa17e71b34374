//! A message on its way to Telegram, as the outbox stores it: data, never a rendered file and never a secret.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{ChatId, ConfigId, MessageId};
use crate::models::bot::Bot;
use crate::models::lane::name_part;
use crate::models::notice::Notice;

/// How urgent a message is. Within a chat the more urgent goes first, and equals keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Class {
    /// Must arrive within seconds: the answer to a pre-checkout query.
    Urgent = 0,
    /// Answers a press or a command.
    Interactive = 1,
    /// Nobody waits for it: receipts of late money, reminders, alerts.
    Notice = 2,
    /// Broadcasts.
    Bulk = 3,
}

impl Class {
    pub const ALL: [Class; 4] = [Class::Urgent, Class::Interactive, Class::Notice, Class::Bulk];
}

/// A message to one chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub bot: Bot,
    pub chat: ChatId,
    pub class: Class,
    pub body: Body,
    /// Queued once under this key, e.g. `receipt:42`, for as long as done messages are kept (`RETENTION_DAYS`).
    pub dedupe_key: Option<String>,
}

impl Outgoing {
    pub fn new(bot: Bot, chat: impl Into<ChatId>, class: Class, body: Body) -> Self {
        Self { bot, chat: chat.into(), class, body, dedupe_key: None }
    }

    pub fn once(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// The lane whose order it keeps: the chat, but for a pre-checkout answer, which waits for nobody.
    pub fn lane(&self) -> String {
        match &self.body {
            Body::PreCheckout { query_id, .. } => format!("{}:pc:{}", self.bot, name_part(query_id)),
            _ => format!("{}:{}", self.bot, self.chat),
        }
    }

    /// The row as it is stored.
    pub fn row(&self, id: MessageId, now: Timestamp) -> QueuedMessage {
        QueuedMessage {
            id,
            lane: self.lane(),
            bot: self.bot,
            chat_id: self.chat,
            class: self.class as u8,
            body: serde_json::to_string(&self.body).expect("a body is plain data"),
            attempts: 0,
            created_at: now,
            retry_at: None,
        }
    }
}

/// What to send. Stored as JSON; a stored body of an older version must still parse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// A new message.
    Text { html: String, keyboard: Option<Keyboard> },
    /// Replaces text and keyboard of a message that the bot sent; where Telegram cannot edit it any more, a new
    /// message is sent. `ack` answers the button press that asked for it.
    Edit { message_id: i64, html: String, keyboard: Option<Keyboard>, ack: Option<Ack> },
    /// Answers a button press without changing the message.
    Ack(Ack),
    /// A part of a config, with its keys decrypted and its caption worded when it is sent.
    Config { config_id: ConfigId, part: ConfigPart },
    /// What the rules have to tell, worded when it is sent. With `replace`, it takes the place of that message.
    Notice { notice: Notice, replace: Option<i64> },
    /// An invoice in Telegram Stars; `payload` is the order.
    StarsInvoice { title: String, description: String, payload: String, amount: i64 },
    /// Answer to a pre-checkout query: `error` is None to let the person pay, else what to tell.
    PreCheckout { query_id: String, error: Option<String> },
    /// No message: the menu of commands in the chat becomes what its person may use, in their language.
    Menu,
}

/// Answer to a button press: the spinner stops, and `text` is shown if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    pub callback_id: String,
    pub text: Option<String>,
    /// Shown in a window that has to be closed, instead of passing by.
    pub alert: bool,
}

/// Rows of buttons under a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyboard(pub Vec<Vec<Button>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Button {
    pub text: String,
    #[serde(flatten)]
    pub action: ButtonAction,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonAction {
    /// Comes back as a callback query; at most 64 bytes.
    Callback(String),
    Url(String),
    /// Copies a text to the clipboard; at most 256 characters.
    Copy(String),
}

/// What is handed over of a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigPart {
    /// The configuration file (WireGuard `.conf`).
    File,
    /// The QR code as PNG.
    Qr,
    /// Copyable text: WireGuard's file, Outline's `ss://` link.
    Text,
    /// A short guide with the official app for the person's system.
    Guide,
}

/// A row of `outbound_messages` that waits to be sent.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct QueuedMessage {
    pub id: MessageId,
    pub lane: String,
    pub bot: Bot,
    pub chat_id: ChatId,
    pub class: u8,
    /// JSON of [`Body`].
    pub body: String,
    pub attempts: u32,
    pub created_at: Timestamp,
    /// After a failure: not sent again before.
    pub retry_at: Option<Timestamp>,
}

impl Body {
    /// Whether Telegram counts it as a message (30/s over the bot, 1/s in a chat); edits and answers are free.
    pub fn is_paced(&self) -> bool {
        !matches!(
            self,
            Body::Edit { .. }
                | Body::Notice { replace: Some(_), .. }
                | Body::Ack(_)
                | Body::PreCheckout { .. }
                | Body::Menu
        )
    }
}
