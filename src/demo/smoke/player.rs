//! The people of the story: they write, press, pay and wait as people do, and are disappointed after a while.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use scoped_futures::ScopedFutureExt;

use super::{Step, What, ensure};
use crate::demo::stage::{Stage, username};
use crate::demo::telegram::{Action, ChatView, MessageView, PersonHandle};
use crate::handlers::bots::callback::Callback;
use crate::ids::UserId;
use crate::models::bot::{Bot, Language};
use crate::services::overview::{self, Overview};
use crate::services::people;
use crate::work::Origin;

pub const BOT: &str = username(Bot::Client);

/// How long the house may take to bring something about that people do not see.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Everybody, and how far their chats have been printed.
pub struct Cast<'a> {
    pub stage: &'a Stage,
    print: &'a dyn Fn(&str),
    told: BTreeMap<i64, usize>,
    notes: RefCell<Vec<String>>,
}

impl<'a> Cast<'a> {
    pub fn new(stage: &'a Stage, print: &'a dyn Fn(&str)) -> Self {
        Self { stage, print, told: BTreeMap::new(), notes: RefCell::default() }
    }

    /// Begins a scene.
    pub fn announce(&self, title: &str) {
        (self.print)(&format!("\n━━ {title}"));
    }

    /// Notes what was checked beside the chats; printed after them.
    pub fn note(&self, line: impl Into<String>) {
        self.notes.borrow_mut().push(line.into());
    }

    pub fn person(&self, index: usize) -> Player<'a> {
        Player { stage: self.stage, handle: self.stage.people[index].clone() }
    }

    /// Prints what is new in all chats, and what was checked.
    pub fn tell(&mut self) {
        for person in &self.stage.people {
            let Ok(chat) = person.chat(BOT) else { continue };
            let told = self.told.entry(person.id).or_default();
            for line in chat.story.iter().skip(*told) {
                (self.print)(&format!("   {line}"));
            }
            *told = chat.story.len();
        }
        for note in self.notes.borrow_mut().drain(..) {
            (self.print)(&format!("   ✓ {note}"));
        }
    }
}

/// One person at their phone.
#[derive(Clone)]
pub struct Player<'a> {
    stage: &'a Stage,
    pub handle: PersonHandle,
}

impl Player<'_> {
    pub fn id(&self) -> UserId {
        UserId(self.handle.id)
    }

    /// Writes a text; the newest message before it is where looking for answers begins.
    pub fn say(&self, text: &str) -> Step<i64> {
        Ok(self.handle.send_text(BOT, text)?)
    }

    /// Waits for something in the chat. The chat itself is printed anyway.
    pub async fn see<T>(&self, what: &str, found: impl Fn(&ChatView) -> Option<T>) -> Step<T> {
        self.handle.wait_for(BOT, what, found).await.map_err(|missing| What(missing.brief()))
    }

    /// Waits for a message with this button.
    pub async fn see_button(&self, callback: Callback) -> Step<MessageView> {
        let data = callback.encode();
        self.see(&format!("the button {data}"), |chat| chat.with_button(&data).cloned()).await
    }

    /// Waits for a button whose data begin so, and tells the whole of it.
    pub async fn see_choice(&self, prefix: &str) -> Step<String> {
        self.see(&format!("a button {prefix}…"), |chat| {
            let newest_first = chat.messages.iter().rev().filter(|message| message.from_bot);
            newest_first.flat_map(MessageView::buttons).find_map(|button| match &button.action {
                Action::CallbackData(data) if data.starts_with(prefix) => Some(data.clone()),
                _ => None,
            })
        })
        .await
    }

    /// Presses a button once it is there; the bot has to answer.
    pub async fn press(&self, callback: Callback) -> Step {
        self.see_button(callback).await?;
        self.press_data(&callback.encode()).await
    }

    /// As [`Player::press`], by the button's data.
    pub async fn press_data(&self, data: &str) -> Step {
        let answer = self.handle.click(BOT, data)?.answered().await;
        ensure(answer.is_some(), format_args!("the button {data} was pressed, and nothing came back"))
    }

    /// Waits for the newest message of the bot after `after` that is as wanted.
    pub async fn see_new(
        &self,
        what: &str,
        after: i64,
        wanted: impl Fn(&MessageView) -> bool,
    ) -> Step<MessageView> {
        self.see(what, |chat| {
            let new = chat.messages.iter().rev().filter(|message| message.from_bot && message.id > after);
            new.into_iter().find(|message| wanted(message)).cloned()
        })
        .await
    }

    /// Number of the newest message.
    pub fn newest(&self) -> Step<i64> {
        Ok(self.handle.chat(BOT)?.last().map_or(0, |message| message.id))
    }

    /// What the house knows of this person.
    pub async fn known(&self) -> Step<Overview> {
        let id = self.id();
        let works = self.stage.app().works();
        let user = works.run("find_user", Origin::SYSTEM, |work| people::get(work, id).scope_boxed()).await?;
        let user = &user.ok_or_else(|| What(format!("{id} is not in the database")))?;
        Ok(works.run("overview", Origin::SYSTEM, |work| overview::of(work, user).scope_boxed()).await?)
    }

    /// Waits until the house knows something of this person.
    pub async fn known_to_be<T>(&self, what: &str, found: impl Fn(&Overview) -> Option<T>) -> Step<T> {
        let waiting = async {
            loop {
                if let Some(seen) = found(&self.known().await?) {
                    return Ok(seen);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(seen) => seen,
            Err(_) => Err(What(format!("{} waited {PATIENCE:?} until {what}", self.id()))),
        }
    }

    /// The language of the bot for this person, as they chose it.
    pub async fn language(&self) -> Step<Language> {
        let id = self.id();
        let works = self.stage.app().works();
        let user = works.run("find_user", Origin::SYSTEM, |work| people::get(work, id).scope_boxed()).await?;
        Ok(user.ok_or_else(|| What(format!("{id} is not in the database")))?.language)
    }
}

/// Waits until `look` finds what it looks for.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> Step<T> {
    let waiting = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, waiting).await;
    seen.map_err(|_| What(format!("waited {PATIENCE:?} until {what}")))
}
