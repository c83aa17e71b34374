//! Presses, payments, and what changes between a person and the bot.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use super::super::loose::or_default;
use super::message::{Chat, Person};

/// A press of an inline button.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CallbackQuery {
    /// To answer it with.
    pub id: String,
    pub from: Person,
    /// The message under which the button was; absent for inline messages.
    pub message: Option<CallbackMessage>,
    /// What the button carries; a modified app can send anything. Absent for games.
    pub data: Option<String>,
}

/// The message under which a button was pressed. Its content is the bot's own and is not read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CallbackMessage {
    pub message_id: i64,
    pub chat: Chat,
    /// Seconds since 1970; 0 when the message is too old or gone.
    #[serde(default, deserialize_with = "or_default")]
    pub date: i64,
    #[serde(rename = "message_thread_id")]
    pub thread_id: Option<i64>,
}

impl CallbackMessage {
    /// Whether the bot may still see and edit it.
    pub fn is_accessible(&self) -> bool {
        self.date != 0
    }
}

/// The last question before money moves; to be answered within 10 seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PreCheckoutQuery {
    pub id: String,
    pub from: Person,
    pub currency: String,
    /// In the currency's smallest unit; whole Stars for XTR.
    #[serde(deserialize_with = "amount")]
    pub total_amount: i64,
    pub invoice_payload: String,
}

/// Money that came (`successful_payment`) or went back (`refunded_payment`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Payment {
    pub currency: String,
    /// In the currency's smallest unit; whole Stars for XTR.
    #[serde(deserialize_with = "amount")]
    pub total_amount: i64,
    pub invoice_payload: String,
    /// Unique for ever; of any length (real ones have more than 100 characters).
    pub telegram_payment_charge_id: String,
    pub provider_payment_charge_id: Option<String>,
    /// Seconds since 1970, for Stars subscriptions.
    pub subscription_expiration_date: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    pub is_recurring: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub is_first_recurring: bool,
}

/// A person changed a Stars subscription, or its renewal failed (Bot API 10.2).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SubscriptionChange {
    pub user: Person,
    pub invoice_payload: String,
    pub state: SubscriptionState,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum SubscriptionState {
    Active,
    Canceled,
    Failed,
    /// One that Telegram made up since.
    Other(String),
}

impl From<String> for SubscriptionState {
    fn from(text: String) -> Self {
        match text.as_str() {
            "active" => Self::Active,
            "canceled" => Self::Canceled,
            "failed" => Self::Failed,
            _ => Self::Other(text),
        }
    }
}

/// The bot's own standing in a chat changed; in a private chat: it was blocked or unblocked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ChatMemberChange {
    pub chat: Chat,
    /// Who did it.
    pub from: Person,
    /// Seconds since 1970.
    pub date: i64,
    new_chat_member: Standing,
}

impl ChatMemberChange {
    /// `member`, `administrator`, `left`, `kicked`, …
    pub fn new_status(&self) -> &str {
        &self.new_chat_member.status
    }

    /// The person blocked the bot: nothing can be sent any more.
    pub fn is_block(&self) -> bool {
        self.chat.is_private() && self.new_status() == "kicked"
    }

    /// The person may be written to (again).
    pub fn is_unblock(&self) -> bool {
        self.chat.is_private() && self.new_status() == "member"
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Standing {
    status: String,
}

/// A whole number that is not negative; `250.0`, `"250"` and `-1` are refused, because nobody may guess at money.
fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let amount = i64::deserialize(from)?;
    if amount < 0 {
        return Err(D::Error::invalid_value(Unexpected::Signed(amount), &"an amount of zero or more"));
    }
    Ok(amount)
}
