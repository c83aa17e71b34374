//! A person before a bot, while one update of theirs is handled.

use super::Bots;
use super::screens::{self, Reply, Screen};
use crate::config::Contact;
use crate::i18n::Texts;
use crate::ids::ChatId;
use crate::integrations::telegram::update::{CallbackQuery, Message};
use crate::models::bot::{Bot, Language};
use crate::models::outgoing::{Ack, Body, Class, Outgoing};
use crate::models::user::User;
use crate::work::Work;

/// Who speaks where, and what the reply takes the place of. A press is answered once: whatever answers it first
/// takes it.
pub(super) struct Talk<'a> {
    pub bots: &'a Bots,
    pub work: &'a mut Work,
    pub bot: Bot,
    pub user: User,
    pub chat: ChatId,
    /// The person's language.
    pub t: &'static Texts,
    /// The press that waits for its answer.
    press: Option<String>,
    /// The message under the pressed button, which the next screen replaces.
    pressed: Option<i64>,
}

impl<'a> Talk<'a> {
    pub fn new(bots: &'a Bots, work: &'a mut Work, bot: Bot, user: User, chat: ChatId) -> Self {
        let t = Texts::of(user.language);
        Self { bots, work, bot, user, chat, t, press: None, pressed: None }
    }

    /// A button was pressed. Without its message, or when that is too old, the reply is a new message.
    pub fn of_press(bots: &'a Bots, work: &'a mut Work, bot: Bot, user: User, query: &CallbackQuery) -> Self {
        let chat = query.message.as_ref().map_or(ChatId::from(user.id), |message| message.chat.id);
        let pressed = query.message.as_ref().filter(|message| message.is_accessible());
        // 0 is what only its receiver sees, and nobody can edit.
        let pressed = pressed.map(|message| message.message_id).filter(|id| *id > 0);
        Self { press: Some(query.id.clone()), pressed, ..Self::new(bots, work, bot, user, chat) }
    }

    /// Where the pressed button is, when it is still there.
    pub fn shown_in(&self) -> Option<(ChatId, i64)> {
        self.pressed.map(|message_id| (self.chat, message_id))
    }

    /// Whether a message in a group is a command to this bot by name.
    pub fn is_called(&self, message: &Message) -> bool {
        let named = message.text.as_deref().and_then(|text| text.split_whitespace().next());
        let own = self.bots.usernames.of(self.bot);
        let by_name = own.is_some() && named.is_some_and(|name| name.contains('@'));
        by_name && message.command(own).is_some()
    }

    /// Where a human helps. Not the support bot, as long as it does not pass on what is written to it: who needs help
    /// must not be sent to a wall.
    pub fn support(&self) -> Option<Contact> {
        self.work.config().people.support_contact.clone()
    }

    /// Goes on in another language.
    pub fn speak(&mut self, language: Language) {
        self.user.language = language;
        self.t = Texts::of(language);
    }

    /// Shows a screen in place of the one whose button was pressed, else as a new message.
    pub fn show(&mut self, screen: Screen) {
        self.reply(screen, None, false);
    }

    /// As [`Talk::show`], with words that pass by over a pressed button.
    pub fn show_noting(&mut self, screen: Screen, words: String) {
        self.reply(screen, Some(words), false);
    }

    /// As [`Talk::show`], with words over a pressed button that have to be read.
    pub fn show_warning(&mut self, screen: Screen, words: &Reply) {
        self.reply(screen, Some(screens::reply_alert(self.t, words)), true);
    }

    fn reply(&mut self, screen: Screen, text: Option<String>, alert: bool) {
        let ack = self.press.take().map(|callback_id| Ack { callback_id, text, alert });
        match self.pressed {
            Some(message_id) => self.send(screen.edit(message_id, ack)),
            None => {
                if let Some(ack) = ack {
                    self.send(Body::Ack(ack));
                }
                self.send(screen.message());
            }
        }
    }

    /// Says a few words without any menu: over the pressed button, else as a message.
    pub fn say(&mut self, words: &Reply) {
        let body = match self.press.take() {
            Some(callback_id) => {
                let text = Some(screens::reply_alert(self.t, words));
                Body::Ack(Ack { callback_id, text, alert: true })
            }
            None => {
                let html = screens::reply_text(self.t, words).into_string();
                Body::Text { html, keyboard: None }
            }
        };
        self.send(body);
    }

    /// Whether a press waits for its answer.
    pub fn is_press(&self) -> bool {
        self.press.is_some()
    }

    /// Stops the spinner of a pressed button that nothing answered yet; the message stays as it is.
    pub fn acknowledge(&mut self) {
        if let Some(callback_id) = self.press.take() {
            self.send(Body::Ack(Ack { callback_id, text: None, alert: false }));
        }
    }

    fn send(&mut self, body: Body) {
        self.work.send(Outgoing::new(self.bot, self.chat, Class::Interactive, body));
    }
}
