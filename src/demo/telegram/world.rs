//! Everything the counterpart remembers: bots, people, chats, money. Held under one lock, so every action is
//! atomic; nothing here waits or talks to the network.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use serde_json::Value;

use super::chat::Story;
use super::entities::Formatted;
use super::faults::FaultRule;
use super::journal::{Call, Delivery};
use super::keyboard::Keyboard;
use super::limits::Flood;
use super::queues::Queues;
use super::webhook::Webhook;
use crate::clock::Timestamp;

/// Bot id and person id: a private chat.
pub type ChatKey = (i64, i64);

#[derive(Default)]
pub struct World {
    pub bots: BTreeMap<i64, BotAccount>,
    /// In the order in which they came.
    pub people: Vec<Person>,
    pub chats: BTreeMap<ChatKey, Chat>,
    pub files: Vec<StoredFile>,
    pub presses: HashMap<String, Press>,
    pub checkouts: HashMap<String, Checkout>,
    /// Invoices behind links made by createInvoiceLink, by the link's last part.
    pub links: HashMap<String, (i64, Invoice)>,
    pub charges: Vec<Charge>,
    pub calls: Vec<Call>,
    pub deliveries: Vec<Delivery>,
    pub faults: Vec<FaultRule>,
    pub flood: Flood,
    /// Source of numbers that must differ: query ids, charges, faults.
    pub counter: u64,
}

pub struct BotAccount {
    pub id: i64,
    pub token: String,
    pub username: String,
    /// Place among the bots, in the order in which they were added.
    pub place: usize,
    /// What the token's owner named it; `setMyName` adds others per language.
    pub name: String,
    /// Texts by (kind, language), kind being `name`, `description` or `short_description`.
    pub texts: BTreeMap<(&'static str, String), String>,
    /// Commands by (scope as JSON text, language).
    pub commands: BTreeMap<(String, String), Value>,
    pub webhook: Option<Webhook>,
    pub queues: Queues,
    pub last_update_id: i64,
    pub last_message_id: i64,
    /// Earned and not refunded.
    pub stars: i64,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub first_name: String,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub language_code: Option<String>,
    pub stars: i64,
}

/// A private chat of a person with a bot.
#[derive(Default)]
pub struct Chat {
    pub messages: BTreeMap<i64, Message>,
    /// The person has written; before that a bot cannot.
    pub opened: bool,
    pub blocked: bool,
    /// When the bot last said that it is busy with an answer.
    pub typing: Option<Timestamp>,
    pub story: Story,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: i64,
    pub from_bot: bool,
    pub date: Timestamp,
    pub edited: Option<Timestamp>,
    pub content: Content,
    pub keyboard: Option<Keyboard>,
    pub reply_to: Option<i64>,
    /// Who wrote it first, when it was forwarded.
    pub forwarded: Option<Origin>,
}

/// First author and date of a forwarded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub from_bot: bool,
    pub author: i64,
    pub date: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(Formatted),
    Photo { file: usize, caption: Formatted },
    Document { file: usize, caption: Formatted },
    Invoice { invoice: Invoice, receipt: Option<i64> },
    Paid(Payment),
    Refunded(Payment),
}

impl Content {
    /// The text or caption.
    pub fn words(&self) -> Option<&Formatted> {
        match self {
            Content::Text(text) => Some(text),
            Content::Photo { caption, .. } | Content::Document { caption, .. } => Some(caption),
            _ => None,
        }
    }
}

pub struct StoredFile {
    pub name: String,
    pub mime: String,
    pub bytes: Bytes,
    /// Pixels, for pictures.
    pub size: Option<(u32, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub title: String,
    pub description: String,
    pub payload: String,
    /// Stars.
    pub amount: i64,
    /// Seconds that a subscription runs; None for a single payment.
    pub subscription_period: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub payload: String,
    pub amount: i64,
    pub charge_id: String,
    /// End of the paid period of a subscription.
    pub subscribed_until: Option<Timestamp>,
}

/// A press on a button that waits for answerCallbackQuery.
pub struct Press {
    pub bot: i64,
    pub person: i64,
    pub at: Timestamp,
    pub answer: Option<PressAnswer>,
}

/// What a bot answered to a press.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PressAnswer {
    pub text: Option<String>,
    /// In a window that has to be closed.
    pub show_alert: bool,
    pub url: Option<String>,
}

/// A payment that waits for answerPreCheckoutQuery.
pub struct Checkout {
    pub bot: i64,
    pub at: Timestamp,
    /// The person has stopped waiting.
    pub given_up: bool,
    /// `Err` holds the words of the refusal.
    pub answer: Option<Result<(), String>>,
}

/// Stars that went from a person to a bot.
pub struct Charge {
    pub bot: i64,
    pub person: i64,
    pub payment: Payment,
    pub paid: Moment,
    pub refunded: Option<Moment>,
}

/// When something is written into the book of Stars, and its place there: the clock may be set back, the book only
/// ever grows at its end.
#[derive(Clone, Copy)]
pub struct Moment {
    pub place: u64,
    pub at: Timestamp,
}

impl BotAccount {
    /// A text in a person's language, else the one for all languages.
    pub fn text_for(&self, kind: &'static str, language: &str) -> Option<&String> {
        let short = language.split('-').next().unwrap_or("").to_owned();
        self.texts.get(&(kind, short)).or_else(|| self.texts.get(&(kind, String::new())))
    }
}

impl World {
    pub fn bot_by_token(&self, token: &str) -> Option<i64> {
        self.bots.values().find(|bot| bot.token == token).map(|bot| bot.id)
    }

    pub fn bot_by_username(&self, username: &str) -> Option<i64> {
        self.bots.values().find(|bot| bot.username == username).map(|bot| bot.id)
    }

    /// In the order in which they were added.
    pub fn bots_in_order(&self) -> Vec<&BotAccount> {
        let mut bots: Vec<&BotAccount> = self.bots.values().collect();
        bots.sort_by_key(|bot| bot.place);
        bots
    }

    /// A bot that exists; ids come only from this world.
    pub fn bot(&self, id: i64) -> &BotAccount {
        &self.bots[&id]
    }

    pub fn bot_mut(&mut self, id: i64) -> &mut BotAccount {
        self.bots.get_mut(&id).expect("ids of bots come from this world, and no bot leaves it")
    }

    pub fn person(&self, id: i64) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub fn person_mut(&mut self, id: i64) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.id == id)
    }

    pub fn person_name(&self, id: i64) -> String {
        self.person(id).map_or_else(|| id.to_string(), |person| person.first_name.clone())
    }

    pub fn chat(&mut self, key: ChatKey) -> &mut Chat {
        self.chats.entry(key).or_default()
    }

    pub fn message(&self, key: ChatKey, id: i64) -> Option<&Message> {
        self.chats.get(&key)?.messages.get(&id)
    }

    pub fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The next place in the book of Stars.
    pub fn moment(&mut self, at: Timestamp) -> Moment {
        Moment { place: self.next_number(), at }
    }

    /// Puts a new message into a chat and returns its id: ids count up over all private chats of a bot.
    pub fn post(&mut self, key: ChatKey, message: NewMessage) -> i64 {
        let account = self.bot_mut(key.0);
        account.last_message_id += 1;
        let id = account.last_message_id;
        let NewMessage { from_bot, date, content, keyboard, reply_to, forwarded } = message;
        let message = Message { id, from_bot, date, edited: None, content, keyboard, reply_to, forwarded };
        self.tell_message(key, &message, "");
        self.chat(key).messages.insert(id, message);
        id
    }
}

/// A message before it has an id.
pub struct NewMessage {
    pub from_bot: bool,
    pub date: Timestamp,
    pub content: Content,
    pub keyboard: Option<Keyboard>,
    pub reply_to: Option<i64>,
    pub forwarded: Option<Origin>,
}

impl NewMessage {
    pub fn new(from_bot: bool, date: Timestamp, content: Content) -> Self {
        Self { from_bot, date, content, keyboard: None, reply_to: None, forwarded: None }
    }
}
