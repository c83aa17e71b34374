//! The people: what they can do in Telegram, as a handle for tests and for the page.

use std::fmt;
use std::sync::Arc;

use serde_json::json;

use super::Inner;
use super::chat::{ChatView, MessageView};
use super::entities::Formatted;
use super::keyboard::{Action, Button};
use super::queues::{chat_queue, person_queue};
use super::wire;
use super::world::{ChatKey, Content, NewMessage, Person, Press, PressAnswer, World};
use crate::clock::Timestamp;

/// Who a person is.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct PersonSpec {
    pub id: i64,
    pub first_name: String,
    #[serde(default)]
    pub last_name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub language_code: Option<String>,
    /// What the person can spend, in Stars.
    #[serde(default = "plenty")]
    pub stars: i64,
}

fn plenty() -> i64 {
    10_000
}

impl PersonSpec {
    pub fn new(id: i64, first_name: &str, language_code: &str) -> Self {
        Self {
            id,
            first_name: first_name.to_owned(),
            last_name: None,
            username: None,
            language_code: Some(language_code.to_owned()),
            stars: plenty(),
        }
    }
}

/// A person. Bots are named by their username.
#[derive(Clone)]
pub struct PersonHandle {
    pub(super) inner: Arc<Inner>,
    pub id: i64,
}

/// Why something cannot be done in a chat.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    #[error("there is no bot @{0}")]
    NoSuchBot(String),
    #[error("there is no message {0} in the chat")]
    NoSuchMessage(i64),
    #[error("there is no button {wanted:?}; there are {present:?}")]
    NoSuchButton { wanted: String, present: Vec<String> },
    #[error("the button does not call the bot: {0:?}")]
    NotForTheBot(Action),
}

/// What was waited for and never came, with the chat so far.
pub struct NotSeen {
    person: String,
    what: String,
    limit: std::time::Duration,
    transcript: String,
}

impl fmt::Display for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, what, limit, transcript } = self;
        write!(f, "{person} waited {limit:?} for {what}; the chat so far:\n{transcript}")
    }
}

impl NotSeen {
    /// What was waited for, without the chat.
    pub fn brief(&self) -> String {
        format!("{} waited {:?} for {}", self.person, self.limit, self.what)
    }
}

impl fmt::Debug for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NotSeen {}

/// A press on a button, on its way.
pub struct PressHandle {
    inner: Arc<Inner>,
    /// The callback query's id.
    pub id: String,
}

impl PressHandle {
    /// Waits for the bot's answer; None when it gives none while the person is patient.
    pub async fn answered(&self) -> Option<PressAnswer> {
        let answer = |world: &World| world.presses.get(&self.id).and_then(|press| press.answer.clone());
        self.inner.watch(self.inner.options.patience, || self.inner.read(answer)).await
    }
}

impl PersonHandle {
    fn key(&self, bot: &str) -> Result<ChatKey, ChatError> {
        let found = self.inner.read(|world| world.bot_by_username(bot));
        found.map(|bot| (bot, self.id)).ok_or_else(|| ChatError::NoSuchBot(bot.to_owned()))
    }

    /// Sends a text and returns its message id. Writing to a blocked bot unblocks it.
    pub fn send_text(&self, bot: &str, text: &str) -> Result<i64, ChatError> {
        let key = self.key(bot)?;
        let now = self.inner.now();
        Ok(self.inner.change(|world| {
            world.set_blocked(key, false, now);
            world.chat(key).opened = true;
            let words = Formatted::plain(text).detect();
            let id = world.post(key, NewMessage::new(false, now, Content::Text(words)));
            world.deliver_message(key, id, now);
            id
        }))
    }

    /// Makes the chat known to the bot without a word, as if the person had written in former times.
    pub fn open(&self, bot: &str) -> Result<(), ChatError> {
        let key = self.key(bot)?;
        self.inner.change(|world| world.chat(key).opened = true);
        Ok(())
    }

    /// Presses a button, named by its text (or a part of it) or its callback data.
    pub fn press(&self, bot: &str, message_id: i64, button: &str) -> Result<PressHandle, ChatError> {
        let chat = self.chat(bot)?;
        let message = chat.message(message_id).ok_or(ChatError::NoSuchMessage(message_id))?;
        self.press_in(bot, message, button)
    }

    /// Presses a button of the newest message that has it.
    pub fn click(&self, bot: &str, button: &str) -> Result<PressHandle, ChatError> {
        let chat = self.chat(bot)?;
        let present =
            || chat.messages.iter().flat_map(MessageView::buttons).map(|b| b.text.clone()).collect();
        let message = chat
            .with_button(button)
            .ok_or_else(|| ChatError::NoSuchButton { wanted: button.to_owned(), present: present() })?;
        self.press_in(bot, message, button)
    }

    /// Presses the button in this row and column, counted from 0.
    pub fn press_at(
        &self,
        bot: &str,
        message_id: i64,
        row: usize,
        column: usize,
    ) -> Result<PressHandle, ChatError> {
        let chat = self.chat(bot)?;
        let message = chat.message(message_id).ok_or(ChatError::NoSuchMessage(message_id))?;
        match message.keyboard.get(row).and_then(|buttons| buttons.get(column)) {
            Some(button) => self.press_button(bot, message_id, button),
            None => Err(message.no_button(&format!("row {row}, column {column}"))),
        }
    }

    fn press_in(&self, bot: &str, message: &MessageView, wanted: &str) -> Result<PressHandle, ChatError> {
        let button = message.button(wanted).ok_or_else(|| message.no_button(wanted))?;
        self.press_button(bot, message.id, button)
    }

    fn press_button(&self, bot: &str, message_id: i64, button: &Button) -> Result<PressHandle, ChatError> {
        match &button.action {
            Action::CallbackData(data) => {
                self.inner.change(|world| {
                    let line = format!("{} presses [{}]", world.person_name(self.id), button.text);
                    if let Some(bot) = world.bot_by_username(bot) {
                        world.tell((bot, self.id), &line);
                    }
                });
                self.press_data(bot, message_id, data)
            }
            other => Err(ChatError::NotForTheBot(other.clone())),
        }
    }

    /// Presses with any data, as a modified app can; the message may be one that is gone.
    pub fn press_data(&self, bot: &str, message_id: i64, data: &str) -> Result<PressHandle, ChatError> {
        let key = self.key(bot)?;
        let now = self.inner.now();
        let id = self.inner.change(|world| world.press(key, message_id, data, now));
        Ok(PressHandle { inner: Arc::clone(&self.inner), id })
    }

    /// Blocks a bot: it learns so, and its messages are refused.
    pub fn block(&self, bot: &str) -> Result<(), ChatError> {
        self.set_blocked(bot, true)
    }

    pub fn unblock(&self, bot: &str) -> Result<(), ChatError> {
        self.set_blocked(bot, false)
    }

    fn set_blocked(&self, bot: &str, blocked: bool) -> Result<(), ChatError> {
        let key = self.key(bot)?;
        let now = self.inner.now();
        self.inner.change(|world| world.set_blocked(key, blocked, now));
        Ok(())
    }

    /// Changes the language of the person's app.
    pub fn set_language(&self, code: Option<&str>) {
        self.inner.change(|world| {
            if let Some(person) = world.person_mut(self.id) {
                person.language_code = code.map(str::to_owned);
            }
        });
    }

    /// Stars left.
    pub fn stars(&self) -> i64 {
        self.inner.read(|world| world.person(self.id).map_or(0, |person| person.stars))
    }

    /// The chat as the person sees it now.
    pub fn chat(&self, bot: &str) -> Result<ChatView, ChatError> {
        let key = self.key(bot)?;
        let now = self.inner.now();
        Ok(self.inner.read(|world| world.chat_view(key, now)))
    }

    /// The messages of the chat as they are now, oldest first.
    pub fn messages(&self, bot: &str) -> Result<Vec<MessageView>, ChatError> {
        self.chat(bot).map(|chat| chat.messages)
    }

    /// The commands in the menu of a bot, as (command, description).
    pub fn commands(&self, bot: &str) -> Result<Vec<(String, String)>, ChatError> {
        let key = self.key(bot)?;
        let listed = self.inner.read(|world| world.commands_for(key.0, key.1));
        let text = |command: &serde_json::Value, name: &str| command[name].as_str().unwrap_or("").to_owned();
        let pairs = |command| (text(command, "command"), text(command, "description"));
        Ok(listed.as_array().into_iter().flatten().map(pairs).collect())
    }

    /// Waits until `found` finds what it looks for in the chat; `what` names it in the failure.
    pub async fn wait_for<T>(
        &self,
        bot: &str,
        what: &str,
        found: impl Fn(&ChatView) -> Option<T>,
    ) -> Result<T, NotSeen> {
        let limit = self.inner.options.patience;
        let failed = |transcript: String| NotSeen {
            person: self.inner.read(|world| world.person_name(self.id)),
            what: what.to_owned(),
            limit,
            transcript,
        };
        let key = self.key(bot).map_err(|error| failed(error.to_string()))?;
        let look = || found(&self.inner.read(|world| world.chat_view(key, self.inner.now())));
        match self.inner.watch(limit, look).await {
            Some(seen) => Ok(seen),
            None => Err(failed(self.chat(bot).map(|chat| chat.transcript()).unwrap_or_default())),
        }
    }

    /// Waits for a message of the bot whose text contains `part`.
    pub async fn wait_for_text(&self, bot: &str, part: &str) -> Result<MessageView, NotSeen> {
        self.wait_for(bot, &format!("a message saying {part:?}"), |chat| chat.saying(part).cloned()).await
    }
}

impl MessageView {
    fn no_button(&self, wanted: &str) -> ChatError {
        let present = self.buttons().map(|button| button.text.clone()).collect();
        ChatError::NoSuchButton { wanted: wanted.to_owned(), present }
    }
}

impl From<PersonSpec> for Person {
    fn from(spec: PersonSpec) -> Self {
        let PersonSpec { id, first_name, last_name, username, language_code, stars } = spec;
        Self { id, first_name, last_name, username, language_code, stars }
    }
}

impl World {
    /// Queues the update that tells a bot of a new message.
    pub fn deliver_message(&mut self, key: ChatKey, id: i64, now: Timestamp) {
        if let Some(message) = self.message(key, id) {
            let wire = self.message_wire(key, message);
            self.push_update(key.0, "message", &chat_queue(key.1), now, &wire);
        }
    }

    fn press(&mut self, key: ChatKey, message_id: i64, data: &str, now: Timestamp) -> String {
        let id = self.next_number().to_string();
        let message = match self.message(key, message_id) {
            Some(message) => self.message_wire(key, message),
            None => json!({"message_id": message_id, "chat": self.person(key.1).map(wire::chat), "date": 0}),
        };
        let query = json!({
            "id": id,
            "from": self.person_wire(key.1),
            "message": message,
            "chat_instance": format!("-39027711190{}", key.1),
            "data": data,
        });
        self.presses.insert(id.clone(), Press { bot: key.0, person: key.1, at: now, answer: None });
        self.push_update(key.0, "callback_query", &person_queue("callback", key.1), now, &query);
        id
    }

    /// Blocks or unblocks, and tells the bot when that is a change.
    pub fn set_blocked(&mut self, key: ChatKey, blocked: bool, now: Timestamp) {
        if self.chat(key).blocked == blocked {
            return;
        }
        self.chat(key).blocked = blocked;
        let verb = if blocked { "blocks" } else { "unblocks" };
        let line = format!("({} {verb} the bot)", self.person_name(key.1));
        self.tell(key, &line);
        let me = wire::bot(self.bot(key.0));
        let member = json!({"user": me, "status": "member"});
        let kicked = json!({"user": me, "status": "kicked", "until_date": 0});
        let (old, new) = if blocked { (member, kicked) } else { (kicked, member) };
        let change = json!({
            "chat": self.person(key.1).map(wire::chat),
            "from": self.person_wire(key.1),
            "date": now.unix(),
            "old_chat_member": old,
            "new_chat_member": new,
        });
        self.push_update(key.0, "my_chat_member", &person_queue("member", key.1), now, &change);
    }
}
