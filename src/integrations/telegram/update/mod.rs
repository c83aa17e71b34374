//! Reading what Telegram delivers, into small structs of our own that hold just what we handle.
//!
//! What a body says that we do not handle (new kinds, fields, entity types, chat types) never costs us what we do
//! handle; a wrong type in what we do handle makes the whole body [`Unreadable`], never a silent default.
//!
//! - No recursion follows the body: parts we do not read are skipped by serde_json's loop, however deep they nest.
//!   Nothing here may buffer unknown values (`flatten`, `untagged`, `Value`), which would recurse.
//! - The route's [`envelope`] and the worker's [`parse`] are one reader, so they cannot disagree. A body that says
//!   one thing twice (a repeated key, two kinds of update) is unreadable: nobody has to guess which one counts.
//! - Telegram passes on callback data and invoice payloads that are not UTF-8 as raw bytes; these are read with
//!   U+FFFD in their place, which no data or payload of ours contains.

mod command;
mod content;
mod message;
mod parts;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::integrations::telegram::loose::loosely;
use crate::models::bot::Bot;
use crate::models::lane::name_part;

pub use command::Command;
pub use content::{
    CallbackMessage, CallbackQuery, ChatMemberChange, Payment, PreCheckoutQuery, SubscriptionChange,
    SubscriptionState,
};
pub use message::{Chat, Entity, File, FileKind, Message, Person, TopicEvent};

use parts::{Parts, part};

/// What the webhook route has to know to store an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub update_id: i64,
    /// Updates of one lane take effect in order: the chat, `client:42`. ASCII, at most 96 bytes.
    pub lane: String,
    /// 0 overtakes everything (pre-checkout queries), 1 is the rest.
    pub class: u8,
}

/// An update with what we handle of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub update_id: i64,
    pub kind: UpdateKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum UpdateKind {
    Message(Message),
    EditedMessage(Message),
    Callback(CallbackQuery),
    PreCheckout(PreCheckoutQuery),
    Subscription(SubscriptionChange),
    MyChatMember(ChatMemberChange),
    /// A kind we do not handle, by the name of its field; empty when the update holds nothing.
    Other(String),
}

/// A body that cannot be understood. It is stored dead and answered 200, so that it does not block its chat.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    pub reason: String,
    /// For people who look for it. Not for deduplication: a whole body may still come under this id.
    pub update_id: Option<i64>,
}

/// Reads a body.
pub fn parse(body: &[u8]) -> Result<Update, Unreadable> {
    read(body).map(|(update, _)| update)
}

/// Reads a body as far as storing it needs.
pub fn envelope(bot: Bot, body: &[u8]) -> Result<Envelope, Unreadable> {
    let (update, place) = read(body)?;
    let (lane, class) = match (&update.kind, place) {
        (UpdateKind::PreCheckout(query), _) => (format!("{bot}:pc:{}", name_part(&query.id)), 0),
        (_, Some(place)) => (format!("{bot}:{place}"), 1),
        (_, None) => (format!("{bot}:other"), 1),
    };
    Ok(Envelope { update_id: update.update_id, lane, class })
}

/// The update and the chat it belongs to, or the person where there is no chat.
fn read(body: &[u8]) -> Result<(Update, Option<i64>), Unreadable> {
    let text = String::from_utf8_lossy(body);
    let parts = Parts::read(&text)?;
    let update_id = parts.update_id;
    let unreadable = |reason| Unreadable { reason, update_id: Some(update_id) };
    let (name, raw) = parts.the_one().map_err(unreadable)?;
    let (kind, place) = content(name, raw).map_err(unreadable)?;
    Ok((Update { update_id, kind }, place))
}

/// The kinds of updates we handle, for setWebhook; each is also the field that holds it.
pub const HANDLED: [&str; 6] =
    ["message", "edited_message", "callback_query", "pre_checkout_query", "subscription", "my_chat_member"];

fn content(name: &str, raw: &RawValue) -> Result<(UpdateKind, Option<i64>), String> {
    Ok(match name {
        "message" | "edited_message" => {
            let message: Message = part(name, raw)?;
            let place = message.chat.id.0;
            let edited = name == "edited_message";
            let kind = if edited { UpdateKind::EditedMessage } else { UpdateKind::Message };
            (kind(message), Some(place))
        }
        "callback_query" => {
            let query: CallbackQuery = part(name, raw)?;
            let place = query.message.as_ref().map_or(query.from.id.0, |message| message.chat.id.0);
            (UpdateKind::Callback(query), Some(place))
        }
        "pre_checkout_query" => {
            let query: PreCheckoutQuery = part(name, raw)?;
            let place = query.from.id.0;
            (UpdateKind::PreCheckout(query), Some(place))
        }
        "subscription" => {
            let change: SubscriptionChange = part(name, raw)?;
            let place = change.user.id.0;
            (UpdateKind::Subscription(change), Some(place))
        }
        "my_chat_member" => {
            let change: ChatMemberChange = part(name, raw)?;
            let place = change.chat.id.0;
            (UpdateKind::MyChatMember(change), Some(place))
        }
        other => {
            let around: Surroundings = serde_json::from_str(raw.get()).unwrap_or_default();
            (UpdateKind::Other(shortened(other, 64)), around.place())
        }
    })
}

/// Where an update of any kind may name its chat or person.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Surroundings {
    #[serde(deserialize_with = "loosely")]
    chat: Option<Id>,
    #[serde(deserialize_with = "loosely")]
    from: Option<Id>,
    #[serde(deserialize_with = "loosely")]
    user: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

impl Surroundings {
    fn place(self) -> Option<i64> {
        self.chat.or(self.from).or(self.user).map(|it| it.id)
    }
}

/// The first `limit` characters.
fn shortened(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}
